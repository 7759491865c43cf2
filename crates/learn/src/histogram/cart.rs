//! Classification trees on bins: each split leaves the least Gini impurity. Source: Breiman et al. (1984), CART.
//!
//! Weights are summed in the order of the rows, one feature by one thread: the number of threads has no say in a sum.

use rayon::prelude::*;

use super::bins::{Bins, MISSING};
use super::grow::goes_left;
use super::partition::part;
use crate::grown::{ByClass, Grown, GrownNode, GrownSplit};
use crate::holdout::mixed;
use crate::rows::Table;

/// Rows as bins, with their labels, to grow trees on.
#[derive(Debug)]
pub(crate) struct CartRows {
    bins: Bins,
    columns: Vec<Vec<u8>>,
    /// 1 where the outcome came, else 0.
    class: Vec<u8>,
    weights: Option<Vec<f64>>,
}

/// What a tree must keep to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CartRules {
    /// Splits on a path, at most.
    pub(crate) depth: u32,
    /// What a unit of weight of each class counts; each side of a split counts 1 or more.
    pub(crate) counts: ByClass,
    /// Features that a node looks at, drawn anew for each; others are looked at only where these cannot part its rows.
    pub(crate) features_a_node: usize,
    /// Where the draws come from.
    pub(crate) seed: u64,
}

/// Features whose sums one thread adds up together.
const FEATURES_A_BLOCK: usize = 8;

/// Rows whose weights are gathered once for all features of a block.
const ROWS_A_TILE: usize = 2_048;

/// The weights of both classes by bin, those of a bin side by side.
type BinSums = [f64; 512];

/// A way to part the rows of a node.
#[derive(Debug, Clone, Copy)]
struct Split {
    /// What the Gini impurity is less by, times weight.
    gain: f64,
    feature: usize,
    bin: u8,
    missing_left: bool,
}

impl CartRows {
    pub(crate) fn new(table: &Table) -> Self {
        let bins = Bins::of(&table.columns);
        let columns = bins.columns(&table.columns);
        let class = table.y.iter().map(|&y| u8::from(y)).collect();
        Self { bins, columns, class, weights: table.weights.clone() }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.class.len()
    }

    pub(crate) fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// Rows of each class, and their weights.
    pub(crate) fn by_class(&self) -> [(usize, f64); 2] {
        let mut of_class = [(0, 0.0); 2];
        for (row, &class) in self.class.iter().enumerate() {
            let (n_rows, weight) = &mut of_class[usize::from(class)];
            *n_rows += 1;
            *weight += self.weights.as_ref().map_or(1.0, |weights| weights[row]);
        }
        of_class
    }

    /// Grows a tree on all rows.
    pub(crate) fn grow(&self, rules: CartRules) -> Grown {
        self.grow_on((0..self.n_rows() as u32).collect(), None, rules)
    }

    /// Grows a tree on as many rows as there are, drawn with replacement; `rules.seed` says which.
    pub(crate) fn grow_on_draw(&self, rules: CartRules) -> Grown {
        let mut times = vec![0_u8; self.n_rows()];
        for draw in 0..self.n_rows() as u64 {
            let row = mixed(mixed(rules.seed).wrapping_add(draw)) % self.n_rows() as u64;
            times[row as usize] = times[row as usize].saturating_add(1);
        }
        let rows = (0..self.n_rows() as u32).filter(|&row| times[row as usize] > 0).collect();
        self.grow_on(rows, Some(&times), rules)
    }

    fn grow_on(&self, mut rows: Vec<u32>, times: Option<&[u8]>, rules: CartRules) -> Grown {
        let mut grown = Grown::default();
        let mut buffer = vec![0; rows.len()];
        Grower { of: self, times, rules }.node(&mut rows, &mut buffer, rules.depth, &mut grown);
        grown
    }
}

struct Grower<'a> {
    of: &'a CartRows,
    /// How often each row was drawn.
    times: Option<&'a [u8]>,
    rules: CartRules,
}

