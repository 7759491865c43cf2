//! Shapley values are those of the definition, and add up.

#[expect(dead_code, reason = "the size of the benchmark is for tests of speed and memory")]
mod models;

use bellwether_core::{
    Background, FeatureMatrix, Indicator, Linear, LinearTerm, Link, Model, Node, Outcome, Reach, ScorecardModel,
    Target, Tree, Trees, UsualRange,
};
use bellwether_score::{Against, Contributions, Explainer, Kernel, ScoreError};
use models::{Size, bytes_of, model};
use proptest::prelude::*;

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };

fn explainer(model: &Model, against: Against<'_>) -> Result<Explainer, ScoreError> {
    Explainer::new(&Kernel::compile(&bytes_of(model)).expect("our own graph"), model, CHURN, against)
}

fn explain(model: &Model, against: Against<'_>, x: &FeatureMatrix) -> Contributions {
    explainer(model, against).expect("it can be explained").contributions(x).expect("contributions add up")
}

/// With covers that differ from node to node, some of them 0.
fn covered(model: Model, seed: usize) -> Model {
    let Model::Trees(trees) = model else { return model };
    let of_tree = |(place, tree): (usize, &Tree)| {
        let mut covers = tree.covers(|at| ((at * 31 + place * 17 + seed * 7) % 11) as f32);
        if covers[0] == 0.0 {
            covers = tree.covers(|_| 1.0);
        }
        covers
    };
    let covers = trees.trees().iter().enumerate().map(of_tree).collect();
    Model::Trees(trees.with_covers(covers).expect("covers add up"))
}

/// Rows of small whole and broken numbers, some missing, by a fixed rule.
fn rows(n_rows: usize, n_features: usize, seed: usize) -> FeatureMatrix {
    let value = |row: usize, column: usize| {
        let mixed = (row * 2_654_435_761 + column * 40_503 + seed * 977) >> 3;
        let value = (mixed % 97) as f32 / 16.0 - 3.0;
        if mixed.is_multiple_of(13) { f32::NAN } else { value }
    };
    let column = |column: usize| (0..n_rows).map(|row| value(row, column)).collect();
    FeatureMatrix::from_columns(&(0..n_features).map(column).collect::<Vec<Vec<f32>>>()).expect("finite or missing")
}

fn row_of(x: &FeatureMatrix, row: usize) -> Vec<f32> {
    (0..x.n_cols()).map(|column| x.value(row, column)).collect()
}

/// Shapley values by their definition, from the value of every set of features.
fn by_definition(n_features: usize, value_of: impl Fn(usize) -> f64) -> Vec<f64> {
    let values: Vec<f64> = (0..1_usize << n_features).map(value_of).collect();
    let factorial = |n: usize| (1..=n).map(|n| n as f64).product::<f64>();
    let of_feature = |feature: usize| {
        let without = (0..values.len()).filter(|set| set >> feature & 1 == 0);
        let joined = without.map(|set| {
            let size = set.count_ones() as usize;
            let likely = factorial(size) * factorial(n_features - size - 1) / factorial(n_features);
            likely * (values[set | 1 << feature] - values[set])
        });
        joined.sum()
    };
    (0..n_features).map(of_feature).collect()
}

/// The expectation of a tree with the features of `known` known, as Lundberg et al. (2020), algorithm 1.
fn expectation(tree: &Tree, covers: &[f32], at: usize, row: &[f32], known: usize) -> f64 {
    match tree.nodes[at] {
        Node::Leaf { value } => f64::from(value),
        Node::Split { feature, threshold, missing_left, left, right } => {
            let side = |child: u32| expectation(tree, covers, child as usize, row, known);
            if known >> feature & 1 == 1 {
                let x = row[feature as usize];
                let goes_left = if x.is_nan() { missing_left } else { x <= threshold };
                return side(if goes_left { left } else { right });
            }
            let [of_left, of_right] = [left, right].map(|child| f64::from(covers[child as usize]));
            let share = if of_left + of_right > 0.0 { of_left / (of_left + of_right) } else { 0.5 };
            share * side(left) + (1.0 - share) * side(right)
        }
    }
}

fn check_equal(found: &[f64], expected: &[f64], what: &str) {
    for (feature, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-7, "{what}, feature {feature}: {found}, not {expected}");
    }
}

