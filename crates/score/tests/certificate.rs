//! Every change of a model shows in its certificate.

mod models;

use bellwether_bundle::ParityVectors;
use bellwether_core::{
    Bands, Calibration, Digest, EncodedInput, Encoding, FeatureMatrix, Indicator, InputKind, Linear, LinearTerm, Model,
    Node, Outcome, ScorecardModel, Target, Tree, Trees,
};
use bellwether_score::{Kernel, ScoreError, Scorer, ScorerParts, ScorerTarget, parity_rows};
use models::{Size, bytes_of, model, schema};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };
const SIZE: Size = Size { n_features: 9, n_trees: 6, n_leaves: 20 };

/// A scorer of one graph, over features `f0`, `f1` ...
fn scorer(model: &Model) -> Scorer {
    let n_features = model.n_features();
    let input = |j| EncodedInput { name: format!("f{j}"), category: None, good: None, kind: InputKind::Number };
    let health = vec![Indicator { feature: 0, weight: 1.0, at_zero: 0.0, at_full: 1.0 }];
    let target = ScorerTarget { target: CHURN, onnx: bytes_of(model), calibration: Calibration::None };
    Scorer::from_parts(ScorerParts {
        schema: schema(n_features),
        encoding: Encoding { inputs: (0..n_features).map(input).collect() },
        scorecard: ScorecardModel { n_features, indicators: health, slope: -0.1, intercept: 5.0 },
        bands: Bands::default(),
        rules: None,
        targets: vec![target],
        min_coverage: 0.0,
        digest: Digest::of(b"version"),
    })
    .expect("the parts fit")
}

/// A certificate of `model`, as someone would alter it who puts another graph in its place.
struct Certificate {
    stored: ParityVectors,
    rows: FeatureMatrix,
}

impl Certificate {
    fn of(model: &Model) -> Self {
        let stored = scorer(model).certify(&[(CHURN, model)], None, 7).expect("runs");
        let rows = stored.matrix().expect("finite or missing");
        Self { stored, rows }
    }

    /// Whether the numbers or the leaves of `altered` are not those of the certificate.
    fn catches(&self, altered: &Model) -> bool {
        let scorer = scorer(altered);
        let mut stored = self.stored.clone();
        let of_target = stored.targets.get_mut(&CHURN).expect("there is a model");
        of_target.graph = Digest::of(&bytes_of(altered));
        match scorer.replay(&stored, scorer.sample_of(&stored)) {
            Err(ScoreError::Parity { .. }) => true,
            Err(other) => panic!("{other}"),
            Ok(()) => scorer.parity_vectors(&self.rows).expect("runs").targets != stored.targets,
        }
    }
}

/// How a row goes through a split on the way to a node.
type Step = (u32, f32, bool, bool);

/// The steps to each node of a tree.
fn paths(tree: &Tree) -> Vec<Vec<Step>> {
    let mut paths = vec![Vec::new(); tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        if let Node::Split { feature, threshold, missing_left, left, right } = *node {
            for (child, goes_left) in [(left, true), (right, false)] {
                let step = (feature, threshold, missing_left, goes_left);
                paths[child as usize] = paths[at].iter().copied().chain([step]).collect();
            }
        }
    }
    paths
}

/// Whether some row with `x` in `feature` goes along `path`: tries every value at which a step could turn.
fn arrives(path: &[Step], feature: u32, x: f32) -> bool {
    let goes = |x: f32, &(_, threshold, missing_left, goes_left): &Step| {
        goes_left == if x.is_nan() { missing_left } else { x <= threshold }
    };
    let values = path.iter().flat_map(|&(_, t, ..)| [t, t.next_up(), t.next_down()]).chain([f32::NAN]);
    let values: Vec<f32> = values.filter(|value| !value.is_infinite()).collect();
    let some_value_goes = |of: u32| {
        let steps: Vec<&Step> = path.iter().filter(|step| step.0 == of).collect();
        let go = |x: f32| steps.iter().all(|step| goes(x, step));
        if of == feature { go(x) } else { values.iter().any(|&value| go(value)) }
    };
    path.iter().all(|&(of, ..)| some_value_goes(of))
}

