//! Logistic regression with an L2 penalty, fitted by linfa-logistic: the reference that the solver is tested against.

use bellwether_core::{Linear, Model, Progress};
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};
use rayon::prelude::*;

use super::loss::log_loss;
use crate::holdout::{Fold, folds};
use crate::learner::checked;
use crate::rows::Table;
use crate::standardise::{Standardised, Standardiser};
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Fits a weighted sum.
#[derive(Debug)]
pub(crate) struct LinfaLogistic {
    pub(crate) settings: Settings,
}

/// Half of this times the squared length of the standardised coefficients is added to the summed log loss. The strongest
/// comes first, so that each fit starts near its solution.
const PENALTIES: [f64; 6] = [1000.0, 300.0, 100.0, 30.0, 10.0, 1.0];

/// The penalty where too few rows are there to choose one; scikit-learn's default.
const USUAL_PENALTY: f64 = 1.0;

/// The penalty is chosen on at most this many rows, because linfa-logistic is slow.
const MOST_ROWS_TO_CHOOSE: usize = 10_000;

/// When a fit is good enough.
#[derive(Clone, Copy)]
struct Effort {
    most_iterations: u64,
    /// Length of the gradient, a row.
    gradient_a_row: f64,
}

const CHOOSING: Effort = Effort { most_iterations: 40, gradient_a_row: 2e-4 };
const FINAL: Effort = Effort { most_iterations: 150, gradient_a_row: 1e-5 };

impl Learner for LinfaLogistic {
    fn name(&self) -> LearnerName {
        LearnerName::LogisticLinfa
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        table.require_no_weights(LearnerName::LogisticLinfa)?;
        let penalty = choose_penalty(&table, &folds(&table, self.settings.purge_days), progress)?;
        progress.begin("logistic_linfa: fit", table.n_rows() as u64);
        let problem = Problem::new(&table);
        let solution = problem.solve(penalty, FINAL, None)?;
        progress.advance(table.n_rows() as u64);
        progress.end();
        checked(LearnerName::LogisticLinfa, Model::Linear(problem.linear(&solution)))
    }
}

/// The penalty with the least log loss on the held-out rows of all folds.
fn choose_penalty(table: &Table, folds: &[Fold], progress: &dyn Progress) -> Result<f64, LearnError> {
    if folds.is_empty() {
        return Ok(USUAL_PENALTY);
    }
    progress.begin("logistic_linfa: choose penalty", (folds.len() * PENALTIES.len()) as u64);
    let losses = folds.par_iter().map(|fold| penalty_losses(table, fold, progress)).collect::<Result<Vec<_>, _>>()?;
    progress.end();
    let total = |at: usize| losses.iter().map(|of_fold| of_fold[at]).sum::<f64>();
    let best = (0..PENALTIES.len()).min_by(|&a, &b| total(a).total_cmp(&total(b)));
    Ok(best.map_or(USUAL_PENALTY, |best| PENALTIES[best]))
}

/// The log loss on the held-out rows for each penalty.
fn penalty_losses(table: &Table, fold: &Fold, progress: &dyn Progress) -> Result<Vec<f64>, LearnError> {
    let (fit, check) = (table.select(&thinned(&fold.fit)), table.select(&thinned(&fold.check)));
    let problem = Problem::new(&fit);
    let mut start = None;
    let mut losses = Vec::with_capacity(PENALTIES.len());
    for penalty in PENALTIES {
        let solution = problem.solve(penalty, CHOOSING, start.take())?;
        losses.push(log_loss(&Model::Linear(problem.linear(&solution)), &check));
        start = Some(solution);
        progress.advance(1);
    }
    Ok(losses)
}

/// Evenly spaced rows, at most [`MOST_ROWS_TO_CHOOSE`].
fn thinned(rows: &[usize]) -> Vec<usize> {
    rows.iter().copied().step_by(rows.len().div_ceil(MOST_ROWS_TO_CHOOSE).max(1)).collect()
}

