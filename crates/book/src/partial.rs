//! What the first test day knows of labels whose horizon ends after it.

use std::collections::BTreeMap;

use bellwether_core::{Date, Target};

use crate::config::BookFile;
use crate::{Book, FeatureTable, Split, SplitPlan};

/// Labels as they are known on the first test day; all have one entry a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartialLabels {
    /// Row numbers, rising.
    pub rows: Vec<usize>,
    /// Whether the outcome has come so far.
    pub y: Vec<bool>,
    /// Of outcomes within the horizon, the share that comes in so much of it, in `(0, 1]`; 1 where the label is whole.
    pub share: Vec<f64>,
}

/// A row is of use where at least one day in so many of its horizon is known.
const ONE_DAY_IN: i32 = 4;

impl Book {
    /// What the first test day of `split` knows of the rows before it that are in no part. No row where the split is not by
    /// time, or where an outcome within some days need not be one within more. Nothing of what happens after that day
    /// reaches it, nor what happens within the days of purge beyond those that labels reach.
    ///
    /// A share is that of earlier rows, seen up to as many snapshots later: calendars that favour some days of a month do not
    /// bias it. It counts outcomes of days before which each snapshot of a horizon has rows with whole labels, and each
    /// snapshot's rows count alike: neither a drift of the rate nor growth biases it. Rows without a share are left out.
    pub fn partial_labels(&self, table: &FeatureTable, split: &Split, target: Target) -> PartialLabels {
        let mut labels = PartialLabels::default();
        let (Some(days_to), Some(seen)) = (table.days_to.get(&target), Seen::of(self.file(), table, split, target))
        else {
            return labels;
        };
        let shares = seen.shares(table, days_to);
        for &row in &split.before_test {
            let n_days = seen.days(table.keys[row].as_of);
            let share = shares.get(&table.keys[row].as_of).copied().filter(|&share| share > 0.0);
            if let Some(share) = share.filter(|_| ONE_DAY_IN * n_days >= seen.horizon_days) {
                labels.rows.push(row);
                labels.y.push(days_to[row].is_some_and(|days| days as i32 <= n_days));
                labels.share.push(share);
            }
        }
        labels
    }
}

/// Up to where outcomes are known.
struct Seen {
    horizon_days: i32,
    /// With rows, rising; the last one is the first test day, or the last before it where that is none.
    snapshots: Vec<Date>,
    /// The last one whose rows are in a part.
    last: Date,
    /// Days that must have passed after an outcome.
    delay_days: i32,
}

impl Seen {
    fn of(file: &BookFile, table: &FeatureTable, split: &Split, target: Target) -> Option<Self> {
        let SplitPlan::Time { calibration, test, purge_days, .. } = split.plan else { return None };
        let of_target = |(outcome, _): &(_, _)| *outcome == target.outcome;
        let (_, rule) = file.outcomes().into_iter().find(of_target)?;
        let mut snapshots: Vec<Date> = table.keys.iter().map(|key| key.as_of).filter(|&day| day <= test.0).collect();
        snapshots.sort_unstable();
        snapshots.dedup();
        Some(Self {
            horizon_days: target.horizon_days as i32,
            snapshots,
            last: calibration.1,
            delay_days: (purge_days - file.reach_days() + rule.get_ref().settle_days()) as i32,
        })
    }

    /// How many days after `t` are known, of the horizon at most.
    fn days(&self, t: Date) -> i32 {
        let last = self.snapshots.last().expect("calibration days are among them");
        (last.days() - self.delay_days - t.days()).min(self.horizon_days)
    }

    /// By day after the parts before the test: the share of outcomes that is known as many snapshots later as the last one is.
    fn shares(&self, table: &FeatureTable, days_to: &[Option<u32>]) -> BTreeMap<Date, f64> {
        let n_snapshots = self.snapshots.len();
        let mut n_rows = vec![0.0; n_snapshots];
        let place = |row: usize| self.snapshots.binary_search(&table.keys[row].as_of).ok();
        (0..table.n_rows()).filter_map(place).for_each(|at| n_rows[at] += 1.0);
        let first = self.snapshots[0].plus_days(self.horizon_days);
        // By snapshots until an outcome is known.
        let (mut known_after, mut all) = (vec![0.0; n_snapshots], 0.0);
        for (row, at) in (0..table.n_rows()).filter_map(|row| Some((row, place(row)?))) {
            let Some(days) = days_to[row] else { continue };
            let outcome = self.snapshots[at].plus_days(days as i32);
            if outcome > first && outcome <= self.last {
                let known = outcome.plus_days(self.delay_days);
                let after = self.snapshots.partition_point(|&day| day < known) - at;
                known_after[after.min(n_snapshots - 1)] += 1.0 / n_rows[at];
                all += 1.0 / n_rows[at];
            }
        }
        let share = |(at, &day): (usize, &Date)| {
            let is_whole = self.days(day) >= self.horizon_days;
            let known: f64 = known_after[..n_snapshots - at].iter().sum();
            let share = if is_whole { 1.0 } else { (known / all).min(1.0) };
            (day > self.last && share.is_finite()).then_some((day, share))
        };
        self.snapshots.iter().enumerate().filter_map(share).collect()
    }
}
