//! From predictions at all origins to a table over time.

use bellwether_core::{Progress, Quiet, Target};

use super::input::{BacktestOptions, OriginRows};
use super::results::{AS_CHOSEN, LearnerPooled, LearnerTest, OriginResult, PooledResult, TargetBacktest};
use super::stability::stability;
use crate::evaluate::evaluate;
use crate::input::{EvaluateError, EvaluateOptions, Scored};
use crate::multiple::holm;
use crate::pooled::{Paired, pooled_auc, pooled_auc_difference, pooled_log_loss_difference};
use crate::results::Metrics;

/// Summarises the origins of one target, without ablation and learning curve.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, a probability is NaN or out of range, or a setting is out of range.
///
/// # Panics
/// If origins have different learners, or `chosen` is none of them.
pub fn summarise(
    target: Target,
    origins: &[OriginRows],
    options: &BacktestOptions,
    progress: &dyn Progress,
) -> Result<TargetBacktest, EvaluateError> {
    let results: Vec<OriginResult> =
        origins.iter().map(|origin| of_origin(origin, options)).collect::<Result<_, _>>()?;
    let known: Vec<&OriginRows> = origins.iter().filter(|origin| origin.is_known()).collect();
    let pooled = if known.is_empty() { None } else { Some(pooled(&known, options, progress)?) };
    let stability = stability(&results);
    Ok(TargetBacktest { target, origins: results, pooled, stability, ablation: Vec::new(), learning_curve: None })
}

fn of_origin(origin: &OriginRows, options: &BacktestOptions) -> Result<OriginResult, EvaluateError> {
    // A hundred bootstraps tell no more than the pooled one.
    let quick = EvaluateOptions { n_bootstrap: 0, ..options.evaluate.clone() };
    let mut learners = Vec::new();
    for rows in &origin.learners {
        let test = metrics(&origin.scored(&rows.probability), &quick, &Quiet)?;
        learners.push(LearnerTest { learner: rows.learner.clone(), selection_auc: rows.selection_auc, test });
    }
    let (n_accounts, n_events) =
        learners.first().map_or((0, 0), |learner| (learner.test.n_accounts, learner.test.n_events));
    Ok(OriginResult {
        window: origin.window.clone(),
        n: origin.outcome.len(),
        n_accounts,
        n_events,
        chosen: origin.chosen().map(|chosen| chosen.learner.clone()),
        learners,
    })
}

fn pooled(
    origins: &[&OriginRows],
    options: &BacktestOptions,
    progress: &dyn Progress,
) -> Result<PooledResult, EvaluateError> {
    let place_of_chosen = |origin: &OriginRows| origin.chosen;
    let mut learners = Vec::new();
    for place in 0..origins[0].learners.len() {
        let name = origins[0].learners[place].learner.clone();
        learners.push(learner(name, origins, &|_| place, options, progress)?);
    }
    correct(&mut learners);
    let procedure = learner(AS_CHOSEN.to_owned(), origins, &place_of_chosen, options, progress)?;
    learners.push(LearnerPooled { auc_minus_chosen: None, log_loss_minus_chosen: None, ..procedure });
    Ok(PooledResult { n_origins: origins.len(), learners })
}

/// Holm's correction over all learners.
fn correct(learners: &mut [LearnerPooled]) {
    let p_value = |of: &LearnerPooled| of.auc_minus_chosen.and_then(|of| of.p_value);
    let mut adjusted = holm(&learners.iter().filter_map(p_value).collect::<Vec<_>>()).into_iter();
    for of in learners {
        of.p_holm = p_value(of).and_then(|_| adjusted.next());
    }
}

/// The learner at `place_at` each origin.
fn learner(
    learner: String,
    origins: &[&OriginRows],
    place_at: &dyn Fn(&OriginRows) -> usize,
    options: &BacktestOptions,
    progress: &dyn Progress,
) -> Result<LearnerPooled, EvaluateError> {
    let confidence = options.evaluate.confidence;
    let strata: Vec<Paired<'_>> = origins
        .iter()
        .map(|origin| Paired {
            scored: origin.scored(&origin.learners[place_at(origin)].probability),
            other: &origin.learners[origin.chosen].probability,
        })
        .collect();
    let scored: Vec<Scored<'_>> = strata.iter().map(|of| of.scored).collect();
    let probability: Vec<f64> = scored.iter().flat_map(|of| of.probability).copied().collect();
    let outcome: Vec<bool> = origins.iter().flat_map(|origin| &origin.outcome).copied().collect();
    let account: Vec<u32> = origins.iter().flat_map(|origin| &origin.account).copied().collect();
    let all = Scored { probability: &probability, outcome: &outcome, account: &account };
    Ok(LearnerPooled {
        learner,
        auc_within: pooled_auc(&scored, confidence)?,
        auc_minus_chosen: Some(pooled_auc_difference(&strata, confidence)?),
        p_holm: None,
        log_loss_minus_chosen: Some(pooled_log_loss_difference(&strata, confidence)?),
        test: metrics(&all, &options.evaluate, progress)?,
    })
}

fn metrics(scored: &Scored<'_>, options: &EvaluateOptions, progress: &dyn Progress) -> Result<Metrics, EvaluateError> {
    Ok(evaluate(scored, None, &[], options, progress)?.overall)
}
