//! A graph of other software behind the features that it reads.

use bellwether_core::{Graph, GraphInput};
use prost::Message as _;

use crate::OnnxError;
use crate::graph::{Body, FEATURES, LOGIT, constant, floats};
use crate::limits::{MAX_OPERATORS, at_most};
use crate::proto::GraphProto;
use crate::row_operators::{self, Shape};

/// What the operators of a [`Graph`] read: a row of its inputs, in their order.
pub(crate) const INPUT: &str = "input";
const PLACES: &str = "places";
const FILLS: &str = "fills";
const READ: &str = "read";
const MISSING: &str = "missing";
/// Tensors that the operators neither give nor read.
const RESERVED: [&str; 5] = [FEATURES, PLACES, FILLS, READ, MISSING];
/// Nodes and constants that stand before those of the other software.
const N_FIRST: (usize, usize) = (3, 2);

/// `input = missing ? fills : features[places]`, where a fill that is NaN leaves it to the operators; then these.
pub(crate) fn write(graph: &Graph) -> Result<Body, OnnxError> {
    let mut body = Body::default();
    body.indices(PLACES, graph.inputs.iter().map(|of| i64::from(of.feature)).collect());
    body.row(FILLS, graph.inputs.iter().map(|of| of.missing.unwrap_or(f32::NAN)));
    body.gather_columns(FEATURES, PLACES, READ);
    body.node("IsNaN", &[READ], MISSING);
    body.node("Where", &[MISSING, FILLS, READ], INPUT);
    let operators = GraphProto::decode(graph.operators.as_slice()).map_err(|of| OnnxError::Malformed(of.into()))?;
    check(&operators, graph.inputs.len())?;
    body.extend(operators);
    Ok(body)
}

/// The graph that [`write`] wrote.
pub(crate) fn read(graph: &GraphProto, n_features: usize) -> Result<Graph, OnnxError> {
    let places = &constant(graph, PLACES)?.int64_data;
    let fills = floats(graph, FILLS, places.len())?;
    let input = |(&place, &fill): (&i64, &f32)| {
        let feature =
            u32::try_from(place).map_err(|_| OnnxError::graph(format!("constant `{PLACES}`"), "it has places from 0"));
        Ok(GraphInput { feature: feature?, missing: Some(fill).filter(|fill| !fill.is_nan()) })
    };
    let inputs = places.iter().zip(fills).map(input).collect::<Result<_, OnnxError>>()?;
    let operators = GraphProto {
        node: graph.node.iter().skip(N_FIRST.0).cloned().collect(),
        initializer: graph.initializer.iter().skip(N_FIRST.1).cloned().collect(),
        ..GraphProto::default()
    };
    Ok(Graph { n_features, inputs, operators: operators.encode_to_vec() })
}

/// Checks operators that read [`INPUT`] of `n_inputs` columns and give [`LOGIT`].
pub(crate) fn check(operators: &GraphProto, n_inputs: usize) -> Result<(), OnnxError> {
    let n_operators = operators.node.len() + operators.initializer.len() + RESERVED.len() + 1;
    at_most("operators and constants", n_operators, MAX_OPERATORS)?;
    let shapes = row_operators::check(operators, INPUT, n_inputs)?;
    if let Some(name) = RESERVED.into_iter().find(|&name| shapes.contains_key(name)) {
        return Err(OnnxError::graph(format!("tensor `{name}`"), "it stands twice"));
    }
    if shapes.get(LOGIT) == Some(&Shape::Numbers { width: 1 }) {
        return Ok(());
    }
    Err(OnnxError::graph(format!("output `{LOGIT}`"), "an operator must give it, one number a row"))
}
