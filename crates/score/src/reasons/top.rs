//! The indicators that move each row's probability most.

use bellwether_core::{Calibration, FeatureMatrix, Probability};

use super::Indicators;
use crate::kernel::trees::ranks::LANES;
use crate::{Explainer, ScoreError};

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

/// The strongest indicators of the rows of a block: the first `most` places of each row.
struct Strongest {
    most: usize,
    /// The features of each indicator.
    features: Vec<Vec<usize>>,
    /// By place: what the indicator adds, and which it is. 0 where there is none.
    contributions: Vec<[f64; LANES]>,
    indicators: Vec<[usize; LANES]>,
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
        let begin = || (Strongest::new(indicators, most), Vec::new(), Vec::new());
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

impl Strongest {
    fn new(indicators: &Indicators, most: usize) -> Self {
        let mut features = vec![Vec::new(); indicators.len()];
        for (feature, &indicator) in indicators.of_columns().iter().enumerate() {
            features[indicator].push(feature);
        }
        Self { most, features, contributions: vec![[0.0; LANES]; most], indicators: vec![[0; LANES]; most] }
    }

    /// Of the rows of a block.
    fn find(&mut self, by_feature: &[[f64; LANES]]) {
        self.contributions.fill([0.0; LANES]);
        let features = std::mem::take(&mut self.features);
        for (indicator, features) in features.iter().enumerate() {
            let Some((&first, others)) = features.split_first() else { continue };
            if others.is_empty() {
                self.put_in(indicator, &by_feature[first]);
                continue;
            }
            let mut sums = by_feature[first];
            for &feature in others {
                for (sum, value) in sums.iter_mut().zip(&by_feature[feature]) {
                    *sum += value;
                }
            }
            self.put_in(indicator, &sums);
        }
        self.features = features;
    }

    /// Puts what an indicator adds to each row into its place; later indicators stand behind equal ones.
    fn put_in(&mut self, indicator: usize, sums: &[f64; LANES]) {
        let Some(last) = self.most.checked_sub(1) else { return };
        let mut is_above = [0_u8; LANES];
        for ((is_above, sum), least) in is_above.iter_mut().zip(sums).zip(&self.contributions[last]) {
            // NaN is above nothing.
            *is_above = u8::from(sum.abs() > least.abs());
        }
        // Most are not: eight rows are passed over at a time.
        for (eight, is_above) in is_above.as_chunks::<8>().0.iter().enumerate() {
            let mut left = u64::from_le_bytes(*is_above);
            while left != 0 {
                let row = 8 * eight + left.trailing_zeros() as usize / 8;
                left &= left - 1;
                let mut place = last;
                while place > 0 && sums[row].abs() > self.contributions[place - 1][row].abs() {
                    self.contributions[place][row] = self.contributions[place - 1][row];
                    self.indicators[place][row] = self.indicators[place - 1][row];
                    place -= 1;
                }
                self.contributions[place][row] = sums[row];
                self.indicators[place][row] = indicator;
            }
        }
    }

    /// The indicators of a row with what they add, the strongest first.
    fn of(&self, row: usize) -> impl Iterator<Item = (usize, f64)> {
        let places = self.indicators.iter().zip(&self.contributions).map(move |(of, adds)| (of[row], adds[row]));
        places.take_while(|&(_, adds)| adds != 0.0)
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
