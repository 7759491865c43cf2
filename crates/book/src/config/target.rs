//! `[targets]`: what is predicted.

use bellwether_core::{Outcome, Target};
use serde::Deserialize;
use toml::Spanned;

use super::BookFile;
use super::rules::Condition;

/// What is predicted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// The main horizon: days after the snapshot in which the outcome counts; 90 where not given.
    #[serde(default)]
    pub horizon_days: Option<u32>,
    /// Every horizon, rising, the main one among them; the main one alone where not given. Each outcome has a model a
    /// horizon; an outcome whose rule is told by sums over the horizon, or by a column, has the main one alone.
    #[serde(default)]
    pub horizons: Option<Spanned<Vec<u32>>>,
    /// The account leaves.
    #[serde(default)]
    pub churn: Option<Spanned<TargetRule>>,
    /// The account pays more.
    #[serde(default)]
    pub expansion: Option<Spanned<TargetRule>>,
    /// The account pays less, and stays.
    #[serde(default)]
    pub contraction: Option<Spanned<TargetRule>>,
}

/// How an outcome is read off the sources, for a row as of `t` and the horizon `h`. Days are whole: what is as of a day
/// is so at its end, and `(t, t + h]` begins with the day after `t`.
///
/// Recurring revenue on a day is the sum of the column over the subscriptions that are active then (`date <= day <
/// end`), or the value of the last snapshot up to then. A threshold is a share `by`, an amount `at_least`, or both, and
/// then both must be reached. Missing amounts are passed over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, tag = "rule", rename_all = "snake_case")]
pub enum TargetRule {
    /// A row of an event source with date in `(t, t + h]`.
    Event {
        /// The source.
        source: String,
        /// Only rows for which these hold.
        #[serde(default)]
        filter: Vec<Condition>,
    },
    /// Contract churn: the first day without active subscription lies in `(t, t + h]`, gaps of up to `grace_days` passed
    /// over (a subscription that ends on a day and one that starts on it leave a gap of 0). The label is known only
    /// where `t + h + grace_days` lies within the data. In a gap an account is no customer.
    NoSubscription {
        /// The source.
        source: String,
        /// A gap of so many days is not a churn.
        #[serde(default)]
        grace_days: u32,
    },
    /// Activity churn. With `days = n`: the account churns on the day `a + n` where `a` has a row and none of the days
    /// `a + 1 ..= a + n` has one; the outcome is that this day lies in `(t, t + h]`. An account is then a customer as of
    /// `t` only where it has a row in `(t - n, t]`, whatever `accounts.active` says. Without `days`: no row in
    /// `(t, t + h]`.
    NoActivity {
        /// The source.
        source: String,
        /// Only rows for which these hold are activity.
        #[serde(default)]
        filter: Vec<Condition>,
        /// Days of silence that are a churn.
        #[serde(default)]
        days: Option<u32>,
    },
    /// Recurring revenue reaches, on some day of `(t, t + h]`, at least `(1 + by)` times that at `t`, and at least
    /// `at_least` more; that at `t` is above 0.
    RecurringRevenueUp {
        /// The source, of subscriptions or snapshots.
        source: String,
        /// The amount's column.
        column: String,
        /// Share, such as 0.1.
        #[serde(default)]
        by: Option<f64>,
        /// Amount, in the column's unit.
        #[serde(default)]
        at_least: Option<f64>,
    },
    /// Recurring revenue falls, on some day of `(t, t + h]` and before the account churned, to at most `(1 - by)` times
    /// that at `t`, and by at least `at_least`, and stays above 0: an account that pays nothing has churned, not
    /// contracted. Churned is: without active subscription (a gap of up to the `grace_days` of a churn rule of the same
    /// source is passed over), or with a snapshot of 0.
    RecurringRevenueDown {
        /// The source, of subscriptions or snapshots.
        source: String,
        /// The amount's column.
        column: String,
        /// Share below 1, such as 0.1.
        #[serde(default)]
        by: Option<f64>,
        /// Amount, in the column's unit.
        #[serde(default)]
        at_least: Option<f64>,
    },
    /// The sum of an event column over `(t, t + h]` is at least `1 + by` times that over `(t - h, t]`, and at least
    /// `at_least` more, and above 0.
    SpendUp {
        /// The source.
        source: String,
        /// The amount's column.
        column: String,
        /// Share, such as 0.25.
        #[serde(default)]
        by: Option<f64>,
        /// Amount, in the column's unit.
        #[serde(default)]
        at_least: Option<f64>,
    },
    /// The sum of an event column over `(t, t + h]` is at most `1 - by` times that over `(t - h, t]`, and at least
    /// `at_least` less, and above 0.
    SpendDown {
        /// The source.
        source: String,
        /// The amount's column.
        column: String,
        /// Share below 1, such as 0.25.
        #[serde(default)]
        by: Option<f64>,
        /// Amount, in the column's unit.
        #[serde(default)]
        at_least: Option<f64>,
    },
    /// A column of a labelled table.
    Column {
        /// The source.
        source: String,
        /// The column.
        column: String,
        /// The texts that mean yes; every other known text means no.
        positive: Vec<String>,
    },
}

