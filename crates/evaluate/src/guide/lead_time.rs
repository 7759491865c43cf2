//! How long before churn the score fell: V-03 and V-07. A case is an account, once.

use bellwether_core::{Band, Date, quantile};
use serde::{Deserialize, Serialize};

use super::GuideOptions;
use super::finding::{About, Denominator, Finding, Goal, GuideId, Reading, Unit};
use crate::bands::BANDS;
use crate::input::{EvaluateError, check_confidence};
use crate::order::median;
use crate::proportion::{Part, share};
use crate::results::Estimate;

/// The guides' lead times of V-03, days.
const LEADS: [i32; 2] = [14, 30];
/// V-07's days before churn, and the 48 hours of V-03.
const BEFORE: [i32; 3] = [90, 30, 2];

/// Where the histogram's bins begin, days; an account without warning has a bin of its own, before them.
const BINS: [i32; 8] = [1, 14, 30, 60, 90, 120, 180, 270];

/// The bands of one account over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreHistory {
    /// Days of its scores and their bands, rising; a band stands until the next.
    pub bands: Vec<(Date, Band)>,
    /// The day it churned; `None` where it stayed to the end of what is known.
    pub churned: Option<Date>,
}

/// What counts as the warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The first day that was not green. An account that recovered since counts as warned.
    FirstNotGreen,
    /// The first red day.
    FirstRed,
    /// The day from which it was not green until it churned: the warning that still stood.
    StandingNotGreen,
    /// The day from which it was red until it churned.
    StandingRed,
}

/// Days from a warning to churn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadTime {
    /// The warning.
    pub warning: Warning,
    /// Share of churned accounts that had it.
    pub warned: Finding,
    /// Median days to churn, an account without warning at 0; goal 14 or more. Interval between order statistics, of
    /// Hettmansperger and Sheather; at 95 % from 6 churned accounts on.
    pub median: Finding,
    /// Days at 10, 25, 50, 75 and 90 % of the churned accounts, an account without warning at 0.
    pub quantiles: Vec<(f64, f64)>,
    /// Churned accounts by lead time, bins rising from no warning.
    pub histogram: Vec<LeadTimeBin>,
    /// Share with 14 days or more.
    pub at_least_14: Finding,
    /// Share with 30 days or more.
    pub at_least_30: Finding,
    /// Accounts whose history begins with the warning: their lead time is at least what is counted.
    pub n_censored: usize,
    /// Share of the accounts that stayed and had the warning at some time: what the lead time costs. A standing warning is one
    /// at the end of what is known.
    pub stayed_and_warned: Finding,
}

/// Churned accounts with a lead time from `from` days on to before the next bin's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadTimeBin {
    /// Days; 0 is the bin of accounts without warning.
    pub from: i32,
    /// Accounts.
    pub n: usize,
}

/// Bands that stood some days before churn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BandsBefore {
    /// Days before churn.
    pub days: i32,
    /// Share of churned accounts that were red, yellow and green then, of those with a score.
    pub shares: Vec<Finding>,
    /// Churned accounts without a score then.
    pub n_without_score: usize,
}

/// What histories show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadTimeFindings {
    /// By warning: first not green, first red, standing not green, standing red.
    pub by_warning: Vec<LeadTime>,
    /// V-07 at 90, 30 and 2 days. Green at 2 days: the metrics are too lagging (V-03).
    pub before: Vec<BandsBefore>,
}

/// V-03 and V-07. Scores on the churn day or later are not read; a churned account without an earlier score is left out of the
/// lead times.
///
/// # Errors
/// [`EvaluateError`] if there is no history, the days of one do not rise, or `confidence` is not inside `0.0..1.0`.
pub fn lead_time_findings(
    histories: &[ScoreHistory],
    options: &GuideOptions,
) -> Result<LeadTimeFindings, EvaluateError> {
    check_confidence(options.confidence)?;
    if histories.is_empty() {
        return Err(EvaluateError::Empty);
    }
    for (row, history) in histories.iter().enumerate() {
        if history.bands.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(EvaluateError::Order { row });
        }
    }
    let warnings = [Warning::FirstNotGreen, Warning::FirstRed, Warning::StandingNotGreen, Warning::StandingRed];
    Ok(LeadTimeFindings {
        by_warning: warnings.into_iter().map(|warning| lead_time(histories, warning, options)).collect(),
        before: BEFORE.into_iter().map(|days| bands_before(histories, days, options)).collect(),
    })
}

impl ScoreHistory {
    /// Days before churn; all where it stayed.
    fn known(&self) -> &[(Date, Band)] {
        let end = self.churned.map_or(self.bands.len(), |churned| self.bands.partition_point(|at| at.0 < churned));
        &self.bands[..end]
    }

