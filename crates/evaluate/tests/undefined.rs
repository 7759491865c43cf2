//! What is undefined is `None`, and what is not evaluated is an error that says where.

mod common;

use bellwether_core::{Band, Quiet};
use bellwether_evaluate::{
    Binning, Cohort, EvaluateOptions, Scored, average_precision, brier_score, calibration_line, evaluate,
    expected_calibration_error, log_loss, paired_auc_difference, roc_auc,
};
use common::{near, reference};

#[test]
fn auc_counts_a_tie_as_half_and_needs_both_classes() {
    for (rows, auc) in [
        (&[][..], None),
        (&[(0.5, true)], None),
        (&[(0.5, false), (0.1, false)], None),
        (&[(0.5, false), (0.5, true)], Some(0.5)),
        (&[(-0.0, false), (0.0, true)], Some(0.5)),
        (&[(f64::NEG_INFINITY, false), (f64::INFINITY, true)], Some(1.0)),
        (&[(2.0, false), (1.0, true), (3.0, true)], Some(0.5)),
        (&[(f64::NAN, false), (1.0, true)], None),
    ] {
        let (scores, outcome): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        assert_eq!(roc_auc(&scores, &outcome), auc, "{rows:?}");
    }
}

#[test]
fn functions_are_undefined_only_where_their_formula_is() {
    let (calm, sure) = ([0.2, 0.2], [0.0, 1.0]);
    assert_eq!(average_precision(&calm, &[false, false]), None);
    assert_eq!(average_precision(&calm, &[true, false]), Some(0.5));
    assert_eq!((log_loss(&[], &[]), brier_score(&[], &[])), (None, None));
    assert_eq!((log_loss(&[1.1], &[true]), brier_score(&[f64::NAN], &[true])), (None, None));
    near(log_loss(&sure, &[true, true]), -(1e-15_f64.ln()) / 2.0);
    near(log_loss(&sure, &[false, true]), 1e-15);
    near(brier_score(&calm, &[false, false]), 0.04);
    assert_eq!(expected_calibration_error(&[], &[], 10, Binning::Quantile), None);
    assert_eq!(expected_calibration_error(&calm, &[true, false], 0, Binning::Quantile), None);
    near(expected_calibration_error(&calm, &[true, false], 10, Binning::Quantile), 0.3);
    assert_eq!(calibration_line(&calm, &[true, true]), None);
}

/// Albert and Anderson (1984): no finite maximum without overlap. The intercept needs both classes only.
#[test]
fn the_calibration_slope_needs_overlap() {
    for (probability, outcome, has_slope) in [
        ([0.1, 0.2, 0.3, 0.4], [false, false, true, true], false),
        ([0.1, 0.2, 0.3, 0.4], [true, true, false, false], false),
        ([0.1, 0.2, 0.2, 0.4], [false, false, true, true], false),
        ([0.2, 0.2, 0.2, 0.2], [false, true, false, true], false),
        ([0.1, 0.2, 0.3, 0.4], [false, true, false, true], true),
        ([0.0, 0.2, 0.3, 1.0], [true, true, false, false], false),
        ([0.0, 0.2, 0.3, 1.0], [true, false, true, false], true),
        ([0.0, 1e-9, 1.0 - 1e-9, 1.0], [true, false, true, false], true),
    ] {
        let line = calibration_line(&probability, &outcome).expect("both classes are there");
        assert_eq!(line.slope.is_some(), has_slope, "{probability:?} {outcome:?}");
        assert!(line.intercept.is_finite());
    }
}

#[test]
fn cohorts_without_evidence_keep_counts_and_values() {
    let rows = reference();
    let of = |level: &str, keep: &dyn Fn(usize) -> bool| Cohort {
        dimension: "segment".into(),
        level: level.into(),
        rows: (0..120).filter(|&row| keep(row)).collect(),
    };
    let cohorts = [of("none", &|_| false), of("no event", &|row| !rows.y[row]), of("few", &|row| row < 12)];
    let evaluation = rows.evaluate(&cohorts, &EvaluateOptions::default());
    let [none, no_event, few] = [0, 1, 2].map(|at| evaluation.cohorts[at].metrics.clone());

    assert_eq!((none.n, none.n_events, none.base_rate.value, none.log_loss.value), (0, 0, None, None));
    assert_eq!((none.at_k[0].k, none.at_k[0].precision.value), (0, None));
    assert_eq!((no_event.n, no_event.n_events, no_event.base_rate.low), (72, 0, Some(0.0)));
    assert_eq!((no_event.roc_auc.value, no_event.pr_auc.value, no_event.at_k[0].recall.value), (None, None, None));
    assert!(no_event.log_loss.value.is_some() && no_event.log_loss.low.is_none());
    assert!(few.roc_auc.value.is_some() && few.pr_auc.value.is_some() && few.pr_auc.low.is_none());
    assert!([&none, &no_event, &few].iter().all(|metrics| !metrics.enough_evidence));
    assert!(evaluation.overall.enough_evidence && evaluation.overall.pr_auc.low.is_some());
}

