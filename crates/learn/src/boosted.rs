//! Gradient boosting on the log loss, fitted by forust.

use bellwether_core::{Direction, FeatureSchema, Link, Model, Node, Progress, Tree, Trees};
use forust_ml::constraints::{Constraint, ConstraintMap};
use forust_ml::gradientbooster::{EvaluationData, GrowPolicy};
use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use forust_ml::{GradientBooster, Matrix};
use rayon::prelude::*;

use crate::holdout::{Fold, folds};
use crate::learner::checked;
use crate::rows::Table;
use crate::threshold::KnownValues;
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Boosts trees.
#[derive(Debug)]
pub(crate) struct Boosted {
    pub(crate) settings: Settings,
}

/// How trees are grown.
#[derive(Debug, Clone, Copy)]
struct Recipe {
    depth: usize,
    leaves: usize,
    learning_rate: f32,
    /// A leaf's summed hessian is at least that of this many rows at the base rate.
    least_rows: f64,
    l2: f32,
    /// Share of the rows a tree sees.
    rows: f32,
    /// Share of the columns a tree sees.
    columns: f64,
}

/// The first is the usual one; the others are tried where there are rows to choose on, a large table tries the first two.
const RECIPES: [Recipe; 4] = [
    Recipe { depth: 4, leaves: 16, learning_rate: 0.05, least_rows: 20.0, l2: 5.0, rows: 0.8, columns: 0.6 },
    Recipe { depth: 6, leaves: 31, learning_rate: 0.05, least_rows: 20.0, l2: 5.0, rows: 0.8, columns: 0.6 },
    Recipe { depth: 2, leaves: 4, learning_rate: 0.08, least_rows: 20.0, l2: 1.0, rows: 0.8, columns: 0.6 },
    Recipe { depth: 6, leaves: 31, learning_rate: 0.05, least_rows: 60.0, l2: 30.0, rows: 0.8, columns: 0.3 },
];

/// Trees where there are no rows to choose the number on.
const USUAL_TREES: usize = 60;

/// A fit stops when the held-out loss has not fallen for this many trees.
const PATIENCE: usize = 40;

/// From this many matrix cells on, a table is large.
const CELLS_OF_A_LARGE_TABLE: usize = 10_000_000;

/// forust uses threads inside a fit from this many matrix cells on; below, fits run side by side.
const CELLS_FOR_THREADS: usize = 4_000_000;

impl Learner for Boosted {
    fn name(&self) -> LearnerName {
        LearnerName::Boosted
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        let constraints = self.constraints(rows.schema);
        let (recipe, n_trees) = self.choose(&table, &constraints, progress)?;
        progress.begin("boosted: fit", n_trees as u64);
        let mut booster = self.booster(&recipe, n_trees, &table, &constraints);
        booster
            .fit(&Cells::of(&table).matrix(), &table.targets(), &weights(&table), None)
            .map_err(|error| LearnError::fit(LearnerName::Boosted, error))?;
        progress.advance(n_trees as u64);
        progress.end();
        let trees = Trees::new(table.n_cols(), booster.base_score as f32, Link::Logit, trees(&booster, &table));
        let trees = trees.map_err(|source| LearnError::Model { learner: LearnerName::Boosted, source })?;
        checked(LearnerName::Boosted, Model::Trees(trees))
    }
}

impl Boosted {
    /// The recipe and the number of trees with the least held-out loss.
    fn choose(
        &self,
        table: &Table,
        constraints: &ConstraintMap,
        progress: &dyn Progress,
    ) -> Result<(Recipe, usize), LearnError> {
        let most_trees = (self.settings.boosted_trees as usize).max(1);
        let folds = folds(table, self.settings.purge_days);
        if folds.is_empty() {
            return Ok((RECIPES[0], USUAL_TREES.min(most_trees)));
        }
        let n_recipes = if n_cells(table) < CELLS_OF_A_LARGE_TABLE { RECIPES.len() } else { 2 };
        let tries: Vec<(Recipe, &Fold)> =
            RECIPES[..n_recipes].iter().flat_map(|&recipe| folds.iter().map(move |fold| (recipe, fold))).collect();
        progress.begin("boosted: choose", tries.len() as u64);
        let try_one = |&(recipe, fold): &(Recipe, &Fold)| {
            let curve = self.held_out_losses(&recipe, table, fold, constraints);
            progress.advance(1);
            curve
        };
        let curves = if threads_inside(table) {
            tries.iter().map(try_one).collect::<Result<Vec<_>, _>>()?
        } else {
            tries.par_iter().map(try_one).collect::<Result<Vec<_>, _>>()?
        };
        progress.end();
        let (recipe, n_trees) = best(&curves, folds.len());
        let n_fit = folds.iter().map(|fold| fold.fit.len()).sum::<usize>() as f64 / folds.len() as f64;
        // More rows bear more trees, but not in proportion.
        let scale = (table.n_rows() as f64 / n_fit).sqrt().min(1.5);
        Ok((RECIPES[recipe], ((n_trees as f64 * scale).round() as usize).clamp(1, most_trees)))
    }

