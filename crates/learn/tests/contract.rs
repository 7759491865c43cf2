//! What all learners promise: one battery, run over each of them.

mod common;

use bellwether_core::{FeatureMatrix, FeatureSchema, Model, Outcome, Quiet, sigmoid};
use bellwether_learn::{Directions, LearnError, LearnerName, Recipe, Settings, TrainingRows, learner};
use common::{Book, Random};

fn check_all(check: impl Fn(LearnerName)) {
    LearnerName::ALL.into_iter().chain(LearnerName::REFERENCES).for_each(check);
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
    check_all(|name| assert_eq!(weighted.fit(name), plain.fit(name), "{name}"));
}

#[test]
fn a_row_of_weight_zero_is_absent() {
    let book = small();
    let is_in = |row: &usize| !row.is_multiple_of(7);
    let without = book.select(&(0..book.n_rows()).filter(is_in).collect::<Vec<_>>());
    let weights = (0..book.n_rows()).map(|row| f64::from(u8::from(is_in(&row)))).collect();
    let weighted = Book { weights: Some(weights), ..book };
    check_all(|name| assert_eq!(weighted.fit(name), without.fit(name), "{name}"));
}

#[test]
fn a_whole_weight_is_a_repeated_row() {
    let book = small();
    let times = |row: usize| 1 + row % 3;
    let repeated = (0..book.n_rows()).flat_map(|row| std::iter::repeat_n(row, times(row))).collect::<Vec<_>>();
    let weighted = Book { weights: Some((0..book.n_rows()).map(|row| times(row) as f64).collect()), ..book.clone() };
    check_all(|name| assert_eq!(weighted.fit(name), book.select(&repeated).fit(name), "{name}"));
}

#[test]
fn fractional_weights_are_taken_or_refused_by_name() {
    let book = small();
    let weights = (0..book.n_rows()).map(|row| if book.y[row] { 2.5 } else { 0.5 }).collect();
    let weighted = Book { weights: Some(weights), ..book.clone() };
    check_all(|name| match (name, weighted.try_fit(name)) {
        (LearnerName::LogisticLinfa, Err(LearnError::WeightsUnsupported { learner, .. })) => assert_eq!(learner, name),
        (LearnerName::Scorecard, Ok(model)) => assert_eq!(model, book.fit(name)),
        (_, Ok(model)) => {
            let mean = |model: &Model| book.logits(model).iter().sum::<f64>() / book.n_rows() as f64;
            assert!(mean(&model) > mean(&book.fit(name)) + 0.5, "{name}: weight on the outcome raises its logits");
        }
        (_, Err(error)) => panic!("{name}: {error}"),
    });
}

#[test]
fn bad_weights_are_refused() {
    check_all(|name| {
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let mut book = small();
            book.weights = Some(vec![1.0; book.n_rows()]);
            book.weights.iter_mut().for_each(|weights| weights[3] = bad);
            assert!(matches!(book.try_fit(name), Err(LearnError::Weight { row: 3, .. })), "{name}, {bad}");
        }
    });
}

#[test]
fn lengths_that_differ_are_refused() {
    let book = small();
    check_all(|name| {
        let short_y = Book { y: book.y[1..].to_vec(), ..book.clone() };
        let short_day = Book { day: book.day[1..].to_vec(), ..book.clone() };
        let short_group = Book { group: book.group[1..].to_vec(), ..book.clone() };
        let short_weights = Book { weights: Some(vec![1.0]), ..book.clone() };
        for (what, broken) in [("y", short_y), ("day", short_day), ("group", short_group), ("weights", short_weights)] {
            let error = broken.try_fit(name);
            assert!(
                matches!(&error, Err(LearnError::Length { what: found, .. }) if *found == what),
                "{name}: {error:?}"
            );
        }
        let (schema, x) = (book.schema(), FeatureMatrix::from_columns(&book.columns[..3]).expect("finite columns"));
        let rows =
            TrainingRows { schema: &schema, x: &x, y: &book.y, weights: None, day: &book.day, group: &book.group };
        let fitted = learner(name, &book.settings()).and_then(|learner| learner.fit(&rows, &Quiet));
        assert!(matches!(fitted, Err(LearnError::Columns { found: 3, expected: 4 })), "{name}");
    });
}

#[test]
fn one_class_is_refused_with_counts() {
    let book = small();
    check_all(|name| {
        for class in [false, true] {
            let one = Book { y: vec![class; 800], ..book.clone() };
            let n_positive_expected = if class { 800 } else { 0 };
            match one.try_fit(name) {
                Err(LearnError::SingleClass { n_rows: 800, n_positive }) => assert_eq!(n_positive, n_positive_expected),
                other => panic!("{name}: {other:?}"),
            }
        }
    });
}

