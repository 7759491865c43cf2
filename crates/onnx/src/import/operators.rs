//! What each operator makes of its inputs.

use std::borrow::Cow;

use super::attributes::{Attributes, Constant};
use super::chain::{Chain, Step, Width};
use super::column::{Arithmetic, Column};
use super::ensemble::Ensemble;
use super::sum::Sum;
use crate::limits::{MAX_COEFFICIENTS, MAX_FEATURES};
use crate::proto::{DOUBLE, FLOAT, NodeProto};

/// A tensor of a graph.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// One row a row of the input.
    Columns(Vec<Column>),
    /// The same for every row.
    Constant(Constant),
}

/// What is the same for all nodes of a file.
pub(super) struct Context {
    /// Whether the file's maker leaves out where a missing value goes in a tree.
    pub(super) leaves_out_missing: bool,
}

/// The value of the output that is needed: the scores of a classifier, the only output of another operator.
///
/// # Errors
/// Why the operator, as it stands there, is not understood.
pub(super) fn run(node: &NodeProto, operator: &str, inputs: &[&Value], context: &Context) -> Result<Value, String> {
    let of = Attributes(node);
    let columns = match operator {
        "Identity" | "Flatten" => return first(inputs).cloned(),
        "Constant" => return constant(of),
        "Cast" => cast(of, columns_of(first(inputs)?)?)?,
        "Concat" => concat(of, inputs)?,
        "ai.onnx.ml.FeatureVectorizer" => joined(inputs)?,
        "Gather" => picked(inputs, of.int("axis", 0) == 1)?,
        "ai.onnx.ml.ArrayFeatureExtractor" => picked(inputs, true)?,
        "Add" => elementwise(Arithmetic::Add, inputs)?,
        "Sub" => elementwise(Arithmetic::Subtract, inputs)?,
        "Mul" => elementwise(Arithmetic::Multiply, inputs)?,
        "Div" => elementwise(Arithmetic::Divide, inputs)?,
        "Sum" => summed(inputs)?,
        "Neg" => each_sum(inputs, |sum| Column::Sum(sum.times(-1.0)))?,
        "Exp" => each_sum(inputs, Column::Exponential)?,
        "Sigmoid" => each_sum(inputs, Column::Logistic)?,
        "Softmax" => transformed("SOFTMAX", &sums_of(columns_of(first(inputs)?)?)?)?,
        "MatMul" => product(inputs, false)?,
        "Gemm" => gemm(of, inputs)?,
        "ai.onnx.ml.Imputer" => imputed(of, inputs)?,
        "ai.onnx.ml.Scaler" => scaled(of, inputs)?,
        "ai.onnx.ml.LinearClassifier" => linear_classifier(of, inputs)?,
        "ai.onnx.ml.LinearRegressor" => linear_regressor(of, inputs)?,
        "ai.onnx.ml.TreeEnsembleClassifier" => tree_classifier(of, inputs, context)?,
        "ai.onnx.ml.TreeEnsembleRegressor" => tree_regressor(of, inputs, context)?,
        "ai.onnx.ml.ZipMap" => {
            two_classes(of, "classlabels_int64s", "classlabels_strings")?;
            columns_of(first(inputs)?)?.to_vec()
        }
        _ => return Err("neither a kernel of ours nor tract, row by row, computes it".to_owned()),
    };
    if columns.len() > MAX_FEATURES {
        return Err(format!("it gives {} columns; at most {MAX_FEATURES} are read", columns.len()));
    }
    Ok(Value::Columns(columns))
}

fn first<'a>(inputs: &[&'a Value]) -> Result<&'a Value, String> {
    inputs.first().copied().ok_or_else(|| "it has no input".to_owned())
}

fn columns_of(value: &Value) -> Result<&[Column], String> {
    match value {
        Value::Columns(columns) => Ok(columns),
        Value::Constant(_) => Err("it reads a constant where a column is expected".to_owned()),
    }
}

