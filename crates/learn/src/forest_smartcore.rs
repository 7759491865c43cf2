//! The reference of `forest`: smartcore's regression forest on 0 and 1, whose leaves are outcome rates.

use bellwether_core::{Link, Model, Node, Progress, Tree, Trees};
use rayon::prelude::*;
use serde::Deserialize;
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::holdout::mixed;
use crate::learner::checked;
use crate::rows::Table;
use crate::threshold::{KnownValues, floor_f32};
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Grows a forest.
#[derive(Debug)]
pub(crate) struct SmartcoreForest {
    pub(crate) settings: Settings,
}

/// Trees with one seed; the number of threads has no say in it.
const TREES_A_GROVE: u32 = 10;

/// The work of a forest, in matrix cells times trees; a larger table gets fewer trees.
const MOST_CELL_TREES: usize = 2_000_000_000;

/// What a missing value is to smartcore: above all others, so it goes right as NaN would, and sorts.
const MISSING: f32 = f32::MAX;

/// smartcore counts the root as 1.
const LARGEST_DEPTH: u16 = 14;

impl Learner for SmartcoreForest {
    fn name(&self) -> LearnerName {
        LearnerName::ForestSmartcore
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        let grower = Grower::new(&table)?;
        let n_groves = self.n_trees(&table).div_ceil(TREES_A_GROVE);
        progress.begin("forest_smartcore", u64::from(n_groves * TREES_A_GROVE));
        let groves = (0..n_groves)
            .into_par_iter()
            .map(|grove| {
                let trees = grower.grove(mixed(self.settings.seed.wrapping_add(u64::from(grove))))?;
                progress.advance(u64::from(TREES_A_GROVE));
                Ok(trees)
            })
            .collect::<Result<Vec<_>, LearnError>>()?;
        progress.end();
        let trees = grower.trees(&groves.concat());
        let trees = Trees::new(table.n_cols(), 0.0, Link::Probability, trees);
        let trees = trees.map_err(|source| LearnError::Model { learner: LearnerName::ForestSmartcore, source })?;
        checked(LearnerName::ForestSmartcore, Model::Trees(trees))
    }
}

impl SmartcoreForest {
    fn n_trees(&self, table: &Table) -> u32 {
        let affordable = MOST_CELL_TREES / (table.n_rows() * table.n_cols());
        self.settings.forest_trees.min(affordable.clamp(50, 100_000) as u32).max(1)
    }
}

struct Grower {
    x: DenseMatrix<f32>,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    known: KnownValues,
    parameters: RandomForestRegressorParameters,
}

impl Grower {
    fn new(table: &Table) -> Result<Self, LearnError> {
        let values = table.columns.iter().flatten().map(|&x| if x.is_nan() { MISSING } else { x }).collect();
        let x = DenseMatrix::new(table.n_rows(), table.n_cols(), values, true);
        let least_rows = ((table.n_rows() as f64).sqrt() / 4.0).round().clamp(3.0, 60.0) as usize;
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(TREES_A_GROVE as usize)
            .with_max_depth(LARGEST_DEPTH)
            .with_min_samples_leaf(least_rows)
            .with_min_samples_split(2 * least_rows)
            .with_m(((table.n_cols() as f64).sqrt().round() as usize).max(1));
        Ok(Self {
            x: x.map_err(|error| LearnError::fit(LearnerName::ForestSmartcore, error))?,
            y: table.targets(),
            weights: table.weights.clone(),
            known: KnownValues::of(&table.columns),
            parameters,
        })
    }

    /// Trees of one seed.
    fn grove(&self, seed: u64) -> Result<Vec<GrownTree>, LearnError> {
        let parameters = self.parameters.clone().with_seed(seed);
        let forest = match &self.weights {
            None => RandomForestRegressor::fit(&self.x, &self.y, parameters),
            Some(weights) => RandomForestRegressor::fit_with_weights(&self.x, &self.y, weights, parameters),
        };
        let forest = forest.map_err(|error| LearnError::fit(LearnerName::ForestSmartcore, error))?;
        let grown = serde_json::to_value(&forest).and_then(serde_json::from_value::<GrownForest>);
        Ok(grown.map_err(|error| LearnError::fit(LearnerName::ForestSmartcore, error))?.forest_regressor.trees)
    }

    /// The trees as plain data; the sum of their leaves is the mean rate.
    fn trees(&self, grown: &[GrownTree]) -> Vec<Tree> {
        let node = |node: &GrownNode| match (node.true_child, node.false_child, node.split_value) {
            (Some(left), Some(right), Some(split_value)) => {
                let threshold = floor_f32(split_value);
                let missing_left = self.known.default_left(node.split_feature, threshold).unwrap_or(false);
                Node::Split { feature: node.split_feature as u32, threshold, missing_left, left, right }
            }
            _ => Node::Leaf { value: (node.output / grown.len() as f64) as f32 },
        };
        grown.iter().map(|tree| Tree { nodes: tree.nodes.iter().map(node).collect() }).collect()
    }
}

/// smartcore shows its nodes through serde only.
#[derive(Deserialize)]
struct GrownForest {
    forest_regressor: GrownTrees,
}

#[derive(Deserialize)]
struct GrownTrees {
    trees: Vec<GrownTree>,
}

#[derive(Clone, Deserialize)]
struct GrownTree {
    nodes: Vec<GrownNode>,
}

/// `x <= split_value` goes to the true child.
#[derive(Clone, Deserialize)]
struct GrownNode {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<u32>,
    false_child: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up table of 400 rows whose second column lacks every ninth value.
    fn table() -> Table {
        let n = 400_usize;
        let a: Vec<f32> = (0..n).map(|row| ((row * 37) % 101) as f32 * 0.3).collect();
        let b = (0..n).map(|row| if row.is_multiple_of(9) { f32::NAN } else { ((row * 53) % 89) as f32 - 40.0 });
        let y = (0..n).map(|row| a[row] + ((row * 29) % 31) as f32 > 30.0).collect();
        Table { columns: vec![a.clone(), b.collect()], y, weights: None, day: vec![0; n], group: vec![0; n] }
    }

    #[test]
    fn the_sum_of_leaves_is_what_smartcore_predicts() {
        let (table, seed) = (table(), 3);
        let grower = Grower::new(&table).expect("the shape fits");
        let trees = grower.trees(&grower.grove(seed).expect("a forest"));
        let forest = RandomForestRegressor::fit(&grower.x, &grower.y, grower.parameters.clone().with_seed(seed));
        let predicted = forest.and_then(|forest| forest.predict(&grower.x)).expect("a number a row");
        assert!(trees.iter().any(|tree| tree.nodes.len() > 5));
        for (row, predicted) in predicted.into_iter().enumerate() {
            let sum: f64 = trees.iter().map(|tree| f64::from(tree.leaf(&table.row(row)).1)).sum();
            assert!((sum - predicted).abs() < 1e-6, "row {row}: {sum}, not {predicted}");
        }
    }
}
