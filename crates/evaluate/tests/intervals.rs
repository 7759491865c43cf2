//! Intervals against slower ways to the same number, and against the truth they are to hold.

mod common;

use bellwether_core::{Progress, Quiet};
use bellwether_evaluate::{EvaluateOptions, Scored, evaluate, paired_auc_difference};
use common::{Rows, book, near};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

const Z: f64 = 1.959_963_984_540_054;

/// Variance of an AUC, or covariance of two, by all pairs, as Obuchowski (1997) writes it.
fn naive_covariance(rows: &Rows, a: &[f64], b: &[f64]) -> f64 {
    let places = |event: bool| (0..rows.y.len()).filter(|&row| rows.y[row] == event).collect::<Vec<_>>();
    let (events, others) = (places(true), places(false));
    let (m, n) = (events.len() as f64, others.len() as f64);
    let wins = |scores: &[f64], event: usize, other: usize| match scores[event].total_cmp(&scores[other]) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let sums = |scores: &[f64]| {
        let auc =
            events.iter().map(|&e| others.iter().map(|&o| wins(scores, e, o)).sum::<f64>()).sum::<f64>() / (m * n);
        let mut by_account: BTreeMap<u32, [f64; 2]> = rows.account.iter().map(|&id| (id, [0.0; 2])).collect();
        let mut add = |row: usize, side: usize, component: f64| {
            by_account.get_mut(&rows.account[row]).expect("each row has its account")[side] += component - auc;
        };
        for &e in &events {
            add(e, 0, others.iter().map(|&o| wins(scores, e, o)).sum::<f64>() / n);
        }
        for &o in &others {
            add(o, 1, events.iter().map(|&e| wins(scores, e, o)).sum::<f64>() / m);
        }
        by_account
    };
    let having = |places: &[usize]| {
        let ids: std::collections::BTreeSet<u32> = places.iter().map(|&row| rows.account[row]).collect();
        ids.len() as f64 / (ids.len() - 1) as f64
    };
    let (a, b) = (sums(a), sums(b));
    let both = a.len() as f64 / (a.len() - 1) as f64;
    let sum = |side_a: usize, side_b: usize| a.iter().map(|(id, of_a)| of_a[side_a] * b[id][side_b]).sum::<f64>();
    having(&events) * sum(0, 0) / (m * m)
        + having(&others) * sum(1, 1) / (n * n)
        + both * (sum(0, 1) + sum(1, 0)) / (m * n)
}

#[test]
fn paired_variance_equals_all_pairs() {
    for (seed, n_accounts, rows_each) in [(1, 60, 1), (2, 25, 4), (3, 8, 20)] {
        let mut rows = book(seed, n_accounts, rows_each);
        // Ties.
        rows.q.iter_mut().for_each(|q| *q = (*q * 8.0).round() / 8.0);
        let paired = paired_auc_difference(&rows.p, &rows.q, &rows.y, &rows.account, 0.95).expect("sound").difference;
        let covariance = |a: &[f64], b: &[f64]| naive_covariance(&rows, a, b);
        let variance = covariance(&rows.p, &rows.p) + covariance(&rows.q, &rows.q) - 2.0 * covariance(&rows.p, &rows.q);
        near(paired.high.zip(paired.value).map(|(high, value)| high - value), Z * variance.sqrt());
    }
}

/// A mean by account has a variance in closed form (linearised), which the bootstrap must come to; 4,000 replicates leave 1 %
/// of noise, the percentiles of a tail some 3 %.
#[test]
fn the_bootstrap_agrees_with_the_linearised_variance() {
    let rows = book(5, 800, 5);
    let options = EvaluateOptions { n_bootstrap: 4_000, ..EvaluateOptions::default() };
    let brier = rows.evaluate(&[], &options).overall.brier;
    let n = rows.p.len() as f64;
    let mean = brier.value.expect("defined");
    let mut by_account = vec![0.0; 800];
    for row in 0..rows.p.len() {
        let error = rows.p[row] - f64::from(u8::from(rows.y[row]));
        by_account[rows.account[row] as usize] += error * error - mean;
    }
    let deviation = (by_account.iter().map(|sum| sum * sum).sum::<f64>() * 800.0 / 799.0).sqrt() / n;
    let width = brier.high.expect("defined") - brier.low.expect("defined");
    assert!((width / (2.0 * Z * deviation) - 1.0).abs() < 0.06, "{width} {deviation}");
}