/// Holds trees against the definition, path-dependent and interventional.
fn check_trees(kind: &str, size: Size, seed: usize) {
    let model = covered(model(kind, size, seed as u64).expect("a kind"), seed);
    let Model::Trees(trees) = &model else { panic!("{kind} are trees") };
    let x = rows(70, size.n_features, seed);
    let background = rows(5, size.n_features, seed + 1);
    let [of_covers, of_rows] =
        [Against::Training(None), Against::Rows(&background)].map(|against| explain(&model, against, &x));
    for at in [0, 1, 35, 69] {
        let row = row_of(&x, at);
        let what = format!("{kind} {size:?} of seed {seed}, row {at}");
        let covers = trees.covers().expect("they were counted");
        let path_dependent = |known: usize| {
            let trees = trees.trees().iter().zip(covers);
            trees.map(|(tree, covers)| expectation(tree, covers, 0, &row, known)).sum::<f64>()
        };
        check_equal(of_covers.row(at), &by_definition(size.n_features, path_dependent), &what);
        let interventional = |known: usize| {
            let mixed = |of: usize| -> Vec<f32> {
                let value =
                    |column: usize| if known >> column & 1 == 1 { row[column] } else { background.value(of, column) };
                (0..size.n_features).map(value).collect()
            };
            let sum = |row: &[f32]| trees.trees().iter().map(|tree| f64::from(tree.leaf(row).1)).sum::<f64>();
            (0..background.n_rows()).map(|of| sum(&mixed(of))).sum::<f64>() / background.n_rows() as f64
        };
        check_equal(of_rows.row(at), &by_definition(size.n_features, interventional), &what);
    }
}

#[test]
fn trees_are_explained_as_the_definition_says() {
    for (seed, (n_features, n_trees, n_leaves)) in
        [(1, 1, 1), (1, 3, 9), (2, 2, 2), (3, 4, 8), (5, 3, 31), (8, 2, 40), (10, 2, 64), (12, 1, 100)]
            .into_iter()
            .enumerate()
    {
        check_trees("trees", Size { n_features, n_trees, n_leaves }, seed);
    }
    check_trees("probability_trees", Size { n_features: 6, n_trees: 5, n_leaves: 12 }, 3);
}

/// A path of `depth` splits on features in turn; more than 8 of them have no table.
fn chain(depth: usize, n_features: usize) -> Model {
    let mut nodes = Vec::new();
    for at in 0..depth {
        let place = nodes.len() as u32;
        let threshold = (at % 7) as f32 / 2.0 - 1.5;
        let missing_left = at % 3 == 0;
        nodes.push(Node::Split {
            feature: (at % n_features) as u32,
            threshold,
            missing_left,
            left: place + 1,
            right: place + 2,
        });
        nodes.push(Node::Leaf { value: (at as f32 - 4.0) / 8.0 });
    }
    nodes.push(Node::Leaf { value: 1.25 });
    Model::Trees(Trees::new(n_features, 0.5, Link::Logit, vec![Tree { nodes }]).expect("a chain is a tree"))
}

