//! Renewals against the score that stood before them: V-05 and V-08. A case is a renewal event, not a snapshot.

use bellwether_core::Band;
use serde::{Deserialize, Serialize};

use super::GuideOptions;
use super::finding::{About, Denominator, Finding, Goal, GuideId, Reading, Unit};
use crate::accounts::Accounts;
use crate::bands::BANDS;
use crate::correlation::{point_biserial, spearman};
use crate::input::{EvaluateError, check_confidence, check_lengths, check_numbers};
use crate::results::Estimate;

/// Renewal events, one value an event in each column.
#[derive(Debug, Clone, Copy)]
pub struct Renewals<'a> {
    /// The health score that stood at a fixed lead before the event, 0 to 100.
    pub score: &'a [f64],
    /// Its band.
    pub band: &'a [Band],
    /// Whether the account renewed.
    pub renewed: &'a [bool],
    /// Whose it is; an account may renew several times.
    pub account: &'a [u32],
}

/// What renewals show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenewalFindings {
    /// V-05: renewal rate of red, yellow and green; goals below 30 %, 50 to 70 %, 85 % or more. Nothing is expected of 30 to
    /// 50 % and 70 to 85 %, where the guide's bands leave gaps.
    pub by_band: Vec<Finding>,
    /// V-08: Spearman's correlation of score and renewal; goal above 0.
    pub spearman: Finding,
    /// V-08: point-biserial correlation of score and renewal; goal above 0.
    pub point_biserial: Finding,
}

/// V-05 and V-08. For the guide's monthly matrix, call it with the events of each month.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no event, a score is NaN, or `confidence` is not inside `0.0..1.0`.
pub fn renewal_findings(renewals: &Renewals<'_>, options: &GuideOptions) -> Result<RenewalFindings, EvaluateError> {
    let Renewals { score, band, renewed, account } = *renewals;
    check_confidence(options.confidence)?;
    check_lengths(
        "score",
        score.len(),
        &[("band", band.len()), ("renewed", renewed.len()), ("account", account.len())],
    )?;
    check_numbers("score", score)?;

    let accounts = Accounts::new(account);
    let of_band = |of: Band| {
        let (rate, _, n) = accounts.share(&|row| band[row] == of, &|row| renewed[row], options.confidence);
        About::share(GuideId::V05, Denominator::BandRenewals).goal(expected_renewal(of)).found(
            format!("{} accounts that renewed", of.name()),
            rate,
            n,
            options.min_cases,
        )
    };
    let correlation = |what: &str, estimate: Estimate| {
        let about = About::share(GuideId::V08, Denominator::Renewals).unit(Unit::Correlation).goal(Goal::Above(0.0));
        let finding = about.found(what, estimate, score.len(), options.min_cases);
        finding.read(&[(Goal::AtMost(0.0), Reading::WeightsOff)], options.min_cases)
    };
    Ok(RenewalFindings {
        by_band: BANDS.into_iter().map(of_band).collect(),
        spearman: correlation(
            "rank correlation of score and renewal",
            spearman(score, renewed, account, options.confidence)?,
        ),
        point_biserial: correlation(
            "correlation of score and renewal",
            point_biserial(score, renewed, account, options.confidence)?,
        ),
    })
}

/// Requirement T-F.
const fn expected_renewal(band: Band) -> Goal {
    match band {
        Band::Red => Goal::Below(0.3),
        Band::Yellow => Goal::Within(0.5, 0.7),
        Band::Green => Goal::AtLeast(0.85),
    }
}