/// Standardised rows as linfa wants them.
struct Problem {
    standardiser: Standardiser,
    dataset: DatasetBase<Array2<f64>, Array1<bool>>,
}

/// Coefficients, then the intercept, for linfa's own positive class.
struct Solution {
    parameters: Array1<f64>,
    /// -1 where linfa took `false` for the positive class.
    sign: f64,
}

impl Problem {
    fn new(table: &Table) -> Self {
        let standardiser = Standardiser::of(table);
        let Standardised { columns, scales, .. } = standardiser.columns(table);
        let scaled = |(column, scale): (&Vec<f32>, f64)| column.iter().map(move |&x| f64::from(x) * scale).collect();
        let values: Vec<Vec<f64>> = columns.iter().zip(scales).map(scaled).collect();
        let shape = (table.n_rows(), columns.len()).f();
        let x = Array2::from_shape_vec(shape, values.concat()).expect("each column has one value a row");
        Self { standardiser, dataset: DatasetBase::new(x, Array1::from(table.y.clone())) }
    }

    fn solve(&self, penalty: f64, effort: Effort, start: Option<Solution>) -> Result<Solution, LearnError> {
        let (n_rows, n_columns) = self.dataset.records.dim();
        if n_columns == 0 {
            return Ok(self.without_columns());
        }
        let cold = LogisticRegression::default()
            .alpha(penalty)
            .max_iterations(effort.most_iterations)
            .gradient_tolerance(effort.gradient_a_row * n_rows as f64);
        let warm = start.and_then(|start| cold.clone().initial_params(start.parameters).fit(&self.dataset).ok());
        let fitted = match warm {
            Some(fitted) => fitted,
            None => cold.fit(&self.dataset).map_err(|error| LearnError::fit(LearnerName::LogisticLinfa, error))?,
        };
        let mut parameters = fitted.params().to_vec();
        parameters.push(fitted.intercept());
        // linfa takes the more frequent class for the positive one.
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        Ok(Solution { parameters: Array1::from(parameters), sign })
    }

    /// linfa refuses a matrix without columns; the solution is the log odds.
    fn without_columns(&self) -> Solution {
        let n_positive = self.dataset.targets.iter().filter(|&&y| y).count() as f64;
        let n_negative = self.dataset.targets.len() as f64 - n_positive;
        Solution { parameters: Array1::from(vec![(n_positive / n_negative).ln()]), sign: 1.0 }
    }

    fn linear(&self, solution: &Solution) -> Linear {
        let parameters: Vec<f64> = solution.parameters.iter().map(|value| solution.sign * value).collect();
        let (intercept, coefficients) = parameters.split_last().expect("the intercept is there");
        self.standardiser.linear(*intercept, coefficients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9.1, `LogisticRegression(C=1/penalty, tol=1e-12)` on the columns clamped to the same quantiles and
    /// divided by their population deviation.
    #[test]
    fn logits_are_those_of_scikit_learn() {
        let n = 60_usize;
        let a: Vec<f32> = (0..n).map(|row| (row * 7 % 11) as f32).collect();
        let b: Vec<f32> = (0..n).map(|row| (row * 5 % 13) as f32).collect();
        let y = (0..n).map(|row| (row * 3 % 7) as f32 + a[row] - b[row] > 2.0).collect();
        let table = Table { columns: vec![a, b], y, weights: None, day: vec![0; n], group: vec![0; n] };
        let problem = Problem::new(&table);
        for (penalty, expected) in
            [(1.0, [0.264_767_13, 1.301_000_23, -3.484_219_69]), (10.0, [0.081_673_34, 0.454_094_65, -1.424_701_02])]
        {
            let solution = problem.solve(penalty, FINAL, None).expect("two classes");
            let model = Model::Linear(problem.linear(&solution));
            for (row, expected) in expected.into_iter().enumerate() {
                let logit = model.logit(&table.row(row));
                assert!((logit - expected).abs() < 2e-4, "penalty {penalty}, row {row}: {logit}, not {expected}");
            }
        }
    }
}
