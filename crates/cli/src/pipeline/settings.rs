//! From `[train]` of book.toml to what learners are told.

use bellwether_book::{BoostedConfig, ClassWeight, TrainConfig};
use bellwether_core::{ScorecardModel, Target};
use bellwether_learn::{LogisticSettings, Recipe, Settings};

/// What is not declared is the learners' default.
pub(crate) fn of(train: &TrainConfig, scorecard: &ScorecardModel, target: Target, seed: u64) -> Settings {
    let usual = Settings::new(seed, target.outcome);
    let (logistic, boosted) = (train.logistic.get_ref(), train.boosted.get_ref());
    Settings {
        scorecard: Some(scorecard.clone()),
        purge_days: target.horizon_days,
        class_weight: match train.class_weight {
            ClassWeight::None => bellwether_learn::ClassWeight::None,
            ClassWeight::Balanced => bellwether_learn::ClassWeight::Balanced,
        },
        logistic: LogisticSettings {
            c: logistic.c,
            l1_share: logistic.l1_ratio,
            recency_half_life_days: logistic.recency_half_life_days,
        },
        tree_depth: train.tree.get_ref().depth.unwrap_or(usual.tree_depth),
        forest_trees: train.forest.get_ref().trees.unwrap_or(usual.forest_trees),
        boosted_trees: boosted.trees.unwrap_or(usual.boosted_trees),
        recipe: recipe(boosted),
        monotone: boosted.monotone.unwrap_or(usual.monotone),
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
