//! What this crate relies on in the libraries it wraps, and what it works around: one fact a test.

use linfa::traits::{Fit, Predict};
use linfa::{Dataset, DatasetBase};
use linfa_logistic::LogisticRegression;
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

/// `n` rows with x = 0, 1, 2 ... and the label `is_true(x)`.
fn line(n: usize, is_true: impl Fn(usize) -> bool) -> DatasetBase<Array2<f64>, Array1<bool>> {
    let x = Array2::from_shape_fn((n, 1), |(row, _)| row as f64);
    DatasetBase::new(x, Array1::from_shape_fn(n, is_true))
}

/// crate-notes 3 and 10: why `logistic` asks `labels().pos`.
#[test]
fn linfa_logistic_takes_the_more_frequent_class_for_the_positive_one() {
    for (is_true, positive) in [((|x| x < 15) as fn(usize) -> bool, true), (|x| x < 5, false)] {
        let fitted = LogisticRegression::default().fit(&line(20, is_true)).expect("two classes");
        assert_eq!(fitted.labels().pos.class, positive);
        assert_eq!(fitted.params()[0] < 0.0, positive, "x lowers the odds of `true` in both");
    }
}

/// Why `logistic` gives linfa at least one column.
#[test]
fn linfa_logistic_penalises_coefficients_and_not_the_intercept() {
    let dataset = line(40, |x| x % 4 != 0);
    let fitted = LogisticRegression::default().alpha(1e9).fit(&dataset).expect("two classes");
    assert!(fitted.params()[0].abs() < 1e-4);
    assert!((fitted.intercept() - 3.0_f64.ln()).abs() < 1e-3, "{}", fitted.intercept());
}

/// crate-notes 2: why `tree` gives linfa ranks.
#[test]
fn linfa_trees_cannot_part_values_closer_than_1e_5() {
    let fit = |scale: f64| {
        let x = Array2::from_shape_fn((20, 1), |(row, _)| row as f64 * scale);
        let dataset = Dataset::new(x, Array1::from_shape_fn(20, |row| row >= 10));
        DecisionTree::params().fit(&dataset).expect("a tree").num_leaves()
    };
    assert_eq!((fit(1.0), fit(1e-6)), (2, 1));
}

/// crate-notes 2: why `tree` states its own thresholds instead of asking linfa to predict.
#[test]
fn linfa_trees_sends_a_value_at_the_threshold_right_when_it_predicts() {
    let fitted = DecisionTree::params().fit(&line(4, |x| x >= 2)).expect("a tree");
    let (_, threshold, _) = fitted.root_node().split();
    assert_eq!(threshold, 1.5);
    let at_threshold = Array2::from_elem((1, 1), 1.5);
    assert!(fitted.predict(&at_threshold)[0], "fit would have counted 1.5 to the left, `false`");
}

/// crate-notes 1: why `tree` weighs the classes even and asks for one split at a time.
#[test]
fn linfa_trees_prunes_a_split_away_whose_sides_have_the_same_majority() {
    let rare = |x: usize| x >= 50 && x.is_multiple_of(4);
    let plain = DecisionTree::params().max_depth(Some(1)).fit(&line(100, rare)).expect("a tree");
    assert_eq!(plain.num_leaves(), 1);
    let n_true = (0..100).filter(|&x| rare(x)).count() as f32;
    let even = (0..100).map(|x| if rare(x) { (100.0 - n_true) / n_true } else { 1.0 });
    let weighted = line(100, rare).with_weights(Array1::from_iter(even));
    assert_eq!(DecisionTree::params().max_depth(Some(1)).fit(&weighted).expect("a tree").num_leaves(), 2);
}

/// crate-notes 2: with two classes, hash order shows in nothing but the majority of a tie.
#[test]
fn linfa_trees_splits_do_not_depend_on_hash_order() {
    let split = || {
        let dataset = line(200, |x| (x * 7919) % 13 < 1 + x / 40);
        DecisionTree::params().max_depth(Some(1)).fit(&dataset).expect("a tree").root_node().split()
    };
    let first = split();
    assert!((0..50).all(|_| split() == first));
}

/// Nodes, splits and outputs as smartcore's serde shows them.
fn forest_of(x: Vec<f32>, y: &[f64], parameters: RandomForestRegressorParameters) -> serde_json::Value {
    let matrix = DenseMatrix::new(y.len(), x.len() / y.len(), x, true).expect("the shape fits");
    let forest = RandomForestRegressor::fit(&matrix, &y.to_vec(), parameters).expect("a forest");
    serde_json::to_value(&forest).expect("numbers are finite")
}

/// crate-notes 4: the JSON that `forest` reads, and that the true child is the left one.
#[test]
fn smartcore_shows_nodes_through_serde_and_goes_left_at_or_below() {
    let y: Vec<f64> = (0..40).map(|row| f64::from(u8::from(row >= 20))).collect();
    let parameters = RandomForestRegressorParameters::default().with_n_trees(1).with_m(1);
    let forest = forest_of((0..40).map(|row| row as f32).collect(), &y, parameters);
    let nodes = &forest["forest_regressor"]["trees"][0]["nodes"];
    let left = nodes[0]["true_child"].as_u64().expect("the root is split") as usize;
    assert_eq!(nodes[left]["output"], 0.0);
    assert!(nodes[0]["split_value"].as_f64().is_some_and(|value| value > 15.0 && value < 25.0));
    assert_eq!(nodes[0]["split_feature"], 0);
}

/// crate-notes 4: `NaN <= t` is false.
#[test]
fn smartcore_sends_nan_right() {
    let y: Vec<f64> = (0..40).map(|row| f64::from(u8::from(row >= 20))).collect();
    let x = DenseMatrix::new(40, 1, (0..40).map(|row| row as f32).collect(), true).expect("the shape fits");
    let forest = RandomForestRegressor::fit(&x, &y, RandomForestRegressorParameters::default()).expect("a forest");
    let missing = DenseMatrix::new(1, 1, vec![f32::NAN], true).expect("the shape fits");
    assert_eq!(forest.predict(&missing).expect("a number"), [1.0]);
}

/// The root counts as a level.
#[test]
fn smartcore_allows_one_split_less_than_its_depth() {
    let y: Vec<f64> = (0..64).map(|row| f64::from(row % 2)).collect();
    let parameters = RandomForestRegressorParameters::default().with_n_trees(1).with_m(1).with_max_depth(2);
    let forest = forest_of((0..64).map(|row| row as f32).collect(), &y, parameters);
    assert_eq!(forest["forest_regressor"]["trees"][0]["nodes"].as_array().map(Vec::len), Some(3));
}

#[test]
fn smartcore_gives_the_same_forest_for_the_same_seed_only() {
    let y: Vec<f64> = (0..64).map(|row| f64::from(row % 3 == 0)).collect();
    let of_seed = |seed: u64| {
        let parameters = RandomForestRegressorParameters::default().with_n_trees(3).with_m(1).with_seed(seed);
        forest_of((0..64).map(|row| row as f32).collect(), &y, parameters)
    };
    assert_eq!(of_seed(5), of_seed(5));
    assert_ne!(of_seed(5), of_seed(6));
}