/// 400 books with the truth known: 0.95 is to be met within three deviations of 400 draws, 0.033.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let truth = book(0, 200_000, 1);
    let options = EvaluateOptions { n_bootstrap: 0, ..EvaluateOptions::default() };
    let large = truth.evaluate(&[], &options).overall;
    let holds = |estimate: bellwether_evaluate::Estimate, truth: Option<f64>| {
        estimate.low.zip(estimate.high).zip(truth).is_some_and(|((low, high), truth)| low <= truth && truth <= high)
    };
    let (mut auc, mut rate, mut auc_by_row) = (0, 0, 0);
    for seed in 1..=400 {
        let mut rows = book(seed, 60, 8);
        let overall = rows.evaluate(&[], &options).overall;
        auc += u32::from(holds(overall.roc_auc, large.roc_auc.value));
        rate += u32::from(holds(overall.base_rate, large.base_rate.value));
        rows.account = (0..480).collect();
        auc_by_row += u32::from(holds(rows.evaluate(&[], &options).overall.roc_auc, large.roc_auc.value));
    }
    let share = |count: u32| f64::from(count) / 400.0;
    assert!((share(auc) - 0.95).abs() < 0.033, "AUC {}", share(auc));
    assert!((share(rate) - 0.95).abs() < 0.033, "base rate {}", share(rate));
    assert!(share(auc_by_row) < share(auc), "rows taken as independent must look surer than they are");
}

/// Of a calibrated score the calibration error is 0, and its interval must say so; of a bent one it must not.
#[test]
fn the_calibration_error_of_a_calibrated_score_may_be_0() {
    for seed in 1..=20 {
        let mut rows = book(seed, 1_500, 1);
        let options = EvaluateOptions { n_bootstrap: 200, ..EvaluateOptions::default() };
        let calibrated = rows.evaluate(&[], &options).overall.ece;
        assert_eq!(calibrated.low, Some(0.0), "{calibrated:?}");
        rows.p.iter_mut().for_each(|p| *p = p.sqrt());
        let bent = rows.evaluate(&[], &options).overall.ece;
        assert!(bent.low > Some(0.1), "{bent:?}");
    }
}

/// Noise may take the upper end past 1, which no calibration error comes to.
#[test]
fn a_calibration_error_near_1_has_an_interval_that_ends_at_1() {
    let rows = Rows {
        p: vec![0.296_875, 0.0, 0.906_25, 0.0],
        q: vec![0.0; 4],
        y: vec![false, true, false, true],
        account: vec![0, 0, 0, 1],
    };
    let options = EvaluateOptions { n_bootstrap: 40, min_events: 2, ..EvaluateOptions::default() };
    let ece = rows.evaluate(&[], &options).overall.ece;
    assert_eq!((ece.value, ece.high), (Some(0.800_781_25), Some(1.0)), "{ece:?}");
}

#[test]
fn progress_counts_every_replicate() {
    struct Sum(AtomicU64, AtomicU64);
    impl Progress for Sum {
        fn begin(&self, _what: &str, total: u64) {
            self.0.fetch_add(total, Ordering::Relaxed);
        }
        fn advance(&self, units: u64) {
            self.1.fetch_add(units, Ordering::Relaxed);
        }
        fn end(&self) {}
    }
    let rows = book(1, 100, 2);
    let cohort = |rows| bellwether_evaluate::Cohort { dimension: "part".into(), level: "any".into(), rows };
    let (sum, options) = (Sum(AtomicU64::new(0), AtomicU64::new(0)), EvaluateOptions::default());
    let cohorts = [cohort((0..100).collect()), cohort(vec![])];
    evaluate(&rows.scored(), None, &cohorts, &options, &sum).expect("the rows are sound");
    assert_eq!((sum.0.into_inner(), sum.1.into_inner()), (1_500, 1_500));
}

#[test]
fn curves_are_thin_and_run_from_end_to_end() {
    let rows = book(1, 5_000, 1);
    let curves = rows.evaluate(&[], &EvaluateOptions { n_bootstrap: 0, ..EvaluateOptions::default() }).curves;
    for curve in [&curves.roc, &curves.pr, &curves.lift] {
        assert!((50..=200).contains(&curve.len()), "{}", curve.len());
        assert!(curve.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }
    assert_eq!((curves.roc[0], curves.roc.last()), ((0.0, 0.0), Some(&(1.0, 1.0))));
    assert_eq!(curves.lift.last(), Some(&(1.0, 1.0)));
    assert_eq!(curves.pr.last().map(|last| last.0), Some(1.0));
    let area: f64 =
        curves.roc.windows(2).map(|pair| (pair[1].0 - pair[0].0) * f64::midpoint(pair[0].1, pair[1].1)).sum();
    let exact = bellwether_evaluate::roc_auc(&rows.p, &rows.y).expect("both classes");
    assert!((area - exact).abs() < 0.005, "{area} {exact}");
    assert_eq!(curves.calibration.len(), 10);
    assert!(curves.calibration.windows(2).all(|pair| pair[0].mean_probability < pair[1].mean_probability));
}

/// `rand` may change how it draws from the generator's bits; a stored evaluation must not change unnoticed.
#[test]
fn the_draws_of_a_seed_never_change() {
    let rows = common::reference();
    let scored = Scored { probability: &rows.p, outcome: &rows.y, account: &rows.account };
    let brier = evaluate(&scored, None, &[], &EvaluateOptions::default(), &Quiet).expect("sound").overall.brier;
    near(brier.low, 0.165_166_578_081_781_28);
    near(brier.high, 0.276_171_163_655_083_1);
}
