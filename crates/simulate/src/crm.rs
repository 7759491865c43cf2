//! What the account's manager notes at each month end, and corrects later.

use crate::chain::value;
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::tables::Customer;

pub(crate) static SCHEMA: Schema = Schema {
    name: "account_snapshots",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("known_at", Kind::Date),
        ("csm_sentiment", Kind::Int),
        ("licensed_seats", Kind::Int),
        ("open_opportunities", Kind::Int),
    ],
};

/// Share of notes that are thought over, which most find wrong, and the days from the first version to the second.
const RESTATED: f64 = 0.15;
const RESTATED_AFTER: u32 = 3;
const RESTATED_WITHIN: u32 = 25;

/// Writes a row a month end, and another with the same date where the first is corrected: a later `known_at`, and a
/// sentiment that is nearer to the truth.
pub(crate) fn write(customer: &Customer<'_>, rows: &mut Rows) {
    let mut random = customer.stream(Topic::Crm);
    for (date, day) in customer.month_ends() {
        let state = customer.life.days[day];
        let sentiment = 3.2 + 0.5 * value(state.health.into()) + 0.3 * customer.account.habits.praise;
        let first = note(sentiment, 0.8, &mut random);
        let opportunities = random.count(0.25 * (0.8 * value(state.appetite.into())).exp());
        let restated = random.chance(RESTATED).then(|| note(sentiment, 0.3, &mut random)).filter(|&note| note != first);
        let after = RESTATED_AFTER + random.below(RESTATED_WITHIN - RESTATED_AFTER + 1);
        let Some(known) = customer.known(date, &mut random) else { continue };
        let versions = [(known, Some(first)), (known.plus_days(after as i32), restated)];
        for (known, note) in versions.into_iter().filter(|&(known, _)| known <= customer.calendar.last_day()) {
            if let Some(note) = note {
                rows.push([
                    customer.id(),
                    Cell::Date(date),
                    Cell::Date(known),
                    Cell::Int(note),
                    Cell::Int(state.seats.into()),
                    Cell::Int(opportunities.into()),
                ]);
            }
        }
    }
}

/// From 1 to 5.
fn note(sentiment: f64, error: f64, random: &mut Random) -> i64 {
    (sentiment + error * random.normal()).round().clamp(1.0, 5.0) as i64
}
