//! What a user declares.

use bellwether_core::{Bands, Direction};
use serde::{Deserialize, Serialize};

/// `[scorecard]` of `book.toml`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScorecardSpec {
    /// Where yellow and green begin.
    #[serde(default)]
    pub bands: Bands,
    /// The indicators. Without any, features with a declared direction are taken, as without a `[scorecard]`.
    #[serde(default)]
    pub indicators: Vec<IndicatorSpec>,
}

/// One indicator of a [`ScorecardSpec`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorSpec {
    /// The feature it reads; a level of a categorical input is `input=level`.
    pub feature: String,
    /// Its share of the score, above 0; all shares total 100.
    pub weight: f64,
    /// The kind of indicator; else the feature's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Which way is healthy; else the feature's own, else told by `at_zero` and `at_full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Direction>,
    /// The value that earns nothing; else learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_zero: Option<f64>,
    /// The value that earns everything; else learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_full: Option<f64>,
}
