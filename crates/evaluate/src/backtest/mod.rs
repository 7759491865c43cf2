//! A backtest: several origins, at each of which learners were fitted on what was known by then and tested on what followed.
//!
//! [`summarise`] makes one [`TargetBacktest`] of the predictions at all origins: a table over time, the pooled result and
//! how stable the ranking of learners is. [`learning_curve`] says whether more accounts would help;
//! [`crate::guide::ablation_findings`] says what each group of features adds.

mod curve;
mod input;
mod results;
mod stability;
mod summary;

pub use curve::{CurvePoint, CurveStep, LearningCurve, MoreData, learning_curve};
pub use input::{BacktestOptions, LearnerRows, OriginRows};
pub use results::{
    AS_CHOSEN, Backtest, LearnerPooled, LearnerTest, OriginResult, PooledResult, Scheme, TargetBacktest, Window,
};
pub use stability::{Agreement, LearnerRank, Regret, Stability, kendall_w, stability};
pub use summary::summarise;
