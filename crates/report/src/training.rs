//! What a report says, as plain data.

use bellwether_core::{Date, Direction, Target};
use bellwether_evaluate::{Evaluation, Metrics, PairedDifference};

use crate::{CoefficientReport, DrawnTree, ScorecardReport};

/// All that a training run reports. Every interval in it is taken to have 95 % confidence.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingReport {
    /// The heading.
    pub title: String,
    /// What is known of the data as a whole, such as (`accounts`, `2,000`).
    pub facts: Vec<(String, String)>,
    /// How rows were split, such as (`test`, `from 2024-06-01`).
    pub split: Vec<(String, String)>,
    /// The sources, in the book's order.
    pub sources: Vec<SourceRow>,
    /// One for each target, each target once.
    pub targets: Vec<TargetReport>,
    /// The health score.
    pub scorecard: ScorecardReport,
    /// The features, in the schema's order.
    pub features: Vec<FeatureRow>,
    /// Warnings and waivers, one sentence each.
    pub notes: Vec<String>,
    /// What the model was made of and with: digests, versions, seed.
    pub provenance: Vec<(String, String)>,
}

/// One source of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its name.
    pub name: String,
    /// Rows read.
    pub n_rows: usize,
    /// Of them, rows whose account is not in the book.
    pub n_orphans: usize,
    /// First and last day, `None` for a source without dates.
    pub days: Option<(Date, Date)>,
}

/// What was learnt for one target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetReport {
    /// What is predicted.
    pub target: Target,
    /// The learner whose model is in the bundle; one of `learners`.
    pub chosen: String,
    /// How its probabilities are calibrated.
    pub calibration: String,
    /// Rows that it was fitted on.
    pub n_training: usize,
    /// Rows that it was calibrated, and chosen, on.
    pub n_calibration: usize,
    /// Test rows whose probability was moved towards the main horizon's, so that none falls as the horizon grows.
    pub n_moved: usize,
    /// The chosen learner on the test part.
    pub evaluation: Evaluation,
    /// Every learner that was tried, the chosen one included.
    pub learners: Vec<LearnerRow>,
    /// What the learner `logistic` weighs; `None` where it was not tried.
    pub coefficients: Option<CoefficientReport>,
    /// The tree of the learner `tree`, where it was fitted.
    pub tree: Option<DrawnTree>,
}

/// One learner among those that were tried.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnerRow {
    /// Its name.
    pub learner: String,
    /// How its probabilities are calibrated.
    pub calibration: String,
    /// ROC AUC on the calibration part.
    pub selection_auc: Option<f64>,
    /// Log loss on the calibration part, in nats.
    pub selection_log_loss: Option<f64>,
    /// Metrics on the test part, the same rows for each learner.
    pub test: Metrics,
    /// ROC AUC on the test part, this learner's minus the chosen one's; `None` for the chosen one.
    pub difference: Option<PairedDifference>,
}

/// One feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRow {
    /// Its name.
    pub name: String,
    /// The kind of indicator, such as `usage`.
    pub category: Option<String>,
    /// Which way is good for the account, where that was declared.
    pub good: Option<Direction>,
    /// Share of the training rows without a value, in `0.0..=1.0`.
    pub missing_share: f64,
}