/// `trees` with another node at a place.
fn with_node(trees: &Trees, tree: usize, at: usize, node: Node) -> Model {
    let mut all = trees.trees().to_vec();
    all[tree].nodes[at] = node;
    Model::Trees(Trees::new(trees.n_features(), trees.base(), trees.link(), all).expect("still trees"))
}

/// For every split the threshold one f32 up and down and the other way for missing values; for every leaf another value.
/// What no row can tell is not caught, and nothing else.
fn check_trees(kind: &str, seed: u64) {
    let model = model(kind, SIZE, seed).expect("a kind of model");
    let Model::Trees(trees) = &model else { panic!("{kind} has trees") };
    let certificate = Certificate::of(&model);
    let (mut n_caught, mut n_idle) = (0, 0);
    for (tree, of_tree) in trees.trees().iter().enumerate() {
        let paths = paths(of_tree);
        for (at, &node) in of_tree.nodes.iter().enumerate() {
            let path = &paths[at];
            let cases = match node {
                Node::Split { feature, threshold, missing_left, left, right } => {
                    let split = |threshold, missing_left| Node::Split { feature, threshold, missing_left, left, right };
                    vec![
                        (split(threshold.next_up(), missing_left), arrives(path, feature, threshold.next_up())),
                        (split(threshold.next_down(), missing_left), arrives(path, feature, threshold)),
                        (split(threshold, !missing_left), arrives(path, feature, f32::NAN)),
                    ]
                }
                Node::Leaf { value } => vec![(Node::Leaf { value: value * 0.75 }, arrives(path, u32::MAX, 0.0))],
            };
            for (altered, is_told) in cases {
                let altered = with_node(trees, tree, at, altered);
                // A leaf next to 0 is on the grid of leaves what it was.
                if altered == model {
                    continue;
                }
                let caught = certificate.catches(&altered);
                assert_eq!(caught, is_told, "{kind}, tree {tree}, node {at}: {node:?}");
                *if caught { &mut n_caught } else { &mut n_idle } += 1;
            }
        }
    }
    assert!(n_caught > 3 * n_idle, "{n_caught} of {} changes are told by some row", n_caught + n_idle);
}

#[test]
fn every_changed_node_of_boosted_trees_is_caught() {
    check_trees("trees", 1);
}

#[test]
fn every_changed_node_of_a_forest_is_caught() {
    check_trees("probability_trees", 2);
}

/// A chain of splits of one feature, each within the one before, with missing values on the way.
#[test]
fn every_changed_node_of_a_deep_chain_is_caught() {
    let mut nodes = Vec::new();
    for (depth, threshold) in (0_u32..12).zip([8.0, -8.0, 7.0, -7.0, 6.0, -6.0, 5.0, -5.0, 0.0, -0.0, 2.0, 1.0_f32]) {
        let (on, off) = (2 * depth + 2, 2 * depth + 1);
        let (left, right) = if threshold.is_sign_negative() { (off, on) } else { (on, off) };
        let missing_left = left == on;
        nodes.push(Node::Split { feature: 0, threshold, missing_left, left, right });
        nodes.push(Node::Leaf { value: depth as f32 });
    }
    nodes.push(Node::Leaf { value: 100.0 });
    let trees = Trees::new(1, 0.0, bellwether_core::Link::Logit, vec![Tree { nodes }]).expect("a chain is a tree");
    let certificate = Certificate::of(&Model::Trees(trees.clone()));
    for at in 0..9 * 2 {
        if let Node::Split { feature, threshold, missing_left, left, right } = trees.trees()[0].nodes[at] {
            for threshold in [threshold.next_up(), threshold.next_down()] {
                let altered = with_node(&trees, 0, at, Node::Split { feature, threshold, missing_left, left, right });
                assert!(certificate.catches(&altered), "node {at} at {threshold:e}");
            }
            let node = Node::Split { feature, threshold, missing_left: !missing_left, left, right };
            assert!(certificate.catches(&with_node(&trees, 0, at, node)), "node {at} for missing values");
        }
    }
}

/// Two features change places in all of a graph.
#[test]
fn swapped_columns_are_caught() {
    for kind in ["trees", "probability_trees", "linear", "scorecard"] {
        let model = model(kind, SIZE, 3).expect("a kind of model");
        let certificate = Certificate::of(&model);
        for (one, other) in (1..SIZE.n_features as u32).map(|other| (0, other)) {
            let swapped = swapped(&model, one, other);
            assert!(swapped == model || certificate.catches(&swapped), "{kind}: {one} and {other}");
        }
    }
}

