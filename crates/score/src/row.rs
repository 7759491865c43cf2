//! One row, scored without allocation.

use bellwether_core::{Band, RowStatus};

use crate::scorer::status_of;
use crate::{ScoreError, Scorer};

/// What was found for one row beside its probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowScore {
    /// What numbers the row has, as in `Scores::status`.
    pub status: RowStatus,
    /// As `Scores::coverage`.
    pub coverage: f64,
    /// As `Scores::health_coverage`.
    pub health_coverage: f64,
    /// As `Scores::health_score`.
    pub health_score: Option<f64>,
    /// As `Scores::band`.
    pub band: Option<Band>,
}

impl Scorer {
    /// Scores one row, NaN = missing, as [`Scorer::score`] does and to the same bits, without allocation. Writes its
    /// probabilities into `probability`, one a target in the order of [`Scorer::targets`].
    ///
    /// # Errors
    /// [`ScoreError::Features`] for a row of another width, [`ScoreError::Shape`] where `probability` has not one place
    /// a target, [`ScoreError::Infinite`] for an infinite value, [`ScoreError::NotFinite`] if a model overflows.
    pub fn score_one(&self, row: &[f32], probability: &mut [Option<f64>]) -> Result<RowScore, ScoreError> {
        let (found, expected) = (row.len(), self.schema.len());
        if found != expected {
            return Err(ScoreError::Features { found, expected });
        }
        let (found, expected) = (probability.len(), self.models.len());
        if found != expected {
            return Err(ScoreError::Shape { place: "the list of probabilities".to_owned(), found, expected });
        }
        if let Some(feature) = row.iter().position(|value| value.is_infinite()) {
            return Err(ScoreError::Infinite { row: 0, feature, value: row[feature] });
        }
        let coverage = self.coverage.of_row(row);
        let health = self.health.assess(|feature| row[feature]);
        let is_scored = coverage >= self.min_coverage;
        for ((&target, (kernel, calibration)), place) in self.models.iter().zip(&mut *probability) {
            let logit = kernel.logit_row(row)?;
            if is_scored && !logit.is_finite() {
                return Err(ScoreError::NotFinite { target, row: 0, logit });
            }
            *place = is_scored.then(|| calibration.probability(logit));
        }
        for step in self.horizons.steps() {
            let place = |target| self.models.keys().position(|&of| of == target);
            if let (Some(moved), Some(settled)) = (place(step.target), place(step.neighbour)) {
                let bound = probability[settled];
                probability[moved] = probability[moved].zip(bound).map(|(p, bound)| (step.nearest)(p, bound));
            }
        }
        let is_shown = is_scored && !health.is_refused;
        Ok(RowScore {
            status: status_of(is_scored, health.is_refused),
            coverage,
            health_coverage: health.coverage,
            health_score: is_shown.then_some(health.score),
            band: is_shown.then(|| health.band()),
        })
    }
}
