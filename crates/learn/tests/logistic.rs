//! Logistic regression against scikit-learn, scipy, statsmodels and linfa-logistic.
//!
//! The reference values are what `benches/peers/logistic_reference.py` prints: scikit-learn 1.9.1 (`newton-cholesky`, which
//! `lbfgs` confirms to 1e-5, and `saga`), scipy 1.17.1 (L-BFGS-B with bounds), statsmodels 0.15.0 (`Logit`).

#[expect(dead_code, reason = "the contract uses the rest")]
mod common;

use bellwether_core::{FeatureMatrix, Quiet};
use bellwether_learn::{
    LearnError, LearnerName, LogisticFit, LogisticReport, LogisticRows, LogisticSettings, Penalty, Settings,
    TrainingRows, WeightOf, fit_logistic, logistic_report, non_negative_logistic, standard_errors,
};
use common::Book;
use proptest::prelude::*;

/// Rows by formula, and what others find on them: coefficients, then the intercept.
struct Set {
    n_rows: usize,
    n_columns: usize,
    c: f64,
    /// L2 with sample weights.
    weighted: &'static [f64],
    /// L2 without.
    plain: &'static [f64],
    /// Half of it L1, a tenth of `c`, with sample weights.
    elastic_net: &'static [f64],
    /// L2 with sample weights and no coefficient below 0.
    non_negative: &'static [f64],
    /// Without a penalty and weights.
    standard_errors: &'static [f64],
    /// The same with groups.
    clustered: &'static [f64],
}

const SETS: [Set; 3] = [
    Set {
        n_rows: 120,
        n_columns: 3,
        c: 1.0,
        weighted: &[1.664_320_113_5, -1.627_161_615_4, 0.220_528_699_83, -1.397_010_835_9],
        plain: &[1.357_723_618_8, -1.340_150_442_2, 0.345_599_176_36, -1.014_016_182_2],
        elastic_net: &[0.853_239_016_71, -0.819_716_989_39, 0.182_763_136_15, -0.990_634_760_12],
        non_negative: &[1.197_267_145_9, 0.0, 0.029_886_416_311, -0.993_422_658_65],
        standard_errors: &[0.402_543_914_64, 0.362_596_368_06, 0.255_878_017_53, 0.326_009_489_51],
        clustered: &[0.395_016_626_83, 0.329_396_634_89, 0.263_200_833_18, 0.323_085_448_52],
    },
    Set {
        n_rows: 400,
        n_columns: 6,
        c: 0.1,
        weighted: &[
            1.120_710_395_5,
            -1.165_945_876_5,
            -0.036_687_487_475,
            -0.053_045_374_013,
            -0.101_181_399_54,
            0.113_891_512_19,
            -0.564_492_377_03,
        ],
        plain: &[
            1.073_159_379_4,
            -1.086_964_309_4,
            0.019_833_534_845,
            -0.082_622_091_559,
            -0.115_889_387_91,
            0.094_730_139_161,
            -0.528_796_553_81,
        ],
        elastic_net: &[0.347_082_538_38, -0.331_276_435_9, 0.0, 0.0, 0.0, 0.091_107_170_355, -0.364_786_055_51],
        non_negative: &[0.912_824_085_77, 0.0, 0.0, 0.0, 0.0, 0.008_790_418_837_2, -0.427_231_442_57],
        standard_errors: &[
            0.212_143_352_32,
            0.179_386_316_52,
            0.121_948_995_47,
            0.119_969_448_86,
            0.140_960_588_62,
            0.136_026_253_23,
            0.146_696_832_74,
        ],
        clustered: &[
            0.237_175_402_33,
            0.132_102_794_3,
            0.116_872_291_81,
            0.102_709_977_95,
            0.146_991_313_66,
            0.167_428_126_6,
            0.122_829_365_49,
        ],
    },
    Set {
        n_rows: 1000,
        n_columns: 10,
        c: 30.0,
        weighted: &[
            1.809_969_616,
            -1.763_318_020_6,
            -0.085_437_181_923,
            -0.090_636_280_402,
            0.055_902_125_646,
            -0.082_165_515_462,
            0.150_881_907_31,
            -0.017_574_920_837,
            -0.087_548_508_912,
            -0.056_274_388_022,
            -0.944_649_756_2,
        ],
        plain: &[
            1.732_946_157_4,
            -1.714_015_472_4,
            -0.015_339_232_892,
            -0.079_245_080_872,
            0.052_395_781_111,
            -0.055_948_270_376,
            0.139_287_630_82,
            0.011_369_901_979,
            -0.055_655_406_128,
            -0.041_054_189_802,
            -0.844_457_994_3,
        ],
        elastic_net: &[
            1.795_791_865_6,
            -1.753_353_837_7,
            -0.084_694_115_509,
            -0.088_613_890_508,
            0.053_481_492_453,
            -0.079_674_669_247,
            0.148_464_879_41,
            -0.016_867_713_731,
            -0.086_234_772_679,
            -0.052_659_871_814,
            -0.939_975_546_05,
        ],
        non_negative: &[
            1.024_623_294_2,
            0.0,
            0.0,
            0.0,
            0.064_070_312_698,
            0.0,
            0.0,
            0.0,
            0.015_940_751_734,
            0.0,
            -0.549_786_436_82,
        ],
        standard_errors: &[
            0.151_145_570_56,
            0.126_447_090_93,
            0.081_801_352_724,
            0.088_329_551_817,
            0.096_787_907_341,
            0.094_045_744_238,
            0.084_115_955_853,
            0.081_660_242_55,
            0.083_989_238_267,
            0.082_962_317_559,
            0.101_962_120_03,
        ],
        clustered: &[
            0.150_089_408_69,
            0.076_493_268_821,
            0.080_562_323_572,
            0.099_021_461_393,
            0.084_664_198_716,
            0.114_200_863_69,
            0.107_598_966_07,
            0.083_571_371_977,
            0.097_648_351_999,
            0.093_288_746_325,
            0.083_023_406_919,
        ],
    },
];

