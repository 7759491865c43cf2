//! What a learner may be told.

use bellwether_core::{Outcome, ScorecardModel};
use serde::{Deserialize, Serialize};

use crate::{ClassWeight, Recipe};

/// What learners are told beside the rows; the defaults suit small and medium books.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where every random choice comes from.
    pub seed: u64,
    /// The outcome that the labels say; it gives the scorecard and monotone constraints their sign.
    pub outcome: Outcome,
    /// Indicators and weights of the scorecard; its slope and intercept are ignored.
    #[serde(default)]
    pub scorecard: Option<ScorecardModel>,
    /// Days before a held-out slice of time that are left out, because their labels reach into it: the horizon.
    #[serde(default = "Settings::default_purge_days")]
    pub purge_days: u32,
    /// What the rows of each class weigh.
    #[serde(default)]
    pub class_weight: ClassWeight,
    /// What the logistic learner is told.
    #[serde(default)]
    pub logistic: LogisticSettings,
    /// Splits on a path of the one readable tree, at most; fewer are chosen where more do not pay.
    #[serde(default = "Settings::default_tree_depth")]
    pub tree_depth: u32,
    /// Trees of a forest, at most; a large table gets fewer.
    #[serde(default = "Settings::default_forest_trees")]
    pub forest_trees: u32,
    /// Trees of a boosted model, at most; early stopping chooses how many.
    #[serde(default = "Settings::default_boosted_trees")]
    pub boosted_trees: u32,
    /// How boosted trees are grown; `None` searches. A given recipe grows just [`Self::boosted_trees`] trees.
    #[serde(default)]
    pub recipe: Option<Recipe>,
    /// Whether boosted logits must follow the direction that the schema declares for a feature.
    #[serde(default = "Settings::default_monotone")]
    pub monotone: bool,
    /// What the search for a boosted model's [`Recipe`] may cost, in nominal seconds: they pay for a number of
    /// candidates by the shape of the table alone, so that the model depends on no machine's speed.
    #[serde(default = "Settings::default_search_seconds")]
    pub search_seconds: f64,
}

/// What the logistic learner is told; by default it chooses an L2 penalty on later rows and weighs all days alike.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticSettings {
    /// scikit-learn's `C` on standardised columns: 1 / the penalty's strength, above 0. `None` chooses it.
    pub c: Option<f64>,
    /// The L1 share of the penalty, in `0.0..=1.0`: scikit-learn's `l1_ratio`.
    pub l1_share: f64,
    /// Days after which a row counts half; above 0. `None` weighs all days alike.
    pub recency_half_life_days: Option<f64>,
}

impl Settings {
    /// The defaults for `outcome`.
    pub const fn new(seed: u64, outcome: Outcome) -> Self {
        Self {
            seed,
            outcome,
            scorecard: None,
            purge_days: Self::default_purge_days(),
            class_weight: ClassWeight::None,
            logistic: LogisticSettings { c: None, l1_share: 0.0, recency_half_life_days: None },
            tree_depth: Self::default_tree_depth(),
            forest_trees: Self::default_forest_trees(),
            boosted_trees: Self::default_boosted_trees(),
            recipe: None,
            monotone: Self::default_monotone(),
            search_seconds: Self::default_search_seconds(),
        }
    }

    const fn default_purge_days() -> u32 {
        90
    }

    const fn default_tree_depth() -> u32 {
        5
    }

    const fn default_forest_trees() -> u32 {
        200
    }

    const fn default_boosted_trees() -> u32 {
        600
    }

    const fn default_monotone() -> bool {
        true
    }

    const fn default_search_seconds() -> f64 {
        60.0
    }
}

impl Default for Settings {
    /// Churn with seed 0.
    fn default() -> Self {
        Self::new(0, Outcome::Churn)
    }
}
