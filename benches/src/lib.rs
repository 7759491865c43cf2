//! Generators that the benches share.

use bellwether_core::{Feature, FeatureMatrix, FeatureSchema, Link, Model, Node, Tree, Trees};

/// A schema of `n_features` unnamed features.
///
/// # Panics
/// If `n_features` is 0.
pub fn schema(n_features: usize) -> FeatureSchema {
    let feature = |place| Feature { name: format!("f{place}"), category: None, good: None };
    FeatureSchema::new((0..n_features).map(feature).collect()).expect("names differ and there is a feature")
}

/// `n_rows` x `n_features` values in `0.0..1.0`, one in 20 missing.
///
/// # Panics
/// Never: the columns have one length and finite values.
pub fn rows(n_rows: usize, n_features: usize, seed: u64) -> FeatureMatrix {
    let mut state = seed;
    let mut value = || if next(&mut state).is_multiple_of(20) { f32::NAN } else { unit(&mut state) };
    let columns: Vec<Vec<f32>> = (0..n_features).map(|_| (0..n_rows).map(|_| value()).collect()).collect();
    FeatureMatrix::from_columns(&columns).expect("columns of one length")
}

/// An ensemble of `n_trees` random trees with `n_leaves` leaves each.
///
/// # Panics
/// If `n_trees` or `n_leaves` is 0.
pub fn trees(n_trees: usize, n_leaves: usize, n_features: usize, seed: u64) -> Model {
    let mut state = seed;
    let trees = (0..n_trees).map(|_| tree(n_leaves, n_features, &mut state)).collect();
    Model::Trees(Trees::new(n_features, 0.0, Link::Logit, trees).expect("random trees are trees"))
}

/// The same trees, of which each leaf was reached by 1 to 7 training rows; other models as they are.
///
/// # Panics
/// Never: counts add up.
#[must_use]
pub fn covered(model: Model) -> Model {
    let Model::Trees(trees) = model else { return model };
    let covers = trees.trees().iter().map(|tree| tree.covers(|at| (at % 7 + 1) as f32)).collect();
    Model::Trees(trees.with_covers(covers).expect("counts add up"))
}

/// Splits leaves, first come first split, until there are `n_leaves`.
fn tree(n_leaves: usize, n_features: usize, state: &mut u64) -> Tree {
    let mut nodes = vec![Node::Leaf { value: 0.0 }];
    for split in 0..n_leaves - 1 {
        let left = nodes.len() as u32;
        nodes[split] = Node::Split {
            feature: (next(state) % n_features as u64) as u32,
            threshold: unit(state),
            missing_left: next(state).is_multiple_of(2),
            left,
            right: left + 1,
        };
        nodes.extend((0..2).map(|_| Node::Leaf { value: unit(state) - 0.5 }));
    }
    Tree { nodes }
}

fn unit(state: &mut u64) -> f32 {
    (next(state) >> 40) as f32 / 16_777_216.0
}

/// splitmix64 (Steele, Lea and Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
