//! Whether more accounts to learn from would help.

use bellwether_core::Quiet;
use serde::{Deserialize, Serialize};

use super::input::{BacktestOptions, OriginRows};
use crate::evaluate::evaluate;
use crate::input::{EvaluateError, Scored};
use crate::multiple::holm;
use crate::pooled::{Paired, pooled_auc, pooled_auc_difference, pooled_log_loss_difference};
use crate::results::{Estimate, PairedDifference};

/// What the chosen learner says after it has learnt from a share of the training accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveStep {
    /// Share of the training accounts, above 0; a smaller share's accounts are among a larger one's.
    pub share: f64,
    /// Training accounts, summed over origins.
    pub n_accounts: usize,
    /// Training rows whose outcome came, summed over origins.
    pub n_events: usize,
    /// Probabilities of the test rows of each origin with known labels; or why there are none.
    pub probability: Result<Vec<Vec<f64>>, String>,
}

impl CurveStep {
    /// A step that has learnt nothing yet.
    pub const fn new(share: f64) -> Self {
        Self { share, n_accounts: 0, n_events: 0, probability: Ok(Vec::new()) }
    }

    /// Adds an origin: what was learnt from there, and what is said of its test rows, or why nothing is. The first reason
    /// stays.
    pub fn add(&mut self, n_accounts: usize, n_events: usize, probability: Result<Vec<f64>, String>) {
        self.n_accounts += n_accounts;
        self.n_events += n_events;
        match (&mut self.probability, probability) {
            (Ok(of_origins), Ok(probability)) => of_origins.push(probability),
            (Ok(_), Err(reason)) => self.probability = Err(reason),
            (Err(_), _) => {}
        }
    }
}

/// A learning curve on the same test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// From the smallest share to all accounts.
    pub points: Vec<CurvePoint>,
    /// AUC of the largest share less that of the one before, within origins.
    pub last_auc_gain: PairedDifference,
    /// Log loss of the share before less that of the largest; above 0, more accounts helped.
    pub last_log_loss_gain: PairedDifference,
    /// Whether more data is worth it.
    pub verdict: MoreData,
}

/// One share of the training accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The share.
    pub share: f64,
    /// Training accounts, summed over origins.
    pub n_accounts: usize,
    /// Training rows whose outcome came, summed over origins.
    pub n_events: usize,
    /// AUC within origins.
    pub auc: Estimate,
    /// Mean log loss, nats.
    pub log_loss: Estimate,
    /// Why it could not be learnt, where it could not.
    pub reason: Option<String>,
}

/// Whether more data is worth it, by the last doubling of the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoreData {
    /// AUC or log loss became better, beyond chance.
    WorthIt,
    /// A gain of AUC that matters is ruled out, and none of log loss is seen.
    NoMeasurableGain,
    /// AUC or log loss became worse, beyond chance: later accounts are not like earlier ones, or the learner overfits.
    Worse,
    /// None of these.
    NotEnoughEvidence,
}

impl MoreData {
    /// As a sentence for a report.
    pub const fn text(self) -> &'static str {
        match self {
            Self::WorthIt => "more accounts are worth it: the last doubling still helped",
            Self::NoMeasurableGain => {
                "more accounts of this kind are not worth it: the last doubling gained nothing that matters"
            }
            Self::Worse => "the last doubling harmed: look at what the added accounts are",
            Self::NotEnoughEvidence => "not enough evidence: a gain that matters and none are both possible",
        }
    }
}

/// The curve of `steps`, from the smallest share to all accounts, on the rows of `origins`, which have known labels.
///
/// Worth it, or worse, is the last doubling where Holm's correction over AUC and log loss leaves it; AUC is looked at first.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, a probability is NaN or out of range, or a setting is out of range.
pub fn learning_curve(
    origins: &[&OriginRows],
    steps: &[CurveStep],
    options: &BacktestOptions,
) -> Result<LearningCurve, EvaluateError> {
    let points = steps.iter().map(|step| point(origins, step, options)).collect::<Result<Vec<_>, _>>()?;
    let last_two = match steps {
        [.., before, all] => all.probability.as_ref().ok().zip(before.probability.as_ref().ok()),
        _ => None,
    };
    let (mut auc, mut log_loss) = (PairedDifference::default(), PairedDifference::default());
    if let Some((all, before)) = last_two {
        let confidence = options.evaluate.confidence;
        auc = pooled_auc_difference(&paired(origins, all, before), confidence)?;
        log_loss = pooled_log_loss_difference(&paired(origins, before, all), confidence)?;
    }
    let verdict = verdict(&auc, &log_loss, options);
    Ok(LearningCurve { points, last_auc_gain: auc, last_log_loss_gain: log_loss, verdict })
}

fn point(origins: &[&OriginRows], step: &CurveStep, options: &BacktestOptions) -> Result<CurvePoint, EvaluateError> {
    let mut point = CurvePoint {
        share: step.share,
        n_accounts: step.n_accounts,
        n_events: step.n_events,
        auc: Estimate::default(),
        log_loss: Estimate::default(),
        reason: step.probability.as_ref().err().cloned(),
    };
    if let Ok(probability) = &step.probability {
        let strata: Vec<Scored<'_>> =
            origins.iter().zip(probability).map(|(origin, probability)| origin.scored(probability)).collect();
        let outcome: Vec<bool> = origins.iter().flat_map(|origin| &origin.outcome).copied().collect();
        let account: Vec<u32> = origins.iter().flat_map(|origin| &origin.account).copied().collect();
        let all = Scored { probability: &probability.concat(), outcome: &outcome, account: &account };
        point.auc = pooled_auc(&strata, options.evaluate.confidence)?;
        point.log_loss = evaluate(&all, None, &[], &options.evaluate, &Quiet)?.overall.log_loss;
    }
    Ok(point)
}

fn paired<'a>(origins: &'a [&OriginRows], first: &'a [Vec<f64>], second: &'a [Vec<f64>]) -> Vec<Paired<'a>> {
    let probabilities = first.iter().zip(second);
    let strata = origins.iter().zip(probabilities);
    strata.map(|(origin, (first, second))| Paired { scored: origin.scored(first), other: second }).collect()
}

fn verdict(auc: &PairedDifference, log_loss: &PairedDifference, options: &BacktestOptions) -> MoreData {
    let level = 1.0 - options.evaluate.confidence;
    let measures = [auc, log_loss];
    let p_values: Vec<f64> = measures.iter().filter_map(|of| of.p_value).collect();
    let mut adjusted = holm(&p_values).into_iter();
    for of in measures {
        let p = of.p_value.and_then(|_| adjusted.next());
        if let Some(gain) = of.difference.value.filter(|_| p.is_some_and(|p| p <= level)) {
            return if gain > 0.0 { MoreData::WorthIt } else { MoreData::Worse };
        }
    }
    match auc.difference.high {
        Some(high) if high < options.auc_margin => MoreData::NoMeasurableGain,
        _ => MoreData::NotEnoughEvidence,
    }
}
