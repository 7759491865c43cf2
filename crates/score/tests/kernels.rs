//! Every path, every layout and every shape of tree gives the bits of `Model::logit`.

mod models;

use bellwether_core::{FeatureMatrix, Link, Model, Node, Tree, Trees};
use bellwether_score::{Kernel, Rows, ScoreError, SimdPath, parity_rows};
use models::{BENCHMARK, Size, bytes_of, model};
use proptest::prelude::*;

/// Compares every path in every layout with the plain reading on rows around every threshold.
fn check(model: &Model, rows: &FeatureMatrix) {
    let kernel = Kernel::compile(&bytes_of(model)).expect("compiles");
    let mut row_major = vec![0.0; rows.n_rows() * rows.n_cols()];
    for (at, row) in row_major.chunks_exact_mut(rows.n_cols()).enumerate() {
        rows.read_row(at, row);
    }
    let columns: Vec<&[f32]> = (0..rows.n_cols()).map(|column| rows.column(column)).collect();
    let plain: Vec<u64> = row_major.chunks_exact(rows.n_cols()).map(|row| model.logit(row).to_bits()).collect();
    let layouts = [
        Rows::from(rows),
        Rows::columns(&columns).expect("columns of one length"),
        Rows::row_major(&row_major, rows.n_cols()).expect("whole rows"),
    ];
    for path in SimdPath::available() {
        for layout in &layouts {
            let logits = kernel.logits_on(path, layout).expect("runs");
            let differs = logits.iter().zip(&plain).position(|(logit, plain)| logit.to_bits() != *plain);
            assert_eq!(differs, None, "{} in {layout:?}", path.name());
        }
    }
    for (row, plain) in row_major.chunks_exact(rows.n_cols()).zip(&plain).step_by(7) {
        assert_eq!(kernel.logit_row(row).expect("runs").to_bits(), *plain);
    }
}

fn split(feature: u32, threshold: f32, missing_left: bool, left: u32, right: u32) -> Node {
    Node::Split { feature, threshold, missing_left, left, right }
}

/// Level by level the same split, as `CatBoost` grows trees.
fn oblivious(depth: u32, seed: u32, n_features: u32) -> Tree {
    let mut nodes = Vec::new();
    for level in 0..depth {
        let feature = (seed * 7 + level * 3) % n_features;
        let threshold = ((seed * 13 + level * 5) % 9) as f32 - 4.0;
        let first_below = (2 << level) - 1;
        nodes.extend((0..1 << level).map(|at| {
            split(feature, threshold, seed.is_multiple_of(2), first_below + 2 * at, first_below + 2 * at + 1)
        }));
    }
    nodes.extend((0..1 << depth).map(|leaf| Node::Leaf { value: ((leaf * 31 + seed) % 97) as f32 / 32.0 - 1.0 }));
    Tree { nodes }
}

/// One split under the other: as deep as a tree of so many leaves can be.
fn chain(n_leaves: u32, to_left: bool) -> Tree {
    let mut nodes = Vec::new();
    for at in 0..n_leaves - 1 {
        let threshold = if to_left { n_leaves as f32 - at as f32 } else { at as f32 };
        let (leaf, next) = (2 * at + 1, 2 * at + 2);
        let (left, right) = if to_left { (next, leaf) } else { (leaf, next) };
        nodes.push(split(0, threshold, at % 3 == 0, left, right));
        nodes.push(Node::Leaf { value: at as f32 / 8.0 });
    }
    nodes.push(Node::Leaf { value: -1.0 });
    Tree { nodes }
}

fn ensemble(n_features: usize, trees: Vec<Tree>) -> Model {
    Model::Trees(Trees::new(n_features, 0.25, Link::Logit, trees).expect("these are trees"))
}

#[test]
fn shapes_of_trees_agree_to_the_bit() {
    let ensembles = [
        ensemble(1, vec![Tree { nodes: vec![Node::Leaf { value: -0.0 }] }]),
        ensemble(2, vec![chain(2, true), chain(256, true), chain(257, true), chain(300, false), chain(256, false)]),
        ensemble(9, (0..20).map(|seed| oblivious(1 + seed % 8, seed, 9)).collect()),
        ensemble(9, vec![oblivious(9, 3, 9), oblivious(6, 4, 9), chain(31, true)]),
    ];
    for model in ensembles {
        check(&model, &parity_rows(&model, 1, 700));
    }
}

#[test]
fn sizes_of_the_benchmark_agree_to_the_bit() {
    for (kind, n_trees, n_leaves, n_features) in [
        ("trees", 100, 31, 60),
        ("trees", 20, 255, 60),
        ("trees", 30, 31, 500),
        ("trees", 30, 64, 10),
        ("trees", 5, 2_000, 10),
        ("probability_trees", 30, 16, 10),
        ("linear", 1, 1, 60),
        ("scorecard", 1, 1, 60),
    ] {
        let model = model(kind, Size { n_features, n_trees, n_leaves }, 3).expect("a kind of model");
        check(&model, &parity_rows(&model, 3, 1_500));
    }
}

