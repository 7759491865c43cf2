//! The guides' metrics on hand-counted cases.

mod common;

use bellwether_core::{Band, Date};
use bellwether_evaluate::guide::{
    BandedSnapshots, Denominator, GuideOptions, Interventions, Reading, Renewals, ScoreHistory, ScoreUse, Verdict,
    Warning, ablation_finding, band_outcomes, intervention_findings, lead_time_findings, renewal_findings,
    score_use_findings, snapshot_findings,
};
use bellwether_evaluate::wilson_interval;

const OPTIONS: GuideOptions = GuideOptions { confidence: 0.95, min_cases: 20 };

/// `n` equal cases each: band, churned, treated. Every case has its own account.
fn snapshots(cases: &[(usize, Band, bool, bool)]) -> (Vec<Band>, Vec<bool>, Vec<bool>, Vec<u32>) {
    let each = || cases.iter().flat_map(|&(n, band, churned, treated)| (0..n).map(move |_| (band, churned, treated)));
    let account = (0..each().count() as u32).collect();
    (each().map(|c| c.0).collect(), each().map(|c| c.1).collect(), each().map(|c| c.2).collect(), account)
}

#[test]
fn red_precision_is_of_the_untreated_and_accuracy_comes_with_its_warning() {
    let (band, churned, treated, account) = snapshots(&[
        (90, Band::Red, true, false),
        (10, Band::Red, false, false),
        (20, Band::Red, false, true),
        (30, Band::Yellow, true, false),
        (25, Band::Green, true, false),
        (825, Band::Green, false, false),
    ]);
    let rows = BandedSnapshots { band: &band, churned: &churned, account: &account, treated: Some(&treated) };
    let found = snapshot_findings(&rows, &OPTIONS).expect("sound");
    let precision = &found.red_precision;
    assert_eq!((precision.estimate.value, precision.n), (Some(0.9), 100));
    assert_eq!(precision.estimate.low.zip(precision.estimate.high), wilson_interval(90, 100, 0.95));
    assert_eq!((precision.verdict, precision.denominator), (Verdict::Met, Denominator::UntreatedRedSnapshots));
    assert_eq!((found.red_churned.estimate.value, found.red_churned.n), (Some(0.75), 120));
    assert_eq!((found.n_churned_green, found.churned_green.n), (25, 145));
    assert_eq!((found.n_red_stayed, found.red_stayed.estimate.value), (10, Some(0.1)));
    assert_eq!((found.accuracy.estimate.value, found.accuracy_of_nobody_churns), (Some(0.915), 0.855));
    assert_eq!((found.accuracy.reading, found.accuracy_gain.verdict), (None, Verdict::Met));

    let unknown = snapshot_findings(&BandedSnapshots { treated: None, ..rows }, &OPTIONS).expect("sound");
    assert_eq!(unknown.red_precision.denominator, Denominator::RedSnapshots);
    assert!(!unknown.treatment_known && unknown.red_precision.verdict == Verdict::NotEnoughEvidence);
}

/// Contradiction 5: at 3 % churn, saying that nobody churns is 97 % accurate.
#[test]
fn a_rare_churn_makes_a_useless_score_accurate() {
    let (band, churned, _, account) =
        snapshots(&[(970, Band::Green, false, false), (25, Band::Green, true, false), (5, Band::Red, true, false)]);
    let rows = BandedSnapshots { band: &band, churned: &churned, account: &account, treated: None };
    let nobody = BandedSnapshots { band: &[Band::Green; 1_000], ..rows };
    let found = snapshot_findings(&nobody, &OPTIONS).expect("sound");
    assert_eq!((found.accuracy.verdict, found.accuracy.estimate.value), (Verdict::Met, Some(0.97)));
    assert_eq!(found.accuracy.reading, Some(Reading::NoBetterThanNobodyChurns));
    assert_eq!((found.red_precision.estimate.value, found.red_precision.verdict), (None, Verdict::NotEnoughEvidence));
    let red = [Band::Red; 1_000];
    let all_red = snapshot_findings(&BandedSnapshots { band: &red, ..rows }, &OPTIONS).expect("sound");
    assert_eq!(
        (all_red.red_precision.verdict, all_red.red_precision.reading),
        (Verdict::NotMet, Some(Reading::WeightsOff))
    );
}

