//! Shapley values of scorecards, whose weights go from missing indicators to known ones.
//!
//! The reference knows every indicator and earns the mean share of points of each. A known indicator that joins brings its
//! own points; a missing one that joins takes its weight out of the sum. So the score with the indicators of a set known is
//! `100 * (sum of weight * share) / (sum of weight)` over all but the missing ones of the set, which depends on the order
//! only by which missing indicators have joined. Of `q` missing indicators these are `2^q` sets, whatever the number of
//! indicators; a known one joins before as many of them as after with equal probabilities.

use std::collections::BTreeMap;

use bellwether_core::{FeatureMatrix, Indicator, ScorecardModel};

use crate::kernel::trees::ranks::LANES;

/// Rows with more missing indicators are not explained: there would be too many sets.
pub(super) const MAX_MISSING: usize = 20;

/// A scorecard with the mean share of points of each indicator.
#[derive(Debug, Clone)]
pub(super) struct ScorecardShapley {
    model: ScorecardModel,
    /// One an indicator, `0.0..=1.0`.
    means: Vec<f64>,
}

/// What rows that miss the same indicators have in common, in points of health.
struct Pattern {
    /// What a weighted share above the mean of a known indicator is worth.
    known: f64,
    /// For each missing indicator what joining gives, and how much more for each weighted share above the mean.
    missing: Vec<(usize, f64, f64)>,
}

impl ScorecardShapley {
    /// `means` has one number a feature of the schema.
    pub(super) fn new(model: &ScorecardModel, means: &[f64]) -> Self {
        let means = model.indicators.iter().map(|of| means[of.feature as usize]).collect();
        Self { model: model.clone(), means }
    }

    pub(super) fn expected(&self) -> f64 {
        let weights: f64 = self.weights().sum();
        let earned: f64 = self.weights().zip(&self.means).map(|(weight, mean)| weight * mean).sum();
        f64::from(self.model.intercept) + f64::from(self.model.slope) * (100.0 * earned / weights)
    }

    /// Writes what each feature adds to `n_rows` rows from `first_row`, by feature; NaN throughout for a row with more than
    /// [`MAX_MISSING`] missing indicators.
    pub(super) fn contributions(&self, x: &FeatureMatrix, first_row: usize, n_rows: usize, out: &mut [[f64; LANES]]) {
        let mut patterns: BTreeMap<Vec<usize>, Pattern> = BTreeMap::new();
        let slope = f64::from(self.model.slope);
        out.fill([0.0; LANES]);
        for row in 0..n_rows {
            let share = |of: &Indicator| of.points(x.value(first_row + row, of.feature as usize));
            let shares: Vec<Option<f64>> = self.model.indicators.iter().map(share).collect();
            let missing: Vec<usize> = (0..shares.len()).filter(|&at| shares[at].is_none()).collect();
            if missing.len() > MAX_MISSING {
                for of_feature in &mut *out {
                    of_feature[row] = f64::NAN;
                }
                continue;
            }
            let pattern = patterns.entry(missing).or_insert_with_key(|missing| self.pattern(missing));
            let mut above = 0.0;
            for ((indicator, share), mean) in self.model.indicators.iter().zip(&shares).zip(&self.means) {
                let Some(share) = share else { continue };
                let own = f64::from(indicator.weight) * (share - mean);
                above += own;
                out[indicator.feature as usize][row] = slope * own * pattern.known;
            }
            for &(at, fixed, by_above) in &pattern.missing {
                out[self.model.indicators[at].feature as usize][row] = slope * (fixed + by_above * above);
            }
        }
    }

    fn weights(&self) -> impl Iterator<Item = f64> {
        self.model.indicators.iter().map(|of| f64::from(of.weight))
    }

    fn pattern(&self, missing: &[usize]) -> Pattern {
        let weight: Vec<f64> = self.weights().collect();
        let n = missing.len();
        let all: f64 = weight.iter().sum();
        let all_earned: f64 = weight.iter().zip(&self.means).map(|(weight, mean)| weight * mean).sum();
        let all_missing = n == weight.len();
        let mut known = 0.0;
        let mut of_missing = vec![(0.0, 0.0); n];
        for set in 0..1_u32 << n {
            let joined = || (0..n).filter(|&at| set >> at & 1 == 1).map(|at| missing[at]);
            let size = set.count_ones() as usize;
            let left = all - joined().map(|at| weight[at]).sum::<f64>();
            let earned = all_earned - joined().map(|at| weight[at] * self.means[at]).sum::<f64>();
            if size < n || !all_missing {
                known += 100.0 / left / ((n + 1) as f64 * binomial(n, size));
            }
            for (at, (fixed, by_above)) in of_missing.iter_mut().enumerate().filter(|&(at, _)| set >> at & 1 == 0) {
                let likely = 1.0 / (n as f64 * binomial(n - 1, size));
                let own = weight[missing[at]];
                if all_missing && size + 1 == n {
                    // Where nothing is known the score is 50.
                    *fixed += likely * (50.0 - 100.0 * earned / left);
                    continue;
                }
                let (after, earned_after) = (left - own, earned - own * self.means[missing[at]]);
                *fixed += likely * 100.0 * (earned_after / after - earned / left);
                // Of the known indicators, this share has joined before on average.
                let before = (size + 1) as f64 / (n + 1) as f64;
                *by_above += likely * before * 100.0 * (1.0 / after - 1.0 / left);
            }
        }
        let missing = missing.iter().zip(of_missing).map(|(&at, (fixed, by_above))| (at, fixed, by_above)).collect();
        Pattern { known, missing }
    }
}

/// How many sets of `k` of `n` there are.
fn binomial(n: usize, k: usize) -> f64 {
    (0..k).fold(1.0, |ways, at| ways * (n - at) as f64 / (at + 1) as f64)
}
