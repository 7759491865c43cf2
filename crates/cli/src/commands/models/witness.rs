//! An imported model against its maker's own predictions.

use std::path::Path;

use bellwether_onnx::Converted;
use bellwether_score::Kernel;
use serde::Serialize;

use crate::failure::{Failure, INVALID, Unexpected as _};
use crate::output::grouped;
use crate::pipeline::prepare::Prepared;

/// How far a probability may be from its maker's: both are sums of f32 or f64 in another order. What leaves are rounded by
/// comes to it, whose signs are as good as random.
const TOLERANCE: f64 = 1e-5;

/// How near the probabilities of all rows came.
#[derive(Serialize)]
pub(super) struct Agreement {
    n_rows: usize,
    largest: f64,
}

impl Agreement {
    /// Compares with the probabilities in `file`: one a line, a row of the matrix each, in its order; `nan` is left out.
    pub(super) fn check(file: &Path, converted: &Converted, prepared: &Prepared) -> Result<Self, Failure> {
        let text = String::from_utf8(super::read(file)?).unexpected("reading the maker's probabilities")?;
        let expected = parse(&text, prepared.x.n_rows())?;
        let onnx = bellwether_onnx::encode(&converted.model, &prepared.schema, "").unexpected("writing the graph")?;
        let kernel = Kernel::compile(&onnx)?;
        let found = kernel.logits(&prepared.x)?;
        let tolerance = TOLERANCE + converted.rounding / (kernel.n_trees().max(1) as f64).sqrt();
        let difference =
            |(&logit, expected): (&f64, &f64)| Some(converted.probability(logit) - expected).filter(|of| !of.is_nan());
        let differences: Vec<Option<f64>> = found.iter().zip(&expected).map(difference).collect();
        let differs = |of: &Option<f64>| of.is_some_and(|of| of.abs() > tolerance);
        let n_rows = differences.iter().flatten().count();
        if n_rows == 0 {
            return Err(invalid(format!("{} tells of no row", file.display())));
        }
        let Some(row) = differences.iter().position(differs) else {
            let largest = differences.iter().flatten().fold(0.0, |largest: f64, of| largest.max(of.abs()));
            return Ok(Self { n_rows, largest });
        };
        let n_different = differences.iter().filter(|of| differs(of)).count();
        let (key, maker) = (&prepared.table.keys[row], expected[row]);
        let message = format!(
            "{} of {} rows are not what the model's maker predicts; the first is row {} ({} as of {}): {maker:.6} of its \
             maker, {:.6} of the file",
            grouped(n_different),
            grouped(n_rows),
            grouped(row + 1),
            key.account,
            key.as_of,
            converted.probability(found[row]),
        );
        let hint = "the software that wrote the file changed the model, or the rows are in another order; export it in \
                    another way, such as with an imputer before it";
        Err(Failure::refused(message, hint))
    }

    pub(super) fn text(&self) -> String {
        let (n_rows, largest) = (grouped(self.n_rows), self.largest);
        format!("equal to its maker's probabilities on {n_rows} rows: the largest difference is {largest:.0e}")
    }
}

fn parse(text: &str, n_rows: usize) -> Result<Vec<f64>, Failure> {
    let probability = |(line, text): (usize, &str)| match text.trim().parse::<f64>() {
        Ok(p) if p.is_nan() || (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err(invalid(format!("line {} is `{text}`; a probability lies in 0..=1", line + 1))),
    };
    let expected = text.lines().enumerate().map(probability).collect::<Result<Vec<f64>, Failure>>()?;
    if expected.len() == n_rows {
        return Ok(expected);
    }
    Err(invalid(format!("there are {} probabilities for {} rows", grouped(expected.len()), grouped(n_rows))))
}

fn invalid(message: String) -> Failure {
    let hint =
        "one probability a line, for every row of the matrix that `bellwether features --model` writes, in its order";
    Failure::new(INVALID, anyhow::Error::msg(message), Some(hint))
}
