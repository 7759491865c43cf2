//! `book.toml`: what the user declares. A wrong line is an error that points at it.

mod check;
mod declared;
mod error;
mod frozen;
mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bellwether_core::{Date, Direction, LevelPolicy, Outcome, Target};
use bellwether_health::ScorecardSpec;
use miette::NamedSource;
use serde::Deserialize;
use toml::Spanned;

pub use declared::DeclaredFeature;
pub use error::ConfigError;
pub use rules::{Condition, Span, Window};

/// A whole `book.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookConfig {
    /// The book's and so the models' name: letters, digits, `-` and `_`.
    pub name: Spanned<String>,
    /// When rows are made.
    #[serde(default)]
    pub snapshots: Snapshots,
    /// Where rows come from, by name.
    pub sources: BTreeMap<Spanned<String>, Source>,
    /// Who the accounts are and when they are customers.
    pub accounts: Accounts,
    /// What is predicted; at least one of churn and expansion.
    #[serde(default)]
    pub targets: Targets,
    /// What the models see.
    pub features: Vec<FeatureDeclaration>,
    /// What reports are cut by.
    #[serde(default)]
    pub segments: Vec<Segment>,
    /// What an account is worth.
    #[serde(default)]
    pub value: Option<Value>,
    /// Which rows train, calibrate and test.
    #[serde(default)]
    pub split: SplitConfig,
    /// How models are fitted.
    #[serde(default)]
    pub train: TrainConfig,
    /// The weighted 0-100 health score.
    #[serde(default)]
    pub scorecard: Option<ScorecardSpec>,
}

/// When rows are made: at month ends, or every so many days back from the last one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshots {
    /// `1mo` (month ends; the default), `3mo` ..., or `7d`, `2w` ... .
    #[serde(default = "one_month")]
    pub every: Window,
    /// No row before this day.
    #[serde(default, deserialize_with = "rules::date")]
    pub from: Option<Date>,
    /// No row after this day.
    #[serde(default, deserialize_with = "rules::date")]
    pub to: Option<Date>,
    /// The last day that every source covers; the latest event in any source where it is not given.
    #[serde(default, deserialize_with = "rules::date")]
    pub data_end: Option<Date>,
}

/// One table, in one file or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What a row is.
    pub kind: SourceKind,
    /// A file, a glob, or a list of them, relative to `book.toml`; `.parquet`, `.csv`, `.csv.gz`, `.arrow`/`.ipc`.
    pub path: Spanned<Paths>,
    /// The account's column.
    #[serde(default)]
    pub account: Option<Spanned<String>>,
    /// The account is found by way of another source instead; a row is known from that source's date on, not before.
    #[serde(default)]
    pub account_via: Option<AccountVia>,
    /// The event's, snapshot's or first valid day; the start of a subscription.
    #[serde(default)]
    pub date: Option<Spanned<String>>,
    /// The first day on which a subscription is no longer active; empty while it runs.
    #[serde(default)]
    pub end: Option<Spanned<String>>,
    /// The day from which a row could be known, where that is later than its date.
    #[serde(default)]
    pub known_at: Option<Spanned<String>>,
    /// strptime form of dates in text columns.
    #[serde(default = "iso")]
    pub date_format: String,
    /// Texts that mean missing, beside the empty one.
    #[serde(default)]
    pub null_values: Vec<String>,
    /// CSV only.
    #[serde(default = "comma")]
    pub separator: char,
    /// Rows kept: those for which every condition holds.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// Columns computed from others.
    #[serde(default)]
    pub derived: Vec<Derived>,
    /// Drop rows without account (guests) instead of refusing them.
    #[serde(default)]
    pub drop_missing_account: bool,
}

/// What a source's row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// An account's state on a date: one row an account and date.
    Snapshot,
    /// Something that happened on a date: any number of rows.
    Event,
    /// What an account is: one row an account, or one for each date from which it is valid.
    Attribute,
    /// What an account pays for, from `date` until before `end`.
    Subscription,
    /// A table that is already labelled: one row an account, no dates.
    Labelled,
}

/// One path or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Paths {
    /// One.
    One(String),
    /// Several, read as one table.
    Many(Vec<String>),
}

/// `account_via = { source = "subscriptions", on = "subscription_id" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountVia {
    /// The source that has both the key and the account.
    pub source: Spanned<String>,
    /// The key's column, in both sources.
    pub on: Spanned<String>,
}

