//! Messages to the account's manager.

use crate::chain::value;
use crate::life::WEEK;
use crate::random::Topic;
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;
use crate::words;

pub(crate) static SCHEMA: Schema = Schema {
    name: "messages",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("channel", Kind::Text),
        ("role", Kind::Text),
        ("text", Kind::Text),
    ],
};

const CHANNELS: [(&str, f64); 3] = [("email", 0.6), ("chat", 0.25), ("call_note", 0.15)];
const ROLES: [(&str, f64); 3] = [("champion", 0.5), ("admin", 0.35), ("exec_sponsor", 0.15)];
const SUBJECTS: [&str; 5] = ["the product", "the rollout", "the weekly report", "the onboarding", "your team"];

/// Writes a row for each message; without champion nobody writes as one.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows) {
    let mut random = customer.stream(Topic::Messages);
    for (day, state) in customer.life.days.iter().enumerate().step_by(WEEK) {
        let health = value(state.health.into());
        let a_week = 0.05 * f64::from(state.seats).powf(0.3) * (0.1 * health.abs()).exp();
        for _ in 0..random.count(a_week) {
            let date = customer.date(day).plus_days(random.below(WEEK as u32) as i32);
            let (channel, role) = (random.pick(&CHANNELS), random.pick(&ROLES));
            let mood = 0.9 * health + 0.3 * customer.account.habits.praise;
            let text = words::sentence(mood, random.one_of(&SUBJECTS), &mut random);
            if date < customer.end() && (state.champion || role != "champion") {
                rows.push([customer.id(), Cell::Date(date), Cell::Text(channel), Cell::Text(role), Cell::Text(&text)]);
            }
        }
    }
}
