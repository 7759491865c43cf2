//! The cost of contacting every account at or above a probability.

use serde::{Deserialize, Serialize};

use super::ranked::Ranked;
use super::{Ranking, ValueOptions, Valued};
use crate::bootstrap::{Taking, percentiles, student_interval};
use crate::input::EvaluateError;
use crate::results::Estimate;
use crate::scale::Scale;

const MOST_POINTS: usize = 200;

/// The cost at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CostPoint {
    /// Accounts at or above it are contacted.
    pub threshold: f64,
    /// How many those are.
    pub n_contacted: usize,
    /// Mean cost an account: contacts, and the revenue lost with churners that were not contacted or stayed churners.
    pub cost: f64,
}

/// Cost along thresholds, and the best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostCurve {
    /// From the highest threshold down, at most 200.
    pub points: Vec<CostPoint>,
    /// Mean cost an account where none is contacted.
    pub cost_of_none: f64,
    /// Mean cost an account where all are.
    pub cost_of_all: f64,
    /// The threshold of the lowest cost, above 1 where none is to be contacted. It was chosen on these rows: choose it on others than
    /// those that it is judged on. Interval: bootstrap percentiles.
    pub best_threshold: Estimate,
    /// Mean cost an account there; too low by what choosing gains. Interval: at that threshold.
    pub best_cost: Estimate,
    /// Saving an account over contacting none, at that threshold.
    pub saving: Estimate,
    /// The threshold that is best where probabilities are true and revenue is alike: `contact_cost` over what a contacted churner
    /// saves at the mean revenue. `None` where nothing is saved.
    pub break_even_probability: Option<f64>,
}

/// Costs by threshold on the probability, whatever `options.ranking` says.
///
/// # Errors
/// As [`super::value_at_capacity`].
pub fn cost_curve(accounts: &Valued<'_>, options: &ValueOptions) -> Result<CostCurve, EvaluateError> {
    accounts.check(options)?;
    let ranked = Ranked::new(accounts, Ranking::Probability);
    let n = ranked.len();
    let ends = ends(&ranked);
    let costs = |times: &[u32]| costs(&ranked, &ends, times, options);
    let found = costs(&vec![1; n]);
    let best = lowest(&found);
    let replicates = ranked.replicates(options, |times| {
        let costs = costs(times);
        (threshold(&ranked, &ends, lowest(&costs)), costs[0], costs[best])
    });
    let taking = Taking {
        scale: Scale::Plain,
        n_effective: ranked.n_churned() as f64,
        n_accounts: n,
        confidence: options.confidence,
    };
    let estimate = |value: f64, of: &dyn Fn(&(f64, f64, f64)) -> f64| {
        let replicates = replicates.iter().map(|replicate| Some(of(replicate)));
        Estimate::new(Some(value), student_interval(value, replicates, &taking))
    };
    let thresholds = percentiles(replicates.iter().map(|replicate| Some(replicate.0)), options.confidence);
    let saved = options.success_rate * options.years_lost * ranked.arr.iter().sum::<f64>() / n as f64;
    let step = ends.len().div_ceil(MOST_POINTS);
    let point = |place: usize| CostPoint {
        threshold: threshold(&ranked, &ends, place),
        n_contacted: ends[place - 1],
        cost: found[place],
    };
    Ok(CostCurve {
        points: (1..=ends.len()).filter(|place| place % step == 0 || *place == ends.len()).map(point).collect(),
        cost_of_none: found[0],
        cost_of_all: found[ends.len()],
        best_threshold: Estimate::new(Some(threshold(&ranked, &ends, best)), thresholds),
        best_cost: estimate(found[best], &|replicate| replicate.2),
        saving: estimate(found[0] - found[best], &|replicate| replicate.1 - replicate.2),
        break_even_probability: (saved > 0.0).then(|| options.contact_cost / saved),
    })
}

/// One past each run of equal probabilities.
fn ends(ranked: &Ranked) -> Vec<usize> {
    let p = &ranked.probability;
    (1..=p.len()).filter(|&at| at == p.len() || p[at] != p[at - 1]).collect()
}

/// The probability at or above which the first `place` runs lie; for none, more than 1.
fn threshold(ranked: &Ranked, ends: &[usize], place: usize) -> f64 {
    place.checked_sub(1).map_or(1.0 + f64::EPSILON, |run| ranked.probability[ends[run] - 1])
}

/// Mean cost an account where the first 0, 1, 2 ... runs are contacted.
fn costs(ranked: &Ranked, ends: &[usize], times: &[u32], options: &ValueOptions) -> Vec<f64> {
    let n = ranked.len() as f64;
    let lost = |at: usize| if ranked.churned[at] { options.years_lost * ranked.arr[at] } else { 0.0 };
    let mut cost: f64 = times.iter().enumerate().map(|(at, &times)| f64::from(times) * lost(at)).sum();
    let (mut costs, mut at) = (vec![cost / n], 0);
    for &end in ends {
        for (account, &times) in times.iter().enumerate().take(end).skip(at) {
            cost += f64::from(times) * (options.contact_cost - options.success_rate * lost(account));
        }
        at = end;
        costs.push(cost / n);
    }
    costs
}

/// The first of the lowest: of equal costs, the one with the fewest contacts.
fn lowest(costs: &[f64]) -> usize {
    (0..costs.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(0)
}
