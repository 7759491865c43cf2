//! Putting it together: overall, by band, by cohort.

use bellwether_core::{Band, Progress};

use crate::bands::{BANDS, BandTable};
use crate::bins::brier_parts;
use crate::bootstrap::{Taking, replicates, student_interval};
use crate::curves::curves;
use crate::delong::auc_estimate;
use crate::error_interval::error_interval;
use crate::input::{Cohort, EvaluateError, EvaluateOptions, Scored};
use crate::linear::Linear;
use crate::measure::{Measure, Values, k_of};
use crate::metrics::average_precision_linear;
use crate::proportion::{Part, share, wilson};
use crate::results::{AtK, BandMetrics, CohortMetrics, Estimate, Evaluation, Metrics};
use crate::sample::{Counts, Sample};
use crate::scale::Scale;

/// Evaluates all rows, the rows of each band (`bands`, where given, has one a row, `None` where it has no health score) and of each cohort.
///
/// The bootstrap runs on rayon's current pool and is left out where there is too little evidence for it: fewer than
/// `min_events` events or non-events, or fewer than two accounts. `progress` counts replicates, left-out ones included.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no row, a probability is NaN or out of range, a cohort names a row that is
/// not there or names one twice, or a setting is out of range.
pub fn evaluate(
    scored: &Scored<'_>,
    bands: Option<&[Option<Band>]>,
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

/// Where one account has nearly all events, its part is not divided by less.
const LEAST_SHARE_OF_OTHERS: f64 = 0.1;

/// One sample with its values and those of its replicates.
struct Study<'a> {
    sample: &'a Sample,
    options: &'a EvaluateOptions,
    measure: Measure<'a>,
    counts: Counts,
    enough_evidence: bool,
    parts: Vec<Part>,
    n_effective: f64,
    /// Whether there is enough evidence for intervals beyond those of base rate and AUC.
    has_intervals: bool,
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
        let parts = account_parts(sample);
        let n_effective = effective_accounts(&parts);
        let has_intervals = enough_evidence && fewest > 0 && sample.n_accounts() > 1;
        let replicates = if has_intervals {
            replicates(sample, options, progress, |times, counts| measure.replicate(times, counts))
        } else {
            progress.advance(options.n_bootstrap as u64);
            Vec::new()
        };
        Self {
            sample,
            options,
            measure,
            counts,
            enough_evidence,
            parts,
            n_effective,
            has_intervals,
            values,
            replicates,
        }
    }

    fn metrics(&self) -> Metrics {
        let confidence = self.options.confidence;
        let brier = self.values.brier;
        let parts = brier.and_then(|brier| brier_parts(self.sample, &self.measure.bins, &self.counts, brier));
        Metrics {
            n: self.sample.n_rows(),
            n_accounts: self.sample.n_accounts(),
            n_events: self.counts.n_events as usize,
            base_rate: share(&self.parts, confidence),
            roc_auc: auc_estimate(self.sample, confidence),
            pr_auc: self.average_precision(),
            log_loss: self.estimate(Scale::Log, |values| values.log_loss),
            brier: self.estimate(Scale::Logit, |values| values.brier),
            brier_reliability: parts.map(|parts| parts.reliability),
            brier_resolution: parts.map(|parts| parts.resolution),
            brier_uncertainty: parts.map(|parts| parts.uncertainty),
            calibration_slope: self.estimate(Scale::Plain, |values| values.calibration_slope),
            calibration_intercept: self.estimate(Scale::Plain, |values| values.calibration_intercept),
            ece: self.calibration_error(),
            at_k: (0..self.options.k_shares.len()).map(|at| self.at_k(at)).collect(),
            enough_evidence: self.enough_evidence,
        }
    }

    fn at_k(&self, at: usize) -> AtK {
        let (share, confidence) = (self.options.k_shares[at], self.options.confidence);
        let k = k_of(share, self.counts.n) as usize;
        let of = self.values.at_k[at];
        // Where all or none of the k rows, or of the events, are hits, replicates are too; accounts stand for rows there.
        let at_an_end = |value: Option<f64>, n: f64| {
            let end = value.filter(|value| [0.0, 1.0].contains(value) && !self.replicates.is_empty());
            end.map(|value| Estimate::new(Some(value), Some(wilson(value, n, confidence))))
        };
        let n_taken = k.min(self.sample.n_accounts()) as f64;
        let precision = at_an_end(of.precision, n_taken)
            .unwrap_or_else(|| self.estimate(Scale::Logit, |values| values.at_k[at].precision));
        let recall = at_an_end(of.recall, self.n_effective)
            .unwrap_or_else(|| self.estimate(Scale::Logit, |values| values.at_k[at].recall));
        AtK { share, k, precision, recall, lift: self.lift(&precision, |values| values.at_k[at].lift) }
    }

    /// A lift of 0 has no logarithm: its interval is the precision's, over the base rate.
    fn lift(&self, precision: &Estimate, of: impl Fn(&Values) -> Option<f64>) -> Estimate {
        let lift = self.estimate(Scale::Log, of);
        let base_rate = self.counts.n_events as f64 / self.counts.n as f64;
        let ends = precision.low.zip(precision.high).filter(|_| lift.value == Some(0.0) && !self.replicates.is_empty());
        ends.map_or(lift, |(low, high)| Estimate::new(lift.value, Some((low / base_rate, high / base_rate))))
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
                recall: table.recall(at, self.options.confidence),
                lift: self.lift(&event_rate, |values| values.bands[at].lift),
                share_of_rows: n as f64 / self.sample.n_rows() as f64,
            }
        };
        BANDS.into_iter().enumerate().map(metrics).collect()
    }

    /// Linearised: replicates repeat rows, which average precision takes for ties, and its bootstrap interval is too narrow.
    /// An account with many events pulls the value towards its own rows, so its part is taken over the share of events that the
    /// others have. Source: Bell and `McCaffrey` (2002), Survey Methodology 28, for ratios.
    fn average_precision(&self) -> Estimate {
        let linear = average_precision_linear(self.sample).filter(|_| self.has_intervals);
        linear.map_or(Estimate::new(self.values.pr_auc, None), |linear| {
            // Events of few accounts make up most of it.
            let n_accounts = linear.n_accounts.min(self.n_effective as usize);
            let of_others = |of: &Part| 1.0 - f64::from(of.hits) / self.counts.n_events as f64;
            let parts = linear.parts.iter().zip(&self.parts);
            let parts = parts.map(|(part, of)| part / of_others(of).max(LEAST_SHARE_OF_OTHERS)).collect();
            Linear { parts, n_accounts, ..linear }.estimate(Scale::Logit, self.options.confidence)
        })
    }

    fn estimate(&self, scale: Scale, of: impl Fn(&Values) -> Option<f64>) -> Estimate {
        let n_effective = self.n_effective;
        let taking =
            Taking { scale, n_effective, n_accounts: self.sample.n_accounts(), confidence: self.options.confidence };
        let value = of(&self.values);
        let interval = value.and_then(|value| student_interval(value, self.replicates.iter().map(&of), &taking));
        Estimate::new(value, interval)
    }

    fn calibration_error(&self) -> Estimate {
        let gaps = || self.replicates.iter().map(|values| values.gaps.as_slice());
        let interval =
            error_interval(&self.values.gaps, &self.measure.calibrated_noise(), gaps, self.options.confidence);
        Estimate::new(self.values.ece, interval)
    }
}

/// How many accounts with one event each, or one non-event each, whichever are fewer, would say as much as these do.
/// Source: Kish (1965), 8.2.
fn effective_accounts(parts: &[Part]) -> f64 {
    let kish = |of: fn(&Part) -> u32| {
        let sizes = || parts.iter().map(|part| f64::from(of(part)));
        sizes().sum::<f64>().powi(2) / sizes().map(|size| size * size).sum::<f64>()
    };
    kish(|part| part.hits).min(kish(|part| part.size - part.hits))
}

fn account_parts(sample: &Sample) -> Vec<Part> {
    let mut parts = vec![Part::default(); sample.n_accounts()];
    for (account, event) in sample.rows(0..sample.scores().len()) {
        parts[account].size += 1;
        parts[account].hits += u32::from(event);
    }
    parts
}
