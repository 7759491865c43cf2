//! What is no model of ours as a graph of operators that a runtime computes row by row.
//!
//! Each operator of the file becomes one or a few of [`row_operators`]: scalers, imputers and linear classifiers become plain
//! arithmetic, labels are left out. Where the probability is the logistic function of a tensor, the graph gives that tensor,
//! so that no digit is lost near 0 and 1.

mod operators;

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::Link;

use super::attributes::Constant;
use super::model::NO_PROBABILITY;
use super::{ImportError, Values, known_set, operators as formula, read_input};
use crate::graph::{Body, LOGIT, needed, operator_name};
use crate::limits::{MAX_COEFFICIENTS, MAX_ROW_NUMBERS, at_most};
use crate::opaque::{self, INPUT};
use crate::proto::{DOUBLE, GraphProto, ModelProto};
use crate::row_operators::{self, Shape};
use crate::trees::write_logit;

/// A file as operators behind [`INPUT`].
#[derive(Debug, Clone)]
pub(super) struct Lowered {
    pub(super) operators: GraphProto,
    /// How the file's probability became a logit.
    pub(super) link: Link,
    /// Inputs of which the file does not say what a missing value means.
    pub(super) unruled: BTreeSet<usize>,
    /// What a missing value counts as wherever the file reads an input, by input.
    pub(super) imputed: BTreeMap<usize, f32>,
}

/// A tensor of the file.
#[derive(Debug, Clone)]
enum Value {
    Rows(Rows),
    Constant(Constant),
}

/// A tensor with a row for each row.
#[derive(Debug, Clone)]
struct Rows {
    /// In the new graph.
    name: String,
    shape: Shape,
    /// For each column the input that it is, unchanged and so maybe missing.
    raw: Vec<Option<usize>>,
}

#[derive(Default)]
struct Lowering {
    body: Body,
    n_names: usize,
    /// Columns of each tensor that has rows.
    widths: BTreeMap<String, usize>,
    /// Of all tensors, for one row.
    n_numbers: usize,
    /// Of all constants.
    n_coefficients: usize,
    unruled: BTreeSet<usize>,
    /// What imputers say, by input.
    imputed: BTreeMap<usize, f32>,
    /// Inputs that are read in a way of which their imputer is no part.
    asked_of: BTreeSet<usize>,
}

/// Lowers what `output` needs.
///
/// # Errors
/// [`ImportError::Operator`] for the first operator that is not understood; its place among the nodes stands in it.
pub(super) fn lower(
    file: &ModelProto,
    graph: &GraphProto,
    constants: &Values<'_>,
    output: &str,
) -> Result<Lowered, ImportError> {
    let mut lowering = Lowering::default();
    let mut values: BTreeMap<&str, Value> = BTreeMap::new();
    for (name, constant) in constants {
        if let formula::Value::Constant(constant) = constant {
            values.insert(name, Value::Constant(constant.clone()));
        }
    }
    let n_inputs = lowering.read_inputs(graph, &mut values)?;
    let is_needed = needed(&graph.node, output);
    for (place, node) in graph.node.iter().enumerate().filter(|&(place, _)| is_needed[place]) {
        let operator = operator_name(node);
        let refused = |reason: String| ImportError::operator(place, node, reason);
        known_set(file, &node.domain).map_err(refused)?;
        let input = |name: &String| match (name.as_str(), values.get(name.as_str())) {
            ("", _) => Ok(None),
            (_, Some(value)) => Ok(Some(value)),
            (_, None) => Err(refused("it reads what no earlier node gives as a number".to_owned())),
        };
        let inputs = node.input.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        let value = lowering.operator(node, &operator, &inputs).map_err(refused)?;
        if let Some(name) = node.output.last() {
            values.insert(name, value);
        }
    }
    let Some(Value::Rows(rows)) = values.remove(output) else {
        return Err(ImportError::graph(format!("output `{output}`"), "no node gives it"));
    };
    let link = lowering.logit(&rows).map_err(|reason| ImportError::graph(format!("output `{output}`"), reason))?;
    let operators = lowering.body.needed_for(LOGIT);
    opaque::check(&operators, n_inputs)?;
    let Lowering { unruled, mut imputed, asked_of, .. } = lowering;
    imputed.retain(|input, _| !unruled.contains(input) && !asked_of.contains(input));
    Ok(Lowered { operators, link, unruled, imputed })
}