    /// The place in [`Self::known`] where the warning begins.
    fn warned_at(&self, warning: Warning) -> Option<usize> {
        let known = self.known();
        let holds = |at: &(Date, Band)| match warning {
            Warning::FirstNotGreen | Warning::StandingNotGreen => at.1 != Band::Green,
            Warning::FirstRed | Warning::StandingRed => at.1 == Band::Red,
        };
        match warning {
            Warning::FirstNotGreen | Warning::FirstRed => known.iter().position(holds),
            Warning::StandingNotGreen | Warning::StandingRed => {
                let begin = known.iter().rposition(|at| !holds(at)).map_or(0, |at| at + 1);
                (begin < known.len()).then_some(begin)
            }
        }
    }

    /// The band that stood on `day`.
    fn band_on(&self, day: Date) -> Option<Band> {
        let after = self.bands.partition_point(|at| at.0 <= day);
        after.checked_sub(1).map(|at| self.bands[at].1)
    }
}

fn lead_time(histories: &[ScoreHistory], warning: Warning, options: &GuideOptions) -> LeadTime {
    let scored = || histories.iter().filter(|history| !history.known().is_empty());
    let (mut days, mut n_warned, mut n_censored) = (Vec::new(), 0, 0);
    for (history, churned) in scored().filter_map(|history| history.churned.map(|churned| (history, churned))) {
        let at = history.warned_at(warning);
        n_warned += usize::from(at.is_some());
        n_censored += usize::from(at == Some(0));
        days.push(at.map_or(0.0, |at| f64::from(churned.days() - history.known()[at].0.days())));
    }
    days.sort_unstable_by(f64::total_cmp);
    let (least, n) = (options.min_cases, days.len());
    let about = About::share(GuideId::V03, Denominator::ChurnedAccounts);
    let found = |what: &str, hits: usize| about.found(what, rate(hits, n, options.confidence), n, least);
    let having = |lead: i32| days.iter().filter(|&&days| days >= f64::from(lead)).count();
    let staying: Vec<bool> = scored()
        .filter(|history| history.churned.is_none())
        .map(|history| history.warned_at(warning).is_some())
        .collect();
    let n_false = staying.iter().filter(|&&warned| warned).count();
    LeadTime {
        warning,
        warned: found("churned accounts with the warning", n_warned),
        median: about.unit(Unit::Days).goal(Goal::AtLeast(f64::from(LEADS[0]))).found(
            "median days from warning to churn",
            median(&days, options.confidence),
            n,
            least,
        ),
        quantiles: [0.1, 0.25, 0.5, 0.75, 0.9].iter().filter_map(|&at| Some((at, quantile(&days, at)?))).collect(),
        histogram: histogram(&days),
        at_least_14: found("churned accounts warned 14 days before or earlier", having(LEADS[0])),
        at_least_30: found("churned accounts warned 30 days before or earlier", having(LEADS[1])),
        n_censored,
        stayed_and_warned: About::share(GuideId::V03, Denominator::StayingAccounts).found(
            "staying accounts with the warning",
            rate(n_false, staying.len(), options.confidence),
            staying.len(),
            least,
        ),
    }
}

/// `days` are sorted.
fn histogram(days: &[f64]) -> Vec<LeadTimeBin> {
    let before = |day: i32| days.partition_point(|&days| days < f64::from(day));
    let begins = [0].into_iter().chain(BINS);
    let ends = BINS.into_iter().map(before).chain([days.len()]);
    begins.zip(ends).map(|(from, end)| LeadTimeBin { from, n: end - before(from) }).collect()
}

fn bands_before(histories: &[ScoreHistory], days: i32, options: &GuideOptions) -> BandsBefore {
    let churned = || histories.iter().filter_map(|history| Some((history, history.churned?)));
    let bands: Vec<Band> =
        churned().filter_map(|(history, churned)| history.band_on(Date::from_days(churned.days() - days))).collect();
    let one = |band: Band| {
        let hits = bands.iter().filter(|&&of| of == band).count();
        let (what, id) = (format!("churned accounts {} {days} days before", band.name()), GuideId::V07);
        let finding = About::share(id, Denominator::ChurnedAccounts).found(
            what,
            rate(hits, bands.len(), options.confidence),
            bands.len(),
            options.min_cases,
        );
        // Most churned accounts still green when it is too late.
        let lagging = [(Goal::Above(0.5), Reading::MetricsTooLagging)];
        if band == Band::Green && days == BEFORE[2] { finding.read(&lagging, options.min_cases) } else { finding }
    };
    BandsBefore { days, shares: BANDS.into_iter().map(one).collect(), n_without_score: churned().count() - bands.len() }
}

fn rate(hits: usize, n: usize, confidence: f64) -> Estimate {
    let accounts: Vec<Part> = (0..n).map(|at| Part { hits: u32::from(at < hits), size: 1 }).collect();
    share(&accounts, confidence)
}
