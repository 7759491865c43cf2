//! Correlation of a score with an outcome, with intervals by account.

use crate::accounts::Accounts;
use crate::delong::auc_linear;
use crate::input::{EvaluateError, check_confidence, check_lengths, check_numbers};
use crate::linear::Linear;
use crate::results::Estimate;
use crate::sample::Sample;
use crate::scale::Scale;

/// Pearson's correlation of the score with the outcome taken as 0 and 1. Interval: linearised by account, on Fisher's z.
///
/// Without a value for a single class or a constant score; without an interval where fewer than two accounts have a say.
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
    let n = score.len() as f64;
    let event = |row: usize| f64::from(u8::from(outcome[row]));
    let mean = |of: &dyn Fn(usize) -> f64| (0..score.len()).map(of).sum::<f64>() / n;
    let (centre, rate) = (mean(&|row| score[row]), mean(&event));
    let spread = mean(&|row| (score[row] - centre).powi(2)).sqrt();
    let deviation = (rate * (1.0 - rate)).sqrt();
    if spread == 0.0 || deviation == 0.0 {
        return Ok(Estimate::default());
    }
    let standard = |row: usize| ((score[row] - centre) / spread, (event(row) - rate) / deviation);
    let value = mean(&|row| standard(row).0 * standard(row).1).clamp(-1.0, 1.0);
    let part = |row: usize| {
        let (x, y) = standard(row);
        (x * y - value * f64::midpoint(x * x, y * y)) / n
    };
    let accounts = Accounts::new(account);
    let having =
        |came: bool| accounts.parts(&|row| outcome[row] == came, &|_| true).iter().filter(|part| part.size > 0).count();
    let linear = Linear { value, parts: accounts.sums(part), n_accounts: having(true).min(having(false)) };
    Ok(linear.estimate(Scale::Fisher, confidence))
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
