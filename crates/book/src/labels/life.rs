//! When an account is a customer.

use std::collections::BTreeMap;

use bellwether_core::{Date, RowStatus};

use crate::config::{Active, BookFile, TargetRule};
use crate::source::SourceRows;

use super::{Events, days_within};

/// When an account is a customer.
pub(crate) struct Life<'a> {
    listed: &'a SourceRows,
    /// A customer meets all; none is met by everyone.
    rules: Vec<LifeRule<'a>>,
}

enum LifeRule<'a> {
    UntilEvent(Events<'a>),
    Subscription(&'a SourceRows),
    Activity { activity: Events<'a>, within_days: i32 },
}

/// Where only silence throughout a horizon tells a churn, and the book does not say who is active.
const ACTIVE_DAYS: i32 = 180;

impl<'a> Life<'a> {
    pub(crate) fn new(file: &BookFile, sources: &'a BTreeMap<String, SourceRows>) -> Self {
        let accounts = &file.config.accounts;
        let listed = &sources[accounts.from.get_ref().as_str()];
        let churn = file.config.targets.churn.as_ref().map(toml::Spanned::get_ref);
        let said = accounts.active.as_ref().map(|active| match active {
            Active::Subscription { source } => LifeRule::Subscription(&sources[source]),
            Active::Activity { source, within_days } => {
                LifeRule::Activity { activity: Events::new(&sources[source], &[]), within_days: *within_days as i32 }
            }
        });
        let is_said = said.is_some();
        let of_churn = churn.and_then(|churn| match churn {
            // Who has been silent for so long has churned, even where a contract runs on.
            TargetRule::NoActivity { source, filter, days } if days.is_some() || !is_said => Some(LifeRule::Activity {
                activity: Events::new(&sources[source], filter),
                within_days: days.map_or(ACTIVE_DAYS, |days| days as i32),
            }),
            TargetRule::NoSubscription { source, .. } if !is_said => Some(LifeRule::Subscription(&sources[source])),
            TargetRule::Event { source, filter } if !is_said => {
                Some(LifeRule::UntilEvent(Events::new(&sources[source], filter)))
            }
            _ => None,
        });
        Self { listed, rules: said.into_iter().chain(of_churn).collect() }
    }

    /// First day of an account as known at the end of day `t`; `i32::MIN` where the accounts' source has no dates,
    /// `i32::MAX` where the account is not known yet, or does not start by `t`.
    pub(crate) fn start(&self, account: u32, t: Date) -> i32 {
        let is_known = |row: &usize| self.listed.known.get(*row).is_none_or(|&known| known <= t.days());
        let first = self.listed.rows_of(account as usize).find(is_known).map(|row| self.listed.day[row]);
        first.filter(|&day| day <= t.days()).unwrap_or(i32::MAX)
    }

    /// First day of an account as it is known in the end; `i32::MIN` where the accounts' source has no dates.
    pub(crate) fn first_day(&self, account: usize) -> i32 {
        self.listed.rows_of(account).next().map_or(i32::MIN, |row| self.listed.day[row])
    }

    /// The first day on which the account is a customer no more, for good; `None` where it has not left, or no rule tells
    /// of a leaving.
    pub(crate) fn left(&self, account: usize) -> Option<i32> {
        self.rules.iter().filter_map(|rule| rule.left(account)).min()
    }

    /// `Scored` where the account is a customer at the end of day `t`, else why not.
    pub(crate) fn status(&self, account: u32, t: Date) -> RowStatus {
        if self.start(account, t) == i32::MAX {
            return RowStatus::NotStarted;
        }
        let (account, t) = (account as usize, t.days());
        let all = self.rules.iter().map(|rule| rule.status(account, t));
        all.into_iter().find(|status| *status != RowStatus::Scored).unwrap_or(RowStatus::Scored)
    }
}

impl LifeRule<'_> {
    fn left(&self, account: usize) -> Option<i32> {
        match self {
            Self::UntilEvent(events) => events.first(account),
            Self::Subscription(rows) => {
                rows.rows_of(account).map(|row| rows.end[row]).max().filter(|&end| end < i32::MAX)
            }
            Self::Activity { .. } => None,
        }
    }

    fn status(&self, account: usize, t: i32) -> RowStatus {
        let (is_here, was_here) = match self {
            Self::UntilEvent(events) => (!events.any_within(account, i32::MIN, t), true),
            Self::Subscription(rows) => {
                let begun = days_within(rows, account, i32::MIN, t);
                (begun.clone().any(|row| t < rows.end[row]), !begun.is_empty())
            }
            Self::Activity { activity, within_days } => {
                let is_here = activity.any_within(account, t - within_days, t);
                (is_here, is_here || activity.any_within(account, i32::MIN, t))
            }
        };
        match (is_here, was_here) {
            (true, _) => RowStatus::Scored,
            (false, true) => RowStatus::Churned,
            (false, false) => RowStatus::NotStarted,
        }
    }
}
