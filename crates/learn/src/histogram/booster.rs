//! Gradient boosting of the log loss.

use bellwether_core::Tree;
use rayon::prelude::*;

use super::bins::{Binned, Bins};
use super::gradient::{Draw, Labels, Steps, quantise};
use super::grow::{BinTree, Grower};
use super::split::Monotone;
use crate::Recipe;
use crate::holdout::mixed;
use crate::rows::Table;

/// Boosted trees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Boosting {
    /// The log odds of the training rows.
    pub(crate) base: f32,
    pub(crate) trees: Vec<Tree>,
    /// The log loss on the checked rows after each tree; empty where there are none.
    pub(crate) losses: Vec<f64>,
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

    /// Adds `tree` to `logits`; the mean log loss afterwards.
    fn add(&self, tree: &BinTree, logits: &mut [f32]) -> f64 {
        let (groups, n_groups) = (self.binned.groups(), self.binned.n_groups());
        let of_chunk = |(chunk, logits): (usize, &mut [f32])| {
            let first = chunk * ROWS_A_CHUNK;
            let rows = (first..).zip(logits).zip(groups[first * n_groups..].chunks_exact(n_groups));
            rows.fold((0.0, 0.0), |(losses, weights), ((row, logit), groups)| {
                *logit += tree.value(groups);
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

/// Boosts at most `most_trees` trees by `recipe` on `rows`, which are in `bins`; `monotone` has one entry a feature.
/// `grown` is told of each tree. The result depends on neither the number of threads nor the machine.
pub(crate) fn boost(
    rows: &Rows,
    bins: &Bins,
    monotone: &[Monotone],
    recipe: &Recipe,
    seed: u64,
    stop: Stop<'_>,
    grown: impl Fn(),
) -> Boosting {
    let base = log_odds(&rows.labels);
    let mut logits = vec![base; rows.labels.target.len()];
    let mut of_checked = stop.check.map(|(check, _)| vec![base; check.labels.target.len()]);
    let mut quantised = vec![0; logits.len()];
    let steps = Steps::of(rows.labels.largest_weight());
    let mut grower = Grower::new(&rows.binned, bins, monotone, *recipe, steps);
    let (mut trees, mut losses) = (Vec::new(), Vec::new());
    for tree in 0..stop.most_trees {
        quantise(
            &logits,
            &rows.labels,
            Draw { seed, tree, share_of_rows: recipe.share_of_rows as f32 },
            &mut quantised,
        );
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
    Boosting { base, trees, losses }
}

fn log_odds(labels: &Labels) -> f32 {
    let sum = |target: f32| {
        let of_target = (0..labels.target.len()).filter(|&row| labels.target[row] == target);
        of_target.map(|row| f64::from(labels.weight(row))).sum::<f64>()
    };
    (sum(1.0) / sum(0.0)).ln() as f32
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
