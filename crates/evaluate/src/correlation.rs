//! Correlation of a score with an outcome, with intervals by account.

use crate::accounts::Accounts;
use crate::delong::auc_linear;
use crate::input::{EvaluateError, check_confidence, check_lengths, check_numbers};
use crate::linear::Linear;
use crate::results::Estimate;
use crate::sample::Sample;
use crate::scale::Scale;

/// Pearson's correlation of the score with the outcome taken as 0 and 1. Interval: jackknife by account, on Fisher's z; a
/// linearised one is too narrow where few accounts have most of the events. Source: Efron and Stein (1981), Ann. Stat. 9.
///
/// Without a value for a single class or a constant score; without an interval where fewer than two accounts have events, or
/// non-events, or where one account alone keeps the score from being constant.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no row, a score is NaN, or `confidence` is not inside `0.0..1.0`.
pub fn point_biserial(
    score: &[f64],
    outcome: &[bool],
    account: &[u32],
    confidence: f64,
) -> Result<Estimate, EvaluateError> {
    check(score, outcome, account, confidence)?;
    let mean = |of: &dyn Fn(f64) -> f64| score.iter().map(|&score| of(score)).sum::<f64>() / score.len() as f64;
    let centre = mean(&|score| score);
    let spread = mean(&|score| (score - centre).powi(2)).sqrt();
    if score.iter().all(|&of| of == score[0]) || spread == 0.0 {
        return Ok(Estimate::default());
    }
    let accounts = Accounts::new(account);
    let sums = MOMENTS.map(|of| accounts.sums(|row| of((score[row] - centre) / spread, outcome[row])));
    let all: [f64; 5] = std::array::from_fn(|of| sums[of].iter().sum());
    let n_accounts = sums[0].len();
    let without = |at: usize| correlation(std::array::from_fn(|of| all[of] - sums[of][at]));
    let Some(value) = correlation(all) else {
        return Ok(Estimate::default());
    };
    let Some(without) = (0..n_accounts).map(without).collect::<Option<Vec<f64>>>() else {
        return Ok(Estimate::new(Some(value), None));
    };
    let n = n_accounts as f64;
    let middle = without.iter().sum::<f64>() / n;
    let parts = without.iter().map(|without| (n - 1.0) / n * (middle - without)).collect();
    let having =
        |came: bool| accounts.parts(&|row| outcome[row] == came, &|_| true).iter().filter(|part| part.size > 0).count();
    let linear = Linear { value, parts, n_accounts: having(true).min(having(false)) };
    Ok(linear.estimate(Scale::Fisher, confidence))
}

/// What a correlation is computed from, of a standardised score: rows, score, its square, events, score of events.
const MOMENTS: [fn(f64, bool) -> f64; 5] = [
    |_, _| 1.0,
    |score, _| score,
    |score, _| score * score,
    |_, event| f64::from(u8::from(event)),
    |score, event| if event { score } else { 0.0 },
];

/// A standardised score's variance at or below this is rounding.
const CONSTANT: f64 = 1e-12;

/// From the sums of [`MOMENTS`]; `None` for a single class or a constant score.
fn correlation([n, score, squares, events, of_events]: [f64; 5]) -> Option<f64> {
    let (centre, rate) = (score / n, events / n);
    let spread = squares / n - centre * centre;
    let covariance = of_events / n - centre * rate;
    let is_defined = n > 0.0 && spread > CONSTANT && events > 0.0 && events < n;
    is_defined.then(|| (covariance / (spread * rate * (1.0 - rate)).sqrt()).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation of the score with the outcome, ties at their mean rank, as scipy's `spearmanr`. Interval:
/// linearised by account, on Fisher's z.
///
/// With two outcomes it is the AUC on another scale: `c * sqrt(r (1 - r)) * (AUC - 0.5)` at the base rate `r`, where `c` is
/// `sqrt(12)` without ties. Without a value for a single class or a constant score.
///
/// # Errors
/// As [`point_biserial`].
pub fn spearman(score: &[f64], outcome: &[bool], account: &[u32], confidence: f64) -> Result<Estimate, EvaluateError> {
    check(score, outcome, account, confidence)?;
    let sample = Sample::new(score.iter().zip(outcome).zip(account).map(|((&score, &event), &id)| (score, event, id)));
    let counts = sample.counts();
    let n = counts.n as f64;
    let ties: f64 = counts.rows.iter().map(|&rows| f64::from(rows).powi(3) - f64::from(rows)).sum();
    let spread = ((n * n - 1.0) / 12.0 - ties / (12.0 * n)).sqrt();
    let accounts = Accounts::new(account);
    let event = |row: usize| f64::from(u8::from(outcome[row]));
    let rate = Linear::ratio(&accounts.sums(event), &accounts.sums(|_| 1.0));
    let Some((auc, rate)) = auc_linear(&sample).zip(rate).filter(|_| spread > 0.0) else {
        return Ok(Estimate::default());
    };
    let scale = n / spread;
    let deviation = (rate.value * (1.0 - rate.value)).sqrt();
    let by_rate = (auc.value - 0.5) * (1.0 - 2.0 * rate.value) / (2.0 * deviation);
    let parts = auc.parts.iter().zip(&rate.parts).map(|(a, r)| scale * (deviation * a + by_rate * r)).collect();
    let value = (scale * deviation * (auc.value - 0.5)).clamp(-1.0, 1.0);
    Ok(Linear { value, parts, n_accounts: auc.n_accounts }.estimate(Scale::Fisher, confidence))
}

fn check(score: &[f64], outcome: &[bool], account: &[u32], confidence: f64) -> Result<(), EvaluateError> {
    check_confidence(confidence)?;
    check_lengths("score", score.len(), &[("outcome", outcome.len()), ("account", account.len())])?;
    check_numbers("score", score)
}
