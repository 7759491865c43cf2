//! A graph of other software, taken apart by trying every set of its inputs.

use bellwether_core::{FeatureMatrix, Graph};
use rayon::prelude::*;

use crate::kernel::trees::ranks::LANES;
use crate::{Kernel, ScoreError};

/// The most inputs: twice the sets for each more.
pub(super) const MAX_INPUTS: usize = 12;

/// Shapley's own definition: the mean, over all orders in which inputs become known, of what each changes; an input that is
/// not known is each background row's in turn.
#[derive(Debug, Clone)]
pub(super) struct EnumeratedShapley {
    features: Vec<usize>,
    background: FeatureMatrix,
    expected: f64,
}

impl EnumeratedShapley {
    /// `None` where there are too many inputs.
    pub(super) fn new(kernel: &Kernel, graph: &Graph, background: &FeatureMatrix) -> Result<Option<Self>, ScoreError> {
        if graph.inputs.len() > MAX_INPUTS {
            return Ok(None);
        }
        let features = graph.inputs.iter().map(|input| input.feature as usize).collect();
        let expected = mean(&kernel.logits(background)?);
        Ok(Some(Self { features, background: background.clone(), expected }))
    }

    pub(super) const fn expected(&self) -> f64 {
        self.expected
    }

    /// Writes what each feature adds to `n_rows` rows from `first_row`, by feature.
    pub(super) fn contributions(
        &self,
        kernel: &Kernel,
        x: &FeatureMatrix,
        first_row: usize,
        n_rows: usize,
        out: &mut [[f64; LANES]],
    ) -> Result<(), ScoreError> {
        out.fill([0.0; LANES]);
        for (place, row) in (first_row..first_row + n_rows).enumerate() {
            let values = self.values(kernel, x, row)?;
            for (input, &feature) in self.features.iter().enumerate() {
                out[feature][place] = self.share(&values, input);
            }
        }
        Ok(())
    }

    /// The mean logit for each set of inputs that are the row's; bit `i` of its place says whether input `i` is.
    fn values(&self, kernel: &Kernel, x: &FeatureMatrix, row: usize) -> Result<Vec<f64>, ScoreError> {
        let n_rows = self.background.n_rows();
        let value = |set: usize| {
            let is_known = |feature: usize| {
                let input = self.features.iter().position(|&of| of == feature);
                input.is_some_and(|input| set >> input & 1 == 1)
            };
            let column = |feature: usize| {
                if is_known(feature) {
                    vec![x.value(row, feature); n_rows]
                } else {
                    self.background.column(feature).to_vec()
                }
            };
            let columns: Vec<Vec<f32>> = (0..x.n_cols()).map(column).collect();
            Ok(mean(&kernel.logits(&FeatureMatrix::from_columns(&columns)?)?))
        };
        (0..1_usize << self.features.len()).into_par_iter().map(value).collect()
    }

    /// `sum over sets S without the input of |S|! (n - |S| - 1)! / n! * (v(S and the input) - v(S))`.
    fn share(&self, values: &[f64], input: usize) -> f64 {
        let n = self.features.len();
        // |S|! (n - |S| - 1)! / n! is 1 / (n * (n - 1 over |S|)).
        let weight = |set: usize| {
            let size = set.count_ones() as usize;
            let choices = (0..size).fold(1.0, |product, at| product * (n - 1 - at) as f64 / (at + 1) as f64);
            1.0 / (n as f64 * choices)
        };
        let sets = (0..values.len()).filter(|set| set >> input & 1 == 0);
        sets.map(|set| weight(set) * (values[set | 1 << input] - values[set])).sum()
    }
}

fn mean(logits: &[f64]) -> f64 {
    logits.iter().sum::<f64>() / logits.len() as f64
}
