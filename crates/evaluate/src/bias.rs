//! Whether a score treats parts of the book unlike the rest: a gap is an alarm only after correction for all that was tested.

use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;
use crate::delong::auc_linear;
use crate::gap::{Difference, Side, difference};
use crate::input::{Cohort, EvaluateError, Scored, check_confidence, check_lengths};
use crate::linear::Linear;
use crate::multiple::{benjamini_hochberg, holm};
use crate::proportion::Part;
use crate::results::Estimate;
use crate::sample::Sample;
use crate::scale::Scale;

/// What is compared between a level and the rest of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BiasMeasure {
    /// ROC AUC: below the rest, the score ranks these accounts less well.
    RocAuc,
    /// Observed rate less mean probability: below the rest, these accounts are made out too risky.
    Calibration,
    /// Share of non-events that were flagged.
    FalsePositiveRate,
    /// Share of events that were not flagged.
    FalseNegativeRate,
}

/// What a gap shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BiasVerdict {
    /// A gap, after Holm's correction.
    Alarm,
    /// No gap shown. How large one may be, the interval says.
    NoAlarm,
    /// Too few cases on one side, or no interval. The gap was not tested and is not among the comparisons corrected for.
    NotEnoughEvidence,
}

/// How to test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BiasOptions {
    /// Confidence of every interval, each for itself, inside `0.0..1.0`.
    pub confidence: f64,
    /// Chance of any false alarm, inside `0.0..1.0`.
    pub level: f64,
    /// The fewest accounts with events, and with non-events, on each side.
    pub min_accounts: usize,
}

impl Default for BiasOptions {
    fn default() -> Self {
        Self { confidence: 0.95, level: 0.05, min_accounts: 20 }
    }
}

/// One measure of one level against the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BiasGap {
    /// What the rows are divided by.
    pub dimension: String,
    /// Which part this is.
    pub level: String,
    /// What is compared.
    pub measure: BiasMeasure,
    /// Rows of the level.
    pub n: usize,
    /// Of them, events.
    pub n_events: usize,
    /// Accounts with events, or non-events, of the level or the rest, whichever are fewest.
    pub n_fewest: usize,
    /// The level's value.
    pub of_level: Option<f64>,
    /// The value of all other rows.
    pub of_rest: Option<f64>,
    /// The level's less the rest's.
    pub difference: Estimate,
    /// Two-sided, of "no gap".
    pub p_value: Option<f64>,
    /// The same after Holm's correction over all gaps tested; decides the verdict.
    pub p_holm: Option<f64>,
    /// The same after Benjamini and Hochberg's correction.
    pub p_benjamini_hochberg: Option<f64>,
    /// What it shows.
    pub verdict: BiasVerdict,
}

/// Each measure of each level against the rest of the rows, cohorts in their order. `flagged` is the decision, one a row: red, or
/// a probability at or above a threshold.
///
/// Rates: Newcombe's interval of two Wilson intervals by account (Newcombe 1998, method 10); AUC: the same of two `DeLong`
/// intervals (Zou and Donner 2008); calibration: Student's, linearised by account. p-values belong to the intervals.
///
/// # Errors
/// [`EvaluateError`] as for [`crate::evaluate`].
pub fn bias_gaps(
    scored: &Scored<'_>,
    flagged: &[bool],
    cohorts: &[Cohort],
    options: &BiasOptions,
) -> Result<Vec<BiasGap>, EvaluateError> {
    scored.check()?;
    check_confidence(options.confidence)?;
    check_confidence(options.level)?;
    check_lengths("probability", scored.probability.len(), &[("flagged", flagged.len())])?;
    cohorts.iter().try_for_each(|cohort| scored.check_cohort(cohort))?;

    let accounts = Accounts::new(scored.account);
    let mut gaps = Vec::new();
    for cohort in cohorts {
        let mut inside = vec![false; flagged.len()];
        cohort.rows.iter().for_each(|&row| inside[row] = true);
        let division = Division { scored, flagged, accounts: &accounts, inside: &inside };
        gaps.extend(MEASURES.map(|measure| division.gap(measure, cohort, options)));
    }
    correct(&mut gaps, options.level);
    Ok(gaps)
}

const MEASURES: [BiasMeasure; 4] =
    [BiasMeasure::RocAuc, BiasMeasure::Calibration, BiasMeasure::FalsePositiveRate, BiasMeasure::FalseNegativeRate];

/// The rows in two: a level and the rest.
struct Division<'a> {
    scored: &'a Scored<'a>,
    flagged: &'a [bool],
    accounts: &'a Accounts,
    inside: &'a [bool],
}