impl TargetRule {
    /// Whether what has happened within a horizon has happened within every longer one too, so that probabilities rise
    /// with the horizon. Sums over a horizon are held against another sum a horizon, and silence grows rarer with it.
    pub(crate) const fn is_nested(&self) -> bool {
        match self {
            Self::Event { .. }
            | Self::NoSubscription { .. }
            | Self::RecurringRevenueUp { .. }
            | Self::RecurringRevenueDown { .. } => true,
            Self::NoActivity { days, .. } => days.is_some(),
            Self::SpendUp { .. } | Self::SpendDown { .. } | Self::Column { .. } => false,
        }
    }

    /// Whether the outcome comes on a day that the rule tells, whatever the horizon.
    pub(crate) const fn tells_days(&self) -> bool {
        match self {
            Self::Event { .. } | Self::NoSubscription { .. } => true,
            Self::NoActivity { days, .. } => days.is_some(),
            _ => false,
        }
    }

    /// Days after the horizon that must lie within the data for a label to be known.
    pub(crate) const fn settle_days(&self) -> u32 {
        match self {
            Self::NoSubscription { grace_days, .. } => *grace_days,
            _ => 0,
        }
    }
}

const DEFAULT_HORIZON_DAYS: u32 = 90;

impl BookFile {
    /// The main horizon: the days after a snapshot in which an outcome counts.
    pub fn horizon_days(&self) -> u32 {
        self.config.targets.horizon_days.unwrap_or(DEFAULT_HORIZON_DAYS)
    }

    /// The outcomes that are declared, with their rules.
    pub(crate) fn outcomes(&self) -> Vec<(Outcome, &Spanned<TargetRule>)> {
        let targets = &self.config.targets;
        let rule = |outcome| match outcome {
            Outcome::Churn => targets.churn.as_ref(),
            Outcome::Expansion => targets.expansion.as_ref(),
            Outcome::Contraction => targets.contraction.as_ref(),
        };
        Outcome::ALL.into_iter().filter_map(|outcome| Some((outcome, rule(outcome)?))).collect()
    }

    /// The horizons of an outcome with this rule: the main one, then the others, rising.
    pub(crate) fn horizons_of(&self, rule: &TargetRule) -> Vec<u32> {
        let main = self.horizon_days();
        let declared = self.config.targets.horizons.as_ref().filter(|_| rule.is_nested());
        let others = declared.into_iter().flat_map(Spanned::get_ref).copied().filter(|&days| days != main);
        [main].into_iter().chain(others).collect()
    }

    /// The targets that are declared: outcome by outcome, the main horizon first, then the others, rising.
    pub fn targets(&self) -> Vec<Target> {
        let of_outcome = |(outcome, rule): (Outcome, &Spanned<TargetRule>)| {
            let horizons = self.horizons_of(rule.get_ref()).into_iter();
            horizons.map(move |horizon_days| Target { outcome, horizon_days })
        };
        self.outcomes().into_iter().flat_map(of_outcome).collect()
    }

    /// Each declared outcome at the main horizon, with its rule.
    pub(crate) fn main_targets(&self) -> Vec<(Target, &TargetRule)> {
        let horizon_days = self.horizon_days();
        let outcomes = self.outcomes().into_iter();
        outcomes.map(|(outcome, rule)| (Target { outcome, horizon_days }, rule.get_ref())).collect()
    }

    /// How many days after a row its labels reach: the longest horizon, and the days until a gap is known to be one.
    pub fn reach_days(&self) -> u32 {
        let reach = |(_, rule): (Outcome, &Spanned<TargetRule>)| {
            let rule = rule.get_ref();
            self.horizons_of(rule).into_iter().map(|days| days + rule.settle_days()).max()
        };
        self.outcomes().into_iter().filter_map(reach).fold(self.horizon_days(), u32::max)
    }
}
