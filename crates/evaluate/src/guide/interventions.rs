//! What interventions did: V-04 and V-09. A case is an intervention.

use bellwether_core::Band;
use serde::{Deserialize, Serialize};

use super::GuideOptions;
use super::finding::{About, Denominator, Finding, Goal, GuideId, Reading, Unit};
use crate::accounts::Accounts;
use crate::input::{EvaluateError, check_confidence, check_lengths, check_numbers};
use crate::linear::Linear;
use crate::proportion::share_difference;
use crate::results::Estimate;
use crate::scale::Scale;
use crate::value::ValueOptions;

/// Accounts, one value a case in each column: those with an intervention, and those without to compare with.
#[derive(Debug, Clone, Copy)]
pub struct Interventions<'a> {
    /// The band before.
    pub band_before: &'a [Band],
    /// The band after a fixed time; of an account that churned, its last.
    pub band_after: &'a [Band],
    /// The health score before, 0 to 100.
    pub score_before: &'a [f64],
    /// The health score after the same time.
    pub score_after: &'a [f64],
    /// Whether the account stayed.
    pub stayed: &'a [bool],
    /// Whether somebody intervened.
    pub treated: &'a [bool],
    /// Whose it is.
    pub account: &'a [u32],
}

/// What interventions did. None of it is causal: who is treated is chosen, and a low score rises by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterventionFindings {
    /// V-04: share of treated red accounts that stayed; goal 40 to 50 %. Below 20 % the playbook needs work, above 60 % the red
    /// threshold is too aggressive.
    pub success: Finding,
    /// V-09: share of treated red accounts that were green after.
    pub red_to_green: Finding,
    /// V-09: mean change of the health score of treated red accounts.
    pub score_change: Finding,
    /// V-09: that change less the change of untreated red accounts, which rise by themselves; goal above 0.
    pub score_change_over_untreated: Finding,
    /// Share of treated red accounts that stayed, less that of the untreated; goal above 0.
    pub stayed_over_untreated: Finding,
}

/// V-04 and V-09. For "which interventions", call it with the cases of each kind and all untreated.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no case, a score is NaN, or `confidence` is not inside `0.0..1.0`.
pub fn intervention_findings(
    cases: &Interventions<'_>,
    options: &GuideOptions,
) -> Result<InterventionFindings, EvaluateError> {
    check(cases, options)?;
    let accounts = Accounts::new(cases.account);
    let red = |row: usize| cases.band_before[row] == Band::Red;
    let treated = |row: usize| red(row) && cases.treated[row];
    let untreated = |row: usize| red(row) && !cases.treated[row];
    let (n, least) = (count(cases, &treated), options.min_cases);
    let n_least = n.min(count(cases, &untreated));
    let about = About::share(GuideId::V04, Denominator::Interventions);
    let share = |hit: &dyn Fn(usize) -> bool| accounts.share(&treated, hit, options.confidence).0;
    let mean = |of: &dyn Fn(usize) -> bool, value: &dyn Fn(usize) -> f64| {
        let sums = accounts.sums(|row| if of(row) { value(row) } else { 0.0 });
        Linear::ratio(&sums, &accounts.sums(|row| f64::from(u8::from(of(row)))))
    };
    let plain = |linear: Option<Linear>| {
        linear.map_or_else(Estimate::default, |linear| linear.estimate(Scale::Plain, options.confidence))
    };
    let over = |value: &dyn Fn(usize) -> f64| {
        plain(mean(&treated, value).zip(mean(&untreated, value)).map(|(treated, other)| treated.minus(&other)))
    };
    let change = |row: usize| cases.score_after[row] - cases.score_before[row];
    let stayed = |of: &dyn Fn(usize) -> bool| accounts.parts(of, &|row| cases.stayed[row]);
    let of_change = About { id: GuideId::V09, unit: Unit::Points, ..about };
    let success = about.goal(Goal::Within(0.4, 0.5)).found(
        "treated red accounts that stayed",
        share(&|row| cases.stayed[row]),
        n,
        least,
    );
    let readings = [
        (Goal::Below(0.2), Reading::PlaybookNeedsWork),
        (Goal::Above(0.6), Reading::RedTooAggressive),
        (Goal::Within(0.4, 0.5), Reading::Good),
    ];
    let green = |row: usize| cases.band_after[row] == Band::Green;
    Ok(InterventionFindings {
        success: success.read(&readings, least),
        red_to_green: About { id: GuideId::V09, ..about }.found(
            "treated red accounts that turned green",
            share(&green),
            n,
            least,
        ),
        score_change: of_change.found("score change of treated red accounts", plain(mean(&treated, &change)), n, least),
        score_change_over_untreated: of_change.goal(Goal::Above(0.0)).found(
            "score change of treated over untreated red accounts",
            over(&change),
            n_least,
            least,
        ),
        stayed_over_untreated: About { id: GuideId::V09, unit: Unit::ShareDifference, ..about }
            .goal(Goal::Above(0.0))
            .found(
                "staying of treated over untreated red accounts",
                share_difference(&stayed(&treated), &stayed(&untreated), options.confidence),
                n_least,
                least,
            ),
    })
}

/// V-09: revenue kept for each unit of money spent on interventions, goal above 1: the share of treated red accounts that
/// stayed over that of the untreated, times the `mean_arr` of treated red accounts and the years of it that are lost with an
/// account, over the cost of contacting one. What an account pays and whether it stays are taken as independent.
///
/// # Errors
/// [`EvaluateError::Setting`] unless the contact costs something.
pub fn intervention_return(
    found: &InterventionFindings,
    mean_arr: f64,
    costs: &ValueOptions,
    options: &GuideOptions,
) -> Result<Finding, EvaluateError> {
    let (name, value) = ("contact_cost", costs.contact_cost);
    if !(value > 0.0 && value.is_finite()) {
        return Err(EvaluateError::Setting { name, value, rule: "above 0" });
    }
    let Finding { estimate, n, .. } = &found.stayed_over_untreated;
    let times = |end: Option<f64>| end.map(|end| end * mean_arr * costs.years_lost / value);
    let estimate = Estimate { value: times(estimate.value), low: times(estimate.low), high: times(estimate.high) };
    let about = About::share(GuideId::V09, Denominator::Interventions).unit(Unit::Times).goal(Goal::Above(1.0));
    Ok(about.found("revenue kept for each unit spent on treated red accounts", estimate, *n, options.min_cases))
}

fn check(cases: &Interventions<'_>, options: &GuideOptions) -> Result<(), EvaluateError> {
    check_confidence(options.confidence)?;
    let lengths = [
        ("band_after", cases.band_after.len()),
        ("score_before", cases.score_before.len()),
        ("score_after", cases.score_after.len()),
        ("stayed", cases.stayed.len()),
        ("treated", cases.treated.len()),
        ("account", cases.account.len()),
    ];
    check_lengths("band_before", cases.band_before.len(), &lengths)?;
    check_numbers("score_before", cases.score_before)?;
    check_numbers("score_after", cases.score_after)
}

fn count(cases: &Interventions<'_>, of: &dyn Fn(usize) -> bool) -> usize {
    (0..cases.band_before.len()).filter(|&row| of(row)).count()
}
