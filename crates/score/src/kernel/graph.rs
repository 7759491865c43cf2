//! A graph of other software, computed by tract.

use std::sync::Arc;

use rayon::prelude::*;
use tract_onnx::prelude::*;

use super::TASK_ROWS;
use super::rows::Rows;
use crate::ScoreError;

/// Rows that tract is given at a time, always: it chooses how to compute by the sizes of tensors, so a row has the same bits
/// in every batch only where the tensors have one size.
const BATCH_ROWS: usize = 64;

/// A plan for tensors of [`BATCH_ROWS`] rows.
#[derive(Clone)]
pub(super) struct GraphPlan {
    n_features: usize,
    plan: Arc<TypedSimplePlan>,
}

impl std::fmt::Debug for GraphPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphPlan").field("n_features", &self.n_features).finish_non_exhaustive()
    }
}

impl GraphPlan {
    /// Prepares a file that `bellwether_onnx::decode` has read.
    pub(super) fn new(bytes: &[u8], n_features: usize, _target: &str) -> Result<Self, ScoreError> {
        let plan = || {
            let mut bytes = bytes;
            let rows = InferenceFact::dt_shape(f32::datum_type(), [BATCH_ROWS, n_features]);
            let model = tract_onnx::onnx().model_for_read(&mut bytes)?.with_input_fact(0, rows)?;
            model.into_optimized()?.into_runnable()
        };
        Ok(Self { n_features, plan: plan().map_err(refused)? })
    }

    /// The logit of each row, in row order; finite.
    pub(super) fn logits(&self, rows: &Rows<'_>) -> Result<Vec<f64>, ScoreError> {
        let mut logits = vec![0.0; rows.n_rows()];
        let tasks = logits.par_chunks_mut(TASK_ROWS).enumerate();
        tasks.try_for_each(|(task, logits)| {
            let batches = logits.chunks_mut(BATCH_ROWS).enumerate();
            batches.into_iter().try_for_each(|(batch, logits)| {
                let first_row = task * TASK_ROWS + batch * BATCH_ROWS;
                self.batch(logits, |place, feature| rows.value(first_row + place, feature))
            })
        })?;
        match logits.iter().position(|logit| !logit.is_finite()) {
            Some(row) => Err(ScoreError::GraphNotFinite { row, logit: logits[row] }),
            None => Ok(logits),
        }
    }

    /// The logit of one row, to the same bits.
    pub(super) fn logit_row(&self, row: &[f32]) -> Result<f64, ScoreError> {
        Ok(self.logits(&Rows::row_major(row, self.n_features)?)?[0])
    }

    /// At most [`BATCH_ROWS`] rows; the first one stands in the places that are left.
    fn batch(&self, logits: &mut [f64], value: impl Fn(usize, usize) -> f32) -> Result<(), ScoreError> {
        let n_rows = logits.len();
        let values = |(place, feature): (usize, usize)| value(if place < n_rows { place } else { 0 }, feature);
        let rows = Tensor::from(tract_ndarray::Array2::from_shape_fn((BATCH_ROWS, self.n_features), values));
        let found = self.plan.run(tvec!(rows.into_tvalue())).map_err(refused)?;
        let found = found[0].to_plain_array_view::<f32>().map_err(refused)?;
        for (logit, &of_row) in logits.iter_mut().zip(found.iter()) {
            *logit = f64::from(of_row);
        }
        Ok(())
    }
}

fn refused(error: TractError) -> ScoreError {
    ScoreError::Reference(error.into())
}
