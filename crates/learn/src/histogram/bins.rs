//! Feature values as bins of one byte.

use bellwether_core::{Node, Tree};
use rayon::prelude::*;

use super::grow::{BinNode, BinTree};
use crate::threshold::halfway;

/// The bin of a missing value.
pub(crate) const MISSING: u8 = u8::MAX;

/// Bins a feature has beside that of missing values, at most.
const MOST_BINS: usize = MISSING as usize;

/// Bins are cut on this many rows, evenly spread, where there are more.
const MOST_ROWS_TO_CUT_ON: usize = 200_000;

/// Features whose bins stand side by side in a row.
pub(crate) const LANES: usize = 8;

/// How the values of each feature fall into bins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bins {
    of_feature: Vec<FeatureBins>,
}

/// The bins of one feature: bin `b` holds the values with `upper[b - 1] < value <= upper[b]`.
#[derive(Debug, Clone, PartialEq)]
struct FeatureBins {
    /// Strictly rising; the last is `f32::MAX`, above every value.
    upper: Vec<f32>,
    /// The lower median of the known values, where none is missing.
    median_if_complete: Option<f32>,
}

impl Bins {
    /// Bins of about equally many rows, one a value where there are few; `columns` have finite or missing values.
    pub(crate) fn of(columns: &[Vec<f32>]) -> Self {
        Self { of_feature: columns.par_iter().map(|column| FeatureBins::of(column)).collect() }
    }

    pub(crate) fn n_features(&self) -> usize {
        self.of_feature.len()
    }

    /// How many bins the known values of `feature` have, at least 1.
    pub(crate) fn n_bins(&self, feature: usize) -> usize {
        self.of_feature[feature].upper.len()
    }

    /// Whether a missing value goes left, if `feature` was never missing in training: where its median goes.
    pub(crate) fn default_left(&self, feature: usize, bin: u8) -> Option<bool> {
        let bins = &self.of_feature[feature];
        bins.median_if_complete.map(|median| median <= bins.upper[usize::from(bin)])
    }

    /// The largest value of bin `bin` of `feature`.
    pub(crate) fn threshold(&self, feature: usize, bin: u8) -> f32 {
        self.of_feature[feature].upper[usize::from(bin)]
    }

    /// The bins of `columns`, one a value.
    pub(crate) fn columns(&self, columns: &[Vec<f32>]) -> Vec<Vec<u8>> {
        let of_column = |(column, bins): (&Vec<f32>, &FeatureBins)| {
            let padded = bins.padded();
            column.iter().map(|&value| bin(&padded, value)).collect()
        };
        columns.par_iter().zip(&self.of_feature).map(of_column).collect()
    }

    /// `tree` on raw values: each value goes where its bin went.
    pub(crate) fn tree(&self, tree: &BinTree) -> Tree {
        let node = |node: &BinNode| match *node {
            BinNode::Leaf { value } => Node::Leaf { value },
            BinNode::Split { feature, bin, missing_left, left, right } => {
                let threshold = self.threshold(feature as usize, bin);
                Node::Split { feature, threshold, missing_left, left, right }
            }
        };
        Tree { nodes: tree.nodes.iter().map(node).collect() }
    }
}

impl FeatureBins {
    fn of(column: &[f32]) -> Self {
        let n = column.len();
        let n_sampled = n.min(MOST_ROWS_TO_CUT_ON);
        let sampled = (0..n_sampled).map(|k| column[k * n / n_sampled]);
        let mut known: Vec<f32> = sampled.filter(|value| !value.is_nan()).collect();
        known.sort_unstable_by(f32::total_cmp);
        let complete = column.iter().all(|value| !value.is_nan());
        let median = known.get(known.len().saturating_sub(1) / 2).copied();
        Self { upper: upper_bounds(&known), median_if_complete: median.filter(|_| complete) }
    }

    /// The upper bounds, padded for the search.
    fn padded(&self) -> [f32; 256] {
        let mut padded = [f32::MAX; 256];
        padded[..self.upper.len()].copy_from_slice(&self.upper);
        padded
    }
}

