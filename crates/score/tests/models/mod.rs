//! Models as learners make them, by seed: sizes of the benchmark, thresholds that many nodes share, missing values.

use bellwether_core::{
    Feature, FeatureSchema, Indicator, Linear, LinearTerm, Link, Model, Node, ScorecardModel, Tree, Trees,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// How large an ensemble is.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "each is a number of something")]
pub(crate) struct Size {
    pub(crate) n_features: usize,
    pub(crate) n_trees: usize,
    pub(crate) n_leaves: usize,
}

/// The size of the benchmark: 100 trees of 31 leaves over 60 features.
pub(crate) const BENCHMARK: Size = Size { n_features: 60, n_trees: 100, n_leaves: 31 };

/// A bytes-ready model of a kind: `trees`, `probability_trees`, `linear` or `scorecard`.
pub(crate) fn model(kind: &str, size: Size, seed: u64) -> Option<Model> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    match kind {
        "trees" => Some(trees(Link::Logit, size, &mut rng)),
        "probability_trees" => Some(trees(Link::Probability, size, &mut rng)),
        "linear" => Some(linear(size.n_features, &mut rng)),
        "scorecard" => Some(scorecard(size.n_features, &mut rng)),
        _ => None,
    }
}

/// Features `f0`, `f1` ...
pub(crate) fn schema(n_features: usize) -> FeatureSchema {
    let feature = |j| Feature { name: format!("f{j}"), category: None, good: None };
    FeatureSchema::new((0..n_features).map(feature).collect()).expect("names differ")
}

/// The graph of `model`.
pub(crate) fn bytes_of(model: &Model) -> Vec<u8> {
    bellwether_onnx::encode(model, &schema(model.n_features()), "churn_90d").expect("the model can be written")
}

fn linear(n_features: usize, rng: &mut ChaCha8Rng) -> Model {
    let terms = (0..n_features).map(|_| {
        let (lower, scale) = (uniform(-5.0, 5.0, rng), 10.0_f32.powf(uniform(-2.0, 4.0, rng)));
        let upper = lower + scale;
        LinearTerm {
            lower,
            upper,
            center: lower + scale * uniform(0.0, 1.0, rng),
            weight: uniform(-1.0, 1.0, rng) / scale,
            missing_weight: uniform(-0.3, 0.3, rng),
        }
    });
    Model::Linear(Linear { terms: terms.collect(), intercept: uniform(-3.0, 3.0, rng) })
}

fn scorecard(n_features: usize, rng: &mut ChaCha8Rng) -> Model {
    let indicators = (0..n_features as u32).filter(|_| below(4, rng) > 0).collect::<Vec<u32>>();
    let indicator = |feature| {
        let (at_zero, scale) = (uniform(-50.0, 50.0, rng), 10.0_f32.powf(uniform(-2.0, 4.0, rng)));
        let at_full = if below(2, rng) == 0 { at_zero + scale } else { at_zero - scale };
        Indicator { feature, weight: uniform(0.1, 20.0, rng), at_zero, at_full }
    };
    let indicators = indicators.into_iter().map(indicator).collect();
    Model::Scorecard(ScorecardModel { n_features, indicators, slope: -0.08, intercept: 3.0 })
}

fn trees(link: Link, size: Size, rng: &mut ChaCha8Rng) -> Model {
    // As from histograms: each feature has a few values that all trees split at.
    let values: Vec<Vec<f32>> = (0..size.n_features).map(|_| (0..40).map(|_| threshold(rng)).collect()).collect();
    let trees = (0..size.n_trees).map(|_| tree(link, size, &values, rng)).collect();
    let base = if link == Link::Logit { uniform(-3.0, 0.0, rng) } else { 0.0 };
    Model::Trees(Trees::new(size.n_features, base, link, trees).expect("grown trees are trees"))
}

/// Grown leaf by leaf; a leaf to split is the best of two, so that depths differ without running away.
fn tree(link: Link, size: Size, values: &[Vec<f32>], rng: &mut ChaCha8Rng) -> Tree {
    let value = |rng: &mut ChaCha8Rng| match link {
        Link::Logit => uniform(-0.3, 0.3, rng),
        Link::Probability => uniform(0.0, 1.0, rng).powi(3) / size.n_trees as f32,
    };
    let mut nodes = vec![Node::Leaf { value: value(rng) }];
    let mut leaves = vec![0_usize];
    for _ in 1..size.n_leaves {
        let place = below(leaves.len(), rng).min(below(leaves.len(), rng));
        let at = leaves.remove(place);
        let feature = below(size.n_features, rng);
        let (left, right) = (nodes.len() as u32, nodes.len() as u32 + 1);
        let threshold = values[feature][below(values[feature].len(), rng)];
        let missing_left = below(2, rng) == 0;
        nodes[at] = Node::Split { feature: feature as u32, threshold, missing_left, left, right };
        nodes.extend([Node::Leaf { value: value(rng) }, Node::Leaf { value: value(rng) }]);
        leaves.extend([left as usize, right as usize]);
    }
    Tree { nodes }
}

fn threshold(rng: &mut ChaCha8Rng) -> f32 {
    match below(8, rng) {
        0 => 0.0,
        1 => below(100, rng) as f32,
        2 => 10.0_f32.powf(uniform(-6.0, 8.0, rng)),
        _ => uniform(-2.0, 2.0, rng),
    }
}

fn uniform(from: f32, to: f32, rng: &mut ChaCha8Rng) -> f32 {
    from + (to - from) * ((rng.next_u32() >> 8) as f32 / (1 << 24) as f32)
}

fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    (rng.next_u64() % n as u64) as usize
}
