//! What the customer's own business does: its goals with the product, and the world around it.

use crate::chain::value;
use crate::random::{Random, Topic};
use crate::rows::{Cell, Kind, Rows, Schema};
use crate::support::hundredths;
use crate::tables::Customer;

pub(crate) static GOALS: Schema = Schema {
    name: "goals",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("kpi", Kind::Text),
        ("target", Kind::Float),
        ("actual", Kind::Float),
        ("known_at", Kind::Date),
    ],
};

pub(crate) static EXTERNAL: Schema = Schema {
    name: "external_indicators",
    columns: &[
        ("account_id", Kind::Text),
        ("date", Kind::Date),
        ("indicator", Kind::Text),
        ("value", Kind::Float),
        ("known_at", Kind::Date),
    ],
};

const KPIS: [(&str, f64); 4] =
    [("hours_saved", 120.0), ("response_time_cut", 25.0), ("revenue_influenced", 50_000.0), ("error_rate_cut", 15.0)];

/// Writes a row at the end of each quarter: what the product was to bring, and what it brought.
pub(crate) fn write_goals(customer: &Customer<'_>, rows: &mut Rows) {
    let mut random = customer.stream(Topic::Goals);
    let (kpi, usual) = random.one_of(&KPIS);
    let target = hundredths(usual * (0.4 * random.normal()).exp());
    for (date, day) in customer.month_ends().filter(|(date, _)| date.ymd().1 % 3 == 0) {
        let health = value(customer.life.days[day].health.into());
        let reached = (-0.1 + 0.18 * health + 0.15 * customer.account.fit + 0.2 * random.normal()).exp();
        if let Some(known) = customer.known(date, &mut random) {
            let (target, actual) = (Cell::Float(target), Cell::Float(hundredths(target * reached)));
            rows.push([customer.id(), Cell::Date(date), Cell::Text(kpi), target, actual, Cell::Date(known)]);
        }
    }
}

/// Writes what is said of the customer elsewhere: a row a month for mentions of competitors, and a row a quarter for the
/// growth of its market (% a year) and for its headcount.
pub(crate) fn write_external(customer: &Customer<'_>, rows: &mut Rows) {
    let mut random = customer.stream(Topic::External);
    let mut growth = 3.0 + 2.0 * random.normal();
    let mut headcount = f64::from(customer.account.employees);
    for (date, day) in customer.month_ends() {
        let state = customer.life.days[day];
        let mentions = random.count(0.5 * (-0.4 * value(state.health.into())).exp());
        let mut report = |indicator: &str, value: f64, random: &mut Random| {
            if let Some(known) = customer.known(date, random) {
                let (indicator, value) = (Cell::Text(indicator), Cell::Float(value));
                rows.push([customer.id(), Cell::Date(date), indicator, value, Cell::Date(known)]);
            }
        };
        report("competitor_mentions", mentions.into(), &mut random);
        if date.ymd().1 % 3 == 0 {
            growth += 0.3 * (3.0 - growth) + random.normal();
            report("market_growth", hundredths(growth), &mut random);
            headcount *= (0.015 * value(state.appetite.into()) + 0.01 * random.normal()).exp();
            report("headcount", headcount.round().max(f64::from(state.seats)), &mut random);
        }
    }
}
