//! Value, bias, comparison, correlation: reference values and hand-counted cases.
//!
//! ```python
//! # p, q, y as in reference.rs; r = np.round(8 * p) / 8
//! pearsonr(p, y)[0], spearmanr(p, y)[0]                     # scipy 1.17.1
//! multipletests(p_values, method="holm" | "fdr_bh")[1]      # statsmodels 0.15.0
//! confint_proportions_2indep(15, 100, 40, 150, method="newcomb")
//! ```

mod common;

use bellwether_evaluate::value::{Ranking, ValueOptions, Valued, cost_curve, value_at_capacity};
use bellwether_evaluate::{
    BiasMeasure, BiasOptions, BiasVerdict, Cohort, CompareOptions, ComparedBy, ComparisonVerdict, Scored,
    benjamini_hochberg, bias_gaps, compare_models, holm, paired_auc_difference, point_biserial, spearman,
};
use common::{book, near, reference};

#[test]
fn correlations_equal_scipys() {
    let rows = reference();
    let tied: Vec<f64> = rows.p.iter().map(|p| (8.0 * p).round() / 8.0).collect();
    for (score, pearson, rank) in [
        (&rows.p, 0.414_737_445_845_659, 0.415_207_824_740_792_5),
        (&rows.q, 0.079_213_038_595_640_02, 0.078_573_286_064_864_74),
        (&tied, 0.412_103_511_535_316_05, 0.412_129_139_258_248_07),
    ] {
        near(point_biserial(score, &rows.y, &rows.account, 0.95).expect("sound").value, pearson);
        near(spearman(score, &rows.y, &rows.account, 0.95).expect("sound").value, rank);
    }
    let flat = spearman(&[0.5; 120], &rows.y, &rows.account, 0.95).expect("sound");
    assert_eq!((flat.value, spearman(&rows.p, &[true; 120], &rows.account, 0.95).expect("sound").value), (None, None));
}

#[test]
fn corrections_equal_statsmodels() {
    let p_values = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04];
    for (found, expected) in [
        (holm(&p_values), [0.05, 0.12, 0.12, 0.03, 0.2, 0.12]),
        (benjamini_hochberg(&p_values), [0.03, 0.048, 0.048, 0.03, 0.2, 0.048]),
    ] {
        found.into_iter().zip(expected).for_each(|(found, expected)| near(Some(found), expected));
    }
    assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
}

/// 15 of 100 non-events flagged in the level, 40 of 150 in the rest.
#[test]
fn a_gap_of_rates_equals_newcombes_of_statsmodels() {
    let n = 300;
    let inside = |row: usize| row < 125;
    let outcome: Vec<bool> = (0..n).map(|row| matches!(row, 100..125 | 275..300)).collect();
    let flagged: Vec<bool> = (0..n).map(|row| matches!(row, 0..15 | 125..165)).collect();
    let (probability, account): (Vec<f64>, Vec<u32>) = (0..n as u32).map(|row| (f64::from(row) / 300.0, row)).unzip();
    let scored = Scored { probability: &probability, outcome: &outcome, account: &account };
    let cohort =
        Cohort { dimension: "segment".into(), level: "smb".into(), rows: (0..n).filter(|&row| inside(row)).collect() };
    let gaps = bias_gaps(&scored, &flagged, &[cohort], &BiasOptions::default()).expect("sound");
    let gap = gaps.iter().find(|gap| gap.measure == BiasMeasure::FalsePositiveRate).expect("each is there");
    near(gap.of_level, 0.15);
    near(gap.of_rest, 40.0 / 150.0);
    near(gap.difference.low, -0.211_589_023_471_114_36);
    near(gap.difference.high, -0.011_806_808_737_879_995);
    // The interval leaves 0 out just so: the p-value, at whose confidence it would end there, is a little under 0.05.
    assert!(gap.p_value.is_some_and(|p| p > 0.01 && p < 0.05), "{gap:?}");
}

