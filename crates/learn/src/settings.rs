//! What a learner may be told.

use bellwether_core::{Outcome, ScorecardModel};
use serde::{Deserialize, Serialize};

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
    /// Splits on a path of the one readable tree, at most; fewer are chosen where more do not pay.
    #[serde(default = "Settings::default_tree_depth")]
    pub tree_depth: u32,
    /// Trees of a forest, at most; a large table gets fewer.
    #[serde(default = "Settings::default_forest_trees")]
    pub forest_trees: u32,
    /// Trees of a boosted model, at most; early stopping chooses how many.
    #[serde(default = "Settings::default_boosted_trees")]
    pub boosted_trees: u32,
    /// Whether boosted logits must follow the direction that the schema declares for a feature.
    #[serde(default)]
    pub monotone: bool,
}

impl Settings {
    /// The defaults for `outcome`.
    pub const fn new(seed: u64, outcome: Outcome) -> Self {
        Self {
            seed,
            outcome,
            scorecard: None,
            purge_days: Self::default_purge_days(),
            tree_depth: Self::default_tree_depth(),
            forest_trees: Self::default_forest_trees(),
            boosted_trees: Self::default_boosted_trees(),
            monotone: false,
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
}

impl Default for Settings {
    /// Churn with seed 0.
    fn default() -> Self {
        Self::new(0, Outcome::Churn)
    }
}
