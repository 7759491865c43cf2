//! Scorecard and bands: the weighted 0-100 health score.
//!
//! A [`ScorecardSpec`] is what a user declares; [`learn`] turns it into a [`Scorecard`] by learning from the training
//! rows whatever it leaves open. A scorecard is plain data, so a bundle can hold it and `bellwether-score` compile it.

mod error;
mod learn;
mod plan;
mod scorecard;
mod spec;

pub use error::HealthError;
pub use learn::{CHURN_INTERCEPT, CHURN_SLOPE, learn, lint};
pub use plan::{MANY_INDICATORS, TOO_MANY_INDICATORS, TOTAL_WEIGHT, WEIGHT_SLACK};
pub use scorecard::Scorecard;
pub use spec::{IndicatorSpec, ScorecardSpec};
