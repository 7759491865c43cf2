//! Accounts in the order in which they would be contacted, and draws of them.

use rayon::prelude::*;

use super::{Ranking, ValueOptions, Valued};
use crate::bootstrap::draw;

/// Accounts from the first to be contacted to the last, as columns.
#[derive(Debug)]
pub(crate) struct Ranked {
    pub(crate) probability: Vec<f64>,
    pub(crate) churned: Vec<bool>,
    pub(crate) arr: Vec<f64>,
}

impl Ranked {
    pub(crate) fn new(accounts: &Valued<'_>, ranking: Ranking) -> Self {
        let key = |row: usize| match ranking {
            Ranking::Probability => accounts.probability[row],
            Ranking::ArrAtRisk => accounts.probability[row] * accounts.arr[row],
        };
        let mut rows: Vec<usize> = (0..accounts.probability.len()).collect();
        rows.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
        Self {
            probability: rows.iter().map(|&row| accounts.probability[row]).collect(),
            churned: rows.iter().map(|&row| accounts.churned[row]).collect(),
            arr: rows.iter().map(|&row| accounts.arr[row]).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.arr.len()
    }

    pub(crate) fn n_churned(&self) -> usize {
        self.churned.iter().filter(|&&churned| churned).count()
    }

    /// `measure` on each replicate, given how often each rank was drawn; none where there is too little evidence. Bits do not
    /// depend on threads.
    pub(crate) fn replicates<T: Send>(&self, options: &ValueOptions, measure: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
        let n_churned = self.n_churned();
        if n_churned < options.min_events.max(2) {
            return Vec::new();
        }
        let replicate = |times: &mut Vec<u32>, stream: usize| {
            draw(options.seed, stream as u64, self.len(), times);
            measure(times)
        };
        (0..options.n_bootstrap).into_par_iter().map_init(Vec::new, replicate).collect()
    }
}
