//! An ensemble of trees as a graph.

use bellwether_core::{Link, Node, Tree, Trees};
use prost::bytes::Bytes;

use crate::OnnxError;
use crate::graph::{Body, FEATURES, LOGIT, ML_DOMAIN, attribute, attribute_of, scalar};
use crate::limits::{MAX_TREE_DEPTH, MAX_TREE_NODES, at_most};
use crate::proto::{AttributeProto, GraphProto, NodeProto, attribute_type};

pub(crate) const LOGIT_OPERATORS: &[&str] = &["ai.onnx.ml.TreeEnsembleClassifier", "Gather", "Add"];
pub(crate) const PROBABILITY_OPERATORS: &[&str] =
    &["ai.onnx.ml.TreeEnsembleClassifier", "Gather", "Add", "Mul", "Add", "Sub", "Mul", "Add", "Div", "Log"];

const LEQ: &[u8] = b"BRANCH_LEQ";
const LEAF: &[u8] = b"LEAF";
/// How many training rows reach each node; ONNX has it for runtimes that lay out likely paths first.
const COVERS: &str = "nodes_hitrates";

/// How far a sum may be outside `[0, 1]` to count as a probability; the shrinkage leaves room for 0.0005.
const PROBABILITY_SLACK: f64 = 0.000_4;

/// `sum = base + column 1 of the classifier's scores`; for a probability the logit of it follows.
///
/// Every leaf weighs for class 1; the first one weighs 0 for class 0 too, for where all leaves weigh for one class, ONNX
/// Runtime takes a layout of its own for binary models. They are [`attributes`], which are left out here. The base is added
/// by a node, not by `base_values`: with two of them, ONNX Runtime 1.31 overwrites class 1 by class 0.
pub(crate) fn write(trees: &Trees) -> Result<Body, OnnxError> {
    at_most("nodes of trees", n_nodes(trees), MAX_TREE_NODES)?;
    let deepest = trees.trees().iter().map(depth).max().unwrap_or(0);
    at_most("splits on the way to a leaf", deepest, MAX_TREE_DEPTH)?;
    let mut body = Body::default();
    body.indices("class", vec![1]);
    body.scalar("base", trees.base());
    body.push_node("TreeEnsembleClassifier", &[FEATURES], &["label", "scores"], Vec::new(), ML_DOMAIN);
    body.gather_columns("scores", "class", "leaves");
    match trees.link() {
        Link::Logit => body.node("Add", &["leaves", "base"], LOGIT),
        Link::Probability => {
            check_probability(trees)?;
            body.node("Add", &["leaves", "base"], "probability");
            write_logit(&mut body);
        }
    }
    Ok(body)
}

fn n_nodes(trees: &Trees) -> usize {
    trees.trees().iter().map(|tree| tree.nodes.len()).sum()
}

/// The most splits on the way to a leaf; children stand after their parent.
fn depth(tree: &Tree) -> usize {
    let mut depth_of = vec![0; tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        if let Node::Split { left, right, .. } = *node {
            (depth_of[left as usize], depth_of[right as usize]) = (depth_of[at] + 1, depth_of[at] + 1);
        }
    }
    depth_of.into_iter().max().unwrap_or(0)
}

/// From a tensor `probability`: `logit = ln(q / r)` with `q = floor + scale * p` and `r = 1 - q` as `ceiling + scale * (1 - p)`: near 1, the
/// difference `1 - q` would lose half of f32's digits.
pub(crate) fn write_logit(body: &mut Body) {
    let (floor, scale) = Link::PROBABILITY_SHRINK;
    body.scalar("one", 1.0);
    body.scalar("scale", scale);
    body.scalar("floor", floor);
    body.scalar("ceiling", (1.0 - f64::from(floor) - f64::from(scale)) as f32);
    body.node("Mul", &["probability", "scale"], "scaled");
    body.node("Add", &["scaled", "floor"], "shrunk");
    body.node("Sub", &["one", "probability"], "complement");
    body.node("Mul", &["complement", "scale"], "scaled_complement");
    body.node("Add", &["scaled_complement", "ceiling"], "shrunk_complement");
    body.node("Div", &["shrunk", "shrunk_complement"], "odds");
    body.node("Log", &["odds"], LOGIT);
}

