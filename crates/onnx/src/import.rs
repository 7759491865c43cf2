//! Files of other software as models of ours.
//!
//! The graph is read as a formula: each tensor that its probability needs is a list of columns, and each column is a
//! constant, an input that was filled, shifted or scaled, a sum of straight lines and trees, or a function of such a sum.
//! Where what comes out is the logistic function of a sum, or a sum of trees that is a probability, it is a model of ours:
//! the same thresholds, so moved that every f32 goes the way it goes in the file, and the same weights.
//!
//! Where it is neither, the graph itself is the model, as far as it computes row by row ([`lower`]).

mod attributes;
mod chain;
mod column;
mod ensemble;
mod error;
mod lower;
mod model;
mod operators;
mod sum;

use std::collections::BTreeMap;

use prost::Message as _;

use crate::OnnxError;
use crate::graph::{ML_DOMAIN, needed, operator_name};
use crate::limits::{self, MAX_FEATURES};
use crate::proto::{DOUBLE, FLOAT, GraphProto, INT64, ModelProto, STRING, ValueInfoProto};
use attributes::Constant;
use chain::{Chain, Width};
use column::Column;
pub use error::ImportError;
use model::Formula;
pub use model::{Converted, Imported, InputNames};
use operators::{Context, Value};

/// Leaves out where scikit-learn's trees send a missing value (`skl2onnx/common/tree_ensemble.py` of 1.20).
const LEAVES_OUT_MISSING: &str = "skl2onnx";

/// The operator sets whose operators are known here: those of onnx 1.23.
const LATEST_SETS: [(&str, i64); 2] = [("", 28), (ML_DOMAIN, 5)];

/// Reads a file of skl2onnx, onnxmltools, `CatBoost` or other software that holds one classifier of two classes, labelled 0
/// and 1, of trees or straight lines.
///
/// # Errors
/// [`ImportError`] for a file that is too large, cut off, or computes what no model of ours does; the operator is named.
pub fn import(bytes: &[u8]) -> Result<Imported, ImportError> {
    limits::check_foreign(bytes)?;
    let file = ModelProto::decode(bytes).map_err(|error| OnnxError::Malformed(error.into()))?;
    let graph = file.graph.as_ref().ok_or_else(|| ImportError::graph("the file", "it has no graph"))?;
    let constants = constants(graph)?;
    let mut values = constants.clone();
    let (inputs, n_inputs) = read_inputs(graph, &mut values)?;
    let output = output(graph)?;
    let context = Context { leaves_out_missing: file.producer_name == LEAVES_OUT_MISSING };
    let formula = match run(&file, graph, output, &mut values, &context) {
        Ok(()) => {
            let Some(Value::Columns(columns)) = values.remove(output) else {
                return Err(ImportError::graph(format!("output `{output}`"), "no node gives it"));
            };
            Formula::of_columns(output, columns)?
        }
        Err(refused @ ImportError::Operator { .. }) => {
            Formula::Operators(lower::lower(&file, graph, &constants, output).map_err(|later| further(refused, later))?)
        }
        Err(refused) => return Err(refused),
    };
    let producer = format!("{} {}", file.producer_name, release(&file.producer_version));
    Ok(Imported::new(producer.trim().to_owned(), inputs, n_inputs, formula))
}

/// Why a file is neither a model of ours nor a graph for tract: what is further on in the file, and of one operator what a model
/// of ours would need.
fn further(of_model: ImportError, of_graph: ImportError) -> ImportError {
    match (&of_model, &of_graph) {
        (ImportError::Operator { node: here, .. }, ImportError::Operator { node: there, .. }) if here >= there => {
            of_model
        }
        _ => of_graph,
    }
}

/// `CatBoost` writes a whole report as its version.
fn release(version: &str) -> &str {
    let of_report = version.lines().find_map(|line| line.split_once("CatBoost release ")?.1.split_whitespace().next());
    of_report.unwrap_or_else(|| version.lines().next().unwrap_or_default()).trim_end_matches('.')
}

type Values<'a> = BTreeMap<&'a str, Value>;

/// Constants that are no numbers, such as labels, are left out: what needs one is refused for that.
fn constants(graph: &GraphProto) -> Result<Values<'_>, ImportError> {
    let mut values = Values::new();
    for tensor in &graph.initializer {
        if tensor.data_type == STRING {
            continue;
        }
        let constant = Constant::of(tensor).map_err(|reason| ImportError::graph("the graph", reason))?;
        values.insert(&tensor.name, Value::Constant(constant));
    }
    Ok(values)
}

