//! What all learners promise: one battery, run over each of them under each setting that it knows.

mod common;

use bellwether_core::{FeatureMatrix, FeatureSchema, Model, Outcome, Quiet, sigmoid};
use bellwether_learn::{
    ClassWeight, Directions, LearnError, LearnerName, LogisticSettings, Recipe, Settings, TrainingRows, learner,
};
use common::{Book, Case, Random};

/// What differs, for which learners, and how.
type Variant = (&'static str, &'static [LearnerName], fn(Settings) -> Settings);

const VARIANTS: [Variant; 9] = [
    (
        BALANCED,
        &[
            LearnerName::Scorecard,
            LearnerName::Logistic,
            LearnerName::Tree,
            LearnerName::TreeLinfa,
            LearnerName::Forest,
            LearnerName::Boosted,
        ],
        |settings| Settings { class_weight: ClassWeight::Balanced, ..settings },
    ),
    ("with a given C", &[LearnerName::Logistic, LearnerName::LogisticLinfa], |settings| {
        logistic(settings, |logistic| LogisticSettings { c: Some(0.5), ..logistic })
    }),
    ("with an elastic net", &[LearnerName::Logistic], |settings| {
        logistic(settings, |logistic| LogisticSettings { l1_share: 0.5, ..logistic })
    }),
    ("with a half-life", &[LearnerName::Logistic], |settings| {
        logistic(settings, |logistic| LogisticSettings { recency_half_life_days: Some(400.0), ..logistic })
    }),
    ("with a recipe", &[LearnerName::Boosted], |settings| Settings { recipe: Some(Recipe::USUAL), ..settings }),
    ("without directions", &[LearnerName::Boosted], |settings| Settings {
        directions: Directions::Ignored,
        ..settings
    }),
    (UNSEARCHED, &[LearnerName::Boosted], |settings| Settings { search_seconds: 0.0, ..settings }),
    ("two splits deep", &[LearnerName::Tree, LearnerName::TreeLinfa], |settings| Settings {
        tree_depth: 2,
        ..settings
    }),
    ("of 7 trees", &[LearnerName::Forest], |settings| Settings { forest_trees: 7, ..settings }),
];

const BALANCED: &str = "balanced";
const UNSEARCHED: &str = "without a search";

fn logistic(settings: Settings, change: fn(LogisticSettings) -> LogisticSettings) -> Settings {
    Settings { logistic: change(settings.logistic.clone()), ..settings }
}

fn check_all(check: impl Fn(Case)) {
    LearnerName::ALL.into_iter().chain(LearnerName::REFERENCES).for_each(|name| check(name.into()));
    for (what, names, change) in VARIANTS {
        for &name in names {
            check(Case { name, what, change });
        }
    }
}

fn small() -> Book {
    Book::made(800, 1, -0.5)
}

/// Without days, so that folds are by account.
fn timeless(book: &Book) -> Book {
    Book { day: vec![0; book.n_rows()], ..book.clone() }
}

#[test]
fn weights_of_one_are_no_weights() {
    let plain = small();
    let weighted = Book { weights: Some(vec![1.0; plain.n_rows()]), ..plain.clone() };
    check_all(|case| assert_eq!(weighted.fit(case), plain.fit(case), "{case}"));
}

#[test]
fn a_row_of_weight_zero_is_absent() {
    let book = small();
    let is_in = |row: &usize| !row.is_multiple_of(7);
    let without = book.select(&(0..book.n_rows()).filter(is_in).collect::<Vec<_>>());
    let weights = (0..book.n_rows()).map(|row| f64::from(u8::from(is_in(&row)))).collect();
    let weighted = Book { weights: Some(weights), ..book };
    check_all(|case| assert_eq!(weighted.fit(case), without.fit(case), "{case}"));
}

