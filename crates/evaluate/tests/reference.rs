//! Values of scikit-learn 1.9.1, statsmodels 0.15.0, scipy 1.17.1 and numpy 2.4.6 on 120 rows with ties.
//!
//! ```python
//! i = np.arange(120)
//! p = ((i * 37) % 101 + 1) / 103
//! q = ((i * 53) % 97 + 1) / 99
//! y = ((i * 29) % 83 < 83 * p * 0.8).astype(int)
//! c = (i * 7) % 30 // (1 + i % 2)                                        # 22 accounts
//! roc_auc_score(y, p), average_precision_score(y, p), log_loss(y, p), brier_score_loss(y, p)
//! x = np.log(p) - np.log1p(-p)
//! Logit(y, add_constant(x)).fit(method="newton", tol=1e-14).params[1]                             # slope
//! GLM(y, np.ones((120, 1)), family=Binomial(), offset=x).fit(tol=1e-14).params[0]                 # intercept
//! t, f = calibration_curve(y, p, n_bins=k, strategy=s); (n_of_bins * abs(t - f)).sum() / 120      # ECE
//! proportion_confint(n_events, n, 1 - confidence, "wilson")
//! cut = np.sort(p)[::-1][k - 1]; above, tie = p > cut, p == cut                                   # precision at k
//! (y[above].sum() + (k - above.sum()) * y[tie].mean()) / k
//! r = y.mean(); v = OLS(y, np.ones(120)).fit(cov_type="cluster", cov_kwds={"groups": c, "use_correction": False})
//! neff = r * (1 - r) / (v.cov_params()[0, 0] * 22 / 21) * (norm.ppf(.975) / t.ppf(.975, 21)) ** 2
//! proportion_confint(r * neff, neff, .05, "wilson")                                               # by account
//! ```

mod common;

use bellwether_core::Quiet;
use bellwether_evaluate::{
    Binning, EvaluateOptions, Scored, auc_variance, average_precision, brier_score, calibration_line, evaluate,
    expected_calibration_error, log_loss, paired_auc_difference, point_biserial, roc_auc, wilson_interval,
};
use common::{near, reference};

#[test]
fn scores_equal_scikit_learn() {
    let rows = reference();
    for (probability, auc, precision, loss, brier) in [
        (&rows.p, 0.744_646_990_740_740_8, 0.644_727_614_743_480_1, 0.645_978_286_259_618_7, 0.213_002_325_069_909_18),
        (&rows.q, 0.546_296_296_296_296_3, 0.456_936_735_673_416_6, 0.880_392_220_493_851_1, 0.306_444_070_332_959_23),
    ] {
        near(roc_auc(probability, &rows.y), auc);
        near(average_precision(probability, &rows.y), precision);
        near(log_loss(probability, &rows.y), loss);
        near(brier_score(probability, &rows.y), brier);
    }
}

#[test]
fn calibration_error_equals_scikit_learns_curve() {
    let rows = reference();
    for (binning, n_bins, of_p, of_q) in [
        (Binning::Quantile, 7, 0.117_071_197_411_003_2, 0.253_114_478_114_478_1),
        (Binning::Quantile, 10, 0.116_747_572_815_533_93, 0.261_363_636_363_636_35),
        (Binning::EqualWidth, 7, 0.117_071_197_411_003_18, 0.250_757_575_757_575_73),
        (Binning::EqualWidth, 10, 0.116_747_572_815_533_98, 0.225),
    ] {
        near(expected_calibration_error(&rows.p, &rows.y, n_bins, binning), of_p);
        near(expected_calibration_error(&rows.q, &rows.y, n_bins, binning), of_q);
    }
}

#[test]
fn calibration_line_equals_statsmodels() {
    let rows = reference();
    for (probability, slope, intercept) in [
        (&rows.p, 0.566_748_991_685_876_3, -0.528_987_399_614_114_5),
        (&rows.q, 0.122_586_891_466_819_09, -0.512_643_882_317_401_5),
    ] {
        let line = calibration_line(probability, &rows.y).expect("both classes are there");
        near(line.slope, slope);
        near(Some(line.intercept), intercept);
    }
}

#[test]
fn wilson_equals_statsmodels() {
    for (n_events, n, confidence, low, high) in [
        (0, 10, 0.95, 0.0, 0.277_532_799_862_889_2),
        (3, 10, 0.95, 0.107_791_267_406_300_99, 0.603_221_852_538_854_6),
        (10, 10, 0.95, 0.722_467_200_137_110_7, 1.0),
        (37, 1_000, 0.99, 0.024_426_002_114_063_73, 0.055_677_416_586_490_99),
        (1, 200_000, 0.9, 1.115_461_894_041_146_1e-6, 2.241_193_710_443_417e-5),
    ] {
        let ends = wilson_interval(n_events, n, confidence);
        near(ends.map(|ends| ends.0), low);
        near(ends.map(|ends| ends.1), high);
    }
    for undefined in [
        wilson_interval(0, 0, 0.95),
        wilson_interval(2, 1, 0.95),
        wilson_interval(1, 2, 1.0),
        wilson_interval(1, 2, 0.0),
    ] {
        assert_eq!(undefined, None);
    }
}

