//! Bands against what came: V-01, V-02, V-06, V-07 and V-11. A case is a snapshot, an account on a day.

use bellwether_core::Band;
use serde::{Deserialize, Serialize};

use super::GuideOptions;
use super::finding::{About, Denominator, Finding, Goal, GuideId, Reading};
use crate::accounts::Accounts;
use crate::bands::BANDS;
use crate::input::{EvaluateError, check_confidence, check_lengths};
use crate::linear::Linear;
use crate::results::Estimate;
use crate::scale::Scale;

/// Contradiction 9 of requirements 1.16: each error by what it is to the score and to who predicts churn.
const CHURNED_GREEN: &str = "churned accounts that were green (false positives of the score, missed churns)";
const RED_STAYED: &str = "untreated red accounts that stayed (false alarms of churn)";

/// Snapshots, one value a row in each column.
#[derive(Debug, Clone, Copy)]
pub struct BandedSnapshots<'a> {
    /// The band on the day.
    pub band: &'a [Band],
    /// Whether the account churned within the horizon.
    pub churned: &'a [bool],
    /// Whose it is; rows of one account are taken to depend on each other.
    pub account: &'a [u32],
    /// Whether somebody intervened between the day and the end of the horizon; `None` where that is not known.
    pub treated: Option<&'a [bool]>,
}

/// What snapshots show. `None` where there is no case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SnapshotFindings {
    /// V-01: share of snapshots where red came true or not red came true; goal 70 %. A majority class alone may pass it: read
    /// it beside the next two (contradiction 5).
    pub accuracy: Finding,
    /// The accuracy of saying that nobody churns.
    pub accuracy_of_nobody_churns: f64,
    /// V-01: accuracy minus that of saying that nobody churns; goal above 0.
    pub accuracy_gain: Finding,
    /// V-02: share of untreated red snapshots that churned; goal 70 %, below 50 % the weights are off. Where treatment is not
    /// known, of all red snapshots, and [`SnapshotFindings::treatment_known`] is false.
    pub red_precision: Finding,
    /// Whether `treated` was given.
    pub treatment_known: bool,
    /// V-07: share of all red snapshots, treated ones too, that churned.
    pub red_churned: Finding,
    /// V-07 and V-11: share of snapshots before churn that were green, a churn missed. The guide calls this "false positives
    /// of the score".
    pub churned_green: Finding,
    /// How many those are.
    pub n_churned_green: usize,
    /// V-11: share of untreated red snapshots that did not churn, an alarm for nothing.
    pub red_stayed: Finding,
    /// How many those are.
    pub n_red_stayed: usize,
}

/// One band against one outcome, V-06.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BandOutcome {
    /// The outcome: `churn`, `retention`, `expansion` ...
    pub outcome: String,
    /// The band.
    pub band: Band,
    /// Snapshots in the band.
    pub n: usize,
    /// Of them, those whose outcome came.
    pub n_events: usize,
    /// Share of the band whose outcome came.
    pub precision: Finding,
    /// Share of the outcome that fell in the band.
    pub recall: Finding,
}

