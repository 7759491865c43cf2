//! `book.toml`: what the user declares. A wrong line is an error that points at it.

mod audit;
mod catalogue;
mod check;
mod cohort;
mod error;
mod evaluation;
mod feature;
mod frozen;
mod learners;
mod reasons;
mod rules;
mod scorecard;
mod source;
mod target;
mod train;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bellwether_core::Date;
use bellwether_health::ScorecardSpec;
use miette::NamedSource;
use serde::Deserialize;
use toml::Spanned;

pub use audit::{Agreement, CheckConfig, Waiver};
pub use catalogue::{CatalogueConfig, RoleMapping};
pub use cohort::CohortConfig;
pub use error::ConfigError;
pub use evaluation::{
    CostsConfig, EvaluationConfig, InterventionsConfig, MarginsConfig, RankBy, RenewalsConfig, ScoreUseConfig,
};
pub(crate) use feature::MIN_PERIODS;
pub use feature::{Aggregate, Change, DeclaredFeature, FeatureDeclaration, ValueType};
pub use learners::{BoostedConfig, ClassWeight, ForestConfig, LogisticConfig, TreeConfig};
pub use reasons::{FeatureWords, Numbers, ReasonsConfig};
pub use rules::{Condition, Span, Window};
pub(crate) use source::Derivation;
pub use source::{AccountVia, Derived, Paths, Source, SourceKind};
pub use target::{TargetRule, Targets};
pub use train::{CalibrationRows, SplitConfig, SplitKind, TrainConfig};

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
    /// What is predicted.
    #[serde(default)]
    pub targets: Targets,
    /// What the models see; the catalogue may add to it.
    #[serde(default)]
    pub features: Vec<FeatureDeclaration>,
    /// Ready features, and where their data are.
    #[serde(default)]
    pub catalogue: CatalogueConfig,
    /// What reports are cut by.
    #[serde(default)]
    pub segments: Vec<Segment>,
    /// Which features are held against those of like accounts.
    #[serde(default)]
    pub cohort: Option<Spanned<CohortConfig>>,
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
    /// The expansion readiness: a scorecard with indicators of growth, where high means likely to expand.
    #[serde(default)]
    pub readiness: Option<ScorecardSpec>,
    /// What the audit is told.
    #[serde(default)]
    pub check: CheckConfig,
    /// What evidence needs beside labels.
    #[serde(default)]
    pub evaluation: EvaluationConfig,
    /// How explanations speak of features.
    #[serde(default)]
    pub reasons: ReasonsConfig,
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

/// Who the accounts are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// The source that lists them; its first date is an account's start.
    pub from: Spanned<String>,
    /// When an account is a customer; from its start until it churned where not given. A churn rule `no_activity` with
    /// `days` holds beside it.
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

impl Default for Snapshots {
    fn default() -> Self {
        Self { every: one_month(), from: None, to: None, data_end: None }
    }
}

fn one_month() -> Window {
    Window::months(1)
}

const fn one() -> f64 {
    1.0
}

/// The largest `book.toml` that is read, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// A parsed and checked `book.toml`, with the text for error messages.
#[derive(Debug, Clone)]
pub struct BookFile {
    /// What it declares.
    pub config: BookConfig,
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub path: PathBuf,
    /// What it takes from the catalogue.
    pub(crate) from_catalogue: Vec<DeclaredFeature>,
}

impl BookFile {
    /// Reads and checks `path`.
    ///
    /// # Errors
    /// [`ConfigError`] that points at the line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unread = |cause| ConfigError::Read { path: path.display().to_string(), cause };
        let mut text = Vec::new();
        let limited = File::open(path).map(|file| file.take(MAX_BYTES + 1));
        limited.and_then(|mut file| file.read_to_end(&mut text)).map_err(unread)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unread(std::io::Error::other(format!("it has more than {MAX_BYTES} bytes"))));
        }
        let text =
            String::from_utf8(text).map_err(|error| unread(std::io::Error::new(ErrorKind::InvalidData, error)))?;
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
                let mut file = Self { config, text, path: path.to_owned(), from_catalogue: Vec::new() };
                check::check_sources(&file)?;
                file.from_catalogue = catalogue::expand(&file)?;
                check::check(&file)?;
                Ok(file)
            }
        }
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
