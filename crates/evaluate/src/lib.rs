//! Metrics with intervals, overall, by band and by cohort. No I/O, no clock; equal bits on any number of threads.
//!
//! Rows of one account are not independent, so every interval is by account: `DeLong`'s variance in its clustered form for
//! ROC AUC, Wilson's interval with the effective sample size for shares of rows, sums over accounts where a value is one, and
//! for the rest a bootstrap that draws accounts. What is undefined is `None`, and so is an interval that the rows cannot
//! support. How often the intervals hold the truth, `examples/coverage` counts.
//!
//! [`backtest`] puts the test windows of several origins together. [`guide`] has the metrics that the guides ask for, with targets and verdicts; [`value`] what a ranking is worth in money;
//! [`bias_gaps`] compares segments, [`compare_models`] models, both corrected for how many comparisons were made.
//!
//! ```
//! use bellwether_core::Quiet;
//! use bellwether_evaluate::{EvaluateOptions, Scored, evaluate};
//!
//! let scored = Scored {
//!     probability: &[0.9, 0.4, 0.6, 0.1],
//!     outcome: &[true, false, true, false],
//!     account: &[1, 2, 3, 4],
//! };
//! let evaluation = evaluate(&scored, None, &[], &EvaluateOptions::default(), &Quiet)?;
//! assert_eq!(evaluation.overall.roc_auc.value, Some(1.0));
//! assert!(!evaluation.overall.enough_evidence);
//! # Ok::<(), bellwether_evaluate::EvaluateError>(())
//! ```

mod accounts;
pub mod backtest;
mod bands;
mod bias;
mod bins;
mod bootstrap;
mod compare;
mod correlation;
mod curves;
mod delong;
mod error_interval;
mod evaluate;
mod gap;
pub mod guide;
mod input;
mod linear;
mod measure;
mod metrics;
mod multiple;
mod order;
mod pooled;
mod proportion;
mod recalibration;
mod results;
mod sample;
mod scale;
pub mod value;

pub use bias::{BiasGap, BiasMeasure, BiasOptions, BiasVerdict, bias_gaps};
pub use bins::{Binning, expected_calibration_error};
pub use compare::{
    CohortComparison, CompareOptions, ComparedBy, Comparison, ComparisonVerdict, ModelComparison, compare_models,
};
pub use correlation::{point_biserial, spearman};
pub use delong::{auc_variance, paired_auc_difference};
pub use evaluate::evaluate;
pub use input::{Cohort, EvaluateError, EvaluateOptions, Scored};
pub use metrics::{average_precision, brier_score, log_loss, roc_auc};
pub use multiple::{benjamini_hochberg, holm};
pub use pooled::{Paired, pooled_auc, pooled_auc_difference, pooled_log_loss_difference};
pub use proportion::wilson_interval;
pub use recalibration::{CalibrationLine, calibration_line};
pub use results::{
    AtK, BandMetrics, CalibrationBin, CohortMetrics, Curves, Estimate, Evaluation, Metrics, PairedDifference,
};
