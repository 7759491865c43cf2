//! The indicators that move each row's probability most.

use bellwether_core::{Calibration, Probability};

use super::Indicators;
use crate::Contributions;

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
    /// At most `most` reasons a row, the largest contribution first whatever its sign, equal ones in the order of the
    /// indicators; none for a row that is not explained.
    pub fn of(contributions: &Contributions, calibration: &Calibration, indicators: &Indicators, most: usize) -> Self {
        let probability = |sum: f64| calibration.probability(contributions.link.logit(sum));
        let expected = contributions.expected;
        let (mut all, mut ends) = (Vec::new(), Vec::with_capacity(contributions.n_rows()));
        let mut sums = vec![0.0; indicators.len()];
        let mut order: Vec<usize> = Vec::with_capacity(indicators.len());
        for row in 0..contributions.n_rows() {
            indicators.sums(contributions.row(row), &mut sums);
            order.clear();
            order.extend((0..sums.len()).filter(|&at| sums[at].abs() > 0.0));
            let larger = |&a: &usize, &b: &usize| sums[b].abs().total_cmp(&sums[a].abs()).then(a.cmp(&b));
            if order.len() > most && most > 0 {
                order.select_nth_unstable_by(most - 1, larger);
            }
            order.truncate(most);
            order.sort_unstable_by(larger);
            let slope = slope(expected, contributions.sum(row), probability);
            all.extend(order.iter().map(|&indicator| {
                let contribution = sums[indicator];
                Reason { indicator, contribution, points: 100.0 * slope * contribution }
            }));
            ends.push(all.len());
        }
        Self { all, ends, base: probability(expected) }
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

/// The mean slope of `probability` from one sum to another; of equal ones, that of a small step around them.
pub(super) fn slope(from: f64, to: f64, probability: impl Fn(f64) -> Probability) -> f64 {
    const STEP: f64 = 1e-6;
    let (from, to) = if (to - from).abs() < STEP { (from - STEP, from + STEP) } else { (from, to) };
    (probability(to) - probability(from)) / (to - from)
}
