//! Gradient boosting of the log loss.

use bellwether_core::{Linear, Tree};
use rayon::prelude::*;

use super::bins::{Binned, Bins, LANES};
use super::gradient::{Draw, Labels, Steps, quantise};
use super::grow::{BinTree, Grower};
use super::split::Monotone;
use super::start::Start;
use crate::Recipe;
use crate::holdout::mixed;
use crate::rows::Table;

/// Boosted trees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Boosting {
    /// What all trees are added to.
    pub(crate) base: f32,
    /// Those of the start come first.
    pub(crate) trees: Vec<Tree>,
    /// The log loss on the checked rows after each grown tree; empty where there are none.
    pub(crate) losses: Vec<f64>,
    /// The logits of the checked rows after the last tree; empty where there are none.
    pub(crate) checked: Vec<f32>,
}

/// Rows as bins, with their labels.
#[derive(Debug)]
pub(crate) struct Rows {
    binned: Binned,
    labels: Labels,
}

/// Rows whose losses are added up at a time.
const ROWS_A_CHUNK: usize = 8_192;

impl Rows {
    /// `table` in the bins of `bins`.
    pub(crate) fn new(table: &Table, bins: &Bins) -> Self {
        let target = table.y.iter().map(|&y| f32::from(u8::from(y))).collect();
        let weight = table.weights.as_ref().map(|weights| weights.iter().map(|&weight| weight as f32).collect());
        Self { binned: Binned::new(&table.columns, bins), labels: Labels { target, weight } }
    }

    /// Trees are grown on the log odds of these rows.
    pub(crate) fn log_odds(&self) -> Start {
        let sum = |target: f32| {
            let of_target = (0..self.labels.target.len()).filter(|&row| self.labels.target[row] == target);
            of_target.map(|row| f64::from(self.labels.weight(row))).sum::<f64>()
        };
        Start { base: (sum(1.0) / sum(0.0)).ln() as f32, trees: Vec::new() }
    }

    /// Trees are grown on `linear`, fitted on these rows, whose values are `columns`.
    pub(crate) fn weighted_sum(&self, linear: &Linear, columns: &[Vec<f32>], bins: &Bins) -> Start {
        let binned: Vec<&[u8]> = (0..columns.len()).map(|feature| self.binned.feature(feature)).collect();
        Start::linear(linear, columns, &binned, bins)
    }

    /// The logits of `start`.
    fn logits(&self, start: &Start) -> Vec<f32> {
        let mut logits = vec![start.base; self.labels.target.len()];
        for tree in &start.trees {
            self.add(tree, &mut logits);
        }
        logits
    }

    /// The mean log loss of `start`.
    pub(crate) fn loss(&self, start: &Start) -> f64 {
        self.step(&mut self.logits(start), |_| 0.0)
    }

    /// Adds `tree` to `logits`; the mean log loss afterwards.
    fn add(&self, tree: &BinTree, logits: &mut [f32]) -> f64 {
        self.step(logits, |groups| tree.value(groups))
    }

    /// Adds what `value` says of a row's groups of bins to `logits`; the mean log loss afterwards.
    fn step(&self, logits: &mut [f32], value: impl Fn(&[[u8; LANES]]) -> f32 + Sync) -> f64 {
        let (groups, n_groups) = (self.binned.groups(), self.binned.n_groups());
        let of_chunk = |(chunk, logits): (usize, &mut [f32])| {
            let first = chunk * ROWS_A_CHUNK;
            let rows = (first..).zip(logits).zip(groups[first * n_groups..].chunks_exact(n_groups));
            rows.fold((0.0, 0.0), |(losses, weights), ((row, logit), groups)| {
                *logit += value(groups);
                // ln(1 + exp(-z)) of the logit towards the label.
                let z = f64::from(if self.labels.target[row] > 0.5 { *logit } else { -*logit });
                let loss = (-z).max(0.0) + (-z.abs()).exp().ln_1p();
                let weight = f64::from(self.labels.weight(row));
                (losses + weight * loss, weights + weight)
            })
        };
        let chunks: Vec<(f64, f64)> = logits.par_chunks_mut(ROWS_A_CHUNK).enumerate().map(of_chunk).collect();
        let (losses, weights) = chunks.into_iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        losses / weights
    }
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop<'a> {
    pub(crate) most_trees: usize,
    /// Rows that tell when the loss has stopped falling, and for how many trees it may not fall.
    pub(crate) check: Option<(&'a Rows, usize)>,
}

/// How trees are grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth<'a> {
    pub(crate) recipe: &'a Recipe,
    /// One a feature.
    pub(crate) monotone: &'a [Monotone],
    pub(crate) seed: u64,
}

