//! How much accounts gain or lose, as a distribution of relative changes.

use std::collections::BTreeMap;

use bellwether_core::RelativeChanges;

use super::movement::Fate;
use crate::accounts::Accounts;
use crate::linear::Linear;

/// Training rows that had one outcome, or that were steady; one value each in each column.
#[derive(Debug, Clone, Copy)]
pub struct PastMoves<'a> {
    /// Recurring revenue on the row's day, above 0.
    pub before: &'a [f64],
    /// At the end of the horizon; NaN where unknown, then nothing changed.
    pub after: &'a [f64],
    /// What became of the account.
    pub fate: &'a [Fate],
    /// The account of each row, any numbering.
    pub account: &'a [u32],
    /// The level of the segment that has changes of its own.
    pub level: &'a [Option<&'a str>],
}

/// Accounts, by the weight of their revenue, at which a level is drawn half-way towards all.
const SHRINKAGE: f64 = 20.0;
/// A level of fewer accounts has no changes of its own: no account's figures stand in a bundle as its level's.
const MIN_LEVEL_ACCOUNTS: usize = 10;

/// The relative changes of the rows with this fate, weighted by revenue, so that sums of revenue come out right;
/// `None` where there is none.
///
/// # Panics
/// If lengths differ.
pub fn relative_changes(past: &PastMoves<'_>, fate: Fate) -> Option<RelativeChanges> {
    let rows: Vec<usize> = (0..past.before.len()).filter(|&row| past.fate[row] == fate).collect();
    let revenue = |rows: &mut dyn Iterator<Item = usize>| -> f64 { rows.map(|row| past.before[row]).sum() };
    let (of_fate, total) = (revenue(&mut rows.iter().copied()), revenue(&mut (0..past.before.len())));
    if of_fate <= 0.0 {
        return None;
    }
    let all = slices(past, &rows);
    let mut by_level: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &row in &rows {
        if let Some(level) = past.level[row] {
            by_level.entry(level).or_default().push(row);
        }
    }
    let own = |(level, rows): (&str, Vec<usize>)| {
        let seen = Seen::of(past, &rows);
        let share = seen.n_effective / (seen.n_effective + SHRINKAGE);
        let towards = |(own, all): (f64, &f64)| share * own + (1.0 - share) * all;
        let changes = slices(past, &rows).into_iter().zip(&all).map(towards).collect();
        (seen.n_accounts >= MIN_LEVEL_ACCOUNTS).then(|| (level.to_owned(), changes))
    };
    let seen = Seen::of(past, &rows);
    Some(RelativeChanges {
        kept: of_fate / total,
        n_accounts: seen.n_accounts,
        deviation: seen.deviation,
        by_level: by_level.into_iter().filter_map(own).collect(),
        all,
    })
}

fn change(past: &PastMoves<'_>, row: usize) -> f64 {
    if past.after[row].is_nan() { 0.0 } else { (past.after[row] / past.before[row] - 1.0).max(-1.0) }
}

/// Means of slices of equal weight.
fn slices(past: &PastMoves<'_>, rows: &[usize]) -> Vec<f64> {
    let mut sorted: Vec<(f64, f64)> = rows.iter().map(|&row| (change(past, row), past.before[row])).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = sorted.iter().map(|of| of.1).sum();
    let width = total / RelativeChanges::POINTS as f64;
    let mut left = sorted.iter().copied();
    let (mut at, mut rest) = left.next().unwrap_or((0.0, 0.0));
    let slice = |_| {
        let (mut missing, mut sum) = (width, 0.0);
        while missing > 0.0 {
            let taken = missing.min(rest);
            sum += taken * at;
            (missing, rest) = (missing - taken, rest - taken);
            if rest <= 0.0 {
                // Rounding may leave the last slice a hair short.
                let Some(next) = left.next() else { break };
                (at, rest) = next;
            }
        }
        if missing < width { sum / (width - missing) } else { at }
    };
    let mut slices: Vec<f64> = (0..RelativeChanges::POINTS).map(slice).collect();
    // Rounding must not turn the order of equal slices.
    let mut least = -1.0_f64;
    for slice in &mut slices {
        least = slice.max(least);
        *slice = least;
    }
    slices
}

