//! The health of accounts day by day, on rows that nothing was learnt from, labelled or not; days without a health score are
//! left out.

use std::collections::BTreeSet;

use bellwether_core::{Band, Date};

use super::Unseen;

/// The most days between scores where a book has one snapshot day alone.
const LONGEST_MONTH: i32 = 31;

/// An account's health on a snapshot day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health {
    pub(super) account: u32,
    pub(super) day: Date,
    /// In the table.
    pub(super) row: usize,
    pub(super) score: f64,
    pub(super) band: Band,
}

/// Health by account, then day.
pub(super) struct Course {
    pub(super) rows: Vec<Health>,
    /// The snapshot days from the first of `rows` on, rising.
    days: Vec<Date>,
    /// The most days from one snapshot to the next.
    pub(super) days_between: u32,
}

impl Course {
    pub(super) fn of(unseen: &Unseen<'_>) -> Self {
        let (table, places) = (unseen.table, places(unseen));
        let assessed = unseen.scorecard.assess(unseen.x, &places);
        let health = |(&row, found): (&usize, &bellwether_core::Assessment)| {
            let band = found.shown_band()?;
            Some(Health { account: table.account[row], day: table.keys[row].as_of, row, score: found.score, band })
        };
        let rows: Vec<Health> = places.iter().zip(&assessed).filter_map(health).collect();
        let mut days = unseen.book.snapshot_days();
        let days_between = days.windows(2).map(|pair| pair[1].days() - pair[0].days()).max().unwrap_or(LONGEST_MONTH);
        let first = rows.iter().map(|row| row.day).min();
        days.retain(|&day| first.is_some_and(|first| day >= first));
        Self { rows, days, days_between: days_between as u32 }
    }

    /// The health that stood at the end of `day`: that of the last snapshot day up to it. `None` where the account was no
    /// customer then, had no score, was learnt from, or the last snapshot is too long past.
    pub(super) fn standing(&self, account: u32, day: Date) -> Option<&Health> {
        let at = self.days.partition_point(|&snapshot| snapshot <= day).checked_sub(1)?;
        let snapshot = self.days[at];
        if day.days() - snapshot.days() > self.days_between as i32 {
            return None;
        }
        let place = self.rows.binary_search_by_key(&(account, snapshot), |row| (row.account, row.day));
        place.ok().map(|place| &self.rows[place])
    }

    /// The account's last health up to `day`.
    pub(super) fn last(&self, account: u32, day: Date) -> Option<&Health> {
        let end = self.rows.partition_point(|row| (row.account, row.day) <= (account, day));
        end.checked_sub(1).map(|place| &self.rows[place]).filter(|row| row.account == account)
    }

    /// The rows of each account.
    pub(super) fn by_account(&self) -> impl Iterator<Item = &[Health]> {
        self.rows.chunk_by(|a, b| a.account == b.account)
    }
}

/// All rows from the first test day on; or, where accounts test, theirs.
fn places(unseen: &Unseen<'_>) -> Vec<usize> {
    let table = unseen.table;
    if let Some(first_day) = unseen.first_day {
        return (0..table.n_rows()).filter(|&row| table.keys[row].as_of >= first_day).collect();
    }
    let tested: BTreeSet<usize> = unseen.test.iter().copied().collect();
    let testing: BTreeSet<u32> = tested.iter().map(|&row| table.account[row]).collect();
    let is_labelled = |row: usize| table.labels.values().any(|labels| labels[row].is_some());
    // By group, an account's rows may lie in several parts.
    let learnt_from: BTreeSet<u32> = (0..table.n_rows())
        .filter(|row| !tested.contains(row) && is_labelled(*row))
        .map(|row| table.account[row])
        .collect();
    let is_unseen = |&row: &usize| {
        let account = table.account[row];
        testing.contains(&account) && !learnt_from.contains(&account)
    };
    (0..table.n_rows()).filter(is_unseen).collect()
}
