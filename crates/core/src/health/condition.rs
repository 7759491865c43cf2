//! Conditions on the features of a row.

use serde::{Deserialize, Serialize};

use super::{broken, in_schema};
use crate::ModelError;

/// Holds where any of its ranges does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureCondition {
    /// At least one.
    pub any: Vec<FeatureRange>,
}

/// Half-open: holds where `at_least <= x < below`; never where `x` is missing.
///
/// A level of a text is its 0/1 column, at least 0.5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureRange {
    /// Place of the feature in the schema.
    pub feature: u32,
    /// Finite; no limit where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Finite, above `at_least`; no limit where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

impl FeatureRange {
    fn holds(&self, value: &dyn Fn(usize) -> f32) -> bool {
        let x = f64::from(value(self.feature as usize));
        !x.is_nan() && self.at_least.is_none_or(|least| x >= least) && self.below.is_none_or(|below| x < below)
    }
}

impl FeatureCondition {
    /// Whether it holds for the row whose feature `i` is `value(i)`.
    pub fn holds(&self, value: impl Fn(usize) -> f32) -> bool {
        self.any.iter().any(|range| range.holds(&value))
    }
}

pub(super) fn all_hold(when: &[FeatureCondition], value: &dyn Fn(usize) -> f32) -> bool {
    when.iter().all(|condition| condition.any.iter().any(|range| range.holds(value)))
}

pub(super) fn validate(when: &[FeatureCondition], place: &str, n_features: usize) -> Result<(), ModelError> {
    for condition in when {
        if condition.any.is_empty() {
            return broken(place, "a condition has a range");
        }
        for range in &condition.any {
            in_schema(range.feature, place, n_features)?;
            let limits = [range.at_least, range.below];
            if limits.iter().flatten().any(|limit| !limit.is_finite()) || limits == [None, None] {
                return broken(place, "a range has at_least or below, and they are finite");
            }
            if matches!(limits, [Some(least), Some(below)] if least >= below) {
                return broken(place, "a range has at_least below its `below`");
            }
        }
    }
    Ok(())
}
