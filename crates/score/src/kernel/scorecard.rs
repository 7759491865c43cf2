//! A scorecard, one column after the other.

use bellwether_core::{FeatureMatrix, ScorecardModel};

/// Writes the logits of the rows from `first_row`.
pub(super) fn logits(card: &ScorecardModel, x: &FeatureMatrix, first_row: usize, logits: &mut [f64]) {
    health(card, x, first_row, logits);
    for logit in logits {
        *logit = logit_of(card, *logit);
    }
}

/// The logit of a health score.
pub(super) fn logit_of(card: &ScorecardModel, health: f64) -> f64 {
    f64::from(card.intercept) + f64::from(card.slope) * health
}

/// Writes the health of the rows from `first_row`. Every row adds its indicators in order, as
/// `ScorecardModel::health` does.
pub(crate) fn health(card: &ScorecardModel, x: &FeatureMatrix, first_row: usize, health: &mut [f64]) {
    let mut weights = vec![0.0; health.len()];
    health.fill(0.0);
    for indicator in &card.indicators {
        let values = &x.column(indicator.feature as usize)[first_row..first_row + weights.len()];
        let weight = f64::from(indicator.weight);
        for ((points, weights), &value) in health.iter_mut().zip(&mut weights).zip(values) {
            if let Some(earned) = indicator.points(value) {
                *points += weight * earned;
                *weights += weight;
            }
        }
    }
    for (points, &weights) in health.iter_mut().zip(&weights) {
        *points = if weights > 0.0 { 100.0 * *points / weights } else { 50.0 };
    }
}
