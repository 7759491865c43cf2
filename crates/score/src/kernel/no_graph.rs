//! Without tract no graph of other software is computed.

use super::rows::Rows;
use crate::ScoreError;

/// There is none.
#[derive(Debug, Clone)]
pub(super) enum GraphPlan {}

impl GraphPlan {
    pub(super) fn new(_: &[u8], _: usize, target: &str) -> Result<Self, ScoreError> {
        Err(ScoreError::NoRuntime { target: target.to_owned() })
    }

    pub(super) const fn logits(&self, _: &Rows<'_>) -> Result<Vec<f64>, ScoreError> {
        match *self {}
    }

    pub(super) const fn logit_row(&self, _: &[f32]) -> Result<f64, ScoreError> {
        match *self {}
    }
}
