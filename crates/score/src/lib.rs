//! Fast inference: native kernels compiled from ONNX, tract as the reference.
//!
//! - [`Scorer`] opens a bundle and scores a feature matrix: health score, band and probabilities, or a status that
//!   says why there are none. [`Scorer::score_one`] does it for one row without allocation.
//! - [`Kernel`] computes logits from the bytes of one graph, for [`Rows`] in the layout in which the caller has them;
//!   [`Reference`] computes them with tract, from the same bytes. Graphs that no kernel of ours computes are tract's in both.
//! - [`Scorer::certify`] writes the rows on which a change of a model shows, with all that they must give; opening a
//!   bundle replays them, [`Verification`] replays all of them in each runtime.
//! - [`Explainer`] takes the scores of a target's model apart by feature: exact Shapley values.
//!   [`Reasons`] says it by indicator and in points, [`HealthShares`] does for the health score, [`Wording`] in sentences,
//!   [`Moved`] says why a score moved, [`TopActions`] what would bring it to green.
//!
//! This crate stays light: it can reach no data frame and no learner.
//!
//! # Embedding
//!
//! ```no_run
//! use bellwether_core::FeatureMatrix;
//! use bellwether_score::{ScoreError, Scorer};
//!
//! fn main() -> Result<(), ScoreError> {
//!     // Checks every digest, compiles the graphs and replays stored rows: it gives the approved numbers, or refuses.
//!     let scorer = Scorer::open("models/simulated/1".as_ref())?;
//!     let n_features = scorer.schema().len();
//!
//!     // One column a feature, in the order of `scorer.schema()`; NaN is missing.
//!     let rows = FeatureMatrix::from_columns(&vec![vec![0.0, 1.0, f32::NAN]; n_features])?;
//!     let scores = scorer.score(&rows)?;
//!     for row in 0..rows.n_rows() {
//!         println!("{}: {:?} {:?}", scores.status[row].name(), scores.health_score[row], scores.band[row]);
//!     }
//!
//!     // One row, without allocation: what a service does a request.
//!     let mut probability = vec![None; scorer.targets().count()];
//!     let one = scorer.score_one(&vec![1.0; n_features], &mut probability)?;
//!     for (target, probability) in scorer.targets().zip(&probability) {
//!         println!("{}: {target} {probability:?}", one.status.name());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! `examples/embed.rs` is the same as a program. Text columns become numbers by [`Scorer::encoding`]. A [`Scorer`] and
//! a [`Kernel`] can be shared by threads; batches run on the threads of the rayon pool that calls them.
//!
//! # Errors
//!
//! Everything that can fail returns [`ScoreError`], which names the place, the value and the rule. A bundle that was
//! changed, a graph that is not one of ours, rows of another width and infinite values are refused; a row of which too
//! little is known has a status in place of numbers.
//!
//! # Panics
//!
//! None, whatever the bundle or the rows, but of [`parity_rows`], which is for tests and says so.
//!
//! # Performance
//!
//! - Trees of up to 256 leaves are straight-line programs over blocks of 128 rows: a value becomes the rank among its
//!   feature's thresholds, one byte, and each split is one comparison and one selection of 64 rows (AVX-512), 32 (AVX2)
//!   or whatever the compiler makes of plain Rust. Time depends on the number of splits, not on the values. Larger
//!   trees are walked, several rows at a time. Oblivious trees need one comparison a level.
//! - The processor is asked when a batch begins ([`SimdPath::fastest`]); all paths and all layouts give the same bits
//!   as `bellwether_core::Model::logit`, on any number of threads.
//! - Ask for batches of thousands of rows: ranks are made for 1,024 rows at a time, threads get 2,048. Columns
//!   ([`Rows::columns`], as Arrow has them) are read in place and are the fastest layout; [`Rows::row_major`]
//!   is turned into columns 128 rows at a time.
//! - Graphs of other software go through tract in batches of 64 rows, some microseconds a row for a small network; one row alone
//!   costs as much as 64, and allocates. Without the feature `tract` they are refused.
//! - A graph loads in milliseconds; nothing is compiled to machine code and no memory is made executable.
//! - `benches/peers/score_speed.py` measures all of it beside other runtimes.

mod certified_reasons;
mod certify;
mod coverage;
mod error;
mod horizons;
mod kernel;
mod open;
mod parity;
mod reasons;
#[cfg(feature = "tract")]
mod reference;
mod replay;
mod row;
mod scorer;
mod shapley;
#[cfg(feature = "tract")]
mod verify;

pub use error::ScoreError;
pub use kernel::{Kernel, Rows, SimdPath};
pub use parity::{parity_rows, parity_rows_for};
pub use reasons::{
    ExplainedMove, ExplainedRow, HealthShare, HealthShares, IndicatorValue, Indicators, Lever, Levers, Measure, Moved,
    Reason, ReasonKey, ReasonWords, Reasons, TopActions, Wording,
};
#[cfg(feature = "tract")]
pub use reference::Reference;
pub use row::RowScore;
pub use scorer::{Scorer, ScorerParts, ScorerTarget, Scores};
pub use shapley::{ADDITIVITY_TOLERANCE, Against, Contributions, Explainer};
#[cfg(feature = "tract")]
pub use verify::{Runtime, RuntimeCheck, Verification};
