//! The operators of a graph of other software, of which each makes a row from the same row of its inputs.
//!
//! Nothing else may stand in such a graph: no loops, no branches, no other files, no shape that depends on a value. So the
//! size of every tensor is known from the file, and what a row gives depends on that row alone.

use std::collections::BTreeMap;

use crate::OnnxError;
use crate::graph::{attribute, operator_name};
use crate::limits::{MAX_COEFFICIENTS, MAX_FEATURES, MAX_ROW_NUMBERS, at_most};
use crate::proto::{AttributeProto, FLOAT, GraphProto, INT64, TensorProto, attribute_type};

/// What is done to each number.
const OF_ONE: [&str; 15] = [
    "Abs",
    "Ceil",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "LeakyRelu",
    "Log",
    "Neg",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softplus",
    "Sqrt",
    "Tanh",
];
/// What is done to two numbers, or to the numbers of two columns.
const OF_TWO: [&str; 7] = ["Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"];
const COMPARISONS: [&str; 5] = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"];
const OF_TRUTHS: [&str; 3] = ["And", "Not", "Or"];
/// From all columns to one.
const REDUCTIONS: [&str; 8] = [
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSumSquare",
];
const OTHERS: [&str; 7] = ["Cast", "Concat", "Gather", "IsNaN", "MatMul", "Softmax", "Where"];

/// Of one operator, at most.
pub(crate) const MAX_INPUTS: usize = 32;

/// Whether a graph of other software may have it.
pub(crate) fn is_known(operator: &str) -> bool {
    [&OF_ONE[..], &OF_TWO, &COMPARISONS, &OF_TRUTHS, &REDUCTIONS, &OTHERS].concat().contains(&operator)
}

/// A tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// f32 of each row.
    Numbers { width: usize },
    /// True or false of each row.
    Truths { width: usize },
    /// f32 that stand in the file.
    Constant { n_rows: usize, n_columns: usize },
    /// Columns, by their places below `end`.
    Places { n: usize, end: usize },
}

impl Shape {
    /// Columns of a row; `None` of what is not one for each row, or the same row for all.
    pub(crate) const fn width(self) -> Option<usize> {
        match self {
            Self::Numbers { width } | Self::Truths { width } | Self::Constant { n_rows: 1, n_columns: width } => {
                Some(width)
            }
            Self::Constant { .. } | Self::Places { .. } => None,
        }
    }
}

/// The numbers that `operator` is given as attributes, with the standard's defaults.
pub(crate) fn number_attributes(operator: &str) -> &'static [(&'static str, f32)] {
    match operator {
        "Elu" => &[("alpha", 1.0)],
        "LeakyRelu" => &[("alpha", 0.01)],
        "Selu" => &[("alpha", 1.673_263_2), ("gamma", 1.050_701)],
        _ => &[],
    }
}

/// All attributes of `operator`: one of `numbers` for each of [`number_attributes`], and what is always the same.
pub(crate) fn attributes(operator: &str, numbers: &[f32]) -> Vec<AttributeProto> {
    let number = |((name, _), &f): (&(&str, f32), &f32)| AttributeProto { f, ..attribute(name, attribute_type::FLOAT) };
    let int = |name: &str, i| AttributeProto { i, ..attribute(name, attribute_type::INT) };
    let mut attributes: Vec<AttributeProto> = number_attributes(operator).iter().zip(numbers).map(number).collect();
    match operator {
        "Concat" | "Gather" | "Softmax" => attributes.push(int("axis", 1)),
        "Cast" => attributes.push(int("to", i64::from(FLOAT))),
        _ if REDUCTIONS.contains(&operator) => {
            let axes = AttributeProto { ints: vec![1], ..attribute("axes", attribute_type::INTS) };
            attributes.extend([axes, int("keepdims", 1)]);
        }
        _ => {}
    }
    attributes
}

