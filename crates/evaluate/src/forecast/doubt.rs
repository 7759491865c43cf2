//! How far the probabilities of all accounts can be off together.

use std::collections::BTreeMap;

use bellwether_core::{Date, Doubt};

use crate::accounts::Accounts;
use crate::input::Scored;

/// Rows that a model was fitted or calibrated on, with their days and revenue; the same places in each column.
#[derive(Debug, Clone, Copy)]
pub struct ScoredOnDays<'a> {
    /// Probabilities, outcomes and accounts.
    pub scored: Scored<'a>,
    /// The day of each row.
    pub day: &'a [Date],
    /// Recurring revenue; a row of which it is unknown (NaN) says nothing of revenue.
    pub revenue: &'a [f64],
}

/// The deviations of the log-odds that accounts share.
///
/// `of_calibration` has two parts. The level of all accounts is known as well as the `calibration` rows tell it: the
/// standard error of their intercept, accounts kept together (the sandwich of Liang and Zeger 1986). That revenue is as
/// likely to go as accounts are is known as well as all rows tell it: the standard error of the intercept weighted by
/// revenue, which few large accounts decide. It is taken from the probabilities, not from the outcomes, as the largest
/// accounts may have had none; rows of one account hang together as far as their windows overlap.
///
/// `between_days` is what the days of `seen` differ beyond chance: each day's intercept to
/// first order is `(events - sum of p) / sum of p (1 - p)`; the variance of these less the mean of their sampling
/// variances is the part between days (the moments of `DerSimonian` and Laird 1986). Windows of `horizon_days` that
/// overlap share their events, so both are brought to days that do not.
///
/// # Panics
/// If lengths differ.
pub fn doubt(calibration: &Scored<'_>, seen: &ScoredOnDays<'_>, horizon_days: u32) -> Doubt {
    let (between_days, freedom) = between_days(seen, horizon_days);
    let of_calibration = of_level(calibration).hypot(of_revenue(seen, horizon_days));
    Doubt { of_calibration, between_days, freedom }
}

/// The standard error of the intercept.
fn of_level(rows: &Scored<'_>) -> f64 {
    let gap = |row: usize| f64::from(u8::from(rows.outcome[row])) - rows.probability[row];
    let squares: f64 = Accounts::new(rows.account).sums(gap).iter().map(|gap| gap * gap).sum();
    let information: f64 = rows.probability.iter().map(|p| p * (1.0 - p)).sum();
    if information > 0.0 { squares.sqrt() / information } else { 0.0 }
}

/// The standard error of the intercept weighted by revenue.
fn of_revenue(seen: &ScoredOnDays<'_>, horizon_days: u32) -> f64 {
    let mut by_account: BTreeMap<u32, Vec<(Date, f64)>> = BTreeMap::new();
    let mut information = 0.0;
    for (row, &p) in seen.scored.probability.iter().enumerate().filter(|&(row, _)| seen.revenue[row] > 0.0) {
        let (variance, revenue) = (p * (1.0 - p), seen.revenue[row]);
        information += revenue * variance;
        by_account.entry(seen.scored.account[row]).or_default().push((seen.day[row], revenue * variance.sqrt()));
    }
    let together = |rows: &Vec<(Date, f64)>| -> f64 {
        let pairs = rows.iter().flat_map(|a| rows.iter().map(move |b| (a, b)));
        pairs.map(|(a, b)| a.1 * b.1 * shared(a.0, b.0, horizon_days)).sum()
    };
    let variance: f64 = by_account.values().map(together).sum();
    if information > 0.0 { variance.sqrt() / information } else { 0.0 }
}

/// The deviation, and the freedom that it has.
fn between_days(seen: &ScoredOnDays<'_>, horizon_days: u32) -> (f64, f64) {
    let days = Day::all(seen);
    let n = days.len() as f64;
    if days.len() < 2 {
        return (0.0, 1.0);
    }
    let pairs = days.iter().enumerate().flat_map(|(place, a)| days[..place].iter().map(move |b| (a, b)));
    let shared = pairs.map(|(a, b)| shared(a.at, b.at, horizon_days)).sum::<f64>() / (n * (n - 1.0) / 2.0);
    // Days that share most of their windows say no more than one.
    let freedom = (n / (1.0 + (n - 1.0) * shared) - 1.0).max(0.0);
    if freedom < 1.0 {
        return (0.0, 1.0);
    }
    let mean = days.iter().map(|day| day.intercept).sum::<f64>() / n;
    let squares: f64 = days.iter().map(|day| (day.intercept - mean).powi(2)).sum();
    let variance = squares / (n - 1.0) / (1.0 - shared);
    let by_chance = days.iter().map(|day| 1.0 / day.information).sum::<f64>() / n;
    ((variance - by_chance).max(0.0).sqrt(), freedom)
}

