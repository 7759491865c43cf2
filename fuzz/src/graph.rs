//! Graphs: files of any bytes, and models of any shape.

use bellwether_core::{
    Feature, FeatureMatrix, FeatureSchema, Indicator, Linear, LinearTerm, Link, Model, Node, ScorecardModel, Tree,
    Trees,
};
use bellwether_score::{Kernel, parity_rows};

/// Sizes up to which every number of an accepted graph is looked at; a larger one is only compiled.
const MAX_NODES: usize = 2_000;
const MAX_FEATURES: usize = 64;

/// What else is to be checked of a kernel, on some rows: the file is the last argument.
pub(crate) type Also<'a> = &'a dyn Fn(&Kernel, &FeatureMatrix, &[u8]);

/// Bytes as a file: it is refused, or it computes what it says.
pub(crate) fn file(bytes: &[u8], also: Also<'_>) {
    if let Ok(decoded) = bellwether_onnx::decode(bytes) {
        assert!(decoded.model.validate().is_ok(), "a model that was read is valid");
        if matches!(decoded.model, Model::Graph(_)) {
            // Here is no tract to compute it.
            return;
        }
        let kernel = Kernel::compile(bytes).expect("what is read is compiled");
        agree(&decoded.model, &kernel, bytes, also);
    }
}

/// Bytes as a description of a model: what is no model is refused, what is one is written, read and computed.
pub(crate) fn model(bytes: &[u8], also: Also<'_>) {
    let Some(model) = described(&mut Bytes(bytes)) else { return };
    let name = |at| Feature { name: format!("f{at}"), category: None, good: None };
    let schema = FeatureSchema::new((0..model.n_features()).map(name).collect()).expect("names differ");
    let Ok(bytes) = bellwether_onnx::encode(&model, &schema, "churn_90d") else { return };
    let decoded = bellwether_onnx::decode(&bytes).expect("what is written is read");
    // Both zeros of a leaf are one number.
    assert_eq!(format!("{:?}", decoded.model), format!("{model:?}"));
    agree(&model, &Kernel::compile(&bytes).expect("compiles"), &bytes, also);
}

/// The kernel gives what the definition says, row by row and alone.
fn agree(model: &Model, kernel: &Kernel, bytes: &[u8], also: Also<'_>) {
    let n_nodes: usize = match model {
        Model::Trees(trees) => trees.trees().iter().map(|tree| tree.nodes.len()).sum(),
        Model::Linear(_) | Model::Scorecard(_) | Model::Graph(_) => 0,
    };
    if n_nodes > MAX_NODES || model.n_features() > MAX_FEATURES {
        return;
    }
    let all = parity_rows(model, 1, 8);
    let rows = all.select(&(0..all.n_rows().min(80)).collect::<Vec<_>>());
    let logits = kernel.logits(&rows).expect("rows have the model's width");
    let mut row = vec![0.0; rows.n_cols()];
    for (at, logit) in logits.iter().enumerate() {
        rows.read_row(at, &mut row);
        let alone = kernel.logit_row(&row).expect("rows have the model's width");
        let plain = model.logit(&row);
        assert!(same(*logit, plain) && same(alone, plain), "row {at}: {logit}, {alone}, {plain}");
    }
    also(kernel, &rows, bytes);
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// Numbers off the front; zeros past the end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn float(&mut self) -> f32 {
        match self.byte() {
            0 => f32::from_bits(u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])),
            1 => -0.0,
            2 => f32::MAX,
            3 => f32::MIN,
            4 => f32::from_bits(1),
            byte => (f32::from(byte) - 128.0) / 8.0,
        }
    }
}

/// A model, if the bytes describe one.
fn described(bytes: &mut Bytes<'_>) -> Option<Model> {
    let kind = bytes.byte() % 4;
    let n_features = usize::from(bytes.byte() % 8) + 1;
    let model = match kind {
        0 | 1 => {
            let link = if kind == 0 { Link::Logit } else { Link::Probability };
            let trees = (0..=bytes.byte() % 4).map(|_| tree(bytes)).collect();
            Model::Trees(Trees::new(n_features, bytes.float(), link, trees).ok()?)
        }
        2 => {
            let mut term = || LinearTerm {
                lower: bytes.float(),
                upper: bytes.float(),
                center: bytes.float(),
                weight: bytes.float(),
                missing_weight: bytes.float(),
            };
            let terms = (0..n_features).map(|_| term()).collect();
            Model::Linear(Linear { terms, intercept: bytes.float() })
        }
        _ => {
            let mut indicator = || Indicator {
                feature: u32::from(bytes.byte() % 16),
                weight: bytes.float(),
                at_zero: bytes.float(),
                at_full: bytes.float(),
            };
            let indicators = (0..n_features).map(|_| indicator()).collect();
            let (slope, intercept) = (bytes.float(), bytes.float());
            Model::Scorecard(ScorecardModel { n_features, indicators, slope, intercept })
        }
    };
    model.validate().is_ok().then_some(model)
}

/// Nodes whose children are anywhere near: often no tree.
fn tree(bytes: &mut Bytes<'_>) -> Tree {
    let n_nodes = u32::from(bytes.byte() % 64) + 1;
    let node = |at: u32| {
        let first = bytes.byte();
        if first < 96 || 2 * at + 2 >= n_nodes {
            return Node::Leaf { value: bytes.float() };
        }
        // Usually the children of a heap.
        let (left, right) = match first {
            97 => (u32::from(bytes.byte()), u32::from(bytes.byte())),
            _ => (2 * at + 1, 2 * at + 2),
        };
        let missing_left = first.is_multiple_of(2);
        Node::Split { feature: u32::from(bytes.byte() % 8), threshold: bytes.float(), missing_left, left, right }
    };
    let nodes: Vec<Node> = (0..n_nodes).map(node).collect();
    Tree { nodes: reachable(&nodes) }
}

/// The nodes that a root leads to, in order, where the children of each split stand after it.
fn reachable(nodes: &[Node]) -> Vec<Node> {
    let mut place = vec![None; nodes.len()];
    let mut kept = Vec::new();
    place[0] = Some(());
    for (at, node) in nodes.iter().enumerate() {
        if place[at].is_some() {
            kept.push(at);
            if let Node::Split { left, right, .. } = *node {
                for child in [left, right] {
                    if let Some(of) = place.get_mut(child as usize) {
                        *of = Some(());
                    }
                }
            }
        }
    }
    let new = |old: u32| kept.iter().position(|&at| at == old as usize).map_or(old, |at| at as u32);
    let moved = |&at: &usize| match nodes[at] {
        Node::Split { feature, threshold, missing_left, left, right } => {
            Node::Split { feature, threshold, missing_left, left: new(left), right: new(right) }
        }
        leaf @ Node::Leaf { .. } => leaf,
    };
    kept.iter().map(moved).collect()
}