/// What an operator gives.
///
/// # Errors
/// The rule that is broken, of an operator that [`is_known`].
pub(crate) fn shape_of(operator: &str, inputs: &[Shape]) -> Result<Shape, String> {
    use Shape::{Constant, Numbers, Places, Truths};
    let width =
        |inputs: &[Shape]| joined_width(inputs).ok_or_else(|| "its inputs have not the same columns".to_owned());
    let is_of_rows = |of: &Shape| matches!(of, Numbers { .. } | Truths { .. });
    if inputs.len() > MAX_INPUTS || !inputs.iter().any(is_of_rows) {
        return Err(format!("it reads {} inputs; 1 to {MAX_INPUTS} are read, of which some are rows", inputs.len()));
    }
    let given = match *inputs {
        [Numbers { width }] if OF_ONE.contains(&operator) => Numbers { width },
        [Numbers { width }] if operator == "Softmax" => Numbers { width },
        [Numbers { width }] if operator == "IsNaN" => Truths { width },
        [Numbers { .. }] if REDUCTIONS.contains(&operator) => Numbers { width: 1 },
        [Truths { width }] if operator == "Not" => Truths { width },
        [Truths { width }] if operator == "Cast" => Numbers { width },
        [Truths { .. }, Truths { .. }] if ["And", "Or"].contains(&operator) => Truths { width: width(inputs)? },
        [Numbers { .. } | Constant { .. }, Numbers { .. } | Constant { .. }] if OF_TWO.contains(&operator) => {
            Numbers { width: width(inputs)? }
        }
        [Numbers { .. } | Constant { .. }, Numbers { .. } | Constant { .. }] if COMPARISONS.contains(&operator) => {
            Truths { width: width(inputs)? }
        }
        [Truths { .. }, Numbers { .. } | Constant { .. }, Numbers { .. } | Constant { .. }] if operator == "Where" => {
            Numbers { width: width(inputs)? }
        }
        [Numbers { width }, Constant { n_rows, n_columns }] if operator == "MatMul" && width == n_rows => {
            Numbers { width: n_columns }
        }
        [Numbers { width }, Places { n, end }] if operator == "Gather" && end <= width => Numbers { width: n },
        _ if operator == "Concat" && inputs.iter().all(|of| matches!(of, Numbers { .. })) => {
            Numbers { width: inputs.iter().filter_map(|of| of.width()).sum() }
        }
        _ => return Err("it can't read what it is given".to_owned()),
    };
    match given.width() {
        Some(1..=MAX_FEATURES) => Ok(given),
        width => Err(format!("it gives {} columns; 1 to {MAX_FEATURES} are read", width.unwrap_or(0))),
    }
}

/// The columns of a row that is made of others, of which one column may stand for all.
fn joined_width(inputs: &[Shape]) -> Option<usize> {
    let widths: Vec<usize> = inputs.iter().map(|of| of.width()).collect::<Option<_>>()?;
    let most = widths.iter().copied().max()?;
    widths.iter().all(|&width| width == most || width == 1).then_some(most)
}

/// The shape of a constant of the file.
///
/// # Errors
/// [`OnnxError::Graph`] for one that is not written as [`crate::graph::Body`] writes it.
pub(crate) fn shape_of_constant(tensor: &TensorProto) -> Result<Shape, OnnxError> {
    let broken = |rule| Err(OnnxError::graph(format!("constant `{}`", tensor.name), rule));
    let size = |place: usize| tensor.dims.get(place).and_then(|&n| usize::try_from(n).ok());
    match (tensor.data_type, tensor.dims.len()) {
        (FLOAT, 2) => {
            let (Some(n_rows), Some(n_columns)) = (size(0), size(1)) else {
                return broken("its sizes are not positive");
            };
            if n_rows.checked_mul(n_columns) != Some(tensor.float_data.len()) || tensor.float_data.is_empty() {
                return broken("it has not as many numbers as its sizes say");
            }
            if !tensor.float_data.iter().all(|value| value.is_finite()) {
                return broken("its numbers must be finite");
            }
            Ok(Shape::Constant { n_rows, n_columns })
        }
        (INT64, 1) if size(0) == Some(tensor.int64_data.len()) => {
            let places: Option<Vec<usize>> = tensor.int64_data.iter().map(|&of| usize::try_from(of).ok()).collect();
            match places.as_ref().and_then(|places| places.iter().max()) {
                Some(&last) => Ok(Shape::Places { n: tensor.int64_data.len(), end: last.saturating_add(1) }),
                None => broken("it must be a list of places from 0"),
            }
        }
        _ => broken("it is neither a matrix of f32 nor a list of i64"),
    }
}

