//! Values as bytes: how many thresholds of a chunk lie below.

use bellwether_core::FeatureMatrix;

use super::group::MAX_BOUNDS;
use super::lookup::LANES;

/// The rank of a missing value.
pub(super) const MISSING: u8 = u8::MAX;

/// The thresholds of some features; at most [`MAX_BOUNDS`] each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ranks {
    /// By rising feature; a feature's place here is its slot.
    features: Vec<(u32, Vec<f32>)>,
}

impl Ranks {
    /// Whether these thresholds of features, rising, can be added.
    pub(super) fn fits<'a>(&self, of: impl Iterator<Item = (u32, &'a [f32])>) -> bool {
        of.into_iter().all(|(feature, bounds)| self.union(feature, bounds).len() <= MAX_BOUNDS)
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
        union.dedup();
        union
    }

    pub(super) fn n_slots(&self) -> usize {
        self.features.len()
    }

    /// The features, by slot.
    pub(super) fn features(&self) -> impl Iterator<Item = usize> {
        self.features.iter().map(|of| of.0 as usize)
    }

    pub(super) fn slot(&self, feature: u32) -> usize {
        self.features.binary_search_by_key(&feature, |of| of.0).expect("every feature of a chunk was added")
    }

    /// The largest rank of values that are not above `bound`.
    pub(super) fn bound(&self, feature: u32, bound: f32) -> u8 {
        let bounds = &self.features[self.slot(feature)].1;
        bounds.partition_point(|&known| known < bound) as u8
    }

    /// Writes the ranks of `n_rows` rows from `first_row`, slot after slot, `stride` ranks each.
    #[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
    #[inline(always)]
    pub(super) fn write(&self, x: &FeatureMatrix, first_row: usize, n_rows: usize, stride: usize, ranks: &mut [u8]) {
        for ((feature, bounds), ranks) in self.features.iter().zip(ranks.chunks_exact_mut(stride)) {
            let values = &x.column(*feature as usize)[first_row..first_row + n_rows];
            for (values, ranks) in values.chunks(LANES).zip(ranks.chunks_exact_mut(LANES)) {
                let mut of_lanes = [0.0; LANES];
                of_lanes[..values.len()].copy_from_slice(values);
                let mut counts = [0_u32; LANES];
                for &bound in bounds {
                    for (count, &value) in counts.iter_mut().zip(&of_lanes) {
                        *count = count.wrapping_add(u32::from(bound < value));
                    }
                }
                for ((rank, &count), &value) in ranks.iter_mut().zip(&counts).zip(&of_lanes) {
                    *rank = if value.is_nan() { MISSING } else { count as u8 };
                }
            }
        }
    }
}
