//! Rows held out of a fit to choose its settings: later days, or other accounts where there is no time.

use crate::rows::Table;

/// Rows to fit on and rows to check the fit on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fold {
    pub(crate) fit: Vec<usize>,
    pub(crate) check: Vec<usize>,
}

/// A choice made on fewer rows of a class than this is noise.
const LEAST_ROWS_OF_A_CLASS: usize = 10;

/// The share of days, and of accounts where not said otherwise, that is held out.
const ONE_IN: u64 = 5;

/// The folds of `table`: its last fifth of days where it has time, and accounts by hash; empty where too few rows are
/// left of a class. A row is checked at most once as later and once as another account's.
///
/// Later days show what will change, but in a small table they have few events and leave few days to fit on, so that a
/// choice on them alone is mostly luck; a large one is checked on later days only.
pub(crate) fn folds(table: &Table, purge_days: u32) -> Vec<Fold> {
    let usable = |fold: &Fold| has_both_classes(table, &fold.fit) && has_both_classes(table, &fold.check);
    let later = later_days(table, purge_days).filter(|fold| usable(fold));
    let by_account = match (&later, table.n_rows()) {
        (Some(_), 0..=30_000) => other_accounts(table, 3, 3),
        (Some(_), 30_001..=100_000) => other_accounts(table, 1, ONE_IN),
        (Some(_), _) => Vec::new(),
        (None, 0..=12_000) => other_accounts(table, ONE_IN, ONE_IN),
        (None, 12_001..=30_000) => other_accounts(table, 2, ONE_IN),
        (None, _) => other_accounts(table, 1, ONE_IN),
    };
    let by_account = if by_account.iter().all(usable) { by_account } else { Vec::new() };
    later.into_iter().chain(by_account).collect()
}

fn has_both_classes(table: &Table, rows: &[usize]) -> bool {
    let n_positive = rows.iter().filter(|&&row| table.y[row]).count();
    n_positive >= LEAST_ROWS_OF_A_CLASS && rows.len() - n_positive >= LEAST_ROWS_OF_A_CLASS
}

/// The last fifth of the days against the days before the purge gap; the gap leaves at least half of the earlier days.
fn later_days(table: &Table, purge_days: u32) -> Option<Fold> {
    let mut days = table.day.clone();
    days.sort_unstable();
    days.dedup();
    let n_early = days.len() - days.len().div_ceil(ONE_IN as usize);
    if n_early == 0 {
        return None;
    }
    let first_checked = days[n_early];
    let first_left_out = first_checked.saturating_sub_unsigned(purge_days).max(days[n_early.div_ceil(2)]);
    let rows = 0..table.n_rows();
    Some(Fold {
        fit: rows.clone().filter(|&row| table.day[row] < first_left_out.min(first_checked)).collect(),
        check: rows.filter(|&row| table.day[row] >= first_checked).collect(),
    })
}

/// Of `n_parts` parts of the accounts, each of the first `n_folds` against the others.
fn other_accounts(table: &Table, n_folds: u64, n_parts: u64) -> Vec<Fold> {
    let fold = |part: u64| {
        let (check, fit) = (0..table.n_rows()).partition(|&row| mixed(table.group[row]) % n_parts == part);
        Fold { fit, check }
    };
    (0..n_folds).map(fold).collect()
}

/// Spreads `group` over all bits, so that a remainder does not follow how groups are numbered. Source: `SplitMix64`,
/// Steele et al. (2014).
pub(crate) const fn mixed(group: u64) -> u64 {
    let z = group.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(days: impl Iterator<Item = i32>) -> Table {
        let day: Vec<i32> = days.collect();
        Table {
            columns: vec![vec![0.0; day.len()]],
            y: (0..day.len()).map(|row| row % 2 == 0).collect(),
            weights: None,
            group: (0..day.len() as u64).collect(),
            day,
        }
    }

    #[test]
    fn the_last_fifth_of_days_is_checked_after_a_gap_beside_other_accounts() {
        let table = table((0..1000).map(|row| row / 100 * 30));
        let folds = folds(&table, 90);
        assert_eq!(folds.len(), 4);
        let last_fit = folds[0].fit.iter().map(|&row| table.day[row]).max();
        let first_checked = folds[0].check.iter().map(|&row| table.day[row]).min();
        assert_eq!((last_fit, first_checked), (Some(120), Some(240)));
    }

    #[test]
    fn the_gap_leaves_half_of_the_earlier_days() {
        let table = table((0..1000).map(|row| row / 100));
        let last_fit = folds(&table, 90)[0].fit.iter().map(|&row| table.day[row]).max();
        assert_eq!(last_fit, Some(3));
    }

    #[test]
    fn without_time_every_row_is_checked_once_and_never_fitted_beside() {
        let table = table((0..1000).map(|_| 7));
        let folds = folds(&table, 90);
        let mut checked: Vec<usize> = folds.iter().flat_map(|fold| fold.check.clone()).collect();
        checked.sort_unstable();
        assert_eq!(checked, (0..1000).collect::<Vec<_>>());
        assert!(folds.iter().all(|fold| fold.fit.iter().all(|row| !fold.check.contains(row))));
    }

    #[test]
    fn too_few_rows_give_no_fold() {
        assert_eq!(folds(&table((0..30).map(|_| 7)), 90), []);
    }
}
