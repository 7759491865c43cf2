//! A weighted sum, one column after the other.

use bellwether_core::{FeatureMatrix, Linear, LinearTerm};

/// Writes the logits of the rows from `first_row`. Every row adds its terms in schema order, as `Model::logit` does.
pub(super) fn logits(linear: &Linear, x: &FeatureMatrix, first_row: usize, logits: &mut [f64]) {
    logits.fill(f64::from(linear.intercept));
    for (column, term) in linear.terms.iter().enumerate() {
        let values = &x.column(column)[first_row..first_row + logits.len()];
        for (logit, &value) in logits.iter_mut().zip(values) {
            *logit += logits_of(term, value);
        }
    }
}

/// The logit of one row.
pub(super) fn logit_row(linear: &Linear, row: &[f32]) -> f64 {
    let add = |sum: f64, (term, &value): (&LinearTerm, &f32)| sum + logits_of(term, value);
    linear.terms.iter().zip(row).fold(f64::from(linear.intercept), add)
}

fn logits_of(term: &LinearTerm, value: f32) -> f64 {
    let known = f64::from(term.weight) * f64::from(value.clamp(term.lower, term.upper) - term.center);
    if value.is_nan() { f64::from(term.missing_weight) } else { known }
}
