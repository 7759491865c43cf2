//! How many training rows reach each node of a tree: what explanations of a score weigh its branches by.

use bellwether_core::{FeatureMatrix, Model, Progress, Tree, Trees};
use rayon::prelude::*;

use crate::{LearnError, Learner, LearnerName, TrainingRows};

/// Rows whose values are brought together before any tree is walked.
const BLOCK_ROWS: usize = 64;

/// Rows that one task of the thread pool counts.
const TASK_ROWS: usize = 16_384;

/// Weights are counted in units of `2^-20`: sums of whole numbers are the same in any order.
const UNITS: f64 = 1_048_576.0;

/// Covers are in units of one row, and of rows without weights exact up to 16 million; beyond, f32 rounds them.
const UNITS_A_ROW: u64 = UNITS as u64;

/// A learner whose trees know their covers.
pub(crate) struct Covered {
    pub(crate) learner: Box<dyn Learner>,
}

impl Learner for Covered {
    fn name(&self) -> LearnerName {
        self.learner.name()
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        covered(self.name(), self.learner.fit(rows, progress)?, rows.x, rows.weights)
    }
}

/// `model` with the weight of the training rows that reach each node of its trees, where it has any; `learner` is who made
/// it. Weights are one a row, 1 where there are none.
///
/// # Errors
/// [`LearnError::Model`] for trees without rows.
pub fn covered(
    learner: LearnerName,
    model: Model,
    x: &FeatureMatrix,
    weights: Option<&[f64]>,
) -> Result<Model, LearnError> {
    match model {
        Model::Trees(trees) => {
            let covers = covers(&trees, x, weights);
            let covered = trees.with_covers(covers).map_err(|source| LearnError::Model { learner, source })?;
            Ok(Model::Trees(covered))
        }
        model @ (Model::Linear(_) | Model::Scorecard(_) | Model::Graph(_)) => Ok(model),
    }
}

/// The weight of the rows that reach each node of each tree.
fn covers(trees: &Trees, x: &FeatureMatrix, weights: Option<&[f64]>) -> Vec<Vec<f32>> {
    let first_of_tree: Vec<usize> =
        trees.trees().iter().scan(0, |next, tree| Some(std::mem::replace(next, *next + tree.nodes.len()))).collect();
    let n_nodes = trees.trees().iter().map(|tree| tree.nodes.len()).sum();
    let units = |row: usize| weights.map_or(UNITS_A_ROW, |weights| (weights[row] * UNITS).round() as u64);
    let of_task = |task: usize| {
        let mut counted = vec![0_u64; n_nodes];
        let mut block = Vec::new();
        let rows = task * TASK_ROWS..x.n_rows().min((task + 1) * TASK_ROWS);
        for first in rows.clone().step_by(BLOCK_ROWS) {
            let n_rows = BLOCK_ROWS.min(rows.end - first);
            gather(x, first, n_rows, &mut block);
            for (tree, &first_node) in trees.trees().iter().zip(&first_of_tree) {
                for (row, values) in (first..).zip(block.chunks_exact(x.n_cols())) {
                    counted[first_node + tree.leaf(values).0 as usize] += units(row);
                }
            }
        }
        counted
    };
    let add = |mut sum: Vec<u64>, other: Vec<u64>| {
        sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        sum
    };
    let n_tasks = x.n_rows().div_ceil(TASK_ROWS);
    let counted = (0..n_tasks).into_par_iter().map(of_task).reduce(|| vec![0; n_nodes], add);
    let of_tree = |(tree, &first): (&Tree, &usize)| tree.covers(|at| (counted[first + at] as f64 / UNITS) as f32);
    trees.trees().iter().zip(&first_of_tree).map(of_tree).collect()
}

/// `n_rows` rows from `first_row`, row after row.
fn gather(x: &FeatureMatrix, first_row: usize, n_rows: usize, block: &mut Vec<f32>) {
    block.clear();
    block.resize(n_rows * x.n_cols(), 0.0);
    for column in 0..x.n_cols() {
        let values = &x.column(column)[first_row..first_row + n_rows];
        for (row, &value) in block.chunks_exact_mut(x.n_cols()).zip(values) {
            row[column] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::{Link, Node};

    #[test]
    fn covers_are_the_weights_of_the_rows_that_reach_a_node() {
        let split = |feature, left, right| Node::Split { feature, threshold: 0.5, missing_left: true, left, right };
        let leaf = Node::Leaf { value: 1.0 };
        let nodes = vec![split(0, 1, 2), leaf, split(1, 3, 4), leaf, leaf];
        let trees = vec![Tree { nodes }, Tree { nodes: vec![leaf] }];
        let trees = Trees::new(2, 0.0, Link::Logit, trees).expect("they are trees");
        let columns = [vec![0.0, 1.0, 1.0, f32::NAN, 1.0], vec![9.0, 0.0, 1.0, 1.0, f32::NAN]];
        let x = FeatureMatrix::from_columns(&columns).expect("columns of one length");
        assert_eq!(covers(&trees, &x, None), [vec![5.0, 2.0, 3.0, 2.0, 1.0], vec![5.0]]);
        let weights = [0.5, 1.0, 2.0, 0.0, 0.25];
        assert_eq!(covers(&trees, &x, Some(&weights)), [vec![3.75, 0.5, 3.25, 1.25, 2.0], vec![3.75]]);
    }

    #[test]
    fn rows_of_many_tasks_are_all_counted() {
        let n_rows = 3 * TASK_ROWS + 17;
        let x = FeatureMatrix::from_columns(&[(0..n_rows).map(|row| (row % 3) as f32).collect()]);
        let x = x.expect("one column");
        let split = Node::Split { feature: 0, threshold: 0.5, missing_left: true, left: 1, right: 2 };
        let leaf = Node::Leaf { value: 1.0 };
        let trees = Trees::new(1, 0.0, Link::Logit, vec![Tree { nodes: vec![split, leaf, leaf] }]);
        let n_left = n_rows.div_ceil(3) as f32;
        let found = covers(&trees.expect("a stump is a tree"), &x, None);
        assert_eq!(found, [[n_rows as f32, n_left, n_rows as f32 - n_left]]);
    }
}
