//! The pieces that graphs are put together from, and the way back.

use std::collections::BTreeSet;

use crate::OnnxError;
use crate::proto::{
    AttributeProto, DimensionProto, FLOAT, GraphProto, INT64, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, attribute_type,
};

/// The name of a graph's input.
pub(crate) const FEATURES: &str = "features";
/// The name of a graph's output.
pub(crate) const LOGIT: &str = "logit";
/// An operator that is not there.
const NONE: &str = "(none)";
/// The operator domain of trees.
pub(crate) const ML_DOMAIN: &str = "ai.onnx.ml";

/// Nodes in order of execution, and the constants that they read.
#[derive(Debug, Default)]
pub(crate) struct Body {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
}

impl Body {
    /// Adds a node of the default domain, named after its output.
    pub(crate) fn node(&mut self, operator: &str, inputs: &[&str], output: &str) {
        self.push_node(operator, inputs, &[output], Vec::new(), "");
    }

    /// Adds a node that takes the columns `indices` of its input.
    pub(crate) fn gather_columns(&mut self, input: &str, indices: &str, output: &str) {
        let axis = AttributeProto { i: 1, ..attribute("axis", attribute_type::INT) };
        self.push_node("Gather", &[input, indices], &[output], vec![axis], "");
    }

    /// Adds a node of the default domain with attributes.
    pub(crate) fn node_with(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: Vec<AttributeProto>) {
        self.push_node(operator, inputs, &[output], attributes, "");
    }

    /// Adds a node with attributes of a domain.
    pub(crate) fn push_node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        outputs: &[&str],
        attribute: Vec<AttributeProto>,
        domain: &str,
    ) {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.nodes.push(NodeProto {
            input: owned(inputs),
            output: owned(outputs),
            name: outputs[outputs.len() - 1].to_owned(),
            op_type: operator.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
    }

    /// Adds a constant row `[1, n]`.
    pub(crate) fn row(&mut self, name: &str, values: impl IntoIterator<Item = f32>) {
        let values: Vec<f32> = values.into_iter().collect();
        self.floats(name, vec![1, values.len() as i64], values);
    }

    /// Adds a constant column `[n, 1]`.
    pub(crate) fn column(&mut self, name: &str, values: impl IntoIterator<Item = f32>) {
        let values: Vec<f32> = values.into_iter().collect();
        self.floats(name, vec![values.len() as i64, 1], values);
    }

    /// Adds a constant matrix of `n_columns`, row after row.
    pub(crate) fn matrix(&mut self, name: &str, n_columns: usize, values: Vec<f32>) {
        let n_rows = values.len().checked_div(n_columns).unwrap_or(0);
        self.floats(name, vec![n_rows as i64, n_columns as i64], values);
    }

    /// Adds a constant `[1, 1]`.
    pub(crate) fn scalar(&mut self, name: &str, value: f32) {
        self.row(name, [value]);
    }

    /// Adds a constant list of places.
    pub(crate) fn indices(&mut self, name: &str, values: Vec<i64>) {
        let dims = vec![values.len() as i64];
        let name = name.to_owned();
        self.initializers.push(TensorProto { dims, data_type: INT64, int64_data: values, name, ..Default::default() });
    }

    fn floats(&mut self, name: &str, dims: Vec<i64>, values: Vec<f32>) {
        let name = name.to_owned();
        self.initializers.push(TensorProto { dims, data_type: FLOAT, float_data: values, name, ..Default::default() });
    }

    /// Adds operators and constants as they are.
    pub(crate) fn extend(&mut self, of: GraphProto) {
        self.nodes.extend(of.node);
        self.initializers.extend(of.initializer);
    }

    /// The node that gives a tensor.
    pub(crate) fn node_of(&self, output: &str) -> Option<&NodeProto> {
        self.nodes.iter().find(|node| node.output.iter().any(|name| name == output))
    }

    /// The places that [`Body::indices`] added.
    pub(crate) fn indices_of(&self, name: &str) -> Option<&[i64]> {
        self.initializers.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.int64_data.as_slice())
    }

    /// Operators and constants that `output` needs.
    pub(crate) fn needed_for(self, output: &str) -> GraphProto {
        let is_needed = needed(&self.nodes, output);
        let node: Vec<NodeProto> =
            self.nodes.into_iter().zip(is_needed).filter_map(|(node, is_needed)| is_needed.then_some(node)).collect();
        let read: BTreeSet<&str> = node.iter().flat_map(|node| &node.input).map(String::as_str).collect();
        let initializer = self.initializers.into_iter().filter(|tensor| read.contains(tensor.name.as_str())).collect();
        GraphProto { node, initializer, ..GraphProto::default() }
    }

    /// The graph with its input and output.
    pub(crate) fn into_graph(self, n_features: usize) -> GraphProto {
        GraphProto {
            node: self.nodes,
            name: "bellwether".to_owned(),
            initializer: self.initializers,
            input: vec![value_info(FEATURES, n_features)],
            output: vec![value_info(LOGIT, 1)],
        }
    }
}