#[test]
fn deep_paths_are_explained_as_the_definition_says() {
    for (depth, n_features) in [(9, 9), (12, 12), (30, 11), (40, 3)] {
        let model = covered(chain(depth, n_features), depth);
        let Model::Trees(trees) = &model else { panic!("a chain is a tree") };
        let x = rows(130, n_features, depth);
        let found = explain(&model, Against::Training(None), &x);
        for at in [0, 64, 129] {
            let row = row_of(&x, at);
            let covers = &trees.covers().expect("they were counted")[0];
            let value = |known: usize| expectation(&trees.trees()[0], covers, 0, &row, known);
            check_equal(found.row(at), &by_definition(n_features, value), &format!("{depth} splits, row {at}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// To rounding of f64, also where there are many trees, thresholds and chunks.
    #[test]
    fn contributions_and_what_is_expected_add_up_to_the_logit(
        seed in 0_usize..1000, n_trees in 1_usize..60, n_leaves in 1_usize..70, n_features in 1_usize..40, link in any::<bool>(),
    ) {
        let kind = if link { "trees" } else { "probability_trees" };
        let model = covered(model(kind, Size { n_features, n_trees, n_leaves }, seed as u64).expect("a kind"), seed);
        let x = rows(100, n_features, seed);
        let background = rows(7, n_features, seed + 1);
        for against in [Against::Training(None), Against::Rows(&background)] {
            let explainer = explainer(&model, against).expect("it can be explained");
            let found = explainer.contributions(&x).expect("contributions add up");
            for row in 0..x.n_rows() {
                let (sum, logit) = (explainer.link().logit(found.sum(row)), model.logit(&row_of(&x, row)));
                prop_assert!((sum - logit).abs() < 1e-11 * logit.abs().max(1.0), "{sum}, not {logit}");
            }
        }
    }

    #[test]
    fn a_feature_that_no_tree_reads_gets_nothing(seed in 0_usize..1000) {
        let size = Size { n_features: 30, n_trees: 6, n_leaves: 4 };
        let model = covered(model("trees", size, seed as u64).expect("a kind"), seed);
        let Model::Trees(trees) = &model else { unreachable!("trees are trees") };
        let nodes = trees.trees().iter().flat_map(|tree| &tree.nodes);
        let read: Vec<u32> = nodes.filter_map(|node| match node {
            Node::Split { feature, .. } => Some(*feature),
            Node::Leaf { .. } => None,
        }).collect();
        let found = explain(&model, Against::Training(None), &rows(64, 30, seed));
        for feature in (0..30).filter(|feature| !read.contains(feature)) {
            prop_assert!((0..64).all(|row| found.row(row)[feature as usize] == 0.0), "feature {feature}");
        }
    }
}

#[test]
fn two_features_that_do_the_same_get_the_same() {
    let split = |feature, left, right| Node::Split { feature, threshold: 0.0, missing_left: true, left, right };
    let leaf = |value| Node::Leaf { value };
    // High where both are high, in either order of asking.
    let tree = |first, second| Tree {
        nodes: vec![split(first, 1, 2), leaf(-1.0), split(second, 3, 4), leaf(-1.0), leaf(1.0)],
    };
    let trees = Trees::new(2, 0.0, Link::Logit, vec![tree(0, 1), tree(1, 0)]).expect("they are trees");
    let covers = vec![vec![4.0, 2.0, 2.0, 1.0, 1.0]; 2];
    let model = Model::Trees(trees.with_covers(covers).expect("covers add up"));
    let x = FeatureMatrix::from_columns(&[vec![1.0, -1.0], vec![1.0, -1.0]]).expect("two rows");
    let found = explain(&model, Against::Training(None), &x);
    assert_eq!(found.row(0)[0].to_bits(), found.row(0)[1].to_bits());
    // Expected: -1 per tree with probability 3/4. Both high: 2 - (-1) = 3 in equal parts; both low: -1 in equal parts.
    assert_eq!((found.expected, found.row(0), found.row(1)), (-1.0, &[1.5, 1.5][..], &[-0.5, -0.5][..]));
}

#[test]
fn batches_and_threads_change_no_bit() {
    let size = Size { n_features: 20, n_trees: 40, n_leaves: 31 };
    let model = covered(model("trees", size, 5).expect("a kind"), 5);
    let x = rows(5000, 20, 9);
    let explainer = explainer(&model, Against::Training(None)).expect("it has covers");
    let whole = explainer.contributions(&x).expect("they add up");
    for n_threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
        assert_eq!(pool.install(|| explainer.contributions(&x)).expect("they add up"), whole, "{n_threads} threads");
    }
    for (first, n_rows) in [(0, 1), (17, 63), (511, 130), (4999, 1), (2048, 2048)] {
        let part: Vec<usize> = (first..first + n_rows).collect();
        let found = explainer.contributions(&x.select(&part)).expect("they add up");
        for (place, &row) in part.iter().enumerate() {
            assert_eq!(found.row(place), whole.row(row), "row {row} of {n_rows} from {first}");
        }
    }
}

fn background(expected: Vec<f64>) -> Background {
    let usual = vec![UsualRange { p10: 0.0, p90: 1.0 }; expected.len()];
    Background { usual, expected: [(CHURN, expected)].into(), sample: None, reach: Reach::default() }
}

#[test]
fn a_term_of_a_linear_model_gets_what_it_adds_beyond_its_mean() {
    let term = |weight, missing_weight| LinearTerm { lower: -1.0, upper: 2.0, center: 0.5, weight, missing_weight };
    let terms = vec![term(2.0, 0.25), term(-1.0, 0.0)];
    let model = Model::Linear(Linear { intercept: -0.5, terms });
    let x = FeatureMatrix::from_columns(&[vec![1.0, f32::NAN, 9.0], vec![0.5, -9.0, f32::NAN]]).expect("three rows");
    let known = background(vec![0.5, -0.25]);
    let found = explain(&model, Against::Training(Some(&known)), &x);
    assert_eq!(found.expected, -0.25);
    assert_eq!([found.row(0), found.row(1), found.row(2)], [[0.5, 0.25], [-0.25, 1.75], [2.5, 0.25]]);
    // Against the rows themselves the contributions of each feature add up to nothing.
    let found = explain(&model, Against::Rows(&x), &x);
    for feature in 0..2 {
        assert!((0..3).map(|row| found.row(row)[feature]).sum::<f64>().abs() < 1e-12, "feature {feature}");
    }
}

#[test]
fn scorecards_are_explained_as_the_definition_says() {
    let indicator = |feature, weight| Indicator { feature, weight, at_zero: 0.0, at_full: 2.0 };
    let indicators =
        vec![indicator(0, 10.0), indicator(2, 2.5), indicator(3, 7.0), indicator(5, 1.0), indicator(1, 4.0)];
    let (n_features, means) = (6, [0.5, 0.25, 0.75, 0.9, 0.0, 0.1]);
    let card = ScorecardModel { n_features, indicators, slope: -0.08, intercept: 2.0 };
    let model = Model::Scorecard(card.clone());
    let known = background(means.to_vec());
    // Every way to miss indicators.
    let value =
        |row: usize, column: usize| if row >> column & 1 == 1 { f32::NAN } else { (row + column) as f32 % 5.0 / 2.0 };
    let column = |column: usize| (0..64).map(|row| value(row, column)).collect();
    let x = FeatureMatrix::from_columns(&(0..n_features).map(column).collect::<Vec<Vec<f32>>>()).expect("64 rows");
    let found = explain(&model, Against::Training(Some(&known)), &x);
    for at in 0..64 {
        let value = |set: usize| {
            let (mut points, mut weights) = (0.0, 0.0);
            for of in &card.indicators {
                let feature = of.feature as usize;
                let is_known = set >> feature & 1 == 1;
                let share = if is_known { of.points(x.value(at, feature)) } else { Some(means[feature]) };
                points += share.map_or(0.0, |share| f64::from(of.weight) * share);
                weights += share.map_or(0.0, |_| f64::from(of.weight));
            }
            let health = if weights > 0.0 { 100.0 * points / weights } else { 50.0 };
            f64::from(card.intercept) + f64::from(card.slope) * health
        };
        check_equal(found.row(at), &by_definition(n_features, value), &format!("row {at}"));
    }
}

#[test]
fn a_row_with_too_many_missing_indicators_is_not_explained() {
    let indicators = (0..22).map(|feature| Indicator { feature, weight: 1.0, at_zero: 0.0, at_full: 1.0 }).collect();
    let model = Model::Scorecard(ScorecardModel { n_features: 22, indicators, slope: -0.1, intercept: 0.0 });
    let column =
        |column: usize| vec![if column < 2 { f32::NAN } else { 1.0 }, if column < 21 { f32::NAN } else { 1.0 }];
    let x = FeatureMatrix::from_columns(&(0..22).map(column).collect::<Vec<Vec<f32>>>()).expect("two rows");
    let found = explain(&model, Against::Training(Some(&background(vec![0.5; 22]))), &x);
    assert!(found.row(0).iter().all(|value| value.is_finite()) && found.row(1).iter().all(|value| value.is_nan()));
}

#[test]
fn what_is_missing_for_an_explanation_is_named() {
    let check = |model: &Model, against: Against<'_>, message: &str| {
        let refused = explainer(model, against).expect_err(message).to_string();
        assert!(refused.contains(message), "{refused}: {message}");
    };
    let size = Size { n_features: 3, n_trees: 2, n_leaves: 4 };
    let of = |kind: &str| model(kind, size, 1).expect("a kind");
    check(&of("trees"), Against::Training(None), "target `churn_90d` can't be explained: its graph has no hit rates");
    check(&of("linear"), Against::Training(None), "does not say what its linear models");
    check(&of("trees"), Against::Rows(&rows(4, 2, 0)), "rows have 2 features where the model reads 3");
    check(&of("trees"), Against::Rows(&rows(0, 3, 0)), "no row to compare with");
    check(&of("scorecard"), Against::Rows(&rows(4, 3, 0)), "against the training means alone");
    // An older graph can still be explained against rows.
    assert!(explainer(&of("trees"), Against::Rows(&rows(4, 3, 0))).is_ok());
}