/// The bin of `value`: how many bounds lie below it, by bisection without branches.
#[inline]
fn bin(padded: &[f32; 256], value: f32) -> u8 {
    let mut n_below = 0_usize;
    for step in [128, 64, 32, 16, 8, 4, 2, 1] {
        n_below += if padded[(n_below + step - 1) & 255] < value { step } else { 0 };
    }
    if value.is_nan() { MISSING } else { n_below as u8 }
}

/// Bounds between neighbouring distinct values of `sorted`. A value as frequent as a mean bin has a bin of its own.
/// Source: `GreedyFindBin` of `LightGBM`.
fn upper_bounds(sorted: &[f32]) -> Vec<f32> {
    let runs: Vec<&[f32]> = sorted.chunk_by(|a, b| a == b).collect();
    let mut upper = Vec::with_capacity(MOST_BINS);
    let between = |last: usize| halfway(runs[last][0], runs[last + 1][0]);
    if runs.len() <= MOST_BINS {
        upper.extend((1..runs.len()).map(|next| between(next - 1)));
        upper.push(f32::MAX);
        return upper;
    }
    let mean = sorted.len() as f64 / MOST_BINS as f64;
    let is_big = |run: usize| runs[run].len() as f64 >= mean;
    let (n_big, in_big) =
        (0..runs.len()).filter(|&run| is_big(run)).fold((0, 0), |(n, rows), run| (n + 1, rows + runs[run].len()));
    let (mut bins_left, mut rows_left) = (MOST_BINS - n_big, sorted.len() - in_big);
    let mut mean_of_rest = rows_left as f64 / bins_left.max(1) as f64;
    let mut in_bin = 0;
    for (run, of_run) in runs.iter().enumerate().take(runs.len() - 1) {
        in_bin += of_run.len();
        rows_left -= if is_big(run) { 0 } else { of_run.len() };
        let full = in_bin as f64 >= mean_of_rest;
        let before_big = is_big(run + 1) && in_bin as f64 >= (mean_of_rest * 0.5).max(1.0);
        if is_big(run) || full || before_big {
            upper.push(between(run));
            if upper.len() == MOST_BINS - 1 {
                break;
            }
            in_bin = 0;
            if !is_big(run) {
                bins_left -= 1;
                mean_of_rest = rows_left as f64 / bins_left.max(1) as f64;
            }
        }
    }
    upper.push(f32::MAX);
    upper
}

/// Rows as bins, twice: feature by feature for parting rows, row by row for histograms.
#[derive(Debug)]
pub(crate) struct Binned {
    n_rows: usize,
    n_groups: usize,
    by_feature: Vec<Vec<u8>>,
    /// Groups of [`LANES`] features, `n_groups` a row; the features beyond the last have bin 0.
    by_row: Vec<[u8; LANES]>,
    /// Where the first row begins: at a cache line.
    first: usize,
    /// Bins of known values, by group.
    n_bins: Vec<[usize; LANES]>,
}

