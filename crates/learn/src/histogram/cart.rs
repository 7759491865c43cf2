//! Classification trees on bins: each split leaves the least Gini impurity. Source: Breiman et al. (1984),
//! "Classification and Regression Trees".
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
    pub(crate) classes: Classes,
    /// Rows on each side of a split, at least; under [`Classes::Even`], rows of the node's rarer class weighed as even.
    pub(crate) least_rows: f64,
    /// Features that a node looks at, drawn anew for each; others are looked at only where these cannot part its rows.
    pub(crate) features_a_node: usize,
    /// Where the draws come from.
    pub(crate) seed: u64,
}

/// What the classes weigh when a node looks for its split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Classes {
    /// What their rows weigh.
    AsTheyAre,
    /// The same: a split of a rare outcome is judged as one of a frequent outcome.
    Even,
}

/// The least gain under [`Classes::Even`], as a share of all weight.
const LEAST_GAIN_IF_EVEN: f64 = 1e-4;

/// Features whose sums one thread adds up together.
const FEATURES_A_BLOCK: usize = 8;

/// Rows whose weights are gathered once for all features of a block.
const ROWS_A_TILE: usize = 2_048;

/// The weights of both classes by bin, those of a bin side by side.
type BinSums = [f64; 512];

/// How the splits of a node are judged.
#[derive(Debug, Clone, Copy)]
struct Judge {
    of_class: ByClass,
    /// What a unit of weight of each class weighs in the impurity.
    weighs: ByClass,
    /// What a unit of weight of each class counts; each side of a split counts 1 or more.
    counts: ByClass,
    /// What a split must leave, at least, of [`purity`].
    least_purity: f64,
}

/// A way to part the rows of a node.
#[derive(Debug, Clone, Copy)]
struct Split {
    /// The [`purity`] of both sides.
    purity: f64,
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

    /// What a row of each class weighs in the mean.
    fn mean_weights(&self) -> ByClass {
        let Some(weights) = &self.weights else { return [1.0; 2] };
        let mut of_class = [(0.0, 0.0); 2];
        for (&class, weight) in self.class.iter().zip(weights) {
            let (n_rows, sum) = &mut of_class[usize::from(class)];
            *n_rows += 1.0;
            *sum += weight;
        }
        of_class.map(|(n_rows, sum)| sum / n_rows)
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
        let grower = Grower { of: self, times, rules, mean_weights: self.mean_weights() };
        grower.node(&mut rows, &mut buffer, rules.depth, &mut grown);
        grown
    }
}

struct Grower<'a> {
    of: &'a CartRows,
    /// How often each row was drawn.
    times: Option<&'a [u8]>,
    rules: CartRules,
    mean_weights: ByClass,
}