impl Division<'_> {
    fn gap(&self, measure: BiasMeasure, cohort: &Cohort, options: &BiasOptions) -> BiasGap {
        let n_fewest = self.n_fewest(measure);
        let (of_level, of_rest, tested) = if measure == BiasMeasure::Calibration {
            self.calibration(n_fewest, options.confidence)
        } else {
            let (level, rest) = (self.side(measure, true), self.side(measure, false));
            let values = (level.as_ref().map(Side::value), rest.as_ref().map(Side::value));
            let tested = level.zip(rest).map(|(level, rest)| difference(&level, &rest, options.confidence));
            (values.0, values.1, tested)
        };
        let p_value = tested.and_then(|tested| tested.p_value).filter(|_| n_fewest >= options.min_accounts);
        BiasGap {
            dimension: cohort.dimension.clone(),
            level: cohort.level.clone(),
            measure,
            n: cohort.rows.len(),
            n_events: cohort.rows.iter().filter(|&&row| self.scored.outcome[row]).count(),
            n_fewest,
            of_level,
            of_rest,
            difference: tested.map_or_else(Estimate::default, |tested| tested.estimate),
            p_value,
            p_holm: None,
            p_benjamini_hochberg: None,
            verdict: BiasVerdict::NotEnoughEvidence,
        }
    }

    /// Rows of one side with events, or without, by account; the flagged among them are the hits.
    fn parts(&self, side: bool, came: bool) -> Vec<Part> {
        let of = |row: usize| self.inside[row] == side && self.scored.outcome[row] == came;
        self.accounts.parts(&of, &|row| self.flagged[row])
    }

    /// Accounts that the measure rests on: those with non-events or those with events, or both.
    fn n_fewest(&self, measure: BiasMeasure) -> usize {
        let outcomes = match measure {
            BiasMeasure::FalsePositiveRate => [false, false],
            BiasMeasure::FalseNegativeRate => [true, true],
            BiasMeasure::RocAuc | BiasMeasure::Calibration => [false, true],
        };
        let count = |side: bool, came: bool| self.parts(side, came).iter().filter(|part| part.size > 0).count();
        outcomes.into_iter().flat_map(|came| [count(true, came), count(false, came)]).min().unwrap_or(0)
    }

    fn side(&self, measure: BiasMeasure, side: bool) -> Option<Side> {
        match measure {
            BiasMeasure::RocAuc => {
                let rows = (0..self.inside.len()).filter(|&row| self.inside[row] == side);
                auc_linear(&Sample::new(rows.map(|row| self.scored.row(row)))).map(Side::Auc)
            }
            BiasMeasure::FalsePositiveRate => Side::share(&self.parts(side, false)),
            _ => {
                let missed = |part: Part| Part { hits: part.size - part.hits, ..part };
                Side::share(&self.parts(side, true).into_iter().map(missed).collect::<Vec<_>>())
            }
        }
    }

    /// An account on both sides counts on both, so the sides may depend on each other.
    fn calibration(&self, n_fewest: usize, confidence: f64) -> (Option<f64>, Option<f64>, Option<Difference>) {
        let mean = |side: bool| {
            let only = |of: &dyn Fn(usize) -> f64| {
                self.accounts.sums(|row| if self.inside[row] == side { of(row) } else { 0.0 })
            };
            let gap = |row: usize| f64::from(u8::from(self.scored.outcome[row])) - self.scored.probability[row];
            Linear::ratio(&only(&gap), &only(&|_| 1.0))
        };
        let (level, rest) = (mean(true), mean(false));
        let tested = level.as_ref().zip(rest.as_ref()).map(|(level, rest)| {
            let gap = Linear { n_accounts: n_fewest, ..level.minus(rest) };
            Difference { estimate: gap.estimate(Scale::Plain, confidence), p_value: gap.p_value() }
        });
        (level.map(|level| level.value), rest.map(|rest| rest.value), tested)
    }
}

/// Corrects over all gaps that have a p-value, and gives the verdicts.
fn correct(gaps: &mut [BiasGap], level: f64) {
    let p_values: Vec<f64> = gaps.iter().filter_map(|gap| gap.p_value).collect();
    let adjusted = holm(&p_values).into_iter().zip(benjamini_hochberg(&p_values));
    for (gap, (of_any, of_share)) in gaps.iter_mut().filter(|gap| gap.p_value.is_some()).zip(adjusted) {
        gap.p_holm = Some(of_any);
        gap.p_benjamini_hochberg = Some(of_share);
        gap.verdict = if of_any <= level { BiasVerdict::Alarm } else { BiasVerdict::NoAlarm };
    }
}
