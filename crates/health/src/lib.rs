//! Scorecard and bands: the weighted 0-100 health score.
//!
//! A [`ScorecardSpec`] is what a user declares; [`learn`] turns it into a [`Scorecard`] by learning from the training
//! rows whatever it leaves open. A scorecard is plain data, so a bundle can hold it and `bellwether-score` compile it.
//!
//! A weighted sum of straight lines is a `ScorecardModel`, which a graph can hold. Categories, steps, policies for what is
//! missing, variants, vetoes and thresholds by cohort are `HealthRules` beside it.

mod bands;
mod describe;
mod error;
mod history;
mod learn;
mod lint;
mod plan;
mod preset;
mod rules;
mod scorecard;
mod spec;
mod steps;
mod thresholds;

pub use bands::{
    BandInterval, BandsSpec, RENEWAL_EXPECTATIONS, RenewalExpectation, SCORE_ALERTS, ScoreAlert, band_action,
    score_alerts,
};
pub use describe::{CategoryDescription, PresetDescription, RoleDescription, describe_presets};
pub use error::HealthError;
pub use history::{
    Finding, History, IndicatorEvidence, LOOK_BACK_DAYS, LookBack, MIN_CHURNED, Regression, WEAK_BELOW, WEAK_FACTOR,
    WEAK_SHARE, by_correlation, by_regression, doubled, look_back, points_matrix,
};
pub use learn::{CHURN_INTERCEPT, CHURN_SLOPE, learn, learn_on_history, lint, weights_evidence};
pub use lint::{LINT_RULES, LintFinding, LintRule, Severity, lint_readiness, lint_spec};
pub use plan::{MANY_INDICATORS, TOO_MANY_INDICATORS, TOTAL_WEIGHT, WEIGHT_SLACK};
pub use preset::{PRESETS, preset_features, resolve};
pub use rules::{BASE_CARD, MIN_VARIANT_ROWS};
pub use scorecard::Scorecard;
pub use spec::{
    CategorySpec, ConditionSpec, DimensionSpec, IndicatorSpec, ScaleName, ScorecardSpec, StepSpec, ThresholdsSpec,
    VariantSpec, VetoSpec, WeightsFrom,
};
