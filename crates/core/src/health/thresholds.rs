//! Bands by cohort.

use serde::{Deserialize, Serialize};

use super::{broken, in_schema};
use crate::{Bands, ModelError};

const PLACE: &str = "the thresholds";

/// What is known of a cohort, by the cohort's levels.
pub(crate) trait OfCohort {
    /// The level in each dimension, coarse to fine; none for everybody.
    fn levels(&self) -> &[u32];
}

/// Band edges by cohort, such as lifecycle stage x size x industry (requirements.md D-01).
///
/// Dimensions stand coarse to fine. A row takes the edges of the finest cohort on its way down that has some; a
/// missing or unknown level ends the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortBands {
    /// At least one.
    pub by: Vec<Dimension>,
    /// Sorted by level; the first is everybody, and each other one's parent is among them.
    pub cohorts: Vec<CohortEdges>,
}

/// What cohorts are told apart by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Dimension {
    /// Half-open ranges of one feature: level `i` is from `edges[i - 1]`, below `edges[i]`.
    Ranges {
        /// What people call it.
        name: String,
        /// Place of the feature in the schema.
        feature: u32,
        /// Finite and rising; at least one.
        edges: Vec<f64>,
    },
    /// The texts of one input: level `i` is where the `i`-th column is 1.
    Levels {
        /// What people call it.
        name: String,
        /// Places of the columns in the schema; at least one.
        columns: Vec<u32>,
    },
}

/// The edges of one cohort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortEdges {
    /// The level in each dimension, coarse to fine; none for everybody.
    pub levels: Vec<u32>,
    /// Distinct training accounts.
    pub n_accounts: u64,
    /// The edges, drawn to the parent's already.
    pub bands: Bands,
}

impl Dimension {
    /// The level of the row whose feature `i` is `value(i)`; `None` where it is missing or unknown.
    pub fn level(&self, value: impl Fn(usize) -> f32) -> Option<u32> {
        match self {
            Self::Ranges { feature, edges, .. } => {
                let x = f64::from(value(*feature as usize));
                (!x.is_nan()).then(|| edges.partition_point(|&edge| edge <= x) as u32)
            }
            Self::Levels { columns, .. } => {
                columns.iter().position(|&column| value(column as usize) >= 0.5).map(|place| place as u32)
            }
        }
    }

    /// How many levels there are.
    pub const fn n_levels(&self) -> usize {
        match self {
            Self::Ranges { edges, .. } => edges.len() + 1,
            Self::Levels { columns, .. } => columns.len(),
        }
    }

    pub(crate) fn features(&self) -> &[u32] {
        match self {
            Self::Ranges { feature, .. } => std::slice::from_ref(feature),
            Self::Levels { columns, .. } => columns,
        }
    }

    fn validate(&self, place: &str, n_features: usize) -> Result<(), ModelError> {
        let (name, is_usable) = match self {
            Self::Ranges { name, edges, .. } => {
                let rises = edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted_by(|a, b| a < b);
                (name, rises && !edges.is_empty())
            }
            Self::Levels { name, columns } => (name, !columns.is_empty()),
        };
        let place = format!("dimension `{name}` of {place}");
        if !is_usable {
            return broken(&place, "it has columns, or edges that are finite and rise");
        }
        self.features().iter().try_for_each(|&feature| in_schema(feature, &place, n_features))
    }
}

impl CohortBands {
    /// The edges of the row whose feature `i` is `value(i)`.
    pub(super) fn of_row(&self, value: &dyn Fn(usize) -> f32) -> Bands {
        finest(&self.by, &self.cohorts, value).bands
    }

    pub(super) fn features(&self) -> impl Iterator<Item = usize> {
        self.by.iter().flat_map(Dimension::features).map(|&feature| feature as usize)
    }

    pub(super) fn validate(&self, n_features: usize) -> Result<(), ModelError> {
        if self.by.is_empty() {
            return broken(PLACE, "there is a dimension");
        }
        validate_cohorts(PLACE, &self.by, &self.cohorts, n_features)
    }
}

impl OfCohort for CohortEdges {
    fn levels(&self) -> &[u32] {
        &self.levels
    }
}

/// The finest of `cohorts` on the way down of the row whose feature `i` is `value(i)`; the first is everybody.
pub(crate) fn finest<'a, C: OfCohort>(by: &[Dimension], cohorts: &'a [C], value: &dyn Fn(usize) -> f32) -> &'a C {
    let mut found = &cohorts[0];
    for n_dimensions in 1..=by.len() {
        let dimensions = &by[..n_dimensions];
        if dimensions[n_dimensions - 1].level(value).is_none() {
            break;
        }
        // Levels are asked for again rather than stored, so that a row needs no allocation.
        let levels = || dimensions.iter().filter_map(|dimension| dimension.level(value));
        let Ok(place) = cohorts.binary_search_by(|cohort| cohort.levels().iter().copied().cmp(levels())) else {
            break;
        };
        found = &cohorts[place];
    }
    found
}

/// Checks the dimensions, and that everybody stands first, cohorts are sorted, and each has a parent among them.
pub(crate) fn validate_cohorts<C: OfCohort>(
    place: &str,
    by: &[Dimension],
    cohorts: &[C],
    n_features: usize,
) -> Result<(), ModelError> {
    if cohorts.first().is_none_or(|first| !first.levels().is_empty()) {
        return broken(place, "everybody stands first");
    }
    by.iter().try_for_each(|dimension| dimension.validate(place, n_features))?;
    for (at, cohort) in cohorts.iter().enumerate().skip(1) {
        let (levels, earlier) = (cohort.levels(), &cohorts[..at]);
        if earlier[at - 1].levels() >= levels {
            return broken(place, "cohorts are sorted by their levels");
        }
        let parent = &levels[..levels.len() - 1];
        if earlier.binary_search_by(|of| of.levels().cmp(parent)).is_err() {
            return broken(place, "each cohort has a parent");
        }
        let fits = |(place, &level): (usize, &u32)| {
            by.get(place).is_some_and(|dimension| (level as usize) < dimension.n_levels())
        };
        if !levels.iter().enumerate().all(fits) {
            return broken(place, "each level is one of its dimension");
        }
    }
    Ok(())
}