struct Made {
    columns: Vec<Vec<f32>>,
    y: Vec<bool>,
    weights: Vec<f64>,
    group: Vec<u64>,
}

impl Made {
    fn of(set: &Set) -> Self {
        let Set { n_rows: n, n_columns: p, .. } = *set;
        let wave = |row: usize, j: usize| ((row * (7 + 4 * j) + row * row * (3 + j)) % 257) as f32 / 64.0 - 2.0;
        let mut columns: Vec<Vec<f32>> = (0..p).map(|j| (0..n).map(|row| wave(row, j)).collect()).collect();
        columns[p - 1] = (0..n).map(|row| wave(row, p - 1) + wave(row, 0)).collect();
        let noise = |row: usize| ((row * 37 + row * row * 11) % 101) as f32 / 32.0 - 60.0 / 32.0;
        let y = (0..n).map(|row| wave(row, 0) - wave(row, 1) + noise(row) > 0.0).collect();
        let weights = (0..n).map(|row| 0.25 + (row * 13 % 8) as f64 * 0.25).collect();
        Self { columns, y, weights, group: (0..n as u64).map(|row| row * 29 % 23).collect() }
    }

    fn rows(&self) -> LogisticRows<'_> {
        LogisticRows { columns: &self.columns, y: &self.y, weights: None }
    }

    fn weighted(&self) -> LogisticRows<'_> {
        LogisticRows { weights: Some(&self.weights), ..self.rows() }
    }
}

const NO_PENALTY: Penalty = Penalty { strength: 0.0, l1_share: 0.0 };

fn parameters(fit: &LogisticFit) -> Vec<f64> {
    fit.coefficients.iter().copied().chain([fit.intercept]).collect()
}

fn check_close(what: &str, found: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= relative * expected.abs(), "{what}: {found}, not {expected}");
    }
}

fn check_sets(check: impl Fn(&Set, &Made)) {
    for set in &SETS {
        check(set, &Made::of(set));
    }
}

#[test]
fn coefficients_are_those_of_scikit_learn() {
    check_sets(|set, made| {
        for (rows, expected) in [(made.weighted(), set.weighted), (made.rows(), set.plain)] {
            let fit = fit_logistic(&rows, Penalty::l2(set.c)).expect("two classes");
            assert!(fit.converged);
            check_close("L2", &parameters(&fit), expected, 1e-9);
        }
    });
}

