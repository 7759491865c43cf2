//! Rows by account: sums, and shares with intervals.

use crate::proportion::{Part, share};
use crate::results::Estimate;

/// The account of each row as a place among the distinct accounts, in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Accounts {
    place: Vec<u32>,
    n: usize,
}

impl Accounts {
    pub(crate) fn new(account: &[u32]) -> Self {
        let mut ids = account.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let place = |id: &u32| ids.binary_search(id).expect("the list was made of these") as u32;
        Self { place: account.iter().map(place).collect(), n: ids.len() }
    }

    /// `of` each row, summed by account.
    pub(crate) fn sums(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.n];
        for (row, &place) in self.place.iter().enumerate() {
            sums[place as usize] += of(row);
        }
        sums
    }

    /// Share of the rows `of` which are a `hit`, with Wilson's interval by account; hits; rows.
    pub(crate) fn share(
        &self,
        of: &dyn Fn(usize) -> bool,
        hit: &dyn Fn(usize) -> bool,
        confidence: f64,
    ) -> (Estimate, usize, usize) {
        let parts = self.parts(of, hit);
        let sum = |of: fn(&Part) -> u32| parts.iter().map(|part| of(part) as usize).sum();
        (share(&parts, confidence), sum(|part| part.hits), sum(|part| part.size))
    }

    /// Rows `of` which are a `hit`, and rows `of`, by account.
    pub(crate) fn parts(&self, of: &dyn Fn(usize) -> bool, hit: &dyn Fn(usize) -> bool) -> Vec<Part> {
        let mut parts = vec![Part::default(); self.n];
        for (row, &place) in self.place.iter().enumerate().filter(|&(row, _)| of(row)) {
            parts[place as usize].size += 1;
            parts[place as usize].hits += u32::from(hit(row));
        }
        parts
    }
}
