//! A tree as it is grown: what the rows of each node are, and how they are parted.

use bellwether_core::{Node, Tree, sigmoid};

use crate::rows::Table;

/// Weights of rows without the outcome, and with it.
pub(crate) type ByClass = [f64; 2];

/// A grown tree; node 0 is the root, children stand after their parent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Grown {
    pub(crate) nodes: Vec<GrownNode>,
}

/// The rows of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GrownNode {
    pub(crate) of_class: ByClass,
    pub(crate) split: Option<GrownSplit>,
}

/// `x <= threshold` goes left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GrownSplit {
    pub(crate) feature: usize,
    pub(crate) threshold: f32,
    pub(crate) missing_left: bool,
    pub(crate) left: usize,
    pub(crate) right: usize,
}

impl GrownNode {
    /// The weight of all rows.
    pub(crate) fn all(&self) -> f64 {
        self.of_class[0] + self.of_class[1]
    }

    /// The share of rows with the outcome.
    pub(crate) fn rate(&self) -> f64 {
        self.of_class[1] / self.all()
    }
}

impl GrownSplit {
    fn child(&self, x: f32) -> usize {
        let goes_left = if x.is_nan() { self.missing_left } else { x <= self.threshold };
        if goes_left { self.left } else { self.right }
    }
}

impl Grown {
    /// The tree down to `depth` splits a path, with `value` in its leaves.
    pub(crate) fn tree(&self, depth: u32, value: impl Fn(&GrownNode) -> f64) -> Tree {
        let mut nodes = Vec::new();
        self.add(0, depth, &value, &mut nodes);
        Tree { nodes }
    }

    fn add(&self, at: usize, depth: u32, value: &impl Fn(&GrownNode) -> f64, nodes: &mut Vec<Node>) -> u32 {
        let place = nodes.len();
        nodes.push(Node::Leaf { value: value(&self.nodes[at]) as f32 });
        if let Some(split) = self.nodes[at].split.filter(|_| depth > 0) {
            let left = self.add(split.left, depth - 1, value, nodes);
            let right = self.add(split.right, depth - 1, value, nodes);
            let GrownSplit { feature, threshold, missing_left, .. } = split;
            nodes[place] = Node::Split { feature: feature as u32, threshold, missing_left, left, right };
        }
        place as u32
    }

    /// The weighted mean log loss on `table` of the tree down to each depth from 0 to `depth`, with the logit `value`
    /// in its leaves.
    pub(crate) fn losses(&self, depth: u32, value: impl Fn(&GrownNode) -> f64, table: &Table) -> Vec<f64> {
        // ln(1 + exp(-z)) of the logit towards each label.
        let loss = |logit: f64| [-sigmoid(-logit).ln(), -sigmoid(logit).ln()];
        let of_node: Vec<[f64; 2]> = self.nodes.iter().map(|node| loss(value(node))).collect();
        let (mut losses, mut weights) = (vec![0.0; depth as usize + 1], 0.0);
        for row in 0..table.n_rows() {
            let (label, weight) = (usize::from(table.y[row]), table.weight(row));
            let mut at = 0;
            for loss in &mut losses {
                *loss += weight * of_node[at][label];
                at = self.nodes[at].split.map_or(at, |split| split.child(table.columns[split.feature][row]));
            }
            weights += weight;
        }
        losses.into_iter().map(|loss| loss / weights).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x <= 1` and then `x <= 0`; a missing value goes to the middle leaf.
    fn grown() -> Grown {
        let split = |threshold, missing_left, left, right| {
            Some(GrownSplit { feature: 0, threshold, missing_left, left, right })
        };
        let node = |positive: f64, negative: f64, split| GrownNode { of_class: [negative, positive], split };
        Grown {
            nodes: vec![
                node(4.0, 6.0, split(1.0, true, 1, 4)),
                node(1.0, 5.0, split(0.0, false, 2, 3)),
                node(0.5, 3.5, None),
                node(0.5, 1.5, None),
                node(3.0, 1.0, None),
            ],
        }
    }

    #[test]
    fn a_tree_is_cut_at_a_depth() {
        let at = |depth: u32, x: f32| grown().tree(depth, GrownNode::rate).leaf(&[x]).1;
        for (depth, x, rate) in [
            (0, 0.0, 0.4),
            (1, 1.0, 1.0 / 6.0),
            (1, 1.5, 0.75),
            (2, 0.0, 0.125),
            (2, 0.5, 0.25),
            (2, f32::NAN, 0.25),
            (9, 2.0, 0.75),
        ] {
            assert!((f64::from(at(depth, x)) - rate).abs() < 1e-7, "depth {depth}, {x}");
        }
    }

    #[test]
    fn losses_by_depth_are_those_of_the_cut_trees() {
        let x = vec![-1.0, 0.5, f32::NAN, 3.0, 2.0];
        let y = vec![false, true, false, true, true];
        let weights = Some(vec![1.0, 2.0, 0.5, 1.0, 3.0]);
        let table = Table { columns: vec![x.clone()], y: y.clone(), weights, day: vec![0; 5], group: vec![0; 5] };
        let logit = |node: &GrownNode| (node.of_class[1] / node.of_class[0]).ln();
        let losses = grown().losses(3, logit, &table);
        for (depth, loss) in (0..).zip(&losses) {
            let tree = grown().tree(depth, logit);
            let of_row = |row: usize| {
                let p = sigmoid(f64::from(tree.leaf(&[x[row]]).1));
                -table.weight(row) * if y[row] { p.ln() } else { (1.0 - p).ln() }
            };
            let expected = (0..5).map(of_row).sum::<f64>() / 7.5;
            assert!((loss - expected).abs() < 1e-6, "depth {depth}: {loss}, not {expected}");
        }
    }
}
