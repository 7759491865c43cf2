//! Models to bytes and back.

use bellwether_core::{FeatureSchema, Link, Model, Trees};
use prost::Message as _;
use prost::bytes::Bytes;

use crate::graph::{expect_operators, operator_name};
use crate::limits::{self, MAX_BYTES, MAX_FEATURES, at_most};
use crate::proto::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};
use crate::spelling::is_spelled;
use crate::{OnnxError, linear, opaque, row_operators, scorecard, trees};

/// Read by onnx 1.13 and later, ONNX Runtime 1.14 and later, tract 0.23.
const IR_VERSION: i64 = 8;
const OPERATOR_SETS: [(&str, i64); 2] = [("", 17), ("ai.onnx.ml", 3)];
/// Names the graph forms of this release. Trees with covers, and graphs of other software, are of forms of their own, so that
/// releases that do not know them say so.
const FORMATS: [&str; 3] = ["1", "2", "3"];

const FORMAT_KEY: &str = "bellwether.format";
const MODEL_KEY: &str = "bellwether.model";
const TARGET_KEY: &str = "bellwether.target";
const DIGEST_KEY: &str = "bellwether.schema_digest";
const FEATURE_KEY: &str = "bellwether.feature.";

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The model; it is valid.
    pub model: Model,
    /// Names of the features, in the order in which the model reads them.
    pub feature_names: Vec<String>,
    /// The digest of the schema that the model was written for, as 64 hexadecimal digits.
    pub schema_digest: String,
    /// What the model predicts, such as `churn_90d`.
    pub target: String,
}

/// The kinds of graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Trees(Link),
    Scorecard,
    Graph,
}

const KINDS: [Kind; 5] =
    [Kind::Linear, Kind::Trees(Link::Logit), Kind::Trees(Link::Probability), Kind::Scorecard, Kind::Graph];

impl Kind {
    const fn of(model: &Model) -> Self {
        match model {
            Model::Linear(_) => Self::Linear,
            Model::Trees(trees) => Self::Trees(trees.link()),
            Model::Scorecard(_) => Self::Scorecard,
            Model::Graph(_) => Self::Graph,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Trees(Link::Logit) => "trees",
            Self::Trees(Link::Probability) => "probability_trees",
            Self::Scorecard => "scorecard",
            Self::Graph => "graph",
        }
    }

    /// All operators in their order; `None` where they are other software's.
    const fn operators(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Linear => Some(linear::OPERATORS),
            Self::Trees(Link::Logit) => Some(trees::LOGIT_OPERATORS),
            Self::Trees(Link::Probability) => Some(trees::PROBABILITY_OPERATORS),
            Self::Scorecard => Some(scorecard::OPERATORS),
            Self::Graph => None,
        }
    }
}

/// A model as one ONNX graph: input `features` (f32, `[N, n_features]`, NaN = missing), output `logit` (f32, `[N, 1]`).
///
/// Feature names, schema digest and target stand in the file's metadata. Equal arguments give equal bytes.
///
/// # Errors
/// [`OnnxError`] if the model is not valid, is larger than [`decode`] reads, has numbers that overflow in f32, or
/// reads another number of features than `schema` has.
pub fn encode(model: &Model, schema: &FeatureSchema, target: &str) -> Result<Vec<u8>, OnnxError> {
    model.validate()?;
    let names: Vec<String> = schema.features().iter().map(|feature| feature.name.clone()).collect();
    write(model, &names, schema.digest().as_str(), target)
}

/// Reads a file that [`encode`] wrote: checks its size, parses it, validates the model, and checks that the file says
/// nothing else.
///
/// # Errors
/// [`OnnxError`] for every other file; a foreign operator is named.
pub fn decode(bytes: &[u8]) -> Result<Decoded, OnnxError> {
    limits::check(bytes)?;
    let file = ModelProto::decode(Bytes::copy_from_slice(bytes)).map_err(|error| OnnxError::Malformed(error.into()))?;
    let graph = file.graph.as_ref().ok_or_else(|| OnnxError::graph("the file", "it must have a graph"))?;
    refuse_foreign_operators(graph)?;
    let kind = kind(&file)?;
    let feature_names = feature_names(&file);
    let model = read(graph, kind, feature_names.len())?;
    let decoded = Decoded {
        model,
        schema_digest: metadata(&file, DIGEST_KEY)?.to_owned(),
        target: metadata(&file, TARGET_KEY)?.to_owned(),
        feature_names,
    };
    let canonical = message(&decoded.model, &decoded.feature_names, &decoded.schema_digest, &decoded.target)?;
    if is_spelled(&canonical, trees_of(&decoded.model), bytes) {
        return Ok(decoded);
    }
    let canonical = written(canonical, &decoded.model)?;
    let offset = canonical.iter().zip(bytes).take_while(|(ours, theirs)| ours == theirs).count();
    Err(OnnxError::NotCanonical { offset })
}

