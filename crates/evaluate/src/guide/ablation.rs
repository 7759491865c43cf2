//! Whether an added metric adds predictive power: V-12.

use super::GuideOptions;
use super::finding::{About, Denominator, Finding, Goal, GuideId, Unit};
use crate::delong::paired_auc_difference;
use crate::input::EvaluateError;

/// V-12: ROC AUC with a metric, or a group of them, less that without; goal above 0. Scores are of the same rows, which neither
/// model was fitted on. For several metrics correct with [`crate::holm`].
///
/// # Errors
/// As [`paired_auc_difference`].
pub fn ablation_finding(
    metric: &str,
    with: &[f64],
    without: &[f64],
    outcome: &[bool],
    account: &[u32],
    options: &GuideOptions,
) -> Result<Finding, EvaluateError> {
    let paired = paired_auc_difference(with, without, outcome, account, options.confidence)?;
    let n_events = outcome.iter().filter(|&&came| came).count();
    let about = About::share(GuideId::V12, Denominator::Snapshots).unit(Unit::AucDifference).goal(Goal::Above(0.0));
    let mut finding =
        about.found(format!("AUC gained by {metric}"), paired.difference, outcome.len(), options.min_cases);
    if n_events.min(outcome.len() - n_events) < options.min_cases {
        finding.verdict = super::Verdict::NotEnoughEvidence;
    }
    Ok(finding)
}