#[test]
fn precision_and_recall_are_per_band_and_outcome() {
    let (band, churned, _, account) = snapshots(&[
        (8, Band::Red, true, false),
        (2, Band::Red, false, false),
        (2, Band::Green, true, false),
        (88, Band::Green, false, false),
    ]);
    let stayed: Vec<bool> = churned.iter().map(|churned| !churned).collect();
    let outcomes: [(&str, &[bool]); 2] = [("churn", &churned), ("retention", &stayed)];
    let found = band_outcomes(&band, &outcomes, &account, &OPTIONS).expect("sound");
    let values: Vec<_> = found
        .iter()
        .map(|of| (of.outcome.as_str(), of.band, of.precision.estimate.value, of.recall.estimate.value))
        .collect();
    assert_eq!(
        values,
        [
            ("churn", Band::Red, Some(0.8), Some(0.8)),
            ("churn", Band::Yellow, None, Some(0.0)),
            ("churn", Band::Green, Some(2.0 / 90.0), Some(0.2)),
            ("retention", Band::Red, Some(0.2), Some(2.0 / 90.0)),
            ("retention", Band::Yellow, None, Some(0.0)),
            ("retention", Band::Green, Some(88.0 / 90.0), Some(88.0 / 90.0)),
        ]
    );
}

/// T-F: 85 % or more, 50 to 70 %, below 30 %.
#[test]
fn renewal_rates_meet_the_guides_by_their_intervals() {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (band, score, renewed, n) in
        [(Band::Red, 20.0, 20, 100), (Band::Yellow, 60.0, 600, 1_000), (Band::Green, 90.0, 88, 100)]
    {
        for at in 0..n {
            columns.0.push(score + f64::from(at % 7));
            columns.1.push(band);
            columns.2.push(at < renewed);
        }
    }
    let account: Vec<u32> = (0..columns.0.len() as u32).collect();
    let renewals = Renewals { score: &columns.0, band: &columns.1, renewed: &columns.2, account: &account };
    let found = renewal_findings(&renewals, &OPTIONS).expect("sound");
    let verdicts: Vec<_> = found.by_band.iter().map(|of| (of.estimate.value, of.verdict)).collect();
    assert_eq!(
        verdicts,
        [(Some(0.2), Verdict::Met), (Some(0.6), Verdict::Met), (Some(0.88), Verdict::NotEnoughEvidence)]
    );
    assert_eq!((found.spearman.verdict, found.point_biserial.verdict), (Verdict::Met, Verdict::Met));
    let turned: Vec<f64> = columns.0.iter().map(|score| 100.0 - score).collect();
    let found = renewal_findings(&Renewals { score: &turned, ..renewals }, &OPTIONS).expect("sound");
    assert_eq!((found.spearman.verdict, found.spearman.reading), (Verdict::NotMet, Some(Reading::WeightsOff)));
}

