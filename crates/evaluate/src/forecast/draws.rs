//! A forecast as expected values and intervals of drawn futures.

use std::collections::BTreeMap;

use bellwether_core::{HorizonChanges, Outcome, Progress, RelativeChanges, RevenueChanges, Target, quantile};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::Fate;
use super::chances::{Chances, Common, Fates, expected, fates};
use super::movement::Movement;
use crate::input::{Cohort, EvaluateError, check_lengths};

/// The customers of a book on one day, one value each in each column.
#[derive(Debug, Clone, Copy)]
pub struct BookAccounts<'a> {
    /// Names an account, whatever its place: draws go by it, so that a forecast does not depend on the order.
    pub key: &'a [u64],
    /// Recurring revenue, from 0.
    pub revenue: &'a [f64],
    /// The level of [`RevenueChanges::segment`].
    pub level: &'a [Option<&'a str>],
    /// By target, in `0.0..=1.0`; never falling with the horizon.
    pub probability: &'a BTreeMap<Target, Vec<f64>>,
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastOptions {
    /// Seeds the draws.
    pub seed: u64,
    /// Futures drawn, at least 1.
    pub n_draws: usize,
}

impl Default for ForecastOptions {
    fn default() -> Self {
        Self { seed: 0, n_draws: 2_000 }
    }
}

/// An expected value and the middle 80 % and 95 % of the drawn futures, widened to hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Expected, as the models say.
    pub expected: f64,
    /// Ends of the 80 % interval.
    pub within_80: (f64, f64),
    /// Ends of the 95 % interval.
    pub within_95: (f64, f64),
}

/// The revenue of some accounts, from the day of the forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupForecast {
    /// What accounts are divided by; `None` for all.
    pub dimension: Option<String>,
    /// Which part this is; `None` for all.
    pub level: Option<String>,
    /// How many.
    pub n_accounts: usize,
    /// Their revenue on the day.
    pub start: f64,
    /// By horizon, rising.
    pub steps: Vec<StepForecast>,
}

/// One horizon. In each drawn future `end = start - churned + expanded - contracted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepForecast {
    /// Days from the day of the forecast to the end of the step.
    pub horizon_days: u32,
    /// From the end of the step before, or the day, to the end of this one.
    pub churned_in_step: Outlook,
    /// As above.
    pub expanded_in_step: Outlook,
    /// As above.
    pub contracted_in_step: Outlook,
    /// From the day to the end of the step.
    pub churned: Outlook,
    /// As above.
    pub expanded: Outlook,
    /// As above.
    pub contracted: Outlook,
    /// Revenue at the end of the step.
    pub end: Outlook,
    /// Net revenue retention since the day; `None` where the start is 0.
    pub nrr: Option<Outlook>,
    /// Gross revenue retention since the day; `None` where the start is 0.
    pub grr: Option<Outlook>,
}

/// What is to be expected of a book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RevenueForecast {
    /// Of all accounts.
    pub all: GroupForecast,
    /// One for each cohort, in their order.
    pub groups: Vec<GroupForecast>,
}

/// Expected revenue at each horizon of `changes`, and its intervals, of all accounts and of each cohort.
///
/// A drawn future gives each account a fate by its probabilities, and a size by its rank among its like, the same rank
/// at every horizon. What accounts share in a future: odds shifted by the doubts of each outcome (the calibration's is
/// normal, that between days Student's with its freedom), and the error of the mean changes. Futures have streams of
/// their own: results do not depend on threads.
///
/// # Errors
/// [`EvaluateError`] for columns of different lengths, no account, a revenue that is not finite or below 0, a value that
/// is not a probability, a target of `changes` without probabilities, no draw, or a cohort that is not of these accounts.
pub fn forecast_revenue(
    accounts: &BookAccounts<'_>,
    cohorts: &[Cohort],
    changes: &RevenueChanges,
    options: &ForecastOptions,
    progress: &dyn Progress,
) -> Result<RevenueForecast, EvaluateError> {
    check(accounts, cohorts, changes, options)?;
    let plan = Plan::new(accounts, cohorts, changes);
    let expected = plan.expected();
    progress.begin("futures", options.n_draws as u64);
    let draw = |future: usize| {
        progress.advance(1);
        plan.draw(options.seed, future as u64)
    };
    let futures: Vec<Vec<Movement>> = (0..options.n_draws).into_par_iter().map(draw).collect();
    progress.end();
    let group = |place: usize| {
        let cohort = place.checked_sub(1).map(|cohort| &cohorts[cohort]);
        GroupForecast {
            dimension: cohort.map(|of| of.dimension.clone()),
            level: cohort.map(|of| of.level.clone()),
            n_accounts: cohort.map_or(accounts.key.len(), |of| of.rows.len()),
            start: expected[place * plan.n_steps()].start,
            steps: (0..plan.n_steps()).map(|step| plan.step(place, step, &expected, &futures)).collect(),
        }
    };
    Ok(RevenueForecast { all: group(0), groups: (1..=cohorts.len()).map(group).collect() })
}

