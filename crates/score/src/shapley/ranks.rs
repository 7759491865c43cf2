//! Values as bytes: how many thresholds of a chunk lie below.

use bellwether_core::FeatureMatrix;

use crate::SimdPath;
use crate::kernel::trees::ranks::{self, LANES, Lanes, WINDOW};

/// The thresholds of some features; at most [`WINDOW`] each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ranks {
    /// By rising feature; a feature's place here is its slot.
    features: Vec<(u32, Vec<f32>)>,
}

impl Ranks {
    /// Whether these thresholds of features, rising, can be added.
    pub(super) fn fits<'a>(&self, of: impl Iterator<Item = (u32, &'a [f32])>) -> bool {
        of.into_iter().all(|(feature, bounds)| self.union(feature, bounds).len() <= WINDOW)
    }

    /// Adds thresholds of a feature, rising.
    pub(super) fn add(&mut self, feature: u32, bounds: &[f32]) {
        let union = self.union(feature, bounds);
        match self.features.binary_search_by_key(&feature, |of| of.0) {
            Ok(slot) => self.features[slot].1 = union,
            Err(slot) => self.features.insert(slot, (feature, union)),
        }
    }

    fn union(&self, feature: u32, bounds: &[f32]) -> Vec<f32> {
        let known = self.features.binary_search_by_key(&feature, |of| of.0).map(|slot| &self.features[slot].1[..]);
        let mut union = [known.unwrap_or_default(), bounds].concat();
        union.sort_unstable_by(f32::total_cmp);
        // -0.0 and 0.0 are one threshold.
        union.dedup_by(|a, b| a == b);
        union
    }

    pub(super) fn slot(&self, feature: u32) -> usize {
        self.features.binary_search_by_key(&feature, |of| of.0).expect("every feature of a chunk was added")
    }

    /// The largest code of values that are not above `bound`.
    pub(super) fn bound(&self, feature: u32, bound: f32) -> u8 {
        let bounds = &self.features[self.slot(feature)].1;
        bounds.partition_point(|&known| known < bound) as u8 + 1
    }

    /// What makes the codes; a feature's slot is its place.
    pub(super) fn compiled(&self) -> ranks::Ranks {
        let mut compiled = ranks::Ranks::default();
        for (feature, bounds) in &self.features {
            compiled.add_column(*feature as usize, bounds);
        }
        compiled
    }
}

/// Writes the codes of `n_rows` rows from `first_row`, slot after slot; rows beyond have some code or other.
pub(super) fn write(
    ranks: &ranks::Ranks,
    path: SimdPath,
    x: &FeatureMatrix,
    first_row: usize,
    n_rows: usize,
    codes: &mut [Lanes],
) {
    for of in ranks.features() {
        let values = &x.column(of.feature)[first_row..first_row + n_rows];
        if let Ok(whole) = values.try_into() {
            ranks.encode(path, of, whole, codes);
        } else {
            let mut whole = [0.0; LANES];
            whole[..n_rows].copy_from_slice(values);
            ranks.encode(path, of, &whole, codes);
        }
    }
}
