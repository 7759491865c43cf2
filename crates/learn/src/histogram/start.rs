//! What trees are grown on top of: the base rate, or a weighted sum as one staircase a feature.

use bellwether_core::{Linear, LinearTerm};
use rayon::prelude::*;

use super::bins::{Bins, MISSING};
use super::grow::{BinNode, BinTree};

/// A logit for each row before any tree is grown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Start {
    pub(crate) base: f32,
    /// Added to the base.
    pub(crate) trees: Vec<BinTree>,
}

/// Steps of a staircase, at most.
const MOST_STEPS: f64 = 32.0;

/// Logits between two steps, at least.
const LEAST_HEIGHT: f64 = 0.01;

/// Neighbouring bins that share a value.
#[derive(Debug, Clone, Copy)]
struct Step {
    last_bin: u8,
    value: f64,
}

impl Start {
    /// `linear` on the features in `bins`, in steps: each value counts as the mean of its step over the rows of
    /// `columns`, whose bins are `binned`. Both have one entry a feature.
    pub(crate) fn linear(linear: &Linear, columns: &[Vec<f32>], binned: &[&[u8]], bins: &Bins) -> Self {
        let of_feature = |(feature, term): (usize, &LinearTerm)| {
            let steps = steps(term, &columns[feature], binned[feature], bins.n_bins(feature));
            let missing = f64::from(term.missing_weight);
            let is_flat = steps.iter().all(|step| step.value == 0.0) && missing == 0.0;
            (!is_flat).then(|| staircase(feature, &steps, missing as f32, bins))
        };
        let trees: Vec<Option<BinTree>> = linear.terms.par_iter().enumerate().map(of_feature).collect();
        Self { base: linear.intercept, trees: trees.into_iter().flatten().collect() }
    }
}

/// What `term` adds, bin by bin, where bins less than a step apart are one.
fn steps(term: &LinearTerm, column: &[f32], binned: &[u8], n_bins: usize) -> Vec<Step> {
    let mut sums = vec![(0.0, 0_u32); n_bins];
    for (value, bin) in column.iter().zip(binned).filter(|&(_, &bin)| bin != MISSING) {
        let of_bin = &mut sums[usize::from(*bin)];
        of_bin.0 += f64::from(value.clamp(term.lower, term.upper) - term.center) * f64::from(term.weight);
        of_bin.1 += 1;
    }
    let mean = |&(sum, n): &(f64, u32)| (n > 0).then(|| sum / f64::from(n));
    let (least, most) = sums
        .iter()
        .filter_map(mean)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    let height = ((most - least) / MOST_STEPS).max(LEAST_HEIGHT);
    let mut steps: Vec<Step> = Vec::new();
    let (mut first, mut sum, mut n) = (f64::NAN, 0.0, 0_u32);
    for (bin, of_bin) in (0..=MISSING).zip(&sums) {
        let Some(value) = mean(of_bin) else { continue };
        if steps.is_empty() || (value - first).abs() >= height {
            (first, sum, n) = (value, 0.0, 0);
            steps.push(Step { last_bin: bin, value });
        }
        (sum, n) = (sum + of_bin.0, n + of_bin.1);
        *steps.last_mut().expect("there is a step") = Step { last_bin: bin, value: sum / f64::from(n) };
    }
    steps
}

/// `steps` as a balanced tree; a missing value has a leaf of its own where training rows lack some.
fn staircase(feature: usize, steps: &[Step], missing: f32, bins: &Bins) -> BinTree {
    let mut nodes = Vec::new();
    let last_bin = (bins.n_bins(feature) - 1) as u8;
    if bins.default_left(feature, last_bin).is_none() {
        // No known value lies above the last bin.
        nodes.push(BinNode::Split { feature: feature as u32, bin: last_bin, missing_left: false, left: 2, right: 1 });
        nodes.push(BinNode::Leaf { value: missing });
    }
    climb(feature, steps, bins, &mut nodes);
    BinTree { nodes }
}

/// Adds a tree of `steps` behind `nodes`.
fn climb(feature: usize, steps: &[Step], bins: &Bins, nodes: &mut Vec<BinNode>) {
    let at = nodes.len();
    let value = steps.first().map_or(0.0, |step| step.value as f32);
    nodes.push(BinNode::Leaf { value });
    if steps.len() < 2 {
        return;
    }
    let (low, high) = steps.split_at(steps.len() / 2);
    let bin = low[low.len() - 1].last_bin;
    let left = nodes.len() as u32;
    climb(feature, low, bins, nodes);
    let right = nodes.len() as u32;
    climb(feature, high, bins, nodes);
    let missing_left = bins.default_left(feature, bin).unwrap_or(false);
    nodes[at] = BinNode::Split { feature: feature as u32, bin, missing_left, left, right };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::bins::Binned;

    fn term(weight: f32, missing_weight: f32) -> LinearTerm {
        LinearTerm { lower: -20.0, upper: 60.0, center: 10.0, weight, missing_weight }
    }

    #[test]
    fn a_staircase_stays_within_a_step_of_the_weighted_sum() {
        let n = 4000_usize;
        let columns = vec![
            (0..n).map(|row| ((row * 7919) % n) as f32 * 0.025 - 30.0).collect::<Vec<f32>>(),
            (0..n).map(|row| if row % 5 == 0 { f32::NAN } else { (row % 3) as f32 * 10.0 }).collect(),
            vec![4.0; n],
        ];
        let linear = Linear { terms: vec![term(0.05, 0.0), term(-0.08, 0.7), term(0.0, 0.0)], intercept: -1.5 };
        let bins = Bins::of(&columns);
        let binned = Binned::new(&columns, &bins);
        let of_feature: Vec<&[u8]> = (0..3).map(|feature| binned.feature(feature)).collect();
        let start = Start::linear(&linear, &columns, &of_feature, &bins);
        assert_eq!((start.base, start.trees.len()), (-1.5, 2));
        let trees: Vec<bellwether_core::Tree> = start.trees.iter().map(|tree| bins.tree(tree)).collect();
        assert!(trees.iter().all(|tree| tree.nodes.len() < 70));
        for row in 0..n {
            let values: Vec<f32> = columns.iter().map(|column| column[row]).collect();
            let expected = bellwether_core::Model::Linear(linear.clone()).logit(&values);
            let found = -1.5 + trees.iter().map(|tree| f64::from(tree.leaf(&values).1)).sum::<f64>();
            // 4 logits in 32 steps; every value of the second feature has a step.
            assert!((found - expected).abs() < 0.13, "row {row}: {found}, not {expected}");
        }
        assert_eq!(trees[1].leaf(&[0.0, f32::NAN, 0.0]).1, 0.7);
        assert_eq!(trees[0].leaf(&[f32::NAN, 0.0, 0.0]), trees[0].leaf(&[20.0, 0.0, 0.0]), "the median's");
    }
}
