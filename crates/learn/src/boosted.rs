//! Gradient boosting on the log loss: recipe and number of trees are chosen on later rows, then all rows are fitted.

use bellwether_core::{Direction, FeatureSchema, Link, Model, Progress, Trees};
use rayon::prelude::*;

use crate::histogram::{Bins, Boosting, Monotone, Rows, Stop, boost};
use crate::holdout::{Fold, folds};
use crate::learner::checked;
use crate::rows::Table;
use crate::{LearnError, Learner, LearnerName, Recipe, Settings, TrainingRows};

/// Boosts trees.
#[derive(Debug)]
pub(crate) struct Boosted {
    pub(crate) settings: Settings,
}

/// Trees where there are no rows to choose the number on.
const USUAL_TREES: usize = 60;

/// A fit stops when the held-out loss has not fallen for this many trees.
const PATIENCE: usize = 40;

/// What a tree costs for each cell of the matrix, in seconds of two threads of the machine that this was measured on;
/// other machines try the same recipes in another time.
const SECONDS_A_CELL_AND_TREE: f64 = 1.5e-9;

/// What a tree costs beside, in seconds of that machine.
const SECONDS_A_TREE: f64 = 3e-4;

/// From this many matrix cells on, fits use the threads one after the other; below, they run side by side.
const CELLS_FOR_THREADS: usize = 4_000_000;

impl Learner for Boosted {
    fn name(&self) -> LearnerName {
        LearnerName::Boosted
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        let monotone = self.directions(rows.schema);
        let (recipe, n_trees) = match self.settings.recipe {
            Some(recipe) => (recipe, (self.settings.boosted_trees as usize).max(1)),
            None => self.choose(&table, &monotone, progress),
        };
        let bins = Bins::of(&table.columns);
        let stop = Stop { most_trees: n_trees, check: None };
        let rows = Rows::new(&table, &bins);
        progress.begin("boosted: fit", n_trees as u64);
        let Boosting { base, trees, .. } =
            boost(&rows, &bins, &monotone, &recipe, self.settings.seed, stop, || progress.advance(1));
        progress.end();
        let trees = Trees::new(table.n_cols(), base, Link::Logit, trees);
        let trees = trees.map_err(|source| LearnError::Model { learner: LearnerName::Boosted, source })?;
        checked(LearnerName::Boosted, Model::Trees(trees))
    }
}

impl Boosted {
    /// The recipe and the number of trees with the least held-out loss.
    fn choose(&self, table: &Table, monotone: &[Monotone], progress: &dyn Progress) -> (Recipe, usize) {
        let most_trees = (self.settings.boosted_trees as usize).max(1);
        let folds = folds(table, self.settings.purge_days);
        if folds.is_empty() {
            return (Recipe::USUAL, USUAL_TREES.min(most_trees));
        }
        let recipes = self.affordable(table.n_cols(), &folds);
        progress.begin("boosted: choose", (recipes.len() * folds.len()) as u64);
        let curves_of = |fold: &Fold| {
            let fold = HeldOut::new(table, fold);
            let curve = |recipe: &Recipe| {
                let losses = fold.losses(recipe, monotone, self.settings.seed, most_trees);
                progress.advance(1);
                losses
            };
            if is_large(table) { recipes.iter().map(curve).collect() } else { recipes.par_iter().map(curve).collect() }
        };
        let curves: Vec<Vec<Vec<f64>>> = if is_large(table) {
            folds.iter().map(curves_of).collect()
        } else {
            folds.par_iter().map(curves_of).collect()
        };
        progress.end();
        let (recipe, n_trees) = best(&curves);
        let n_fit = folds.iter().map(|fold| fold.fit.len()).sum::<usize>() as f64 / folds.len() as f64;
        // More rows bear more trees, but not in proportion.
        let scale = (table.n_rows() as f64 / n_fit).sqrt().min(1.5);
        (recipes[recipe], ((n_trees as f64 * scale).round() as usize).clamp(1, most_trees))
    }

