//! One tree with what became of the rows in each of its nodes.

use bellwether_core::{Calibration, FeatureMatrix, FeatureSchema, Model, Node, Probability};

use crate::number::count;

/// One readable tree; node 0 is the root, children stand after their parent.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnTree {
    /// The nodes.
    pub nodes: Vec<DrawnNode>,
}

/// A node of a [`DrawnTree`].
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnNode {
    /// Training rows that come here.
    pub n_rows: usize,
    /// Of them, those with the outcome.
    pub n_events: usize,
    /// What happens here.
    pub kind: DrawnKind,
}

/// What happens in a node.
#[derive(Debug, Clone, PartialEq)]
pub enum DrawnKind {
    /// Rows go left or right.
    Split {
        /// The feature that is asked.
        feature: String,
        /// What is asked of it.
        question: Question,
        /// Where a missing value goes; `None` where no training row lacks the feature.
        missing_left: Option<bool>,
        /// Place of the left child.
        left: usize,
        /// Place of the right child.
        right: usize,
    },
    /// The calibrated probability of all rows that end here.
    Leaf(Probability),
}

/// What a split asks of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Question {
    /// Left where the value, in the feature's unit, is at most this.
    AtMost(f32),
    /// The feature is 0 or 1 in all training rows: left where it is 0.
    IsNot,
}

impl DrawnTree {
    /// The tree of `model` with what became of its training rows: `y[k]` says whether row `rows[k]` of `x` has the
    /// outcome. `None` where the model is anything but one tree.
    ///
    /// # Panics
    /// If `schema` or `x` is not the model's, a row is outside `x`, or `y` is not as long as `rows`.
    pub fn new(
        model: &Model,
        calibration: &Calibration,
        schema: &FeatureSchema,
        x: &FeatureMatrix,
        rows: &[usize],
        y: &[bool],
    ) -> Option<Self> {
        assert_eq!(rows.len(), y.len(), "one label a row");
        let Model::Trees(trees) = model else { return None };
        let [tree] = trees.trees() else { return None };
        let of_node = rows_of_nodes(&tree.nodes, x, rows, y);
        let kind = |node: &Node| match *node {
            Node::Leaf { value } => {
                let sum = f64::from(trees.base()) + f64::from(value);
                DrawnKind::Leaf(calibration.probability(trees.link().logit(sum)))
            }
            Node::Split { feature, threshold, missing_left, left, right } => {
                let feature = feature as usize;
                let known = || rows.iter().map(|&row| x.value(row, feature)).filter(|value| !value.is_nan());
                let is_flag = (0.0..1.0).contains(&threshold) && known().all(|value| value == 0.0 || value == 1.0);
                DrawnKind::Split {
                    feature: schema.features()[feature].name.clone(),
                    question: if is_flag { Question::IsNot } else { Question::AtMost(threshold) },
                    missing_left: (known().count() < rows.len()).then_some(missing_left),
                    left: left as usize,
                    right: right as usize,
                }
            }
        };
        let nodes = tree.nodes.iter().zip(of_node);
        let nodes = nodes.map(|(node, (n_rows, n_events))| DrawnNode { n_rows, n_events, kind: kind(node) });
        Some(Self { nodes: nodes.collect() })
    }

    /// How many leaves it has, in words.
    pub(crate) fn leaves(&self) -> String {
        match self.nodes.iter().filter(|node| matches!(node.kind, DrawnKind::Leaf(_))).count() {
            1 => "1 leaf".to_owned(),
            n => format!("{} leaves", count(n)),
        }
    }
}

/// Rows, and rows with the outcome, that come to each node.
fn rows_of_nodes(nodes: &[Node], x: &FeatureMatrix, rows: &[usize], y: &[bool]) -> Vec<(usize, usize)> {
    let mut of_node = vec![(0, 0); nodes.len()];
    for (&row, &y) in rows.iter().zip(y) {
        let mut at = 0;
        loop {
            of_node[at].0 += 1;
            of_node[at].1 += usize::from(y);
            let Node::Split { feature, threshold, missing_left, left, right } = nodes[at] else { break };
            let value = x.value(row, feature as usize);
            let goes_left = if value.is_nan() { missing_left } else { value <= threshold };
            at = if goes_left { left } else { right } as usize;
        }
    }
    of_node
}
