//! The rows themselves.

use bellwether_core::{FeatureMatrix, HealthModel, Model};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use super::cells::{Cell, Wish, at_every_node};
use super::edges::edges;
use super::packing::{OpenRow, pack};

/// Rows for [`parity_rows_for`] of one model.
pub fn parity_rows(model: &Model, seed: u64, n_random: usize) -> FeatureMatrix {
    parity_rows_for(&[model], seed, n_random)
}

/// Rows on which a change of a model, or a difference between runtimes, shows, in this order:
///
/// 1. all features missing, `0.0`, `-0.0`, the least f32, the greatest f32, the least positive f32;
/// 2. for every split of every tree a row that arrives at it with the threshold, one each with the f32 below and above
///    it, and one with a missing value, and for every leaf a row that ends there, unless no row does; the same of a
///    linear model's bounds and center and a scorecard's ends; for each feature a row each with what 1 has. One row
///    serves for as many of these as it can; rows that serve for many come first, so that a front part is a fair sample;
/// 3. `n_random` rows of values around the models' thresholds, one in eight missing.
///
/// # Panics
/// If the models read different numbers of features, or there is none.
pub fn parity_rows_for(models: &[&Model], seed: u64, n_random: usize) -> FeatureMatrix {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    matrix(&rows_for(models, None, &mut rng, n_random).0)
}

/// The rows of a bundle's certificate beside those that are encoded: as [`parity_rows_for`], for the health score too.
/// Beside them the edges of each feature.
pub(crate) fn certificate_rows(
    models: &[&Model],
    health: &HealthModel,
    rng: &mut ChaCha8Rng,
    n_random: usize,
) -> (FeatureMatrix, Vec<Vec<f32>>) {
    let (rows, edges) = rows_for(models, Some(health), rng, n_random);
    (matrix(&rows), edges)
}

/// Values that runtimes read differently, if any.
const UNUSUAL: [f32; 6] = [f32::NAN, 0.0, -0.0, f32::MIN, f32::MAX, f32::from_bits(1)];

fn rows_for(
    models: &[&Model],
    health: Option<&HealthModel>,
    rng: &mut ChaCha8Rng,
    n_random: usize,
) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let n_features = models.first().expect("there is a model").n_features();
    assert!(models.iter().all(|model| model.n_features() == n_features), "one number of features");
    let edges = edges(models, health, n_features);
    let mut rows: Vec<Vec<f32>> = UNUSUAL.iter().map(|&value| vec![value; n_features]).collect();
    let packed = pack(wishes(models, &edges), n_features);
    rows.extend(packed.iter().map(|row| settle(row, &edges, rng)));
    rows.extend((0..n_random).map(|_| edges.iter().map(|edges| random_value(edges, rng)).collect()));
    for model in models {
        if let Model::Graph(graph) = model {
            graph.inputs.iter().for_each(|input| bound(&mut rows, input.feature as usize, &edges));
        }
    }
    (rows, edges)
}

/// The least and the greatest f32 overflow in a graph of other software: its last edges stand in their places.
fn bound(rows: &mut [Vec<f32>], feature: usize, edges: &[Vec<f32>]) {
    let (Some(&least), Some(&greatest)) = (edges[feature].first(), edges[feature].last()) else { return };
    for value in rows.iter_mut().map(|row| &mut row[feature]) {
        match *value {
            f32::MIN => *value = least,
            f32::MAX => *value = greatest,
            _ => {}
        }
    }
}

fn wishes(models: &[&Model], edges: &[Vec<f32>]) -> Vec<Wish> {
    let trees = models.iter().filter_map(|model| match model {
        Model::Trees(trees) => Some(trees.trees()),
        Model::Linear(_) | Model::Scorecard(_) | Model::Graph(_) => None,
    });
    let of_trees = trees.flatten().flat_map(at_every_node);
    let cell = |value: f32| if value.is_nan() { Cell::MISSING } else { Cell::number(value) };
    let of_features = (0_u32..)
        .zip(edges)
        .flat_map(|(feature, edges)| UNUSUAL.iter().chain(edges).map(move |&value| vec![(feature, cell(value))]));
    of_trees.chain(of_features).collect()
}

/// One row of the cells: where a cell leaves a choice, an edge in it.
fn settle(row: &OpenRow, edges: &[Vec<f32>], rng: &mut ChaCha8Rng) -> Vec<f32> {
    row.cells.iter().zip(edges).map(|(&cell, edges)| value_in(cell, edges, rng)).collect()
}

