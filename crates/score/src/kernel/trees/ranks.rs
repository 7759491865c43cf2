//! Feature values as codes of one byte that order them against every threshold of an ensemble.
//!
//! `x <= t[i]` of the rising distinct thresholds `t` of a feature says the same as `rank(x) <= i`, where `rank(x)` is
//! how many thresholds are below `x`. So a value is ranked once, and every split on it compares one byte, exactly.
//!
//! A code is `1 + rank`, with 0 for a missing value that goes left everywhere and 255 for one that goes right; a
//! feature whose splits differ in that has a column of codes for each. A feature with more than [`WINDOW`] thresholds
//! has a column for each stretch of as many, in which the ranks below and above the stretch are its ends.

use std::ops::Range;

use bellwether_core::Node;

use super::portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::kernel::path::{Instructions, SimdPath};

/// Rows that are coded and walked side by side.
pub(crate) const LANES: usize = 128;
/// Thresholds that one column tells apart.
pub(crate) const WINDOW: usize = 253;
/// The code of a missing value that is above all others.
pub(crate) const MISSING: u8 = u8::MAX;

/// One byte for each of [`LANES`] rows.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(128))]
pub(crate) struct Lanes(pub(crate) [u8; LANES]);

/// The thresholds of an ensemble.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranks {
    pub(super) features: Vec<RankedFeature>,
    /// The levels of the search trees of all features, see [`RankedFeature::levels`].
    pub(super) tables: Vec<f32>,
    pub(super) columns: Vec<Column>,
}

/// How the values of one feature are ranked.
#[derive(Debug, Clone)]
pub(crate) struct RankedFeature {
    pub(crate) feature: usize,
    /// Levels of a complete search tree over the thresholds, filled up with infinity. Level `k` has `2^k` values from
    /// [`level_start`]`(k)` of the feature's table; a rank has the bits of its comparisons, the first uppermost.
    pub(super) n_levels: usize,
    pub(super) table: Range<usize>,
    pub(crate) columns: Range<usize>,
}

/// What one column of codes holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// The rank that gets the code 1.
    pub(super) first_rank: i32,
    /// The code of a missing value.
    pub(super) missing: u8,
}

/// A split as a comparison of codes: `code <= at_most` goes left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeSplit {
    pub(super) column: u32,
    pub(super) at_most: u8,
}

/// Thresholds by feature, and where their columns are.
#[derive(Debug)]
pub(super) struct Coder {
    features: Vec<Option<OfFeature>>,
}

#[derive(Debug, Default)]
struct OfFeature {
    /// Rising, none twice.
    thresholds: Vec<f32>,
    /// For each window and side (missing right, missing left) the column, where a split needs it.
    columns: Vec<[Option<u32>; 2]>,
}

/// Where level `k` begins in a table: levels of fewer than 16 values have the room of a register of 16.
pub(super) const fn level_start(level: usize) -> usize {
    if level < 4 { 16 * level } else { 48 + (1 << level) }
}

/// The largest rank that a column tells apart from the next.
pub(super) const LAST_IN_WINDOW: i32 = WINDOW as i32;