#[test]
fn a_whole_weight_is_a_repeated_row() {
    let book = small();
    let times = |row: usize| 1 + row % 3;
    let repeated = (0..book.n_rows()).flat_map(|row| std::iter::repeat_n(row, times(row))).collect::<Vec<_>>();
    let weighted = Book { weights: Some((0..book.n_rows()).map(|row| times(row) as f64).collect()), ..book.clone() };
    check_all(|case| assert_eq!(weighted.fit(case), book.select(&repeated).fit(case), "{case}"));
}

#[test]
fn fractional_weights_are_taken_or_refused_by_name() {
    let book = small();
    let weights = (0..book.n_rows()).map(|row| if book.y[row] { 2.5 } else { 0.5 }).collect();
    let weighted = Book { weights: Some(weights), ..book.clone() };
    check_all(|case| match (case.name, weighted.try_fit(case)) {
        (LearnerName::LogisticLinfa, Err(LearnError::WeightsUnsupported { learner, .. })) => {
            assert_eq!(learner, case.name);
        }
        (LearnerName::Scorecard, Ok(model)) => assert_eq!(model, book.fit(case)),
        (_, Ok(model)) => {
            let mean = |model: &Model| book.logits(model).iter().sum::<f64>() / book.n_rows() as f64;
            assert!(mean(&model) > mean(&book.fit(case)) + 0.5, "{case}: weight on the outcome raises its logits");
        }
        (_, Err(error)) => panic!("{case}: {error}"),
    });
}

#[test]
fn bad_weights_are_refused() {
    check_all(|case| {
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let mut book = small();
            book.weights = Some(vec![1.0; book.n_rows()]);
            book.weights.iter_mut().for_each(|weights| weights[3] = bad);
            assert!(matches!(book.try_fit(case), Err(LearnError::Weight { row: 3, .. })), "{case}, {bad}");
        }
    });
}

#[test]
fn lengths_that_differ_are_refused() {
    let book = small();
    check_all(|case| {
        let short_y = Book { y: book.y[1..].to_vec(), ..book.clone() };
        let short_day = Book { day: book.day[1..].to_vec(), ..book.clone() };
        let short_group = Book { group: book.group[1..].to_vec(), ..book.clone() };
        let short_weights = Book { weights: Some(vec![1.0]), ..book.clone() };
        for (what, broken) in [("y", short_y), ("day", short_day), ("group", short_group), ("weights", short_weights)] {
            let error = broken.try_fit(case);
            assert!(
                matches!(&error, Err(LearnError::Length { what: found, .. }) if *found == what),
                "{case}: {error:?}"
            );
        }
        let (schema, x) = (book.schema(), FeatureMatrix::from_columns(&book.columns[..3]).expect("finite columns"));
        let rows =
            TrainingRows { schema: &schema, x: &x, y: &book.y, weights: None, day: &book.day, group: &book.group };
        let fitted = learner(case.name, &(case.change)(book.settings())).and_then(|learner| learner.fit(&rows, &Quiet));
        assert!(matches!(fitted, Err(LearnError::Columns { found: 3, expected: 4 })), "{case}");
    });
}

#[test]
fn one_class_is_refused_with_counts() {
    let book = small();
    check_all(|case| {
        for class in [false, true] {
            let one = Book { y: vec![class; 800], ..book.clone() };
            let n_positive_expected = if class { 800 } else { 0 };
            match one.try_fit(case) {
                Err(LearnError::SingleClass { n_rows: 800, n_positive }) => assert_eq!(n_positive, n_positive_expected),
                other => panic!("{case}: {other:?}"),
            }
        }
    });
}

#[test]
fn one_class_left_by_weights_is_refused() {
    let book = small();
    let weights = book.y.iter().map(|&y| f64::from(u8::from(y))).collect();
    let weighted = Book { weights: Some(weights), ..book };
    check_all(|case| assert!(matches!(weighted.try_fit(case), Err(LearnError::SingleClass { .. })), "{case}"));
}

