//! What is worked on at a time.

use super::deep::OfCondition;
use crate::kernel::trees::ranks::{LANES, Lanes};

/// What each feature adds to the sums of at most [`LANES`] rows, and what it is computed in.
#[derive(Debug)]
pub(super) struct Block {
    /// By feature.
    pub(super) out: Vec<[f64; LANES]>,
    /// By slot of a chunk.
    pub(super) codes: Vec<Lanes>,
    pub(super) sums: Vec<[i32; LANES]>,
    pub(super) scratch: Vec<OfCondition>,
}

impl Block {
    /// For chunks of at most `n_slots` slots.
    pub(super) fn new(n_features: usize, n_slots: usize) -> Self {
        Self {
            out: vec![[0.0; LANES]; n_features],
            codes: vec![Lanes([0; LANES]); n_slots],
            sums: vec![[0; LANES]; n_slots],
            scratch: Vec::new(),
        }
    }
}
