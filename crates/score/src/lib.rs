//! Fast inference: native kernels compiled from ONNX, tract as the reference.
//!
//! - [`Scorer`] opens a bundle and scores a feature matrix: health score, band and probabilities, or a status that
//!   says why there are none.
//! - [`Kernel`] computes logits from the bytes of one graph; [`Reference`] computes them with tract, from the same bytes.
//! - [`Explainer`] takes the scores of a target's model apart by feature: exact Shapley values.
//!   [`Reasons`] says it by indicator and in points, [`HealthShares`] does for the health score, [`Wording`] in sentences,
//!   [`Moved`] says why a score moved, [`TopActions`] what would bring it to green.
//! - [`parity_rows`] makes the rows on which runtimes are most likely to differ.
//!
//! This crate stays light: it can reach no data frame and no learner.

mod coverage;
mod error;
mod horizons;
mod kernel;
mod open;
mod parity;
mod reasons;
mod reference;
mod scorer;
mod shapley;

pub use error::ScoreError;
pub use kernel::Kernel;
pub use parity::{parity_rows, parity_rows_for};
pub use reasons::{
    ExplainedMove, ExplainedRow, HealthShare, HealthShares, IndicatorValue, Indicators, Lever, Measure, Moved, Reason,
    Reasons, TopActions, Wording,
};
pub use reference::Reference;
pub use scorer::{Scorer, ScorerParts, ScorerTarget, Scores};
pub use shapley::{ADDITIVITY_TOLERANCE, Against, Contributions, Explainer};