#[test]
fn an_elastic_net_is_that_of_saga_with_the_same_zeros() {
    check_sets(|set, made| {
        let penalty = Penalty { strength: 10.0 / set.c, l1_share: 0.5 };
        let fit = fit_logistic(&made.weighted(), penalty).expect("two classes");
        check_close("elastic net", &parameters(&fit), set.elastic_net, 1e-6);
        let errors = standard_errors(&made.weighted(), None, &fit).expect("the same rows");
        assert!(fit.converged && errors.is_none(), "an L1 penalty has no standard error");
    });
}

#[test]
fn non_negative_weights_are_those_of_scipy() {
    check_sets(|set, made| {
        let fit = non_negative_logistic(&made.weighted(), Penalty::l2(set.c)).expect("two classes");
        check_close("non-negative", &parameters(&fit), set.non_negative, 1e-6);
        let errors = standard_errors(&made.weighted(), None, &fit).expect("the same rows");
        assert!(fit.converged && errors.is_none(), "a bound that holds a coefficient has no standard error");
    });
}

#[test]
fn standard_errors_are_those_of_statsmodels() {
    check_sets(|set, made| {
        let fit = fit_logistic(&made.rows(), NO_PENALTY).expect("two classes");
        for (group, expected) in [(None, set.standard_errors), (Some(made.group.as_slice()), set.clustered)] {
            let errors = standard_errors(&made.rows(), group, &fit).expect("the same rows").expect("a free fit");
            let found: Vec<f64> = errors.coefficients.iter().copied().chain([errors.intercept]).collect();
            check_close("standard errors", &found, expected, 1e-8);
        }
    });
}

#[test]
fn one_group_has_no_clustered_error() {
    let made = Made::of(&SETS[0]);
    let fit = fit_logistic(&made.rows(), NO_PENALTY).expect("two classes");
    let one = vec![5; made.y.len()];
    assert_eq!(standard_errors(&made.rows(), Some(&one), &fit).expect("the same rows"), None);
}

#[test]
fn a_weight_is_a_repeated_row() {
    let made = Made::of(&SETS[1]);
    let times = |row: usize| row % 4;
    let repeated: Vec<usize> = (0..made.y.len()).flat_map(|row| std::iter::repeat_n(row, times(row))).collect();
    let columns: Vec<Vec<f32>> =
        made.columns.iter().map(|column| repeated.iter().map(|&row| column[row]).collect()).collect();
    let y: Vec<bool> = repeated.iter().map(|&row| made.y[row]).collect();
    let group: Vec<u64> = repeated.iter().map(|&row| made.group[row]).collect();
    let rows = LogisticRows { columns: &columns, y: &y, weights: None };
    let weights: Vec<f64> = (0..made.y.len()).map(|row| times(row) as f64).collect();
    let weighted = LogisticRows { weights: Some(&weights), ..made.rows() };
    for penalty in [Penalty::l2(1.0), Penalty { strength: 10.0, l1_share: 0.5 }] {
        let [a, b] = [&rows, &weighted].map(|rows| fit_logistic(rows, penalty).expect("two classes"));
        check_close("weights", &parameters(&a), &parameters(&b), 1e-9);
        let errors = |rows, group: &[u64], fit| standard_errors(rows, Some(group), fit).expect("the same rows");
        if let (Some(a), Some(b)) = (errors(&rows, &group, &a), errors(&weighted, &made.group, &b)) {
            check_close("errors of weights", &a.coefficients, &b.coefficients, 1e-9);
        }
    }
}

/// Long enough to begin with a sample of rows.
fn long() -> Made {
    Made::of(&Set { n_rows: 120_000, n_columns: 9, ..SETS[0] })
}

#[test]
fn a_long_table_has_the_same_bits_on_any_number_of_threads() {
    let made = long();
    for penalty in [Penalty::l2(1.0), Penalty { strength: 300.0, l1_share: 0.7 }] {
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
            pool.install(|| {
                let fit = fit_logistic(&made.weighted(), penalty).expect("two classes");
                let errors = standard_errors(&made.weighted(), Some(&made.group), &fit).expect("the same rows");
                (fit, errors)
            })
        };
        let one = on(1);
        assert!(one.0.converged);
        assert_eq!(on(2), one);
        assert_eq!(on(8), one);
    }
}