#[test]
fn a_segment_that_the_score_fails_raises_an_alarm_and_the_others_do_not() {
    let mut rows = book(7, 3_000, 1);
    // Of every fifth account the probabilities are another's.
    let other: Vec<f64> = rows.p.clone();
    (0..3_000).filter(|row| row % 5 == 0).for_each(|row| rows.p[row] = other[(row + 1_505) % 3_000]);
    let cohort = |level: usize| Cohort {
        dimension: "fifth".into(),
        level: level.to_string(),
        rows: (0..3_000).filter(|row| row % 5 == level).collect(),
    };
    let tiny = Cohort { dimension: "fifth".into(), level: "tiny".into(), rows: (0..30).collect() };
    let cohorts: Vec<Cohort> = (0..5).map(cohort).chain([tiny]).collect();
    let flagged: Vec<bool> = rows.p.iter().map(|&p| p > 0.5).collect();
    let gaps = bias_gaps(&rows.scored(), &flagged, &cohorts, &BiasOptions::default()).expect("sound");
    for gap in &gaps {
        let failed = gap.level == "0" && gap.measure != BiasMeasure::Calibration;
        match gap.verdict {
            BiasVerdict::NotEnoughEvidence => assert_eq!((gap.level.as_str(), gap.p_value), ("tiny", None)),
            BiasVerdict::Alarm => assert!(gap.level == "0" || gap.measure == BiasMeasure::RocAuc, "{gap:?}"),
            BiasVerdict::NoAlarm => assert!(!failed, "{gap:?}"),
        }
        assert!(gap.p_holm >= gap.p_benjamini_hochberg && gap.p_benjamini_hochberg >= gap.p_value);
    }
}

#[test]
fn a_model_is_compared_on_equal_rows_and_never_with_itself_as_better() {
    let rows = book(11, 2_000, 2);
    let half = Cohort { dimension: "half".into(), level: "first".into(), rows: (0..2_000).collect() };
    let compare = |a: &[f64], b: &[f64]| {
        let scored = Scored { probability: a, outcome: &rows.y, account: &rows.account };
        compare_models(&scored, b, std::slice::from_ref(&half), &CompareOptions::default()).expect("sound")
    };
    let itself = compare(&rows.p, &rows.p);
    for of in itself.overall.iter().chain(&itself.cohorts[0].comparisons) {
        assert_eq!((of.difference.low, of.p_value, of.verdict), (Some(0.0), Some(1.0), ComparisonVerdict::NotWorse));
    }
    let better = compare(&rows.p, &rows.q);
    assert!(better.overall.iter().all(|of| of.verdict == ComparisonVerdict::Superior), "{better:?}");
    let worse = compare(&rows.q, &rows.p);
    assert!(worse.overall.iter().all(|of| of.verdict == ComparisonVerdict::Worse));
    let paired = paired_auc_difference(&rows.p, &rows.q, &rows.y, &rows.account, 0.95).expect("sound").difference;
    assert_eq!((better.overall[0].by, better.overall[0].difference.value), (ComparedBy::RocAuc, paired.value));
    let few = Scored { probability: &rows.p[..40], outcome: &rows.y[..40], account: &rows.account[..40] };
    let few = compare_models(&few, &rows.q[..40], &[], &CompareOptions { min_accounts: 30, ..Default::default() });
    assert!(few.expect("sound").overall.iter().all(|of| of.verdict == ComparisonVerdict::NotEnoughEvidence));
}

#[test]
fn value_at_capacity_is_what_the_first_of_the_ranking_hold() {
    let accounts = Valued {
        probability: &[0.9, 0.5, 0.2, 0.1, 0.05],
        churned: &[true, false, true, false, false],
        arr: &[1_000.0, 50_000.0, 80_000.0, 10_000.0, 5_000.0],
    };
    let options = ValueOptions { contact_cost: 500.0, success_rate: 0.4, ..ValueOptions::default() };
    let report = value_at_capacity(&accounts, &[1, 2, 9], &options).expect("sound");
    let values: Vec<_> =
        report.at_capacity.iter().map(|at| (at.n_contacted, at.n_churned, at.saved.value, at.net.value)).collect();
    // By money at risk: 25,000 (stayed), 16,000 (churned), 1,000 (stayed), 900 (churned), 250.
    assert_eq!(
        values,
        [
            (1, 0, Some(0.0), Some(-500.0)),
            (2, 1, Some(32_000.0), Some(31_000.0)),
            (5, 2, Some(32_400.0), Some(29_900.0))
        ]
    );
    near(Some(report.at_capacity[1].predicted_saved), 0.4 * 41_000.0);
    near(report.at_capacity[1].arr_recall.value, 80.0 / 81.0);
    near(Some(report.at_capacity[1].net_at_random), 0.4 * 0.4 * 81_000.0 - 1_000.0);
    assert!(!report.enough_evidence && report.at_capacity[1].saved.low.is_none());
    assert_eq!((report.gain[0].arr, report.gain[5].arr, report.gain[5].accounts), (0.0, 1.0, 1.0));
    let by_probability = ValueOptions { ranking: Ranking::Probability, ..options };
    let report = value_at_capacity(&accounts, &[1], &by_probability).expect("sound");
    assert_eq!(report.at_capacity[0].saved.value, Some(400.0));
}

