//! Fast inference: native kernels compiled from ONNX, tract as the reference.
//!
//! - [`Scorer`] opens a bundle and scores a feature matrix: health score, band and probabilities, or a status that
//!   says why there are none.
//! - [`Kernel`] computes logits from the bytes of one graph; [`Reference`] computes them with tract, from the same bytes.
//! - [`Scorer::certify`] writes the rows on which a change of a model shows, with all that they must give; opening a
//!   bundle replays them, [`Verification`] replays all of them in each runtime.
//!
//! This crate stays light: it can reach no data frame and no learner.

mod certify;
mod coverage;
mod error;
mod horizons;
mod kernel;
mod open;
mod parity;
#[cfg(feature = "reference")]
mod reference;
mod replay;
mod scorer;
#[cfg(feature = "reference")]
mod verify;

pub use error::ScoreError;
pub use kernel::Kernel;
pub use parity::{parity_rows, parity_rows_for};
#[cfg(feature = "reference")]
pub use reference::Reference;
pub use scorer::{Scorer, ScorerParts, ScorerTarget, Scores};
#[cfg(feature = "reference")]
pub use verify::{Runtime, RuntimeCheck, Verification};