/// Boosts at most `most_trees` trees on top of `start`, on `rows`, which are in `bins`. `grown` is told of each tree. The
/// number of threads has no say in the result.
pub(crate) fn boost(
    rows: &Rows,
    bins: &Bins,
    start: &Start,
    growth: Growth<'_>,
    stop: Stop<'_>,
    grown: impl Fn(),
) -> Boosting {
    let Growth { recipe, monotone, seed } = growth;
    let mut logits = rows.logits(start);
    let mut of_checked = stop.check.map(|(check, _)| check.logits(start));
    let mut quantised = vec![0; logits.len()];
    let steps = Steps::of(rows.labels.largest_weight());
    let mut grower = Grower::new(&rows.binned, bins, monotone, *recipe, steps);
    let mut trees: Vec<Tree> = start.trees.iter().map(|tree| bins.tree(tree)).collect();
    let mut losses = Vec::new();
    for tree in 0..stop.most_trees {
        let draw = Draw { seed, tree, share_of_rows: recipe.share_of_rows as f32 };
        quantise(&logits, &rows.labels, draw, &mut quantised);
        let seen = seen(bins.n_features(), recipe.share_of_features, seed, tree);
        let of_bins = grower.grow(&quantised, &seen, &mut logits);
        trees.push(bins.tree(&of_bins));
        grown();
        if let (Some((check, patience)), Some(logits)) = (stop.check, &mut of_checked) {
            losses.push(check.add(&of_bins, logits));
            if has_stopped(&losses, patience) {
                break;
            }
        }
    }
    Boosting { base: start.base, trees, losses, checked: of_checked.unwrap_or_default() }
}

/// Whether the last `patience` losses are all no less than the least before them.
fn has_stopped(losses: &[f64], patience: usize) -> bool {
    let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
    losses.len().checked_sub(patience).filter(|&n| n > 0).is_some_and(|n| least(&losses[n..]) >= least(&losses[..n]))
}