/// Checks a graph that reads `input` of `n_inputs` columns; gives the shape of every tensor.
///
/// # Errors
/// [`OnnxError`] for an operator, attribute, constant or size that may not be; an operator is named.
pub(crate) fn check(graph: &GraphProto, input: &str, n_inputs: usize) -> Result<BTreeMap<String, Shape>, OnnxError> {
    let mut shapes = BTreeMap::from([(input.to_owned(), Shape::Numbers { width: n_inputs })]);
    let constants = &graph.initializer;
    let n_coefficients: usize = constants.iter().map(|of| of.float_data.len() + of.int64_data.len()).sum();
    at_most("coefficients", n_coefficients, MAX_COEFFICIENTS)?;
    let twice = |name: &str| OnnxError::graph(format!("tensor `{name}`"), "it stands twice");
    for tensor in constants {
        if shapes.insert(tensor.name.clone(), shape_of_constant(tensor)?).is_some() {
            return Err(twice(&tensor.name));
        }
    }
    let mut n_numbers = 0;
    for (place, node) in graph.node.iter().enumerate() {
        let operator = operator_name(node);
        let refused = |expected: String| OnnxError::Operator { node: place, operator: operator.clone(), expected };
        if !is_known(&operator) {
            return Err(refused("no graph of other software may have it".to_owned()));
        }
        check_attributes(&operator, &node.attribute).map_err(refused)?;
        let inputs: Option<Vec<Shape>> = node.input.iter().map(|name| shapes.get(name).copied()).collect();
        let inputs = inputs.ok_or_else(|| refused("it reads what no earlier node gives".to_owned()))?;
        let [output] = &node.output[..] else { return Err(refused("it has one output".to_owned())) };
        let given = shape_of(&operator, &inputs).map_err(refused)?;
        n_numbers += given.width().unwrap_or(0);
        at_most("numbers a row", n_numbers, MAX_ROW_NUMBERS)?;
        if shapes.insert(output.clone(), given).is_some() {
            return Err(twice(output));
        }
    }
    Ok(shapes)
}

