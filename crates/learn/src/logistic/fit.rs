//! Logistic regression on columns as they are, without an imputation or a scale of its own.

use super::design::Design;
use super::quadratic::Signs;
use super::solver::{Problem, Tolerance};
use crate::LearnError;

/// Rows to fit on. All slices have one entry a row.
#[derive(Debug, Clone, Copy)]
pub struct LogisticRows<'a> {
    /// Finite values, column after column.
    pub columns: &'a [Vec<f32>],
    /// Whether the outcome came.
    pub y: &'a [bool],
    /// Finite and at least 0; `None` is 1 everywhere.
    pub weights: Option<&'a [f64]>,
}

/// What is added to the weighted sum of the log losses:
/// `strength * (l1_share * sum |b| + (1 - l1_share) / 2 * sum b^2)` over the coefficients; the intercept is free.
///
/// In scikit-learn's `LogisticRegression`, `strength` is `1 / C` and `l1_share` is `l1_ratio`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Penalty {
    /// Finite and at least 0.
    pub strength: f64,
    /// In `0.0..=1.0`; 0 is the L2 penalty.
    pub l1_share: f64,
}

/// A fitted sum `intercept + sum of coefficients * values`, the logit of the outcome.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LogisticFit {
    /// The logit of a row of zeros.
    pub intercept: f64,
    /// Logits a unit, one a column; exactly 0 where an L1 penalty or a bound holds a column there.
    pub coefficients: Vec<f64>,
    /// What the coefficients were held down by.
    pub penalty: Penalty,
    /// The weighted sum of the log losses plus the penalty.
    pub objective: f64,
    /// Steps on all rows.
    pub n_iterations: u32,
    /// `false` where no finite coefficients are the best, as on separable rows without a penalty.
    pub converged: bool,
}

impl Penalty {
    /// The L2 penalty of scikit-learn's `C`, which must be above 0.
    pub fn l2(c: f64) -> Self {
        Self { strength: 1.0 / c, l1_share: 0.0 }
    }

    /// The penalty on `parameters`, whose last one is the intercept.
    pub(super) fn of(&self, parameters: &[f64]) -> f64 {
        let coefficients = &parameters[..parameters.len() - 1];
        let squares: f64 = coefficients.iter().map(|b| b * b).sum();
        let l1: f64 = coefficients.iter().map(|b| b.abs()).sum();
        self.strength * (self.l1_share * l1 + 0.5 * (1.0 - self.l1_share) * squares)
    }

    pub(super) fn checked(self) -> Result<Self, LearnError> {
        let Self { strength, l1_share } = self;
        let fits = strength.is_finite() && strength >= 0.0 && (0.0..=1.0).contains(&l1_share);
        if fits { Ok(self) } else { Err(LearnError::Penalty { strength, l1_share }) }
    }
}

/// The coefficients with the least penalised log loss, by proximal Newton descent; equal on any number of threads.
///
/// # Errors
/// [`LearnError`] if lengths differ, a value, a weight or the penalty breaks its rule, or all weight is on one class.
pub fn fit_logistic(rows: &LogisticRows<'_>, penalty: Penalty) -> Result<LogisticFit, LearnError> {
    fit(rows, penalty, Signs::Any)
}

/// The same with no coefficient below 0; the intercept is free.
///
/// # Errors
/// As [`fit_logistic`].
pub fn non_negative_logistic(rows: &LogisticRows<'_>, penalty: Penalty) -> Result<LogisticFit, LearnError> {
    fit(rows, penalty, Signs::NonNegative)
}

fn fit(rows: &LogisticRows<'_>, penalty: Penalty, signs: Signs) -> Result<LogisticFit, LearnError> {
    let penalty = penalty.checked()?;
    let scales = vec![1.0; rows.columns.len()];
    let design = rows.design(&scales)?;
    let solution = Problem { design, penalty, signs }.solve(Tolerance::FINAL);
    let objective = design.loss(&solution.parameters) + penalty.of(&solution.parameters);
    let mut coefficients = solution.parameters;
    let intercept = coefficients.pop().expect("the intercept is there");
    let (n_iterations, converged) = (solution.n_iterations, solution.converged);
    Ok(LogisticFit { intercept, coefficients, penalty, objective, n_iterations, converged })
}

impl LogisticRows<'_> {
    /// The rows for the solver, if they keep the rules.
    pub(super) fn design<'a>(&'a self, scales: &'a [f64]) -> Result<Design<'a>, LearnError> {
        let expected = self.y.len();
        let lengths = self.columns.iter().map(|column| ("columns", column.len()));
        let mut lengths = lengths.chain(self.weights.map(|weights| ("weights", weights.len())));
        if let Some((what, found)) = lengths.find(|&(_, found)| found != expected) {
            return Err(LearnError::Length { what, found, expected });
        }
        for (column, values) in self.columns.iter().enumerate() {
            // A sum is not finite if one of its terms is not, and has no branch.
            if !values.iter().map(|x| x * 0.0).sum::<f32>().is_finite() {
                let row = values.iter().position(|x| !x.is_finite()).expect("one of the values is not finite");
                return Err(LearnError::Value { column, row, value: values[row] });
            }
        }
        let wrong = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
        if let Some((row, weight)) =
            self.weights.and_then(|weights| weights.iter().position(wrong).map(|row| (row, weights[row])))
        {
            return Err(LearnError::Weight { row, weight });
        }
        let design = Design { columns: self.columns, scales, y: self.y, weights: self.weights };
        let weight_by_class = design.weight_by_class();
        match weight_by_class {
            (0.0, 0.0) => Err(LearnError::NoRows),
            (0.0, _) | (_, 0.0) => {
                let counted = |&row: &usize| design.weight(row) > 0.0;
                let n_rows = (0..expected).filter(counted).count();
                let n_positive = if weight_by_class.1 > 0.0 { n_rows } else { 0 };
                Err(LearnError::SingleClass { n_rows, n_positive })
            }
            _ => Ok(design),
        }
    }
}