impl Ranks {
    /// The ranks and the coder of the splits of `nodes`.
    pub(super) fn new<'a>(n_features: usize, nodes: impl Iterator<Item = &'a Node> + Clone) -> (Self, Coder) {
        let mut features: Vec<Option<OfFeature>> = (0..n_features).map(|_| None).collect();
        let splits = nodes.filter_map(|node| match *node {
            Node::Split { feature, threshold, missing_left, .. } => Some((feature as usize, threshold, missing_left)),
            Node::Leaf { .. } => None,
        });
        for (feature, threshold, _) in splits.clone() {
            features[feature].get_or_insert_default().thresholds.push(threshold);
        }
        for of in features.iter_mut().flatten() {
            of.thresholds.sort_unstable_by(f32::total_cmp);
            // -0.0 and 0.0 are one threshold.
            of.thresholds.dedup_by(|a, b| a == b);
            of.columns = vec![[None; 2]; of.thresholds.len().div_ceil(WINDOW)];
        }
        for (feature, threshold, missing_left) in splits {
            if let Some(of) = &mut features[feature] {
                let window = if of.columns.len() == 1 { 0 } else { of.rank(threshold) / WINDOW };
                // Numbered below, when all are known.
                of.columns[window][usize::from(missing_left)] = Some(0);
            }
        }
        let mut ranks = Self::default();
        for (feature, of) in features.iter_mut().enumerate() {
            if let Some(of) = of {
                ranks.add(feature, of);
            }
        }
        (ranks, Coder { features })
    }

    fn add(&mut self, feature: usize, of: &mut OfFeature) {
        let first_column = self.columns.len();
        for (window, sides) in of.columns.iter_mut().enumerate() {
            for (column, missing) in sides.iter_mut().zip([MISSING, 0]) {
                if column.is_some() {
                    *column = Some(self.columns.len() as u32);
                    self.columns.push(Column { first_rank: (window * WINDOW) as i32, missing });
                }
            }
        }
        self.push(feature, &of.thresholds, first_column);
    }

    /// Adds a feature with a column of its own, in which missing values have the code [`MISSING`], for at most
    /// [`WINDOW`] `thresholds`, rising.
    pub(crate) fn add_column(&mut self, feature: usize, thresholds: &[f32]) {
        let first_column = self.columns.len();
        self.columns.push(Column { first_rank: 0, missing: MISSING });
        self.push(feature, thresholds, first_column);
    }

    /// Adds a feature whose columns, from the first, stand there already.
    fn push(&mut self, feature: usize, thresholds: &[f32], first_column: usize) {
        let n_levels = (thresholds.len() + 1).next_power_of_two().ilog2() as usize;
        let first_value = self.tables.len();
        self.tables.resize(first_value + level_start(n_levels.max(4)), f32::INFINITY);
        let table = &mut self.tables[first_value..];
        for level in 0..n_levels {
            let step = 1 << (n_levels - 1 - level);
            for place in 0..1 << level {
                let rank = (2 * place + 1) * step - 1;
                if let Some(&threshold) = thresholds.get(rank) {
                    table[level_start(level) + place] = threshold;
                }
            }
        }
        let table = first_value..self.tables.len();
        self.features.push(RankedFeature { feature, n_levels, table, columns: first_column..self.columns.len() });
    }

    /// The features that have codes.
    pub(crate) fn features(&self) -> &[RankedFeature] {
        &self.features
    }

    /// Writes the codes of one feature's `values` into its columns among the `codes` of all.
    pub(crate) fn encode(&self, path: SimdPath, of: &RankedFeature, values: &[f32; LANES], codes: &mut [Lanes]) {
        let table = &self.tables[of.table.clone()];
        let columns = &self.columns[of.columns.clone()];
        let codes = &mut codes[of.columns.clone()];
        match path.instructions() {
            Instructions::Portable => portable::encode(values, of.n_levels, table, columns, codes),
            // SAFETY: the path is one of this processor.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => unsafe { avx2::encode(values, of.n_levels, table, columns, codes) },
            // SAFETY: the path is one of this processor.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512::encode(values, of.n_levels, table, columns, codes) },
        }
    }
}

impl OfFeature {
    /// How many thresholds are below `value`.
    fn rank(&self, value: f32) -> usize {
        self.thresholds.partition_point(|&threshold| threshold < value)
    }
}

impl Coder {
    /// A split of the nodes that the coder was made from; `None` for another.
    pub(super) fn code(&self, feature: u32, threshold: f32, missing_left: bool) -> Option<CodeSplit> {
        let of = self.features.get(feature as usize)?.as_ref()?;
        let rank = of.rank(threshold);
        let column = of.columns.get(rank / WINDOW)?[usize::from(missing_left)]?;
        Some(CodeSplit { column, at_most: (rank % WINDOW) as u8 + 1 })
    }
}
