//! Tickets and surveys: what customers say.

use bellwether_core::Date;

use crate::chain::value;
use crate::life::WEEK;
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;
use crate::words;

pub(crate) static TICKET_EVENTS: Schema = Schema {
    name: "ticket_events",
    columns: &[
        ("account_id", Kind::Text),
        ("ticket_id", Kind::Text),
        ("date", Kind::Date),
        ("event", Kind::Text),
        ("severity", Kind::Int),
        ("sentiment", Kind::Float),
        ("first_response_hours", Kind::Float),
        ("resolution_hours", Kind::Float),
        ("csat", Kind::Int),
        ("category", Kind::Text),
        ("escalated", Kind::Int),
        ("text", Kind::Text),
        ("known_at", Kind::Date),
    ],
};

pub(crate) static TICKETS: Schema = Schema {
    name: "tickets",
    columns: &[
        ("account_id", Kind::Text),
        ("ticket_id", Kind::Text),
        ("opened_on", Kind::Date),
        ("closed_on", Kind::Date),
        ("category", Kind::Text),
        ("severity", Kind::Int),
        ("escalated", Kind::Int),
        ("known_at", Kind::Date),
    ],
};

pub(crate) static SURVEYS: Schema = Schema {
    name: "surveys",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("kind", Kind::Text),
        ("score", Kind::Int),
        ("text", Kind::Text),
        ("known_at", Kind::Date),
    ],
};

struct Ticket {
    id: String,
    opened: Date,
    health: f64,
    severity: u32,
    category: &'static Category,
    /// Sent to a manager as it was opened.
    escalated: bool,
}

/// What a ticket may be about.
struct Category {
    name: &'static str,
    /// How often, in the middle of health, and the logarithm of the ratio for one standard deviation of it.
    weight: f64,
    by_health: f64,
    subjects: [&'static str; 3],
}

static CATEGORIES: [Category; 5] = [
    Category {
        name: "bug",
        weight: 0.30,
        by_health: -0.3,
        subjects: ["the report export", "the nightly sync", "the search page"],
    },
    Category {
        name: "how_to",
        weight: 0.30,
        by_health: 0.0,
        subjects: ["the dashboard", "the import of our contacts", "the mobile app"],
    },
    Category {
        name: "advanced",
        weight: 0.15,
        by_health: 0.5,
        subjects: ["the workflow builder", "the API", "the custom roles"],
    },
    Category {
        name: "access",
        weight: 0.15,
        by_health: -0.1,
        subjects: ["the login of our new users", "single sign-on", "the user permissions"],
    },
    Category {
        name: "billing",
        weight: 0.10,
        by_health: -0.2,
        subjects: ["the last invoice", "the number of seats on our bill", "the renewal offer"],
    },
];

impl Category {
    fn draw(health: f64, random: &mut Random) -> &'static Self {
        let choices =
            CATEGORIES.each_ref().map(|category| (category, category.weight * (category.by_health * health).exp()));
        random.pick(&choices)
    }
}

/// Where a ticket is written to: as events, and as the stretch of time for which it is open.
pub(crate) struct TicketTables<'r> {
    pub(crate) events: &'r mut Rows,
    pub(crate) stretches: &'r mut Rows,
}

/// Writes each ticket, in the order of their numbers.
pub(crate) fn write_tickets(customer: &Customer<'_>, tables: &mut TicketTables<'_>, random: &mut Random) {
    let mut topic = customer.stream(Topic::Tickets);
    let by_health = customer.account.segment.drivers().tickets_by_health;
    let mut n_tickets = 0;
    for (day, state) in customer.life.days.iter().enumerate().step_by(WEEK) {
        let health = value(state.health.into());
        let tenure_days = customer.date(day).days() - customer.account.signup.days();
        let onboarding = if tenure_days < 60 { 2.0 } else { 1.0 };
        let habit = 0.5 * customer.account.habits.tickets;
        let a_week = 0.022 * f64::from(state.seats).powf(0.55) * onboarding * (habit + by_health * health).exp();
        for _ in 0..random.count(a_week) {
            let opened = customer.date(day).plus_days(random.below(WEEK as u32) as i32);
            if opened < customer.end() {
                n_tickets += 1;
                let id = format!("{}-T{n_tickets:04}", customer.account.id);
                let urgent = 0.9 / (1.0 + (1.2 + 0.35 * health).exp());
                let severity = 1 + (0..3).filter(|_| random.chance(urgent)).count() as u32;
                let category = Category::draw(health, &mut topic);
                let escalated = topic.chance(0.1 / (1.0 + (1.0 + health - 0.6 * f64::from(severity)).exp()) * 2.0);
                let ticket = Ticket { id, opened, health, severity, category, escalated };
                write_ticket(customer, &ticket, tables, random, &mut topic);
            }
        }
    }
}