fn check_attributes(operator: &str, found: &[AttributeProto]) -> Result<(), String> {
    let numbers: Vec<f32> = found.iter().take(number_attributes(operator).len()).map(|of| of.f).collect();
    if numbers.iter().all(|number| number.is_finite()) && found == attributes(operator, &numbers) {
        Ok(())
    } else {
        Err("its attributes are others than are read".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::NodeProto;

    fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
        NodeProto {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            op_type: operator.to_owned(),
            attribute: attributes(operator, &[]),
            ..NodeProto::default()
        }
    }

    fn constant(n_rows: i64, values: &[f32]) -> TensorProto {
        let dims = vec![n_rows, values.len() as i64 / n_rows.max(1)];
        TensorProto {
            dims,
            data_type: FLOAT,
            float_data: values.to_vec(),
            name: "c".to_owned(),
            ..TensorProto::default()
        }
    }

    fn places(int64_data: Vec<i64>) -> TensorProto {
        let dims = vec![int64_data.len() as i64];
        TensorProto { dims, data_type: INT64, int64_data, name: "c".to_owned(), ..TensorProto::default() }
    }

    /// Checks what is said of a graph that reads two columns, `x`.
    #[track_caller]
    fn check_refused(node: Vec<NodeProto>, initializer: Vec<TensorProto>, told: &str) {
        let graph = GraphProto { node, initializer, ..GraphProto::default() };
        let refused = check(&graph, "x", 2).expect_err(told).to_string();
        assert!(refused.contains(told), "`{refused}` lacks `{told}`");
    }

    #[test]
    fn each_way_a_graph_can_lie_is_told() {
        check_refused(vec![node("Loop", &["x"], "y")], vec![], "operator `Loop` in node 0");
        check_refused(vec![node("Relu", &["y"], "y")], vec![], "it reads what no earlier node gives");
        check_refused(vec![node("Relu", &["x"], "x")], vec![], "tensor `x`: it stands twice");
        check_refused(vec![node("Relu", &["c"], "y")], vec![constant(1, &[1.0])], "of which some are rows");
        check_refused(vec![], vec![constant(1, &[f32::NAN])], "its numbers must be finite");
        check_refused(vec![], vec![constant(1, &[1.0]), constant(1, &[1.0])], "tensor `c`: it stands twice");
        check_refused(
            vec![],
            vec![TensorProto { dims: vec![-1, 1], ..constant(1, &[1.0]) }],
            "its sizes are not positive",
        );
        check_refused(
            vec![],
            vec![TensorProto { dims: vec![1 << 62, 4], ..constant(1, &[1.0]) }],
            "not as many numbers",
        );
        check_refused(vec![node("Gather", &["x", "c"], "y")], vec![places(vec![2])], "it can't read what it is given");
        check_refused(vec![], vec![places(vec![-1])], "places from 0");
        check_refused(
            vec![node("MatMul", &["x", "c"], "y")],
            vec![constant(3, &[1.0; 3])],
            "it can't read what it is given",
        );
        check_refused(vec![node("Add", &["x", "c"], "y")], vec![constant(1, &[1.0; 3])], "not the same columns");
        let mut altered = node("Softmax", &["x"], "y");
        altered.attribute[0].i = 0;
        check_refused(vec![altered], vec![], "its attributes are others than are read");
        let mut two = node("Relu", &["x"], "y");
        two.output.push("z".to_owned());
        check_refused(vec![two], vec![], "it has one output");
    }

    /// Sixty doublings would ask for more memory than there is.
    #[test]
    fn sizes_can_not_grow_without_end() {
        let double = |at: usize| {
            let from = if at == 0 { "x".to_owned() } else { format!("t{at}") };
            node("Concat", &[&from, &from], &format!("t{}", at + 1))
        };
        check_refused((0..60).map(double).collect(), vec![], "1 to 65536 are read");
        let wide = vec![1.0; 1 << 16];
        let mut nodes = vec![node("MatMul", &["x", "c"], "w")];
        nodes.extend((0..9).map(|at| node("Relu", &["w"], &format!("r{at}"))));
        let matrix = TensorProto { dims: vec![2, 1 << 15], ..constant(1, &wide) };
        check_refused(nodes, vec![matrix], "numbers a row");
    }

    #[test]
    fn truths_are_no_numbers() {
        let nan = || node("IsNaN", &["x"], "t");
        check_refused(vec![nan(), node("Add", &["t", "x"], "y")], vec![], "operator `Add` in node 1");
        check_refused(vec![node("Where", &["x", "x", "x"], "y")], vec![], "operator `Where` in node 0");
        check_refused(vec![node("Not", &["x"], "y")], vec![], "operator `Not` in node 0");
        let graph = GraphProto { node: vec![nan(), node("Cast", &["t"], "y")], ..GraphProto::default() };
        assert_eq!(check(&graph, "x", 2).expect("it is one").get("y"), Some(&Shape::Numbers { width: 2 }));
    }
}
