//! What customers do beside using the product: trainings, webinars, meetings, milestones, invitations.

use crate::account::Segment;
use crate::chain::value;
use crate::life::{State, WEEK};
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

pub(crate) static SCHEMA: Schema = Schema {
    name: "engagement_events",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("kind", Kind::Text),
        ("role", Kind::Text),
        ("value", Kind::Float),
    ],
};

/// Something that happens now and then.
struct Activity {
    kind: &'static str,
    role: &'static str,
    /// How often a week in the middle of the hidden state.
    a_week: f64,
    /// Logarithms of the ratios for one standard deviation of health and of appetite.
    by_health: f64,
    by_appetite: f64,
}

const fn activity(kind: &'static str, role: &'static str, a_week: f64, by_health: f64, by_appetite: f64) -> Activity {
    Activity { kind, role, a_week, by_health, by_appetite }
}

const ACTIVITIES: [Activity; 13] = [
    activity("webinar_attended", "user", 0.015, 0.2, 0.1),
    activity("training_completed", "user", 0.02, 0.3, 0.1),
    activity("email_opened", "admin", 0.10, 0.15, 0.0),
    activity("email_opened", "user", 0.06, 0.15, 0.0),
    activity("community_post", "user", 0.015, 0.25, 0.0),
    activity("feedback_given", "admin", 0.012, 0.2, 0.0),
    activity("research_session", "champion", 0.006, 0.2, 0.1),
    activity("conference_attended", "champion", 0.003, 0.2, 0.1),
    activity("exec_meeting", "exec_sponsor", 0.012, 0.45, 0.0),
    activity("invite_sent", "admin", 0.05, 0.15, 0.6),
    activity("invite_sent", "champion", 0.03, 0.15, 0.6),
    activity("integration_connected", "admin", 0.008, 0.15, 0.2),
    activity("upgrade_page_viewed", "admin", 0.02, 0.0, 0.8),
];

/// Days between two reviews of an account that has them, and between two counts of workflows.
const REVIEW_EVERY: usize = 13 * WEEK;
const WORKFLOWS_EVERY: usize = 4 * WEEK;

/// Writes a row for each thing that is done, by kind of rhythm: at the start, every quarter or month, now and then.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows) {
    let mut random = customer.stream(Topic::Engagement);
    let mut register = Register { customer, rows };
    register.start(&mut random);
    for (day, &state) in customer.life.days.iter().enumerate().step_by(WEEK) {
        if day % REVIEW_EVERY == 0 && day > 0 {
            register.review(day, state, &mut random);
        }
        if day % WORKFLOWS_EVERY == 0 && day > 0 {
            register.workflows(day, state, &mut random);
        }
        register.now_and_then(day, state, &mut random);
    }
}

struct Register<'a, 'r> {
    customer: &'a Customer<'a>,
    rows: &'r mut Rows,
}

impl Register<'_, '_> {
    /// The handover by sales, milestones, the end of onboarding and early integrations: faster where the product fits.
    fn start(&mut self, random: &mut Random) {
        let account = self.customer.account;
        let fit = account.fit;
        let pace = if account.segment == Segment::Enterprise { 1.8 } else { 1.0 };
        let handover = (6.5 + 1.2 * fit + 1.5 * random.normal()).round().clamp(1.0, 10.0);
        self.since_signup(1 + random.below(7), "handoff_scored", "champion", handover);
        let mut day = 0.0;
        for milestone in 1..=5 {
            day += pace * 14.0 * (-0.35 * fit).exp() * (0.25 + random.exponential());
            self.since_signup(day as u32, "milestone_reached", "admin", f64::from(milestone));
        }
        let onboarded = pace * 16.0 * (-0.4 * fit + 0.5 * random.normal()).exp();
        self.since_signup(onboarded as u32, "onboarding_completed", "admin", 1.0);
        for _ in 0..random.count(1.6 * (0.3 * fit).exp()) {
            self.since_signup(3 + random.below(57), "integration_connected", "admin", 1.0);
        }
    }

    /// A business review takes place or is called off.
    fn review(&mut self, day: usize, state: State, random: &mut Random) {
        let health = value(state.health.into());
        let held = if self.customer.account.segment == Segment::Smb { 0.2 } else { 0.7 };
        if random.chance((held + 0.12 * health).clamp(0.02, 0.95)) {
            self.event(day, "qbr_held", if state.champion { "champion" } else { "admin" }, 1.0);
        }
    }

    /// How many workflows were begun and how many of these were brought to their end, over four weeks.
    fn workflows(&mut self, day: usize, state: State, random: &mut Random) {
        let health = value(state.health.into());
        let begun = f64::from(random.count(2.0 * f64::from(state.seats).powf(0.7) * (0.3 * health).exp()));
        let completed = random.share_of(begun, 1.0 / (1.0 + (-1.1 - 0.45 * health).exp()));
        if begun > 0.0 {
            self.event(day, "workflow_started", "user", begun);
            self.event(day, "workflow_completed", "user", completed);
        }
    }

    fn now_and_then(&mut self, day: usize, state: State, random: &mut Random) {
        let (health, appetite) = (value(state.health.into()), value(state.appetite.into()));
        let size = f64::from(state.seats).powf(0.25) / 2.0;
        let rates = ACTIVITIES.each_ref().map(|of| {
            let here = state.champion || of.role != "champion";
            (of, if here { of.a_week * size * (of.by_health * health + of.by_appetite * appetite).exp() } else { 0.0 })
        });
        for _ in 0..random.count(rates.iter().map(|(_, a_week)| a_week).sum()) {
            let activity = random.pick(&rates);
            self.event(day + random.below(WEEK as u32) as usize, activity.kind, activity.role, 1.0);
        }
    }

    fn since_signup(&mut self, days: u32, kind: &str, role: &str, value: f64) {
        let date = self.customer.account.signup.plus_days(days as i32);
        if let Some(day) = self.customer.day(date) {
            self.event(day, kind, role, value);
        }
    }

    fn event(&mut self, day: usize, kind: &str, role: &str, value: f64) {
        if day < self.customer.life.days.len() {
            let date = Cell::Date(self.customer.date(day));
            self.rows.push([self.customer.id(), date, Cell::Text(kind), Cell::Text(role), Cell::Float(value)]);
        }
    }
}