#[test]
fn no_rows_are_refused() {
    check_all(|case| {
        assert!(matches!(small().select(&[]).try_fit(case), Err(LearnError::NoRows)), "{case}");
        let weightless = Book { weights: Some(vec![0.0; 800]), ..small() };
        assert!(matches!(weightless.try_fit(case), Err(LearnError::NoRows)), "{case}");
    });
}

#[test]
fn the_order_of_rows_does_not_matter() {
    for book in [small(), timeless(&small())] {
        check_all(|case| assert_eq!(book.shuffled(5).fit(case), book.fit(case), "{case}"));
    }
}

#[test]
fn zeros_have_no_sign() {
    let mut book = small();
    book.columns[3].iter_mut().for_each(|x| *x = x.round());
    let mut signed = book.clone();
    let flip = |(row, x): (usize, &mut f32)| *x = if *x == 0.0 && row.is_multiple_of(2) { -0.0 } else { *x };
    signed.columns[3].iter_mut().enumerate().for_each(flip);
    check_all(|case| assert_eq!(signed.fit(case), book.fit(case), "{case}"));
}

#[test]
fn a_refit_is_identical() {
    let book = small();
    check_all(|case| assert_eq!(book.fit(case), book.fit(case), "{case}"));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let book = timeless(&small());
    check_all(|case| {
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
            pool.install(|| book.fit(case))
        };
        let one = on(1);
        assert_eq!(on(2), one, "{case}");
        assert_eq!(on(8), one, "{case}");
    });
}

/// As many rows as make every fit share them among threads.
#[test]
fn the_number_of_threads_does_not_matter_for_a_long_table() {
    let book = timeless(&Book::made(40_000, 21, -2.0));
    let settings = Settings {
        recipe: Some(Recipe::USUAL),
        boosted_trees: 5,
        forest_trees: 5,
        logistic: LogisticSettings { c: Some(1.0), ..LogisticSettings::default() },
        ..book.settings()
    };
    for name in LearnerName::ALL {
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
            pool.install(|| book.try_fit_with(name, &settings).expect("two classes"))
        };
        assert_eq!(on(3), on(1), "{name}");
    }
}

#[test]
fn a_model_survives_json_and_keeps_the_rules() {
    let book = small();
    check_all(|case| {
        let model = book.fit(case);
        assert!(model.validate().is_ok(), "{case}");
        let text = serde_json::to_string(&model).expect("a model is finite");
        assert_eq!(serde_json::from_str::<Model>(&text).ok(), Some(model), "{case}");
    });
}

#[test]
fn a_plain_signal_is_learnt() {
    let (train, fresh) = (Book::made(2000, 2, -0.5), Book::made(2000, 3, -0.5));
    for train in [timeless(&train), train] {
        check_all(|case| {
            let auc = fresh.auc(&train.fit(case));
            assert!(auc > 0.75, "{case}: {auc}");
        });
    }
}

#[test]
fn the_balance_of_classes_does_not_turn_the_model() {
    for offset in [-3.0, 0.0, 3.0] {
        let (train, fresh) = (Book::made(1500, 4, offset), Book::made(1500, 5, offset));
        check_all(|case| {
            let auc = fresh.auc(&train.fit(case));
            assert!(auc > 0.75, "{case}, {offset}: {auc}");
        });
    }
}

#[test]
fn logits_are_about_calibrated() {
    let (train, fresh) = (Book::made(3000, 6, -2.0), Book::made(3000, 7, -2.0));
    check_all(|case| {
        let model = train.fit(case);
        let expected: f64 = fresh.logits(&model).into_iter().map(sigmoid).sum();
        let seen = fresh.y.iter().filter(|&&y| y).count() as f64;
        let ratio = expected / seen;
        assert!(case.name == LearnerName::Scorecard || (0.85..1.15).contains(&ratio), "{case}: {ratio}");
    });
}

