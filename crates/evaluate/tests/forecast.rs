//! Forecasts of revenue: amounts by hand, and what holds of every forecast.

use std::collections::BTreeMap;

use bellwether_core::{Doubt, HorizonChanges, Outcome, Quiet, RelativeChanges, RevenueChanges, Target};
use bellwether_evaluate::forecast::{
    BookAccounts, ForecastOptions, Outlook, RevenueForecast, StepForecast, expected_gain, forecast_revenue,
};
use bellwether_evaluate::{Cohort, EvaluateError};
use proptest::prelude::*;

const CERTAIN: Doubt = Doubt { of_calibration: 0.0, between_days: 0.0, freedom: 1.0 };

fn changes_of(change: f64, kept: f64) -> RelativeChanges {
    RelativeChanges { kept, all: vec![change; RelativeChanges::POINTS], ..RelativeChanges::none() }
}

/// Gains of a fifth for a tenth of which churn too, losses of a half, otherwise nothing changes.
fn changes(horizons: &[u32], doubt: Doubt) -> RevenueChanges {
    let of_horizon = |&horizon_days: &u32| HorizonChanges {
        horizon_days,
        expanded: Some(changes_of(0.2, 0.9)),
        contracted: Some(changes_of(-0.5, 1.0)),
        steady: RelativeChanges::none(),
        doubt: Outcome::ALL.map(|outcome| (outcome, doubt)).into(),
    };
    RevenueChanges { segment: None, horizons: horizons.iter().map(of_horizon).collect() }
}

/// Revenue, and for each account the probabilities of churn, expansion and contraction by horizon.
#[derive(Debug)]
struct Accounts {
    revenue: Vec<f64>,
    horizons: Vec<u32>,
    p: Vec<Vec<[f64; 3]>>,
}

impl Accounts {
    fn forecast(&self, order: &[usize], cohorts: &[Cohort], doubt: Doubt, n_draws: usize) -> RevenueForecast {
        let mut probability = BTreeMap::new();
        for (step, &horizon_days) in self.horizons.iter().enumerate() {
            for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
                let column = order.iter().map(|&account| self.p[account][step][place]).collect();
                probability.insert(Target { outcome, horizon_days }, column);
            }
        }
        let accounts = BookAccounts {
            key: &order.iter().map(|&account| account as u64 * 7 % 101).collect::<Vec<_>>(),
            revenue: &order.iter().map(|&account| self.revenue[account]).collect::<Vec<_>>(),
            level: &vec![None; order.len()],
            probability: &probability,
        };
        let options = ForecastOptions { seed: 3, n_draws };
        forecast_revenue(&accounts, cohorts, &changes(&self.horizons, doubt), &options, &Quiet)
            .expect("it can be drawn")
    }

    fn in_order(&self) -> Vec<usize> {
        (0..self.revenue.len()).collect()
    }
}

fn tiny() -> Accounts {
    Accounts {
        revenue: vec![1_000.0, 200.0],
        horizons: vec![30, 90],
        p: vec![vec![[0.05, 0.1, 0.02], [0.1, 0.2, 0.1]], vec![[0.5, 0.0, 0.0], [0.6, 0.3, 0.0]]],
    }
}

#[track_caller]
fn close(found: f64, by_hand: f64) {
    assert!((found - by_hand).abs() < 1e-9 * by_hand.abs().max(1.0), "{found} for {by_hand}");
}

#[test]
fn expected_amounts_by_hand() {
    let accounts = tiny();
    let forecast = accounts.forecast(&[0, 1], &[], CERTAIN, 10).all;
    close(forecast.start, 1_200.0);
    let by_hand = [
        // churned; 0.9 of the expansions at a fifth; contractions at a half
        (0.05 * 1_000.0 + 0.5 * 200.0, 0.9 * 0.1 * 200.0, 0.02 * 500.0),
        (0.1 * 1_000.0 + 0.6 * 200.0, 0.9 * 0.2 * 200.0 + 0.9 * 0.3 * 40.0, 0.1 * 500.0),
    ];
    let mut before = (0.0, 0.0, 0.0);
    for (step, (churned, expanded, contracted)) in forecast.steps.iter().zip(by_hand) {
        close(step.churned.expected, churned);
        close(step.expanded.expected, expanded);
        close(step.contracted.expected, contracted);
        close(step.churned_in_step.expected, churned - before.0);
        close(step.expanded_in_step.expected, expanded - before.1);
        close(step.contracted_in_step.expected, contracted - before.2);
        let end = 1_200.0 - churned + expanded - contracted;
        close(step.end.expected, end);
        close(step.nrr.expect("there is revenue").expected, end / 1_200.0);
        close(step.grr.expect("there is revenue").expected, (1_200.0 - churned - contracted) / 1_200.0);
        before = (churned, expanded, contracted);
    }
    close(expected_gain(&changes_of(0.2, 0.9), Some("smb"))(0.2), 0.036);
}

