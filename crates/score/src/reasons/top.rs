//! The indicators that move each row's probability most.

use bellwether_core::{Calibration, FeatureMatrix, Probability};

use super::Indicators;
use super::strongest::Strongest;
use crate::{Explainer, ScoreError, SimdPath};

/// What one indicator adds to a row's probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// Its place among the [`Indicators`].
    pub indicator: usize,
    /// What it adds to the model's sum; not 0.
    pub contribution: f64,
    /// What it adds to the calibrated probability, in percentage points.
    ///
    /// The points of all indicators total the row's probability less that of the expected sum. They are in proportion to the
    /// contributions, that is, a contribution counts by the mean slope of the probability between the expected sum and the
    /// row's. Where a calibration is level in between, all are 0.
    pub points: f64,
}

/// The strongest reasons of each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    all: Vec<Reason>,
    /// Where each row's reasons end.
    ends: Vec<usize>,
    /// The probability of the expected sum, which points are counted from.
    pub base: Probability,
}

impl Reasons {
    /// At most `most` reasons of each row of `x`, the largest contribution first whatever its sign, equal ones in the order
    /// of the indicators; none for a row that is not explained. `logits` are what the explainer's kernel gave for the rows.
    ///
    /// # Errors
    /// As [`Explainer::contributions`].
    pub fn of(
        explainer: &Explainer,
        x: &FeatureMatrix,
        logits: &[f64],
        calibration: &Calibration,
        indicators: &Indicators,
        most: usize,
    ) -> Result<Self, ScoreError> {
        let most = most.min(indicators.len());
        let expected = explainer.expected();
        let probability = |sum: f64| calibration.probability(explainer.link().logit(sum));
        let base = probability(expected);
        let path = SimdPath::fastest();
        let begin = || (Strongest::new(indicators, most, path), Vec::new(), Vec::new());
        let parts = explainer.each_task(x, logits, begin, |(strongest, all, n_reasons), block| {
            strongest.find(block.by_feature);
            for (row, &sum) in block.sums.iter().enumerate() {
                let before = all.len();
                if strongest.of(row).next().is_some() {
                    let slope = slope_from(expected, base, sum, probability);
                    all.extend(strongest.of(row).map(|(indicator, contribution)| Reason {
                        indicator,
                        contribution,
                        points: 100.0 * slope * contribution,
                    }));
                }
                n_reasons.push(all.len() - before);
            }
        })?;
        let n_reasons = parts.iter().map(|(_, all, _)| all.len()).sum();
        let mut found = Self { all: Vec::with_capacity(n_reasons), ends: Vec::with_capacity(x.n_rows()), base };
        let mut end = 0;
        for (_, all, n_reasons) in parts {
            found.all.extend(all);
            found.ends.extend(n_reasons.into_iter().map(|n| {
                end += n;
                end
            }));
        }
        Ok(found)
    }

    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.ends.len()
    }

    /// The reasons of a row, the strongest first.
    ///
    /// # Panics
    /// If `row` is outside.
    pub fn row(&self, row: usize) -> &[Reason] {
        let first = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[first..self.ends[row]]
    }
}

/// So far apart that the difference of probabilities says something.
const STEP: f64 = 1e-6;

/// The mean slope of `probability` from one sum to another; of equal ones, that of a small step around them.
pub(super) fn slope(from: f64, to: f64, probability: impl Fn(f64) -> Probability) -> f64 {
    slope_from(from, probability(from), to, probability)
}

/// The same where the probability of `from` is known.
fn slope_from(from: f64, base: Probability, to: f64, probability: impl Fn(f64) -> Probability) -> f64 {
    if (to - from).abs() < STEP {
        return (probability(from + STEP) - probability(from - STEP)) / ((from + STEP) - (from - STEP));
    }
    (probability(to) - base) / (to - from)
}
