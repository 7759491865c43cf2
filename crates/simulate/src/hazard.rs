//! How the hidden life of an account becomes hazards: a rate a day by level, times what the calendar does to it.

use std::cell::OnceCell;

use crate::account::Account;
use crate::calendar::{Calendar, HORIZON_DAYS};
use crate::chain::{LEVELS, Weights, value};
use crate::life::WEEK;

/// Weekly correlation of health and of appetite: half of a change is gone after 27 and 23 weeks.
pub(crate) const HEALTH_CORRELATION: f64 = 0.975;
pub(crate) const APPETITE_CORRELATION: f64 = 0.97;

/// Probabilities a week that the champion leaves, and that a missing one is replaced.
pub(crate) const CHAMPION_LEAVES: f64 = 0.006;
pub(crate) const CHAMPION_REPLACED: f64 = 0.06;

/// How many levels appetite falls with an expansion, as the new seats are not full yet, and rises with a contraction.
pub(crate) const EXPANSION_SATES: usize = 3;
pub(crate) const CONTRACTION_FREES: usize = 3;

/// Logarithms of hazard ratios for one standard deviation, where they are the same in every segment.
const CHURN_BY_FIT: f64 = -0.4;
const EXPANSION_BY_FIT: f64 = 0.3;
const CONTRACTION_BY_APPETITE: f64 = -1.2;

const DAYS_A_YEAR: f64 = 365.25;

/// An account's hazards. The hazard of a day is the rate of the level times the calendar's factor of the day.
pub(crate) struct Hazards {
    /// Churn a day by level of health, with a champion.
    churn: Weights,
    /// Expansion a day by level of appetite.
    expansion: Weights,
    /// Contraction a day by level of appetite; the calendar does nothing to it.
    contraction: Weights,
    /// How many times likelier a churn is while there is no champion.
    without_champion: i32,
    churn_calendar: Cumulated,
    expansion_calendar: Cumulated,
    /// What each whole week leaves; the horizons of three month ends in a row share most weeks.
    weeks: Vec<OnceCell<WeekSurvival>>,
}

/// What some days leave of each level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeekSurvival {
    /// With and without champion.
    pub(crate) churn: [Survival; 2],
    /// By level of appetite.
    pub(crate) expansion: Weights,
}

/// What happens on one day, by competing risks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DayHazards {
    pub(crate) churn: f64,
    pub(crate) expansion: f64,
    pub(crate) contraction: f64,
}

/// What is left of each level over some days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Survival {
    /// The share after the last of the days.
    pub(crate) at_end: Weights,
    /// The mean of the shares after each of the days.
    pub(crate) on_mean_day: Weights,
}

/// Sums of a factor over the days before each day.
struct Cumulated(Vec<f64>);

impl Cumulated {
    fn new(factors: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums = std::iter::once(0.0).chain(factors.map(|factor| {
            sum += factor;
            sum
        }));
        Self(sums.collect())
    }

    /// Over the days `from..to`.
    fn sum(&self, from: usize, to: usize) -> f64 {
        self.0[to] - self.0[from]
    }
}

impl Hazards {
    /// Days are counted from the account's first day within the book.
    pub(crate) fn new(account: &Account, calendar: &Calendar) -> Self {
        let drivers = account.segment.drivers();
        let by_level = |a_year: f64, ratio: f64, by_fit: f64| -> Weights {
            std::array::from_fn(|level| a_year / DAYS_A_YEAR * (ratio * value(level) + by_fit * account.fit).exp())
        };
        let days = day_factors(account, calendar);
        let n_weeks = days.len() / WEEK;
        Self {
            churn: by_level(drivers.churn_a_year, drivers.churn_by_health, CHURN_BY_FIT),
            expansion: by_level(drivers.expansion_a_year, drivers.expansion_by_appetite, EXPANSION_BY_FIT),
            contraction: by_level(drivers.contraction_a_year, CONTRACTION_BY_APPETITE, 0.0),
            without_champion: drivers.without_champion,
            churn_calendar: Cumulated::new(days.iter().map(|day| day.0)),
            expansion_calendar: Cumulated::new(days.iter().map(|day| day.1)),
            weeks: std::iter::repeat_with(OnceCell::new).take(n_weeks).collect(),
        }
    }

