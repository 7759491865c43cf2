//! Shapley values of sums of one term a feature.

use bellwether_core::{FeatureMatrix, Linear};

/// What each term of a linear model adds beyond its mean. Without interactions the order in which features become known
/// does not matter, so that this is the Shapley value.
#[derive(Debug, Clone)]
pub(super) struct LinearShapley {
    model: Linear,
    /// The mean of each term.
    means: Vec<f64>,
}

impl LinearShapley {
    /// `means` has one number a term.
    pub(super) fn new(model: &Linear, means: Vec<f64>) -> Self {
        Self { model: model.clone(), means }
    }

    /// Against each row of `rows`, of which there is one.
    pub(super) fn against(model: &Linear, rows: &FeatureMatrix) -> Self {
        let mean = |(column, term): (usize, &bellwether_core::LinearTerm)| {
            rows.column(column).iter().map(|&x| term.logit(x)).sum::<f64>() / rows.n_rows() as f64
        };
        Self::new(model, model.terms.iter().enumerate().map(mean).collect())
    }

    pub(super) fn expected(&self) -> f64 {
        f64::from(self.model.intercept) + self.means.iter().sum::<f64>()
    }

    pub(super) fn contributions(&self, x: &FeatureMatrix, first_row: usize, into: &mut [f64]) {
        let n_features = self.means.len();
        for (column, (term, mean)) in self.model.terms.iter().zip(&self.means).enumerate() {
            let values = &x.column(column)[first_row..];
            for (row, &value) in into.chunks_exact_mut(n_features).zip(values) {
                row[column] = term.logit(value) - mean;
            }
        }
    }
}
