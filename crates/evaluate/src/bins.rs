//! Bins of like probability: expected calibration error and the parts of the Brier score.

use std::ops::Range;

use crate::metrics::{ratio, unowned_probabilities};
use crate::sample::{Counts, Sample};

/// How probabilities are put into bins. A value on an edge goes to the lower bin; a tie is never divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binning {
    /// Bins of equal numbers of rows, as scikit-learn's `calibration_curve` with `strategy="quantile"`.
    Quantile,
    /// Bins of equal width over `0.0..=1.0`, as with `strategy="uniform"`.
    EqualWidth,
}

/// Expected calibration error: the gap of mean probability and event rate, averaged over bins by their rows, in `0.0..=1.0`;
/// lower is better. Source: Naeini, Cooper and Hauskrecht (2015).
///
/// `None` when empty, without bins, or when a value is not a probability.
///
/// # Panics
/// If lengths differ.
pub fn expected_calibration_error(
    probability: &[f64],
    outcome: &[bool],
    n_bins: usize,
    binning: Binning,
) -> Option<f64> {
    let sample = unowned_probabilities(probability, outcome)?;
    calibration_error(&sample, &bins(&sample, n_bins, binning), &sample.counts()).filter(|_| n_bins > 0)
}

/// The parts that sum to the Brier score: reliability - resolution + uncertainty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BrierParts {
    pub(crate) reliability: f64,
    pub(crate) resolution: f64,
    pub(crate) uncertainty: f64,
}

/// Bins with rows, as ranges of groups, from the highest probability down.
pub(crate) fn bins(sample: &Sample, n_bins: usize, binning: Binning) -> Vec<Range<usize>> {
    let (n_groups, n_rows) = (sample.scores().len(), sample.n_rows());
    // The first group of what is at or below the `edge`th edge. A quantile between two rows divides them like the lower one.
    let cut = |edge: usize| match binning {
        Binning::Quantile => sample.group_of(n_rows - 1 - edge * (n_rows - 1) / n_bins),
        Binning::EqualWidth => sample.scores().partition_point(|&p| p > edge as f64 / n_bins as f64),
    };
    if n_rows == 0 {
        return Vec::new();
    }
    let mut begin = 0;
    let mut bins = Vec::with_capacity(n_bins);
    for end in (1..n_bins).rev().map(cut).chain([n_groups]) {
        if end > begin {
            bins.push(begin..end);
            begin = end;
        }
    }
    bins
}

/// Rows, summed probability and events of a bin.
pub(crate) fn totals(sample: &Sample, bin: &Range<usize>, counts: &Counts) -> (u64, f64, u64) {
    let (mut n, mut sum, mut n_events) = (0, 0.0, 0);
    for group in bin.clone() {
        n += u64::from(counts.rows[group]);
        sum += sample.scores()[group] * f64::from(counts.rows[group]);
        n_events += u64::from(counts.events[group]);
    }
    (n, sum, n_events)
}

pub(crate) fn calibration_error(sample: &Sample, bins: &[Range<usize>], counts: &Counts) -> Option<f64> {
    (counts.n > 0).then(|| gaps(sample, bins, counts).iter().map(|gap| gap.abs()).sum())
}

/// Of each bin, summed probability less events, over all rows; empty without rows.
pub(crate) fn gaps(sample: &Sample, bins: &[Range<usize>], counts: &Counts) -> Vec<f64> {
    let gap = |bin| {
        let (_, sum, n_events) = totals(sample, bin, counts);
        ratio(sum - n_events as f64, counts.n)
    };
    bins.iter().filter_map(gap).collect()
}

pub(crate) fn brier_parts(sample: &Sample, bins: &[Range<usize>], counts: &Counts, brier: f64) -> Option<BrierParts> {
    let squared_gap = |bin| {
        let (n, sum, n_events) = totals(sample, bin, counts);
        (sum - n_events as f64).powi(2) / n as f64
    };
    let reliability = ratio(bins.iter().map(squared_gap).sum(), counts.n)?;
    let base_rate = ratio(counts.n_events as f64, counts.n)?;
    let uncertainty = base_rate * (1.0 - base_rate);
    Some(BrierParts { reliability, resolution: reliability + uncertainty - brier, uncertainty })
}