    /// What the days `from..to` of one week leave, while something multiplies the hazard of churn by `eased`.
    pub(crate) fn survival(&self, from: usize, to: usize, eased: f64) -> WeekSurvival {
        let compute = || WeekSurvival {
            churn: self.churn_survival(from, to, eased),
            expansion: self.expansion_survival(from, to),
        };
        let is_whole = to - from == WEEK && eased == 1.0;
        let kept = self.weeks.get(from / WEEK).filter(|_| is_whole);
        kept.map_or_else(compute, |week| *week.get_or_init(compute))
    }

    /// The hazards of one day.
    pub(crate) fn on(&self, day: usize, health: usize, champion: bool, appetite: usize) -> DayHazards {
        DayHazards {
            churn: self.times_champion(self.churn[health] * self.churn_calendar.sum(day, day + 1), champion),
            expansion: self.expansion[appetite] * self.expansion_calendar.sum(day, day + 1),
            contraction: self.contraction[appetite],
        }
    }

    /// What churn leaves of each level over the days `from..to`, with and without champion, while something multiplies
    /// its hazard by `eased`.
    fn churn_survival(&self, from: usize, to: usize, eased: f64) -> [Survival; 2] {
        let times = self.churn_calendar.sum(from, to) * eased;
        let with = survival(&self.churn, times);
        let without = with.map(|share| share.powi(self.without_champion));
        // The mean of exp(-x d / n) over the days d = 1..=n: its integral, and Euler and Maclaurin's first correction.
        let half_a_day = 0.5 / (to - from) as f64;
        [(with, true), (without, false)].map(|(at_end, champion)| {
            let on_mean_day = std::array::from_fn(|level| {
                let hazard = self.times_champion(self.churn[level] * times, champion);
                if hazard > 0.0 { (1.0 - at_end[level]) * (1.0 / hazard - half_a_day) } else { 1.0 }
            });
            Survival { at_end, on_mean_day }
        })
    }

    fn times_champion(&self, hazard: f64, champion: bool) -> f64 {
        if champion { hazard } else { hazard * f64::from(self.without_champion) }
    }

    /// The share of each level that does not expand over the days `from..to`.
    fn expansion_survival(&self, from: usize, to: usize) -> Weights {
        survival(&self.expansion, self.expansion_calendar.sum(from, to))
    }

    /// The share of each level that contracts over `n_days` days, to first order.
    pub(crate) fn contracting(&self, n_days: usize) -> Weights {
        self.contraction.map(|a_day| (a_day * n_days as f64).min(1.0))
    }
}

fn survival(rates: &Weights, times: f64) -> Weights {
    std::array::from_fn::<f64, LEVELS, _>(|level| (-rates[level] * times).exp())
}

/// Factors of churn and expansion for each day from the account's first until the horizon after the book.
fn day_factors(account: &Account, calendar: &Calendar) -> Vec<(f64, f64)> {
    let n_days = calendar.n_book_days() + HORIZON_DAYS - account.first;
    let tenure_at_first = account.tenure_at_first(calendar);
    let first_day = calendar.first_day.plus_days(account.first as i32);
    let mut renewals = account.renewals(first_day.plus_days(-1)).peekable();
    let mut factors = Vec::with_capacity(n_days);
    for day in 0..n_days {
        let date = first_day.plus_days(day as i32);
        if renewals.peek().is_some_and(|&renewal| renewal < date) {
            renewals.next();
        }
        let until_renewal = renewals.peek().map(|renewal| renewal.days() - date.days());
        let (churn_by_contract, expansion_by_contract) = by_contract(until_renewal);
        let (churn_by_stage, expansion_by_stage) = by_stage(tenure_at_first + day);
        factors.push((
            churn_by_contract * churn_by_stage * calendar.day(account.first + day).churn,
            expansion_by_contract * expansion_by_stage,
        ));
    }
    // Nobody leaves or grows on the first day that the book knows them.
    factors[0] = (0.0, 0.0);
    factors
}

/// An annual contract is mostly left in the month before it renews, and is often enlarged in the two months before.
fn by_contract(days_until_renewal: Option<i32>) -> (f64, f64) {
    match days_until_renewal {
        None => (1.15, 1.0),
        Some(0..30) => (7.5, 1.9),
        Some(30..60) => (0.3, 1.9),
        Some(_) => (0.3, 0.8),
    }
}

fn by_stage(tenure_days: usize) -> (f64, f64) {
    match tenure_days {
        0..30 => (0.5, 0.2),
        30..60 => (1.6, 0.2),
        60..120 => (1.6, 0.8),
        _ => (1.0, 1.0),
    }
}