fn constant_at<'a>(inputs: &[&'a Value], place: usize) -> Result<&'a Constant, String> {
    match inputs.get(place) {
        Some(Value::Constant(constant)) => Ok(constant),
        _ => Err(format!("its input {place} must be a constant")),
    }
}

/// Inputs of the file, as trees and scalers read them.
fn chains(inputs: &[&Value]) -> Result<Vec<Chain>, String> {
    let chain = |column: &Column| match column {
        Column::Input(chain) => Ok(chain.clone()),
        _ => Err("it reads what is not one input of the file".to_owned()),
    };
    columns_of(first(inputs)?)?.iter().map(chain).collect()
}

fn sums_of(columns: &[Column]) -> Result<Vec<Sum>, String> {
    let sum = |column: &Column| column.as_sum().ok_or_else(|| "it reads what is not a sum".to_owned());
    columns.iter().map(sum).collect()
}

fn constant(of: Attributes<'_>) -> Result<Value, String> {
    let tensor = of.tensor("value").ok_or("only a tensor is read as a constant")?;
    Ok(Value::Constant(Constant::of(tensor)?))
}

fn cast(of: Attributes<'_>, columns: &[Column]) -> Result<Vec<Column>, String> {
    let to = i32::try_from(of.int("to", 0)).unwrap_or(0);
    let cast = |column: &Column| match (column, to) {
        (Column::Input(chain), DOUBLE) => Some(Column::Input(chain.clone().cast(Width::F64))),
        (Column::Input(chain), FLOAT) => Some(Column::Input(chain.clone().cast(Width::F32))),
        (other, DOUBLE | FLOAT) => Some(other.clone()),
        _ => None,
    };
    let all: Option<Vec<Column>> = columns.iter().map(cast).collect();
    all.ok_or_else(|| "only a cast to FLOAT or DOUBLE is read".to_owned())
}

fn concat(of: Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Column>, String> {
    if ![1, -1].contains(&of.int("axis", 0)) {
        return Err("only columns beside columns are read".to_owned());
    }
    joined(inputs)
}

fn joined(inputs: &[&Value]) -> Result<Vec<Column>, String> {
    let mut columns = Vec::new();
    for input in inputs {
        columns.extend_from_slice(columns_of(input)?);
        if columns.len() > MAX_FEATURES {
            return Err(format!("it gives more than {MAX_FEATURES} columns"));
        }
    }
    Ok(columns)
}

fn picked(inputs: &[&Value], of_columns: bool) -> Result<Vec<Column>, String> {
    let columns = columns_of(first(inputs)?)?;
    let places = constant_at(inputs, 1)?;
    if !of_columns || places.values.len() > MAX_FEATURES {
        return Err("only columns are read that a constant picks".to_owned());
    }
    let pick = |&place: &f64| {
        let column = (place >= 0.0 && place.fract() == 0.0).then(|| columns.get(place as usize)).flatten();
        column.cloned().ok_or_else(|| format!("it picks column {place} of {}", columns.len()))
    };
    places.values.iter().map(pick).collect()
}

/// A constant of one value or one row is the same for all rows.
fn operand<'a>(inputs: &[&'a Value], place: usize) -> Result<Cow<'a, [Column]>, String> {
    match inputs.get(place) {
        Some(Value::Columns(columns)) => Ok(Cow::Borrowed(columns)),
        Some(Value::Constant(constant)) => {
            let row = constant.row().ok_or("a constant of several rows is not read here")?;
            Ok(row.iter().map(|&value| Column::Constant(value)).collect())
        }
        None => Err(format!("it has no input {place}")),
    }
}

