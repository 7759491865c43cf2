//! The step of a Newton method: the least point of a quadratic with a penalty and bounds.

use super::fit::Penalty;

/// A square matrix, row after row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    n: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// The matrix with `value(i, j)` for `j <= i` at both places.
    pub(crate) fn symmetric(n: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let values = (0..n * n).map(|at| (at / n, at % n)).map(|(i, j)| value(i.max(j), i.min(j))).collect();
        Self { n, values }
    }

    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }

    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.n + j]
    }

    /// The same with `values` added on the diagonal.
    pub(crate) fn plus_diagonal(mut self, value: impl Fn(usize) -> f64) -> Self {
        (0..self.n).for_each(|i| self.values[i * self.n + i] += value(i));
        self
    }

    pub(crate) fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| dot(self.row(i), vector)).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A pivot below this share of its diagonal is what rounding leaves of 0.
const LEAST_PIVOT: f64 = 1e-12;

/// The lower triangle whose product with its transpose is a matrix. Columns that others determine are left out.
pub(crate) struct Cholesky {
    lower: Matrix,
    left_out: Vec<bool>,
}

impl Cholesky {
    pub(crate) fn of(matrix: &Matrix) -> Self {
        let n = matrix.n;
        let mut lower = Matrix { n, values: vec![0.0; n * n] };
        let mut left_out = Vec::with_capacity(n);
        for j in 0..n {
            let pivot = matrix.at(j, j) - dot(&lower.row(j)[..j], &lower.row(j)[..j]);
            let vanishes = pivot.is_nan() || pivot <= LEAST_PIVOT * matrix.at(j, j);
            left_out.push(vanishes);
            if vanishes {
                continue;
            }
            let root = pivot.sqrt();
            lower.values[j * n + j] = root;
            for i in j + 1..n {
                let rest = matrix.at(i, j) - dot(&lower.row(i)[..j], &lower.row(j)[..j]);
                lower.values[i * n + j] = rest / root;
            }
        }
        Self { lower, left_out }
    }

    /// Of the matrix, without the columns left out.
    pub(crate) fn log_determinant(&self) -> f64 {
        let kept = (0..self.lower.n).filter(|&j| !self.left_out[j]);
        2.0 * kept.map(|j| self.lower.at(j, j).ln()).sum::<f64>()
    }

    pub(crate) fn is_complete(&self) -> bool {
        !self.left_out.contains(&true)
    }

    /// The vector whose product with the matrix is `right`; 0 at the columns left out.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.lower.n;
        let mut x = right.to_vec();
        for i in 0..n {
            let rest = x[i] - dot(&self.lower.row(i)[..i], &x[..i]);
            x[i] = if self.left_out[i] { 0.0 } else { rest / self.lower.at(i, i) };
        }
        for i in (0..n).rev() {
            let rest = x[i] - (i + 1..n).map(|k| self.lower.at(k, i) * x[k]).sum::<f64>();
            x[i] = if self.left_out[i] { 0.0 } else { rest / self.lower.at(i, i) };
        }
        x
    }
}

/// What coefficients may be; the intercept is always free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signs {
    Any,
    NonNegative,
}

/// Where a step leads and by how much the quadratic falls on the way.
pub(super) struct Aim {
    pub(super) parameters: Vec<f64>,
    pub(super) decrease: f64,
    /// `gradient * step + change of the penalty`: what a short step gains, a share of itself.
    pub(super) slope: f64,
}

/// The least point of `gradient * d + d * curvature * d / 2 + penalty(from + d)`.
pub(super) fn aim(from: &[f64], gradient: &[f64], curvature: &Matrix, penalty: Penalty, signs: Signs) -> Aim {
    let parameters = if penalty.l1_share == 0.0 && signs == Signs::Any {
        ridge(from, gradient, curvature, penalty)
    } else {
        by_coordinates(from, gradient, curvature, penalty, signs)
    };
    let step: Vec<f64> = parameters.iter().zip(from).map(|(to, from)| to - from).collect();
    let slope = dot(gradient, &step) + penalty.of(&parameters) - penalty.of(from);
    let decrease = -(slope + 0.5 * dot(&step, &curvature.times(&step)));
    Aim { parameters, decrease, slope }
}

