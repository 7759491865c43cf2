//! AUC and losses over several strata, such as the test windows of a backtest, each scored by a model of its own.
//!
//! A score of one model is not held against that of another: the pooled AUC is the share of the pairs of an event and a
//! non-event *of the same stratum* that are ranked right, `sum_k w_k AUC_k` with `w_k = m_k n_k / sum_j m_j n_j` for `m_k`
//! events and `n_k` non-events. A stratum of one class has no pair and no say. Its variance is by account over all strata:
//! account `i` moves it by `sum_k w_k L_ik`, where `L_ik` is the account's part in `AUC_k` (`DeLong`'s components, summed by
//! account: Obuchowski 1997), and the squares of these sums are summed, with `n / (n - 1)`. The same for the difference of
//! two scores, whose components are subtracted first. Weights are taken as fixed.
//! Sources: stratified concordance, Therneau and Watson (2017), Mayo Technical Report 85; sums by account, Binder (1983).

use crate::accounts::Accounts;
use crate::delong::{auc_linear, paired_linear};
use crate::input::{EvaluateError, Scored, check_confidence, check_lengths};
use crate::linear::Linear;
use crate::metrics::row_log_loss;
use crate::results::{Estimate, PairedDifference};
use crate::sample::Sample;
use crate::scale::Scale;

/// Two scores of the rows of one stratum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired<'a> {
    /// The first, with outcomes and accounts. Account numbers are the same in each stratum.
    pub scored: Scored<'a>,
    /// The second, probabilities of the same rows.
    pub other: &'a [f64],
}

/// The pooled AUC with Student's interval on the logit; `None` where no stratum has both classes.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, a stratum has no row, a probability is NaN or out of range, or `confidence` is not
/// inside `0.0..1.0`.
pub fn pooled_auc(strata: &[Scored<'_>], confidence: f64) -> Result<Estimate, EvaluateError> {
    check_confidence(confidence)?;
    strata.iter().try_for_each(Scored::check)?;
    let linear = pool(strata.iter().map(|of| (*of, auc_linear(&Sample::new(of.rows())))));
    Ok(linear.map_or_else(Estimate::default, |linear| linear.estimate(Scale::Logit, confidence)))
}

/// The pooled AUC of the first scores less that of the second, with Student's interval; undefined as [`pooled_auc`].
///
/// # Errors
/// As [`pooled_auc`].
pub fn pooled_auc_difference(strata: &[Paired<'_>], confidence: f64) -> Result<PairedDifference, EvaluateError> {
    check(strata, confidence)?;
    let linear = pool(strata.iter().map(|Paired { scored, other }| {
        (*scored, paired_linear(scored.probability, other, scored.outcome, scored.account))
    }));
    Ok(linear.map(|linear| linear.difference(confidence)).unwrap_or_default())
}

/// The mean log loss of the first scores less that of the second over all rows of all strata, nats; below 0 the first is
/// better. Student's interval, linearised by account.
///
/// # Errors
/// As [`pooled_auc`].
pub fn pooled_log_loss_difference(strata: &[Paired<'_>], confidence: f64) -> Result<PairedDifference, EvaluateError> {
    check(strata, confidence)?;
    let (mut account, mut difference) = (Vec::new(), Vec::new());
    for Paired { scored, other } in strata {
        account.extend_from_slice(scored.account);
        let rows = scored.probability.iter().zip(*other).zip(scored.outcome);
        difference.extend(rows.map(|((&a, &b), &came)| row_log_loss(a, came) - row_log_loss(b, came)));
    }
    let accounts = Accounts::new(&account);
    let linear = Linear::ratio(&accounts.sums(|row| difference[row]), &accounts.sums(|_| 1.0));
    Ok(linear.map(|linear| linear.difference(confidence)).unwrap_or_default())
}

fn check(strata: &[Paired<'_>], confidence: f64) -> Result<(), EvaluateError> {
    check_confidence(confidence)?;
    strata.iter().try_for_each(|Paired { scored, other }| {
        scored.check()?;
        check_lengths("probability", scored.probability.len(), &[("other", other.len())])?;
        Scored { probability: other, ..*scored }.check()
    })
}

/// The weighted sum of a value of each stratum, with each account's part in it.
fn pool<'a>(strata: impl Iterator<Item = (Scored<'a>, Option<Linear>)>) -> Option<Linear> {
    let strata: Vec<(Scored<'a>, Linear)> = strata.filter_map(|(of, linear)| Some((of, linear?))).collect();
    let pairs = |of: &Scored<'_>| {
        let n_events = of.outcome.iter().filter(|&&came| came).count();
        n_events as f64 * (of.outcome.len() - n_events) as f64
    };
    let all_pairs: f64 = strata.iter().map(|(of, _)| pairs(of)).sum();
    let ids = sorted(strata.iter().flat_map(|(of, _)| of.account.iter().copied()));
    let mut pooled = Linear { value: 0.0, parts: vec![0.0; ids.len()], n_accounts: fewer_accounts(&strata) };
    for (of, linear) in &strata {
        let weight = pairs(of) / all_pairs;
        pooled.value += weight * linear.value;
        for (id, part) in sorted(of.account.iter().copied()).into_iter().zip(&linear.parts) {
            pooled.parts[ids.binary_search(&id).expect("ids are of all strata")] += weight * part;
        }
    }
    (!strata.is_empty()).then_some(pooled)
}

/// Accounts with events, or with non-events, whichever are fewer.
fn fewer_accounts(strata: &[(Scored<'_>, Linear)]) -> usize {
    let having = |wanted: bool| {
        let rows = strata.iter().flat_map(|(of, _)| of.account.iter().zip(of.outcome));
        sorted(rows.filter(|&(_, &came)| came == wanted).map(|(&id, _)| id)).len()
    };
    having(true).min(having(false))
}

fn sorted(ids: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ids: Vec<u32> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