/// The sample of rows is a start only: at the end the gradient of all rows vanishes.
#[test]
fn a_long_table_ends_where_its_gradient_vanishes() {
    let made = long();
    let fit = fit_logistic(&made.weighted(), Penalty::l2(0.1)).expect("two classes");
    let residual = |row: usize| {
        let values = made.columns.iter().zip(&fit.coefficients).map(|(column, b)| b * f64::from(column[row]));
        let logit = values.sum::<f64>() + fit.intercept;
        made.weights[row] * (bellwether_core::sigmoid(logit) - f64::from(u8::from(made.y[row])))
    };
    for (column, b) in made.columns.iter().zip(&fit.coefficients) {
        let sum: f64 = (0..made.y.len()).map(|row| residual(row) * f64::from(column[row])).sum();
        assert!((sum + 10.0 * b).abs() < 1e-3, "{sum}, {b}");
    }
}

#[test]
fn separable_rows_are_finite_and_said_not_to_converge_without_a_penalty() {
    let mut made = Made::of(&SETS[1]);
    made.y = made.columns[0].iter().map(|&x| x > 0.0).collect();
    let held = fit_logistic(&made.rows(), Penalty::l2(1.0)).expect("two classes");
    assert!(held.converged && held.coefficients[0] > 1.0 && held.coefficients[0] < 100.0, "{held:?}");
    let free = fit_logistic(&made.rows(), NO_PENALTY).expect("two classes");
    assert!(!free.converged && parameters(&free).iter().all(|b| b.is_finite()), "{free:?}");
    assert_eq!(standard_errors(&made.rows(), None, &free).expect("the same rows"), None);
}

#[test]
fn a_constant_column_and_a_copy_change_no_probability() {
    let made = Made::of(&SETS[0]);
    let alone = fit_logistic(&made.rows(), NO_PENALTY).expect("two classes");
    let mut more = made.columns.clone();
    more.extend([vec![3.5; made.y.len()], made.columns[1].clone(), vec![0.0; made.y.len()]]);
    let rows = LogisticRows { columns: &more, ..made.rows() };
    for fit in [fit_logistic, non_negative_logistic] {
        assert!(fit(&rows, Penalty::l2(1.0)).is_ok_and(|fit| fit.converged && fit.coefficients[5] == 0.0));
    }
    let fit = fit_logistic(&rows, NO_PENALTY).expect("two classes");
    assert!(fit.converged);
    for row in 0..made.y.len() {
        let logit = |fit: &LogisticFit, columns: &[Vec<f32>]| {
            let values = columns.iter().zip(&fit.coefficients).map(|(column, b)| b * f64::from(column[row]));
            values.sum::<f64>() + fit.intercept
        };
        assert!((logit(&fit, &more) - logit(&alone, &made.columns)).abs() < 1e-8, "row {row}");
    }
    assert_eq!(standard_errors(&rows, None, &fit).expect("the same rows"), None);
}

#[test]
fn without_columns_the_intercept_is_the_log_odds() {
    let y: Vec<bool> = (0..40).map(|row| row % 4 == 0).collect();
    let rows = LogisticRows { columns: &[], y: &y, weights: None };
    let fit = fit_logistic(&rows, Penalty::l2(1.0)).expect("two classes");
    assert!((fit.intercept + 3.0_f64.ln()).abs() < 1e-12 && fit.converged, "{fit:?}");
}