/// Stumps of so many thresholds on one feature, and one on each of the others.
fn check_thresholds(n_thresholds: u32) {
    let stump = |at: u32| {
        let leaf = |value: u32| Node::Leaf { value: (value % 1_021) as f32 };
        Tree { nodes: vec![split(0, at as f32 / 4.0 - 9.0, at % 5 < 2, 1, 2), leaf(at), leaf(at * 3 + 1)] }
    };
    let model = ensemble(1, (0..n_thresholds).map(stump).collect());
    let last = n_thresholds as f32 / 4.0;
    let values = (0..400).map(|at| at as f32 / 399.0 * (last + 4.0) - 11.0);
    let edges = [0, 252, 253, 254, 505, 506, 507, n_thresholds - 1].map(|at| at as f32 / 4.0 - 9.0);
    let neighbours = edges.into_iter().flat_map(|edge| [edge.next_down(), edge, edge.next_up()]);
    let all: Vec<f32> = values.chain(neighbours).chain([f32::NAN, f32::MIN, f32::MAX, 0.0, -0.0]).collect();
    check(&model, &FeatureMatrix::from_columns(&[all]).expect("finite or missing"));
}

#[test]
fn any_number_of_thresholds_agrees_to_the_bit() {
    for n_thresholds in [1, 15, 16, 31, 32, 63, 64, 127, 128, 252, 253, 254, 255, 256, 506, 507, 2_000] {
        check_thresholds(n_thresholds);
    }
}

#[test]
fn more_thresholds_than_two_bytes_tell_apart_agree_to_the_bit() {
    check_thresholds(66_000);
}

#[test]
fn an_infinite_value_is_refused_with_its_place() {
    let model = model("trees", BENCHMARK, 1).expect("a kind of model");
    let kernel = Kernel::compile(&bytes_of(&model)).expect("compiles");
    let mut values = vec![0.5; 60 * 5_000];
    values[4_000 * 60 + 3] = f32::INFINITY;
    values[3_999 * 60 + 59] = f32::NEG_INFINITY;
    let rows = Rows::row_major(&values, 60).expect("whole rows");
    let refused = kernel.logits_of(&rows);
    assert!(matches!(refused, Err(ScoreError::Infinite { row: 3_999, feature: 59, value: f32::NEG_INFINITY })));
    let columns: Vec<&[f32]> = values.chunks_exact(5_000).collect();
    let refused = kernel.logits_of(&Rows::columns(&columns).expect("columns of one length"));
    assert!(matches!(refused, Err(ScoreError::Infinite { .. })), "{refused:?}");
}

#[test]
fn rows_that_are_not_whole_are_refused() {
    assert!(matches!(Rows::row_major(&[1.0; 7], 3), Err(ScoreError::Shape { found: 1, expected: 3, .. })));
    assert!(matches!(Rows::row_major(&[1.0; 7], 0), Err(ScoreError::Shape { .. })));
    assert!(matches!(Rows::columns(&[&[1.0], &[]]), Err(ScoreError::Shape { found: 0, expected: 1, .. })));
}

/// A number as thresholds and values have them, with the unusual ones often.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => (-6_i8..6).prop_map(f32::from),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(f32::MIN), Just(f32::MAX), Just(f32::MIN_POSITIVE), Just(1e-45)],
        2 => any::<f32>().prop_filter("finite", |value| value.is_finite()),
    ]
}

/// A tree that grows at the leaf each step names.
fn tree(n_features: u32) -> impl Strategy<Value = Tree> {
    let step = (any::<prop::sample::Index>(), 0..n_features, number(), any::<bool>());
    (prop::collection::vec(step, 0..80), prop::collection::vec(-3.0_f32..3.0, 81)).prop_map(|(steps, values)| {
        let mut nodes = vec![Node::Leaf { value: values[0] }];
        let mut leaves = vec![0];
        for ((place, feature, threshold, missing_left), value) in steps.into_iter().zip(&values[1..]) {
            let at: usize = leaves.swap_remove(place.index(leaves.len()));
            let (left, right) = (nodes.len(), nodes.len() + 1);
            nodes[at] = split(feature, threshold, missing_left, left as u32, right as u32);
            nodes.extend([Node::Leaf { value: *value }, Node::Leaf { value: -value }]);
            leaves.extend([left, right]);
        }
        Tree { nodes }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn random_ensembles_agree_to_the_bit(
        trees in (1_u32..6).prop_flat_map(|n| (Just(n), prop::collection::vec(tree(n), 1..12))),
        values in prop::collection::vec(prop_oneof![5 => number(), 1 => Just(f32::NAN)], 6 * 300),
    ) {
        let (n_features, trees) = trees;
        let model = Model::Trees(Trees::new(n_features as usize, -0.5, Link::Logit, trees).expect("grown trees are trees"));
        let columns: Vec<Vec<f32>> = values.chunks_exact(300).take(n_features as usize).map(<[f32]>::to_vec).collect();
        check(&model, &FeatureMatrix::from_columns(&columns).expect("finite or missing"));
        check(&model, &parity_rows(&model, 1, 40));
    }
}
