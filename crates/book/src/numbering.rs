//! Things by the order of their first use.

use std::hash::Hash;

use polars::prelude::{InitHashMaps as _, PlHashMap};

/// Numbers distinct things from 0, as they come. The map is only looked up, never walked.
pub(crate) struct Numbering<K>(PlHashMap<K, u32>);

impl<K: Eq + Hash> Numbering<K> {
    /// With room for so many.
    pub(crate) fn with_capacity(n_distinct: usize) -> Self {
        Self(PlHashMap::with_capacity(n_distinct))
    }

    /// The number of `of`; `first` is called where it has none yet.
    pub(crate) fn number(&mut self, of: K, first: impl FnOnce()) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(of).or_insert_with(|| {
            first();
            next
        })
    }
}
