//! Shapley values of sums of one term a feature.

use bellwether_core::{FeatureMatrix, Linear};

use crate::kernel::trees::ranks::LANES;

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

    /// Writes what each feature adds to the rows from `first_row`, by feature.
    pub(super) fn contributions(&self, x: &FeatureMatrix, first_row: usize, out: &mut [[f64; LANES]]) {
        for (column, ((term, mean), out)) in self.model.terms.iter().zip(&self.means).zip(out).enumerate() {
            for (out, &value) in out.iter_mut().zip(&x.column(column)[first_row..]) {
                *out = term.logit(value) - mean;
            }
        }
    }
}
