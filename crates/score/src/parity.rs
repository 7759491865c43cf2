//! Rows on which runtimes are most likely to differ.

use bellwether_core::{FeatureMatrix, Model, Node};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Rows for [`parity_rows_for`] of one model.
pub fn parity_rows(model: &Model, seed: u64, n_random: usize) -> FeatureMatrix {
    parity_rows_for(&[model], seed, n_random)
}

/// Rows on which runtimes are most likely to differ, in this order, so that a front part is a fair sample:
///
/// 1. all features missing, `0.0`, `-0.0`, the least f32, the greatest f32, the least positive f32;
/// 2. for each feature a row in which it is missing, `0.0`, `-0.0`, the least and the greatest f32, others random;
/// 3. `n_random` rows of values around the models' thresholds, one in eight missing;
/// 4. every threshold (of a scorecard both ends, of a linear model bounds and center) of every feature, the f32 below
///    it and the f32 above it. A row has one such value in each feature, in an order of the seed.
///
/// # Panics
/// If the models read different numbers of features, or there is none.
pub fn parity_rows_for(models: &[&Model], seed: u64, n_random: usize) -> FeatureMatrix {
    let n_features = models.first().expect("there is a model").n_features();
    assert!(models.iter().all(|model| model.n_features() == n_features), "one number of features");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let edges: Vec<Vec<f32>> = edges(models, n_features).into_iter().map(|edges| shuffled(edges, &mut rng)).collect();
    let mut rows: Vec<Vec<f32>> = UNUSUAL.iter().map(|&value| vec![value; n_features]).collect();
    for feature in 0..n_features {
        for value in UNUSUAL.into_iter().take(5) {
            let mut row = random_row(&edges, &mut rng);
            row[feature] = value;
            rows.push(row);
        }
    }
    rows.extend((0..n_random).map(|_| random_row(&edges, &mut rng)));
    for place in 0..edges.iter().map(Vec::len).max().unwrap_or(0) {
        let random = random_row(&edges, &mut rng);
        let value = |(edges, random): (&Vec<f32>, f32)| edges.get(place).copied().unwrap_or(random);
        rows.push(edges.iter().zip(random).map(value).collect());
    }
    let column = |feature: usize| rows.iter().map(|row| row[feature]).collect();
    let columns: Vec<Vec<f32>> = (0..n_features).map(column).collect();
    FeatureMatrix::from_columns(&columns).expect("every value is finite or missing")
}

const UNUSUAL: [f32; 6] = [f32::NAN, 0.0, -0.0, f32::MIN, f32::MAX, f32::from_bits(1)];

/// For each feature the values at which a model changes its rule, with their neighbours, ascending.
fn edges(models: &[&Model], n_features: usize) -> Vec<Vec<f32>> {
    let mut edges: Vec<Vec<f32>> = vec![Vec::new(); n_features];
    for model in models {
        match model {
            Model::Linear(linear) => {
                for (edges, term) in edges.iter_mut().zip(&linear.terms) {
                    edges.extend([term.lower, term.center, term.upper]);
                }
            }
            Model::Trees(trees) => {
                for node in trees.trees().iter().flat_map(|tree| &tree.nodes) {
                    if let Node::Split { feature, threshold, .. } = *node {
                        edges[feature as usize].push(threshold);
                    }
                }
            }
            Model::Scorecard(card) => {
                for indicator in &card.indicators {
                    edges[indicator.feature as usize].extend([indicator.at_zero, indicator.at_full]);
                }
            }
        }
    }
    edges.iter().map(|edges| with_neighbours(edges)).collect()
}

fn with_neighbours(values: &[f32]) -> Vec<f32> {
    let neighbours = values.iter().flat_map(|value| [value.next_down(), *value, value.next_up()]);
    let mut all: Vec<f32> = neighbours.filter(|value| value.is_finite()).collect();
    all.sort_by(f32::total_cmp);
    all.dedup_by_key(|value| value.to_bits());
    all
}

/// Fisher and Yates.
fn shuffled(mut values: Vec<f32>, rng: &mut ChaCha8Rng) -> Vec<f32> {
    for last in (1..values.len()).rev() {
        values.swap(last, below(last + 1, rng));
    }
    values
}

fn random_row(edges: &[Vec<f32>], rng: &mut ChaCha8Rng) -> Vec<f32> {
    edges.iter().map(|edges| random_value(edges, rng)).collect()
}

/// Missing once in eight, an edge once in eight, else anywhere from a little below the edges to a little above them.
fn random_value(edges: &[f32], rng: &mut ChaCha8Rng) -> f32 {
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

fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    (rng.next_u64() % n as u64) as usize
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Indicator, Link, ScorecardModel, Tree, Trees};

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
    fn each_feature_is_missing_alone_and_has_both_zeros() {
        let [trees, card] = models();
        let rows = parity_rows_for(&[&trees, &card], 1, 500);
        for feature in 0..3 {
            let is_alone = |row: usize| (0..3).all(|other| rows.value(row, other).is_nan() == (other == feature));
            assert!((0..rows.n_rows()).any(is_alone), "feature {feature}");
            for zero in [0.0_f32, -0.0] {
                assert!(rows.column(feature).iter().any(|x| x.to_bits() == zero.to_bits()), "{zero} of {feature}");
            }
        }
        assert!(rows.n_rows() >= 6 + 3 * 5 + 500);
    }

    #[test]
    fn a_seed_gives_its_rows_only() {
        let [trees, _] = models();
        assert_eq!(bits(&parity_rows(&trees, 1, 50)), bits(&parity_rows(&trees, 1, 50)));
        assert_ne!(bits(&parity_rows(&trees, 1, 50)), bits(&parity_rows(&trees, 2, 50)));
    }
}
