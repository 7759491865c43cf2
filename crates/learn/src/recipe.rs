//! How boosted trees are grown.

use serde::{Deserialize, Serialize};

/// How boosted trees are grown, beside their number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Leaves of a tree, at most; at least 1. The leaf with the largest gain is split next.
    pub leaves: usize,
    /// Splits on a path, at most.
    pub depth: usize,
    /// What a leaf's value is multiplied with, above 0.
    pub learning_rate: f64,
    /// Rows of a leaf, at least, as far as their hessians tell.
    pub least_rows: f64,
    /// L2 penalty on leaf values; a row at a probability of a half adds 0.25 to what it is compared with.
    pub l2: f64,
    /// Share of the rows that a tree sees, in `0.0..=1.0`.
    pub share_of_rows: f64,
    /// Share of the features that a tree sees, in `0.0..=1.0`; it sees at least one.
    pub share_of_features: f64,
}

impl Recipe {
    /// The usual recipe for small and medium books.
    pub const USUAL: Self = Self {
        leaves: 16,
        depth: 4,
        learning_rate: 0.05,
        least_rows: 20.0,
        l2: 5.0,
        share_of_rows: 0.8,
        share_of_features: 0.6,
    };
}