/// V-01, V-02, V-07 and V-11.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no row, or `confidence` is not inside `0.0..1.0`.
pub fn snapshot_findings(
    rows: &BandedSnapshots<'_>,
    options: &GuideOptions,
) -> Result<SnapshotFindings, EvaluateError> {
    check_confidence(options.confidence)?;
    let n = rows.band.len();
    let lengths = [("churned", rows.churned.len()), ("account", rows.account.len())];
    check_lengths("band", n, &lengths)?;
    check_lengths("band", n, &rows.treated.map(|treated| ("treated", treated.len())).into_iter().collect::<Vec<_>>())?;

    let accounts = Accounts::new(rows.account);
    let least = options.min_cases;
    let share = |about: About, what: &str, of: &dyn Fn(usize) -> bool, hit: &dyn Fn(usize) -> bool| {
        let (estimate, n_hits, n) = accounts.share(of, hit, options.confidence);
        (about.found(what, estimate, n, least), n_hits)
    };
    let red = |row: usize| rows.band[row] == Band::Red;
    let churned = |row: usize| rows.churned[row];
    let untreated_red = |row: usize| red(row) && rows.treated.is_none_or(|treated| !treated[row]);
    let of_untreated =
        if rows.treated.is_some() { Denominator::UntreatedRedSnapshots } else { Denominator::RedSnapshots };

    let about = About::share(GuideId::V01, Denominator::Snapshots).goal(Goal::AtLeast(0.7));
    let (mut accuracy, _) = share(about, "red churned and the rest stayed", &|_| true, &|row| red(row) == churned(row));
    let accuracy_gain = accuracy_gain(rows, &accounts, options);
    if accuracy_gain.verdict != super::Verdict::Met {
        accuracy.reading = Some(Reading::NoBetterThanNobodyChurns);
    }
    let about = About::share(GuideId::V02, of_untreated).goal(Goal::AtLeast(0.7));
    let (red_precision, _) = share(about, "untreated red accounts that churned", &untreated_red, &churned);
    let about = About::share(GuideId::V07, Denominator::RedSnapshots);
    let (red_churned, _) = share(about, "red accounts that churned", &red, &churned);
    let about = About::share(GuideId::V11, Denominator::OutcomeSnapshots);
    let green = |row: usize| rows.band[row] == Band::Green;
    let (churned_green, n_churned_green) = share(about, CHURNED_GREEN, &churned, &green);
    let about = About::share(GuideId::V11, of_untreated);
    let (red_stayed, n_red_stayed) = share(about, RED_STAYED, &untreated_red, &|row| !churned(row));
    Ok(SnapshotFindings {
        accuracy,
        accuracy_of_nobody_churns: (0..n).filter(|&row| !churned(row)).count() as f64 / n as f64,
        accuracy_gain,
        red_precision: red_precision.read(&[(Goal::Below(0.5), Reading::WeightsOff)], least),
        treatment_known: rows.treated.is_some(),
        red_churned,
        churned_green,
        n_churned_green,
        red_stayed,
        n_red_stayed,
    })
}

/// Calling red gains a snapshot that churns and loses one that stays.
fn accuracy_gain(rows: &BandedSnapshots<'_>, accounts: &Accounts, options: &GuideOptions) -> Finding {
    let gain = |row: usize| match (rows.band[row], rows.churned[row]) {
        (Band::Red, true) => 1.0,
        (Band::Red, false) => -1.0,
        _ => 0.0,
    };
    let linear = Linear::ratio(&accounts.sums(gain), &accounts.sums(|_| 1.0));
    let estimate = linear.map_or_else(Estimate::default, |linear| linear.estimate(Scale::Plain, options.confidence));
    About::share(GuideId::V01, Denominator::Snapshots).unit(super::Unit::ShareDifference).goal(Goal::Above(0.0)).found(
        "accuracy above that of saying that nobody churns",
        estimate,
        rows.band.len(),
        options.min_cases,
    )
}

/// V-06: precision and recall of each band for each outcome, bands red to green within outcomes in their order.
///
/// `outcomes` are names with one value a row. Retention is churn's opposite: give it as an outcome of its own.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no row, or `confidence` is not inside `0.0..1.0`.
pub fn band_outcomes(
    band: &[Band],
    outcomes: &[(&str, &[bool])],
    account: &[u32],
    options: &GuideOptions,
) -> Result<Vec<BandOutcome>, EvaluateError> {
    check_confidence(options.confidence)?;
    check_lengths("band", band.len(), &[("account", account.len())])?;
    for (_, came) in outcomes {
        check_lengths("band", band.len(), &[("outcome", came.len())])?;
    }
    let accounts = Accounts::new(account);
    let one = |&(outcome, came): &(&str, &[bool]), of: Band| {
        let (in_band, came) = (|row: usize| band[row] == of, |row: usize| came[row]);
        let (precision, n_events, n) = accounts.share(&in_band, &came, options.confidence);
        let (recall, _, n_came) = accounts.share(&came, &in_band, options.confidence);
        let found = |denominator, what: String, estimate, n| {
            About::share(GuideId::V06, denominator).found(what, estimate, n, options.min_cases)
        };
        let what = format!("{} accounts with {outcome}", of.name());
        BandOutcome {
            outcome: outcome.to_owned(),
            band: of,
            n,
            n_events,
            precision: found(Denominator::BandSnapshots, what, precision, n),
            recall: found(Denominator::OutcomeSnapshots, format!("{outcome} that was {}", of.name()), recall, n_came),
        }
    };
    Ok(outcomes.iter().flat_map(|outcome| BANDS.map(|band| one(outcome, band))).collect())
}