/// Every sum that the leaves can make is a probability.
fn check_probability(trees: &Trees) -> Result<(), OnnxError> {
    let leaves = |tree: &Tree| {
        let values = tree.nodes.iter().filter_map(leaf).map(f64::from);
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
    };
    let base = f64::from(trees.base());
    let (low, high) = trees.trees().iter().map(leaves).fold((base, base), |sum, tree| (sum.0 + tree.0, sum.1 + tree.1));
    for value in [low, high] {
        if !(-PROBABILITY_SLACK..=1.0 + PROBABILITY_SLACK).contains(&value) {
            let place = "a sum of leaves that is a probability";
            return Err(OnnxError::Range { place, value, rule: "probabilities are within 0..=1" });
        }
    }
    Ok(())
}

/// The value of a leaf.
fn leaf(node: &Node) -> Option<f32> {
    match *node {
        Node::Leaf { value } => Some(value),
        Node::Split { .. } => None,
    }
}

/// The attributes of a `TreeEnsembleClassifier`, one value a node or a leaf's class; each is made when it is its turn.
pub(crate) fn attributes(trees: &Trees) -> impl DoubleEndedIterator<Item = AttributeProto> {
    let covers = trees.covers().into_iter().map(|covers| floats(COVERS, covers.concat()));
    ATTRIBUTES.iter().map(|of| of(trees)).chain(covers)
}

const ATTRIBUTES: [fn(&Trees) -> AttributeProto; 14] = [
    |trees| ints("nodes_treeids", of_nodes(trees, |tree, _, _| tree as i64)),
    |trees| ints("nodes_nodeids", of_nodes(trees, |_, at, _| at as i64)),
    |trees| {
        let mode = |_, _, node: &Node| Bytes::from_static(if leaf(node).is_some() { LEAF } else { LEQ });
        AttributeProto { strings: of_nodes(trees, mode), ..attribute("nodes_modes", attribute_type::STRINGS) }
    },
    |trees| ints("nodes_featureids", of_splits(trees, |feature, _, _, _| i64::from(feature))),
    |trees| {
        let threshold = |_, _, node: &Node| match *node {
            Node::Split { threshold, .. } => threshold,
            Node::Leaf { .. } => 0.0,
        };
        floats("nodes_values", of_nodes(trees, threshold))
    },
    |trees| ints("nodes_truenodeids", of_splits(trees, |_, left, _, _| i64::from(left))),
    |trees| ints("nodes_falsenodeids", of_splits(trees, |_, _, right, _| i64::from(right))),
    |trees| ints("nodes_missing_value_tracks_true", of_splits(trees, |_, _, _, missing_left| i64::from(missing_left))),
    |trees| ints("class_treeids", of_weights(trees, |tree, _, _, _| tree as i64)),
    |trees| ints("class_nodeids", of_weights(trees, |_, at, _, _| at as i64)),
    |trees| ints("class_ids", of_weights(trees, |_, _, class, _| class)),
    |trees| floats("class_weights", of_weights(trees, |_, _, class, value| if class == 1 { value } else { 0.0 })),
    |_| ints("classlabels_int64s", vec![0, 1]),
    |_| AttributeProto { s: b"NONE".to_vec(), ..attribute("post_transform", attribute_type::STRING) },
];

fn ints(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { ints, ..attribute(name, attribute_type::INTS) }
}

fn floats(name: &str, floats: Vec<f32>) -> AttributeProto {
    AttributeProto { floats, ..attribute(name, attribute_type::FLOATS) }
}

/// What `value` gives for each tree's place, node's place in it, and node.
fn of_nodes<T>(trees: &Trees, value: impl Fn(usize, usize, &Node) -> T) -> Vec<T> {
    let mut values = Vec::with_capacity(n_nodes(trees));
    for (tree, of_tree) in trees.trees().iter().enumerate() {
        values.extend(of_tree.nodes.iter().enumerate().map(|(at, node)| value(tree, at, node)));
    }
    values
}

/// What `value` gives for each split's feature, left child, right child, and side of missing values; 0 for leaves.
fn of_splits(trees: &Trees, value: impl Fn(u32, u32, u32, bool) -> i64) -> Vec<i64> {
    of_nodes(trees, |_, _, node| match *node {
        Node::Split { feature, missing_left, left, right, .. } => value(feature, left, right, missing_left),
        Node::Leaf { .. } => 0,
    })
}

/// What `value` gives for each weight's tree, leaf, class, and the leaf's value.
fn of_weights<T>(trees: &Trees, value: impl Fn(usize, usize, i64, f32) -> T) -> Vec<T> {
    // About half of the nodes are leaves.
    let mut values = Vec::with_capacity(n_nodes(trees) / 2 + trees.trees().len());
    for (tree, of_tree) in trees.trees().iter().enumerate() {
        for (at, node) in of_tree.nodes.iter().enumerate() {
            let Some(of_leaf) = leaf(node) else { continue };
            if values.is_empty() {
                values.push(value(tree, at, 0, of_leaf));
            }
            values.push(value(tree, at, 1, of_leaf));
        }
    }
    values
}

