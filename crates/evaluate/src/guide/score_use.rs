//! Whether the team uses the score: V-10, from a log of interactions with customers.

use super::GuideOptions;
use super::finding::{About, Denominator, Finding, GuideId, Unit};
use crate::accounts::Accounts;
use crate::input::{EvaluateError, check_confidence, check_lengths, check_numbers};
use crate::linear::Linear;
use crate::results::Estimate;
use crate::scale::Scale;

/// Interactions, one value each in each column.
#[derive(Debug, Clone, Copy)]
pub struct ScoreUse<'a> {
    /// Whether the score was looked at.
    pub referenced: &'a [bool],
    /// Whether an alert or the worklist led to it.
    pub score_driven: &'a [bool],
    /// Days from the account's turning red to the interaction; NaN where it was not red.
    pub response_days: &'a [f64],
    /// The customer's account.
    pub account: &'a [u32],
}

/// V-10: share of interactions that looked at the score, share that it led to, mean days of response to red. The guides set
/// no goal.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no interaction, or `confidence` is not inside `0.0..1.0`.
pub fn score_use_findings(log: &ScoreUse<'_>, options: &GuideOptions) -> Result<[Finding; 3], EvaluateError> {
    check_confidence(options.confidence)?;
    let n = log.referenced.len();
    let lengths = [
        ("score_driven", log.score_driven.len()),
        ("response_days", log.response_days.len()),
        ("account", log.account.len()),
    ];
    check_lengths("referenced", n, &lengths)?;
    let accounts = Accounts::new(log.account);
    let about = About::share(GuideId::V10, Denominator::Interactions);
    let share = |what: &str, hit: &dyn Fn(usize) -> bool| {
        about.found(what, accounts.share(&|_| true, hit, options.confidence).0, n, options.min_cases)
    };
    let answered = |row: usize| !log.response_days[row].is_nan();
    let answers: Vec<f64> = log.response_days.iter().copied().filter(|days| !days.is_nan()).collect();
    check_numbers("response_days", &answers)?;
    let days = accounts.sums(|row| if answered(row) { log.response_days[row] } else { 0.0 });
    let mean = Linear::ratio(&days, &accounts.sums(|row| f64::from(u8::from(answered(row)))));
    let mean = mean.map_or_else(Estimate::default, |mean| mean.estimate(Scale::Plain, options.confidence));
    Ok([
        share("interactions that looked at the score", &|row| log.referenced[row]),
        share("interactions that the score led to", &|row| log.score_driven[row]),
        about.unit(Unit::Days).found("days of response to a red account", mean, answers.len(), options.min_cases),
    ])
}
