//! What is scored at a time.

use bellwether_core::{RawTable, RowKey, RowStatus, TextColumn};

use crate::FeatureTable;

/// Rows to be scored, some at a time: one an account and day, sorted by both.
#[derive(Debug, Clone, Default)]
pub struct ScoringRows {
    /// Who and when.
    pub keys: Vec<RowKey>,
    /// Why an account has no honest number, as far as that is known before its features are looked at.
    pub status: Vec<RowStatus>,
    /// The models' features.
    pub raw: RawTable,
    /// The levels by segment.
    pub segments: Vec<(String, TextColumn)>,
    /// Annual recurring revenue; NaN where unknown, `None` where nobody knows any.
    pub arr: Option<Vec<f64>>,
}

impl ScoringRows {
    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.keys.len()
    }
}

impl From<FeatureTable> for ScoringRows {
    fn from(table: FeatureTable) -> Self {
        let FeatureTable { keys, status, raw, segments, arr, .. } = table;
        Self { keys, status, raw, segments, arr }
    }
}
