//! Putting it together: overall, by band, by cohort.

use bellwether_core::{Band, Progress};

use crate::bands::{BANDS, BandTable};
use crate::bins::brier_parts;
use crate::bootstrap::{percentiles, replicates};
use crate::curves::curves;
use crate::delong::auc_estimate;
use crate::input::{Cohort, EvaluateError, EvaluateOptions, Scored};
use crate::measure::{Measure, TopRows, Values, k_of};
use crate::proportion::{Part, share};
use crate::results::{AtK, BandMetrics, CohortMetrics, Estimate, Evaluation, Metrics};
use crate::sample::{Counts, Sample};

/// Evaluates all rows, the rows of each band (`bands`, where given, has one a row) and of each cohort.
///
/// The bootstrap runs on rayon's current pool and is left out where there is too little evidence for it: fewer than
/// `min_events` events or non-events, or fewer than two accounts. `progress` counts replicates, left-out ones included.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no row, a probability is NaN or out of range, a cohort names a row that is
/// not there or names one twice, or a setting is out of range.
pub fn evaluate(
    scored: &Scored<'_>,
    bands: Option<&[Band]>,
    cohorts: &[Cohort],
    options: &EvaluateOptions,
    progress: &dyn Progress,
) -> Result<Evaluation, EvaluateError> {
    options.check()?;
    scored.check()?;
    bands.map_or(Ok(()), |bands| scored.check_bands(bands))?;
    cohorts.iter().try_for_each(|cohort| scored.check_cohort(cohort))?;

    progress.begin("evaluate", ((1 + cohorts.len()) * options.n_bootstrap) as u64);
    let sample = Sample::new(scored.rows());
    let table = bands.map(|bands| BandTable::new(&sample, scored, bands));
    let all = Study::new(&sample, table.as_ref(), options, progress);
    let cohort_metrics = |cohort: &Cohort| {
        let rows = Sample::new(cohort.rows.iter().map(|&row| scored.row(row)));
        CohortMetrics {
            dimension: cohort.dimension.clone(),
            level: cohort.level.clone(),
            metrics: Study::new(&rows, None, options, progress).metrics(),
        }
    };
    let evaluation = Evaluation {
        overall: all.metrics(),
        by_band: table.iter().flat_map(|table| all.by_band(table)).collect(),
        cohorts: cohorts.iter().map(cohort_metrics).collect(),
        curves: curves(&sample, &all.counts, &all.measure.bins, options.confidence),
    };
    progress.end();
    Ok(evaluation)
}

/// One sample with its values and those of its replicates.
struct Study<'a> {
    sample: &'a Sample,
    options: &'a EvaluateOptions,
    measure: Measure<'a>,
    counts: Counts,
    enough_evidence: bool,
    values: Values,
    replicates: Vec<Values>,
}

impl<'a> Study<'a> {
    fn new(
        sample: &'a Sample,
        bands: Option<&'a BandTable>,
        options: &'a EvaluateOptions,
        progress: &dyn Progress,
    ) -> Self {
        let measure = Measure::new(sample, bands, options);
        let counts = sample.counts();
        let fewest = counts.n_events.min(counts.n_non_events());
        let enough_evidence = fewest >= options.min_events as u64;
        let values = measure.exact(&counts);
        let replicates = if enough_evidence && fewest > 0 && sample.n_accounts() > 1 {
            replicates(sample, options, progress, |times, counts| measure.replicate(times, counts))
        } else {
            progress.advance(options.n_bootstrap as u64);
            Vec::new()
        };
        Self { sample, options, measure, counts, enough_evidence, values, replicates }
    }

    fn metrics(&self) -> Metrics {
        let confidence = self.options.confidence;
        let brier = self.values.brier;
        let parts = brier.and_then(|brier| brier_parts(self.sample, &self.measure.bins, &self.counts, brier));
        Metrics {
            n: self.sample.n_rows(),
            n_accounts: self.sample.n_accounts(),
            n_events: self.counts.n_events as usize,
            base_rate: share(&account_parts(self.sample), confidence),
            roc_auc: auc_estimate(self.sample, confidence),
            pr_auc: self.estimate(|values| values.pr_auc),
            log_loss: self.estimate(|values| values.log_loss),
            brier: self.estimate(|values| values.brier),
            brier_reliability: parts.map(|parts| parts.reliability),
            brier_resolution: parts.map(|parts| parts.resolution),
            brier_uncertainty: parts.map(|parts| parts.uncertainty),
            calibration_slope: self.estimate(|values| values.calibration_slope),
            calibration_intercept: self.estimate(|values| values.calibration_intercept),
            ece: self.calibration_error(),
            at_k: (0..self.options.k_shares.len()).map(|at| self.at_k(at)).collect(),
            enough_evidence: self.enough_evidence,
        }
    }

    fn at_k(&self, at: usize) -> AtK {
        let share = self.options.k_shares[at];
        let estimate = |of: fn(&TopRows) -> Option<f64>| self.estimate(|values| of(&values.at_k[at]));
        AtK {
            share,
            k: k_of(share, self.counts.n) as usize,
            precision: estimate(|top| top.precision),
            recall: estimate(|top| top.recall),
            lift: estimate(|top| top.lift),
        }
    }

    fn by_band(&self, table: &BandTable) -> Vec<BandMetrics> {
        let metrics = |(at, band)| {
            let (n, n_events) = table.totals(at);
            let event_rate = table.event_rate(at, self.options.confidence);
            BandMetrics {
                band,
                n,
                n_events,
                event_rate,
                precision: event_rate,
                recall: self.estimate(|values| values.bands[at].recall),
                lift: self.estimate(|values| values.bands[at].lift),
                share_of_rows: n as f64 / self.sample.n_rows() as f64,
            }
        };
        BANDS.into_iter().enumerate().map(metrics).collect()
    }

    fn estimate(&self, of: impl Fn(&Values) -> Option<f64>) -> Estimate {
        let interval = percentiles(self.replicates.iter().map(&of), self.options.confidence);
        Estimate::new(of(&self.values), interval)
    }

    /// Gaps grow with noise, and a replicate has the sample's noise and its own: its percentiles would lie above a calibrated
    /// score's value and never reach 0. Noise adds to the square of a gap, so there the basic interval subtracts it.
    fn calibration_error(&self) -> Estimate {
        let of = |values: &Values| values.ece;
        let basic = |value: f64, end: f64| (2.0 * value * value - end * end).max(0.0).sqrt();
        let interval = percentiles(self.replicates.iter().map(of), self.options.confidence)
            .zip(of(&self.values))
            .map(|((low, high), value)| (basic(value, high), basic(value, low)));
        Estimate::new(of(&self.values), interval)
    }
}

fn account_parts(sample: &Sample) -> Vec<Part> {
    let mut parts = vec![Part::default(); sample.n_accounts()];
    for (account, event) in sample.rows(0..sample.scores().len()) {
        parts[account].size += 1;
        parts[account].hits += u32::from(event);
    }
    parts
}
