//! All values of a sample in one struct, for the full counts and for each replicate's alike.

use std::ops::Range;

use crate::bands::BandTable;
use crate::bins::{Binning, bins, calibration_error, gaps};
use crate::input::EvaluateOptions;
use crate::metrics::{Losses, average_precision_of, events_in_top, log_losses, mean_loss, ratio, squared_losses};
use crate::recalibration::{coarse, each, logits, recalibrate};
use crate::sample::{Counts, Sample};

/// What is computed once a sample, so that a replicate only multiplies and adds.
#[derive(Debug)]
pub(crate) struct Measure<'a> {
    sample: &'a Sample,
    k_shares: &'a [f64],
    bands: Option<&'a BandTable>,
    log_losses: Vec<Losses>,
    squared_losses: Vec<Losses>,
    logits: Vec<f64>,
    /// Cells of the calibration line in replicates.
    cells: Vec<Range<usize>>,
    /// Quantile bins of the full sample; replicates keep them.
    pub(crate) bins: Vec<Range<usize>>,
}

/// Values on some counts.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) pr_auc: Option<f64>,
    pub(crate) log_loss: Option<f64>,
    pub(crate) brier: Option<f64>,
    pub(crate) calibration_slope: Option<f64>,
    pub(crate) calibration_intercept: Option<f64>,
    pub(crate) ece: Option<f64>,
    /// Of each bin, see [`gaps`].
    pub(crate) gaps: Vec<f64>,
    pub(crate) at_k: Vec<TopRows>,
    pub(crate) bands: Vec<TopRows>,
}

/// Rows that were picked, against all events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TopRows {
    pub(crate) precision: Option<f64>,
    pub(crate) recall: Option<f64>,
    pub(crate) lift: Option<f64>,
}

impl TopRows {
    pub(crate) fn new(precision: Option<f64>, events: f64, all: &Counts) -> Self {
        let lift = precision.and_then(|precision| ratio(precision * all.n as f64, all.n_events));
        Self { precision, recall: ratio(events, all.n_events), lift }
    }
}

impl<'a> Measure<'a> {
    pub(crate) fn new(sample: &'a Sample, bands: Option<&'a BandTable>, options: &'a EvaluateOptions) -> Self {
        let logits = logits(sample.scores());
        Self {
            sample,
            k_shares: &options.k_shares,
            bands,
            log_losses: log_losses(sample.scores()),
            squared_losses: squared_losses(sample.scores()),
            cells: coarse(&logits),
            logits,
            bins: bins(sample, options.n_bins, Binning::Quantile),
        }
    }

    /// The deviation of each bin's gap where the probabilities are true and rows independent.
    pub(crate) fn calibrated_noise(&self) -> Vec<f64> {
        let variance = |row: usize| {
            let p = self.sample.scores()[self.sample.group_of(row)];
            p * (1.0 - p)
        };
        let deviation = |bin: &Range<usize>| {
            self.sample.row_range(bin.clone()).map(variance).sum::<f64>().sqrt() / self.sample.n_rows() as f64
        };
        self.bins.iter().map(deviation).collect()
    }

    /// On the full counts, exactly.
    pub(crate) fn exact(&self, counts: &Counts) -> Values {
        self.values(&vec![1; self.sample.n_accounts()], counts, &each(&self.logits))
    }

    /// On the counts of a replicate that drew each account as often as `times` says.
    pub(crate) fn replicate(&self, times: &[u32], counts: &Counts) -> Values {
        self.values(times, counts, &self.cells)
    }

    fn values(&self, times: &[u32], counts: &Counts, cells: &[Range<usize>]) -> Values {
        let line = recalibrate(&self.logits, cells, counts);
        Values {
            pr_auc: average_precision_of(counts),
            log_loss: mean_loss(&self.log_losses, counts),
            brier: mean_loss(&self.squared_losses, counts),
            calibration_slope: line.and_then(|line| line.slope),
            calibration_intercept: line.map(|line| line.intercept),
            ece: calibration_error(self.sample, &self.bins, counts),
            gaps: gaps(self.sample, &self.bins, counts),
            at_k: self.k_shares.iter().map(|&share| top_rows(counts, share)).collect(),
            bands: self.bands.map(|bands| bands.measure(times, counts)).unwrap_or_default(),
        }
    }
}

/// How many rows `share` of `n` is: rounded, at least 1, 0 of none.
pub(crate) fn k_of(share: f64, n: u64) -> u64 {
    ((share * n as f64).round() as u64).max(1).min(n)
}

fn top_rows(counts: &Counts, share: f64) -> TopRows {
    let k = k_of(share, counts.n);
    let events = events_in_top(counts, k);
    TopRows::new(ratio(events, k), events, counts)
}
