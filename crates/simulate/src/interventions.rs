//! What is done about accounts that are likely to leave, at random, so that its effect can be told.

use crate::life::WEEK;
use crate::random::Random;
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

pub(crate) static SCHEMA: Schema = Schema {
    name: "interventions",
    columns: &[("account_id", Kind::Text), ("date", Kind::Date), ("kind", Kind::Text), ("treated", Kind::Int)],
};

/// What a treatment multiplies the hazard of churn by while it runs, and for how many days it does.
pub(crate) const TREATMENT_EASES: f64 = 0.4;
pub(crate) const TREATMENT_DAYS: usize = 8 * WEEK;

/// Hazard of churn a year from which an account is one for an intervention.
pub(crate) const HIGH_HAZARD: f64 = 0.5;

/// Days from one intervention to the next at the earliest.
const APART: usize = 26 * WEEK;

const DAYS_A_YEAR: f64 = 365.25;

const KINDS: [(&str, f64); 3] = [("executive_outreach", 0.4), ("training", 0.35), ("success_plan", 0.25)];

/// An account with a high hazard that was given to one of two groups by a fair coin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervention {
    /// The first day of a week.
    pub(crate) day: usize,
    pub(crate) kind: &'static str,
    /// Whether it was done; otherwise it was only chosen, to compare with.
    pub(crate) treated: bool,
}

impl Intervention {
    /// The intervention of this day, if the account's hazard of churn is high and the last one is long past.
    pub(crate) fn due(day: usize, churn_hazard: f64, past: &[Self], random: &mut Random) -> Option<Self> {
        let is_free = past.last().is_none_or(|last| day >= last.day + APART);
        (is_free && churn_hazard * DAYS_A_YEAR >= HIGH_HAZARD).then(|| Self {
            day,
            kind: random.pick(&KINDS),
            treated: random.chance(0.5),
        })
    }
}

/// Writes a row for each intervention, done or only chosen.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows) {
    let was_there = |intervention: &&Intervention| intervention.day < customer.life.days.len();
    for intervention in customer.life.interventions.iter().filter(was_there) {
        rows.push([
            customer.id(),
            Cell::Date(customer.date(intervention.day)),
            Cell::Text(intervention.kind),
            Cell::Int(intervention.treated.into()),
        ]);
    }
}