#[test]
fn constant_and_missing_columns_change_nothing_and_break_nothing() {
    let mut book = small();
    book.columns.push(vec![3.5; book.n_rows()]);
    book.columns.push(vec![f32::NAN; book.n_rows()]);
    check_all(|case| {
        let model = book.fit(case);
        let logits = book.logits(&model);
        assert!(logits.iter().all(|logit| logit.is_finite()), "{case}");
        for odd in [f32::NAN, -1e30, 1e30] {
            let mut other = book.clone();
            other.columns[4] = vec![odd; book.n_rows()];
            other.columns[5] = vec![odd; book.n_rows()];
            assert_eq!(other.logits(&model), logits, "{case}, {odd}");
        }
    });
}

#[test]
fn one_feature_is_enough() {
    let mut book = small();
    book.columns.truncate(1);
    check_all(|case| assert!(book.auc(&book.fit(case)) > 0.7, "{case}"));
}

#[test]
fn a_constant_only_feature_gives_the_base_rate() {
    let mut book = small();
    book.columns = vec![vec![1.0; book.n_rows()]];
    let n_positive = book.y.iter().filter(|&&y| y).count() as f64;
    let log_odds = (n_positive / (book.n_rows() as f64 - n_positive)).ln();
    check_all(|case| {
        let logit = book.fit(case).logit(&[1.0]);
        assert!(case.name == LearnerName::Scorecard || (logit - log_odds).abs() < 0.1, "{case}: {logit}, {log_odds}");
    });
}

#[test]
fn missing_values_are_learnt_from() {
    let (train, fresh) = (Book::made(3000, 8, -0.5), Book::made(3000, 9, -0.5));
    check_all(|case| {
        let model = train.fit(case);
        let mean_effect = (0..fresh.n_rows()).map(|row| {
            let mut known = fresh.row(row);
            known[2] = 0.0;
            let mut missing = known.clone();
            missing[2] = f32::NAN;
            model.logit(&missing) - model.logit(&known)
        });
        let effect = mean_effect.sum::<f64>() / fresh.n_rows() as f64;
        let expected = match case.name {
            LearnerName::Scorecard => -1e-9..1e-9,
            LearnerName::Tree | LearnerName::TreeLinfa => 0.0..2.0,
            // The first recipe of a search is one for many events, so it holds back.
            LearnerName::Boosted if case.what == UNSEARCHED => 0.1..2.0,
            _ => 0.3..2.0,
        };
        assert!(expected.contains(&effect), "{case}: {effect}");
    });
}

#[test]
fn a_value_missing_for_the_first_time_is_scored_soberly() {
    let (train, fresh) = (Book::made(2000, 10, -0.5), Book::made(500, 11, -0.5));
    check_all(|case| {
        let model = train.fit(case);
        for row in 0..fresh.n_rows() {
            let values = fresh.row(row);
            let probability = |a: f32| {
                let mut values = values.clone();
                values[0] = a;
                sigmoid(model.logit(&values))
            };
            let (low, missing, high) = (probability(-6.0), probability(f32::NAN), probability(6.0));
            assert!(low - 0.2 <= missing && missing <= high + 0.2, "{case}: {missing} outside {low}..{high}");
        }
        let mut nothing_known = vec![f32::NAN; 4];
        assert!(model.logit(&nothing_known).is_finite(), "{case}");
        nothing_known[0] = f32::MAX;
        assert!(model.logit(&nothing_known).is_finite(), "{case}");
    });
}

#[test]
fn infinite_values_never_reach_a_learner() {
    for bad in [f32::INFINITY, f32::NEG_INFINITY] {
        let mut book = small();
        book.columns[1][7] = bad;
        assert!(FeatureMatrix::from_columns(&book.columns).is_err());
    }
}

#[test]
fn the_order_of_features_does_not_matter_much() {
    let (train, fresh) = (Book::made(2000, 15, -0.5), Book::made(2000, 16, -0.5));
    let turned = |book: &Book| {
        // Those that the scorecard reads stay where it looks for them.
        let columns = [0, 1, 3, 2].map(|column| book.columns[column].clone());
        Book { columns: columns.to_vec(), ..book.clone() }
    };
    check_all(|case| {
        let (plain, turned) = (fresh.auc(&train.fit(case)), turned(&fresh).auc(&turned(&train).fit(case)));
        assert!((plain - turned).abs() < 0.02, "{case}: {plain}, {turned}");
    });
}

