//! `[targets]`: what is predicted.

use serde::Deserialize;
use toml::Spanned;

use super::rules::Condition;

/// What is predicted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Days after the snapshot in which the outcome counts.
    #[serde(default)]
    pub horizon_days: Option<u32>,
    /// The account leaves.
    #[serde(default)]
    pub churn: Option<Spanned<TargetRule>>,
    /// The account pays more.
    #[serde(default)]
    pub expansion: Option<Spanned<TargetRule>>,
}

/// How an outcome is read off the sources, for a row as of `t` and the horizon `h`.
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
    /// No subscription is active on some day of `(t, t + h]`, for longer than `grace_days`.
    NoSubscription {
        /// The source.
        source: String,
        /// A gap of so many days is not a churn.
        #[serde(default)]
        grace_days: u32,
    },
    /// No row of an event source in `(t, t + h]`.
    NoActivity {
        /// The source.
        source: String,
    },
    /// The largest total of a subscription column within `(t, t + h]` is at least `1 + by` times that at `t`.
    RecurringRevenueUp {
        /// The source.
        source: String,
        /// The amount's column.
        column: String,
        /// Share, such as 0.1.
        by: f64,
    },
    /// The sum of an event column over `(t, t + h]` is at least `1 + by` times that over `(t - h, t]` (and above 0).
    SpendUp {
        /// The source.
        source: String,
        /// The amount's column.
        column: String,
        /// Share, such as 0.25.
        by: f64,
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
