//! What an evaluation says.

use bellwether_core::Band;
use serde::{Deserialize, Serialize};

/// A value with its interval; each `None` where it is undefined. An interval holds its value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value on all rows.
    pub value: Option<f64>,
    /// The lower end of the interval; `None` with `high`.
    pub low: Option<f64>,
    /// The upper end of the interval; `None` with `low`.
    pub high: Option<f64>,
}

impl Estimate {
    /// A value and, where both are known, its interval, widened to hold the value where it does not.
    pub(crate) fn new(value: Option<f64>, interval: Option<(f64, f64)>) -> Self {
        let ends = value.zip(interval).map(|(value, (low, high))| (low.min(value), high.max(value)));
        Self { value, low: ends.map(|ends| ends.0), high: ends.map(|ends| ends.1) }
    }
}

/// Metrics of one set of rows. Values are defined wherever their formula is; without enough evidence only the intervals of
/// `base_rate` and `roc_auc` are there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Rows.
    pub n: usize,
    /// Accounts.
    pub n_accounts: usize,
    /// Rows whose outcome came.
    pub n_events: usize,
    /// Share of rows whose outcome came. Interval: Wilson (1927), with the effective sample size where accounts repeat
    /// (Korn and Graubard 1998; Franco et al. 2019).
    pub base_rate: Estimate,
    /// Area under the ROC curve, a tie counting half; `None` for a single class. Interval: `DeLong` et al. (1988), clustered by
    /// account (Obuchowski 1997), Student's on the logit; none where that variance is 0 or has fewer than two accounts a class.
    pub roc_auc: Estimate,
    /// Average precision, as scikit-learn's; `None` without events. Interval: linearised by account, Student's on the logit.
    pub pr_auc: Estimate,
    /// Mean negative log-likelihood in nats, probabilities clipped to `1e-15..=1 - 1e-15`; lower is better. Interval here and
    /// below: bootstrap by account, Student's around the value less its bias, on the logarithm, or the logit of a share.
    pub log_loss: Estimate,
    /// Mean squared error of the probabilities; lower is better.
    pub brier: Estimate,
    /// Mean squared gap of bin means, quantile bins; lower is better. `brier = reliability - resolution + uncertainty`.
    pub brier_reliability: Option<f64>,
    /// How far outcomes differ along the score, within-bin terms included (the generalised resolution of Stephenson, Coelho
    /// and Jolliffe 2008); higher is better, a useless score may fall below 0.
    pub brier_resolution: Option<f64>,
    /// `base_rate * (1 - base_rate)`.
    pub brier_uncertainty: Option<f64>,
    /// Slope of the outcome on `logit(p)`, see [`crate::calibration_line`]; 1 is ideal.
    pub calibration_slope: Estimate,
    /// Calibration in the large, see [`crate::calibration_line`]; 0 is ideal.
    pub calibration_intercept: Estimate,
    /// Expected calibration error over quantile bins; lower is better. Noise alone lifts it above its truth, which the interval
    /// allows for: from 0 where the score may well be calibrated. It holds the truth at least as often as it says.
    pub ece: Estimate,
    /// At the top of the ranking, one for each of [`crate::EvaluateOptions::k_shares`], in their order.
    pub at_k: Vec<AtK>,
    /// Whether events and non-events both number at least [`crate::EvaluateOptions::min_events`].
    pub enough_evidence: bool,
}

/// How good the `k` rows of the highest probability are. Where a tie crosses the cut, it counts as drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtK {
    /// The share of rows that was asked for.
    pub share: f64,
    /// That share in rows, rounded, at least 1; 0 where there is no row.
    pub k: usize,
    /// Share of the `k` rows whose outcome came.
    pub precision: Estimate,
    /// Share of the events that are among the `k`; `None` without events.
    pub recall: Estimate,
    /// Precision over the base rate; `None` without events.
    pub lift: Estimate,
}

/// The rows of one health band.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BandMetrics {
    /// The band.
    pub band: Band,
    /// Its rows.
    pub n: usize,
    /// Of them, rows whose outcome came.
    pub n_events: usize,
    /// Share of its rows whose outcome came. Interval as for [`Metrics::base_rate`].
    pub event_rate: Estimate,
    /// The same as `event_rate`, under the name of requirement V-06: the band, taken as the prediction that the outcome comes.
    pub precision: Estimate,
    /// Share of all events that fell in the band. Interval as for [`Metrics::base_rate`].
    pub recall: Estimate,
    /// `event_rate` over the base rate of all rows.
    pub lift: Estimate,
    /// Share of all rows that are in the band.
    pub share_of_rows: f64,
}

/// Metrics of one cohort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CohortMetrics {
    /// What the rows are divided by.
    pub dimension: String,
    /// Which part this is.
    pub level: String,
    /// Its metrics.
    pub metrics: Metrics,
}

/// Points to draw, at most 200 a curve, from the highest score down.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// False and true positive rate, from (0, 0) to (1, 1); empty for a single class.
    pub roc: Vec<(f64, f64)>,
    /// Recall and precision, real thresholds only; empty without events.
    pub pr: Vec<(f64, f64)>,
    /// Quantile bins, from the lowest probability up; a tie stays in one bin, so there may be fewer than asked for.
    pub calibration: Vec<CalibrationBin>,
    /// Share of rows taken and lift there; empty without events.
    pub lift: Vec<(f64, f64)>,
}

/// Rows of like probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Rows.
    pub n: usize,
    /// Their mean probability.
    pub mean_probability: f64,
    /// Share of them whose outcome came. Interval as for [`Metrics::base_rate`].
    pub event_rate: Estimate,
}

/// All that is said about one set of scored rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// All rows.
    pub overall: Metrics,
    /// Red, yellow, green, each also where it has no row; empty where no bands were given.
    pub by_band: Vec<BandMetrics>,
    /// One for each cohort, in their order.
    pub cohorts: Vec<CohortMetrics>,
    /// Curves of all rows.
    pub curves: Curves,
}

/// How two scores of the same rows differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// First minus second.
    pub difference: Estimate,
    /// Two-sided, of "no difference".
    pub p_value: Option<f64>,
}
