//! Metrics as pure functions of scores and outcomes.

use crate::linear::Linear;
use crate::sample::{Counts, Sample};

/// Bounds of a probability before its logarithm is taken.
pub(crate) const CLIP: f64 = 1e-15;

/// Area under the ROC curve: the chance that an event scores above a non-event, a tie counting half, in `0.0..=1.0`.
///
/// `scores` may have any scale. `None` for a single class or a NaN. O(n log n) time, O(n) memory.
/// Source: Hanley and `McNeil` (1982).
///
/// # Panics
/// If lengths differ.
pub fn roc_auc(scores: &[f64], outcome: &[bool]) -> Option<f64> {
    roc_auc_of(&unowned(scores, outcome)?.counts())
}

/// Average precision, `sum (recall_i - recall_{i-1}) * precision_i` over falling thresholds, in `0.0..=1.0`, as scikit-learn's
/// `average_precision_score`.
///
/// `scores` may have any scale. `None` without events or with a NaN.
///
/// # Panics
/// If lengths differ.
pub fn average_precision(scores: &[f64], outcome: &[bool]) -> Option<f64> {
    average_precision_of(&unowned(scores, outcome)?.counts())
}

/// Mean negative log-likelihood in nats, probabilities clipped to `1e-15..=1 - 1e-15`; lower is better.
///
/// `None` when empty or when a value is not a probability.
///
/// # Panics
/// If lengths differ.
pub fn log_loss(probability: &[f64], outcome: &[bool]) -> Option<f64> {
    let sample = unowned_probabilities(probability, outcome)?;
    mean_loss(&log_losses(sample.scores()), &sample.counts())
}

/// Mean squared error of the probabilities, in `0.0..=1.0`; lower is better. Source: Brier (1950), its half for two classes.
///
/// `None` when empty or when a value is not a probability.
///
/// # Panics
/// If lengths differ.
pub fn brier_score(probability: &[f64], outcome: &[bool]) -> Option<f64> {
    let sample = unowned_probabilities(probability, outcome)?;
    mean_loss(&squared_losses(sample.scores()), &sample.counts())
}

/// The loss of one row.
pub(crate) fn row_log_loss(p: f64, came: bool) -> f64 {
    let p = p.clamp(CLIP, 1.0 - CLIP);
    if came { -p.ln() } else { -(-p).ln_1p() }
}

/// A group's loss where the outcome came, and where it did not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Losses {
    event: f64,
    non_event: f64,
}

pub(crate) fn log_losses(probabilities: &[f64]) -> Vec<Losses> {
    let losses = |&p: &f64| Losses { event: row_log_loss(p, true), non_event: row_log_loss(p, false) };
    probabilities.iter().map(losses).collect()
}

pub(crate) fn squared_losses(probabilities: &[f64]) -> Vec<Losses> {
    probabilities.iter().map(|p| Losses { event: (1.0 - p) * (1.0 - p), non_event: p * p }).collect()
}

pub(crate) fn mean_loss(losses: &[Losses], counts: &Counts) -> Option<f64> {
    let sum: f64 = losses
        .iter()
        .zip(counts.groups())
        .map(|(loss, (rows, events))| loss.event * f64::from(events) + loss.non_event * f64::from(rows - events))
        .sum();
    ratio(sum, counts.n)
}

pub(crate) fn roc_auc_of(counts: &Counts) -> Option<f64> {
    let (mut events_above, mut twice_wins) = (0_u64, 0_u128);
    for (rows, events) in counts.groups() {
        let non_events = u128::from(rows - events);
        twice_wins += non_events * u128::from(2 * events_above + u64::from(events));
        events_above += u64::from(events);
    }
    let pairs = u128::from(counts.n_events) * u128::from(counts.n_non_events());
    (pairs > 0).then(|| twice_wins as f64 / (2 * pairs) as f64)
}