#[test]
fn rows_that_contradict_each_other_have_the_rate_of_all_of_them() {
    // Two kinds of rows, of which 3 of 10 and 7 of 10 have the outcome.
    let mut book = small();
    let kind = |row: usize| row / 10 % 2;
    let rate = [0.3, 0.7];
    book.columns.iter_mut().for_each(|column| *column = (0..800).map(|row| kind(row) as f32).collect());
    book.columns[1].iter_mut().for_each(|x| *x *= -1e-6);
    book.y = (0..800).map(|row| row % 10 < if kind(row) == 0 { 3 } else { 7 }).collect();
    check_all(|case| {
        let model = book.fit(case);
        for row in [0, 10] {
            let (found, expected) = (sigmoid(model.logit(&book.row(row))), rate[kind(row)]);
            let near = (found - expected).abs() < 0.06 || case.name == LearnerName::Scorecard;
            assert!(near, "{case}: {found}, not {expected}");
        }
    });
}

/// A threshold in f64 between neighbouring f32 values is one of them in f32.
#[test]
fn neighbouring_values_are_parted() {
    let mut book = small();
    let value = |row: usize| if row.is_multiple_of(2) { 0.1_f32 } else { 0.1_f32.next_up() };
    book.columns = vec![(0..800).map(value).collect()];
    book.y = (0..800_usize).map(|row| row.is_multiple_of(2) == row.is_multiple_of(9)).collect();
    check_all(|case| {
        let logits = [value(0), value(1)].map(|x| book.fit(case).logit(&[x]));
        let parted = logits[1] > logits[0] + 1.0;
        // A scorecard's indicator is far wider.
        assert!(parted || case.name == LearnerName::Scorecard, "{case}: {logits:?}");
    });
}

#[test]
fn few_rows_still_give_a_model() {
    for n in [2, 5, 12, 40] {
        let mut book = Book::made(n, 12, 0.0);
        book.y.iter_mut().enumerate().for_each(|(row, y)| *y = row.is_multiple_of(2));
        check_all(|case| assert!(book.logits(&book.fit(case)).iter().all(|logit| logit.is_finite()), "{case}, {n}"));
    }
}

#[test]
fn separable_rows_give_finite_logits() {
    let mut book = small();
    book.y = book.columns[0].iter().map(|&a| a > 0.0).collect();
    check_all(|case| {
        let model = book.fit(case);
        assert!(model.validate().is_ok() && book.auc(&model) > 0.9, "{case}");
    });
}

#[test]
fn wild_scales_are_survived() {
    let mut book = small();
    let mut random = Random(13);
    book.columns.push((0..book.n_rows()).map(|_| (random.normal() * 1e37) as f32).collect());
    book.columns.push((0..book.n_rows()).map(|_| (random.normal() * 1e-38) as f32).collect());
    book.columns.push((0..book.n_rows()).map(|_| 16_777_216.0 + random.normal().round() as f32 * 2.0).collect());
    check_all(|case| {
        let model = book.fit(case);
        assert!(model.validate().is_ok(), "{case}");
        assert!(book.logits(&model).iter().all(|logit| logit.is_finite()) && book.auc(&model) > 0.75, "{case}");
    });
}