#[test]
fn intervention_success_reads_good_too_low_and_too_high() {
    for (n_stayed, verdict, reading) in [
        (450, Verdict::Met, Some(Reading::Good)),
        (100, Verdict::NotMet, Some(Reading::PlaybookNeedsWork)),
        (700, Verdict::NotMet, Some(Reading::RedTooAggressive)),
        (300, Verdict::NotMet, None),
        (410, Verdict::NotEnoughEvidence, None),
    ] {
        let n = 1_100;
        let stayed: Vec<bool> = (0..n).map(|at| at < n_stayed || at >= 1_020).collect();
        let treated: Vec<bool> = (0..n).map(|at| at < 1_000).collect();
        let before: Vec<f64> = (0..n).map(|at| f64::from(at % 40)).collect();
        let after: Vec<f64> = (0..n).map(|at| f64::from(at % 40 + if at < 1_000 { at % 20 } else { at % 4 })).collect();
        let account: Vec<u32> = (0..n as u32).collect();
        let band_after: Vec<Band> = (0..n).map(|at| if at % 10 == 0 { Band::Green } else { Band::Red }).collect();
        let cases = Interventions {
            band_before: &[Band::Red; 1_100],
            band_after: &band_after,
            score_before: &before,
            score_after: &after,
            stayed: &stayed,
            treated: &treated,
            account: &account,
        };
        let found = intervention_findings(&cases, &OPTIONS).expect("sound");
        assert_eq!((found.success.verdict, found.success.reading, found.success.n), (verdict, reading, 1_000));
        assert_eq!(found.red_to_green.estimate.value, Some(0.1));
        assert_eq!(found.score_change.estimate.value, Some(9.5));
        assert_eq!(found.score_change_over_untreated.estimate.value, Some(8.0));
        assert_eq!(found.score_change_over_untreated.verdict, Verdict::Met);
    }
}

/// Newcombe (1998), table II, method 10, and the same formula in numpy 2.4.6 where all of the first stayed.
#[test]
fn staying_over_untreated_has_newcombes_interval() {
    for ((stayed, n), (others, n_others), low, high) in [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1.0),
        ((7, 7), (25, 31), -0.1751, 0.3628),
    ] {
        let n_cases = n + n_others;
        let hits: Vec<bool> = (0..n_cases).map(|at| at < stayed || (n..n + others).contains(&at)).collect();
        let treated: Vec<bool> = (0..n_cases).map(|at| at < n).collect();
        let (red, zero) = (vec![Band::Red; n_cases], vec![0.0; n_cases]);
        let account: Vec<u32> = (0..n_cases as u32).collect();
        let cases = Interventions {
            band_before: &red,
            band_after: &red,
            score_before: &zero,
            score_after: &zero,
            stayed: &hits,
            treated: &treated,
            account: &account,
        };
        let found = intervention_findings(&cases, &OPTIONS).expect("sound").stayed_over_untreated.estimate;
        let ends = [found.low, found.high].map(|end| end.expect("an interval"));
        assert!((ends[0] - low).abs() < 1e-4 && (ends[1] - high).abs() < 1e-4, "{stayed} of {n}: {ends:?}");
    }
}

