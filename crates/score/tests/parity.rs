//! Native, core's plain reading and tract agree on every model.

mod models;

use bellwether_core::{FeatureMatrix, Model};
use bellwether_score::{Kernel, Reference, parity_rows};
use models::{BENCHMARK, Size, bytes_of, model};

/// A large ensemble gets fewer: tract's time for one row rises with the square of the trees.
const N_RANDOM_OF_LARGE: usize = 100;
const N_RANDOM: usize = 20_000;
const LARGE: Size = Size { n_trees: 40, ..BENCHMARK };

/// The largest difference that tract may have, relative to `max(1, |logit|)`.
fn tolerance(kind: &str) -> f64 {
    match kind {
        "trees" => 0.0,
        "probability_trees" => 1e-6,
        _ => 1e-5,
    }
}

fn check(kind: &str, size: Size, seed: u64) {
    let model = model(kind, size, seed).expect("a kind of model");
    let is_large = kind.ends_with("trees") && size.n_trees >= LARGE.n_trees;
    let rows = parity_rows(&model, seed, if is_large { N_RANDOM_OF_LARGE } else { N_RANDOM });
    let bytes = bytes_of(&model);
    let (kernel, reference) = (Kernel::compile(&bytes).expect("compiles"), Reference::new(&bytes).expect("loads"));
    let native = kernel.logits(&rows).expect("runs");
    let tract = reference.logits(&rows).expect("runs");
    let mut row = vec![0.0; rows.n_cols()];
    for at in 0..rows.n_rows() {
        rows.read_row(at, &mut row);
        let plain = model.logit(&row);
        assert_eq!(native[at].to_bits(), plain.to_bits(), "{kind} {seed}, row {at}: {} and {plain}", native[at]);
        let one = kernel.logit_row(&row).expect("runs");
        assert_eq!(native[at].to_bits(), one.to_bits(), "{kind} {seed}, row {at} alone");
        let difference = (native[at] - f64::from(tract[at])).abs() / plain.abs().max(1.0);
        assert!(difference <= tolerance(kind), "{kind} {seed}, row {at}: {} and {} of tract", native[at], tract[at]);
    }
    check_leaves(&model, &rows, &kernel, &reference);
}

fn check_leaves(model: &Model, rows: &FeatureMatrix, kernel: &Kernel, reference: &Reference) {
    let leaves = kernel.leaves(rows).expect("runs");
    assert_eq!(leaves, reference.leaves(rows).expect("runs"));
    let Model::Trees(trees) = model else { return assert!(leaves.is_empty()) };
    let mut row = vec![0.0; rows.n_cols()];
    for (at, leaves) in leaves.chunks_exact(kernel.n_trees()).enumerate() {
        rows.read_row(at, &mut row);
        let plain = trees.trees().iter().map(|tree| tree.leaf(&row).0);
        assert!(plain.eq(leaves.iter().copied()), "row {at}");
    }
}

#[test]
fn trees_agree_to_the_bit_and_to_the_leaf() {
    check("trees", LARGE, 1);
    check("trees", Size { n_features: 20, n_trees: 5, n_leaves: 24 }, 13);
    check("trees", Size { n_features: 3, n_trees: 1, n_leaves: 2 }, 2);
    check("trees", Size { n_features: 7, n_trees: 2, n_leaves: 200 }, 3);
    check("trees", Size { n_features: 1, n_trees: 2, n_leaves: 1 }, 4);
}

#[test]
fn trees_of_probabilities_agree_to_the_leaf() {
    check("probability_trees", LARGE, 5);
    check("probability_trees", Size { n_features: 20, n_trees: 5, n_leaves: 24 }, 14);
    check("probability_trees", Size { n_features: 5, n_trees: 1, n_leaves: 40 }, 6);
}

#[test]
fn linear_models_agree() {
    check("linear", BENCHMARK, 7);
    check("linear", Size { n_features: 1, ..BENCHMARK }, 8);
    check("linear", Size { n_features: 200, ..BENCHMARK }, 9);
}

#[test]
fn scorecards_agree() {
    check("scorecard", Size { n_features: 12, ..BENCHMARK }, 10);
    check("scorecard", BENCHMARK, 11);
}

#[test]
fn a_row_scores_the_same_in_any_batch_on_any_threads() {
    for kind in ["trees", "probability_trees", "linear", "scorecard"] {
        let model = model(kind, BENCHMARK, 12).expect("a kind of model");
        let rows = parity_rows(&model, 12, 6_000);
        let kernel = Kernel::compile(&bytes_of(&model)).expect("compiles");
        let all = kernel.logits(&rows).expect("runs");
        for (n_threads, n_batch) in [(1, 1_000), (2, 4_099), (5, 100_000)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
            let places: Vec<usize> = (0..rows.n_rows()).rev().collect();
            let batches = places
                .chunks(n_batch)
                .flat_map(|batch| pool.install(|| kernel.logits(&rows.select(batch))).expect("runs"));
            let bits: Vec<u64> = batches.map(f64::to_bits).collect();
            assert!(bits.into_iter().rev().eq(all.iter().map(|logit| logit.to_bits())), "{kind} on {n_threads}");
        }
    }
}
