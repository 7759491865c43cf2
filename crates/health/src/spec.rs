//! What a user declares.

use std::collections::BTreeMap;

use bellwether_core::{Direction, MissingPolicy};
use serde::{Deserialize, Serialize};

use crate::BandsSpec;

/// `[scorecard]` of `book.toml`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScorecardSpec {
    /// The name of a ready framework, `w-a` to `w-e` or `mvp`; `indicators` then stand in place of the preset's in
    /// their categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Where yellow and green begin; else the preset's, else T-B.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bands: Option<BandsSpec>,
    /// What a missing indicator does, where it does not say itself.
    #[serde(default)]
    pub missing: MissingPolicy,
    /// The categories by name. With any, each indicator is in one, and its weight is its points there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, CategorySpec>,
    /// The indicators. Without any, features with a declared direction are taken, as without a `[scorecard]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indicators: Vec<IndicatorSpec>,
    /// Other cards for some rows; the first whose conditions hold scores a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantSpec>,
    /// Facts that cap the score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vetoes: Vec<VetoSpec>,
    /// Bands by cohort, learnt on the training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<ThresholdsSpec>,
    /// Where the weights come from; else from where the preset says, else they are declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsFrom>,
    /// Where it is shown what each indicator adds, which 20 or more need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ablation: Option<String>,
}

/// One category of a [`ScorecardSpec`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategorySpec {
    /// Its share of the score, above 0; all shares total 100.
    pub weight: f64,
    /// What the points of its indicators total; a category with all of them scores 100.
    #[serde(default = "hundred")]
    pub maximum: f64,
}

/// One indicator of a [`ScorecardSpec`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorSpec {
    /// The feature it reads; a level of a categorical input is `input=level`.
    pub feature: String,
    /// Its share of the score, above 0; all shares total 100. With categories: its points, which total the category's
    /// maximum.
    pub weight: f64,
    /// The kind of indicator; else the feature's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Which way is healthy; else the feature's own, else told by `at_zero` and `at_full` or by `steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Direction>,
    /// From a value to points; `banded` where there are steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleName>,
    /// The value that earns nothing; else learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_zero: Option<f64>,
    /// The value that earns everything; else learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_full: Option<f64>,
    /// The steps of a banded scale, in rising order, without gap or overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepSpec>,
    /// What a missing value does; else the scorecard's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingPolicy>,
}

/// How values become points, 0-100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleName {
    /// A straight line from the least to the greatest training value; an end that is given stands.
    Linear,
    /// A straight line between two ends, given or the 5 % and 95 % quantiles of training values, level outside: the
    /// default.
    Bounded,
    /// Steps.
    Banded,
    /// The percentile within the account's cohort: reads the feature `<feature>_percentile`, which `[cohort]` makes.
    Percentile,
}

/// One step of a banded scale: values from `from`, below `to`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The first value in it; only the first step has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// The first value above it; only the last step has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// What it earns, `0.0..=100.0`.
    pub points: f64,
}

/// Another card for the rows of a segment or a lifecycle stage (requirements.md G-01 to G-05). What it does not say is
/// the scorecard's. Ends are learnt on its own training rows where there are enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantSpec {
    /// What people call it.
    pub name: String,
    /// It scores rows where all of these hold; at least one.
    pub when: Vec<ConditionSpec>,
    /// Its bands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bands: Option<BandsSpec>,
    /// All its categories.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, CategorySpec>,
    /// All its indicators.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indicators: Vec<IndicatorSpec>,
}

/// A condition on a feature; never holds where it is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSpec {
    /// A number, or with `in` a text.
    pub feature: String,
    /// Holds for any of these texts.
    #[serde(default, rename = "in", skip_serializing_if = "Vec::is_empty")]
    pub is_in: Vec<String>,
    /// The least value for which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The first value for which it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

/// A fact that caps the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VetoSpec {
    /// What people call it.
    pub name: String,
    /// It holds where all of these do; at least one.
    pub when: Vec<ConditionSpec>,
    /// The most that the score can be, from 0, below 100.
    pub at_most: f64,
}

/// Bands by cohort (requirements.md D-01, D-02): in each, as many training rows are red and yellow as in all, as far as
/// its accounts can tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdsSpec {
    /// Coarse to fine, such as lifecycle stage, size, industry; at least one.
    pub by: Vec<DimensionSpec>,
    /// The weight of the parent's edges, in accounts; above 0.
    #[serde(default = "hundred")]
    pub shrinkage: f64,
    /// A cohort of fewer training accounts has its parent's edges.
    #[serde(default = "thirty")]
    pub min_accounts: usize,
}

/// A dimension of cohorts: a text feature, or a number cut at edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DimensionSpec {
    /// The feature.
    pub feature: String,
    /// Where a number is cut; finite and rising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f64>,
}

/// Where the weights of the card come from; variants keep theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsFrom {
    /// They are declared, or the preset's.
    #[default]
    Declared,
    /// All are equal.
    Equal,
    /// As declared, and twice where churned accounts of the last 12 months were weak (requirements.md K-01 to K-04).
    Doubled,
    /// By correlation with what happened (requirements.md I-01).
    Correlation,
    /// By a logistic regression of what happened whose coefficients are not below 0.
    Logistic,
}

impl WeightsFrom {
    /// In the order of reports.
    pub const ALL: [Self; 5] = [Self::Declared, Self::Equal, Self::Doubled, Self::Correlation, Self::Logistic];

    /// The name in `book.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Equal => "equal",
            Self::Doubled => "doubled",
            Self::Correlation => "correlation",
            Self::Logistic => "logistic",
        }
    }
}

const fn hundred() -> f64 {
    100.0
}

const fn thirty() -> usize {
    30
}