/// A valid model as bytes.
fn write(model: &Model, feature_names: &[String], schema_digest: &str, target: &str) -> Result<Vec<u8>, OnnxError> {
    written(message(model, feature_names, schema_digest, target)?, model)
}

/// What [`message`] gave for `model` as bytes.
fn written(mut file: ModelProto, model: &Model) -> Result<Vec<u8>, OnnxError> {
    if let (Some(trees), Some(graph)) = (trees_of(model), &mut file.graph) {
        graph.node[0].attribute.extend(trees::attributes(trees));
    }
    let bytes = file.encode_to_vec();
    at_most("bytes", bytes.len(), MAX_BYTES)?;
    Ok(bytes)
}

fn trees_of(model: &Model) -> Option<&Trees> {
    match model {
        Model::Trees(trees) => Some(trees),
        Model::Linear(_) | Model::Scorecard(_) | Model::Graph(_) => None,
    }
}

/// A valid model as the message that its file holds, without the attributes of its trees, [`trees::attributes`], which the first
/// operator has.
fn message(
    model: &Model,
    feature_names: &[String],
    schema_digest: &str,
    target: &str,
) -> Result<ModelProto, OnnxError> {
    let n_features = model.n_features();
    if feature_names.len() != n_features {
        return Err(OnnxError::Features { found: feature_names.len(), expected: n_features });
    }
    if n_features == 0 {
        return Err(OnnxError::graph("the model", "it must read a feature"));
    }
    at_most("features", n_features, MAX_FEATURES)?;
    let body = match model {
        Model::Linear(linear) => linear::write(linear),
        Model::Trees(trees) => trees::write(trees)?,
        Model::Scorecard(card) => scorecard::write(card)?,
        Model::Graph(graph) => opaque::write(graph)?,
    };
    let entry = |key: &str, value: &str| StringStringEntryProto { key: key.to_owned(), value: value.to_owned() };
    let fixed = [
        entry(FORMAT_KEY, format_of(model)),
        entry(MODEL_KEY, Kind::of(model).name()),
        entry(TARGET_KEY, target),
        entry(DIGEST_KEY, schema_digest),
    ];
    let features = feature_names.iter().enumerate().map(|(j, name)| entry(&format!("{FEATURE_KEY}{j}"), name));
    let operator_set = |(domain, version): (&str, i64)| OperatorSetIdProto { domain: domain.to_owned(), version };
    Ok(ModelProto {
        ir_version: IR_VERSION,
        producer_name: "bellwether".to_owned(),
        graph: Some(body.into_graph(n_features)),
        opset_import: OPERATOR_SETS.map(operator_set).to_vec(),
        metadata_props: fixed.into_iter().chain(features).collect(),
        ..ModelProto::default()
    })
}

fn read(graph: &GraphProto, kind: Kind, n_features: usize) -> Result<Model, OnnxError> {
    at_most("features", n_features, MAX_FEATURES)?;
    if let Some(operators) = kind.operators() {
        expect_operators(graph, operators)?;
    }
    let model = match kind {
        Kind::Linear => Model::Linear(linear::read(graph, n_features)?),
        // They are valid as they are made.
        Kind::Trees(link) => return Ok(Model::Trees(trees::read(graph, n_features, link)?)),
        Kind::Scorecard => Model::Scorecard(scorecard::read(graph, n_features)?),
        Kind::Graph => Model::Graph(opaque::read(graph, n_features)?),
    };
    model.validate()?;
    Ok(model)
}

/// A file of other software is best told by what it computes.
fn refuse_foreign_operators(graph: &GraphProto) -> Result<(), OnnxError> {
    let of_kinds: Vec<&str> = KINDS.iter().filter_map(|kind| kind.operators()).flatten().copied().collect();
    let is_ours = |operator: &str| of_kinds.contains(&operator) || row_operators::is_known(operator);
    let names = graph.node.iter().map(operator_name).enumerate();
    match names.into_iter().find(|(_, operator)| !is_ours(operator)) {
        Some((node, operator)) => {
            Err(OnnxError::Operator { node, operator, expected: "no model of ours has it".to_owned() })
        }
        None => Ok(()),
    }
}

fn kind(file: &ModelProto) -> Result<Kind, OnnxError> {
    let found = metadata(file, FORMAT_KEY)?;
    if !FORMATS.contains(&found) {
        return Err(OnnxError::Format { found: found.to_owned(), supported: "1 to 3" });
    }
    let name = metadata(file, MODEL_KEY)?;
    let kind = KINDS.into_iter().find(|kind| kind.name() == name);
    kind.ok_or_else(|| OnnxError::graph(format!("metadata `{MODEL_KEY}`"), "it must name a kind of model of ours"))
}

