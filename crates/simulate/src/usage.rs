//! Daily usage: a noisy trace of health and appetite.

use std::sync::LazyLock;

use crate::chain::value;
use crate::life::{State, WEEK};
use crate::random::Random;
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

pub(crate) static SCHEMA: Schema = Schema {
    name: "usage",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("logins", Kind::Int),
        ("active_users", Kind::Int),
        ("sessions_minutes", Kind::Float),
        ("features_used", Kind::Int),
        ("core_actions", Kind::Int),
        ("errors", Kind::Int),
    ],
};

/// Features that the product has.
pub(crate) const N_FEATURES: f64 = 24.0;

/// Weekly moods of an account that say nothing about health: correlation from week to week and standard deviation.
const MOOD_CORRELATION: f64 = 0.75;
const MOOD_SPREAD: f64 = 0.18;

/// What one day's hidden state does to usage, before the day's own chance.
pub(crate) struct Drive {
    /// Share of seats whose users come on a usual Tuesday.
    pub(crate) share_active: f64,
    /// Further logins a user.
    logins: f64,
    /// Minutes a login.
    minutes: f64,
    /// Rises with how many features a user knows.
    pub(crate) breadth: f64,
    /// Core actions a login.
    pub(crate) actions: f64,
    /// Errors a login.
    errors: f64,
}

impl Drive {
    pub(crate) fn of(state: State, customer: &Customer<'_>, mood: f64) -> Self {
        let (health, appetite) = (value(state.health.into()), value(state.appetite.into()));
        let (fit, habits) = (customer.account.fit, customer.account.habits);
        let drivers = customer.account.segment.drivers();
        let seated = 0.1 + 0.5 * appetite + drivers.usage_by_health * health + 0.25 * fit + 0.4 * habits.usage + mood;
        Self {
            share_active: 0.72 / (1.0 + (-seated).exp()),
            logins: 0.9 * (0.22 * health + 0.2 * habits.depth).exp(),
            minutes: 13.0 * (0.15 * health + 0.2 * habits.depth + 0.5 * mood).exp(),
            breadth: 0.16
                * (drivers.breadth_by_health * health + 0.15 * appetite + 0.1 * fit + 0.2 * habits.depth).exp(),
            actions: 3.5 * (0.3 * health + 0.2 * habits.depth + 0.5 * mood).exp(),
            errors: 0.03 * (-0.35 * health).exp(),
        }
    }
}

/// Writes a row for each day on which somebody logged in.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows, random: &mut Random) {
    let tenure_at_first = customer.account.tenure_at_first(customer.calendar);
    let mut mood = MOOD_SPREAD * random.normal();
    let mut drive = Drive::of(customer.life.days[0], customer, mood);
    for (day, &state) in customer.life.days.iter().enumerate() {
        if day % WEEK == 0 {
            let fresh = (1.0 - MOOD_CORRELATION * MOOD_CORRELATION).sqrt();
            mood = MOOD_CORRELATION * mood + fresh * MOOD_SPREAD * random.normal();
            drive = Drive::of(state, customer, mood);
        } else if state != customer.life.days[day - 1] {
            drive = Drive::of(state, customer, mood);
        }
        let come = drive.share_active
            * aboard(tenure_at_first + day)
            * customer.calendar.day(customer.account.first + day).usage;
        let users = random.share_of(state.seats.into(), come);
        if users > 0.0 {
            rows.push(row(customer, day, &drive, users, random));
        }
    }
}

/// The share of users who have come aboard by so many days after signup: most do over the first months.
pub(crate) fn aboard(tenure_days: usize) -> f64 {
    1.0 - 0.75 * (-(tenure_days as f64) / 30.0).exp()
}

/// `users` to the power of 0.4: twice the users know fewer than twice the features.
fn reach(users: f64) -> f64 {
    /// Of so many users, computed once.
    static REACHES: LazyLock<[f64; 1_024]> = LazyLock::new(|| std::array::from_fn(|users| (users as f64).powf(0.4)));
    REACHES.get(users as usize).copied().unwrap_or_else(|| users.powf(0.4))
}

fn row<'a>(customer: &'a Customer<'_>, day: usize, drive: &Drive, users: f64, random: &mut Random) -> [Cell<'a>; 8] {
    let more_logins = users * drive.logins;
    let logins = users + (more_logins + more_logins.sqrt() * random.normal()).round().max(0.0);
    let minutes = logins * drive.minutes * (0.25 * random.normal()).exp();
    let known = N_FEATURES * (1.0 - (-drive.breadth * reach(users)).exp());
    let features = (known + 1.2 * random.normal()).round().clamp(1.0, N_FEATURES);
    let actions = logins * drive.actions * (0.25 * random.normal()).exp();
    let errors = random.count(logins * drive.errors);
    [
        customer.id(),
        Cell::Date(customer.date(day)),
        Cell::Int(logins as i64),
        Cell::Int(users as i64),
        Cell::Float((minutes * 10.0).round() / 10.0),
        Cell::Int(features as i64),
        Cell::Int(actions.round() as i64),
        Cell::Int(errors.into()),
    ]
}
