//! The values at which a model, or a health score, changes its rule.

use bellwether_core::{Dimension, FeatureCondition, HealthCard, HealthModel, HealthRules, Model, Node, Scale};

/// For each feature the values at which one of `models` or `health` changes its rule, with the f32 below and above each,
/// ascending.
pub(super) fn edges(models: &[&Model], health: Option<&HealthModel>, n_features: usize) -> Vec<Vec<f32>> {
    let mut edges = vec![Vec::new(); n_features];
    for model in models {
        add_model(model, &mut edges);
    }
    if let Some(health) = health {
        add_model(&Model::Scorecard(health.card.clone()), &mut edges);
        if let Some(rules) = &health.rules {
            add_rules(rules, &mut edges);
        }
    }
    edges.iter().map(|edges| with_neighbours(edges)).collect()
}

/// Each of `values` with its neighbours, as far as they are finite: ascending, each once, -0.0 before 0.0.
pub(super) fn with_neighbours(values: &[f32]) -> Vec<f32> {
    let neighbours = values.iter().flat_map(|value| [value.next_down(), *value, value.next_up()]);
    let mut all: Vec<f32> = neighbours.filter(|value| value.is_finite()).collect();
    all.sort_by(f32::total_cmp);
    all.dedup_by_key(|value| value.to_bits());
    all
}

fn add_model(model: &Model, edges: &mut [Vec<f32>]) {
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
        // It has no edges: values around 0, and around what is usual as far as the graph says.
        Model::Graph(graph) => {
            for input in &graph.inputs {
                let usual = input.missing.unwrap_or(0.0);
                edges[input.feature as usize].extend([-1.0, 0.0, 1.0, usual, 2.0 * usual]);
            }
        }
    }
}

fn add_rules(rules: &HealthRules, edges: &mut [Vec<f32>]) {
    for indicator in rules.cards.iter().flat_map(HealthCard::indicators) {
        let edges = &mut edges[indicator.feature as usize];
        match &indicator.scale {
            Scale::Linear { at_zero, at_full } => edges.extend([*at_zero, *at_full]),
            Scale::Banded { edges: steps, .. } => edges.extend(steps),
        }
    }
    let conditions = rules.cards.iter().flat_map(|card| &card.when).chain(rules.vetoes.iter().flat_map(|of| &of.when));
    for range in conditions.flat_map(|condition: &FeatureCondition| &condition.any) {
        let limits = [range.at_least, range.below].into_iter().flatten();
        edges[range.feature as usize].extend(limits.map(|limit| limit as f32));
    }
    for dimension in rules.thresholds.iter().flat_map(|thresholds| &thresholds.by) {
        match dimension {
            Dimension::Ranges { feature, edges: limits, .. } => {
                edges[*feature as usize].extend(limits.iter().map(|&limit| limit as f32));
            }
            Dimension::Levels { columns, .. } => {
                for &column in columns {
                    edges[column as usize].extend([0.0, 1.0]);
                }
            }
        }
    }
}