impl Grower<'_> {
    /// Grows the node of `rows` and all below it, `depth` splits a path; where it stands. `buffer` is as long as `rows`.
    fn node(&self, rows: &mut [u32], buffer: &mut [u32], depth: u32, grown: &mut Grown) -> usize {
        let at = grown.nodes.len();
        let of_class = self.of_class(rows);
        grown.nodes.push(GrownNode { of_class, split: None });
        let may_split = depth > 0 && of_class.iter().all(|&weight| weight > 0.0) && self.counted(of_class) >= 2.0;
        let Some(split) = may_split.then(|| self.split(rows, of_class, at)).flatten() else { return at };
        let Split { feature, bin, missing_left, .. } = split;
        let column = &self.of.columns[feature];
        let n_left = part(rows, buffer, |row| goes_left(column[row as usize], bin, missing_left));
        let (rows, buffers) = (rows.split_at_mut(n_left), buffer.split_at_mut(n_left));
        let left = self.node(rows.0, buffers.0, depth - 1, grown);
        let right = self.node(rows.1, buffers.1, depth - 1, grown);
        let missing_left = self.of.bins.default_left(feature, bin).unwrap_or(missing_left);
        let threshold = self.of.bins.threshold(feature, bin);
        grown.nodes[at].split = Some(GrownSplit { feature, threshold, missing_left, left, right });
        at
    }

    fn weight(&self, row: u32) -> f64 {
        let times = self.times.map_or(1.0, |times| f64::from(times[row as usize]));
        self.of.weights.as_ref().map_or(times, |weights| times * weights[row as usize])
    }

    fn of_class(&self, rows: &[u32]) -> ByClass {
        let mut sums = [0.0; 2];
        for &row in rows {
            sums[usize::from(self.of.class[row as usize])] += self.weight(row);
        }
        sums
    }

    fn counted(&self, of_class: ByClass) -> f64 {
        of_class[0] * self.rules.counts[0] + of_class[1] * self.rules.counts[1]
    }

    /// The best split on the features drawn for the node at `at`.
    fn split(&self, rows: &[u32], of_class: ByClass, at: usize) -> Option<Split> {
        let order = self.features(at);
        order.chunks(self.rules.features_a_node).find_map(|features| {
            let blocks = features.par_chunks(FEATURES_A_BLOCK);
            let best: Vec<_> = blocks.map(|block| self.best_of_block(rows, of_class, block)).collect();
            best.into_iter().fold(None, better)
        })
    }

    /// All features, in an order that is drawn for the node at `at` where not all are looked at.
    fn features(&self, at: usize) -> Vec<usize> {
        let mut features: Vec<usize> = (0..self.of.n_features()).collect();
        let n = features.len();
        if self.rules.features_a_node < n {
            let start = mixed(self.rules.seed ^ mixed(at as u64 + 1));
            for place in 0..n - 1 {
                let other = place + (mixed(start.wrapping_add(place as u64)) % (n - place) as u64) as usize;
                features.swap(place, other);
            }
        }
        features
    }

    fn best_of_block(&self, rows: &[u32], of_class: ByClass, block: &[usize]) -> Option<Split> {
        let mut sums: Vec<BinSums> = vec![[0.0; 512]; block.len()];
        let mut tile = Vec::with_capacity(ROWS_A_TILE.min(rows.len()));
        for rows in rows.chunks(ROWS_A_TILE) {
            tile.clear();
            tile.extend(rows.iter().map(|&row| (row, self.of.class[row as usize], self.weight(row))));
            for (sums, &feature) in sums.iter_mut().zip(block) {
                let column = &self.of.columns[feature];
                for &(row, class, weight) in &tile {
                    sums[2 * usize::from(column[row as usize]) + usize::from(class & 1)] += weight;
                }
            }
        }
        let best_of = |(sums, &feature): (&BinSums, &usize)| self.best_of_feature(feature, sums, of_class);
        sums.iter().zip(block).map(best_of).fold(None, better)
    }

    /// The split with the largest gain; the lowest bin wins a tie. A threshold stands in the middle of the bins that no
    /// row of the node has.
    fn best_of_feature(&self, feature: usize, sums: &BinSums, of_class: ByClass) -> Option<Split> {
        let n_bins = self.of.bins.n_bins(feature);
        let of_bin = |bin: usize| [sums[2 * bin], sums[2 * bin + 1]];
        let missing = of_bin(usize::from(MISSING));
        let some_missing = missing != [0.0; 2];
        let as_it_is = purity(of_class);
        let mut best: Option<Split> = None;
        let mut most = as_it_is * (1.0 + 1e-9);
        let mut look = |left: ByClass, bin: usize, missing_left: bool| {
            let right = [of_class[0] - left[0], of_class[1] - left[1]];
            if self.counted(left) < 1.0 || self.counted(right) < 1.0 {
                return;
            }
            let purity = purity(left) + purity(right);
            if purity > most {
                most = purity;
                // A value that is not missing here goes with most rows.
                let missing_left = if some_missing { missing_left } else { left[0] + left[1] >= right[0] + right[1] };
                best = Some(Split { gain: purity - as_it_is, feature, bin: bin as u8, missing_left });
            }
        };
        for missing_left in [true, false].into_iter().filter(|&left| some_missing || !left) {
            let mut left = if missing_left { missing } else { [0.0; 2] };
            let mut last: Option<usize> = None;
            for bin in 0..n_bins {
                let here = of_bin(bin);
                if here == [0.0; 2] {
                    continue;
                }
                if let Some(last) = last {
                    look(left, (last + bin - 1) / 2, missing_left);
                }
                left = [left[0] + here[0], left[1] + here[1]];
                last = Some(bin);
            }
            if some_missing && !missing_left {
                look(left, n_bins - 1, false);
            }
        }
        best
    }
}

/// The weight of all rows less their Gini impurity times weight, up to a constant factor.
fn purity([negative, positive]: ByClass) -> f64 {
    (negative * negative + positive * positive) / (negative + positive)
}

/// The larger gain; the first wins a tie.
fn better(first: Option<Split>, second: Option<Split>) -> Option<Split> {
    match (first, second) {
        (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
        (a, b) => a.or(b),
    }
}
