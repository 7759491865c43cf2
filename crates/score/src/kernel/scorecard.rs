//! A scorecard, one column after the other.

use bellwether_core::{Assessment, Bands, FeatureMatrix, HealthModel, ScorecardModel};

use super::rows::Rows;

/// Writes the logits of the rows from `first_row`.
pub(super) fn logits(card: &ScorecardModel, rows: &Rows<'_>, first_row: usize, logits: &mut [f64]) {
    health(card, rows, first_row, logits);
    for logit in logits {
        *logit = logit_of(card, *logit);
    }
}

/// The logit of a health score.
pub(super) fn logit_of(card: &ScorecardModel, health: f64) -> f64 {
    f64::from(card.intercept) + f64::from(card.slope) * health
}

/// What a place of [`assess`] holds before.
pub(crate) const UNASSESSED: Assessment =
    Assessment { score: 0.0, bands: Bands::T_B, coverage: 0.0, is_refused: false, card: 0, veto: None };

/// Writes the health of the rows from `first_row`, to the bit what `HealthModel::assess` gives.
pub(crate) fn assess(model: &HealthModel, x: &FeatureMatrix, first_row: usize, into: &mut [Assessment]) {
    if model.rules.is_some() {
        for (row, found) in (first_row..).zip(into) {
            *found = model.assess(|feature| x.value(row, feature));
        }
        return;
    }
    let mut scores = vec![0.0; into.len()];
    let known = health(&model.card, &x.into(), first_row, &mut scores);
    let total = model.card.indicators.iter().fold(0.0, |total, of| total + f64::from(of.weight));
    for (found, (score, known)) in into.iter_mut().zip(scores.into_iter().zip(known)) {
        *found = Assessment { score, bands: model.bands, coverage: known / total, ..UNASSESSED };
    }
}

/// Writes the health of the rows from `first_row` and gives the weights of what is known. Every row adds its indicators
/// in order, as `ScorecardModel::health` does.
fn health(card: &ScorecardModel, rows: &Rows<'_>, first_row: usize, health: &mut [f64]) -> Vec<f64> {
    let mut weights = vec![0.0; health.len()];
    let mut buffer = Vec::new();
    health.fill(0.0);
    let mut from = first_row;
    let n = rows.block_rows();
    for (health, weights) in health.chunks_mut(n).zip(weights.chunks_mut(n)) {
        let block = rows.block(from..from + health.len(), &mut buffer);
        for indicator in &card.indicators {
            let weight = f64::from(indicator.weight);
            let values = block.values(indicator.feature as usize);
            for ((points, weights), &value) in health.iter_mut().zip(&mut *weights).zip(values) {
                if let Some(earned) = indicator.points(value) {
                    *points += weight * earned;
                    *weights += weight;
                }
            }
        }
        from += health.len();
    }
    for (points, &weights) in health.iter_mut().zip(&weights) {
        *points = if weights > 0.0 { 100.0 * *points / weights } else { 50.0 };
    }
    weights
}
