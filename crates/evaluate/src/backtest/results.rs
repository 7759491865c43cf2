//! What a backtest says.

use bellwether_core::{Date, Target};
use serde::{Deserialize, Serialize};

use super::curve::LearningCurve;
use super::stability::Stability;
use crate::guide::AblationFinding;
use crate::results::{Estimate, Metrics, PairedDifference};

/// A whole backtest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// The book's name.
    pub name: String,
    /// How rows were split.
    pub scheme: Scheme,
    /// Where every random choice came from.
    pub seed: u64,
    /// The learners that were compared.
    pub learners: Vec<String>,
    /// The targets: outcome by outcome, the main horizon first.
    pub targets: Vec<TargetBacktest>,
}

/// How a backtest's rows were split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scheme {
    /// Test windows that follow each other, training up to the purge before each.
    RollingOrigins {
        /// How many.
        n_origins: usize,
        /// Days between two parts.
        purge_days: u32,
        /// What calibration rows are held out by.
        calibration_by: String,
    },
    /// Folds of accounts or groups, each of which tests in one fold of each repeat.
    Folds {
        /// What stays together.
        by: String,
        /// Folds of a repeat.
        n_folds: usize,
        /// How often they were drawn.
        n_repeats: usize,
    },
}

/// One target over all origins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetBacktest {
    /// The target.
    pub target: Target,
    /// One for each origin, in order, those without known labels too.
    pub origins: Vec<OriginResult>,
    /// All test rows together; `None` where no label is known at any origin.
    pub pooled: Option<PooledResult>,
    /// How stable the ranking of learners is.
    pub stability: Stability,
    /// What each group of features adds; empty where not asked for.
    pub ablation: Vec<AblationFinding>,
    /// Whether more accounts would help; `None` where not asked for.
    pub learning_curve: Option<LearningCurve>,
}

/// Which rows an origin has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Window {
    /// Days that follow each other.
    Time {
        /// The first and last test day.
        test: (Date, Date),
        /// Snapshot days with labels among them.
        n_test_days: usize,
        /// The first and last calibration day.
        calibration: (Date, Date),
        /// The last training day.
        training_to: Date,
        /// Training rows with a known label.
        n_training: usize,
        /// Their accounts.
        n_training_accounts: usize,
    },
    /// A fold of accounts or groups.
    Fold {
        /// From 1.
        repeat: usize,
        /// From 1.
        fold: usize,
        /// Training rows with a known label.
        n_training: usize,
        /// Their accounts.
        n_training_accounts: usize,
    },
}

/// One origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginResult {
    /// Which rows.
    pub window: Window,
    /// Test rows with a known label; 0 where the data end before any is known.
    pub n: usize,
    /// Their accounts.
    pub n_accounts: usize,
    /// Of them, rows whose outcome came.
    pub n_events: usize,
    /// The learner that would have been taken there; `None` where no label is known.
    pub chosen: Option<String>,
    /// Each learner; empty where no label is known.
    pub learners: Vec<LearnerTest>,
}

/// One learner at one origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnerTest {
    /// Its name.
    pub learner: String,
    /// ROC AUC on the calibration part, by which learners are chosen.
    pub selection_auc: Option<f64>,
    /// On the test rows; those of AUC and average precision have intervals.
    pub test: Metrics,
}

/// All origins together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PooledResult {
    /// Origins with known labels.
    pub n_origins: usize,
    /// Each learner, and at last the procedure: at each origin the learner that would have been taken there.
    pub learners: Vec<LearnerPooled>,
}

/// The name of the procedure among the learners of a pooled result.
pub const AS_CHOSEN: &str = "as chosen";

/// One learner over all origins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnerPooled {
    /// Its name; `as chosen` is the learner chosen at each origin.
    pub learner: String,
    /// Share of the pairs of an event and a non-event of the same origin that are ranked right, see [`crate::pooled_auc`].
    pub auc_within: Estimate,
    /// That less the one as chosen; `None` for the procedure itself.
    pub auc_minus_chosen: Option<PairedDifference>,
    /// Holm's adjusted p-value of that difference, over all learners; `None` with it.
    pub p_holm: Option<f64>,
    /// Mean log loss less the one as chosen; below 0 is better than as chosen.
    pub log_loss_minus_chosen: Option<PairedDifference>,
    /// Of all test rows as one sample. Its `roc_auc` holds scores of different origins against each other.
    pub test: Metrics,
}