fn format_of(model: &Model) -> &'static str {
    match model {
        Model::Graph(_) => FORMATS[2],
        Model::Trees(trees) if trees.covers().is_some() => FORMATS[1],
        Model::Trees(_) | Model::Linear(_) | Model::Scorecard(_) => FORMATS[0],
    }
}

fn feature_names(file: &ModelProto) -> Vec<String> {
    let is_feature = |entry: &&StringStringEntryProto| entry.key.starts_with(FEATURE_KEY);
    file.metadata_props.iter().filter(is_feature).map(|entry| entry.value.clone()).collect()
}

fn metadata<'a>(file: &'a ModelProto, key: &str) -> Result<&'a str, OnnxError> {
    let entry = file.metadata_props.iter().find(|entry| entry.key == key);
    let missing = || OnnxError::graph(format!("metadata `{key}`"), "it must be there");
    entry.map(|entry| entry.value.as_str()).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use bellwether_core::{Node, Tree, Trees};

    use super::*;

    /// A stump, as the message that its file holds.
    fn stump() -> ModelProto {
        let nodes = vec![
            Node::Split { feature: 0, threshold: 0.5, missing_left: true, left: 1, right: 2 },
            Node::Leaf { value: -1.0 },
            Node::Leaf { value: 1.0 },
        ];
        let trees = Trees::new(1, 0.25, Link::Logit, vec![Tree { nodes }]).expect("a stump is a tree");
        let bytes = write(&Model::Trees(trees), &["x".to_owned()], "digest", "churn_90d").expect("writes");
        ModelProto::decode(bytes.as_slice()).expect("reads")
    }

    /// Checks that the stump is refused with `message` after `alter`.
    fn check(alter: impl Fn(&mut ModelProto), message: &str) {
        let mut file = stump();
        alter(&mut file);
        let refused = decode(&file.encode_to_vec()).expect_err(message);
        assert!(refused.to_string().contains(message), "`{refused}` should contain `{message}`");
    }

    fn graph(file: &mut ModelProto) -> &mut GraphProto {
        file.graph.as_mut().expect("the stump has a graph")
    }

    fn ints<'a>(file: &'a mut ModelProto, name: &str) -> &'a mut Vec<i64> {
        let attributes = &mut graph(file).node[0].attribute;
        &mut attributes.iter_mut().find(|attribute| attribute.name == name).expect("it is there").ints
    }

    #[test]
    fn the_stump_is_read() {
        assert!(decode(&stump().encode_to_vec()).is_ok());
    }

    /// Whatever byte is altered: numbers in more bytes than they need, lists that stand twice, fields out of order.
    #[test]
    fn what_is_read_is_written_the_same() {
        let file = decode(&stump().encode_to_vec()).expect("reads");
        let Model::Trees(trees) = file.model else { panic!("a stump is a tree") };
        let with_covers = trees.clone().with_covers(vec![vec![3.0, 1.0, 2.0]]).expect("one a node");
        let mut n_read = 0;
        for trees in [trees, with_covers] {
            let written = write(&Model::Trees(trees), &["x".to_owned()], "digest", "churn_90d").expect("writes");
            for at in 0..written.len() {
                for flipped in (0..8).map(|bit| 1 << bit).chain([u8::MAX]) {
                    let mut bytes = written.clone();
                    bytes[at] ^= flipped;
                    if let Ok(Decoded { model, feature_names, schema_digest, target }) = decode(&bytes) {
                        let rewritten = write(&model, &feature_names, &schema_digest, &target).expect("writes");
                        assert_eq!(rewritten, bytes, "byte {at} is {}", bytes[at]);
                        n_read += 1;
                    }
                }
            }
        }
        assert!(n_read > 100, "some bytes are free, such as those of the threshold");
    }

    #[test]
    fn other_operators_are_named() {
        check(|file| graph(file).node[2].op_type = "Conv".into(), "operator `Conv` in node 2; no model of ours");
        check(|file| graph(file).node[0].domain = "evil".into(), "operator `evil.TreeEnsembleClassifier` in node 0");
        check(
            |file| graph(file).node[2].op_type = "Mul".into(),
            "operator `Mul` in node 2; a graph of this kind has `Add`",
        );
        check(|file| graph(file).node.truncate(2), "operator `(none)` in node 2; a graph of this kind has `Add`");
    }

    #[test]
    fn broken_trees_are_refused() {
        check(|file| ints(file, "nodes_truenodeids")[0] = 0, "tree 0, node 0: a child must stand after its parent");
        check(|file| ints(file, "nodes_truenodeids")[0] = 2, "a node must have one parent");
        check(|file| ints(file, "nodes_truenodeids")[0] = 9, "a child is outside the tree");
        check(|file| ints(file, "nodes_truenodeids")[0] = -1, "must fit 32 bits");
        check(|file| ints(file, "nodes_truenodeids")[0] = i64::from(u32::MAX), "a child is outside the tree");
        check(|file| ints(file, "nodes_truenodeids")[0] = 1 << 32, "must fit 32 bits");
        check(
            |file| {
                ints(file, "nodes_truenodeids")[0] = 2;
                ints(file, "nodes_falsenodeids")[0] = 2;
            },
            "tree 0, node 2: a node must have one parent",
        );
        check(
            |file| {
                let modes = &mut graph(file).node[0].attribute[2].strings;
                modes[0] = Bytes::from_static(b"LEAF");
            },
            "every leaf needs a weight",
        );
        check(|file| ints(file, "nodes_featureids")[0] = -1, "must fit 32 bits");
        check(|file| ints(file, "nodes_featureids")[0] = 1, "reads feature 1 of 1");
        check(|file| ints(file, "nodes_treeids")[0] = 1, "must rise by 1 from 0");
        check(|file| ints(file, "nodes_featureids").truncate(1), "must have one value a node");
        check(|file| ints(file, "class_ids")[0] = 1, "was altered");
        // A node that stands twice.
        check(|file| ints(file, "nodes_nodeids")[1] = 2, "was altered");
        check(|file| ints(file, "nodes_missing_value_tracks_true")[0] = 2, "was altered");
        check(|file| ints(file, "class_treeids")[1] = 7, "was altered");
        let twice = |file: &mut ModelProto| {
            let attribute = graph(file).node[0].attribute[3].clone();
            graph(file).node[0].attribute.push(attribute);
        };
        check(twice, "was altered");
        let mode =
            |file: &mut ModelProto| graph(file).node[0].attribute[2].strings[0] = Bytes::from_static(b"BRANCH_GTE");
        check(mode, "mode of node 0: only BRANCH_LEQ and LEAF are read");
    }

    #[test]
    fn a_tree_is_not_too_deep() {
        let chain = |depth: u32| {
            let split = |at| Node::Split { feature: 0, threshold: 0.5, missing_left: true, left: at, right: at + 1 };
            let mut nodes: Vec<Node> =
                (0..depth).flat_map(|of| [split(2 * of + 1), Node::Leaf { value: 0.0 }]).collect();
            // Each split's left child is the leaf after it, its right child the split after that.
            nodes.push(Node::Leaf { value: 1.0 });
            let trees = Trees::new(1, 0.25, Link::Logit, vec![Tree { nodes }]).expect("a chain is a tree");
            write(&Model::Trees(trees), &["x".to_owned()], "digest", "churn_90d")
        };
        assert!(decode(&chain(4096).expect("writes")).is_ok());
        let refused = chain(4097).expect_err("it is too deep").to_string();
        assert_eq!(refused, "the graph has 4097 splits on the way to a leaf; at most 4096 are read");
    }

    #[test]
    fn numbers_that_are_no_numbers_are_refused() {
        let floats = |place: usize, at: usize, value: f32| {
            move |file: &mut ModelProto| graph(file).node[0].attribute[place].floats[at] = value
        };
        check(floats(4, 0, f32::NAN), "tree 0, node 0 is NaN");
        check(floats(4, 0, f32::INFINITY), "tree 0, node 0 is inf");
        check(floats(11, 1, f32::NEG_INFINITY), "tree 0, node 1 is -inf");
        check(floats(11, 1, -1.000_000_1), "binary grid");
        check(|file| graph(file).initializer[1].float_data[0] = f32::NAN, "the base value is NaN");
        check(|file| graph(file).initializer[1].float_data.clear(), "has not the length");
    }

    #[test]
    fn other_formats_kinds_and_metadata_are_refused() {
        check(|file| file.metadata_props[0].value = "4".into(), "format `4`; this release reads formats 1 to 3");
        check(|file| file.metadata_props[0].value = "3".into(), "was altered");
        check(|file| file.metadata_props[0].value = "2".into(), "was altered");
        check(|file| file.metadata_props[1].value = "linear".into(), "a graph of this kind has `IsNaN`");
        check(|file| file.metadata_props[1].value = "forest".into(), "must name a kind of model");
        check(|file| drop(file.metadata_props.remove(3)), "metadata `bellwether.schema_digest`: it must be there");
        check(|file| file.metadata_props.truncate(4), "reads feature 0 of 0");
        check(|file| file.graph = None, "it must have a graph");
        check(|file| file.opset_import[0].version = 18, "was altered");
        check(|file| graph(file).input[0].name = "x".into(), "was altered");
        check(|file| graph(file).node[1].input[0] = "logit".into(), "was altered");
    }
}