/// `DeLong`'s variance is 0 there, which is not certainty.
#[test]
fn a_perfect_ranking_has_no_auc_interval() {
    let scored =
        Scored { probability: &[0.1, 0.2, 0.8, 0.9], outcome: &[false, false, true, true], account: &[1, 2, 3, 4] };
    let auc =
        evaluate(&scored, None, &[], &EvaluateOptions::default(), &Quiet).expect("the rows are sound").overall.roc_auc;
    assert_eq!((auc.value, auc.low, auc.high), (Some(1.0), None, None));
}

#[test]
fn one_account_supports_no_interval_but_the_widest() {
    let mut rows = reference();
    rows.account = vec![7; 120];
    let overall = rows.evaluate(&[], &EvaluateOptions::default()).overall;
    assert_eq!((overall.n_accounts, overall.roc_auc.low, overall.pr_auc.low), (1, None, None));
    let (low, high) = (overall.base_rate.low.expect("always there"), overall.base_rate.high.expect("always there"));
    assert!(low < 0.1 && high > 0.9, "{low} to {high}");
}

#[test]
fn scores_that_rank_alike_differ_by_nothing_for_certain() {
    let rows = reference();
    let logits: Vec<f64> = rows.p.iter().map(|p| (p / (1.0 - p)).ln()).collect();
    let paired = |a: &[f64], b: &[f64], y: &[bool]| paired_auc_difference(a, b, y, &rows.account, 0.95).expect("sound");
    let alike = paired(&rows.p, &logits, &rows.y);
    assert_eq!((alike.difference.low, alike.difference.high, alike.p_value), (Some(0.0), Some(0.0), Some(1.0)));
    let single = paired(&rows.p, &rows.q, &[true; 120]);
    assert_eq!((single.difference.value, single.p_value), (None, None));
}

#[test]
fn refusals_name_the_place_the_value_and_the_rule() {
    let cohort = |rows: &[usize]| Cohort { dimension: "segment".into(), level: "smb".into(), rows: rows.to_vec() };
    let default = EvaluateOptions::default();
    let check = |probability: &[f64],
                 n_others: usize,
                 bands: Option<&[Option<Band>]>,
                 cohorts: &[Cohort],
                 options,
                 message: &str| {
        let (outcome, account) = (vec![true; n_others], vec![0; n_others]);
        let scored = Scored { probability, outcome: &outcome, account: &account };
        let error = evaluate(&scored, bands, cohorts, options, &Quiet).expect_err("refused");
        assert_eq!(error.to_string(), message);
    };
    let half = [0.5, 0.5];
    check(&[], 0, None, &[], &default, "there is no row; an evaluation needs at least one");
    check(&[0.5, f64::NAN], 2, None, &[], &default, "the probability in row 1 is NaN; probabilities must be in 0..=1");
    check(&[-0.1, 0.5], 2, None, &[], &default, "the probability in row 0 is -0.1; probabilities must be in 0..=1");
    check(&[0.5, 1.5], 2, None, &[], &default, "the probability in row 1 is 1.5; probabilities must be in 0..=1");
    check(
        &half,
        3,
        None,
        &[],
        &default,
        "`outcome` has 3 values where `probability` has 2; each row needs one of both",
    );
    let bands = [Some(Band::Red)];
    check(
        &half,
        2,
        Some(&bands),
        &[],
        &default,
        "`bands` has 1 values where `probability` has 2; each row needs one of both",
    );
    let outside = [cohort(&[0, 2])];
    check(&half, 2, None, &outside, &default, "cohort `segment` = `smb` names row 2; there are 2 rows, from 0");
    let twice = [cohort(&[1, 0, 1])];
    check(&half, 2, None, &twice, &default, "cohort `segment` = `smb` names row 1 twice; a row counts once");
    let share = EvaluateOptions { k_shares: vec![0.1, 0.0], ..default.clone() };
    check(&half, 2, None, &[], &share, "`k_shares` is 0; it must be above 0 and at most 1");
    let sure = EvaluateOptions { confidence: 1.0, ..default.clone() };
    check(&half, 2, None, &[], &sure, "`confidence` is 1; it must be above 0 and below 1");
    let no_bin = EvaluateOptions { n_bins: 0, ..default.clone() };
    check(&half, 2, None, &[], &no_bin, "`n_bins` is 0; it must be at least 1");
}

#[test]
fn a_paired_difference_refuses_what_is_no_score() {
    for (b, account, confidence, message) in [
        (&[0.1, f64::NAN][..], &[0, 1][..], 0.95, "score `b` in row 1 is NaN; scores must be numbers"),
        (&[0.1], &[0, 1], 0.95, "`b` has 1 values where `a` has 2; each row needs one of both"),
        (&[0.1, 0.2], &[0], 0.95, "`account` has 1 values where `a` has 2; each row needs one of both"),
        (&[0.1, 0.2], &[0, 1], 0.0, "`confidence` is 0; it must be above 0 and below 1"),
    ] {
        let refused = paired_auc_difference(&[0.1, 0.2], b, &[true, false], account, confidence).expect_err("refused");
        assert_eq!(refused.to_string(), message);
    }
}