fn ridge(from: &[f64], gradient: &[f64], curvature: &Matrix, penalty: Penalty) -> Vec<f64> {
    let last = from.len() - 1;
    let strength = |i: usize| if i == last { 0.0 } else { penalty.strength };
    let right: Vec<f64> = (0..=last).map(|i| -(gradient[i] + strength(i) * from[i])).collect();
    let step = Cholesky::of(&curvature.clone().plus_diagonal(strength)).solve(&right);
    from.iter().zip(step).map(|(from, step)| from + step).collect()
}

/// Sweeps stop where the last one moved this share of what the first one moved, in units of the quadratic.
const STILL: f64 = 1e-20;
const MOST_SWEEPS: usize = 5000;

/// Coordinate descent. Source: Friedman, Hastie and Tibshirani (2010), section 2.
fn by_coordinates(from: &[f64], gradient: &[f64], curvature: &Matrix, penalty: Penalty, signs: Signs) -> Vec<f64> {
    let last = from.len() - 1;
    let (mut at, mut slope) = (from.to_vec(), gradient.to_vec());
    let mut moved_first = None;
    for _ in 0..MOST_SWEEPS {
        let mut moved = 0.0;
        for i in 0..=last {
            let bend = curvature.at(i, i);
            let pull = bend * at[i] - slope[i];
            let to = if i == last { at[i] - slope[i] / bend } else { coordinate(pull, bend, penalty, signs) };
            let step = to - at[i];
            if step == 0.0 || !step.is_finite() {
                continue;
            }
            at[i] = to;
            moved += bend * step * step;
            slope.iter_mut().zip(curvature.row(i)).for_each(|(slope, bend)| *slope += bend * step);
        }
        if moved <= STILL * *moved_first.get_or_insert(moved) {
            break;
        }
    }
    at
}

/// The least point of `bend * b^2 / 2 - pull * b + penalty(b)`.
fn coordinate(pull: f64, bend: f64, penalty: Penalty, signs: Signs) -> f64 {
    let l1 = penalty.strength * penalty.l1_share;
    let rest = match signs {
        Signs::Any => pull.signum() * (pull.abs() - l1).max(0.0),
        Signs::NonNegative => (pull - l1).max(0.0),
    };
    // A column of zeros without a penalty has no least point.
    if rest == 0.0 { 0.0 } else { rest / (bend + penalty.strength * (1.0 - penalty.l1_share)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_others_determine_is_left_out() {
        let matrix = Matrix::symmetric(3, |i, j| [[4.0, 2.0, 1.0], [2.0, 1.0, 0.5], [1.0, 0.5, 3.0]][i][j]);
        let cholesky = Cholesky::of(&matrix);
        assert!(!cholesky.is_complete());
        let x = cholesky.solve(&matrix.times(&[0.5, 0.0, -1.0]));
        assert!(x.iter().zip([0.5, 0.0, -1.0]).all(|(a, b)| (a - b).abs() < 1e-14), "{x:?}");
    }

    #[test]
    fn coordinates_end_where_cholesky_does() {
        let curvature = Matrix::symmetric(3, |i, j| [[4.0, 1.0, 1.0], [1.0, 3.0, 0.5], [1.0, 0.5, 3.0]][i][j]);
        let (from, gradient) = ([0.3, -0.2, 0.1], [1.0, -2.0, 0.5]);
        let penalty = Penalty { strength: 0.7, l1_share: 0.0 };
        let by_coordinates = by_coordinates(&from, &gradient, &curvature, penalty, Signs::Any);
        let ridge = ridge(&from, &gradient, &curvature, penalty);
        assert!(by_coordinates.iter().zip(&ridge).all(|(a, b)| (a - b).abs() < 1e-9), "{by_coordinates:?} {ridge:?}");
    }
}