#[test]
fn the_best_threshold_costs_least_and_few_contacts_break_a_tie() {
    let accounts = Valued {
        probability: &[0.9, 0.5, 0.2, 0.1],
        churned: &[true, false, true, false],
        arr: &[10_000.0, 10_000.0, 10_000.0, 10_000.0],
    };
    let options = ValueOptions { contact_cost: 1_000.0, success_rate: 0.5, ..ValueOptions::default() };
    let curve = cost_curve(&accounts, &options).expect("sound");
    let costs: Vec<_> = curve.points.iter().map(|point| (point.threshold, point.cost)).collect();
    assert_eq!(costs, [(0.9, 4_000.0), (0.5, 4_250.0), (0.2, 3_250.0), (0.1, 3_500.0)]);
    assert_eq!((curve.cost_of_none, curve.cost_of_all), (5_000.0, 3_500.0));
    assert_eq!((curve.best_threshold.value, curve.best_cost.value), (Some(0.2), Some(3_250.0)));
    assert_eq!((curve.saving.value, curve.break_even_probability), (Some(1_750.0), Some(0.2)));
    let dear = ValueOptions { contact_cost: 1e6, ..options };
    assert!(cost_curve(&accounts, &dear).expect("sound").best_threshold.value > Some(1.0));
}

#[test]
fn value_is_the_same_on_any_number_of_threads() {
    let rows = book(3, 500, 1);
    let arr: Vec<f64> = rows.q.iter().map(|q| 1e4 / q).collect();
    let accounts = Valued { probability: &rows.p, churned: &rows.y, arr: &arr };
    let on = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads start");
        let options = ValueOptions::default();
        pool.install(|| (value_at_capacity(&accounts, &[20, 150], &options).ok(), cost_curve(&accounts, &options).ok()))
    };
    let one = on(1);
    let [few, more] = one.0.as_ref().map(|report| [0, 1].map(|at| report.at_capacity[at])).expect("sound");
    assert!(few.n_churned < 10 && few.saved.value.is_some() && few.saved.low.is_none(), "{few:?}");
    let saved = more.saved;
    assert!(more.n_churned >= 10 && saved.low < saved.value && saved.value < saved.high, "{more:?}");
    assert_eq!(on(4), one);
}

#[test]
fn values_out_of_range_are_refused() {
    let check = |accounts: Valued<'_>, options: ValueOptions, message: &str| {
        assert_eq!(cost_curve(&accounts, &options).expect_err("refused").to_string(), message);
    };
    let sound = Valued { probability: &[0.5], churned: &[true], arr: &[1.0] };
    let default = ValueOptions::default();
    check(Valued { arr: &[f64::NAN], ..sound }, default, "`arr` in row 0 is NaN; it must be a finite number");
    check(Valued { arr: &[-1.0], ..sound }, default, "`arr` in row 0 is -1; it must be 0 or more");
    check(
        Valued { churned: &[], ..sound },
        default,
        "`churned` has 0 values where `probability` has 1; each row needs one of both",
    );
    check(sound, ValueOptions { success_rate: 1.5, ..default }, "`success_rate` is 1.5; it must be from 0 to 1");
    check(sound, ValueOptions { contact_cost: -1.0, ..default }, "`contact_cost` is -1; it must be 0 or more");
}
