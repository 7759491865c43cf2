//! One card: indicators within weighted categories.

use serde::{Deserialize, Serialize};

use super::{FeatureCondition, broken, condition, in_schema};
use crate::{Bands, ModelError};

/// The points of a missing indicator under [`MissingPolicy::Neutral`], of 100; the score where nothing is known.
const NEUTRAL: f64 = 50.0;

/// Which rows it scores, and how: each category 0-100 from its indicators, then the categories by their weights
/// (requirements.md Z-02).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCard {
    /// What people call it.
    pub name: String,
    /// It scores rows where all of these hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<FeatureCondition>,
    /// Where yellow and green begin.
    pub bands: Bands,
    /// At least one.
    pub categories: Vec<HealthCategory>,
}

/// `sum(weight * points) / sum(weight)` over its indicators, 0-100. Without a known indicator its weight goes to the
/// other categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCategory {
    /// What people call it; none where the card has no categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its share of the score, above 0.
    pub weight: f64,
    /// At least one; a feature stands once in a card.
    pub indicators: Vec<HealthIndicator>,
}

/// One indicator of a [`HealthCategory`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthIndicator {
    /// Place of the feature in the schema.
    pub feature: u32,
    /// The feature's name.
    pub name: String,
    /// Its share of the category, above 0.
    pub weight: f64,
    /// From a value to points.
    pub scale: Scale,
    /// What a missing value does.
    #[serde(default)]
    pub missing: MissingPolicy,
}

/// From a value to points, `0.0..=100.0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scale {
    /// `100 * clamp((x - at_zero) / (at_full - at_zero), 0, 1)`.
    Linear {
        /// The value that earns nothing.
        at_zero: f32,
        /// The value that earns everything; below `at_zero` where lower is healthier.
        at_full: f32,
    },
    /// Steps: `points[i]` for values from `edges[i - 1]`, below `edges[i]`.
    Banded {
        /// Rising.
        edges: Vec<f32>,
        /// One more than edges, in `0.0..=100.0`; they never fall, or never rise.
        points: Vec<f64>,
    },
}

/// What a missing value does. What is known is told by [`super::Assessment::coverage`] under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingPolicy {
    /// Its weight goes to the indicators of its category that are known; where there is none, to other categories.
    #[default]
    Redistribute,
    /// It earns 50 of 100.
    Neutral,
    /// The row has no health score.
    Refuse,
}

/// What a card finds in a row.
pub(super) struct Reading {
    pub(super) score: f64,
    pub(super) coverage: f64,
    pub(super) is_refused: bool,
}

impl HealthCard {
    /// The indicators, category by category.
    pub fn indicators(&self) -> impl Iterator<Item = &HealthIndicator> {
        self.categories.iter().flat_map(|category| &category.indicators)
    }

    /// The share of the score that each indicator has where all are known, in the order of
    /// [`HealthCard::indicators`]; they total 100.
    pub fn shares(&self) -> Vec<f64> {
        let total: f64 = self.categories.iter().map(|category| category.weight).sum();
        let of_category = |category: &HealthCategory| {
            let points: f64 = category.indicators.iter().map(|of| of.weight).sum();
            let whole = 100.0 * category.weight / total;
            category.indicators.iter().map(move |of| whole * of.weight / points).collect::<Vec<f64>>()
        };
        self.categories.iter().flat_map(of_category).collect()
    }

    pub(super) fn read(&self, value: &dyn Fn(usize) -> f32) -> Reading {
        let (mut points, mut weights, mut known, mut total) = (0.0, 0.0, 0.0, 0.0);
        let mut is_refused = false;
        for category in &self.categories {
            let (mut earned, mut counted, mut seen, mut all) = (0.0, 0.0, 0.0, 0.0);
            for indicator in &category.indicators {
                let own = indicator.scale.points(value(indicator.feature as usize));
                is_refused |= own.is_none() && indicator.missing == MissingPolicy::Refuse;
                all += indicator.weight;
                seen += own.map_or(0.0, |_| indicator.weight);
                let neutral = (indicator.missing == MissingPolicy::Neutral).then_some(NEUTRAL);
                if let Some(own) = own.or(neutral) {
                    earned += indicator.weight * own;
                    counted += indicator.weight;
                }
            }
            if counted > 0.0 {
                points += category.weight * (earned / counted);
                weights += category.weight;
            }
            known += category.weight * (seen / all);
            total += category.weight;
        }
        let score = if weights > 0.0 { (points / weights).clamp(0.0, 100.0) } else { NEUTRAL };
        Reading { score, coverage: known / total, is_refused }
    }