impl Lowering {
    /// One matrix, or a column each; gives how many columns there are.
    fn read_inputs<'a>(
        &mut self,
        graph: &'a GraphProto,
        values: &mut BTreeMap<&'a str, Value>,
    ) -> Result<usize, ImportError> {
        let inputs: Vec<_> = graph.input.iter().filter(|of| !values.contains_key(of.name.as_str())).collect();
        let mut widths = Vec::with_capacity(inputs.len());
        for input in &inputs {
            let is_wide =
                input.r#type.as_ref().and_then(|of| of.tensor_type.as_ref()).is_some_and(|of| of.elem_type == DOUBLE);
            if is_wide {
                return Err(ImportError::graph(
                    format!("input `{}`", input.name),
                    "tract computes in f32; export it so",
                ));
            }
            widths.push(read_input(input)?.1);
        }
        let n_inputs = widths.iter().sum();
        let all = Rows {
            name: INPUT.to_owned(),
            shape: Shape::Numbers { width: n_inputs },
            raw: (0..n_inputs).map(Some).collect(),
        };
        for (place, input) in inputs.iter().enumerate() {
            let of_input = if inputs.len() == 1 { all.clone() } else { self.columns(&all, &[place])? };
            values.insert(&input.name, Value::Rows(of_input));
        }
        Ok(n_inputs)
    }

    /// A name that no tensor has.
    fn name(&mut self, kind: char) -> String {
        self.n_names += 1;
        format!("{kind}{}", self.n_names)
    }

    /// A constant row.
    fn row(&mut self, values: &[f64]) -> Result<(String, Shape), String> {
        self.matrix(values.len(), values.iter().map(|&value| value as f32).collect())
    }

    /// A constant, row after row.
    fn matrix(&mut self, n_columns: usize, values: Vec<f32>) -> Result<(String, Shape), String> {
        self.n_coefficients += values.len();
        at_most("coefficients", self.n_coefficients, MAX_COEFFICIENTS).map_err(|error| error.to_string())?;
        let (name, n_rows) = (self.name('c'), values.len().checked_div(n_columns).unwrap_or(0));
        self.body.matrix(&name, n_columns, values);
        Ok((name, Shape::Constant { n_rows, n_columns }))
    }

    /// Adds an operator; what it gives is no input as it was.
    fn push(&mut self, operator: &str, inputs: &[(&str, Shape)], numbers: &[f32]) -> Result<Rows, String> {
        let (names, shapes): (Vec<&str>, Vec<Shape>) = inputs.iter().copied().unzip();
        let shape = row_operators::shape_of(operator, &shapes)?;
        let width = shape.width().unwrap_or(0);
        self.n_numbers += width;
        at_most("numbers a row", self.n_numbers, MAX_ROW_NUMBERS).map_err(|error| error.to_string())?;
        let name = self.name('t');
        let attributes = row_operators::attributes(operator, numbers);
        self.body.node_with(operator, &names, &name, attributes);
        self.widths.insert(name.clone(), width);
        Ok(Rows { name, shape, raw: vec![None; width] })
    }

    /// Columns of a tensor.
    fn columns(&mut self, rows: &Rows, places: &[usize]) -> Result<Rows, ImportError> {
        self.gather(rows, places).map_err(|reason| ImportError::graph("the graph", reason))
    }

    fn gather(&mut self, rows: &Rows, places: &[usize]) -> Result<Rows, String> {
        let end = places.iter().max().map_or(0, |&last| last.saturating_add(1));
        let name = self.name('c');
        self.body.indices(&name, places.iter().map(|&place| place as i64).collect());
        let picked = self.push("Gather", &[rows.as_input(), (&name, Shape::Places { n: places.len(), end })], &[])?;
        Ok(Rows { raw: places.iter().map(|&place| rows.raw[place]).collect(), ..picked })
    }

    /// Adds what gives the logit of the second class, or of the only column.
    fn logit(&mut self, output: &Rows) -> Result<Link, String> {
        let (is_pair, column) = match output.raw.len() {
            1 => (false, 0),
            2 => (true, 1),
            n => return Err(format!("it has {n} columns; an outcome has two classes")),
        };
        let (name, column) = self.followed(&output.name, column);
        let node = self.body.node_of(&name);
        let (operator, input) =
            node.map_or((String::new(), None), |node| (node.op_type.clone(), node.input.first().cloned()));
        match (operator.as_str(), input) {
            ("Sigmoid", Some(input)) => self.pick(&input, column, LOGIT),
            // Of two classes: e^b / (e^a + e^b) is the logistic function of b - a.
            ("Softmax", Some(input)) if self.widths[&name] == 2 => {
                let (own, other) = (self.name('t'), self.name('t'));
                self.pick(&input, column, &own);
                self.pick(&input, 1 - column, &other);
                self.body.node("Sub", &[&own, &other], LOGIT);
            }
            _ if is_pair => {
                self.pick(&name, column, "probability");
                write_logit(&mut self.body);
                return Ok(Link::Probability);
            }
            _ => return Err(NO_PROBABILITY.to_owned()),
        }
        Ok(Link::Logit)
    }

    /// Where a column comes from, back through what only moves columns.
    fn followed(&self, name: &str, column: usize) -> (String, usize) {
        let (mut name, mut column) = (name.to_owned(), column);
        while let Some(node) = self.body.node_of(&name) {
            let next = match node.op_type.as_str() {
                "Concat" => self.part_of(&node.input, column),
                "Gather" => {
                    let places = self.body.indices_of(&node.input[1]).unwrap_or_default();
                    places.get(column).map(|&place| (node.input[0].clone(), place as usize))
                }
                _ => None,
            };
            let Some(next) = next else { break };
            (name, column) = next;
        }
        (name, column)
    }

    /// Which of tensors beside each other has a column, and where.
    fn part_of(&self, parts: &[String], column: usize) -> Option<(String, usize)> {
        let mut from = 0;
        for part in parts {
            let width = *self.widths.get(part)?;
            if column < from + width {
                return Some((part.clone(), column - from));
            }
            from += width;
        }
        None
    }

    /// One column of a tensor, under another name.
    fn pick(&mut self, from: &str, column: usize, into: &str) {
        let places = self.name('c');
        self.body.indices(&places, vec![column as i64]);
        self.body.gather_columns(from, &places, into);
    }
}

impl Rows {
    fn as_input(&self) -> (&str, Shape) {
        (&self.name, self.shape)
    }

    fn width(&self) -> usize {
        self.raw.len()
    }
}