impl Grower<'_> {
    /// Grows the node of `rows` and all below it, `depth` splits a path; where it stands. `buffer` is as long as
    /// `rows`.
    fn node(&self, rows: &mut [u32], buffer: &mut [u32], depth: u32, grown: &mut Grown) -> usize {
        let at = grown.nodes.len();
        let of_class = self.of_class(rows);
        grown.nodes.push(GrownNode { of_class, split: None });
        let judge = self.judge(of_class);
        let may_split = depth > 0 && of_class.iter().all(|&weight| weight > 0.0) && judge.counted(of_class) >= 2.0;
        let Some(split) = may_split.then(|| self.split(rows, &judge, at)).flatten() else { return at };
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

    fn judge(&self, of_class: ByClass) -> Judge {
        let least = self.rules.least_rows;
        let (weighs, counts, least_gain) = match self.rules.classes {
            Classes::AsTheyAre => ([1.0; 2], self.mean_weights.map(|mean| 1.0 / (mean * least)), 1e-9),
            Classes::Even => {
                let n_rows = [0, 1].map(|class| of_class[class] / self.mean_weights[class]);
                let counts = of_class.map(|weight| n_rows[0].min(n_rows[1]) / (least * weight));
                (of_class.map(|weight| 1.0 / weight), counts, LEAST_GAIN_IF_EVEN)
            }
        };
        let all = [0, 1].map(|class| of_class[class] * weighs[class]);
        Judge { of_class, weighs, counts, least_purity: purity(all) + least_gain * (all[0] + all[1]) }
    }

    /// The best split on the features drawn for the node at `at`.
    fn split(&self, rows: &[u32], judge: &Judge, at: usize) -> Option<Split> {
        let order = self.features(at);
        order.chunks(self.rules.features_a_node).find_map(|features| {
            let blocks = features.par_chunks(FEATURES_A_BLOCK);
            let best: Vec<_> = blocks.map(|block| self.best_of_block(rows, judge, block)).collect();
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

    fn best_of_block(&self, rows: &[u32], judge: &Judge, block: &[usize]) -> Option<Split> {
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
        let best_of =
            |(sums, &feature): (&BinSums, &usize)| judge.best_split(feature, sums, self.of.bins.n_bins(feature));
        sums.iter().zip(block).map(best_of).fold(None, better)
    }
}

impl Judge {
    fn counted(&self, of_class: ByClass) -> f64 {
        of_class[0] * self.counts[0] + of_class[1] * self.counts[1]
    }

    /// The purity of two sides, the first of which is `left`; `None` where one is too small.
    fn judged(&self, left: ByClass) -> Option<f64> {
        let right = [self.of_class[0] - left[0], self.of_class[1] - left[1]];
        let weighed = |side: ByClass| [side[0] * self.weighs[0], side[1] * self.weighs[1]];
        let large_enough = self.counted(left) >= 1.0 && self.counted(right) >= 1.0;
        large_enough.then(|| purity(weighed(left)) + purity(weighed(right)))
    }

    /// The split with the largest gain; the lowest bin wins a tie. A threshold stands in the middle of the bins that no
    /// row of the node has.
    fn best_split(&self, feature: usize, sums: &BinSums, n_bins: usize) -> Option<Split> {
        let of_bin = |bin: usize| [sums[2 * bin], sums[2 * bin + 1]];
        let missing = of_bin(usize::from(MISSING));
        let some_missing = missing != [0.0; 2];
        let mut best: Option<Split> = None;
        let mut look = |left: ByClass, bin: usize, missing_left: bool| {
            let most = best.map_or(self.least_purity, |best| best.purity);
            if let Some(purity) = self.judged(left).filter(|&purity| purity > most) {
                // A value that is not missing here goes with most rows.
                let with_most = 2.0 * (left[0] + left[1]) >= self.of_class[0] + self.of_class[1];
                let missing_left = if some_missing { missing_left } else { with_most };
                best = Some(Split { purity, feature, bin: bin as u8, missing_left });
            }
        };
        for missing_left in [true, false].into_iter().filter(|&left| some_missing || !left) {
            let mut left = if missing_left { missing } else { [0.0; 2] };
            let mut last: Option<usize> = None;
            for bin in (0..n_bins).filter(|&bin| of_bin(bin) != [0.0; 2]) {
                if let Some(last) = last {
                    look(left, usize::midpoint(last, bin - 1), missing_left);
                }
                let here = of_bin(bin);
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

/// The weight of all rows less their Gini impurity times weight.
fn purity([negative, positive]: ByClass) -> f64 {
    (negative * negative + positive * positive) / (negative + positive)
}

/// The purer sides; the first wins a tie.
fn better(first: Option<Split>, second: Option<Split>) -> Option<Split> {
    match (first, second) {
        (Some(a), Some(b)) => Some(if b.purity > a.purity { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(columns: Vec<Vec<f32>>, y: Vec<bool>, weights: Option<Vec<f64>>) -> Table {
        let n = y.len();
        Table { columns, y, weights, day: vec![0; n], group: vec![0; n] }
    }

    fn rules(classes: Classes, least_rows: f64) -> CartRules {
        CartRules { depth: 1, classes, least_rows, features_a_node: 2, seed: 3 }
    }

    /// The purity of the best split of all, tried one by one; 0 where none leaves enough rows on both sides.
    fn naive(table: &Table, rules: &CartRules) -> f64 {
        let sum = |keep: &dyn Fn(usize) -> bool| {
            let of_class = |class: bool| {
                let rows = (0..table.n_rows()).filter(|&row| table.y[row] == class && keep(row));
                rows.map(|row| table.weight(row)).sum::<f64>()
            };
            [of_class(false), of_class(true)]
        };
        let all = sum(&|_| true);
        let n_rows = [false, true].map(|class| table.y.iter().filter(|&&y| y == class).count() as f64);
        let even = [1.0 / all[0], 1.0 / all[1]];
        let (weighs, counts) = match rules.classes {
            Classes::AsTheyAre => ([1.0; 2], [n_rows[0] / all[0], n_rows[1] / all[1]]),
            Classes::Even => (even, even.map(|unit| unit * n_rows[0].min(n_rows[1]))),
        };
        let times = |a: ByClass, b: ByClass| [a[0] * b[0], a[1] * b[1]];
        let mut best = 0.0_f64;
        for column in &table.columns {
            for &threshold in column.iter().filter(|value| !value.is_nan()) {
                for missing_left in [false, true] {
                    let left = |row: usize| if column[row].is_nan() { missing_left } else { column[row] <= threshold };
                    let sides = [sum(&left), sum(&|row| !left(row))];
                    let counted = sides.map(|side| times(side, counts).iter().sum::<f64>());
                    if counted.iter().all(|&counted| counted >= rules.least_rows - 1e-9) {
                        best = best.max(sides.map(|side| purity(times(side, weighs))).iter().sum());
                    }
                }
            }
        }
        if best > purity(times(all, weighs)) + 1e-3 { best } else { 0.0 }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn the_first_split_is_the_best_of_all(
            rows in prop::collection::vec(
                (-5_i8..5, prop::option::of(-40_i8..40), any::<bool>(), 1_u8..5), 6..80),
            even in any::<bool>(),
            weighted in any::<bool>(),
        ) {
            let columns = vec![
                rows.iter().map(|row| f32::from(row.0)).collect(),
                rows.iter().map(|row| row.1.map_or(f32::NAN, f32::from)).collect(),
            ];
            let mut y: Vec<bool> = rows.iter().map(|row| row.2).collect();
            (y[0], y[1]) = (true, false);
            let weights = weighted.then(|| rows.iter().map(|row| f64::from(row.3) * 0.5).collect());
            let table = table(columns, y, weights);
            let classes = if even { Classes::Even } else { Classes::AsTheyAre };
            let rules = rules(classes, 1.5);
            let grown = CartRows::new(&table).grow(rules);
            let root = grown.nodes[0];
            let weighs = if even { root.of_class.map(|weight| 1.0 / weight) } else { [1.0; 2] };
            let side = |at: usize| {
                let [negative, positive] = grown.nodes[at].of_class;
                purity([negative * weighs[0], positive * weighs[1]])
            };
            let found = root.split.map_or(0.0, |split| side(split.left) + side(split.right));
            let best = naive(&table, &rules);
            // Below the least gain nothing is promised.
            prop_assert!(best == 0.0 || (found - best).abs() < 1e-9 * best, "{found}, not {best}");
        }
    }

    #[test]
    fn as_many_rows_are_drawn_as_there_are_and_other_ones_by_another_seed() {
        let n = 5_000;
        let table = table(vec![vec![1.0; n]], (0..n).map(|row| row % 4 == 0).collect(), None);
        let rows = CartRows::new(&table);
        let root = |seed: u64| rows.grow_on_draw(CartRules { seed, ..rules(Classes::AsTheyAre, 1.0) }).nodes[0];
        assert_eq!((root(1).all(), root(2).all()), (5_000.0, 5_000.0));
        assert_eq!(root(1), root(1));
        assert_ne!(root(1).of_class, root(2).of_class);
        assert!((root(1).rate() - 0.25).abs() < 0.02);
    }

    #[test]
    fn a_node_draws_its_features_and_takes_others_where_these_cannot_part_its_rows() {
        let n = 400;
        let y: Vec<bool> = (0..n).map(|row| row % 2 == 0).collect();
        // Only the last of nine columns varies.
        let mut columns = vec![vec![1.0; n]; 8];
        columns.push((0..n).map(|row| (row % 2) as f32).collect());
        let rows = CartRows::new(&table(columns, y, None));
        for seed in 0..20 {
            let grown = rows.grow(CartRules { features_a_node: 3, seed, ..rules(Classes::AsTheyAre, 1.0) });
            assert_eq!(grown.nodes[0].split.map(|split| split.feature), Some(8));
        }
        let of = &rows;
        let order = |seed: u64, at: usize| {
            let rules = CartRules { features_a_node: 3, seed, ..rules(Classes::AsTheyAre, 1.0) };
            Grower { of, times: None, rules, mean_weights: [1.0; 2] }.features(at)
        };
        assert_ne!(order(1, 0), order(1, 1));
        let mut sorted = order(1, 0);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..9).collect::<Vec<_>>());
        let firsts = (0..900).filter(|&at| order(5, at)[0] == 4).count();
        assert!((60..140).contains(&firsts), "{firsts} of 900");
    }
}