pub(crate) fn average_precision_of(counts: &Counts) -> Option<f64> {
    let (mut rows_above, mut events_above, mut sum) = (0_u64, 0_u64, 0.0);
    for (rows, events) in counts.groups() {
        rows_above += u64::from(rows);
        events_above += u64::from(events);
        if events > 0 {
            sum += f64::from(events) * (events_above as f64 / rows_above as f64);
        }
    }
    ratio(sum, counts.n_events)
}

/// Average precision and each account's part in it: what it moves by as the account's rows count a little more.
pub(crate) fn average_precision_linear(sample: &Sample) -> Option<Linear> {
    let counts = sample.counts();
    let value = average_precision_of(&counts)?;
    let n_events = counts.n_events as f64;
    let (mut rows_above, mut events_above) = (0.0, 0.0);
    let ranked: Vec<(f64, f64, f64)> = counts
        .groups()
        .map(|(rows, events)| {
            rows_above += f64::from(rows);
            events_above += f64::from(events);
            (f64::from(events), events_above / rows_above, 1.0 / rows_above)
        })
        .collect();
    let mut parts = vec![0.0; sample.n_accounts()];
    // Of a row, the precision at and below it rises with an event and falls with any row.
    let (mut with_event, mut with_row) = (0.0, 0.0);
    for (group, &(events, precision, of_rows)) in ranked.iter().enumerate().rev() {
        with_event += events * of_rows;
        with_row += events * precision * of_rows;
        for (account, event) in sample.rows(group..group + 1) {
            parts[account] += (if event { precision - value + with_event } else { 0.0 } - with_row) / n_events;
        }
    }
    Some(Linear { value, parts, n_accounts: sample.n_accounts() })
}

/// Events among the `k` rows of the highest score; of a tie across the cut, what a draw at random expects.
pub(crate) fn events_in_top(counts: &Counts, k: u64) -> f64 {
    let (mut rows_above, mut events_above) = (0_u64, 0_u64);
    for (rows, events) in counts.groups() {
        if rows_above + u64::from(rows) >= k {
            let taken = (k - rows_above) as f64;
            let part = if rows == 0 { 0.0 } else { taken * f64::from(events) / f64::from(rows) };
            return events_above as f64 + part;
        }
        rows_above += u64::from(rows);
        events_above += u64::from(events);
    }
    events_above as f64
}

pub(crate) fn ratio(numerator: f64, denominator: u64) -> Option<f64> {
    (denominator > 0).then(|| numerator / denominator as f64)
}

/// A sample without owners; `None` where a score is NaN.
pub(crate) fn unowned(scores: &[f64], outcome: &[bool]) -> Option<Sample> {
    assert_eq!(scores.len(), outcome.len(), "one outcome a score");
    let numbers = scores.iter().all(|score| !score.is_nan());
    numbers.then(|| Sample::new(scores.iter().zip(outcome).map(|(&score, &event)| (score, event, 0))))
}

/// A sample without owners; `None` where a value is not a probability.
pub(crate) fn unowned_probabilities(probability: &[f64], outcome: &[bool]) -> Option<Sample> {
    probability.iter().all(|p| (0.0..=1.0).contains(p)).then(|| unowned(probability, outcome)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of `tests/reference.rs`; central differences of scikit-learn 1.9.1's `average_precision_score` in each account's
    /// `sample_weight`, squared and summed.
    #[test]
    fn parts_of_average_precision_are_its_slopes() {
        let row = |i: u32| {
            let p = f64::from((i * 37) % 101 + 1) / 103.0;
            (p, f64::from((i * 29) % 83) < 83.0 * p * 0.8, (i * 7) % 30 / (1 + i % 2))
        };
        let linear = average_precision_linear(&Sample::new((0..120).map(row))).expect("there are events");
        let squares: f64 = linear.parts.iter().map(|part| part * part).sum();
        assert!((squares - 0.004_571_677_578_296_973).abs() < 1e-9, "{squares}");
        assert!(linear.parts.iter().sum::<f64>().abs() < 1e-12);
    }
}