/// One matrix of all features, or one column each with its name. Gives the names and how many columns there are.
fn read_inputs<'a>(graph: &'a GraphProto, values: &mut Values<'a>) -> Result<(InputNames, usize), ImportError> {
    let of_rows: Vec<&ValueInfoProto> =
        graph.input.iter().filter(|of| !values.contains_key(of.name.as_str())).collect();
    let mut names = Vec::new();
    let mut n_inputs = 0;
    for input in &of_rows {
        let (width, n_columns) = read_input(input)?;
        if n_inputs + n_columns > MAX_FEATURES {
            return Err(
                OnnxError::TooLarge { what: "features", found: n_inputs + n_columns, limit: MAX_FEATURES }.into()
            );
        }
        let column = |place| Column::Input(Chain::new(n_inputs + place, width));
        values.insert(&input.name, Value::Columns((0..n_columns).map(column).collect()));
        names.push(input.name.clone());
        n_inputs += n_columns;
    }
    match of_rows.len() {
        0 => Err(ImportError::graph("the graph", "it reads nothing")),
        1 => Ok((InputNames::Matrix(names.remove(0)), n_inputs)),
        n if n == n_inputs => Ok((InputNames::Columns(names), n_inputs)),
        _ => Err(ImportError::graph("the graph", "it reads several matrices; one, or one column each, is read")),
    }
}

/// In what an input is computed, and how many columns it has.
fn read_input(input: &ValueInfoProto) -> Result<(Width, usize), ImportError> {
    let place = || format!("input `{}`", input.name);
    let tensor = input.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| ImportError::graph(place(), "it is no tensor"))?;
    let width = match tensor.elem_type {
        FLOAT => Width::F32,
        // A whole number is converted before it is compared; features are f32 either way.
        DOUBLE | INT64 => Width::F64,
        STRING => return Err(ImportError::graph(place(), "it is a text; models read numbers: encode it before")),
        _ => return Err(ImportError::graph(place(), "it is neither f32, f64 nor i64")),
    };
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let n_columns = match dims {
        [_, columns] => columns.dim_value.and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0),
        _ => None,
    };
    let rule = "its shape must be rows x a number of columns that the file states";
    Ok((width, n_columns.ok_or_else(|| ImportError::graph(place(), rule))?))
}

/// The output that may be a probability: all others are labels.
fn output(graph: &GraphProto) -> Result<&str, ImportError> {
    let is_number = |output: &&ValueInfoProto| {
        let tensor = output.r#type.as_ref().and_then(|of| of.tensor_type.as_ref());
        tensor.is_none_or(|tensor| [FLOAT, DOUBLE].contains(&tensor.elem_type))
    };
    let numbers: Vec<&ValueInfoProto> = graph.output.iter().filter(is_number).collect();
    match numbers[..] {
        [only] => Ok(&only.name),
        [] => Err(ImportError::graph("the graph", "no output is a number; export it with its probabilities")),
        _ => {
            let names: Vec<&str> = numbers.iter().map(|output| output.name.as_str()).collect();
            let reason = format!("outputs `{}` are all numbers; export probabilities alone", names.join("`, `"));
            Err(ImportError::graph("the graph", reason))
        }
    }
}

/// Computes what `output` needs, in the order of the nodes, which is one of execution.
fn run<'a>(
    file: &ModelProto,
    graph: &'a GraphProto,
    output: &str,
    values: &mut Values<'a>,
    context: &Context,
) -> Result<(), ImportError> {
    let is_needed = needed(&graph.node, output);
    for (place, node) in graph.node.iter().enumerate().filter(|&(place, _)| is_needed[place]) {
        let operator = operator_name(node);
        let refused = |reason: String| ImportError::operator(place, node, reason);
        known_set(file, &node.domain).map_err(refused)?;
        let inputs: Option<Vec<&Value>> =
            node.input.iter().filter(|name| !name.is_empty()).map(|name| values.get(name.as_str())).collect();
        let Some(inputs) = inputs else {
            return Err(refused("it reads what no earlier node gives as a number".to_owned()));
        };
        let value = operators::run(node, &operator, &inputs, context).map_err(refused)?;
        // A classifier's first output is the label.
        if let Some(name) = node.output.last() {
            values.insert(name, value);
        }
    }
    Ok(())
}

/// Refuses operators of a set that is not stated, or came after this release.
fn known_set(file: &ModelProto, domain: &str) -> Result<(), String> {
    let latest = LATEST_SETS.iter().find(|(of, _)| *of == domain).map_or(0, |&(_, version)| version);
    let versions = file.opset_import.iter().filter(|set| set.domain == domain).map(|set| set.version);
    match versions.max() {
        Some(version) if version <= latest => Ok(()),
        Some(version) => Err(format!("its operator set has version {version}; up to {latest} is read")),
        None => Err("the file does not state the version of its operator set".to_owned()),
    }
}

#[cfg(test)]
mod tests;