/// The components by all pairs in numpy: `K = (e > n) + .5 * (e == n)` over events `e` and non-events `n`, `np.cov` of
/// `K.mean(1)` and of `K.mean(0)`; by account, the sums of Obuchowski (1997). `norm.sf` for p.
#[test]
fn auc_variance_equals_the_papers() {
    let rows = reference();
    let each_its_own: Vec<u32> = (0..120).collect();
    for (account, variance, of_difference, p_value) in [
        (&each_its_own, 0.002_166_813_204_954_520_4, 0.004_465_805_319_768_914, 0.002_996_114_962_281_866),
        (&rows.account, 0.002_433_356_466_227_763_2, 0.003_981_502_384_027_186, 0.001_669_537_493_402_325_3),
    ] {
        let z = 1.959_963_984_540_054;
        near(auc_variance(&rows.p, &rows.y, account).expect("the rows are sound"), variance);

        let paired = paired_auc_difference(&rows.p, &rows.q, &rows.y, account, 0.95).expect("the rows are sound");
        near(paired.difference.value, 0.198_350_694_444_444_42);
        near(paired.difference.low, 0.198_350_694_444_444_42 - z * f64::sqrt(of_difference));
        near(paired.p_value, p_value);
    }
}

/// `expit(logit(auc) -+ t.ppf(.975, k - 1) * sd / (auc * (1 - auc)))` with the variances above; the rarer class has `k` accounts.
#[test]
fn auc_interval_is_students_on_the_logit() {
    let rows = reference();
    let each_its_own: Vec<u32> = (0..120).collect();
    for (account, low, high) in [
        (&each_its_own, 0.640_556_491_151_555, 0.826_747_086_235_934_2),
        (&rows.account, 0.627_219_638_280_129_4, 0.834_825_369_618_899_7),
    ] {
        let scored = Scored { probability: &rows.p, outcome: &rows.y, account };
        let options = EvaluateOptions { n_bootstrap: 0, ..EvaluateOptions::default() };
        let auc = evaluate(&scored, None, &[], &options, &Quiet).expect("the rows are sound").overall.roc_auc;
        near(auc.low, low);
        near(auc.high, high);
    }
}

#[test]
fn shares_by_account_equal_statsmodels() {
    let rows = reference();
    let scored = Scored { probability: &rows.p, outcome: &rows.y, account: &rows.account };
    let overall =
        evaluate(&scored, None, &[], &EvaluateOptions::default(), &Quiet).expect("the rows are sound").overall;
    assert_eq!((overall.n, overall.n_accounts, overall.n_events), (120, 22, 48));
    near(overall.base_rate.value, 0.4);
    near(overall.base_rate.low, 0.285_566_597_813_594);
    near(overall.base_rate.high, 0.526_496_230_540_124_6);
}

#[test]
fn precision_at_k_equals_numpy() {
    let rows = reference();
    let options = EvaluateOptions { k_shares: vec![0.05, 0.1, 0.2], ..EvaluateOptions::default() };
    for (probability, precision) in
        [(&rows.p, [5.0 / 6.0, 0.75, 17.0 / 24.0]), (&rows.q, [1.0 / 3.0, 0.5, 10.0 / 24.0])]
    {
        let scored = Scored { probability, outcome: &rows.y, account: &rows.account };
        let overall = evaluate(&scored, None, &[], &options, &Quiet).expect("the rows are sound").overall;
        for ((at_k, precision), k) in overall.at_k.iter().zip(precision).zip([6, 12, 24]) {
            assert_eq!(at_k.k, k);
            near(at_k.precision.value, precision);
            near(at_k.recall.value, precision * k as f64 / 48.0);
            near(at_k.lift.value, precision / 0.4);
        }
    }
}

/// `j = [np.corrcoef(p[c != g], y[c != g])[0, 1] for g in np.unique(c)]; d = 21 / 22 * (np.mean(j) - j)`; on `arctanh`, Student's
/// with `np.sqrt(17 / 16 * (d ** 2).sum())` and 16 degrees of freedom: 17 accounts have events, as many non-events.
#[test]
fn point_biserials_interval_is_the_jackknifes() {
    let rows = reference();
    let of = point_biserial(&rows.p, &rows.y, &rows.account, 0.95).expect("the rows are sound");
    near(of.low, 0.211_144_173_001_372_36);
    near(of.high, 0.583_840_791_252_473_3);
}

/// Differences of `average_precision_score` in each account's `sample_weight`, by four points, over the others' share of events;
/// on the logit, Student's with 12 degrees of freedom, as 13 accounts of one event each would say as much.
#[test]
fn average_precisions_interval_is_its_slopes() {
    let rows = reference();
    let of = rows.evaluate(&[], &EvaluateOptions::default()).overall.pr_auc;
    for (end, expected) in [(of.low, 0.430_414_353_912_754_3), (of.high, 0.813_368_335_114_446_8)] {
        let end = end.expect("there is an interval");
        assert!((end - expected).abs() < 1e-9, "{end} is not {expected}");
    }
}