    /// The recipes that the budget of seconds pays for, at least one. Prices follow from the shape of the table and no
    /// clock is read: what is learnt must not depend on how fast or busy a machine is.
    fn affordable(&self, n_cols: usize, folds: &[Fold]) -> &'static [Recipe] {
        let n_cells = folds.iter().map(|fold| fold.fit.len()).sum::<usize>() * n_cols;
        let price = |recipe: &Recipe| {
            let n_trees = f64::from(self.settings.boosted_trees).min(10.0 / recipe.learning_rate);
            n_trees * (n_cells as f64 * SECONDS_A_CELL_AND_TREE + folds.len() as f64 * SECONDS_A_TREE)
        };
        let mut left = self.settings.search_seconds;
        let affords = |recipe: &&Recipe| {
            left -= price(recipe);
            left >= 0.0
        };
        &Recipe::CANDIDATES[..Recipe::CANDIDATES.iter().take_while(affords).count().max(1)]
    }

    /// What the schema's directions mean for the outcome, one a feature.
    fn directions(&self, schema: &FeatureSchema) -> Vec<Monotone> {
        let direction = |good: Option<Direction>| match good.filter(|_| self.settings.monotone) {
            None => Monotone::Free,
            Some(good) if (good == Direction::Up) == self.settings.outcome.is_good() => Monotone::Rising,
            Some(_) => Monotone::Falling,
        };
        schema.features().iter().map(|feature| direction(feature.good)).collect()
    }
}

/// A fold as bins that know nothing of the rows held out.
struct HeldOut {
    bins: Bins,
    fit: Rows,
    check: Rows,
}

impl HeldOut {
    fn new(table: &Table, fold: &Fold) -> Self {
        let (fit, check) = (table.select(&fold.fit), table.select(&fold.check));
        let bins = Bins::of(&fit.columns);
        Self { fit: Rows::new(&fit, &bins), check: Rows::new(&check, &bins), bins }
    }

    /// The log loss on the held-out rows after each tree, until it has stopped falling.
    fn losses(&self, recipe: &Recipe, monotone: &[Monotone], seed: u64, most_trees: usize) -> Vec<f64> {
        let stop = Stop { most_trees, check: Some((&self.check, PATIENCE)) };
        boost(&self.fit, &self.bins, monotone, recipe, seed, stop, || ()).losses
    }
}

/// The recipe and number of trees with the least mean loss over the folds; `curves` has one a recipe for each fold.
fn best(curves: &[Vec<Vec<f64>>]) -> (usize, usize) {
    let mut best = (0, 1, f64::INFINITY);
    for recipe in 0..curves[0].len() {
        let n_trees = curves.iter().map(|of_fold| of_fold[recipe].len()).min().unwrap_or(0);
        for tree in 0..n_trees {
            let loss = curves.iter().map(|of_fold| of_fold[recipe][tree]).sum::<f64>() / curves.len() as f64;
            if loss < best.2 {
                best = (recipe, tree + 1, loss);
            }
        }
    }
    (best.0, best.1)
}

fn is_large(table: &Table) -> bool {
    table.n_rows() * table.n_cols() >= CELLS_FOR_THREADS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_recipe_and_number_of_trees_have_the_least_mean_loss() {
        let curves = [vec![vec![0.9, 0.7, 0.8], vec![0.8, 0.6, 0.1]], vec![vec![0.9, 0.8], vec![0.7, 0.75]]];
        assert_eq!(best(&curves), (1, 2));
        assert_eq!(best(&[vec![vec![f64::NAN, 0.5, 0.4]], vec![vec![0.1, 0.3, 0.5]]]), (0, 2));
        assert_eq!(best(&[vec![vec![]]]), (0, 1));
    }

    #[test]
    fn the_budget_pays_for_recipes_by_the_shape_of_the_table() {
        let n_affordable = |n_cols: usize, n_fit: usize, search_seconds: f64| {
            let boosted = Boosted { settings: Settings { search_seconds, ..Settings::default() } };
            let folds = [Fold { fit: (0..n_fit).collect(), check: vec![0] }];
            boosted.affordable(n_cols, &folds).len()
        };
        assert_eq!(n_affordable(10, 1_000, 60.0), Recipe::CANDIDATES.len());
        assert_eq!(n_affordable(60, 5_000_000, 60.0), 1);
        assert_eq!(n_affordable(60, 500_000, 0.0), 1);
        let rising: Vec<usize> = [10.0, 25.0, 50.0].map(|seconds| n_affordable(60, 500_000, seconds)).into();
        assert!(rising.is_sorted_by(|a, b| a < b), "{rising:?}");
    }
}