/// Everything that draws need, accounts in order of their keys.
struct Plan<'a> {
    horizons: &'a [HorizonChanges],
    revenue: Vec<f64>,
    /// By account, then horizon.
    chances: Vec<Chances<'a>>,
    /// The groups of each account; 0 is that of all.
    groups: Vec<Vec<u32>>,
    n_groups: usize,
}

impl<'a> Plan<'a> {
    fn new(accounts: &BookAccounts<'a>, cohorts: &[Cohort], changes: &'a RevenueChanges) -> Self {
        let mut groups: Vec<Vec<u32>> = vec![vec![0]; accounts.key.len()];
        for (group, cohort) in (1_u32..).zip(cohorts) {
            cohort.rows.iter().for_each(|&row| groups[row].push(group));
        }
        let mut order: Vec<usize> = (0..accounts.key.len()).collect();
        order.sort_by_key(|&row| accounts.key[row]);
        let of_account = |&row: &usize| changes.horizons.iter().map(move |of| Chances::new(accounts, row, of));
        Self {
            horizons: &changes.horizons,
            revenue: order.iter().map(|&row| accounts.revenue[row]).collect(),
            chances: order.iter().flat_map(of_account).collect(),
            groups: order.iter().map(|&row| std::mem::take(&mut groups[row])).collect(),
            n_groups: cohorts.len() + 1,
        }
    }

    const fn n_steps(&self) -> usize {
        self.horizons.len()
    }

    /// By group, then horizon.
    fn expected(&self) -> Vec<Movement> {
        let n_steps = self.n_steps();
        let mut sums = vec![Movement::default(); self.n_groups * n_steps];
        let mut scratch = vec![Fates::default(); n_steps];
        for (account, chances) in self.chances.chunks(n_steps).enumerate() {
            let revenue = self.revenue[account];
            for (step, of) in expected(chances, &mut scratch).into_iter().enumerate() {
                for &group in &self.groups[account] {
                    let sum = &mut sums[group as usize * n_steps + step];
                    sum.start += revenue;
                    sum.churned += revenue * of.churned;
                    sum.expanded += revenue * of.expanded;
                    sum.contracted += revenue * of.contracted;
                }
            }
        }
        sums
    }

    /// One future, by group, then horizon.
    fn draw(&self, seed: u64, future: u64) -> Vec<Movement> {
        let n_steps = self.n_steps();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(future);
        let common = common(self.horizons, &mut random);
        let mut sums = vec![Movement::default(); self.n_groups * n_steps];
        let mut scratch = vec![Fates::default(); n_steps];
        for (account, chances) in self.chances.chunks(n_steps).enumerate() {
            let (luck, rank): (f64, f64) = (random.random(), random.random());
            let revenue = self.revenue[account];
            fates(chances, &common, &mut scratch);
            let last = scratch[n_steps - 1];
            for (step, of) in scratch.iter().enumerate() {
                let fate = fate(luck, *of, last);
                let change = revenue * chances[step].change(fate, rank, &common[step]);
                for &group in &self.groups[account] {
                    sums[group as usize * n_steps + step].add(fate, revenue, change);
                }
            }
        }
        sums
    }

    fn step(&self, group: usize, step: usize, expected: &[Movement], futures: &[Vec<Movement>]) -> StepForecast {
        let place = group * self.n_steps() + step;
        let outlook = |of: &dyn Fn(&[Movement]) -> f64| {
            Outlook::new(of(expected), futures.iter().map(|future| of(future)).collect())
        };
        let since = |of: fn(&Movement) -> f64| outlook(&|all| of(&all[place]));
        let within = |of: fn(&Movement) -> f64| {
            outlook(&|all| of(&all[place]) - if step == 0 { 0.0 } else { of(&all[place - 1]) })
        };
        let share = |of: fn(&Movement) -> Option<f64>| {
            of(&expected[place]).map(|_| outlook(&|all| of(&all[place]).unwrap_or(0.0)))
        };
        StepForecast {
            horizon_days: self.horizons[step].horizon_days,
            churned_in_step: within(|of| of.churned),
            expanded_in_step: within(|of| of.expanded),
            contracted_in_step: within(|of| of.contracted),
            churned: since(|of| of.churned),
            expanded: since(|of| of.expanded),
            contracted: since(|of| of.contracted),
            end: since(Movement::end),
            nrr: share(Movement::nrr),
            grr: share(Movement::grr),
        }
    }
}

