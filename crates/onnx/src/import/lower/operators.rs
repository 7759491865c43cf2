//! How each operator of a file is said by operators that a runtime computes row by row.

use super::{Lowering, Rows, Value};
use crate::import::attributes::{Attributes, Constant};
use crate::import::operators::{for_each_column, two_classes};
use crate::limits::MAX_FEATURES;
use crate::proto::{FLOAT, NodeProto};
use crate::row_operators::{MAX_INPUTS, Shape, is_known, number_attributes};

type Inputs<'a> = &'a [Option<&'a Value>];

impl Lowering {
    /// The value of the output that is needed: the scores of a classifier, the only output of another operator.
    ///
    /// # Errors
    /// Why the operator, as it stands there, is not understood.
    pub(super) fn operator(&mut self, node: &NodeProto, operator: &str, inputs: Inputs<'_>) -> Result<Value, String> {
        let of = Attributes(node);
        let rows = match operator {
            "Constant" => {
                let tensor = of.tensor("value").ok_or("only a tensor is read as a constant")?;
                return Ok(Value::Constant(Constant::of(tensor)?));
            }
            "Identity" => return value(inputs, 0).cloned(),
            "Cast" => return self.cast(of, inputs),
            "Flatten" if of.int("axis", 1) == 1 => rows(inputs, 0)?.clone(),
            "Reshape" => reshaped(inputs)?,
            "Dropout" if inputs.len() < 3 => rows(inputs, 0)?.clone(),
            "ai.onnx.ml.ZipMap" => {
                two_classes(of, "classlabels_int64s", "classlabels_strings")?;
                rows(inputs, 0)?.clone()
            }
            "Concat" if [1, -1].contains(&of.int("axis", 0)) => self.concat(inputs)?,
            "ai.onnx.ml.FeatureVectorizer" => self.concat(inputs)?,
            "Gather" if of.int("axis", 0) == 1 => self.picked(inputs)?,
            "ai.onnx.ml.ArrayFeatureExtractor" => self.picked(inputs)?,
            "Sum" => self.folded("Add", inputs)?,
            "Mean" => {
                let sum = self.folded("Add", inputs)?;
                self.with_row("Div", &sum, &[inputs.len() as f64])?
            }
            "Max" | "Min" => self.folded(operator, inputs)?,
            "Clip" => self.clipped(of, inputs)?,
            "PRelu" => self.leaky(inputs)?,
            "ReduceSum" => {
                reduced(of, inputs)?;
                self.sum_of_columns(rows(inputs, 0)?)?
            }
            _ if operator.starts_with("Reduce") && is_known(operator) => {
                reduced(of, inputs)?;
                self.plain(operator, &inputs[..1], &[])?
            }
            "Softmax" if [1, -1].contains(&of.int("axis", -1)) => self.plain(operator, inputs, &[])?,
            "MatMul" => self.product(rows(inputs, 0)?, constant(inputs, 1)?, false)?,
            "Gemm" => self.gemm(of, inputs)?,
            "BatchNormalization" => self.normalized(of, inputs)?,
            "Where" => self.chosen(inputs)?,
            "IsNaN" => {
                let of = rows(inputs, 0)?;
                self.asked_of.extend(of.raw.iter().flatten());
                self.push("IsNaN", &[of.as_input()], &[])?
            }
            "ai.onnx.ml.Imputer" => self.imputed(of, inputs)?,
            "ai.onnx.ml.Scaler" => self.scaled(of, inputs)?,
            "ai.onnx.ml.Binarizer" => self.binarized(of, inputs)?,
            "ai.onnx.ml.Normalizer" => self.of_length_one(of, inputs)?,
            "ai.onnx.ml.LinearClassifier" => self.linear_classifier(of, inputs)?,
            "ai.onnx.ml.LinearRegressor" if of.text("post_transform", "NONE") == "NONE" => {
                self.linear_scores(of, inputs)?
            }
            "Flatten" | "Dropout" | "Concat" | "Gather" | "Softmax" => {
                return Err("only columns of rows are read".to_owned());
            }
            _ if is_known(operator) => {
                let numbers = number_attributes(operator).iter().map(|&(name, usual)| of.float(name, usual) as f32);
                self.plain(operator, inputs, &numbers.collect::<Vec<f32>>())?
            }
            _ => return Err("neither a kernel of ours nor tract, row by row, computes it".to_owned()),
        };
        Ok(Value::Rows(rows))
    }

    /// The tensor as an operator reads it that knows no missing values.
    fn known<'a>(&mut self, rows: &'a Rows) -> (&'a str, Shape) {
        self.unruled.extend(rows.raw.iter().flatten());
        rows.as_input()
    }

    /// The same operator.
    fn plain(&mut self, operator: &str, inputs: Inputs<'_>, numbers: &[f32]) -> Result<Rows, String> {
        let mut read = Vec::with_capacity(inputs.len());
        for place in 0..inputs.len() {
            read.push(match value(inputs, place)? {
                Value::Rows(rows) => {
                    let (name, shape) = self.known(rows);
                    (name.to_owned(), shape)
                }
                Value::Constant(constant) => self.row(row_of(constant)?)?,
            });
        }
        let read: Vec<(&str, Shape)> = read.iter().map(|(name, shape)| (name.as_str(), *shape)).collect();
        self.push(operator, &read, numbers)
    }

    fn with_row(&mut self, operator: &str, rows: &Rows, row: &[f64]) -> Result<Rows, String> {
        let (name, shape) = self.row(row)?;
        let rows = self.known(rows);
        self.push(operator, &[rows, (&name, shape)], &[])
    }

    fn cast(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Value, String> {
        match value(inputs, 0)? {
            _ if of.int("to", 0) != i64::from(FLOAT) => Err("only a cast to FLOAT is read".to_owned()),
            Value::Rows(rows) if matches!(rows.shape, Shape::Truths { .. }) => {
                Ok(Value::Rows(self.push("Cast", &[rows.as_input()], &[])?))
            }
            same => Ok(same.clone()),
        }
    }

    fn concat(&mut self, inputs: Inputs<'_>) -> Result<Rows, String> {
        let beside = (0..inputs.len()).map(|place| rows(inputs, place)).collect::<Result<Vec<_>, _>>()?;
        if beside.iter().map(|part| part.width()).sum::<usize>() > MAX_FEATURES {
            return Err(format!("it gives more than {MAX_FEATURES} columns"));
        }
        let mut parts: Vec<Rows> = beside.into_iter().cloned().collect();
        loop {
            parts = parts.chunks(MAX_INPUTS).map(|beside| self.joined(beside)).collect::<Result<_, _>>()?;
            match <[Rows; 1]>::try_from(parts) {
                Ok([joined]) => return Ok(joined),
                Err(several) if several.is_empty() => return Err("it has no input".to_owned()),
                Err(several) => parts = several,
            }
        }
    }

    fn joined(&mut self, parts: &[Rows]) -> Result<Rows, String> {
        let shapes: Vec<_> = parts.iter().map(Rows::as_input).collect();
        let joined = self.push("Concat", &shapes, &[])?;
        Ok(Rows { raw: parts.iter().flat_map(|part| &part.raw).copied().collect(), ..joined })
    }

    fn picked(&mut self, inputs: Inputs<'_>) -> Result<Rows, String> {
        let columns = rows(inputs, 0)?;
        let places = constant(inputs, 1)?;
        if places.values.len() > MAX_FEATURES {
            return Err(format!("it picks more than {MAX_FEATURES} columns"));
        }
        let place = |&place: &f64| {
            let is_column = place >= 0.0 && place.fract() == 0.0 && place < columns.width() as f64;
            is_column.then_some(place as usize).ok_or_else(|| format!("it picks column {place} of {}", columns.width()))
        };
        let places = places.values.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        self.gather(columns, &places)
    }

    fn folded(&mut self, operator: &str, inputs: Inputs<'_>) -> Result<Rows, String> {
        let mut all = rows(inputs, 0)?.clone();
        for place in 1..inputs.len() {
            all = self.plain(operator, &[Some(&Value::Rows(all)), Some(value(inputs, place)?)], &[])?;
        }
        Ok(all)
    }

    /// Limits are attributes before operator set 11, then inputs.
    fn clipped(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        let mut clipped = rows(inputs, 0)?.clone();
        for (operator, name, place) in [("Max", "min", 1), ("Min", "max", 2)] {
            let limit = match inputs.get(place) {
                Some(Some(_)) => row_of(constant(inputs, place)?)?.to_vec(),
                _ => vec![of.float(name, f32::NAN)],
            };
            if limit.iter().all(|limit| limit.is_finite()) {
                clipped = self.with_row(operator, &clipped, &limit)?;
            }
        }
        Ok(clipped)
    }

    /// `x > 0 ? x : slope * x`.
    fn leaky(&mut self, inputs: Inputs<'_>) -> Result<Rows, String> {
        let x = rows(inputs, 0)?;
        let slope = constant(inputs, 1)?;
        let (above, below) = (self.with_row("Max", x, &[0.0])?, self.with_row("Min", x, &[0.0])?);
        let below = self.with_row("Mul", &below, row_of(slope)?)?;
        self.push("Add", &[above.as_input(), below.as_input()], &[])
    }

    fn sum_of_columns(&mut self, rows: &Rows) -> Result<Rows, String> {
        let n = rows.width();
        self.product(rows, &Constant { dims: vec![n, 1], values: vec![1.0; n] }, false)
    }

    fn product(&mut self, rows: &Rows, matrix: &Constant, is_transposed: bool) -> Result<Rows, String> {
        let (n_in, n_out) = match (&matrix.dims[..], is_transposed) {
            (&[n_in], false) => (n_in, 1),
            (&[n_in, n_out], false) | (&[n_out, n_in], true) => (n_in, n_out),
            _ => return Err("its matrix has not two sizes".to_owned()),
        };
        let at =
            |row: usize, out: usize| matrix.values[if is_transposed { out * n_in + row } else { row * n_out + out }];
        let values = (0..n_in).flat_map(|row| (0..n_out).map(move |out| at(row, out) as f32)).collect();
        let (name, shape) = self.matrix(n_out, values)?;
        let rows = self.known(rows);
        self.push("MatMul", &[rows, (&name, shape)], &[])
    }

    fn gemm(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        if of.int("transA", 0) != 0 {
            return Err("transA is not read".to_owned());
        }
        let times = |constant: &Constant, factor: f64| Constant {
            dims: constant.dims.clone(),
            values: constant.values.iter().map(|value| value * factor).collect(),
        };
        let matrix = times(constant(inputs, 1)?, of.float("alpha", 1.0));
        let product = self.product(rows(inputs, 0)?, &matrix, of.int("transB", 0) != 0)?;
        if !matches!(inputs.get(2), Some(Some(_))) {
            return Ok(product);
        }
        let summand = times(constant(inputs, 2)?, of.float("beta", 1.0));
        self.with_row("Add", &product, row_of(&summand)?)
    }

    /// `(x - mean) / sqrt(variance + epsilon) * scale + shift`, of the means that training left.
    fn normalized(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        if of.int("training_mode", 0) != 0 {
            return Err("it is in training".to_owned());
        }
        let list = |place| -> Result<Vec<f64>, String> { Ok(row_of(constant(inputs, place)?)?.to_vec()) };
        let (scale, shift, mean, variance) = (list(1)?, list(2)?, list(3)?, list(4)?);
        let epsilon = of.float("epsilon", 1e-5);
        let factor: Vec<f64> =
            scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
        let centered = self.with_row("Sub", rows(inputs, 0)?, &mean)?;
        let scaled = self.with_row("Mul", &centered, &factor)?;
        self.with_row("Add", &scaled, &shift)
    }

    /// Where the condition is that the last input is missing, the file says what a missing value means.
    fn chosen(&mut self, inputs: Inputs<'_>) -> Result<Rows, String> {
        let condition = rows(inputs, 0)?;
        let is_missing_of =
            self.body.node_of(&condition.name).filter(|node| node.op_type == "IsNaN").map(|node| node.input[0].clone());
        let mut read = vec![(condition.name.clone(), condition.shape)];
        for place in 1..3 {
            read.push(match value(inputs, place)? {
                Value::Constant(constant) => self.row(row_of(constant)?)?,
                Value::Rows(rows) => {
                    let is_filled = place == 2 && is_missing_of.as_ref() == Some(&rows.name);
                    let (name, shape) = if is_filled { rows.as_input() } else { self.known(rows) };
                    (name.to_owned(), shape)
                }
            });
        }
        let read: Vec<(&str, Shape)> = read.iter().map(|(name, shape)| (name.as_str(), *shape)).collect();
        self.push("Where", &read, &[])
    }

    fn imputed(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        if !of.float("replaced_value_float", 0.0).is_nan() {
            return Err("only NaN is read as missing".to_owned());
        }
        let x = rows(inputs, 0)?;
        let fills = for_each_column("imputed_value_floats", of.numbers("imputed_value_floats")?, x.width())?;
        for (raw, &fill) in x.raw.iter().zip(&fills) {
            let Some(input) = *raw else { continue };
            if self.imputed.insert(input, fill as f32).is_some_and(|other| other != fill as f32) {
                self.asked_of.insert(input);
            }
        }
        let (name, shape) = self.row(&fills)?;
        let missing = self.push("IsNaN", &[x.as_input()], &[])?;
        self.push("Where", &[missing.as_input(), (&name, shape), x.as_input()], &[])
    }

    /// `(x - offset) * scale`.
    fn scaled(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        let x = rows(inputs, 0)?;
        let list = |name: &str| for_each_column(name, of.numbers(name)?, x.width());
        let (offset, scale) = (list("offset")?, list("scale")?);
        let moved = self.with_row("Sub", x, &offset)?;
        self.with_row("Mul", &moved, &scale)
    }

    fn binarized(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        let above = self.with_row("Greater", rows(inputs, 0)?, &[of.float("threshold", 0.0)])?;
        self.push("Cast", &[above.as_input()], &[])
    }

    /// Rows of zeros stay as they are.
    fn of_length_one(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        let x = rows(inputs, 0)?;
        let norm = match &*of.text("norm", "MAX") {
            "L1" => self.plain("ReduceL1", inputs, &[])?,
            "L2" => self.plain("ReduceL2", inputs, &[])?,
            other => return Err(format!("norm {other} is not read")),
        };
        let is_zero = self.with_row("Equal", &norm, &[0.0])?;
        let (one, shape) = self.row(&[1.0])?;
        let norm = self.push("Where", &[is_zero.as_input(), (&one, shape), norm.as_input()], &[])?;
        self.push("Div", &[x.as_input(), norm.as_input()], &[])
    }

    fn linear_classifier(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        two_classes(of, "classlabels_ints", "classlabels_strings")?;
        let scores = self.linear_scores(of, inputs)?;
        match (&*of.text("post_transform", "NONE"), scores.width()) {
            ("NONE", 2) => Ok(scores),
            ("LOGISTIC", 2) => self.push("Sigmoid", &[scores.as_input()], &[]),
            ("SOFTMAX", 2) => self.push("Softmax", &[scores.as_input()], &[]),
            ("NONE", 1) => self.beside_its_rest(&scores),
            ("LOGISTIC", 1) => {
                let positive = self.push("Sigmoid", &[scores.as_input()], &[])?;
                self.beside_its_rest(&positive)
            }
            (other, n) => Err(format!("the post transform {other} of {n} scores is not read")),
        }
    }

    /// `1 - score` and `score`, as the standard's reference implementation has it.
    fn beside_its_rest(&mut self, score: &Rows) -> Result<Rows, String> {
        let (one, shape) = self.row(&[1.0])?;
        let rest = self.push("Sub", &[(&one, shape), score.as_input()], &[])?;
        self.push("Concat", &[rest.as_input(), score.as_input()], &[])
    }

    fn linear_scores(&mut self, of: Attributes<'_>, inputs: Inputs<'_>) -> Result<Rows, String> {
        let x = rows(inputs, 0)?;
        let (values, n) = (of.numbers("coefficients")?, x.width());
        if values.is_empty() || values.len() % n != 0 {
            return Err(format!("it has {} coefficients for {n} columns", values.len()));
        }
        let n_scores = values.len() / n;
        let scores = self.product(x, &Constant { dims: vec![n_scores, n], values }, true)?;
        let intercepts = of.numbers("intercepts")?;
        if intercepts.is_empty() { Ok(scores) } else { self.with_row("Add", &scores, &intercepts) }
    }
}

fn value(inputs: Inputs<'_>, place: usize) -> Result<&Value, String> {
    inputs.get(place).copied().flatten().ok_or_else(|| format!("it has no input {place}"))
}

fn rows(inputs: Inputs<'_>, place: usize) -> Result<&Rows, String> {
    match value(inputs, place)? {
        Value::Rows(rows) => Ok(rows),
        Value::Constant(_) => Err("it reads a constant where a column is expected".to_owned()),
    }
}

fn constant(inputs: Inputs<'_>, place: usize) -> Result<&Constant, String> {
    match value(inputs, place)? {
        Value::Constant(constant) => Ok(constant),
        Value::Rows(_) => Err(format!("its input {place} must be a constant")),
    }
}

fn row_of(constant: &Constant) -> Result<&[f64], String> {
    constant.row().ok_or_else(|| "a constant of several rows is not read here".to_owned())
}

/// A shape of rows that changes nothing.
fn reshaped(inputs: Inputs<'_>) -> Result<Rows, String> {
    let x = rows(inputs, 0)?;
    let width = x.width() as f64;
    match constant(inputs, 1)?.values[..] {
        [first, second] if (first <= 0.0 && second == width) || (first == 0.0 && second == -1.0) => Ok(x.clone()),
        _ => Err("only a shape of the same columns is read".to_owned()),
    }
}

/// Refuses what does not make one column of all.
fn reduced(of: Attributes<'_>, inputs: Inputs<'_>) -> Result<(), String> {
    let axes = match inputs.get(1) {
        Some(Some(_)) => constant(inputs, 1)?.values.clone(),
        _ => of.ints("axes").iter().map(|&axis| axis as f64).collect(),
    };
    if [[1.0], [-1.0]].iter().any(|axis| axes == axis) && of.int("keepdims", 1) == 1 {
        return Ok(());
    }
    Err("only a column of all columns is read, with keepdims 1".to_owned())
}
