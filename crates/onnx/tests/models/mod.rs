//! Random models of every kind, small enough to shrink.

use bellwether_core::{
    Feature, FeatureSchema, Indicator, Linear, LinearTerm, Link, Model, Node, ScorecardModel, Tree, Trees,
};
use proptest::prelude::*;

/// A model of any kind, of at most eight features.
pub(crate) fn model() -> impl Strategy<Value = Model> {
    prop_oneof![linear(), trees(Link::Logit), trees(Link::Probability), scorecard()]
}

/// Features `f0`, `f1` ...
pub(crate) fn schema(n_features: usize) -> FeatureSchema {
    let feature = |j| Feature { name: format!("f{j}"), category: None, good: None };
    FeatureSchema::new((0..n_features).map(feature).collect()).expect("names differ")
}

pub(crate) fn linear() -> impl Strategy<Value = Model> {
    let number = -100.0_f32..100.0;
    let term = (number.clone(), number.clone(), number.clone(), number.clone(), number.clone());
    (number, prop::collection::vec(term, 1..8)).prop_map(|(intercept, terms)| {
        let term = |(a, b, center, weight, missing_weight): (f32, f32, f32, f32, f32)| LinearTerm {
            lower: a.min(b),
            upper: a.max(b),
            center,
            weight,
            missing_weight,
        };
        Model::Linear(Linear { intercept, terms: terms.into_iter().map(term).collect() })
    })
}

pub(crate) fn scorecard() -> impl Strategy<Value = Model> {
    let indicator = (0.1_f32..50.0, -100.0_f32..100.0, 0.1_f32..100.0, any::<bool>());
    let features = prop::sample::subsequence((0..8_u32).collect::<Vec<_>>(), 1..=8).prop_shuffle();
    (features, prop::collection::vec(indicator, 8), -0.2_f32..0.2, -5.0_f32..5.0).prop_map(
        |(features, rules, slope, intercept)| {
            let indicator = |(feature, (weight, at_zero, range, up))| {
                let at_full = if up { at_zero + range } else { at_zero - range };
                Indicator { feature, weight, at_zero, at_full }
            };
            let indicators = features.into_iter().zip(rules).map(indicator).collect();
            Model::Scorecard(ScorecardModel { n_features: 8, indicators, slope, intercept })
        },
    )
}

/// Each tree is grown by replacing one leaf after the other by a split.
pub(crate) fn trees(link: Link) -> impl Strategy<Value = Model> {
    let growth = (any::<prop::sample::Index>(), 0..4_u32, -2.0_f32..2.0, any::<bool>(), 0.0_f32..1.0);
    let tree = (0.0_f32..1.0, prop::collection::vec(growth, 0..12));
    let covers = prop::option::of(prop::collection::vec(0.0_f32..100.0, 25));
    (prop::collection::vec(tree, 1..8), 0.0_f32..1.0, covers).prop_map(move |(trees, base, covers)| {
        let (scale, base) = match link {
            Link::Logit => (1.0, base),
            Link::Probability => (1.0 / trees.len() as f32, 0.0),
        };
        let grow = |(first, growths): (f32, Vec<_>)| {
            let mut nodes = vec![Node::Leaf { value: first * scale }];
            for (at, feature, threshold, missing_left, value) in growths {
                split_leaf(&mut nodes, at, (feature, threshold, missing_left), value * scale);
            }
            Tree { nodes }
        };
        let trees: Vec<Tree> = trees.into_iter().map(grow).collect();
        let of_leaves = covers.map(|of_node| trees.iter().map(|tree| tree.covers(|at| of_node[at] + 1.0)).collect());
        let trees = Trees::new(4, base, link, trees).expect("grown trees are trees");
        Model::Trees(match of_leaves {
            Some(covers) => trees.with_covers(covers).expect("covers add up"),
            None => trees,
        })
    })
}

fn split_leaf(nodes: &mut Vec<Node>, at: prop::sample::Index, rule: (u32, f32, bool), value: f32) {
    let is_leaf = |&at: &usize| matches!(nodes[at], Node::Leaf { .. });
    let leaves: Vec<usize> = (0..nodes.len()).filter(is_leaf).collect();
    let at = *at.get(&leaves);
    let (feature, threshold, missing_left) = rule;
    let left = nodes.len() as u32;
    let old =
        std::mem::replace(&mut nodes[at], Node::Split { feature, threshold, missing_left, left, right: left + 1 });
    nodes.extend([old, Node::Leaf { value }]);
}