/// A column computed from others: the product of its factors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// Its name.
    pub name: String,
    /// The columns that are multiplied.
    pub multiply: Vec<Spanned<String>>,
}

/// Who the accounts are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// The source that lists them; its first date is an account's start.
    pub from: Spanned<String>,
    /// When an account is a customer; from its start until it churned where not given.
    #[serde(default)]
    pub active: Option<Active>,
}

/// When an account counts as a customer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, tag = "rule", rename_all = "snake_case")]
pub enum Active {
    /// While a row of a subscription source is active.
    Subscription {
        /// The source.
        source: String,
    },
    /// For `within_days` after each row of an event source.
    Activity {
        /// The source.
        source: String,
        /// Days.
        within_days: u32,
    },
}

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

/// One feature, or one for each of `columns`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureDeclaration {
    /// Unique name; the column's where it is not given.
    #[serde(default)]
    pub name: Option<Spanned<String>>,
    /// The source.
    pub from: Spanned<String>,
    /// The column that is aggregated; not for `count`, `days_since` and `share_of_days_active`.
    #[serde(default)]
    pub column: Option<Spanned<String>>,
    /// Shorthand: one feature a column, named like it.
    #[serde(default)]
    pub columns: Vec<Spanned<String>>,
    /// What becomes of the rows; `last` where not given.
    #[serde(default)]
    pub aggregate: Aggregate,
    /// Only rows with date in `(t - window, t]`; all up to `t` where not given. A subscription source without
    /// window gives the rows that are active at `t`.
    #[serde(default)]
    pub window: Option<Window>,
    /// Only rows for which these hold.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// Whether `last` and `first` give a number (default) or a text with levels.
    #[serde(default)]
    pub r#type: ValueType,
    /// Against the same aggregate over the window before.
    #[serde(default)]
    pub change: Option<Change>,
    /// Divided by this earlier feature; missing where that is missing or 0.
    #[serde(default)]
    pub per: Option<Spanned<String>>,
    /// Which way is good.
    #[serde(default)]
    pub good: Option<Direction>,
    /// Kind of indicator, such as `usage`, `support`.
    #[serde(default)]
    pub category: Option<String>,
    /// Kept out of the models: only segments, `per` and `value` use it.
    #[serde(default)]
    pub helper: bool,
}

/// What becomes of the rows of a window. Nulls in the column are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The value of the latest row (of several on one day: the last known, then the largest).
    #[default]
    Last,
    /// The value of the earliest row.
    First,
    /// Sum; 0 without rows.
    Sum,
    /// Arithmetic mean.
    Mean,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Number of rows, of known values where a column is given; 0 without rows.
    Count,
    /// Number of distinct values; 0 without rows.
    Distinct,
    /// Standard deviation of the population (divides by n); missing below 2 values.
    Std,
    /// Least-squares slope of the values over days; missing where all values stand on one day.
    Slope,
    /// Days from the latest row to `t`.
    DaysSince,
    /// Days from `t` to the date in the column of the latest row; negative where it is past.
    DaysUntil,
    /// Share of the window's days that have a row, `0..=1`; needs a window.
    ShareOfDaysActive,
}

/// Whether a feature is a number or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A number.
    #[default]
    Number,
    /// A text whose levels are learnt on training rows.
    Text,
}

/// How a window is held against the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// This window minus the one before.
    Difference,
    /// This window divided by the one before; missing where that is missing or 0.
    Ratio,
}

/// A cut of the rows for reports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// The feature (a helper may serve).
    pub feature: Spanned<String>,
    /// Number features: the levels are `< e1`, `[e1, e2)`, ..., `>= en`.
    #[serde(default)]
    pub edges: Vec<f64>,
}

/// An account's annual recurring revenue: a feature times a factor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The feature.
    pub feature: Spanned<String>,
    /// 12 for a monthly amount.
    #[serde(default = "one")]
    pub times: f64,
}