/// The share of a window that two days have in common.
fn shared(a: Date, b: Date, horizon_days: u32) -> f64 {
    let apart = f64::from(a.days().abs_diff(b.days()));
    (1.0 - apart / f64::from(horizon_days)).max(0.0)
}

struct Day {
    at: Date,
    /// Of its log-odds, to first order.
    intercept: f64,
    /// Summed variance of its outcomes.
    information: f64,
}

impl Day {
    /// By day, rising; days whose outcomes are certain say nothing.
    fn all(seen: &ScoredOnDays<'_>) -> Vec<Self> {
        let mut by_day: BTreeMap<Date, (f64, f64)> = BTreeMap::new();
        let Scored { probability, outcome, .. } = seen.scored;
        for ((&day, &p), &event) in seen.day.iter().zip(probability).zip(outcome) {
            let (gap, information) = by_day.entry(day).or_default();
            *gap += f64::from(u8::from(event)) - p;
            *information += p * (1.0 - p);
        }
        let days = by_day.into_iter().filter(|(_, (_, information))| *information > 0.0);
        days.map(|(day, (gap, information))| Self { at: day, intercept: gap / information, information }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_twice_is_no_more_evidence() {
        let (p, y) = ([0.5, 0.5, 0.5, 0.5], [true, false, true, true]);
        let once = of_level(&Scored { probability: &p, outcome: &y, account: &[1, 2, 3, 4] });
        // Each gap is a half: sqrt(4 / 4) / (4 / 4).
        assert!((once - 1.0).abs() < 1e-12, "{once}");
        let (p, y) = ([p, p].concat(), [y, y].concat());
        let twice = of_level(&Scored { probability: &p, outcome: &y, account: &[1, 2, 3, 4, 1, 2, 3, 4] });
        assert!((twice - once).abs() < 1e-12, "{twice}");
    }

    /// Two accounts of 3 and 4 whose outcome is even: 5 / 7 of a standard error of 2, on one day or on the same day twice;
    /// on two days that share nothing, less by the root of 2.
    #[test]
    fn large_accounts_decide_what_is_known_of_revenue() {
        let check = |days: &[i32], expected: f64| {
            let n = 2 * days.len();
            let day: Vec<Date> = (0..n).map(|row| Date::from_days(days[row / 2])).collect();
            let revenue: Vec<f64> = (0..n).map(|row| [3.0, 4.0][row % 2]).collect();
            let account: Vec<u32> = (0..n).map(|row| row as u32 % 2).collect();
            let scored = Scored { probability: &vec![0.5; n], outcome: &vec![false; n], account: &account };
            let found = of_revenue(&ScoredOnDays { scored, day: &day, revenue: &revenue }, 90);
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        };
        check(&[0], 10.0 / 7.0);
        check(&[0, 0], 10.0 / 7.0);
        check(&[0, 90], 10.0 / 7.0 / 2.0_f64.sqrt());
    }

    /// Ten days, 100 rows each with p = 0.5, and 70 or 30 events in turn: intercepts of 0.8 and -0.8.
    #[test]
    fn days_differ_beyond_chance() {
        let day = |place: i32| Date::from_days(90 * place);
        let days: Vec<Date> = (0..1_000).map(|row| day(row / 100)).collect();
        let outcome: Vec<bool> = (0..1_000).map(|row| row % 100 < if row / 100 % 2 == 0 { 70 } else { 30 }).collect();
        let account: Vec<u32> = (0..1_000).collect();
        let scored = Scored { probability: &[0.5; 1_000], outcome: &outcome, account: &account };
        let seen = ScoredOnDays { scored, day: &days, revenue: &[1.0; 1_000] };
        let (deviation, freedom) = between_days(&seen, 90);
        let by_hand = (0.64 * 10.0 / 9.0 - 1.0 / 25.0_f64).sqrt();
        assert!((deviation - by_hand).abs() < 1e-12 && freedom == 9.0, "{deviation} {freedom}");
        // With windows of 180 days neighbours share half: 10 days are worth 10 / 1.9.
        let (_, freedom) = between_days(&seen, 180);
        assert!((freedom - (10.0 / 1.9 - 1.0)).abs() < 1e-9, "{freedom}");
    }
}
