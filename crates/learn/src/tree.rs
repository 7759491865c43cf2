//! One readable tree, as deep as pays on held-out rows.

use bellwether_core::{Link, Model, Progress, Trees};

use crate::grown::{Grown, GrownNode};
use crate::histogram::{CartRows, CartRules, Classes};
use crate::holdout::folds;
use crate::learner::checked;
use crate::rows::Table;
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Grows one tree by the Gini impurity.
#[derive(Debug)]
pub(crate) struct OneTree {
    pub(crate) settings: Settings,
}

/// A leaf's rate is that of its rows and of this many more at the base rate. Source: m-estimate, Cestnik (1990).
const SMOOTHING_ROWS: f64 = 10.0;

impl Learner for OneTree {
    fn name(&self) -> LearnerName {
        LearnerName::Tree
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        fit_by_depth(LearnerName::Tree, &self.settings, rows, progress, |table, depth| Ok(grow(table, depth)))
    }
}

fn grow(table: &Table, depth: u32) -> Grown {
    let rows = CartRows::new(table);
    rows.grow(CartRules {
        depth,
        classes: Classes::Even,
        least_rows: least_rows(table.n_rows()),
        features_a_node: rows.n_features().max(1),
        seed: 0,
    })
}

/// Rows on each side of a split, at least, where both classes weigh the same: rows of the rarer one.
pub(crate) fn least_rows(n_rows: usize) -> f64 {
    ((n_rows as f64).sqrt() / 4.0).clamp(5.0, 50.0)
}

/// Fits the tree of `grow`, which takes a depth, to the depth with the least log loss on held-out rows.
pub(crate) fn fit_by_depth(
    learner: LearnerName,
    settings: &Settings,
    rows: &TrainingRows<'_>,
    progress: &dyn Progress,
    grow: impl Fn(&Table, u32) -> Result<Grown, LearnError>,
) -> Result<Model, LearnError> {
    let table = Table::new(rows)?;
    let most_depth = settings.tree_depth;
    let folds = folds(&table, settings.purge_days);
    progress.begin(learner.name(), folds.len() as u64 + 1);
    let mut losses = vec![0.0; most_depth as usize + 1];
    for fold in &folds {
        let (fit, check) = (table.select(&fold.fit), table.select(&fold.check));
        let grown = grow(&fit, most_depth)?;
        let of_fold = grown.losses(most_depth, smoothed_logit(&grown, fit.n_rows()), &check);
        losses.iter_mut().zip(of_fold).for_each(|(sum, loss)| *sum += loss);
        progress.advance(1);
    }
    let best = (0..=most_depth).min_by(|&a, &b| losses[a as usize].total_cmp(&losses[b as usize]));
    let depth = best.filter(|_| !folds.is_empty()).unwrap_or(most_depth);
    let grown = grow(&table, depth)?;
    progress.advance(1);
    progress.end();
    let tree = grown.tree(depth, smoothed_logit(&grown, table.n_rows()));
    let trees = Trees::new(table.n_cols(), 0.0, Link::Logit, vec![tree]);
    let trees = trees.map_err(|source| LearnError::Model { learner, source })?;
    checked(learner, Model::Trees(trees))
}

/// The logit of a node's smoothed rate; `n_rows` are those of the root.
fn smoothed_logit(grown: &Grown, n_rows: usize) -> impl Fn(&GrownNode) -> f64 {
    let (base_rate, all) = (grown.nodes[0].rate(), grown.nodes[0].all());
    let smoothing = SMOOTHING_ROWS * all / n_rows as f64;
    move |node| {
        let rate = (node.of_class[1] + smoothing * base_rate) / (node.all() + smoothing);
        (rate / (1.0 - rate)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::Node;

    /// 200 rows; the outcome is rare from row 100 on and absent below.
    fn table(column: Vec<f32>) -> Table {
        let n = column.len();
        let y = (0..n).map(|row| row >= 100 && row.is_multiple_of(5)).collect();
        Table { columns: vec![column], y, weights: None, day: vec![0; n], group: vec![0; n] }
    }

    fn nodes(table: &Table) -> Vec<Node> {
        let grown = grow(table, 1);
        grown.tree(1, smoothed_logit(&grown, table.n_rows())).nodes
    }

    #[test]
    fn a_rare_outcome_is_split_halfway_and_leaves_are_smoothed_rates() {
        let nodes = nodes(&table((0..200).map(|row| row as f32).collect()));
        let Node::Split { threshold, left: 1, right: 2, .. } = nodes[0] else { panic!("{nodes:?}") };
        assert_eq!(threshold, 99.5);
        // 20 of 200 have the outcome; a leaf has 10 more rows at that rate: 1 of 110 and 21 of 110.
        for (leaf, rate) in [(1, 1.0 / 110.0), (2, 21.0 / 110.0_f64)] {
            let Node::Leaf { value } = nodes[leaf] else { panic!("{nodes:?}") };
            assert!((f64::from(value) - (rate / (1.0 - rate)).ln()).abs() < 1e-5, "{value}");
        }
    }

    #[test]
    fn a_small_scale_is_split_as_a_large_one() {
        let nodes = nodes(&table((0..200).map(|row| row as f32 * 1e-9).collect()));
        let Node::Split { threshold, .. } = nodes[0] else { panic!("{nodes:?}") };
        assert!(99.0e-9 < threshold && threshold < 100.0e-9, "{threshold}");
    }

    #[test]
    fn what_is_missing_goes_where_it_belongs() {
        for missing_high in [false, true] {
            let is_missing = |row: usize| (row >= 100) == missing_high;
            let column = (0..200).map(|row| if is_missing(row) { f32::NAN } else { 1.0 }).collect();
            let tree = bellwether_core::Tree { nodes: nodes(&table(column)) };
            let (missing, known) = (tree.leaf(&[f32::NAN]).1, tree.leaf(&[1.0]).1);
            assert_eq!(missing > known, missing_high);
        }
    }
}