/// Which rows train, calibrate and test.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConfig {
    /// By time where rows have dates, at random otherwise.
    #[serde(default)]
    pub kind: Option<SplitKind>,
    /// Time: the first snapshot day of the test part; the last quarter of the days where not given.
    #[serde(default, deserialize_with = "rules::date")]
    pub test_from: Option<Date>,
    /// Share of snapshot days (time) or accounts (random, grouped) that test; 0.25.
    #[serde(default)]
    pub test_share: Option<f64>,
    /// Share of what does not test that calibrates; 0.2.
    #[serde(default)]
    pub calibration_share: Option<f64>,
    /// Time: what calibration rows are held out by.
    #[serde(default)]
    pub calibration_rows: CalibrationRows,
    /// Time: days between the parts; at least, and where not given, the horizon.
    #[serde(default)]
    pub purge_days: Option<u32>,
    /// Grouped: the text feature (a helper may serve) whose levels stay together.
    #[serde(default)]
    pub group: Option<Spanned<String>>,
}

/// What a time split's calibration rows are held out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationRows {
    /// Later days than training, with a purge between: the honest choice where history allows it.
    #[default]
    Time,
    /// Other accounts on the training days: for histories too short for two purges.
    Accounts,
}

/// How rows are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// Later days test.
    Time,
    /// Accounts test, by a hash of their id and the seed.
    Random,
    /// Groups of accounts test.
    Grouped,
}

/// How models are fitted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The learners that are compared; all where empty.
    pub learners: Vec<Spanned<String>>,
    /// Distinct accounts with the outcome that the labelled rows need.
    pub min_event_accounts: usize,
    /// Distinct accounts without it.
    pub min_other_accounts: usize,
    /// Share of a row's features that must be known for a score.
    pub min_coverage: f64,
    /// Levels of a text feature that get a column.
    pub max_levels: usize,
    /// Training rows that such a level needs.
    pub min_level_rows: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        let levels = LevelPolicy::default();
        Self {
            learners: Vec::new(),
            min_event_accounts: 200,
            min_other_accounts: 500,
            min_coverage: 0.5,
            max_levels: levels.max_levels,
            min_level_rows: levels.min_rows,
        }
    }
}

impl Default for Snapshots {
    fn default() -> Self {
        Self { every: one_month(), from: None, to: None, data_end: None }
    }
}

const DEFAULT_HORIZON_DAYS: u32 = 90;

fn one_month() -> Window {
    Window::months(1)
}

fn iso() -> String {
    "%Y-%m-%d".to_owned()
}

const fn comma() -> char {
    ','
}

const fn one() -> f64 {
    1.0
}

/// A parsed and checked `book.toml`, with the text for error messages.
#[derive(Debug, Clone)]
pub struct BookFile {
    /// What it declares.
    pub config: BookConfig,
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub path: PathBuf,
}

impl BookFile {
    /// Reads and checks `path`.
    ///
    /// # Errors
    /// [`ConfigError`] that points at the line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Read { path: path.display().to_string(), cause })?;
        Self::parse(text, path)
    }

    /// Parses and checks `text`, which stands at `path`; paths in it are relative to that file's folder.
    ///
    /// # Errors
    /// [`ConfigError::Rule`] that points at the line.
    pub fn parse(text: String, path: &Path) -> Result<Self, ConfigError> {
        let parsed: Result<BookConfig, toml::de::Error> = toml::from_str(&text);
        match parsed {
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                Err(rule_error(&text, path, at, error.message().to_owned(), None))
            }
            Ok(config) => {
                let file = Self { config, text, path: path.to_owned() };
                check::check(&file)?;
                Ok(file)
            }
        }
    }

    /// The days after a snapshot in which an outcome counts.
    pub fn horizon_days(&self) -> u32 {
        self.config.targets.horizon_days.unwrap_or(DEFAULT_HORIZON_DAYS)
    }

    /// The targets that are declared, with their rules.
    pub fn targets(&self) -> Vec<(Target, &TargetRule)> {
        let horizon_days = self.horizon_days();
        let target = |outcome| Target { outcome, horizon_days };
        let declared = &self.config.targets;
        let churn = declared.churn.as_ref().map(|rule| (target(Outcome::Churn), rule.get_ref()));
        let expansion = declared.expansion.as_ref().map(|rule| (target(Outcome::Expansion), rule.get_ref()));
        churn.into_iter().chain(expansion).collect()
    }

    /// An error at a place of this file.
    pub fn error(&self, at: Span, message: String, help: Option<String>) -> ConfigError {
        rule_error(&self.text, &self.path, at, message, help)
    }
}

fn rule_error(text: &str, path: &Path, at: Span, message: String, help: Option<String>) -> ConfigError {
    let text = Arc::new(NamedSource::new(path.display().to_string(), text.to_owned()).with_language("TOML"));
    ConfigError::Rule { message, text, at: at.into(), help }
}
