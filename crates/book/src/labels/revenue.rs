//! What an account pays on a day, and by how much that changes.

use crate::config::SourceKind;
use crate::source::SourceRows;

use super::{covered_until, days_within};

/// Recurring revenue: the total of the active subscriptions, or the last snapshot's value.
pub(super) struct Revenue<'a> {
    pub(super) rows: &'a SourceRows,
    pub(super) amount: &'a [f64],
}

impl Revenue<'_> {
    /// As of the end of `day`; 0 where nothing is known.
    pub(super) fn at(&self, account: usize, day: i32) -> f64 {
        let rows = self.rows;
        if rows.kind == SourceKind::Snapshot {
            // Of a restated day the last version stands last.
            let mut amounts = days_within(rows, account, i32::MIN, day).rev().map(|row| self.amount[row]);
            return amounts.find(|amount| !amount.is_nan()).unwrap_or(0.0);
        }
        let active = days_within(rows, account, i32::MIN, day).filter(|&row| day < rows.end[row]);
        active.map(|row| self.amount[row]).filter(|amount| !amount.is_nan()).sum()
    }

    /// The days of `(after, until]` on which it may change, in no order.
    pub(super) fn days_of_change(&self, account: usize, after: i32, until: i32) -> impl Iterator<Item = i32> {
        let rows = self.rows;
        let starts = days_within(rows, account, after, until).map(|row| rows.day[row]);
        let ends = rows.rows_of(account).filter_map(|row| rows.end.get(row).copied());
        starts.chain(ends.filter(move |&end| after < end && end <= until))
    }

    /// The first day of `(t, until]` on which the account has churned; a later one where there is none.
    pub(super) fn churn_day(&self, account: usize, t: i32, until: i32, grace_days: i32) -> i32 {
        if self.rows.kind == SourceKind::Snapshot {
            let mut days = self.days_of_change(account, t, until);
            return days.find(|&day| self.at(account, day) <= 0.0).unwrap_or(until + 1);
        }
        covered_until(self.rows, account, t, grace_days)
    }
}

/// A change that counts.
pub(super) struct Threshold {
    by: Option<f64>,
    at_least: Option<f64>,
}

/// 110 is 10 % more than 100 though `100.0 * 1.1` rounds up; a share of the larger amount.
const ROUNDING: f64 = 1e-12;

impl Threshold {
    pub(super) const fn new(by: Option<f64>, at_least: Option<f64>) -> Self {
        Self { by, at_least }
    }

    /// Whether `to` is more than `from` by the share and by the amount.
    pub(super) fn is_risen(&self, from: f64, to: f64) -> bool {
        let rise = to - from + ROUNDING * from.abs().max(to.abs());
        self.by.is_none_or(|by| rise >= from * by) && self.at_least.is_none_or(|least| rise >= least)
    }

    /// Whether `to` is less than `from` by the share and by the amount, and above 0.
    pub(super) fn is_fallen(&self, from: f64, to: f64) -> bool {
        let fall = from - to + ROUNDING * from.abs().max(to.abs());
        to > 0.0 && self.by.is_none_or(|by| fall >= from * by) && self.at_least.is_none_or(|least| fall >= least)
    }
}