    /// The log loss on the held-out rows after each tree, until it has stopped falling.
    fn held_out_losses(
        &self,
        recipe: &Recipe,
        table: &Table,
        fold: &Fold,
        constraints: &ConstraintMap,
    ) -> Result<Vec<f64>, LearnError> {
        let (fit, check) = (table.select(&fold.fit), table.select(&fold.check));
        let most_trees = (self.settings.boosted_trees as usize).max(1);
        let mut booster = self.booster(recipe, most_trees, &fit, constraints);
        booster.parallel = threads_inside(table);
        booster.early_stopping_rounds = Some(PATIENCE);
        let (checked, y, of_check) = (Cells::of(&check), check.targets(), weights(&check));
        let evaluation: EvaluationData<'_> = (checked.matrix(), &y, &of_check);
        booster
            .fit(&Cells::of(&fit).matrix(), &fit.targets(), &weights(&fit), Some(vec![evaluation]))
            .map_err(|error| LearnError::fit(LearnerName::Boosted, error))?;
        Ok(booster.evaluation_history.map(|history| history.data).unwrap_or_default())
    }

    fn booster(&self, recipe: &Recipe, n_trees: usize, table: &Table, constraints: &ConstraintMap) -> GradientBooster {
        let rate = table.base_rate();
        let mut booster = GradientBooster::default();
        booster.objective_type = ObjectiveType::LogLoss;
        booster.initialize_base_score = true;
        booster.iterations = n_trees;
        booster.learning_rate = recipe.learning_rate;
        booster.max_depth = recipe.depth;
        booster.max_leaves = recipe.leaves;
        booster.grow_policy = GrowPolicy::DepthWise;
        // Never 0: histograms are subtracted in f32, and a leaf without rows can have a hessian of 1e-7.
        booster.min_leaf_weight = ((recipe.least_rows * rate * (1.0 - rate)) as f32).max(1e-3);
        booster.l2 = recipe.l2;
        booster.sample_method = SampleMethod::Random;
        booster.subsample = recipe.rows;
        booster.colsample_bytree = share_of_columns(recipe.columns, table.n_cols());
        booster.seed = self.settings.seed;
        booster.create_missing_branch = false;
        booster.monotone_constraints = Some(constraints.clone());
        booster.parallel = threads_inside(table);
        booster
    }

    /// The directions of the schema as signs of the outcome, if they are asked for.
    fn constraints(&self, schema: &FeatureSchema) -> ConstraintMap {
        if !self.settings.monotone {
            return ConstraintMap::new();
        }
        let constraint = |good: Direction| {
            let raises = (good == Direction::Up) == self.settings.outcome.is_good();
            if raises { Constraint::Positive } else { Constraint::Negative }
        };
        let of_features = schema.features().iter().enumerate();
        of_features.filter_map(|(place, feature)| Some((place, constraint(feature.good?)))).collect()
    }
}

/// The recipe and number of trees with the least mean loss over the folds; `curves` has the folds of the first recipe,
/// then those of the second ...
fn best(curves: &[Vec<f64>], n_folds: usize) -> (usize, usize) {
    let mut best = (0, 1, f64::INFINITY);
    for (recipe, of_folds) in curves.chunks(n_folds).enumerate() {
        let n_trees = of_folds.iter().map(Vec::len).min().unwrap_or(0);
        for tree in 0..n_trees {
            let loss = of_folds.iter().map(|curve| curve[tree]).sum::<f64>() / n_folds as f64;
            if loss < best.2 {
                best = (recipe, tree + 1, loss);
            }
        }
    }
    (best.0, best.1)
}

/// A few columns are all used; forust rounds the number of columns down, and needs one.
fn share_of_columns(share: f64, n_cols: usize) -> f64 {
    if n_cols < 10 { 1.0 } else { share }
}

fn n_cells(table: &Table) -> usize {
    table.n_rows() * table.n_cols()
}

fn threads_inside(table: &Table) -> bool {
    n_cells(table) >= CELLS_FOR_THREADS
}

fn weights(table: &Table) -> Vec<f64> {
    (0..table.n_rows()).map(|row| table.weight(row)).collect()
}

/// A table as forust wants it: f64, column after column.
struct Cells {
    values: Vec<f64>,
    n_rows: usize,
    n_cols: usize,
}

