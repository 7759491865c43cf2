//! A random forest of probabilities: trees on drawn rows and features whose leaves are outcome rates.
//!
//! Source: Breiman (2001), "Random Forests"; each tree sees as many rows as there are, drawn with replacement, and each
//! node the square root of the features.

use bellwether_core::{Link, Model, Progress, Trees};
use rayon::prelude::*;

use crate::grown::GrownNode;
use crate::histogram::{CartRows, CartRules, Classes};
use crate::holdout::mixed;
use crate::learner::checked;
use crate::rows::Table;
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Grows a forest.
#[derive(Debug)]
pub(crate) struct Forest {
    pub(crate) settings: Settings,
}

/// Splits on a path, at most.
const MOST_DEPTH: u32 = 13;

/// Rows times trees, at most, but never fewer than [`LEAST_TREES`]: a large table's trees are large, and a model has to
/// be shipped and scored.
const MOST_ROW_TREES: usize = 50_000_000;

/// See [`MOST_ROW_TREES`].
const LEAST_TREES: usize = 50;

impl Learner for Forest {
    fn name(&self) -> LearnerName {
        LearnerName::Forest
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        let rows = CartRows::new(&table);
        let rules = rules(&table);
        let affordable = (MOST_ROW_TREES / table.n_rows()).max(LEAST_TREES);
        let n_trees = self.settings.forest_trees.clamp(1, affordable as u32);
        progress.begin("forest", u64::from(n_trees));
        let tree = |tree: u32| {
            let seed = mixed(self.settings.seed.wrapping_add(u64::from(tree)));
            let grown = rows.grow_on_draw(CartRules { seed, ..rules });
            progress.advance(1);
            // The sum over the trees is the mean rate.
            grown.tree(MOST_DEPTH, |node: &GrownNode| node.rate() / f64::from(n_trees))
        };
        let trees = (0..n_trees).into_par_iter().map(tree).collect();
        progress.end();
        let trees = Trees::new(table.n_cols(), 0.0, Link::Probability, trees);
        let trees = trees.map_err(|source| LearnError::Model { learner: LearnerName::Forest, source })?;
        checked(LearnerName::Forest, Model::Trees(trees))
    }
}

fn rules(table: &Table) -> CartRules {
    CartRules {
        depth: MOST_DEPTH,
        classes: Classes::AsTheyAre,
        least_rows: ((table.n_rows() as f64).sqrt() / 4.0).round().max(3.0),
        features_a_node: ((table.n_cols() as f64).sqrt().round() as usize).max(1),
        seed: 0,
    }
}