/// One account of 100 that churns with 0.3 within 30 days and 0.5 within 90: futures count it so often.
#[test]
fn futures_have_the_probabilities() {
    let accounts = Accounts {
        revenue: vec![100.0; 400],
        horizons: vec![30, 90],
        p: vec![vec![[0.3, 0.1, 0.05], [0.5, 0.2, 0.1]]; 400],
    };
    let forecast = accounts.forecast(&accounts.in_order(), &[], CERTAIN, 4_000).all;
    for (step, p) in forecast.steps.iter().zip([0.3, 0.5]) {
        // A binomial count times 100; Source: scipy.stats.binom.interval is within a count of the normal's.
        let deviation = 100.0 * f64::sqrt(400.0 * p * (1.0 - p));
        let (low, high) = step.churned.within_95;
        assert!((low - (40_000.0 * p - 1.96 * deviation)).abs() < 150.0, "{low}");
        assert!((high - (40_000.0 * p + 1.96 * deviation)).abs() < 150.0, "{high}");
    }
    // In the second step churn those who had not in the first: 0.2 of all.
    let (low, high) = forecast.steps[1].churned_in_step.within_95;
    let deviation = 100.0 * (400.0 * 0.2 * 0.8_f64).sqrt();
    assert!((low - (8_000.0 - 1.96 * deviation)).abs() < 150.0 && (high - (8_000.0 + 1.96 * deviation)).abs() < 150.0);
}

#[test]
fn doubt_widens_the_interval() {
    let accounts = Accounts { revenue: vec![100.0; 200], horizons: vec![90], p: vec![vec![[0.2, 0.1, 0.05]]; 200] };
    let width = |doubt| {
        let step = accounts.forecast(&accounts.in_order(), &[], doubt, 2_000).all.steps.remove(0);
        step.churned.within_95.1 - step.churned.within_95.0
    };
    let calibration = Doubt { of_calibration: 0.3, ..CERTAIN };
    let days = Doubt { between_days: 0.3, freedom: 3.0, ..CERTAIN };
    assert!(width(CERTAIN) * 1.3 < width(calibration) && width(calibration) * 1.2 < width(days));
}

#[test]
fn certain_outcomes_have_no_width() {
    let accounts =
        Accounts { revenue: vec![70.0, 30.0], horizons: vec![90], p: vec![vec![[1.0, 0.0, 0.0]], vec![[0.0; 3]]] };
    let step = accounts.forecast(&[0, 1], &[], CERTAIN, 50).all.steps.remove(0);
    for (found, amount) in [(step.churned, 70.0), (step.end, 30.0)] {
        assert!((found.expected - amount).abs() < 1e-9 && found.within_95.1 - found.within_95.0 < 1e-9, "{found:?}");
    }
}

#[test]
fn what_can_not_be_forecast_is_refused() {
    let probability = |p: f64| -> BTreeMap<Target, Vec<f64>> {
        Outcome::ALL.map(|outcome| (Target { outcome, horizon_days: 90 }, vec![p])).into()
    };
    let refused = |key: &[u64], revenue: f64, p: f64, n_draws: usize| {
        let p = probability(p);
        let accounts = BookAccounts { key, revenue: &[revenue], level: &[None], probability: &p };
        let options = ForecastOptions { seed: 0, n_draws };
        forecast_revenue(&accounts, &[], &changes(&[90], CERTAIN), &options, &Quiet).expect_err("refused")
    };
    assert!(matches!(refused(&[1, 2], 1.0, 0.1, 1), EvaluateError::Length { .. }));
    assert!(matches!(refused(&[1], -1.0, 0.1, 1), EvaluateError::Number { .. }));
    assert!(matches!(refused(&[1], f64::NAN, 0.1, 1), EvaluateError::Number { .. }));
    assert!(matches!(refused(&[1], 1.0, 1.1, 1), EvaluateError::Probability { .. }));
    assert!(matches!(refused(&[1], 1.0, 0.1, 0), EvaluateError::Setting { .. }));
}

