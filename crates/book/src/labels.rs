//! Who is a customer on a day, and what happens to them within the horizon.
//!
//! A label looks forward by definition; it is known only where the whole horizon lies within the data.

use std::collections::BTreeMap;

use bellwether_core::{Date, RowStatus};

use crate::config::{Active, BookFile, Condition, TargetRule};
use crate::features::mask;
use crate::source::SourceRows;

/// A target's rule with its source at hand.
pub(crate) enum Labeller<'a> {
    Event { rows: &'a SourceRows, meets: Vec<bool> },
    NoSubscription { rows: &'a SourceRows, grace_days: i32 },
    NoActivity { rows: &'a SourceRows },
    RecurringRevenueUp { rows: &'a SourceRows, amount: &'a [f64], by: f64 },
    SpendUp { rows: &'a SourceRows, amount: &'a [f64], by: f64 },
    Column { rows: &'a SourceRows, codes: &'a [u32], positive: Vec<bool> },
}

impl<'a> Labeller<'a> {
    pub(crate) fn new(rule: &TargetRule, sources: &'a BTreeMap<String, SourceRows>) -> Self {
        match rule {
            TargetRule::Event { source, filter } => Self::event(&sources[source], filter),
            TargetRule::NoSubscription { source, grace_days } => {
                Self::NoSubscription { rows: &sources[source], grace_days: *grace_days as i32 }
            }
            TargetRule::NoActivity { source } => Self::NoActivity { rows: &sources[source] },
            TargetRule::RecurringRevenueUp { source, column, by } => {
                let rows = &sources[source];
                Self::RecurringRevenueUp { rows, amount: &rows.numbers[column], by: *by }
            }
            TargetRule::SpendUp { source, column, by } => {
                let rows = &sources[source];
                Self::SpendUp { rows, amount: &rows.numbers[column], by: *by }
            }
            TargetRule::Column { source, column, positive } => {
                let rows = &sources[source];
                let texts = &rows.texts[column];
                let positive = texts.levels.iter().map(|level| positive.contains(level)).collect();
                Self::Column { rows, codes: &texts.codes, positive }
            }
        }
    }

    fn event(rows: &'a SourceRows, filter: &[Condition]) -> Self {
        Self::Event { rows, meets: mask(rows, filter) }
    }

    /// Days after the horizon that must lie within the data too.
    const fn settle_days(&self) -> i32 {
        match self {
            Self::NoSubscription { grace_days, .. } => *grace_days,
            _ => 0,
        }
    }

    /// Whether the outcome falls into `(t, t + horizon]`; `None` where the data can't tell yet.
    pub(crate) fn label(&self, account: u32, t: Date, horizon_days: u32, data_end: Date) -> Option<bool> {
        let account = account as usize;
        if let Self::Column { rows, codes, positive } = self {
            let row = rows.rows_of(account).next()?;
            return positive.get(codes[row] as usize).copied();
        }
        let (t, until) = (t.days(), t.days() + horizon_days as i32);
        (until + self.settle_days() <= data_end.days()).then(|| match self {
            Self::Event { rows, meets } => {
                days_within(rows, account, t, until).any(|row| meets.get(row).copied().unwrap_or(true))
            }
            Self::NoSubscription { rows, grace_days } => covered_until(rows, account, t, *grace_days) <= until,
            Self::NoActivity { rows } => days_within(rows, account, t, until).next().is_none(),
            Self::RecurringRevenueUp { rows, amount, by } => {
                let at = |day: i32| -> f64 {
                    rows.rows_of(account)
                        .filter(|&row| rows.day[row] <= day && day < rows.end[row])
                        .map(|row| amount[row])
                        .filter(|amount| !amount.is_nan())
                        .sum()
                };
                let now = at(t);
                let best = days_within(rows, account, t, until).map(|row| at(rows.day[row])).fold(now, f64::max);
                now > 0.0 && best >= threshold(now, *by)
            }
            Self::SpendUp { rows, amount, by } => {
                let spent = |after: i32, until: i32| -> f64 {
                    let amounts = days_within(rows, account, after, until).map(|row| amount[row]);
                    amounts.filter(|amount| !amount.is_nan()).sum()
                };
                let after = spent(t, until);
                after > 0.0 && after >= threshold(spent(2 * t - until, t), *by)
            }
            Self::Column { .. } => unreachable!("answered above"),
        })
    }
}

/// `amount` risen by the share `by`; 110 is 10 % more than 100 though `100.0 * 1.1` rounds up.
fn threshold(amount: f64, by: f64) -> f64 {
    amount * (1.0 + by) * (1.0 - 1e-12)
}

/// Rows of `account` with day in `(after, until]`.
fn days_within(rows: &SourceRows, account: usize, after: i32, until: i32) -> std::ops::Range<usize> {
    let of_account = rows.rows_of(account);
    let days = &rows.day[of_account.clone()];
    let from = days.partition_point(|&day| day <= after);
    let to = days.partition_point(|&day| day <= until);
    of_account.start + from..of_account.start + to.max(from)
}

/// The first day from `t` on without an active subscription, gaps of up to `grace_days` passed over.
fn covered_until(rows: &SourceRows, account: usize, t: i32, grace_days: i32) -> i32 {
    let mut covered = t;
    // Rows stand in order of their first day, so one walk joins them.
    for row in rows.rows_of(account) {
        if rows.day[row] <= covered.saturating_add(grace_days) {
            covered = covered.max(rows.end[row]);
        }
    }
    covered
}

/// When an account is a customer.
pub(crate) struct Life<'a> {
    listed: &'a SourceRows,
    rule: LifeRule<'a>,
}

enum LifeRule<'a> {
    Always,
    UntilEvent { rows: &'a SourceRows, meets: Vec<bool> },
    Subscription(&'a SourceRows),
    Activity { rows: &'a SourceRows, within_days: i32 },
}

const ACTIVE_DAYS: u32 = 180;

impl<'a> Life<'a> {
    pub(crate) fn new(file: &BookFile, sources: &'a BTreeMap<String, SourceRows>) -> Self {
        let accounts = &file.config.accounts;
        let listed = &sources[accounts.from.get_ref().as_str()];
        let churn = file.config.targets.churn.as_ref().map(toml::Spanned::get_ref);
        let rule = match (&accounts.active, churn) {
            (Some(Active::Subscription { source }), _) | (None, Some(TargetRule::NoSubscription { source, .. })) => {
                LifeRule::Subscription(&sources[source])
            }
            (Some(Active::Activity { source, within_days }), _) => {
                LifeRule::Activity { rows: &sources[source], within_days: *within_days as i32 }
            }
            (None, Some(TargetRule::NoActivity { source })) => {
                LifeRule::Activity { rows: &sources[source], within_days: ACTIVE_DAYS as i32 }
            }
            (None, Some(TargetRule::Event { source, filter })) => {
                LifeRule::UntilEvent { rows: &sources[source], meets: mask(&sources[source], filter) }
            }
            (None, _) => LifeRule::Always,
        };
        Self { listed, rule }
    }

    /// First day of an account as known at the end of day `t`; `i32::MIN` where the accounts' source has no dates,
    /// `i32::MAX` where the account is not known yet, or does not start by `t`.
    pub(crate) fn start(&self, account: u32, t: Date) -> i32 {
        let is_known = |row: &usize| self.listed.known.get(*row).is_none_or(|&known| known <= t.days());
        let first = self.listed.rows_of(account as usize).find(is_known).map(|row| self.listed.day[row]);
        first.filter(|&day| day <= t.days()).unwrap_or(i32::MAX)
    }

    /// `Scored` where the account is a customer at the end of day `t`, else why not.
    pub(crate) fn status(&self, account: u32, t: Date) -> RowStatus {
        if self.start(account, t) == i32::MAX {
            return RowStatus::NotStarted;
        }
        let (account, t) = (account as usize, t.days());
        let gone = |was_here: bool| if was_here { RowStatus::Churned } else { RowStatus::NotStarted };
        match &self.rule {
            LifeRule::Always => RowStatus::Scored,
            LifeRule::UntilEvent { rows, meets } => {
                let left = days_within(rows, account, i32::MIN, t).any(|row| meets.get(row).copied().unwrap_or(true));
                if left { RowStatus::Churned } else { RowStatus::Scored }
            }
            LifeRule::Subscription(rows) => {
                let begun = days_within(rows, account, i32::MIN, t);
                let active = begun.clone().any(|row| t < rows.end[row]);
                if active { RowStatus::Scored } else { gone(!begun.is_empty()) }
            }
            LifeRule::Activity { rows, within_days } => {
                let seen = days_within(rows, account, t - within_days, t);
                let active = !seen.is_empty();
                if active { RowStatus::Scored } else { gone(!days_within(rows, account, i32::MIN, t).is_empty()) }
            }
        }
    }
}