/// The fate by one horizon of an account whose luck is `luck`, in `0.0..1.0`: churn takes the lowest, then expansion.
fn fate(luck: f64, by_now: Fates, by_last: Fates) -> Fate {
    let (expansion, contraction) = (by_last.churned, by_last.churned + by_last.expanded);
    if luck < by_now.churned {
        Fate::Churned
    } else if (expansion..expansion + by_now.expanded).contains(&luck) {
        Fate::Expanded
    } else if (contraction..contraction + by_now.contracted).contains(&luck) {
        Fate::Contracted
    } else {
        Fate::Steady
    }
}

/// What accounts share in a future, by horizon; the same luck at every horizon.
fn common(horizons: &[HorizonChanges], random: &mut ChaCha8Rng) -> Vec<Common> {
    let normal = Normal::standard();
    let mut luck = || -> f64 {
        // Inside 0..1, both ends left out.
        (random.random::<f64>() + f64::EPSILON / 4.0).min(1.0 - f64::EPSILON)
    };
    let of_calibration: [f64; 3] = std::array::from_fn(|_| normal.inverse_cdf(luck()));
    let between_days: [f64; 3] = std::array::from_fn(|_| luck());
    let of_changes: [f64; 2] = std::array::from_fn(|_| normal.inverse_cdf(luck()));
    let shift = |of: &HorizonChanges, outcome: usize| {
        let Some(doubt) = of.doubt.get(&Outcome::ALL[outcome]) else { return 1.0 };
        let day = if doubt.between_days > 0.0 {
            let student = StudentsT::new(0.0, 1.0, doubt.freedom).expect("a freedom of 1 or more");
            doubt.between_days * student.inverse_cdf(between_days[outcome])
        } else {
            0.0
        };
        (doubt.of_calibration * of_calibration[outcome] + day).exp()
    };
    let factor = |changes: &Option<RelativeChanges>, luck: f64| {
        let Some(changes) = changes else { return 1.0 };
        let mean = changes.all.iter().sum::<f64>() / changes.all.len() as f64;
        // Its mean is 1.
        let deviation = if mean == 0.0 { 0.0 } else { (changes.deviation / mean.abs()).min(1.0) };
        (deviation * luck - deviation * deviation / 2.0).exp()
    };
    let of_horizon = |of: &HorizonChanges| Common {
        churn: shift(of, 0),
        expansion: shift(of, 1),
        contraction: shift(of, 2),
        gain: factor(&of.expanded, of_changes[0]),
        loss: factor(&of.contracted, of_changes[1]),
    };
    horizons.iter().map(of_horizon).collect()
}

impl Outlook {
    fn new(expected: f64, mut futures: Vec<f64>) -> Self {
        futures.sort_unstable_by(f64::total_cmp);
        let within = |confidence: f64| {
            let end = |share: f64| quantile(&futures, share).expect("there is a future");
            let tail = f64::midpoint(1.0, -confidence);
            (end(tail).min(expected), end(1.0 - tail).max(expected))
        };
        Self { expected, within_80: within(0.8), within_95: within(0.95) }
    }
}

fn check(
    accounts: &BookAccounts<'_>,
    cohorts: &[Cohort],
    changes: &RevenueChanges,
    options: &ForecastOptions,
) -> Result<(), EvaluateError> {
    let n = accounts.key.len();
    check_lengths("key", n, &[("revenue", accounts.revenue.len()), ("level", accounts.level.len())])?;
    if let Some(row) = accounts.revenue.iter().position(|revenue| !(revenue.is_finite() && *revenue >= 0.0)) {
        let value = accounts.revenue[row];
        return Err(EvaluateError::Number { what: "revenue", row, value, rule: "a finite number from 0" });
    }
    if options.n_draws == 0 {
        return Err(EvaluateError::Setting { name: "n_draws", value: 0.0, rule: "at least 1" });
    }
    for of in &changes.horizons {
        for &outcome in of.doubt.keys() {
            let target = Target { outcome, horizon_days: of.horizon_days };
            let p = accounts.probability.get(&target).map_or(&[][..], Vec::as_slice);
            check_lengths("key", n, &[("probability", p.len())])?;
            if let Some(row) = p.iter().position(|p| !(0.0..=1.0).contains(p)) {
                return Err(EvaluateError::Probability { row, value: p[row] });
            }
        }
    }
    cohorts.iter().try_for_each(|cohort| cohort.check(n))
}