impl Cells {
    fn of(table: &Table) -> Self {
        let values = table.columns.iter().flatten().map(|&x| f64::from(x)).collect();
        Self { values, n_rows: table.n_rows(), n_cols: table.n_cols() }
    }

    fn matrix(&self) -> Matrix<'_, f64> {
        Matrix::new(&self.values, self.n_rows, self.n_cols)
    }
}

/// forust's trees as plain data.
fn trees(booster: &GradientBooster, table: &Table) -> Vec<Tree> {
    let known = KnownValues::of(&table.columns);
    let node = |tree: &forust_ml::tree::Tree, at: usize, (lower, upper): (f32, f32)| {
        let node = &tree.nodes[at];
        if node.is_leaf {
            return Node::Leaf { value: node.weight_value.clamp(lower, upper) };
        }
        // forust goes left on `<`, at values of the training rows.
        let threshold = known.between(node.split_feature, node.split_value);
        let missing_left = known.default_left(node.split_feature, threshold);
        Node::Split {
            feature: node.split_feature as u32,
            threshold,
            missing_left: missing_left.unwrap_or(node.missing_node == node.left_child),
            left: node.left_child as u32,
            right: node.right_child as u32,
        }
    };
    let tree = |tree: &forust_ml::tree::Tree| {
        let bounds = bounds(tree, booster.monotone_constraints.as_ref());
        Tree { nodes: bounds.into_iter().enumerate().map(|(at, bounds)| node(tree, at, bounds)).collect() }
    };
    booster.trees.iter().map(tree).collect()
}

/// Least and largest value below each node. forust keeps to the bounds of a constrained split only where features are
/// constrained; below a split on a free feature it forgets them.
fn bounds(tree: &forust_ml::tree::Tree, constraints: Option<&ConstraintMap>) -> Vec<(f32, f32)> {
    let mut bounds = vec![(f32::NEG_INFINITY, f32::INFINITY); tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf) {
        let (lower, upper) = bounds[at];
        let child = |at: usize| tree.nodes[at].weight_value;
        let middle = f32::midpoint(child(node.left_child), child(node.right_child)).clamp(lower, upper);
        (bounds[node.left_child], bounds[node.right_child]) =
            match constraints.and_then(|constraints| constraints.get(&node.split_feature)) {
                Some(Constraint::Positive) => ((lower, middle), (middle, upper)),
                Some(Constraint::Negative) => ((middle, upper), (lower, middle)),
                Some(Constraint::Unconstrained) | None => ((lower, upper), (lower, upper)),
            };
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::Outcome;

    /// A made-up table of 2,000 rows; the second column has many equal values, the third lacks every fifth.
    fn table() -> Table {
        let n = 2000_usize;
        let a: Vec<f32> = (0..n).map(|row| ((row * 37) % 1009) as f32 * 1e-4).collect();
        let b: Vec<f32> = (0..n).map(|row| ((row * 53) % 7) as f32).collect();
        let c = (0..n).map(|row| if row.is_multiple_of(5) { f32::NAN } else { ((row * 71) % 499) as f32 });
        let y = (0..n).map(|row| a[row] * 60.0 + b[row] + ((row * 29) % 5) as f32 > 8.0).collect();
        Table { columns: vec![a.clone(), b.clone(), c.collect()], y, weights: None, day: vec![0; n], group: vec![0; n] }
    }

    #[test]
    fn every_row_has_the_logit_that_forust_predicts() {
        let table = table();
        for recipe in &RECIPES {
            let boosted = Boosted { settings: Settings::new(1, Outcome::Churn) };
            let mut booster = boosted.booster(recipe, 30, &table, &ConstraintMap::new());
            let cells = Cells::of(&table);
            booster.fit(&cells.matrix(), &table.targets(), &weights(&table), None).expect("two classes");
            let trees = trees(&booster, &table);
            for (row, predicted) in booster.predict(&cells.matrix(), false).into_iter().enumerate() {
                let leaves = trees.iter().map(|tree| f64::from(tree.leaf(&table.row(row)).1));
                let sum = booster.base_score + leaves.sum::<f64>();
                assert!((sum - predicted).abs() < 1e-9, "{recipe:?}, row {row}: {sum}, not {predicted}");
            }
        }
    }

    #[test]
    fn the_best_recipe_and_number_of_trees_have_the_least_mean_loss() {
        let curves = [vec![0.9, 0.7, 0.8], vec![0.9, 0.8], vec![0.8, 0.6, 0.1], vec![0.7, 0.75]];
        assert_eq!(best(&curves, 2), (1, 2));
        assert_eq!(best(&[vec![f64::NAN, 0.5, 0.4], vec![0.1, 0.3, 0.5]], 2), (0, 2));
        assert_eq!(best(&[vec![]], 1), (0, 1));
    }
}