/// The model that [`write`] wrote.
pub(crate) fn read(graph: &GraphProto, n_features: usize, link: Link) -> Result<Trees, OnnxError> {
    let ensemble = graph.node.first().ok_or_else(|| OnnxError::graph("the graph", "it must have a node"))?;
    let read = read_trees(ensemble)?;
    let base = scalar(graph, "base")?;
    let values = |trees: &[Tree]| -> Vec<f32> { trees.iter().flat_map(|tree| &tree.nodes).filter_map(leaf).collect() };
    let leaves = values(&read);
    let trees = Trees::new(n_features, base, link, read)?;
    // `new` rounds to the grid; a file that is off it was not written by us.
    if values(trees.trees()) != leaves || trees.base() != base {
        return Err(OnnxError::graph("the leaves", "they must lie on the binary grid on which f32 sums are exact"));
    }
    match read_covers(ensemble, trees.trees())? {
        Some(covers) => Ok(trees.with_covers(covers)?),
        None => Ok(trees),
    }
}

fn read_covers(ensemble: &NodeProto, trees: &[Tree]) -> Result<Option<Vec<Vec<f32>>>, OnnxError> {
    let Some(covers) = ensemble.attribute.iter().find(|attribute| attribute.name == COVERS) else { return Ok(None) };
    let n_nodes = trees.iter().map(|tree| tree.nodes.len()).sum();
    let mut covers = of_length(COVERS, &covers.floats, n_nodes)?;
    let of_tree = |tree: &Tree| {
        let (of_tree, rest) = covers.split_at(tree.nodes.len());
        covers = rest;
        of_tree.to_vec()
    };
    Ok(Some(trees.iter().map(of_tree).collect()))
}

fn read_trees(ensemble: &NodeProto) -> Result<Vec<Tree>, OnnxError> {
    let modes = &attribute_of(ensemble, "nodes_modes")?.strings;
    let n_nodes = modes.len();
    at_most("nodes of trees", n_nodes, MAX_TREE_NODES)?;
    let ints = |name: &str| of_length(name, &attribute_of(ensemble, name)?.ints, n_nodes);
    let (tree, feature) = (ints("nodes_treeids")?, ints("nodes_featureids")?);
    let (if_true, if_false) = (ints("nodes_truenodeids")?, ints("nodes_falsenodeids")?);
    let missing_true = ints("nodes_missing_value_tracks_true")?;
    let threshold = of_length("nodes_values", &attribute_of(ensemble, "nodes_values")?.floats, n_nodes)?;
    // The first is the one of class 0.
    let mut leaf_values = attribute_of(ensemble, "class_weights")?.floats.iter().skip(1);
    let mut trees: Vec<Tree> = Vec::new();
    for at in 0..n_nodes {
        let index = |name: &str, value: i64| {
            u32::try_from(value).map_err(|_| {
                OnnxError::graph(format!("`{name}` of node {at}"), "it must fit 32 bits and not be negative")
            })
        };
        let node = match modes[at].as_ref() {
            LEQ => Node::Split {
                feature: index("nodes_featureids", feature[at])?,
                threshold: threshold[at],
                missing_left: missing_true[at] == 1,
                left: index("nodes_truenodeids", if_true[at])?,
                right: index("nodes_falsenodeids", if_false[at])?,
            },
            LEAF => match leaf_values.next() {
                Some(&value) => Node::Leaf { value },
                None => return Err(OnnxError::graph("attribute `class_weights`", "every leaf needs a weight")),
            },
            _ => {
                return Err(OnnxError::graph(format!("mode of node {at}"), "only BRANCH_LEQ and LEAF are read"));
            }
        };
        if usize::try_from(tree[at]).is_ok_and(|tree| tree == trees.len()) {
            let is_here = |&&of: &&i64| of != tree[at] + 1;
            trees.push(Tree { nodes: Vec::with_capacity(tree[at..].iter().take_while(is_here).count()) });
        }
        match trees.last_mut() {
            Some(last) => last.nodes.push(node),
            None => return Err(OnnxError::graph("attribute `nodes_treeids`", "it must rise by 1 from 0")),
        }
    }
    Ok(trees)
}

fn of_length<'a, T>(name: &str, values: &'a [T], n: usize) -> Result<&'a [T], OnnxError> {
    if values.len() == n {
        Ok(values)
    } else {
        Err(OnnxError::graph(format!("attribute `{name}`"), "it must have one value a node"))
    }
}