/// The features that a tree sees: `share` of them, at least one.
fn seen(n_features: usize, share: f64, seed: u64, tree: usize) -> Vec<bool> {
    let n_seen = ((n_features as f64 * share).round() as usize).clamp(1, n_features);
    let key = |feature: usize| (mixed(mixed(seed.wrapping_add(tree as u64)).wrapping_add(feature as u64)), feature);
    let mut order: Vec<usize> = (0..n_features).collect();
    order.sort_unstable_by_key(|&feature| key(feature));
    let mut seen = vec![false; n_features];
    order[..n_seen].iter().for_each(|&feature| seen[feature] = true);
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Recipe = Recipe {
        leaves: 8,
        depth: 6,
        learning_rate: 0.3,
        least_rows: 1.0,
        l2: 1.0,
        share_of_rows: 1.0,
        share_of_features: 1.0,
    };

    fn table(columns: Vec<Vec<f32>>, y: Vec<bool>) -> Table {
        let n = y.len();
        Table { columns, y, weights: None, day: vec![0; n], group: vec![0; n] }
    }

    /// Nine columns of `n` rows: few values, many values, missing ones; the label follows three of them.
    fn made(n: usize) -> Table {
        let value = |row: usize, k: usize| match (k % 3, mixed((row * 9 + k) as u64)) {
            (2, bits) if bits % 5 == 0 => f32::NAN,
            (0, bits) => (bits % 7) as f32,
            (_, bits) => (bits >> 40) as f32 * 1e-6,
        };
        let columns: Vec<Vec<f32>> = (0..9).map(|k| (0..n).map(|row| value(row, k)).collect()).collect();
        let is_true = |row: usize| {
            let missing = if columns[2][row].is_nan() { 6.0 } else { 0.0 };
            columns[0][row] + columns[1][row] * 0.4 + missing + (mixed(row as u64) % 8) as f32 > 10.0
        };
        let y = (0..n).map(is_true).collect();
        table(columns, y)
    }

    fn boosted(table: &Table, recipe: &Recipe, n_trees: usize, monotone: &[Monotone]) -> Boosting {
        let bins = Bins::of(&table.columns);
        let rows = Rows::new(table, &bins);
        let stop = Stop { most_trees: n_trees, check: Some((&rows, n_trees)) };
        boost(&rows, &bins, &rows.log_odds(), Growth { recipe, monotone, seed: 3 }, stop, || ())
    }

    fn logit(boosting: &Boosting, row: &[f32]) -> f64 {
        f64::from(boosting.base) + boosting.trees.iter().map(|tree| f64::from(tree.leaf(row).1)).sum::<f64>()
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let table = made(70_000);
        let recipe = Recipe { leaves: 31, share_of_rows: 0.8, share_of_features: 0.7, ..PLAIN };
        let on = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
            pool.install(|| boosted(&table, &recipe, 5, &[Monotone::Free; 9]))
        };
        let one = on(1);
        assert!(one.trees.iter().all(|tree| tree.nodes.len() == 61));
        assert_eq!(on(2), one);
        assert_eq!(on(8), one);
    }

    #[test]
    fn trees_on_values_give_the_losses_of_trees_on_bins() {
        let table = made(3_000);
        let boosting = boosted(&table, &PLAIN, 20, &[Monotone::Free; 9]);
        let loss = (0..table.n_rows()).map(|row| {
            let z = logit(&boosting, &table.row(row)) * if table.y[row] { 1.0 } else { -1.0 };
            (-z).exp().ln_1p()
        });
        let mean = loss.sum::<f64>() / table.n_rows() as f64;
        let last = boosting.losses[boosting.losses.len() - 1];
        assert!((mean - last).abs() < 1e-6, "{mean} {last}");
        assert!(boosting.losses.is_sorted_by(|a, b| b < a), "on the rows of the fit each tree lowers the loss");
    }

    /// The least loss that any one split of `table` can give, by the exact gradients at the base rate.
    fn best_gain(table: &Table, l2: f64) -> f64 {
        let p = table.y.iter().filter(|&&y| y).count() as f64 / table.n_rows() as f64;
        let fall = |of_side: &[usize]| {
            let gradient: f64 = of_side.iter().map(|&row| p - f64::from(u8::from(table.y[row]))).sum();
            gradient * gradient / (of_side.len() as f64 * p * (1.0 - p) + l2)
        };
        let all: Vec<usize> = (0..table.n_rows()).collect();
        let mut best = 0.0_f64;
        for column in &table.columns {
            for &threshold in column.iter().filter(|value| !value.is_nan()) {
                for missing_left in [false, true] {
                    let left =
                        |&row: &usize| if column[row].is_nan() { missing_left } else { column[row] <= threshold };
                    let (left, right): (Vec<usize>, Vec<usize>) = all.iter().copied().partition(left);
                    if !left.is_empty() && !right.is_empty() {
                        best = best.max(fall(&left) + fall(&right) - fall(&all));
                    }
                }
            }
        }
        best
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_first_split_is_the_best_of_an_exact_search(
            rows in prop::collection::vec((-5_i8..5, prop::option::of(-40_i8..40), any::<bool>()), 6..80),
        ) {
            let columns = vec![
                rows.iter().map(|row| f32::from(row.0)).collect(),
                rows.iter().map(|row| row.1.map_or(f32::NAN, f32::from)).collect(),
            ];
            let mut table = table(columns, rows.iter().map(|row| row.2).collect());
            (table.y[0], table.y[1]) = (true, false);
            let stump = Recipe { leaves: 2, least_rows: 0.0, ..PLAIN };
            let boosting = boosted(&table, &stump, 1, &[Monotone::Free; 2]);
            // The leaves tell the gain: -value * gradient of each side.
            let p = 1.0 / (1.0 + f64::from(-boosting.base).exp());
            let falls = (0..table.n_rows()).map(|row| {
                let value = f64::from(boosting.trees[0].leaf(&table.row(row)).1) / stump.learning_rate;
                -value * (p - f64::from(u8::from(table.y[row])))
            });
            let (found, best) = (falls.sum::<f64>(), best_gain(&table, stump.l2));
            prop_assert!((found - best).abs() < 1e-3 * best.max(1.0), "{found}, not {best}");
        }

        #[test]
        fn constrained_logits_follow_their_directions(seed in any::<u64>(), noise in 1..12_u64) {
            let mut table = made(400);
            let label = |row: usize| mixed(seed ^ row as u64) % 12 < noise;
            table.y = (0..400).map(|row| label(row) != (table.columns[0][row] > 3.0)).collect();
            let mut monotone = [Monotone::Free; 9];
            (monotone[0], monotone[1]) = (Monotone::Rising, Monotone::Falling);
            let boosting = boosted(&table, &Recipe { leaves: 16, ..PLAIN }, 10, &monotone);
            for row in (0..400).step_by(40) {
                for (feature, step, sign) in [(0, 0.25_f32, 1.0), (1, 0.4, -1.0)] {
                    let mut values = table.row(row);
                    let logits: Vec<f64> = (-1_i8..=42).map(|k| {
                        values[feature] = f32::from(k) * step;
                        sign * logit(&boosting, &values)
                    }).collect();
                    prop_assert!(logits.is_sorted(), "{logits:?}");
                }
            }
        }
    }

    #[test]
    fn missing_values_go_where_their_labels_are() {
        for with_high in [false, true] {
            let column: Vec<f32> =
                (0..300).map(|row| if row % 3 == 0 { f32::NAN } else { (row % 10) as f32 }).collect();
            let is_true = |&x: &f32| if x.is_nan() { with_high } else { x >= 5.0 };
            let y = column.iter().map(is_true).collect();
            let boosting = boosted(&table(vec![column], y), &Recipe { leaves: 2, ..PLAIN }, 3, &[Monotone::Free]);
            assert_eq!(logit(&boosting, &[f32::NAN]), logit(&boosting, &[if with_high { 9.0 } else { 0.0 }]));
        }
    }

    #[test]
    fn a_weight_is_a_repeated_row() {
        let single = made(2_000);
        let times = |row: usize| 1 + row % 3;
        let rows: Vec<usize> = (0..2_000).flat_map(|row| std::iter::repeat_n(row, times(row))).collect();
        let weighted = Table { weights: Some((0..2_000).map(|row| times(row) as f64).collect()), ..single.clone() };
        // Rows are counted, not weighed, and bins cut alike only where a value has its own.
        let few = |table: Table| Table { columns: vec![table.columns[0].clone(), table.columns[3].clone()], ..table };
        let recipe = Recipe { least_rows: 0.0, leaves: 4, ..PLAIN };
        let repeated = boosted(&few(single.select(&rows)), &recipe, 5, &[Monotone::Free; 2]);
        let weighted = boosted(&few(weighted), &recipe, 5, &[Monotone::Free; 2]);
        for (a, b) in (0..7).flat_map(|a| (0..7).map(move |b| (a as f32, b as f32))) {
            let (repeated, weighted) = (logit(&repeated, &[a, b]), logit(&weighted, &[a, b]));
            assert!((repeated - weighted).abs() < 2e-3, "{repeated} {weighted}");
        }
    }

    #[test]
    fn growing_stops_when_the_checked_loss_has_stopped_falling() {
        let check = |losses: &[f64], expected: bool| assert_eq!(has_stopped(losses, 2), expected, "{losses:?}");
        check(&[], false);
        check(&[0.5, 0.6], false);
        check(&[0.5, 0.6, 0.6], true);
        check(&[0.5, 0.6, 0.4], false);
        check(&[0.5, 0.4, 0.5, 0.4], true);
        // Labels that follow nothing.
        let mut noise = made(1_000);
        noise.y = (0..1_000).map(|row| mixed(row as u64 ^ 0xabcd).is_multiple_of(2)).collect();
        let fold = [(0..700).collect::<Vec<_>>(), (700..1_000).collect()].map(|rows| noise.select(&rows));
        let bins = Bins::of(&fold[0].columns);
        let [fit, check] = fold.map(|table| Rows::new(&table, &bins));
        let stop = Stop { most_trees: 500, check: Some((&check, 10)) };
        let growth = Growth { recipe: &PLAIN, monotone: &[Monotone::Free; 9], seed: 1 };
        let boosting = boost(&fit, &bins, &fit.log_odds(), growth, stop, || ());
        assert!(boosting.trees.len() < 40, "{}", boosting.trees.len());
    }

    #[test]
    fn a_tree_sees_its_share_of_features_and_another_tree_others() {
        let of_tree = |tree| seen(10, 0.3, 7, tree);
        assert!((0..50).all(|tree| of_tree(tree).iter().filter(|&&seen| seen).count() == 3));
        assert!((0..10).all(|feature| (0..50).any(|tree| of_tree(tree)[feature])));
        assert_eq!(seen(3, 0.0, 7, 0).iter().filter(|&&seen| seen).count(), 1);
    }
}
