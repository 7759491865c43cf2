//! Tickets and surveys: what customers say.

use bellwether_core::Date;

use crate::chain::value;
use crate::life::WEEK;
use crate::random::Random;
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

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
    ],
};

pub(crate) static SURVEYS: Schema = Schema {
    name: "surveys",
    columns: &[("account_id", Kind::Text), ("date", Kind::Date), ("kind", Kind::Text), ("score", Kind::Int)],
};

struct Ticket {
    id: String,
    opened: Date,
    health: f64,
    severity: u32,
}

/// Writes a row when a ticket is opened and another when it is closed, in the order of tickets.
pub(crate) fn write_tickets(customer: &Customer<'_>, rows: &mut Rows, random: &mut Random) {
    let mut n_tickets = 0;
    for (day, state) in customer.life.days.iter().enumerate().step_by(WEEK) {
        let health = value(state.health.into());
        let tenure_days = customer.date(day).days() - customer.account.signup.days();
        let onboarding = if tenure_days < 60 { 2.0 } else { 1.0 };
        let habit = 0.5 * customer.account.habits.tickets;
        let a_week = 0.022 * f64::from(state.seats).powf(0.55) * onboarding * (habit - 0.22 * health).exp();
        for _ in 0..random.count(a_week) {
            let opened = customer.date(day).plus_days(random.below(WEEK as u32) as i32);
            if opened < customer.end() {
                n_tickets += 1;
                let id = format!("{}-T{n_tickets:04}", customer.account.id);
                let urgent = 0.9 / (1.0 + (1.2 + 0.35 * health).exp());
                let severity = 1 + (0..3).filter(|_| random.chance(urgent)).count() as u32;
                write_ticket(customer, &Ticket { id, opened, health, severity }, rows, random);
            }
        }
    }
}

fn write_ticket(customer: &Customer<'_>, ticket: &Ticket, rows: &mut Rows, random: &mut Random) {
    let severity = f64::from(ticket.severity);
    let mood = 0.35 + 0.3 * ticket.health + 0.15 * customer.account.habits.praise - 0.15 * severity;
    let sentiment = (mood + 0.45 * random.normal()).tanh();
    let first_response = 6.0 * (0.8 * random.normal() - 0.35 * severity).exp();
    let resolution = first_response + 40.0 * (0.9 * random.normal() - 0.15 * severity).exp();
    let days_open = 1 + (resolution / 24.0) as i32;
    let liked = 3.9 + 0.4 * ticket.health - (resolution / 150.0).min(1.5) + 0.9 * random.normal();
    let csat = if random.chance(0.4) { Cell::Int(liked.round().clamp(1.0, 5.0) as i64) } else { Cell::Null };

    let (id, ticket_id) = (customer.id(), Cell::Text(&ticket.id));
    let severity = Cell::Int(ticket.severity.into());
    let opened = Cell::Date(ticket.opened);
    let sentiment = Cell::Float(hundredths(sentiment));
    let kind = Cell::Text("opened");
    rows.push([id, ticket_id, opened, kind, severity, sentiment, Cell::Null, Cell::Null, Cell::Null]);
    let closed = ticket.opened.plus_days(days_open);
    if closed < customer.end() {
        let (first, total) = (Cell::Float(hundredths(first_response)), Cell::Float(hundredths(resolution)));
        let (closed, kind) = (Cell::Date(closed), Cell::Text("closed"));
        rows.push([id, ticket_id, closed, kind, severity, Cell::Null, first, total, csat]);
    }
}

/// Days between two surveys of a kind, and from signup to the first.
const NPS_EVERY: usize = 91;
const CSAT_EVERY: usize = 60;
const FIRST_SURVEY: usize = 45;

/// Writes a row for each survey that was answered.
pub(crate) fn write_surveys(customer: &Customer<'_>, rows: &mut Rows, random: &mut Random) {
    let tenure_at_first = customer.account.tenure_at_first(customer.calendar);
    let (fit, praise) = (customer.account.fit, customer.account.habits.praise);
    for (day, state) in customer.life.days.iter().enumerate() {
        let tenure = tenure_at_first + day;
        let health = value(state.health.into());
        let answers = (0.38 + 0.08 * health).clamp(0.1, 0.8);
        let is_due = |every| tenure % every == FIRST_SURVEY;
        if is_due(NPS_EVERY) && random.chance(answers) {
            let score = 7.2 + 1.1 * health + 0.4 * fit + 0.8 * praise + 1.4 * random.normal();
            write_survey(customer, day, "nps", score.round().clamp(0.0, 10.0), rows);
        }
        if is_due(CSAT_EVERY) && random.chance(answers) {
            let score = 3.8 + 0.4 * health + 0.4 * praise + 0.8 * random.normal();
            write_survey(customer, day, "csat", score.round().clamp(1.0, 5.0), rows);
        }
    }
}

fn write_survey(customer: &Customer<'_>, day: usize, kind: &str, score: f64, rows: &mut Rows) {
    rows.push([customer.id(), Cell::Date(customer.date(day)), Cell::Text(kind), Cell::Int(score as i64)]);
}

fn hundredths(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}
