//! Who is a customer on a day, and what happens to them within the horizon.
//!
//! A label looks forward by definition; it is known only where the whole horizon lies within the data.

mod days;
mod life;
mod revenue;

use std::collections::BTreeMap;
use std::ops::Range;

use bellwether_core::Date;

use crate::config::{BookFile, TargetRule};
use crate::features::mask;
use crate::source::SourceRows;

pub(crate) use life::Life;
use revenue::{Revenue, Threshold};

/// A target's rule with its source at hand.
pub(crate) struct Labeller<'a> {
    rule: Rule<'a>,
    /// Days after the horizon that must lie within the data too.
    settle_days: i32,
}

enum Rule<'a> {
    Event(Events<'a>),
    NoSubscription { rows: &'a SourceRows, grace_days: i32 },
    Silence { activity: Events<'a>, days: i32 },
    SilentHorizon(Events<'a>),
    RevenueUp { revenue: Revenue<'a>, threshold: Threshold },
    RevenueDown { revenue: Revenue<'a>, threshold: Threshold, grace_days: i32 },
    SpendUp { rows: &'a SourceRows, amount: &'a [f64], threshold: Threshold },
    SpendDown { rows: &'a SourceRows, amount: &'a [f64], threshold: Threshold },
    Column { rows: &'a SourceRows, codes: &'a [u32], positive: Vec<bool> },
}

impl<'a> Labeller<'a> {
    pub(crate) fn new(file: &BookFile, rule: &TargetRule, sources: &'a BTreeMap<String, SourceRows>) -> Self {
        let settle_days = rule.settle_days() as i32;
        let revenue = |source: &str, column: &str| {
            let rows = &sources[source];
            Revenue { rows, amount: &rows.numbers[column] }
        };
        let rule = match rule {
            TargetRule::Event { source, filter } => Rule::Event(Events::new(&sources[source], filter)),
            TargetRule::NoSubscription { source, grace_days } => {
                Rule::NoSubscription { rows: &sources[source], grace_days: *grace_days as i32 }
            }
            TargetRule::NoActivity { source, filter, days } => {
                let activity = Events::new(&sources[source], filter);
                match days {
                    Some(days) => Rule::Silence { activity, days: *days as i32 },
                    None => Rule::SilentHorizon(activity),
                }
            }
            TargetRule::RecurringRevenueUp { source, column, by, at_least } => {
                Rule::RevenueUp { revenue: revenue(source, column), threshold: Threshold::new(*by, *at_least) }
            }
            TargetRule::RecurringRevenueDown { source, column, by, at_least } => Rule::RevenueDown {
                revenue: revenue(source, column),
                threshold: Threshold::new(*by, *at_least),
                grace_days: grace_days(file, source),
            },
            TargetRule::SpendUp { source, column, by, at_least } => {
                let Revenue { rows, amount } = revenue(source, column);
                Rule::SpendUp { rows, amount, threshold: Threshold::new(*by, *at_least) }
            }
            TargetRule::SpendDown { source, column, by, at_least } => {
                let Revenue { rows, amount } = revenue(source, column);
                Rule::SpendDown { rows, amount, threshold: Threshold::new(*by, *at_least) }
            }
            TargetRule::Column { source, column, positive } => {
                let rows = &sources[source];
                let texts = &rows.texts[column];
                let positive = texts.levels.iter().map(|level| positive.contains(level)).collect();
                Rule::Column { rows, codes: &texts.codes, positive }
            }
        };
        Self { rule, settle_days }
    }

    /// Whether the outcome falls into `(t, t + horizon]`; `None` where the data can't tell yet.
    pub(crate) fn label(&self, account: u32, t: Date, horizon_days: u32, data_end: Date) -> Option<bool> {
        let account = account as usize;
        if let Rule::Column { rows, codes, positive } = &self.rule {
            let row = rows.rows_of(account).next()?;
            return positive.get(codes[row] as usize).copied();
        }
        let (t, until) = (t.days(), t.days() + horizon_days as i32);
        (until + self.settle_days <= data_end.days()).then(|| self.happens(account, t, until))
    }

    /// The days after `t` until the outcome, where it comes within the horizon and the data can tell; of rules that are
    /// nested ([`TargetRule::is_nested`]).
    pub(crate) fn days_to(&self, account: u32, t: Date, horizon_days: u32, data_end: Date) -> Option<u32> {
        let (account, t) = (account as usize, t.days());
        let known_days = data_end.days() - self.settle_days - t;
        let longest = known_days.min(horizon_days as i32);
        if longest < 1 || !self.happens(account, t, t + longest) {
            return None;
        }
        // It has come within `longest` days and not within `shortest`.
        let (mut shortest, mut longest) = (0, longest);
        while longest - shortest > 1 {
            let middle = i32::midpoint(shortest, longest);
            if self.happens(account, t, t + middle) { longest = middle } else { shortest = middle }
        }
        Some(longest as u32)
    }

    fn happens(&self, account: usize, t: i32, until: i32) -> bool {
        match &self.rule {
            Rule::Event(events) => events.any_within(account, t, until),
            Rule::NoSubscription { rows, grace_days } => covered_until(rows, account, t, *grace_days) <= until,
            Rule::Silence { activity, days } => activity.silent_from(account, t, until, *days) <= until,
            Rule::SilentHorizon(activity) => !activity.any_within(account, t, until),
            Rule::RevenueUp { revenue, threshold } => {
                let now = revenue.at(account, t);
                let mut days = revenue.days_of_change(account, t, until);
                now > 0.0 && days.any(|day| threshold.is_risen(now, revenue.at(account, day)))
            }
            Rule::RevenueDown { revenue, threshold, grace_days } => {
                let now = revenue.at(account, t);
                let churn_day = revenue.churn_day(account, t, until, *grace_days);
                let mut days = revenue.days_of_change(account, t, until.min(churn_day - 1));
                now > 0.0 && days.any(|day| threshold.is_fallen(now, revenue.at(account, day)))
            }
            Rule::SpendUp { rows, amount, threshold } => {
                let (before, after) = spent_around(rows, amount, account, t, until);
                after > 0.0 && threshold.is_risen(before, after)
            }
            Rule::SpendDown { rows, amount, threshold } => {
                let (before, after) = spent_around(rows, amount, account, t, until);
                threshold.is_fallen(before, after)
            }
            Rule::Column { .. } => unreachable!("a column has no days"),
        }
    }
}

/// The gap that a churn rule of the same source passes over.
fn grace_days(file: &BookFile, of_source: &str) -> i32 {
    match file.config.targets.churn.as_ref().map(toml::Spanned::get_ref) {
        Some(TargetRule::NoSubscription { source, grace_days }) if source == of_source => *grace_days as i32,
        _ => 0,
    }
}

/// The sums of `amount` over `(t - h, t]` and `(t, t + h]`.
fn spent_around(rows: &SourceRows, amount: &[f64], account: usize, t: i32, until: i32) -> (f64, f64) {
    let spent = |after: i32, until: i32| -> f64 {
        let amounts = days_within(rows, account, after, until).map(|row| amount[row]);
        amounts.filter(|amount| !amount.is_nan()).sum()
    };
    (spent(2 * t - until, t), spent(t, until))
}

/// Rows of an event source that count.
struct Events<'a> {
    rows: &'a SourceRows,
    /// Empty where every row counts.
    meets: Vec<bool>,
}

impl<'a> Events<'a> {
    fn new(rows: &'a SourceRows, filter: &[crate::config::Condition]) -> Self {
        Self { rows, meets: mask(rows, filter) }
    }

    fn counts(&self, row: usize) -> bool {
        self.meets.get(row).copied().unwrap_or(true)
    }

    /// The day of the first one.
    fn first(&self, account: usize) -> Option<i32> {
        self.rows.rows_of(account).find(|&row| self.counts(row)).map(|row| self.rows.day[row])
    }

    /// Whether `account` has one with day in `(after, until]`.
    fn any_within(&self, account: usize, after: i32, until: i32) -> bool {
        days_within(self.rows, account, after, until).any(|row| self.counts(row))
    }

    /// The first day after `t` that ends `days` days of silence, told from the rows up to `until`; `t` where they had
    /// ended by then.
    fn silent_from(&self, account: usize, t: i32, until: i32, days: i32) -> i32 {
        let mut end = t;
        for row in days_within(self.rows, account, t - days, until).filter(|&row| self.counts(row)) {
            // A row on the very day breaks the silence: that day is none without activity.
            if self.rows.day[row] <= end {
                end = end.max(self.rows.day[row] + days);
            }
        }
        end
    }
}

/// Rows of `account` with day in `(after, until]`.
fn days_within(rows: &SourceRows, account: usize, after: i32, until: i32) -> Range<usize> {
    let of_account = rows.rows_of(account);
    let days = &rows.day[of_account.clone()];
    let from = days.partition_point(|&day| day <= after);
    let to = days.partition_point(|&day| day <= until);
    of_account.start + from..of_account.start + to.max(from)
}

/// The first day from `t` on without an active subscription, gaps of up to `grace_days` passed over.
fn covered_until(rows: &SourceRows, account: usize, t: i32, grace_days: i32) -> i32 {
    let mut covered = t;
    // Rows stand in order of their first day, so one walk joins them. One that ends as it begins joins nothing.
    for row in rows.rows_of(account).filter(|&row| rows.day[row] < rows.end[row]) {
        if rows.day[row] <= covered.saturating_add(grace_days) {
            covered = covered.max(rows.end[row]);
        }
    }
    covered
}