#[test]
fn wrong_input_is_refused() {
    let made = Made::of(&SETS[0]);
    let fit = |rows: &LogisticRows<'_>| fit_logistic(rows, Penalty::l2(1.0));
    let mut hole = made.columns.clone();
    hole[1][7] = f32::NAN;
    let found = fit(&LogisticRows { columns: &hole, ..made.rows() });
    assert!(matches!(found, Err(LearnError::Value { column: 1, row: 7, .. })), "{found:?}");
    let short = [vec![1.0]];
    let found = fit(&LogisticRows { columns: &short, ..made.rows() });
    assert!(matches!(found, Err(LearnError::Length { what: "columns", found: 1, expected: 120 })), "{found:?}");
    let found = fit(&LogisticRows { weights: Some(&[-1.0; 120]), ..made.rows() });
    assert!(matches!(found, Err(LearnError::Weight { row: 0, .. })), "{found:?}");
    let found = fit(&LogisticRows { weights: Some(&[0.0; 120]), ..made.rows() });
    assert!(matches!(found, Err(LearnError::NoRows)), "{found:?}");
    let found = fit(&LogisticRows { y: &[true; 120], ..made.rows() });
    assert!(matches!(found, Err(LearnError::SingleClass { n_rows: 120, n_positive: 120 })), "{found:?}");
    for (strength, l1_share) in [(-1.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 0.0), (1.0, 1.5), (1.0, -0.1)] {
        let found = fit_logistic(&made.rows(), Penalty { strength, l1_share });
        assert!(matches!(found, Err(LearnError::Penalty { .. })), "{strength}, {l1_share}: {found:?}");
    }
}

proptest! {
    /// The conditions of Karush, Kuhn and Tucker: where a coefficient is free the objective is flat, where it is held at 0
    /// the loss pulls no harder than the L1 penalty holds.
    #[test]
    fn no_way_from_the_fit_leads_down(
        seed in any::<u64>(),
        n_rows in 12_usize..300,
        n_columns in 1_usize..8,
        strength in 0.05_f64..40.0,
        l1_share in prop::sample::select(vec![0.0, 0.3, 1.0]),
        non_negative in any::<bool>(),
    ) {
        let mut random = common::Random(seed);
        let columns: Vec<Vec<f32>> =
            (0..n_columns).map(|_| (0..n_rows).map(|_| random.normal() as f32).collect()).collect();
        let y: Vec<bool> = (0..n_rows).map(|row| row < 2 || (row > 3 && columns[0][row] > random.normal() as f32)).collect();
        let weights: Vec<f64> = (0..n_rows).map(|_| 0.1 + 2.0 * random.unit()).collect();
        let rows = LogisticRows { columns: &columns, y: &y, weights: Some(&weights) };
        let penalty = Penalty { strength, l1_share };
        let fit = if non_negative { non_negative_logistic } else { fit_logistic };
        let fit = fit(&rows, penalty).expect("two classes");
        prop_assert!(fit.converged);
        let residual = |row: usize| {
            let values = columns.iter().zip(&fit.coefficients).map(|(column, b)| b * f64::from(column[row]));
            let p = bellwether_core::sigmoid(values.sum::<f64>() + fit.intercept);
            weights[row] * (p - f64::from(u8::from(y[row])))
        };
        prop_assert!((0..n_rows).map(residual).sum::<f64>().abs() < 1e-4);
        for (column, &b) in columns.iter().zip(&fit.coefficients) {
            let slope: f64 = (0..n_rows).map(|row| residual(row) * f64::from(column[row])).sum();
            let (l1, pull) = (strength * l1_share, slope + strength * (1.0 - l1_share) * b);
            prop_assert!(b >= 0.0 || !non_negative);
            if b == 0.0 {
                prop_assert!(pull >= -l1 - 1e-4 && (non_negative || pull <= l1 + 1e-4), "{pull}, {l1}");
            } else {
                prop_assert!((pull + l1 * b.signum()).abs() < 1e-4, "{pull}, {l1}, {b}");
            }
        }
    }
}

/// The report of the learner `logistic` on `book`.
fn report(book: &Book, logistic: LogisticSettings) -> Result<LogisticReport, LearnError> {
    let (schema, x) = (book.schema(), FeatureMatrix::from_columns(&book.columns).expect("finite columns"));
    let (day, group) = (&book.day, &book.group);
    let rows = TrainingRows { schema: &schema, x: &x, y: &book.y, weights: book.weights.as_deref(), day, group };
    logistic_report(&rows, &Settings { logistic, ..book.settings() }, &Quiet)
}

fn with_c(c: f64) -> LogisticSettings {
    LogisticSettings { c: Some(c), ..LogisticSettings::default() }
}

