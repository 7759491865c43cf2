//! How far the coefficients would move on other rows of the same kind.

use super::design::{Design, EveryBlock};
use super::fit::{LogisticFit, LogisticRows};
use super::quadratic::{Cholesky, Matrix};
use crate::LearnError;

/// Parameters farther than this from the least point, in squared standard errors, are held there by a bound.
const FARTHEST: f64 = 1e-4;

/// Standard errors of a [`LogisticFit`].
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StandardErrors {
    /// Of the intercept.
    pub intercept: f64,
    /// One a coefficient.
    pub coefficients: Vec<f64>,
}

/// Standard errors of `fit` on the `rows` that it was fitted on.
///
/// With `A` the second derivatives of the loss plus the L2 penalty: without `group`, the roots of the diagonal of `A^-1`,
/// which take each row for an observation of its own (a weight counts as so many rows). With `group`, those of
/// `A^-1 B A^-1` times `G / (G - 1) * (n - 1) / (n - k)`, where `B` sums the squares of the `G` groups' gradients, `n` is
/// the sum of weights and `k` counts the parameters: repeated snapshots of an account count as one observation. Without a
/// penalty both are those of statsmodels' `Logit` (`cov_type="cluster"`); with one they say nothing of its bias. Source:
/// Liang and Zeger (1986).
///
/// `None` where they are not defined: an L1 penalty, coefficients held at a bound, a column that others determine, rows
/// without a finite best fit, fewer than two groups.
///
/// # Errors
/// [`LearnError`] if the rows break a rule of [`LogisticRows`] or `group` has another length.
pub fn standard_errors(
    rows: &LogisticRows<'_>,
    group: Option<&[u64]>,
    fit: &LogisticFit,
) -> Result<Option<StandardErrors>, LearnError> {
    let scales = vec![1.0; rows.columns.len()];
    let design = rows.design(&scales)?;
    if let Some(group) = group.filter(|group| group.len() != rows.y.len()) {
        return Err(LearnError::Length { what: "group", found: group.len(), expected: rows.y.len() });
    }
    if fit.penalty.l1_share > 0.0 || !fit.converged {
        return Ok(None);
    }
    let parameters: Vec<f64> = fit.coefficients.iter().copied().chain([fit.intercept]).collect();
    let covariance = covariance(&design, group, &parameters, fit.penalty.strength);
    let mut coefficients = covariance.as_ref().map(roots).unwrap_or_default();
    Ok(coefficients.pop().map(|intercept| StandardErrors { intercept, coefficients }))
}

/// The roots of the diagonal.
pub(super) fn roots(covariance: &Matrix) -> Vec<f64> {
    (0..covariance.row(0).len()).map(|i| covariance.row(i)[i].max(0.0).sqrt()).collect()
}

/// The covariance of parameters of scaled columns.
pub(super) fn covariance(
    design: &Design<'_>,
    group: Option<&[u64]>,
    parameters: &[f64],
    strength: f64,
) -> Option<Matrix> {
    let last = parameters.len() - 1;
    let strength = |i: usize| if i == last { 0.0 } else { strength };
    let curvature = design.curvature(parameters, EveryBlock::ALL);
    let cholesky = Cholesky::of(&curvature.plus_diagonal(strength));
    let gradient = design.slope(parameters, EveryBlock::ALL).gradient;
    let pull: Vec<f64> = (0..=last).map(|i| gradient[i] + strength(i) * parameters[i]).collect();
    // The squared way to the least point, in standard errors: a bound holds the parameters away from it.
    let way: f64 = cholesky.solve(&pull).iter().zip(&pull).map(|(a, b)| a * b).sum();
    if !cholesky.is_complete() || way > FARTHEST {
        return None;
    }
    let unit = |at: usize| (0..=last).map(|i| f64::from(u8::from(i == at))).collect::<Vec<f64>>();
    let inverse: Vec<Vec<f64>> = (0..=last).map(|at| cholesky.solve(&unit(at))).collect();
    let Some(group) = group else { return Some(Matrix::symmetric(last + 1, |i, j| inverse[i][j])) };
    let (between, n_groups) = between_groups(design, group, parameters);
    if n_groups < 2 {
        return None;
    }
    let n = (0..design.n_rows()).map(|row| design.weight(row)).sum::<f64>();
    let (n_groups, n_parameters) = (n_groups as f64, parameters.len() as f64);
    let small_sample = n_groups / (n_groups - 1.0) * (n - 1.0) / (n - n_parameters).max(1.0);
    let half: Vec<Vec<f64>> = inverse.iter().map(|row| between.times(row)).collect();
    let product = |i: usize, j: usize| inverse[j].iter().zip(&half[i]).map(|(a, b)| a * b).sum::<f64>();
    Some(Matrix::symmetric(last + 1, |i, j| small_sample * product(i, j)))
}

/// The sum over groups of the square of the group's gradient, and how many groups there are.
fn between_groups(design: &Design<'_>, group: &[u64], parameters: &[f64]) -> (Matrix, usize) {
    let n = parameters.len();
    let logits = design.logits(parameters);
    let mut order: Vec<usize> = (0..design.n_rows()).filter(|&row| design.weight(row) > 0.0).collect();
    order.sort_by_key(|&row| group[row]);
    let mut sums = vec![0.0; n * n];
    let mut n_groups = 0;
    for rows in order.chunk_by(|&a, &b| group[a] == group[b]) {
        let mut gradient = vec![0.0; n];
        for &row in rows {
            let label = f64::from(u8::from(design.y[row]));
            let residual = design.weight(row) * (bellwether_core::sigmoid(logits[row]) - label);
            let columns = design.columns.iter().zip(design.scales);
            for (sum, (column, scale)) in gradient.iter_mut().zip(columns) {
                *sum += residual * scale * f64::from(column[row]);
            }
            gradient[n - 1] += residual;
        }
        for (i, row) in sums.chunks_exact_mut(n).enumerate() {
            row[..=i].iter_mut().zip(&gradient).for_each(|(sum, g)| *sum += gradient[i] * g);
        }
        n_groups += 1;
    }
    (Matrix::symmetric(n, |i, j| sums[i * n + j]), n_groups)
}
