//! `[split]` and `[train]`: which rows train, calibrate and test, and how models are fitted.
//!
//! What a learner is told is in `learners.rs`.

use std::collections::BTreeMap;

use bellwether_core::{Date, LevelPolicy, Outcome};
use serde::Deserialize;
use toml::Spanned;

use super::learners::{BoostedConfig, ClassWeight, ForestConfig, LogisticConfig, TreeConfig};
use super::rules;

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
    /// Time: days between the parts; at least, and where not given, what labels reach: the longest horizon, and the
    /// churn rule's `grace_days` beyond it.
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
    /// The features that the models of an outcome may read, by outcome (`expansion = [..]`): growth has other signs than
    /// churn. An outcome that is not named reads all. Scorecards read what they declare.
    pub features: BTreeMap<Outcome, Vec<Spanned<String>>>,
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
    /// Training rows that the bundle keeps, evenly spread, for explanations that compare a row with others (interventional
    /// Shapley values). They are values of accounts, without their names; 0 keeps none.
    pub background_rows: usize,
    /// How much the rows of a class count in fitting.
    pub class_weight: ClassWeight,
    /// What `logistic` is told.
    pub logistic: Spanned<LogisticConfig>,
    /// What `tree` is told.
    pub tree: Spanned<TreeConfig>,
    /// What `forest` is told.
    pub forest: Spanned<ForestConfig>,
    /// What `boosted` is told.
    pub boosted: Spanned<BoostedConfig>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        let levels = LevelPolicy::default();
        Self {
            learners: Vec::new(),
            features: BTreeMap::new(),
            min_event_accounts: 200,
            min_other_accounts: 500,
            min_coverage: 0.5,
            max_levels: levels.max_levels,
            min_level_rows: levels.min_rows,
            background_rows: 0,
            class_weight: ClassWeight::None,
            logistic: Spanned::new(0..0, LogisticConfig::default()),
            tree: Spanned::new(0..0, TreeConfig::default()),
            forest: Spanned::new(0..0, ForestConfig::default()),
            boosted: Spanned::new(0..0, BoostedConfig::default()),
        }
    }
}