impl Binned {
    /// `columns` as `bins` have them.
    pub(crate) fn new(columns: &[Vec<f32>], bins: &Bins) -> Self {
        let n_rows = columns.first().map_or(0, Vec::len);
        let by_feature = bins.columns(columns);
        let n_groups = columns.len().div_ceil(LANES);
        let mut by_row = vec![[0; LANES]; n_rows * n_groups + LANES];
        let first = (by_row.as_ptr().align_offset(64)).min(LANES);
        let rows = &mut by_row[first..first + n_rows * n_groups];
        rows.par_chunks_mut(ROWS_A_CHUNK * n_groups.max(1)).enumerate().for_each(|(chunk, into)| {
            for (feature, bins) in by_feature.iter().enumerate() {
                let (group, lane) = (feature / LANES, feature % LANES);
                let of_rows = bins.iter().skip(chunk * ROWS_A_CHUNK);
                for (groups, &bin) in into.chunks_exact_mut(n_groups).zip(of_rows) {
                    groups[group][lane] = bin;
                }
            }
        });
        let of_lane = |feature: usize| if feature < columns.len() { bins.n_bins(feature) } else { 1 };
        let n_bins = (0..n_groups).map(|group| std::array::from_fn(|lane| of_lane(group * LANES + lane))).collect();
        Self { n_rows, n_groups, by_feature, by_row, first, n_bins }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(crate) fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// The bins of `feature`, one a row.
    pub(crate) fn feature(&self, feature: usize) -> &[u8] {
        &self.by_feature[feature]
    }

    /// How many bins the known values of each feature of each group have.
    pub(crate) fn n_bins(&self) -> &[[usize; LANES]] {
        &self.n_bins
    }

    /// All groups of all rows, `n_groups` a row.
    pub(crate) fn groups(&self) -> &[[u8; LANES]] {
        &self.by_row[self.first..self.first + self.n_rows * self.n_groups]
    }
}

/// Rows that are turned at a time.
const ROWS_A_CHUNK: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<f32>> {
        let value = prop_oneof![
            4 => any::<f32>().prop_filter("finite or missing", |x| !x.is_infinite()),
            4 => (-300_i16..300).prop_map(f32::from),
            1 => Just(f32::NAN),
            1 => Just(0.0_f32),
            1 => Just(-0.0_f32),
        ];
        prop::collection::vec(value, 1..2000)
    }

    proptest! {
        /// A split of bins is the same split of values, for every value of the rows and its neighbours.
        #[test]
        fn bins_and_thresholds_part_alike(values in values()) {
            let bins = FeatureBins::of(&values);
            let padded = bins.padded();
            prop_assert!(bins.upper.len() <= MOST_BINS && bins.upper.is_sorted_by(|a, b| a < b));
            for value in values.iter().flat_map(|value| [value.next_down(), *value, value.next_up()]) {
                let bin = bin(&padded, value);
                prop_assert_eq!(bin == MISSING, value.is_nan());
                if value.is_finite() {
                    prop_assert!(value <= bins.upper[usize::from(bin)]);
                    prop_assert!(bin == 0 || value > bins.upper[usize::from(bin) - 1]);
                }
            }
        }

        #[test]
        fn few_values_have_a_bin_each(distinct in prop::collection::btree_set(-1000_i32..1000, 1..255)) {
            let values: Vec<f32> = distinct.iter().map(|&x| x as f32 * 0.1).collect();
            let padded = FeatureBins::of(&values).padded();
            let bins: Vec<u8> = values.iter().map(|&value| bin(&padded, value)).collect();
            prop_assert_eq!(bins, (0..values.len()).map(|bin| bin as u8).collect::<Vec<_>>());
        }
    }

    #[test]
    fn many_values_are_cut_into_about_even_bins_and_a_frequent_one_stands_alone() {
        let values: Vec<f32> = (0..30_000).map(|k| if k < 6_000 { 7.5 } else { k as f32 / 1000.0 }).collect();
        let bins = FeatureBins::of(&values);
        let padded = bins.padded();
        let mut counts = vec![0_usize; bins.upper.len()];
        for &value in &values {
            counts[usize::from(bin(&padded, value))] += 1;
        }
        let alone = usize::from(bin(&padded, 7.5));
        assert!((6_000..6_002).contains(&counts[alone]), "{}", counts[alone]);
        counts.remove(alone);
        assert!(counts.len() > 240 && counts.iter().all(|&n| n < 150), "{counts:?}");
    }

    #[test]
    fn rows_and_features_tell_the_same_bins() {
        let columns: Vec<Vec<f32>> =
            (0..11).map(|f| (0..3000).map(|row| ((row * (f + 3)) % 101) as f32).collect()).collect();
        let binned = Binned::new(&columns, &Bins::of(&columns));
        for row in (0..3000).step_by(7) {
            for feature in 0..11 {
                let group = binned.groups()[row * binned.n_groups() + feature / LANES];
                assert_eq!(group[feature % LANES], binned.feature(feature)[row]);
            }
        }
    }
}
