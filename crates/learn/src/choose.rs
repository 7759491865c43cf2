//! Which of several models is taken, by their losses on the same held-out rows.

use std::collections::BTreeMap;

/// The share of choices that luck alone may turn away from the usual model, over all of its rivals (Bonferroni).
///
/// Quantiles of the normal distribution at `1 - 0.05 / k` for `k` rivals, from 1.
const CLEARLY: [f64; 8] = [1.645, 1.960, 2.128, 2.241, 2.326, 2.394, 2.450, 2.498];

/// The last of the models, unless the loss of others is clearly less; of those the one with the least loss.
///
/// `losses` has one slice a model, with one loss a row; `group` names the account of each row, and rows of an account
/// count as one observation. Differences that chance explains are no reason to leave the usual model: of many models
/// that are tried on few rows, one looks best by luck.
///
/// # Panics
/// If there is no model, or lengths differ.
pub fn choose(losses: &[&[f64]], group: &[u64]) -> usize {
    let usual = losses.len().checked_sub(1).expect("there is a model");
    let clearly = CLEARLY[usual.saturating_sub(1).min(CLEARLY.len() - 1)];
    let total = |model: usize| losses[model].iter().sum::<f64>();
    let is_better = |&model: &usize| is_less(losses[model], losses[usual], group, clearly);
    (0..usual).filter(is_better).min_by(|&a, &b| total(a).total_cmp(&total(b))).unwrap_or(usual)
}

/// Whether the mean of `losses` is below that of `others` by more than `clearly` standard errors of the paired difference,
/// with the rows of a group as one observation.
pub(crate) fn is_less(losses: &[f64], others: &[f64], group: &[u64], clearly: f64) -> bool {
    assert!(losses.len() == others.len() && losses.len() == group.len(), "one loss and one group a row");
    let mut gain_of: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for ((loss, other), group) in losses.iter().zip(others).zip(group) {
        let (gain, n) = gain_of.entry(*group).or_default();
        *gain += other - loss;
        *n += 1.0;
    }
    let n_rows = losses.len() as f64;
    let mean = gain_of.values().map(|(gain, _)| gain).sum::<f64>() / n_rows;
    let n_groups = gain_of.len() as f64;
    let squares: f64 = gain_of.values().map(|(gain, n)| (gain - mean * n).powi(2)).sum();
    let standard_error = (squares * n_groups / (n_groups - 1.0).max(1.0)).sqrt() / n_rows;
    mean > clearly * standard_error && mean > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u64 = 400;

    /// Losses that lie `gain` below 1 on average; of two models, half of the rows differ by 0.8, either way as often.
    fn losses(model: usize, gain: f64) -> Vec<f64> {
        (0..N).map(|row| 1.0 - gain + if (row >> model) & 1 == 0 { 0.4 } else { -0.4 }).collect()
    }

    fn chosen(gains: &[f64], group: impl Fn(u64) -> u64) -> usize {
        let losses: Vec<Vec<f64>> = (0..).zip(gains).map(|(model, &gain)| losses(model, gain)).collect();
        let group: Vec<u64> = (0..N).map(group).collect();
        choose(&losses.iter().map(Vec::as_slice).collect::<Vec<_>>(), &group)
    }

    #[test]
    fn the_last_is_taken_unless_another_is_clearly_better() {
        for (gains, expected) in [
            (&[0.0][..], 0),
            (&[0.0, 0.0], 1),
            (&[0.03, 0.0], 1),
            (&[0.06, 0.0], 0),
            // With more rivals, luck finds more.
            (&[0.06, 0.0, 0.0, 0.0], 3),
            (&[0.2, 0.4, 0.0], 1),
            (&[0.2, 0.4, 0.6], 2),
        ] {
            assert_eq!(chosen(gains, |row| row), expected, "{gains:?}");
        }
    }

    #[test]
    fn rows_of_an_account_are_one_observation() {
        assert_eq!(chosen(&[0.06, 0.0], |row| row), 0);
        assert_eq!(chosen(&[0.06, 0.0], |row| row % 4), 1, "four accounts, each with a hundred equal rows");
    }
}