fn elementwise(arithmetic: Arithmetic, inputs: &[&Value]) -> Result<Vec<Column>, String> {
    let (here, there) = (operand(inputs, 0)?, operand(inputs, 1)?);
    let n = here.len().max(there.len());
    if [&here, &there].iter().any(|side| side.len() != n && side.len() != 1) {
        return Err(format!("it joins {} columns and {}", here.len(), there.len()));
    }
    let at = |side: &[Column], place: usize| side[if side.len() == 1 { 0 } else { place }].clone();
    let joined = (0..n).map(|place| at(&here, place).with(arithmetic, &at(&there, place)));
    joined.collect::<Option<_>>().ok_or_else(|| "what it gives is no sum of lines and trees".to_owned())
}

fn summed(inputs: &[&Value]) -> Result<Vec<Column>, String> {
    let mut columns = Value::Columns(operand(inputs, 0)?.into_owned());
    for input in inputs.iter().skip(1) {
        columns = Value::Columns(elementwise(Arithmetic::Add, &[&columns, input])?);
    }
    Ok(columns_of(&columns)?.to_vec())
}

fn each_sum(inputs: &[&Value], column: impl Fn(Sum) -> Column) -> Result<Vec<Column>, String> {
    Ok(sums_of(columns_of(first(inputs)?)?)?.into_iter().map(column).collect())
}

/// `columns @ matrix`.
fn product(inputs: &[&Value], is_transposed: bool) -> Result<Vec<Column>, String> {
    let columns = sums_of(columns_of(first(inputs)?)?)?;
    let matrix = constant_at(inputs, 1)?;
    let (n_in, n_out) = match (&matrix.dims[..], is_transposed) {
        (&[n_in], _) => (n_in, 1),
        (&[n_in, n_out], false) | (&[n_out, n_in], true) => (n_in, n_out),
        _ => return Err("its matrix has not two sizes".to_owned()),
    };
    if n_in != columns.len() || matrix.values.len() > MAX_COEFFICIENTS {
        return Err(format!("its matrix is {n_in} x {n_out} for {} columns", columns.len()));
    }
    let weight =
        |row: usize, out: usize| matrix.values[if is_transposed { out * n_in + row } else { row * n_out + out }];
    let of_out = |out: usize| weighted(&columns, |row| weight(row, out), 0.0).map(Column::Sum);
    (0..n_out).map(of_out).collect()
}

/// `intercept + sum of weight * column`.
fn weighted(columns: &[Sum], weight: impl Fn(usize) -> f64, intercept: f64) -> Result<Sum, String> {
    let mut all = Sum::constant(intercept);
    for (place, column) in columns.iter().enumerate().filter(|&(place, _)| weight(place) != 0.0) {
        all = all.plus(&column.times(weight(place))).ok_or("its sum has too many trees")?;
    }
    Ok(all)
}