#[test]
fn one_class_left_by_weights_is_refused() {
    let book = small();
    let weights = book.y.iter().map(|&y| f64::from(u8::from(y))).collect();
    let weighted = Book { weights: Some(weights), ..book };
    check_all(|name| assert!(matches!(weighted.try_fit(name), Err(LearnError::SingleClass { .. })), "{name}"));
}

#[test]
fn no_rows_are_refused() {
    check_all(|name| {
        assert!(matches!(small().select(&[]).try_fit(name), Err(LearnError::NoRows)), "{name}");
        let weightless = Book { weights: Some(vec![0.0; 800]), ..small() };
        assert!(matches!(weightless.try_fit(name), Err(LearnError::NoRows)), "{name}");
    });
}

#[test]
fn the_order_of_rows_does_not_matter() {
    for book in [small(), timeless(&small())] {
        check_all(|name| assert_eq!(book.shuffled(5).fit(name), book.fit(name), "{name}"));
    }
}

#[test]
fn zeros_have_no_sign() {
    let mut book = small();
    book.columns[3].iter_mut().for_each(|x| *x = x.round());
    let mut signed = book.clone();
    let flip = |(row, x): (usize, &mut f32)| *x = if *x == 0.0 && row.is_multiple_of(2) { -0.0 } else { *x };
    signed.columns[3].iter_mut().enumerate().for_each(flip);
    check_all(|name| assert_eq!(signed.fit(name), book.fit(name), "{name}"));
}

#[test]
fn a_refit_is_identical() {
    let book = small();
    check_all(|name| assert_eq!(book.fit(name), book.fit(name), "{name}"));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let book = timeless(&small());
    check_all(|name| {
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
            pool.install(|| book.fit(name))
        };
        let one = on(1);
        assert_eq!(on(2), one, "{name}");
        assert_eq!(on(8), one, "{name}");
    });
}

#[test]
fn a_model_survives_json_and_keeps_the_rules() {
    let book = small();
    check_all(|name| {
        let model = book.fit(name);
        assert!(model.validate().is_ok(), "{name}");
        let text = serde_json::to_string(&model).expect("a model is finite");
        assert_eq!(serde_json::from_str::<Model>(&text).ok(), Some(model), "{name}");
    });
}

#[test]
fn a_plain_signal_is_learnt() {
    let (train, fresh) = (Book::made(2000, 2, -0.5), Book::made(2000, 3, -0.5));
    for train in [timeless(&train), train] {
        check_all(|name| {
            let auc = fresh.auc(&train.fit(name));
            assert!(auc > 0.75, "{name}: {auc}");
        });
    }
}

#[test]
fn the_balance_of_classes_does_not_turn_the_model() {
    for offset in [-3.0, 0.0, 3.0] {
        let (train, fresh) = (Book::made(1500, 4, offset), Book::made(1500, 5, offset));
        check_all(|name| {
            let auc = fresh.auc(&train.fit(name));
            assert!(auc > 0.75, "{name}, {offset}: {auc}");
        });
    }
}

#[test]
fn logits_are_about_calibrated() {
    let (train, fresh) = (Book::made(3000, 6, -2.0), Book::made(3000, 7, -2.0));
    check_all(|name| {
        let model = train.fit(name);
        let expected: f64 = fresh.logits(&model).into_iter().map(sigmoid).sum();
        let seen = fresh.y.iter().filter(|&&y| y).count() as f64;
        let ratio = expected / seen;
        assert!(name == LearnerName::Scorecard || (0.85..1.15).contains(&ratio), "{name}: {ratio}");
    });
}

#[test]
fn constant_and_missing_columns_change_nothing_and_break_nothing() {
    let mut book = small();
    book.columns.push(vec![3.5; book.n_rows()]);
    book.columns.push(vec![f32::NAN; book.n_rows()]);
    check_all(|name| {
        let model = book.fit(name);
        let logits = book.logits(&model);
        assert!(logits.iter().all(|logit| logit.is_finite()), "{name}");
        for odd in [f32::NAN, -1e30, 1e30] {
            let mut other = book.clone();
            other.columns[4] = vec![odd; book.n_rows()];
            other.columns[5] = vec![odd; book.n_rows()];
            assert_eq!(other.logits(&model), logits, "{name}, {odd}");
        }
    });
}

#[test]
fn one_feature_is_enough() {
    let mut book = small();
    book.columns.truncate(1);
    check_all(|name| assert!(book.auc(&book.fit(name)) > 0.7, "{name}"));
}

