//! Why a model could not be learnt.

use bellwether_core::{CalibrationError, ModelError};
use thiserror::Error;

use crate::LearnerName;

/// Why a model or a calibration could not be learnt.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LearnError {
    /// There is nothing to learn from.
    #[error("there is no row with a weight above 0; learning needs at least one")]
    NoRows,
    /// A slice does not fit the matrix.
    #[error("`{what}` has {found} entries where there are {expected} rows")]
    Length {
        /// The slice.
        what: &'static str,
        /// Its entries.
        found: usize,
        /// The rows.
        expected: usize,
    },
    /// The matrix does not fit the schema.
    #[error("the matrix has {found} columns where the schema has {expected} features")]
    Columns {
        /// Columns of the matrix.
        found: usize,
        /// Features of the schema.
        expected: usize,
    },
    /// All rows are of one kind.
    #[error("{n_positive} of {n_rows} rows have the outcome; learning needs rows with it and rows without it")]
    SingleClass {
        /// Rows with a weight above 0.
        n_rows: usize,
        /// Those with the outcome.
        n_positive: usize,
    },
    /// A weight is negative, infinite or not a number.
    #[error("the weight of row {row} is {weight}; weights must be finite and at least 0")]
    Weight {
        /// Row, from 0.
        row: usize,
        /// Its weight.
        weight: f64,
    },
    /// A value is missing or infinite where it must be known.
    #[error("column {column}, row {row} is {value}; values must be finite")]
    Value {
        /// Column, from 0.
        column: usize,
        /// Row, from 0.
        row: usize,
        /// The value.
        value: f32,
    },
    /// The penalty of a logistic fit is none.
    #[error("the penalty has strength {strength} and L1 share {l1_share}; they must be at least 0 and within 0 to 1")]
    Penalty {
        /// 1 / C.
        strength: f64,
        /// L1 ratio.
        l1_share: f64,
    },
    /// The half-life of the weights of rows is none.
    #[error("the half-life of rows is {days} days; it must be above 0")]
    HalfLife {
        /// What was given.
        days: f64,
    },
    /// The learner can only repeat rows.
    #[error(
        "learner `{learner}` takes whole weights that sum to at most {largest_sum}; \
         use such weights, none, or another learner"
    )]
    WeightsUnsupported {
        /// The learner.
        learner: LearnerName,
        /// The largest sum of weights that it takes for these rows.
        largest_sum: usize,
    },
    /// The learner takes no fractional weights, or draws rows by them.
    #[error("learner `{learner}` has no balanced class weights; use class weight `none` or another learner")]
    ClassWeightUnsupported {
        /// The learner.
        learner: LearnerName,
    },
    /// The scorecard's weights are missing.
    #[error("learner `scorecard` needs indicators with weights; the settings have none")]
    NoScorecard,
    /// The scorecard was made for other features.
    #[error("the scorecard reads rows of {found} features where the schema has {expected}")]
    ScorecardFeatures {
        /// Features that the scorecard expects.
        found: usize,
        /// Features of the schema.
        expected: usize,
    },
    /// No learner has this name.
    #[error(
        "`{0}` is not a learner; learners are scorecard, logistic, tree, forest and boosted, and the references \
         logistic_linfa, tree_linfa and forest_smartcore"
    )]
    UnknownLearner(String),
    /// The library underneath gave up.
    #[error("learner `{learner}` found no model for these rows")]
    Fit {
        /// The learner.
        learner: LearnerName,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The fitted model breaks a rule of models.
    #[error("learner `{learner}` made a model that breaks a rule")]
    Model {
        /// The learner.
        learner: LearnerName,
        /// The rule.
        #[source]
        source: ModelError,
    },
    /// A logit to calibrate is not finite.
    #[error("the logit of row {row} is {logit}; logits must be finite")]
    Logit {
        /// Row, from 0.
        row: usize,
        /// Its logit.
        logit: f64,
    },
    /// The fitted calibration breaks a rule of calibrations.
    #[error("the fitted calibration breaks a rule")]
    Calibration(#[from] CalibrationError),
}

impl LearnError {
    pub(crate) fn fit(learner: LearnerName, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fit { learner, source: source.into() }
    }
}
