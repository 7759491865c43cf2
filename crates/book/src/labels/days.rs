//! The days on which an outcome came, where its rule tells them.

use super::{Labeller, Rule};

impl Labeller<'_> {
    /// The days up to `until` on which the outcome came, rising, each once; none where the rule tells no days. A label
    /// says whether one of them lies within the horizon.
    pub(crate) fn days(&self, account: u32, until: i32) -> Vec<i32> {
        let account = account as usize;
        let mut days = match &self.rule {
            Rule::Event(events) => events.days(account),
            Rule::NoSubscription { rows, grace_days } => {
                let stretches = rows.rows_of(account).map(|row| (rows.day[row], rows.end[row]));
                ends(stretches.filter(|(from, to)| from < to), *grace_days)
            }
            Rule::Silence { activity, days } => {
                // A day of activity stands for itself and the days of silence that are none yet.
                let stretches = activity.days(account).into_iter().map(|day| (day, day + days));
                ends(stretches, 0)
            }
            _ => Vec::new(),
        };
        days.retain(|&day| day <= until);
        days
    }

    /// The last day that can be told of where the data end on `data_end`.
    pub(crate) const fn told_until(&self, data_end: i32) -> i32 {
        data_end - self.settle_days
    }
}

impl super::Events<'_> {
    /// The days of those that count, rising, each once.
    fn days(&self, account: usize) -> Vec<i32> {
        let rows = self.rows.rows_of(account).filter(|&row| self.counts(row));
        let mut days: Vec<i32> = rows.map(|row| self.rows.day[row]).collect();
        days.dedup();
        days
    }
}

/// Where stretches, in order of their first day, end and none goes on within `gap` days.
fn ends(stretches: impl Iterator<Item = (i32, i32)>, gap: i32) -> Vec<i32> {
    let (mut ends, mut covered): (Vec<i32>, Option<i32>) = (Vec::new(), None);
    for (from, to) in stretches {
        covered = Some(match covered {
            Some(end) if from > end.saturating_add(gap) => {
                ends.push(end);
                to
            }
            Some(end) => end.max(to),
            None => to,
        });
    }
    ends.extend(covered);
    ends
}