/// For each node, in order of execution, whether `output` needs it.
pub(crate) fn needed(nodes: &[NodeProto], output: &str) -> Vec<bool> {
    let mut needed = BTreeSet::from([output]);
    let mut is_needed = vec![false; nodes.len()];
    for (place, node) in nodes.iter().enumerate().rev() {
        if node.output.iter().any(|name| needed.contains(name.as_str())) {
            is_needed[place] = true;
            needed.extend(node.input.iter().map(String::as_str));
        }
    }
    is_needed
}

/// An f32 matrix of `n_columns` and any number of rows.
fn value_info(name: &str, n_columns: usize) -> ValueInfoProto {
    let dim = vec![
        DimensionProto { dim_param: Some("N".to_owned()), dim_value: None },
        DimensionProto { dim_value: Some(n_columns as i64), dim_param: None },
    ];
    let tensor_type = TensorTypeProto { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

/// An attribute that has no value yet.
pub(crate) fn attribute(name: &str, r#type: i32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type, ..Default::default() }
}

/// The constant called `name`.
pub(crate) fn constant<'a>(graph: &'a GraphProto, name: &str) -> Result<&'a TensorProto, OnnxError> {
    let found = graph.initializer.iter().find(|tensor| tensor.name == name);
    found.ok_or_else(|| OnnxError::graph(format!("constant `{name}`"), "it must be there"))
}

/// The values of the constant called `name`, of which there must be `n`.
pub(crate) fn floats<'a>(graph: &'a GraphProto, name: &str, n: usize) -> Result<&'a [f32], OnnxError> {
    let values = &constant(graph, name)?.float_data;
    if values.len() == n {
        Ok(values)
    } else {
        Err(OnnxError::graph(format!("constant `{name}`"), "it has not the length that the model needs"))
    }
}

/// The value of the constant called `name`.
pub(crate) fn scalar(graph: &GraphProto, name: &str) -> Result<f32, OnnxError> {
    Ok(floats(graph, name, 1)?[0])
}

/// The attribute of `node` called `name`.
pub(crate) fn attribute_of<'a>(node: &'a NodeProto, name: &str) -> Result<&'a AttributeProto, OnnxError> {
    let found = node.attribute.iter().find(|attribute| attribute.name == name);
    found.ok_or_else(|| OnnxError::graph(format!("attribute `{name}`"), "it must be there"))
}

/// Checks that the operators are `expected`, in this order.
pub(crate) fn expect_operators(graph: &GraphProto, expected: &[&str]) -> Result<(), OnnxError> {
    for place in 0..graph.node.len().max(expected.len()) {
        let operator = graph.node.get(place).map_or_else(|| NONE.to_owned(), operator_name);
        let wanted = expected.get(place).unwrap_or(&NONE);
        if operator != *wanted {
            let expected = format!("a graph of this kind has `{wanted}` there");
            return Err(OnnxError::Operator { node: place, operator, expected });
        }
    }
    Ok(())
}

/// Operator with its domain, where that is not the default.
pub(crate) fn operator_name(node: &NodeProto) -> String {
    match node.domain.as_str() {
        "" => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    }
}