/// What rows say as evidence.
struct Seen {
    n_accounts: usize,
    /// Accounts of equal revenue that would say as much (Kish 1965).
    n_effective: f64,
    /// Of the mean change.
    deviation: f64,
}

impl Seen {
    fn of(past: &PastMoves<'_>, rows: &[usize]) -> Self {
        let account: Vec<u32> = rows.iter().map(|&row| past.account[row]).collect();
        let accounts = Accounts::new(&account);
        let weight = accounts.sums(|at| past.before[rows[at]]);
        let changed = accounts.sums(|at| past.before[rows[at]] * change(past, rows[at]));
        let (sum, squares): (f64, f64) = weight.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        let mean = Linear::ratio(&changed, &weight);
        Self {
            n_accounts: weight.len(),
            n_effective: if squares > 0.0 { sum * sum / squares } else { 0.0 },
            deviation: mean.and_then(|mean| mean.deviation()).unwrap_or(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past<'a>(
        before: &'a [f64],
        after: &'a [f64],
        fate: &'a [Fate],
        account: &'a [u32],
        level: &'a [Option<&'a str>],
    ) -> PastMoves<'a> {
        PastMoves { before, after, fate, account, level }
    }

    #[test]
    fn revenue_weighs_the_changes() {
        let (before, after) = ([100.0, 300.0, 600.0], [150.0, 330.0, 0.0]);
        let fate = [Fate::Expanded, Fate::Expanded, Fate::Churned];
        let found = relative_changes(&past(&before, &after, &fate, &[1, 2, 3], &[None; 3]), Fate::Expanded);
        let found = found.expect("two expanded");
        // A quarter of the revenue gained a half, three quarters a tenth; 600 of 1,000 churned as well.
        assert!((found.kept - 0.4).abs() < 1e-12 && found.n_accounts == 2);
        assert!(found.all[..75].iter().all(|change| (change - 0.1).abs() < 1e-12), "{:?}", found.all);
        assert!(found.all[75..].iter().all(|change| (change - 0.5).abs() < 1e-12), "{:?}", found.all);
        assert!(relative_changes(&past(&before, &after, &fate, &[1, 2, 3], &[None; 3]), Fate::Steady).is_none());
    }

    #[test]
    fn few_accounts_are_drawn_towards_all() {
        // 20 accounts of a level that gain nothing, 20 of another that gain a fifth, all of equal revenue.
        let before = [10.0; 40];
        let after: Vec<f64> = (0..40).map(|row| if row < 20 { 10.0 } else { 12.0 }).collect();
        let account: Vec<u32> = (0..40).collect();
        let level: Vec<Option<&str>> = (0..40).map(|row| Some(if row < 20 { "a" } else { "b" })).collect();
        let found = relative_changes(&past(&before, &after, &[Fate::Steady; 40], &account, &level), Fate::Steady);
        let found = found.expect("all are steady");
        let mean = |slices: &[f64]| slices.iter().sum::<f64>() / slices.len() as f64;
        assert!((mean(&found.all) - 0.1).abs() < 1e-12);
        assert!((mean(found.of_level(Some("a"))) - 0.05).abs() < 1e-12, "half-way at 20 accounts");
        assert!((mean(found.of_level(Some("b"))) - 0.15).abs() < 1e-12);
        assert_eq!(found.of_level(Some("c")), found.of_level(None));
    }

    #[test]
    fn a_missing_revenue_is_no_change() {
        let found = relative_changes(&past(&[5.0], &[f64::NAN], &[Fate::Steady], &[1], &[None]), Fate::Steady);
        assert_eq!(found.expect("one row").all, vec![0.0; 100]);
    }
}