#[test]
fn the_report_holds_the_model_and_its_errors() {
    let book = Book::made(3000, 21, -0.5);
    let report = report(&book, LogisticSettings::default()).expect("two classes");
    assert_eq!(report.model, book.fit(LearnerName::Logistic));
    let columns: Vec<(usize, WeightOf)> = report.terms.iter().map(|term| (term.feature, term.of)).collect();
    let value = WeightOf::Value;
    assert_eq!(columns, [(0, value), (1, value), (2, value), (2, WeightOf::Missing), (3, value)]);
    // The truth that the book is made with: 2 a - 1.5e6 b + 1.5 where c is missing, and noise.
    for (term, truth) in report.terms.iter().zip([2.0, -1.5e6, 0.0, 1.5, 0.0]) {
        let error = term.standard_error.expect("an L2 penalty");
        assert!((term.weight - truth).abs() < 3.0 * error && error > 0.0, "{term:?}, {truth}");
    }
    let best = report.tried.iter().map(|tried| tried.1).fold(f64::INFINITY, f64::min);
    assert!(report.tried.contains(&(report.penalty.strength, best)), "{:?}", report.tried);
}

#[test]
fn a_given_c_is_taken_and_an_elastic_net_drops_noise() {
    let book = Book::made(1000, 22, -0.5);
    let given = |c, l1_share| LogisticSettings { l1_share, ..with_c(c) };
    let ridge = report(&book, given(0.25, 0.0)).expect("two classes");
    assert_eq!((ridge.penalty, ridge.tried.len()), (Penalty { strength: 4.0, l1_share: 0.0 }, 0));
    let sparse = report(&book, given(0.02, 1.0)).expect("two classes");
    assert_eq!(sparse.terms.last().map(|term| (term.weight, term.standard_error)), Some((0.0, None)));
    assert!(sparse.terms[0].weight > 0.5);
    for broken in [given(0.0, 0.0), given(-1.0, 0.0), given(1.0, 2.0)] {
        assert!(matches!(report(&book, broken), Err(LearnError::Penalty { .. })));
    }
}

/// The sign of a changes after day 200; with weights that fade, the later sign is what is learnt.
#[test]
fn late_rows_count_more_with_a_half_life() {
    let mut book = Book::made(4000, 23, 0.0);
    let late: Vec<bool> = book.day.iter().map(|&day| day > 200).collect();
    book.columns[0].iter_mut().zip(&late).for_each(|(a, &late)| *a = if late { -*a } else { *a });
    let weight = |recency_half_life_days| {
        let settings = LogisticSettings { recency_half_life_days, ..with_c(1.0) };
        report(&book, settings).expect("two classes").terms[0].weight
    };
    assert!(weight(None) > 0.3 && weight(Some(20.0)) < -0.5, "{:?} {:?}", weight(None), weight(Some(20.0)));
    let last = book.day.iter().max().copied().unwrap_or(0);
    let weights = book.day.iter().map(|day| 0.5_f64.powf(f64::from(last - day) / 20.0)).collect();
    let by_hand = Book { weights: Some(weights), ..book.clone() };
    let by_hand = report(&by_hand, with_c(1.0)).expect("two classes");
    assert!((by_hand.terms[0].weight - weight(Some(20.0))).abs() < 1e-9);
    for days in [0.0, -1.0, f64::NAN] {
        let settings = LogisticSettings { recency_half_life_days: Some(days), ..LogisticSettings::default() };
        assert!(matches!(report(&book, settings), Err(LearnError::HalfLife { .. })));
    }
}

/// linfa-logistic stops where its gradient is short, so it agrees in a few digits.
#[test]
fn logits_are_those_of_linfa() {
    let book = Book::made(1000, 24, -0.5);
    let linfa = book.fit(LearnerName::LogisticLinfa);
    let farthest = |strength: f64| {
        let ours = report(&book, with_c(1.0 / strength)).expect("two classes").model;
        book.logits(&ours).iter().zip(book.logits(&linfa)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    // The strengths that linfa's learner chooses from.
    let nearest = [1000.0, 300.0, 100.0, 30.0, 10.0, 1.0].map(farthest).into_iter().fold(f64::INFINITY, f64::min);
    assert!(nearest < 5e-3, "{nearest}");
}
