//! Value at a capacity of so many accounts.

use serde::{Deserialize, Serialize};

use super::ranked::Ranked;
use super::{ValueOptions, Valued};
use crate::bootstrap::{Taking, student_interval};
use crate::input::EvaluateError;
use crate::results::Estimate;
use crate::scale::Scale;

const MOST_POINTS: usize = 200;

/// What contacting the first `capacity` accounts of the ranking is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CapacityValue {
    /// Accounts that can be contacted.
    pub capacity: usize,
    /// Accounts that are: no more than there are.
    pub n_contacted: usize,
    /// Of them, accounts that churned.
    pub n_churned: usize,
    /// Share of them that churned.
    pub precision: Estimate,
    /// Share of all churned revenue that they hold.
    pub arr_recall: Estimate,
    /// Saved revenue by what the probabilities say: `success_rate * years_lost * sum p * arr`.
    pub predicted_saved: f64,
    /// Saved revenue by what came: `success_rate * years_lost * sum of the churned revenue contacted`.
    pub saved: Estimate,
    /// Saved revenue less the contacts' cost.
    pub net: Estimate,
    /// The same of as many accounts taken at random.
    pub net_at_random: f64,
    /// Saved revenue over that of as many accounts taken at random.
    pub lift: Estimate,
}

/// Share of accounts contacted, and what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GainPoint {
    /// Share of accounts contacted.
    pub accounts: f64,
    /// Share of churned accounts among them.
    pub churned: f64,
    /// Share of churned revenue that they hold.
    pub arr: f64,
}

/// Value at each capacity, and the gain curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueReport {
    /// Accounts.
    pub n: usize,
    /// Of them, churned.
    pub n_churned: usize,
    /// Revenue of the churned accounts.
    pub churned_arr: f64,
    /// One for each capacity, in their order.
    pub at_capacity: Vec<CapacityValue>,
    /// From no account to all, at most 201 points; empty where no revenue churned.
    pub gain: Vec<GainPoint>,
    /// Whether enough accounts churned for intervals.
    pub enough_evidence: bool,
}

/// What came of the first accounts of a ranking.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    contacted: f64,
    churned: f64,
    churned_arr: f64,
}

/// Value at each of `capacities`. Intervals: bootstrap of accounts, the capacity keeping its share of the book; none where fewer
/// than [`ValueOptions::min_events`] of the contacted churned.
///
/// # Errors
/// [`EvaluateError`] if lengths differ, there is no account, a value is out of its range, or a setting is.
pub fn value_at_capacity(
    accounts: &Valued<'_>,
    capacities: &[usize],
    options: &ValueOptions,
) -> Result<ValueReport, EvaluateError> {
    accounts.check(options)?;
    let ranked = Ranked::new(accounts, options.ranking);
    let (once, n) = (vec![1; ranked.len()], ranked.len());
    let shares: Vec<f64> = capacities.iter().map(|&capacity| capacity.min(n) as f64).collect();
    let measure = |times: &[u32]| (reached(&ranked, times, &shares), reached(&ranked, times, &[n as f64])[0]);
    let (of_each, all) = measure(&once);
    let replicates = ranked.replicates(options, measure);
    let at = |(place, &capacity): (usize, &usize)| {
        let estimate = |scale: Scale, value: &dyn Fn(Reached, Reached) -> Option<f64>| {
            let (n_effective, n_accounts, confidence) = (all.churned, n, options.confidence);
            let found = value(of_each[place], all);
            let replicates = replicates.iter().map(|(each, all)| value(each[place], *all));
            let taking = Taking { scale, n_effective, n_accounts, confidence };
            // Of a few churned accounts the logarithm's interval has no end.
            let is_enough = of_each[place].churned >= options.min_events as f64;
            let interval = || student_interval(found.filter(|_| is_enough)?, replicates, &taking);
            Estimate::new(found, interval())
        };
        let per_arr = options.success_rate * options.years_lost;
        let (here, cost) = (of_each[place], options.contact_cost * shares[place]);
        let saved = estimate(Scale::Log, &|of, _| Some(per_arr * of.churned_arr));
        let less_cost = |end: Option<f64>| end.map(|end| end - cost);
        let share = here.contacted / n as f64;
        CapacityValue {
            capacity,
            n_contacted: capacity.min(n),
            n_churned: here.churned as usize,
            precision: estimate(Scale::Logit, &|of, _| over(of.churned, of.contacted)),
            arr_recall: estimate(Scale::Logit, &|of, all| over(of.churned_arr, all.churned_arr)),
            predicted_saved: per_arr
                * ranked.probability.iter().zip(&ranked.arr).take(capacity).map(|(p, arr)| p * arr).sum::<f64>(),
            saved,
            net: Estimate { value: less_cost(saved.value), low: less_cost(saved.low), high: less_cost(saved.high) },
            net_at_random: share * per_arr * all.churned_arr - cost,
            lift: estimate(Scale::Log, &|of, all| over(of.churned_arr, all.churned_arr * share)),
        }
    };
    Ok(ValueReport {
        n,
        n_churned: ranked.n_churned(),
        churned_arr: all.churned_arr,
        at_capacity: capacities.iter().enumerate().map(at).collect(),
        gain: gain(&ranked, all),
        enough_evidence: !replicates.is_empty(),
    })
}

fn over(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// What the first accounts hold, for each number of them; the last drawn account counts in part.
fn reached(ranked: &Ranked, times: &[u32], numbers: &[f64]) -> Vec<Reached> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let (mut sums, mut at) = (Reached::default(), 0);
    let mut reached = vec![Reached::default(); numbers.len()];
    for place in order {
        while at < times.len() && sums.contacted + f64::from(times[at]) <= numbers[place] {
            sums = sums.with(ranked, at, f64::from(times[at]));
            at += 1;
        }
        let rest = numbers[place] - sums.contacted;
        reached[place] = if at < times.len() && rest > 0.0 { sums.with(ranked, at, rest) } else { sums };
    }
    reached
}

impl Reached {
    fn with(mut self, ranked: &Ranked, at: usize, times: f64) -> Self {
        self.contacted += times;
        if ranked.churned[at] {
            self.churned += times;
            self.churned_arr += times * ranked.arr[at];
        }
        self
    }
}

fn gain(ranked: &Ranked, all: Reached) -> Vec<GainPoint> {
    if all.churned_arr <= 0.0 {
        return Vec::new();
    }
    let (n, n_points) = (ranked.len(), ranked.len().min(MOST_POINTS));
    let numbers: Vec<f64> = (0..=n_points).map(|point| (point * n / n_points) as f64).collect();
    let point = |of: Reached| GainPoint {
        accounts: of.contacted / n as f64,
        churned: of.churned / all.churned,
        arr: of.churned_arr / all.churned_arr,
    };
    reached(ranked, &vec![1; n], &numbers).into_iter().map(point).collect()
}