fn gemm(of: Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Column>, String> {
    if of.int("transA", 0) != 0 {
        return Err("transA is not read".to_owned());
    }
    let times = |columns: Vec<Column>, factor: f64| -> Result<Vec<Column>, String> {
        Ok(sums_of(&columns)?.iter().map(|sum| Column::Sum(sum.times(factor))).collect())
    };
    let columns = Value::Columns(times(product(inputs, of.int("transB", 0) != 0)?, of.float("alpha", 1.0))?);
    if inputs.len() < 3 {
        return Ok(columns_of(&columns)?.to_vec());
    }
    let summand = Value::Columns(times(operand(inputs, 2)?.into_owned(), of.float("beta", 1.0))?);
    elementwise(Arithmetic::Add, &[&columns, &summand])
}

fn imputed(of: Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Column>, String> {
    if !of.float("replaced_value_float", 0.0).is_nan() {
        return Err("only NaN is read as missing".to_owned());
    }
    let chains = chains(inputs)?;
    let fills = for_each_column("imputed_value_floats", of.numbers("imputed_value_floats")?, chains.len())?;
    let filled = |(chain, fill): (Chain, f64)| then(chain, Step::Fill(fill));
    chains.into_iter().zip(fills).map(filled).collect()
}

/// `(x - offset) * scale`.
fn scaled(of: Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Column>, String> {
    let chains = chains(inputs)?;
    let offsets = for_each_column("offset", of.numbers("offset")?, chains.len())?;
    let scales = for_each_column("scale", of.numbers("scale")?, chains.len())?;
    let scaled = |(chain, (offset, scale)): (Chain, (f64, f64))| match then(chain, Step::Add(-offset))? {
        Column::Input(chain) => then(chain, Step::Multiply(scale)),
        other => Ok(other),
    };
    chains.into_iter().zip(offsets.into_iter().zip(scales)).map(scaled).collect()
}

fn then(chain: Chain, step: Step) -> Result<Column, String> {
    let longer = chain.then(step);
    longer.map(Column::Input).ok_or_else(|| "a constant of it is 0 or not finite".to_owned())
}

/// One number may stand for all columns.
pub(super) fn for_each_column(name: &str, values: Vec<f64>, n: usize) -> Result<Vec<f64>, String> {
    match values[..] {
        [value] => Ok(vec![value; n]),
        _ if values.len() == n => Ok(values),
        _ => Err(format!("attribute `{name}` has {} values for {n} columns", values.len())),
    }
}

/// Refuses labels other than 0 and 1, so that the second column is the outcome's.
pub(super) fn two_classes(of: Attributes<'_>, ints: &str, strings: &str) -> Result<(), String> {
    let texts = of.strings(strings);
    if !texts.is_empty() {
        return Err(format!("its classes are the texts `{}`; train it with labels 0 and 1", texts.join("`, `")));
    }
    match of.ints(ints) {
        [0, 1] => Ok(()),
        labels if labels.len() > 2 => Err(format!("it tells {} classes apart; an outcome has two", labels.len())),
        labels => Err(format!("its classes are {labels:?}; train it with labels 0 and 1")),
    }
}

/// The scores of two classes after a post transform.
fn transformed(transform: &str, scores: &[Sum]) -> Result<Vec<Column>, String> {
    let [negative, positive] = scores else {
        return Err(format!("it gives {} scores; an outcome has two", scores.len()));
    };
    match transform {
        "NONE" => Ok(vec![Column::Sum(negative.clone()), Column::Sum(positive.clone())]),
        "LOGISTIC" => Ok(vec![Column::Logistic(negative.clone()), Column::Logistic(positive.clone())]),
        "SOFTMAX" => {
            let difference = positive.clone().plus(&negative.times(-1.0)).ok_or("its sum has too many trees")?;
            Ok(vec![Column::Logistic(difference.times(-1.0)), Column::Logistic(difference)])
        }
        other => Err(format!("the post transform {other} is not read")),
    }
}

/// The columns of a classifier that scores the positive class alone: as the standard's reference implementation has it,
/// the negative one is `1 - score`, and of a transform `transform(-score)`.
fn of_positive(transform: &str, score: Sum) -> Result<Vec<Column>, String> {
    let minus = score.times(-1.0);
    match transform {
        "NONE" => {
            let rest = Sum::constant(1.0).plus(&minus).ok_or("its sum has too many trees")?;
            Ok(vec![Column::Sum(rest), Column::Sum(score)])
        }
        "LOGISTIC" => Ok(vec![Column::Logistic(minus), Column::Logistic(score)]),
        other => Err(format!("the post transform {other} of one score is not read")),
    }
}

fn linear_classifier(of: Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Column>, String> {
    two_classes(of, "classlabels_ints", "classlabels_strings")?;
    let scores = linear_scores(of, inputs)?;
    let transform = of.text("post_transform", "NONE");
    match <[Sum; 1]>::try_from(scores) {
        Ok([score]) => of_positive(&transform, score),
        Err(scores) => transformed(&transform, &scores),
    }
}

fn linear_regressor(of: Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Column>, String> {
    regressed(&of.text("post_transform", "NONE"), linear_scores(of, inputs)?)
}

fn linear_scores(of: Attributes<'_>, inputs: &[&Value]) -> Result<Vec<Sum>, String> {
    let columns = sums_of(columns_of(first(inputs)?)?)?;
    let (weights, n) = (of.numbers("coefficients")?, columns.len());
    if n == 0 || weights.is_empty() || weights.len() % n != 0 {
        return Err(format!("it has {} coefficients for {n} columns", weights.len()));
    }
    let n_scores = weights.len() / n;
    let intercepts = match of.numbers("intercepts")? {
        none if none.is_empty() => vec![0.0; n_scores],
        given if given.len() == n_scores => given,
        given => return Err(format!("it has {} intercepts for {n_scores} scores", given.len())),
    };
    let score =
        |(place, &intercept): (usize, &f64)| weighted(&columns, |column| weights[place * n + column], intercept);
    intercepts.iter().enumerate().map(score).collect()
}

fn regressed(transform: &str, scores: Vec<Sum>) -> Result<Vec<Column>, String> {
    match transform {
        "NONE" => Ok(scores.into_iter().map(Column::Sum).collect()),
        "LOGISTIC" => Ok(scores.into_iter().map(Column::Logistic).collect()),
        other => Err(format!("the post transform {other} is not read")),
    }
}

fn tree_classifier(of: Attributes<'_>, inputs: &[&Value], context: &Context) -> Result<Vec<Column>, String> {
    two_classes(of, "classlabels_int64s", "classlabels_strings")?;
    let trees = Ensemble::read(of, "class")?;
    let chains = chains(inputs)?;
    let base = of.numbers("base_values")?;
    let transform = of.text("post_transform", "NONE");
    let of_class = |class: i64, base: f64| tree_sum(&trees, class, &chains, base, context);
    match (&trees.ids()[..], &base[..]) {
        // All leaves weigh for one class: whatever its number, its sum is the positive one's.
        (&[class], []) => of_positive(&transform, of_class(class, 0.0)?),
        (&[class], &[base]) => of_positive(&transform, of_class(class, base)?),
        ([0, 1], []) => transformed(&transform, &[of_class(0, 0.0)?, of_class(1, 0.0)?]),
        ([0, 1], &[negative, positive]) if negative == 0.0 && positive == 0.0 => {
            transformed(&transform, &[of_class(0, 0.0)?, of_class(1, 0.0)?])
        }
        (_, [_, _]) => Err("the standard and ONNX Runtime read two base values in different ways".to_owned()),
        (ids, base) => Err(format!("it weighs classes {ids:?} with {} base values", base.len())),
    }
}

fn tree_regressor(of: Attributes<'_>, inputs: &[&Value], context: &Context) -> Result<Vec<Column>, String> {
    let trees = Ensemble::read(of, "target")?;
    let chains = chains(inputs)?;
    if of.int("n_targets", 1) != 1 || trees.ids() != [0] {
        return Err("it has several targets; an outcome is one".to_owned());
    }
    let factor = match &*of.text("aggregate_function", "SUM") {
        "SUM" => 1.0,
        "AVERAGE" => 1.0 / trees.n_trees() as f64,
        other => return Err(format!("the aggregate function {other} is not read")),
    };
    let base = match of.numbers("base_values")?[..] {
        [] => 0.0,
        [base] => base,
        _ => return Err("it has several base values for one target".to_owned()),
    };
    let leaves = tree_sum(&trees, 0, &chains, 0.0, context)?.times(factor);
    let sum = leaves.plus(&Sum::constant(base)).ok_or("its sum has too many trees")?;
    regressed(&of.text("post_transform", "NONE"), vec![sum])
}

fn tree_sum(trees: &Ensemble, id: i64, columns: &[Chain], base: f64, context: &Context) -> Result<Sum, String> {
    let mut sum = trees.sum(id, columns)?;
    sum.base = base;
    if context.leaves_out_missing && !trees.tracks_missing() {
        let is_unruled = |&input: &usize| columns.iter().any(|of| of.input == input && !of.is_filled());
        sum.unruled = sum.read_by_trees().into_iter().filter(is_unruled).collect();
    }
    Ok(sum)
}