#[test]
fn a_constant_only_feature_gives_the_base_rate() {
    let mut book = small();
    book.columns = vec![vec![1.0; book.n_rows()]];
    let n_positive = book.y.iter().filter(|&&y| y).count() as f64;
    let log_odds = (n_positive / (book.n_rows() as f64 - n_positive)).ln();
    check_all(|name| {
        let logit = book.fit(name).logit(&[1.0]);
        assert!(name == LearnerName::Scorecard || (logit - log_odds).abs() < 0.1, "{name}: {logit}, {log_odds}");
    });
}

#[test]
fn missing_values_are_learnt_from() {
    let (train, fresh) = (Book::made(3000, 8, -0.5), Book::made(3000, 9, -0.5));
    check_all(|name| {
        let model = train.fit(name);
        let mean_effect = (0..fresh.n_rows()).map(|row| {
            let mut known = fresh.row(row);
            known[2] = 0.0;
            let mut missing = known.clone();
            missing[2] = f32::NAN;
            model.logit(&missing) - model.logit(&known)
        });
        let effect = mean_effect.sum::<f64>() / fresh.n_rows() as f64;
        let expected = match name {
            LearnerName::Scorecard => -1e-9..1e-9,
            LearnerName::Tree => 0.0..2.0,
            _ => 0.3..2.0,
        };
        assert!(expected.contains(&effect), "{name}: {effect}");
    });
}

#[test]
fn a_value_missing_for_the_first_time_is_scored_soberly() {
    let (train, fresh) = (Book::made(2000, 10, -0.5), Book::made(500, 11, -0.5));
    check_all(|name| {
        let model = train.fit(name);
        for row in 0..fresh.n_rows() {
            let values = fresh.row(row);
            let probability = |a: f32| {
                let mut values = values.clone();
                values[0] = a;
                sigmoid(model.logit(&values))
            };
            let (low, missing, high) = (probability(-6.0), probability(f32::NAN), probability(6.0));
            assert!(low - 0.2 <= missing && missing <= high + 0.2, "{name}: {missing} outside {low}..{high}");
        }
        let mut nothing_known = vec![f32::NAN; 4];
        assert!(model.logit(&nothing_known).is_finite(), "{name}");
        nothing_known[0] = f32::MAX;
        assert!(model.logit(&nothing_known).is_finite(), "{name}");
    });
}

#[test]
fn few_rows_still_give_a_model() {
    for n in [2, 5, 12, 40] {
        let mut book = Book::made(n, 12, 0.0);
        book.y.iter_mut().enumerate().for_each(|(row, y)| *y = row.is_multiple_of(2));
        check_all(|name| assert!(book.logits(&book.fit(name)).iter().all(|logit| logit.is_finite()), "{name}, {n}"));
    }
}

#[test]
fn separable_rows_give_finite_logits() {
    let mut book = small();
    book.y = book.columns[0].iter().map(|&a| a > 0.0).collect();
    check_all(|name| {
        let model = book.fit(name);
        assert!(model.validate().is_ok() && book.auc(&model) > 0.9, "{name}");
    });
}

#[test]
fn wild_scales_are_survived() {
    let mut book = small();
    let mut random = Random(13);
    book.columns.push((0..book.n_rows()).map(|_| (random.normal() * 1e37) as f32).collect());
    book.columns.push((0..book.n_rows()).map(|_| (random.normal() * 1e-38) as f32).collect());
    book.columns.push((0..book.n_rows()).map(|_| 16_777_216.0 + random.normal().round() as f32 * 2.0).collect());
    check_all(|name| {
        let model = book.fit(name);
        assert!(model.validate().is_ok(), "{name}");
        assert!(book.logits(&model).iter().all(|logit| logit.is_finite()) && book.auc(&model) > 0.75, "{name}");
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
    check_all(|name| {
        let count = Count::default();
        let fitted = learner(name, &book.settings()).and_then(|learner| learner.fit(&rows, &count));
        assert!(fitted.is_ok() && count.open.load(Ordering::SeqCst) == 0, "{name}");
    });
}

#[test]
fn a_model_reads_the_features_of_its_schema() {
    let book = small();
    let schema: FeatureSchema = book.schema();
    check_all(|name| assert_eq!(book.fit(name).n_features(), schema.len(), "{name}"));
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

#[test]
fn a_given_recipe_grows_just_the_trees_asked_for() {
    let recipe = Recipe { leaves: 3, ..Recipe::USUAL };
    let settings = Settings { recipe: Some(recipe), boosted_trees: 17, ..small().settings() };
    match small().try_fit_with(LearnerName::Boosted, &settings) {
        Ok(Model::Trees(trees)) => {
            assert_eq!(trees.trees().len(), 17);
            assert!(trees.trees().iter().all(|tree| tree.nodes.len() <= 5));
        }
        other => panic!("{other:?}"),
    }
}
