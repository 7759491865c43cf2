//! Bands by cohort, learnt from the training rows' scores.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::{
    Bands, CohortBands, CohortEdges, Dimension, FeatureMatrix, FeatureSchema, HealthModel, quantile,
};

use crate::error::first_of;
use crate::plan::near_matches;
use crate::{DimensionSpec, HealthError, Scorecard, ThresholdsSpec};

const PLACE: &str = "the thresholds";

/// `scorecard` with bands by cohort.
///
/// In each cohort of `min_accounts` training accounts or more, as large a share of its training rows is red, and red or
/// yellow, as of all: its own edges are those quantiles of its scores (type 7). They are drawn to the parent's,
/// `(n * own + k * parent) / (n + k)` with `n` accounts and `k` the shrinkage (Bühlmann 1967); everybody's are the
/// declared ones.
pub(crate) fn with_thresholds(
    scorecard: Scorecard,
    spec: &ThresholdsSpec,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
    account: &[u32],
) -> Result<Scorecard, HealthError> {
    let by = first_of(check(spec, schema))?;
    let scores = Scores::of(&scorecard.health_model(), x, training_rows, account, &by);
    let cohorts = scores.edges(spec, scorecard.bands);
    let mut scorecard = scorecard;
    let rules = scorecard.rules.as_mut().expect("thresholds are rules");
    rules.thresholds = Some(CohortBands { by, cohorts });
    scorecard.validate().map(|()| scorecard)
}

/// The dimensions that can be, and every rule that `spec` breaks.
pub(crate) fn check(spec: &ThresholdsSpec, schema: &FeatureSchema) -> (Vec<Dimension>, Vec<HealthError>) {
    let (mut by, mut errors) = (Vec::new(), Vec::new());
    if !(spec.shrinkage.is_finite() && spec.shrinkage > 0.0) {
        errors.push(broken(format!("shrinkage is {}; it must be finite and above 0", spec.shrinkage)));
    }
    if spec.by.is_empty() {
        errors.push(broken("`by` names no dimension".to_owned()));
    }
    for of in &spec.by {
        match of.dimension(schema) {
            Ok(dimension) => by.push(dimension),
            Err(error) => errors.push(error),
        }
    }
    (by, errors)
}

fn broken(rule: String) -> HealthError {
    HealthError::Rule { place: PLACE.to_owned(), rule }
}

impl DimensionSpec {
    /// The dimension, over the columns of `schema`.
    ///
    /// # Errors
    /// [`HealthError::Rule`] for a feature that is not there, and for edges that do not rise.
    ///
    /// # Panics
    /// If the schema has 2^32 features.
    pub fn dimension(&self, schema: &FeatureSchema) -> Result<Dimension, HealthError> {
        let name = self.feature.clone();
        let as_place = |at: usize| u32::try_from(at).expect("a schema has fewer than 2^32 features");
        if !self.edges.is_empty() {
            let Some(feature) = schema.index_of(&name) else {
                let near = near_matches(&name, schema);
                return Err(broken(format!("`{name}` is no feature of this book; {near}")));
            };
            let edges = self.edges.clone();
            if !(edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted_by(|a, b| a < b)) {
                return Err(broken(format!("the edges of `{name}` are {edges:?}; they must be finite and rise")));
            }
            return Ok(Dimension::Ranges { name, feature: as_place(feature), edges });
        }
        let prefix = format!("{name}=");
        let columns: Vec<u32> = (schema.features().iter().enumerate())
            .filter(|(_, feature)| feature.name.starts_with(&prefix))
            .map(|(at, _)| as_place(at))
            .collect();
        if columns.is_empty() {
            return Err(broken(format!("`{name}` is no text of this book; a number needs `edges` to be cut at")));
        }
        Ok(Dimension::Levels { name, columns })
    }
}

/// The training rows' scores by cohort; everybody's levels are empty.
struct Scores {
    of: BTreeMap<Vec<u32>, (Vec<f64>, BTreeSet<u32>)>,
}

impl Scores {
    fn of(model: &HealthModel, x: &FeatureMatrix, rows: &[usize], account: &[u32], by: &[Dimension]) -> Self {
        let mut of: BTreeMap<Vec<u32>, (Vec<f64>, BTreeSet<u32>)> = BTreeMap::from([(Vec::new(), Default::default())]);
        for &row in rows {
            let value = |feature: usize| x.value(row, feature);
            let score = model.assess(value).score;
            let levels: Vec<u32> = by.iter().map_while(|dimension| dimension.level(value)).collect();
            for n_levels in 0..=levels.len() {
                let (scores, accounts) = of.entry(levels[..n_levels].to_vec()).or_default();
                scores.push(score);
                accounts.insert(account[row]);
            }
        }
        for (scores, _) in of.values_mut() {
            scores.sort_by(f64::total_cmp);
        }
        Self { of }
    }

    /// Sorted by levels, parents before their children.
    fn edges(&self, spec: &ThresholdsSpec, declared: Bands) -> Vec<CohortEdges> {
        let all = &self.of[&Vec::new()].0;
        let share_below = |edge: f64| all.partition_point(|&score| score < edge) as f64 / all.len().max(1) as f64;
        let shares = (share_below(declared.yellow_from()), share_below(declared.green_from()));
        let mut found: BTreeMap<Vec<u32>, CohortEdges> = BTreeMap::new();
        for (levels, (scores, accounts)) in &self.of {
            let n_accounts = accounts.len() as u64;
            let bands = match levels.split_last() {
                None => declared,
                Some((_, parent)) => {
                    let Some(parent) = found.get(parent).filter(|_| accounts.len() >= spec.min_accounts) else {
                        continue;
                    };
                    shrunk(scores, shares, n_accounts as f64, parent.bands, spec.shrinkage)
                }
            };
            found.insert(levels.clone(), CohortEdges { levels: levels.clone(), n_accounts, bands });
        }
        found.into_values().collect()
    }
}

fn shrunk(sorted: &[f64], shares: (f64, f64), n: f64, parent: Bands, k: f64) -> Bands {
    let toward = |own: f64, parent: f64| (n * own + k * parent) / (n + k);
    let own = |share| quantile(sorted, share).expect("a cohort has a row");
    let yellow = toward(own(shares.0), parent.yellow_from());
    let green = toward(own(shares.1), parent.green_from());
    // Rounding may close what the parent's weight keeps open; the parent's edges are then as good.
    Bands::new(yellow, green).unwrap_or(parent)
}