fn write_ticket(
    customer: &Customer<'_>,
    ticket: &Ticket,
    tables: &mut TicketTables<'_>,
    random: &mut Random,
    topic: &mut Random,
) {
    let severity = f64::from(ticket.severity);
    let mood = 0.35 + 0.3 * ticket.health + 0.15 * customer.account.habits.praise - 0.15 * severity;
    let sentiment = (mood + 0.45 * random.normal()).tanh();
    let first_response = 6.0 * (0.8 * random.normal() - 0.35 * severity).exp();
    let resolution = first_response + 40.0 * (0.9 * random.normal() - 0.15 * severity).exp();
    let days_open = 1 + (resolution / 24.0) as i32;
    let liked = 3.9 + 0.4 * ticket.health - (resolution / 150.0).min(1.5) + 0.9 * random.normal();
    let csat = if random.chance(0.4) { Cell::Int(liked.round().clamp(1.0, 5.0) as i64) } else { Cell::Null };
    let text = words::sentence(1.6 * sentiment - 0.2, topic.one_of(&ticket.category.subjects), topic);
    let closed = Some(ticket.opened.plus_days(days_open)).filter(|&day| day < customer.end());
    let known_closed = closed.and_then(|day| customer.known(day, topic));
    let Some(known) = customer.known(ticket.opened, topic) else { return };

    let (id, ticket_id, opened) = (customer.id(), Cell::Text(&ticket.id), Cell::Date(ticket.opened));
    let (category, severity) = (Cell::Text(ticket.category.name), Cell::Int(ticket.severity.into()));
    let (sentiment, escalated) = (Cell::Float(hundredths(sentiment)), Cell::Int(ticket.escalated.into()));
    let (kind, null, known_at) = (Cell::Text("opened"), Cell::Null, Cell::Date(known));
    let said = Cell::Text(&text);
    tables.events.push([
        id, ticket_id, opened, kind, severity, sentiment, null, null, null, category, escalated, said, known_at,
    ]);
    let mut closed_on = null;
    if let (Some(closed), Some(known_closed)) = (closed, known_closed) {
        closed_on = Cell::Date(closed);
        let (first, total) = (Cell::Float(hundredths(first_response)), Cell::Float(hundredths(resolution)));
        let (kind, known_at) = (Cell::Text("closed"), Cell::Date(known_closed.max(known)));
        tables.events.push([
            id, ticket_id, closed_on, kind, severity, null, first, total, csat, category, escalated, null, known_at,
        ]);
    }
    tables.stretches.push([id, ticket_id, opened, closed_on, category, severity, escalated, known_at]);
}

/// Days between two surveys of a kind, and from signup to the first.
const NPS_EVERY: usize = 91;
const CSAT_EVERY: usize = 60;
const FIRST_SURVEY: usize = 45;

/// Writes a row for each survey that was answered.
pub(crate) fn write_surveys(customer: &Customer<'_>, rows: &mut Rows, random: &mut Random) {
    let mut topic = customer.stream(Topic::Surveys);
    let tenure_at_first = customer.account.tenure_at_first(customer.calendar);
    let (fit, praise) = (customer.account.fit, customer.account.habits.praise);
    for (day, state) in customer.life.days.iter().enumerate() {
        let tenure = tenure_at_first + day;
        let health = value(state.health.into());
        let answers = (0.38 + 0.08 * health).clamp(0.1, 0.8);
        let is_due = |every| tenure % every == FIRST_SURVEY;
        if is_due(NPS_EVERY) && random.chance(answers) {
            let score =
                (7.2 + 1.1 * health + 0.4 * fit + 0.8 * praise + 1.4 * random.normal()).round().clamp(0.0, 10.0);
            write_survey(customer, day, &Survey { kind: "nps", score, mood: (score - 6.5) / 1.8 }, rows, &mut topic);
        }
        if is_due(CSAT_EVERY) && random.chance(answers) {
            let score = (3.8 + 0.4 * health + 0.4 * praise + 0.8 * random.normal()).round().clamp(1.0, 5.0);
            write_survey(customer, day, &Survey { kind: "csat", score, mood: 1.2 * (score - 3.3) }, rows, &mut topic);
        }
    }
}

struct Survey {
    kind: &'static str,
    score: f64,
    /// Of the comment, in standard deviations.
    mood: f64,
}

/// Three answers in five have a comment.
fn write_survey(customer: &Customer<'_>, day: usize, survey: &Survey, rows: &mut Rows, topic: &mut Random) {
    let text = topic.chance(0.6).then(|| words::sentence(survey.mood, "the product", topic));
    let date = customer.date(day);
    let Some(known) = customer.known(date, topic) else { return };
    let text = text.as_deref().map_or(Cell::Null, Cell::Text);
    let (kind, score) = (Cell::Text(survey.kind), Cell::Int(survey.score as i64));
    rows.push([customer.id(), Cell::Date(date), kind, score, text, Cell::Date(known)]);
}

pub(crate) fn hundredths(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}