#[test]
fn lead_time_counts_from_the_first_or_from_the_standing_warning() {
    let date = Date::from_days;
    let history = |bands: &[(i32, Band)], churned: Option<i32>| ScoreHistory {
        bands: bands.iter().map(|&(day, band)| (date(day), band)).collect(),
        churned: churned.map(date),
    };
    let (red, yellow, green) = (Band::Red, Band::Yellow, Band::Green);
    let histories = [
        history(&[(0, green), (40, yellow), (80, red), (100, red)], Some(100)),
        history(&[(0, green), (10, yellow), (50, green)], Some(100)),
        history(&[(0, red), (70, yellow)], Some(100)),
        history(&[(0, green)], Some(100)),
        history(&[(0, green), (30, red), (60, green)], None),
        history(&[], Some(100)),
    ];
    let found = lead_time_findings(&histories, &OPTIONS).expect("sound");
    for (warning, days, warned, censored, false_alarms) in [
        (Warning::FirstNotGreen, [0.0, 60.0, 90.0, 100.0], 0.75, 1, 1.0),
        (Warning::FirstRed, [0.0, 0.0, 20.0, 100.0], 0.5, 1, 1.0),
        (Warning::StandingNotGreen, [0.0, 0.0, 60.0, 100.0], 0.5, 1, 0.0),
        (Warning::StandingRed, [0.0, 0.0, 0.0, 20.0], 0.25, 0, 0.0),
    ] {
        let of = found.by_warning.iter().find(|of| of.warning == warning).expect("each is there");
        assert_eq!((of.warned.estimate.value, of.n_censored, of.warned.n), (Some(warned), censored, 4), "{warning:?}");
        assert_eq!(of.median.estimate.value, Some(f64::midpoint(days[1], days[2])), "{warning:?}");
        let counted = |from: f64, to: f64| days.iter().filter(|&&days| days >= from && days < to).count();
        let ends = of.histogram.iter().skip(1).map(|bin| f64::from(bin.from)).chain([f64::INFINITY]);
        let bins: Vec<usize> =
            of.histogram.iter().zip(ends).map(|(bin, end)| counted(f64::from(bin.from), end)).collect();
        assert_eq!(of.histogram.iter().map(|bin| bin.n).collect::<Vec<_>>(), bins, "{warning:?}");
        let share = |least: f64| days.iter().filter(|&&days| days >= least).count() as f64 / 4.0;
        assert_eq!(of.at_least_14.estimate.value, Some(share(14.0)), "{warning:?}");
        assert_eq!(of.at_least_30.estimate.value, Some(share(30.0)), "{warning:?}");
        assert_eq!(of.stayed_and_warned.estimate.value, Some(false_alarms), "{warning:?}");
        assert_eq!(of.median.verdict, Verdict::NotEnoughEvidence);
    }
    for (days, shares, without) in [(90, [0.25, 0.25, 0.5], 1), (30, [0.0, 0.5, 0.5], 1), (2, [0.25, 0.25, 0.5], 1)] {
        let of = found.before.iter().find(|of| of.days == days).expect("each is there");
        let values: Vec<_> = of.shares.iter().filter_map(|share| share.estimate.value).collect();
        assert_eq!((values, of.n_without_score), (shares.to_vec(), without), "{days}");
    }
    let unordered = [history(&[(5, red), (5, green)], None)];
    let refused = lead_time_findings(&unordered, &OPTIONS).expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "the days of history 0 do not rise; each score needs a later day than the one before"
    );
}

/// 40 accounts that turned yellow 5 days before churn, and 40 that stayed green.
#[test]
fn a_score_that_falls_too_late_does_not_meet_14_days() {
    let date = Date::from_days;
    let late = |days| ScoreHistory {
        bands: vec![(date(0), Band::Green), (date(100 - days), Band::Yellow)],
        churned: Some(date(100)),
    };
    let found = lead_time_findings(&vec![late(5); 40], &OPTIONS).expect("sound");
    assert_eq!(found.by_warning[0].median.verdict, Verdict::NotMet);
    let found = lead_time_findings(&vec![late(45); 40], &OPTIONS).expect("sound");
    assert_eq!(found.by_warning[0].median.verdict, Verdict::Met);
    let found = lead_time_findings(&vec![late(1); 40], &OPTIONS).expect("sound");
    assert_eq!(found.before[2].shares[2].reading, Some(Reading::MetricsTooLagging));
}

#[test]
fn score_use_is_shares_and_a_mean_of_what_was_red() {
    let log = ScoreUse {
        referenced: &[true, true, false, true],
        score_driven: &[true, false, false, true],
        response_days: &[1.0, f64::NAN, f64::NAN, 3.0],
        account: &[1, 2, 3, 4],
    };
    let [referenced, driven, response] = score_use_findings(&log, &OPTIONS).expect("sound");
    assert_eq!((referenced.estimate.value, driven.estimate.value), (Some(0.75), Some(0.5)));
    assert_eq!((response.estimate.value, response.n, response.verdict), (Some(2.0), 2, Verdict::NoGoal));
}

#[test]
fn an_added_metric_must_add() {
    let rows = common::book(5, 1_500, 1);
    let find = |with: &[f64], without: &[f64]| {
        ablation_finding("seats", with, without, &rows.y, &rows.account, &OPTIONS).expect("sound").verdict
    };
    assert_eq!(find(&rows.p, &rows.q), Verdict::Met);
    assert_eq!(find(&rows.q, &rows.p), Verdict::NotMet);
    assert_eq!(find(&rows.p, &rows.p), Verdict::NotMet);
}