/// Missing once in eight where it may be, else an edge in the cell.
fn value_in(cell: Cell, edges: &[f32], rng: &mut ChaCha8Rng) -> f32 {
    if cell.missing && (!cell.has_numbers() || rng.next_u32().is_multiple_of(8)) {
        return f32::NAN;
    }
    let from = edges.partition_point(|edge| edge.total_cmp(&cell.low).is_lt());
    let to = edges.partition_point(|edge| edge.total_cmp(&cell.high).is_le());
    match to.saturating_sub(from) {
        0 if cell == Cell::ANY => 0.0,
        0 => cell.low,
        n => edges[from + below(n, rng)],
    }
}

/// Missing once in eight, an edge once in eight, else anywhere from a little below the edges to a little above them.
pub(super) fn random_value(edges: &[f32], rng: &mut ChaCha8Rng) -> f32 {
    let uniform = f64::from(rng.next_u32()) / f64::from(u32::MAX);
    match (rng.next_u32() % 8, edges.len()) {
        (0, _) => f32::NAN,
        (_, 0) => (uniform * 4.0 - 2.0) as f32,
        (1, n) => edges[below(n, rng)],
        // Two edges, so that values are dense where thresholds are.
        (_, n) => {
            let (from, to) = (f64::from(edges[below(n, rng)]), f64::from(edges[below(n, rng)]));
            let value = from + (uniform * 1.5 - 0.25) * (to - from);
            value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
        }
    }
}

pub(super) fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    (rng.next_u64() % n as u64) as usize
}

fn matrix(rows: &[Vec<f32>]) -> FeatureMatrix {
    let n_features = rows.first().map_or(0, Vec::len);
    let column = |feature: usize| rows.iter().map(|row| row[feature]).collect();
    let columns: Vec<Vec<f32>> = (0..n_features).map(column).collect();
    FeatureMatrix::from_columns(&columns).expect("every value is finite or missing")
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Indicator, Link, Node, ScorecardModel, Tree, Trees};

    use super::*;

    fn stump(feature: u32, threshold: f32) -> Tree {
        let split = Node::Split { feature, threshold, missing_left: true, left: 1, right: 2 };
        Tree { nodes: vec![split, Node::Leaf { value: 0.0 }, Node::Leaf { value: 1.0 }] }
    }

    fn models() -> [Model; 2] {
        let trees = vec![stump(0, 1.5), stump(0, f32::MAX), stump(2, 0.0)];
        let card = vec![Indicator { feature: 1, weight: 1.0, at_zero: 30.0, at_full: -2.0 }];
        [
            Model::Trees(Trees::new(3, 0.0, Link::Logit, trees).expect("stumps are trees")),
            Model::Scorecard(ScorecardModel { n_features: 3, indicators: card, slope: -0.1, intercept: 5.0 }),
        ]
    }

    fn bits(rows: &FeatureMatrix) -> Vec<u32> {
        (0..rows.n_cols()).flat_map(|j| rows.column(j)).map(|value| value.to_bits()).collect()
    }

    #[test]
    fn every_threshold_stands_there_with_its_neighbours() {
        let [trees, card] = models();
        let rows = parity_rows_for(&[&trees, &card], 1, 0);
        for (feature, edge) in [(0, 1.5_f32), (0, f32::MAX), (2, 0.0), (1, 30.0), (1, -2.0)] {
            for value in [edge.next_down(), edge, edge.next_up()] {
                let stands_there = rows.column(feature).iter().any(|x| x.to_bits() == value.to_bits());
                assert!(stands_there || value.is_infinite(), "{value} of feature {feature}");
            }
        }
    }

    #[test]
    fn each_feature_has_every_unusual_value_beside_usual_ones() {
        let [trees, card] = models();
        let rows = parity_rows_for(&[&trees, &card], 1, 0).select(&(6..rows_of(&trees, &card)).collect::<Vec<_>>());
        for feature in 0..3 {
            for value in UNUSUAL {
                let same = |x: &f32| x.to_bits() == value.to_bits() || (x.is_nan() && value.is_nan());
                assert!(rows.column(feature).iter().any(same), "{value} of feature {feature}");
            }
        }
    }

    fn rows_of(trees: &Model, card: &Model) -> usize {
        parity_rows_for(&[trees, card], 1, 0).n_rows()
    }

    #[test]
    fn a_seed_gives_its_rows_only() {
        let [trees, _] = models();
        assert_eq!(bits(&parity_rows(&trees, 1, 50)), bits(&parity_rows(&trees, 1, 50)));
        assert_ne!(bits(&parity_rows(&trees, 1, 50)), bits(&parity_rows(&trees, 2, 50)));
    }
}
