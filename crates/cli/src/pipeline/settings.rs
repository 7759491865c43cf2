//! From `[train]` of book.toml to what learners are told.

use bellwether_book::{BoostedConfig, TrainConfig};
use bellwether_core::Target;
use bellwether_learn::{ClassWeight, Directions, LogisticSettings, Recipe, Settings};

/// What is not declared is the learners' default; there is no seed and no scorecard yet.
pub(crate) fn of(train: &TrainConfig, target: Target) -> Settings {
    let usual = Settings::new(0, target.outcome);
    let (logistic, boosted) = (train.logistic.get_ref(), train.boosted.get_ref());
    Settings {
        purge_days: target.horizon_days,
        logistic: LogisticSettings {
            c: logistic.c,
            l1_share: logistic.l1_ratio,
            recency_half_life_days: logistic.recency_half_life_days,
        },
        tree_depth: train.tree.get_ref().depth.unwrap_or(usual.tree_depth),
        forest_trees: train.forest.get_ref().trees.unwrap_or(usual.forest_trees),
        boosted_trees: boosted.trees.unwrap_or(usual.boosted_trees),
        recipe: recipe(boosted),
        directions: match boosted.monotone {
            None => usual.directions,
            Some(true) => Directions::Declared,
            Some(false) => Directions::Ignored,
        },
        class_weight: match train.class_weight {
            bellwether_book::ClassWeight::None => ClassWeight::None,
            bellwether_book::ClassWeight::Balanced => ClassWeight::Balanced,
        },
        search_seconds: boosted.search_seconds.unwrap_or(usual.search_seconds),
        ..usual
    }
}

fn recipe(boosted: &BoostedConfig) -> Option<Recipe> {
    let usual = Recipe::USUAL;
    boosted.has_recipe().then(|| Recipe {
        leaves: boosted.leaves.unwrap_or(usual.leaves),
        depth: boosted.depth.unwrap_or(usual.depth),
        learning_rate: boosted.learning_rate.unwrap_or(usual.learning_rate),
        ..usual
    })
}