#[test]
fn every_step_of_progress_ends_with_all_its_units() {
    use std::sync::atomic::{AtomicU64, Ordering};
    #[derive(Default)]
    struct Count {
        open: AtomicU64,
        left: AtomicU64,
    }
    impl bellwether_core::Progress for Count {
        fn begin(&self, what: &str, total: u64) {
            assert!(!what.is_empty() && self.open.fetch_add(1, Ordering::SeqCst) == 0);
            self.left.store(total, Ordering::SeqCst);
        }
        fn advance(&self, units: u64) {
            assert!(self.left.fetch_sub(units, Ordering::SeqCst) >= units);
        }
        fn end(&self) {
            assert_eq!((self.open.fetch_sub(1, Ordering::SeqCst), self.left.load(Ordering::SeqCst)), (1, 0));
        }
    }
    let book = small();
    let (schema, x) = (book.schema(), FeatureMatrix::from_columns(&book.columns).expect("finite columns"));
    let rows = TrainingRows { schema: &schema, x: &x, y: &book.y, weights: None, day: &book.day, group: &book.group };
    check_all(|case| {
        let count = Count::default();
        let fitted = learner(case.name, &(case.change)(book.settings())).and_then(|learner| learner.fit(&rows, &count));
        assert!(fitted.is_ok() && count.open.load(Ordering::SeqCst) == 0, "{case}");
    });
}

#[test]
fn a_model_reads_the_features_of_its_schema() {
    let book = small();
    let schema: FeatureSchema = book.schema();
    check_all(|case| assert_eq!(book.fit(case).n_features(), schema.len(), "{case}"));
}

#[test]
fn boosted_logits_follow_the_declared_directions_unless_told_otherwise() {
    // High values of feature 0 are declared bad and those of feature 1 good; the labels say nothing of the kind.
    let mut book = Book::made(2000, 14, 0.0);
    book.y = book.columns[0].iter().zip(&book.columns[1]).map(|(a, b)| (a * 3.0).sin() + 1e6 * b > 0.0).collect();
    let curve = |model: &Model, row: usize, feature: usize, step: f32| -> Vec<f64> {
        let at = |k: i16| {
            let mut values = book.row(row);
            values[feature] = f32::from(k) * step;
            model.logit(&values)
        };
        (-30..=30).map(at).collect()
    };
    for outcome in Outcome::ALL {
        let settings = Settings { outcome, directions: Directions::Declared, ..book.settings() };
        let model = book.try_fit_with(LearnerName::Boosted, &settings).expect("two classes");
        let free = Settings { directions: Directions::Ignored, ..settings };
        let free = book.try_fit_with(LearnerName::Boosted, &free).expect("two classes");
        let sign = if outcome.is_good() { -1.0 } else { 1.0 };
        for (feature, step, direction) in [(0, 0.1_f32, sign), (1, 1e-7, -sign)] {
            let follows = |model: &Model, row: usize| {
                curve(model, row, feature, step).into_iter().map(|logit| logit * direction).is_sorted()
            };
            assert!((0..200).all(|row| follows(&model, row)), "{outcome:?}, feature {feature}");
            // The labels rise and fall with feature 0.
            assert!(feature == 1 || (0..200).any(|row| !follows(&free, row)), "{outcome:?}");
        }
    }
}

/// Balanced weights change what a fit looks at, not what its probabilities mean.
#[test]
fn balanced_classes_keep_the_base_rate_and_the_ranking() {
    let (train, fresh) = (Book::made(6000, 17, -5.0), Book::made(6000, 18, -5.0));
    let n_positive = train.y.iter().filter(|&&y| y).count() as f64;
    assert!(n_positive / 6000.0 < 0.1);
    check_all(|case| {
        if case.what == BALANCED && case.name != LearnerName::Scorecard {
            let (plain, balanced) = (train.fit(case.name), train.fit(case));
            assert_ne!(plain, balanced, "{case}");
            let expected: f64 = train.logits(&balanced).into_iter().map(sigmoid).sum();
            // What holds boosted logits back pulls them to even odds, whose correction is below the base rate.
            let most = if case.name == LearnerName::Boosted { 0.2 } else { 0.1 };
            assert!((expected / n_positive - 1.0).abs() < most, "{case}: {expected} of {n_positive}");
            let (plain, balanced) = (fresh.auc(&plain), fresh.auc(&balanced));
            assert!((plain - balanced).abs() < 0.02, "{case}: {plain}, {balanced}");
        }
    });
}