    pub(super) fn validate(&self, n_features: usize) -> Result<(), ModelError> {
        let card = format!("card `{}`", self.name);
        condition::validate(&self.when, &card, n_features)?;
        if self.categories.is_empty() || self.categories.iter().any(|of| of.indicators.is_empty()) {
            return broken(&card, "it has a category and each category an indicator");
        }
        // f32 bounds them as it does those of a graph, so that no sum overflows.
        let is_weight = |weight: f64| weight > 0.0 && (weight as f32).is_normal();
        let mut used = vec![false; n_features];
        for category in &self.categories {
            if !is_weight(category.weight) {
                return broken(&card, "the weight of a category must be finite and above 0");
            }
            for indicator in &category.indicators {
                let place = format!("{card}, indicator `{}`", indicator.name);
                in_schema(indicator.feature, &place, n_features)?;
                if std::mem::replace(&mut used[indicator.feature as usize], true) {
                    return broken(&place, "its feature is used twice");
                }
                if !is_weight(indicator.weight) {
                    return broken(&place, "its weight must be finite and above 0");
                }
                indicator.scale.validate(&place)?;
            }
        }
        Ok(())
    }
}

impl Scale {
    /// The points that value `x` earns, `0.0..=100.0`; `None` where it is missing.
    pub fn points(&self, x: f32) -> Option<f64> {
        let known = |points: f64| (!x.is_nan()).then_some(points);
        match self {
            Self::Linear { at_zero, at_full } => {
                let (zero, full) = (f64::from(*at_zero), f64::from(*at_full));
                known((100.0 * ((f64::from(x) - zero) / (full - zero))).clamp(0.0, 100.0))
            }
            Self::Banded { edges, points } => known(points[edges.partition_point(|&edge| edge <= x)]),
        }
    }

    /// The straight line that a graph holds in its place, as `(at_zero, at_full)`: a line as it is; of steps, the line
    /// through the points of the first step where it ends and those of the last step where it begins.
    pub fn straight_line(&self) -> (f32, f32) {
        match self {
            Self::Linear { at_zero, at_full } => (*at_zero, *at_full),
            Self::Banded { edges, points } => {
                let (first, last) = (points[0] / 100.0, points[points.len() - 1] / 100.0);
                let (low, high) = (f64::from(edges[0]), f64::from(edges[edges.len() - 1]));
                // A single step has no width; a graph in f32 needs some.
                let low = if edges.len() == 1 { low - low.abs().max(1.0) / 1024.0 } else { low };
                let slope = (last - first) / (high - low);
                ((low - first / slope) as f32, (low + (1.0 - first) / slope) as f32)
            }
        }
    }

    fn validate(&self, place: &str) -> Result<(), ModelError> {
        match self {
            Self::Linear { at_zero, at_full } => {
                if !(at_zero.is_finite() && at_full.is_finite() && at_zero != at_full) {
                    return broken(place, "at_zero and at_full must be finite and differ");
                }
            }
            Self::Banded { edges, points } => {
                let rises = edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted_by(|a, b| a < b);
                if edges.is_empty() || !rises || points.len() != edges.len() + 1 {
                    return broken(place, "edges must be finite and rise, with one more of points than of edges");
                }
                let one_way = points.is_sorted() || points.iter().rev().is_sorted();
                if !one_way || points[0] == points[points.len() - 1] {
                    return broken(place, "points must rise or fall with the value");
                }
                if points.iter().any(|points| !(0.0..=100.0).contains(points)) {
                    return broken(place, "points lie in 0..=100");
                }
            }
        }
        Ok(())
    }
}
