//! Why rows were not scored.

use bellwether_bundle::BundleError;
use bellwether_core::{CalibrationError, EncodingError, MatrixError, ModelError, SchemaError, Target};
use bellwether_onnx::OnnxError;
use thiserror::Error;

/// Why rows were not scored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The bundle was refused.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A graph was refused.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A model beside the graphs is not valid.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A calibration is not valid.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// The encoding makes no schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Rows can't be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Stored rows are no matrix.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// Rows of another width than the model reads.
    #[error("rows have {found} features where the model reads {expected}")]
    Features {
        /// Features of the rows.
        found: usize,
        /// Features of the model.
        expected: usize,
    },
    /// Values that do not fill the rows they stand for.
    #[error("{place} has {found} values where {expected} are needed")]
    Shape {
        /// Which row, column or list.
        place: String,
        /// Values found.
        found: usize,
        /// Values needed.
        expected: usize,
    },
    /// A value is infinite.
    #[error("row {row}: feature {feature} is {value}; values must be finite or missing")]
    Infinite {
        /// The row, from 0.
        row: usize,
        /// The feature's place, from 0.
        feature: usize,
        /// The value.
        value: f32,
    },
    /// Two parts of a model version contradict each other.
    #[error("{place}: {what} is `{found}` where `{expected}` is expected")]
    Mismatch {
        /// Where.
        place: String,
        /// What differs.
        what: &'static str,
        /// What the rest says.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The same target twice, or none.
    #[error("there are {n} models for target `{target}`; each has one")]
    Target {
        /// The target.
        target: Target,
        /// How many models it has.
        n: usize,
    },
    /// The least share of known inputs is no share.
    #[error("min_coverage is {0}; it must lie in 0..=1")]
    MinCoverage(f64),
    /// A model's sum overflows on a row.
    #[error("target `{target}`, row {row}: the logit is {logit}; a logit must be finite")]
    NotFinite {
        /// The target.
        target: Target,
        /// The row, from 0.
        row: usize,
        /// The logit.
        logit: f64,
    },
    /// This machine does not compute what the bundle says.
    #[error("parity row {row}: {what} is {found} where the bundle says {expected}")]
    Parity {
        /// The row, from 0.
        row: usize,
        /// What differs: an encoded feature, a target's logit, probability or reason, the health score, the band or the status.
        what: String,
        /// What the bundle says.
        expected: String,
        /// What was computed.
        found: String,
    },
    /// What an explanation is held against was not stored.
    #[error("target `{target}` can't be explained: {what}")]
    NoBackground {
        /// The target.
        target: Target,
        /// What is missing.
        what: &'static str,
    },
    /// A graph of other software, whose parts nobody knows.
    #[error("target `{target}` can't be explained: its model is a graph of other software, and {what}")]
    NotExplained {
        /// The target.
        target: Target,
        /// What is in the way.
        what: &'static str,
    },
    /// Contributions that are not those of the score.
    #[error("row {row}: contributions add up to the logit {sum} where the model gives {logit}")]
    Additivity {
        /// The row, from 0.
        row: usize,
        /// The logit of their sum.
        sum: f64,
        /// The model's.
        logit: f64,
    },
    /// A graph of other software overflows on a row, or does not know what to do with it.
    #[error("row {row}: the graph of other software gives {logit}; a logit must be finite")]
    GraphNotFinite {
        /// The row, from 0.
        row: usize,
        /// The logit.
        logit: f64,
    },
    /// A graph of other software, in a build without tract.
    #[error(
        "the model of `{target}` is a graph of other software, which tract computes; this build is without feature `tract`"
    )]
    NoRuntime {
        /// What it predicts.
        target: String,
    },
    /// tract refused the graph or the rows.
    #[error("tract failed")]
    Reference(#[source] Box<dyn std::error::Error + Send + Sync>),
}