fn books() -> impl Strategy<Value = Accounts> {
    let account = (1.0..1e6, prop::array::uniform3(0.0..0.4), prop::array::uniform3(0.0..0.3));
    prop::collection::vec(account, 1..30).prop_map(|accounts| Accounts {
        revenue: accounts.iter().map(|of| of.0).collect(),
        horizons: vec![30, 60],
        p: accounts.iter().map(|(_, first, more)| vec![*first, [0, 1, 2].map(|at| first[at] + more[at])]).collect(),
    })
}

fn outlooks(step: &StepForecast) -> Vec<Outlook> {
    let of_step = [step.churned_in_step, step.expanded_in_step, step.contracted_in_step];
    let since = [step.churned, step.expanded, step.contracted, step.end];
    of_step.into_iter().chain(since).chain(step.nrr).chain(step.grr).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn amounts_add_up(accounts in books()) {
        let all = accounts.forecast(&accounts.in_order(), &[], CERTAIN, 30).all;
        let mut sums = [0.0; 3];
        for step in &all.steps {
            for (sum, of) in sums.iter_mut().zip([step.churned_in_step, step.expanded_in_step, step.contracted_in_step]) {
                *sum += of.expected;
            }
            let since = [step.churned.expected, step.expanded.expected, step.contracted.expected];
            for (sum, since) in sums.iter().zip(since) {
                prop_assert!((sum - since).abs() < 1e-6 * all.start);
            }
            let end = all.start - since[0] + since[1] - since[2];
            prop_assert!((step.end.expected - end).abs() < 1e-9 * all.start);
        }
    }

    /// A draw of its own shows its numbers: both ends of its intervals are the drawn value, or the expected one.
    #[test]
    fn one_future_adds_up(accounts in books()) {
        let all = accounts.forecast(&accounts.in_order(), &[], CERTAIN, 1).all;
        for step in &all.steps {
            let drawn = |of: &Outlook| {
                let (low, high) = of.within_95;
                if low == of.expected { high } else { low }
            };
            let [churned, expanded, contracted, end] =
                [&step.churned, &step.expanded, &step.contracted, &step.end].map(drawn);
            let by_hand = all.start - churned + expanded - contracted;
            prop_assert!((end - by_hand).abs() < 1e-9 * all.start, "{end} {by_hand}");
        }
    }

    #[test]
    fn wider_with_more_confidence_and_around_what_is_expected(accounts in books()) {
        let doubt = Doubt { of_calibration: 0.2, between_days: 0.1, freedom: 4.0 };
        let forecast = accounts.forecast(&accounts.in_order(), &[], doubt, 100);
        for of in forecast.all.steps.iter().flat_map(outlooks) {
            let ((low_80, high_80), (low_95, high_95)) = (of.within_80, of.within_95);
            prop_assert!(low_95 <= low_80 && low_80 <= of.expected && of.expected <= high_80 && high_80 <= high_95);
        }
    }

    #[test]
    fn the_order_of_accounts_changes_nothing(accounts in books(), seed in 0_u64..1_000) {
        let mut order = accounts.in_order();
        let n = order.len();
        (1..n).for_each(|place| order.swap(place, (seed as usize * 31 + place * 17) % (place + 1)));
        let parity = |order: &[usize]| -> Vec<Cohort> {
            let rows = (0..n).filter(|&row| order[row].is_multiple_of(2)).collect();
            vec![Cohort { dimension: "parity".to_owned(), level: "even".to_owned(), rows }]
        };
        let doubt = Doubt { of_calibration: 0.2, between_days: 0.1, freedom: 4.0 };
        let sorted = accounts.forecast(&accounts.in_order(), &parity(&accounts.in_order()), doubt, 40);
        let shuffled = accounts.forecast(&order, &parity(&order), doubt, 40);
        prop_assert_eq!(sorted, shuffled);
    }
}