fn swapped(model: &Model, one: u32, other: u32) -> Model {
    let swap = |feature: &mut u32| {
        *feature = if *feature == one {
            other
        } else if *feature == other {
            one
        } else {
            *feature
        };
    };
    match model.clone() {
        Model::Linear(mut linear) => {
            linear.terms.swap(one as usize, other as usize);
            Model::Linear(linear)
        }
        Model::Scorecard(mut card) => {
            card.indicators.iter_mut().for_each(|indicator| swap(&mut indicator.feature));
            Model::Scorecard(card)
        }
        Model::Trees(trees) => {
            let mut all = trees.trees().to_vec();
            for node in all.iter_mut().flat_map(|tree| &mut tree.nodes) {
                if let Node::Split { feature, .. } = node {
                    swap(feature);
                }
            }
            Model::Trees(Trees::new(trees.n_features(), trees.base(), trees.link(), all).expect("still trees"))
        }
        Model::Graph(_) => panic!("no model of this file is a graph of other software"),
    }
}

/// A number of a part of a model.
type Number<T> = fn(&mut T) -> &mut f32;

#[test]
fn every_changed_number_of_a_linear_model_is_caught() {
    let model = model("linear", SIZE, 4).expect("a kind of model");
    let Model::Linear(linear) = &model else { panic!("it is linear") };
    let certificate = Certificate::of(&model);
    let numbers: [Number<LinearTerm>; 5] = [
        |term| &mut term.lower,
        |term| &mut term.upper,
        |term| &mut term.center,
        |term| &mut term.weight,
        |term| &mut term.missing_weight,
    ];
    for place in 0..linear.terms.len() {
        for (which, number) in numbers.iter().enumerate() {
            for change in [f32::next_up, f32::next_down] {
                let mut altered: Linear = linear.clone();
                let number = number(&mut altered.terms[place]);
                *number = change(*number);
                let (was, is) = (linear.terms[place], altered.terms[place]);
                // A bound far from a far larger center is nothing beside it in f32.
                let ends = |of: LinearTerm| (of.lower - of.center, of.upper - of.center, of.center);
                let is_told = which > 2 || ends(was) != ends(is);
                assert_eq!(certificate.catches(&Model::Linear(altered)), is_told, "{was:?} as {is:?}");
            }
        }
    }
    let altered = Linear { intercept: linear.intercept.next_up(), ..linear.clone() };
    assert!(certificate.catches(&Model::Linear(altered)));
}

#[test]
fn every_changed_number_of_a_scorecard_is_caught() {
    let model = model("scorecard", SIZE, 5).expect("a kind of model");
    let Model::Scorecard(card) = &model else { panic!("it is a scorecard") };
    let certificate = Certificate::of(&model);
    let numbers: [Number<Indicator>; 3] = [|of| &mut of.weight, |of| &mut of.at_zero, |of| &mut of.at_full];
    for place in 0..card.indicators.len() {
        for (which, number) in numbers.iter().enumerate() {
            for change in [f32::next_up, f32::next_down] {
                let mut altered = card.clone();
                let number = number(&mut altered.indicators[place]);
                *number = change(*number);
                assert!(certificate.catches(&Model::Scorecard(altered)), "indicator {place}, number {which}");
            }
        }
    }
    for altered in [
        ScorecardModel { slope: card.slope.next_up(), ..card.clone() },
        ScorecardModel { intercept: card.intercept.next_up(), ..card.clone() },
    ] {
        assert!(certificate.catches(&Model::Scorecard(altered)));
    }
}

/// One row serves for many splits, or the certificate of a usual ensemble would be larger than its graph.
#[test]
fn a_certificate_has_few_rows() {
    for (kind, size, most) in [("trees", models::BENCHMARK, 3_000), ("trees", SIZE, 400), ("linear", SIZE, 40)] {
        let model = model(kind, size, 6).expect("a kind of model");
        let n_rows = parity_rows(&model, 1, 0).n_rows();
        assert!(n_rows <= most, "{kind} {size:?}: {n_rows} rows");
        assert!(Kernel::compile(&bytes_of(&model)).is_ok());
    }
}
