//! Whether an added metric adds predictive power: V-12.

use serde::{Deserialize, Serialize};

use super::GuideOptions;
use super::finding::{About, Denominator, Finding, Goal, GuideId, Unit, Verdict};
use crate::delong::paired_auc_difference;
use crate::input::EvaluateError;
use crate::multiple::holm;
use crate::pooled::{Paired, pooled_auc_difference, pooled_log_loss_difference};
use crate::results::{Estimate, PairedDifference};

/// V-12: ROC AUC with a metric, or a group of them, less that without; goal above 0. Scores are of the same rows, which neither
/// model was fitted on. For several metrics see [`ablation_findings`].
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
    Ok(finding(metric, paired.difference, outcome.len(), n_events, options))
}

fn finding(metric: &str, gain: Estimate, n: usize, n_events: usize, options: &GuideOptions) -> Finding {
    let about = About::share(GuideId::V12, Denominator::Snapshots).unit(Unit::AucDifference).goal(Goal::Above(0.0));
    let mut finding = about.found(format!("AUC gained by {metric}"), gain, n, options.min_cases);
    if n_events.min(n - n_events) < options.min_cases {
        finding.verdict = Verdict::NotEnoughEvidence;
    }
    finding
}

/// A group of features, left out at each origin of a backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut<'a> {
    /// Its name.
    pub group: String,
    /// Its columns.
    pub n_features: usize,
    /// Each origin: what the model says with the group, and without it; or why nothing can be said without it.
    pub origins: Result<Vec<Paired<'a>>, String>,
}

/// What a group of features adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AblationFinding {
    /// The group.
    pub group: String,
    /// Its columns.
    pub n_features: usize,
    /// V-12 by itself: AUC within origins with the group less that without it; not corrected for how many groups there are.
    /// `None` where the group could not be left out.
    pub finding: Option<Finding>,
    /// AUC with the group less that without it.
    pub auc_gain: PairedDifference,
    /// Mean log loss without the group less that with it; above 0, the group helps.
    pub log_loss_gain: PairedDifference,
    /// Holm's adjusted p-values over all groups, of the gain of AUC and of log loss.
    pub p_holm: [Option<f64>; 2],
    /// What it adds.
    pub verdict: AblationVerdict,
    /// Why it could not be left out.
    pub reason: Option<String>,
}

/// What a group of features adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AblationVerdict {
    /// The model is better with it, beyond chance.
    Adds,
    /// A gain of AUC that matters is ruled out, and none of log loss is seen.
    NoMeasurableGain,
    /// The model is better without it, beyond chance.
    Harms,
    /// None of these.
    NotEnoughEvidence,
}

impl AblationVerdict {
    /// As a fragment for a report.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Adds => "adds",
            Self::NoMeasurableGain => "no measurable gain",
            Self::Harms => "harms",
            Self::NotEnoughEvidence => "not enough evidence",
        }
    }
}

/// V-12 for each group, by AUC within origins and by log loss, with Holm's correction over all groups and both measures.
///
/// A group adds, or harms, where the correction leaves its gain of AUC, or else that of log loss. It has no measurable gain
/// where the interval of its gain of AUC lies below `auc_margin`.
///
/// # Errors
/// As [`pooled_auc_difference`].
pub fn ablation_findings(
    groups: &[LeftOut<'_>],
    auc_margin: f64,
    options: &GuideOptions,
) -> Result<Vec<AblationFinding>, EvaluateError> {
    let mut findings = groups.iter().map(|group| of_group(group, options)).collect::<Result<Vec<_>, _>>()?;
    let p_values: Vec<f64> = findings.iter().flat_map(AblationFinding::measures).filter_map(|of| of.p_value).collect();
    let mut adjusted = holm(&p_values).into_iter();
    for (finding, group) in findings.iter_mut().zip(groups) {
        finding.p_holm = finding.measures().map(|of| of.p_value.and_then(|_| adjusted.next()));
        if group.n_cases() >= options.min_cases {
            finding.verdict = finding.judge(auc_margin, options.confidence);
        }
    }
    Ok(findings)
}

impl LeftOut<'_> {
    /// Test rows of the rarer class.
    fn n_cases(&self) -> usize {
        let outcomes = || self.origins.iter().flatten().flat_map(|of| of.scored.outcome);
        let n_events = outcomes().filter(|&&came| came).count();
        n_events.min(outcomes().count() - n_events)
    }
}

fn of_group(group: &LeftOut<'_>, options: &GuideOptions) -> Result<AblationFinding, EvaluateError> {
    let mut found = AblationFinding {
        group: group.group.clone(),
        n_features: group.n_features,
        finding: None,
        auc_gain: PairedDifference::default(),
        log_loss_gain: PairedDifference::default(),
        p_holm: [None; 2],
        verdict: AblationVerdict::NotEnoughEvidence,
        reason: group.origins.as_ref().err().cloned(),
    };
    if let Ok(origins) = &group.origins {
        found.auc_gain = pooled_auc_difference(origins, options.confidence)?;
        let loss = pooled_log_loss_difference(origins, options.confidence)?;
        found.log_loss_gain = PairedDifference { difference: negated(&loss.difference), ..loss };
        let n = origins.iter().map(|of| of.scored.outcome.len()).sum();
        let n_events = origins.iter().flat_map(|of| of.scored.outcome).filter(|&&came| came).count();
        found.finding = Some(finding(&group.group, found.auc_gain.difference, n, n_events, options));
    }
    Ok(found)
}

fn negated(of: &Estimate) -> Estimate {
    let minus = |x: Option<f64>| x.map(|x| -x);
    Estimate { value: minus(of.value), low: minus(of.high), high: minus(of.low) }
}

impl AblationFinding {
    const fn measures(&self) -> [&PairedDifference; 2] {
        [&self.auc_gain, &self.log_loss_gain]
    }

    fn judge(&self, auc_margin: f64, confidence: f64) -> AblationVerdict {
        for (of, p) in self.measures().into_iter().zip(self.p_holm) {
            let is_clear = p.is_some_and(|p| p <= 1.0 - confidence);
            if let Some(gain) = of.difference.value.filter(|_| is_clear) {
                return if gain > 0.0 { AblationVerdict::Adds } else { AblationVerdict::Harms };
            }
        }
        match self.auc_gain.difference.high {
            Some(high) if high < auc_margin => AblationVerdict::NoMeasurableGain,
            _ => AblationVerdict::NotEnoughEvidence,
        }
    }
}
