//! What holds for any rows.

mod common;

use bellwether_core::{Band, Quiet, sigmoid};
use bellwether_evaluate::{
    Cohort, Estimate, EvaluateOptions, Evaluation, Metrics, calibration_line, evaluate, paired_auc_difference, roc_auc,
};
use common::{Rows, book};
use proptest::prelude::*;

/// Rows with many ties and accounts of unequal size.
fn any_rows() -> impl Strategy<Value = Rows> {
    let row = (0..=64_u32, 0..=64_u32, any::<bool>(), 0..12_u32);
    prop::collection::vec(row, 1..150).prop_map(|of| Rows {
        p: of.iter().map(|row| f64::from(row.0) / 64.0).collect(),
        q: of.iter().map(|row| f64::from(row.1) / 64.0).collect(),
        y: of.iter().map(|row| row.2).collect(),
        account: of.iter().map(|row| row.3).collect(),
    })
}

fn few_replicates() -> EvaluateOptions {
    EvaluateOptions { n_bootstrap: 40, min_events: 2, ..EvaluateOptions::default() }
}

fn bands_of(rows: &Rows) -> Vec<Option<Band>> {
    rows.q
        .iter()
        .map(|&q| {
            Some(if q < 0.3 {
                Band::Red
            } else if q < 0.6 {
                Band::Yellow
            } else {
                Band::Green
            })
        })
        .collect()
}

fn with_bands(rows: &Rows, options: &EvaluateOptions) -> Evaluation {
    evaluate(&rows.scored(), Some(&bands_of(rows)), &[], options, &Quiet).expect("the rows are sound")
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9,
        (a, b) => a == b,
    }
}

fn estimates(metrics: &Metrics) -> Vec<(Estimate, f64, f64)> {
    let (unit, line) = ((0.0, 1.0), (f64::NEG_INFINITY, f64::INFINITY));
    let at_k =
        metrics.at_k.iter().flat_map(|at| [(at.precision, unit), (at.recall, unit), (at.lift, (0.0, f64::INFINITY))]);
    [
        (metrics.base_rate, unit),
        (metrics.roc_auc, unit),
        (metrics.pr_auc, unit),
        (metrics.log_loss, (0.0, f64::INFINITY)),
        (metrics.brier, unit),
        (metrics.calibration_slope, line),
        (metrics.calibration_intercept, line),
        (metrics.ece, unit),
    ]
    .into_iter()
    .chain(at_k)
    .map(|(estimate, (least, most))| (estimate, least, most))
    .collect()
}

proptest! {
    #[test]
    fn auc_reads_ranks_only(rows in any_rows()) {
        let auc = roc_auc(&rows.p, &rows.y);
        // Exact on 64ths, so strictly rising.
        let bent: Vec<f64> = rows.p.iter().map(|p| p * p * p + 5.0 * p - 7.0).collect();
        prop_assert_eq!(roc_auc(&bent, &rows.y), auc);
        let turned: Vec<f64> = rows.p.iter().map(|p| -p).collect();
        prop_assert!(close(roc_auc(&turned, &rows.y), auc.map(|auc| 1.0 - auc)));
        let other: Vec<bool> = rows.y.iter().map(|event| !event).collect();
        prop_assert!(close(roc_auc(&rows.p, &other), auc.map(|auc| 1.0 - auc)));
    }

    #[test]
    fn intervals_hold_their_value_and_stay_in_range(rows in any_rows()) {
        let evaluation = with_bands(&rows, &few_replicates());
        let of_bands = evaluation.by_band.iter().flat_map(|band| {
            [(band.event_rate, 0.0, 1.0), (band.recall, 0.0, 1.0), (band.lift, 0.0, f64::INFINITY)]
        });
        for (estimate, least, most) in estimates(&evaluation.overall).into_iter().chain(of_bands) {
            prop_assert_eq!(estimate.low.is_some(), estimate.high.is_some());
            if let (Some(value), Some(low), Some(high)) = (estimate.value, estimate.low, estimate.high) {
                prop_assert!(least <= low && low <= value && value <= high && high <= most, "{:?}", estimate);
            }
            prop_assert!(estimate.value.is_some() || estimate.low.is_none());
        }
    }

    #[test]
    fn parts_sum_to_the_whole(rows in any_rows()) {
        let cohort = |level: u32| Cohort {
            dimension: "account modulo 3".into(),
            level: level.to_string(),
            rows: (0..rows.p.len()).rev().filter(|&row| rows.account[row] % 3 == level).collect(),
        };
        let cohorts = [0, 1, 2].map(cohort);
        let evaluation =
            evaluate(&rows.scored(), Some(&bands_of(&rows)), &cohorts, &few_replicates(), &Quiet).expect("sound");
        let (all, bands) = (&evaluation.overall, &evaluation.by_band);
        let of_cohorts = |count: fn(&Metrics) -> usize| evaluation.cohorts.iter().map(|of| count(&of.metrics)).sum::<usize>();
        prop_assert_eq!(of_cohorts(|metrics| metrics.n), all.n);
        prop_assert_eq!(of_cohorts(|metrics| metrics.n_accounts), all.n_accounts);
        prop_assert_eq!(of_cohorts(|metrics| metrics.n_events), all.n_events);
        prop_assert_eq!(bands.iter().map(|band| band.n).sum::<usize>(), all.n);
        prop_assert_eq!(bands.iter().map(|band| band.n_events).sum::<usize>(), all.n_events);
        prop_assert!((bands.iter().map(|band| band.share_of_rows).sum::<f64>() - 1.0).abs() < 1e-12);
        if all.n_events > 0 {
            let recall: Option<f64> = bands.iter().map(|band| band.recall.value).sum();
            prop_assert!(close(recall, Some(1.0)));
        }
        prop_assert_eq!(evaluation.curves.calibration.iter().map(|bin| bin.n).sum::<usize>(), all.n);
        let brier = all.brier_reliability.zip(all.brier_resolution).zip(all.brier_uncertainty)
            .map(|((reliability, resolution), uncertainty)| reliability - resolution + uncertainty);
        prop_assert!(close(brier, all.brier.value));
    }

    /// Equal to the bit, so that the bundle's digest does not depend on the order of input rows.
    #[test]
    fn the_order_of_rows_does_not_matter(
        (rows, places) in any_rows().prop_flat_map(|rows| {
            let places: Vec<usize> = (0..rows.p.len()).collect();
            (Just(rows), Just(places).prop_shuffle())
        })
    ) {
        let shuffled = rows.at(&places);
        prop_assert_eq!(with_bands(&rows, &few_replicates()), with_bands(&shuffled, &few_replicates()));
        let paired = |of: &Rows| {
            paired_auc_difference(&of.p, &of.q, &of.y, &of.account, 0.9).expect("the rows are sound")
        };
        prop_assert_eq!(paired(&rows), paired(&shuffled));
    }

    /// The likelihood equation of the intercept; and wherever the classes overlap there is a slope, also at p = 0 and 1.
    #[test]
    fn a_calibration_line_is_found_wherever_it_exists(rows in any_rows()) {
        let logit = |p: f64| { let p = p.clamp(1e-15, 1.0 - 1e-15); p.ln() - (-p).ln_1p() };
        let ends = |event: bool| {
            let of = || rows.p.iter().zip(&rows.y).filter(|row| *row.1 == event).map(|row| *row.0);
            of().reduce(f64::min).zip(of().reduce(f64::max))
        };
        let line = calibration_line(&rows.p, &rows.y);
        prop_assert_eq!(line.is_some(), ends(true).is_some() && ends(false).is_some());
        if let (Some(line), Some(events), Some(others)) = (line, ends(true), ends(false)) {
            prop_assert_eq!(line.slope.is_some(), events.0 < others.1 && others.0 < events.1);
            let expected: f64 = rows.p.iter().map(|&p| sigmoid(line.intercept + logit(p))).sum();
            let n_events = rows.y.iter().filter(|&&event| event).count() as f64;
            prop_assert!((expected - n_events).abs() < 1e-9, "{} {}", expected, n_events);
        }
    }

    #[test]
    fn a_paired_difference_turns_with_its_sides(rows in any_rows()) {
        let paired = |a: &[f64], b: &[f64]| {
            paired_auc_difference(a, b, &rows.y, &rows.account, 0.95).expect("the rows are sound")
        };
        let (ab, ba) = (paired(&rows.p, &rows.q), paired(&rows.q, &rows.p));
        prop_assert!(close(ab.difference.value, ba.difference.value.map(|value| -value)));
        prop_assert!(close(ab.difference.low, ba.difference.high.map(|high| -high)));
        prop_assert!(close(ab.p_value, ba.p_value));
        prop_assert!(ab.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
    }

    /// Invariant of clustering: a second copy of each row in its own account says nothing new.
    #[test]
    fn copies_within_an_account_are_no_evidence(rows in any_rows()) {
        let twice = rows.at(&(0..rows.p.len()).flat_map(|row| [row, row]).collect::<Vec<_>>());
        let (once, twice) = [&rows, &twice].map(|rows| with_bands(rows, &few_replicates()).overall).into();
        let all: [fn(&Metrics) -> Estimate; 4] =
            [|of| of.roc_auc, |of| of.pr_auc, |of| of.log_loss, |of| of.brier];
        for of in all {
            let (once, twice) = (of(&once), of(&twice));
            prop_assert!(close(once.value, twice.value));
            prop_assert!(once.low.is_none() || close(once.low, twice.low), "{:?} {:?}", once, twice);
        }
    }
}

#[test]
fn any_number_of_threads_gives_equal_bits() {
    let rows = book(3, 300, 4);
    let cohort = Cohort { dimension: "half".into(), level: "first".into(), rows: (0..600).collect() };
    let on = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads start");
        pool.install(|| rows.evaluate(std::slice::from_ref(&cohort), &EvaluateOptions::default()))
    };
    let one = on(1);
    assert!(one.overall.calibration_slope.low.is_some() && one.cohorts[0].metrics.ece.low.is_some());
    for n_threads in [2, 4] {
        assert_eq!(on(n_threads), one, "{n_threads} threads");
    }
}

#[test]
fn another_seed_draws_other_accounts() {
    let rows = book(3, 300, 1);
    let brier = |seed| rows.evaluate(&[], &EvaluateOptions { seed, ..EvaluateOptions::default() }).overall.brier;
    assert_eq!(brier(1), brier(1));
    assert_eq!(brier(1).value, brier(2).value);
    assert_ne!(brier(1).low, brier(2).low);
}
