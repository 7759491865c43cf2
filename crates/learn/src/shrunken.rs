//! Platt's line shrunken towards a model's own probabilities.

use std::collections::BTreeMap;

use bellwether_core::{Calibration, sigmoid};

use crate::calibrate::{FLAT_SLOPE, Row, platt};

/// What is known of a model's calibration before the calibration rows are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationPrior {
    /// How many rows the model was fitted on.
    pub n_fitted: usize,
    /// Whether all calibration rows are of later days than those.
    pub is_later: bool,
}

/// How far the level of later days lies from that of the fitted ones, as a standard deviation of log odds: what the days that
/// calibrate and those that test have in common on simulated books.
const LEVEL_OF_LATER_DAYS: f64 = 0.1;

/// How far slopes lie from 1, as a standard deviation; found in the same way.
const SLOPE: f64 = 0.1;

/// Platt's line shrunken towards the model's own probabilities, by what is known before the rows are looked at: the posterior
/// mean of level and slope, with normal approximations of both. The model's own where a line cannot be fitted.
///
/// The level is that of the middle of the rows, where its error hardly depends on the slope's. Rows of the days that the model
/// was fitted on tell little of it: these days' level is what it was fitted to, and on more rows. On later days it has moved.
pub(crate) fn shrunken(rows: &[Row], prior: &CalibrationPrior) -> Calibration {
    let Some(Calibration::Platt { slope, intercept }) = platt(rows) else { return Calibration::None };
    let (sum, total) = rows.iter().fold((0.0, 0.0), |(sum, total), row| {
        let weight = weight_of(sigmoid(intercept + slope * row.logit));
        (sum + weight * row.logit, total + weight)
    });
    let middle = if total > 0.0 { sum / total } else { 0.0 };
    let found = [intercept + slope * middle - middle, slope - 1.0];
    let Some(error) = covariance(rows, slope, intercept, middle) else { return Calibration::None };
    let of_fitted_days = error[0][0] * rows.len() as f64 / prior.n_fitted.max(1) as f64;
    let of_later_days = if prior.is_later { LEVEL_OF_LATER_DAYS * LEVEL_OF_LATER_DAYS } else { 0.0 };
    let expected = [of_fitted_days + of_later_days, SLOPE * SLOPE];
    let both = [[error[0][0] + expected[0], error[0][1]], [error[1][0], error[1][1] + expected[1]]];
    let solved = solve(both, found);
    let slope = (1.0 + expected[1] * solved[1]).max(FLAT_SLOPE);
    let intercept = middle + expected[0] * solved[0] - slope * middle;
    Calibration::Platt { slope, intercept }
}

/// Of level (at `middle`) and slope, with the rows of an account as one observation; no variance is below that of
/// independent rows. `None` where logits do not vary.
fn covariance(rows: &[Row], slope: f64, intercept: f64, middle: f64) -> Option<[[f64; 2]; 2]> {
    let mut information = [[0.0; 2]; 2];
    let mut gradient_of: BTreeMap<u64, [f64; 2]> = BTreeMap::new();
    for row in rows {
        let p = sigmoid(intercept + slope * row.logit);
        let x = [1.0, row.logit - middle];
        let error = f64::from(u8::from(row.y)) - p;
        let gradient = gradient_of.entry(row.group).or_default();
        for i in 0..2 {
            gradient[i] += x[i] * error;
            for j in 0..2 {
                information[i][j] += weight_of(p) * x[i] * x[j];
            }
        }
    }
    let independent = inverse(information)?;
    let n_groups = gradient_of.len() as f64;
    let clusters = n_groups / (n_groups - 1.0).max(1.0);
    let mut clustered = [[0.0; 2]; 2];
    for gradient in gradient_of.values() {
        let moved = [0, 1].map(|i| independent[i][0] * gradient[0] + independent[i][1] * gradient[1]);
        for i in 0..2 {
            for j in 0..2 {
                clustered[i][j] += clusters * moved[i] * moved[j];
            }
        }
    }
    for i in 0..2 {
        clustered[i][i] = clustered[i][i].max(independent[i][i]);
    }
    Some(clustered)
}

/// The information of one row about its log odds.
fn weight_of(p: f64) -> f64 {
    p * (1.0 - p)
}

fn solve(matrix: [[f64; 2]; 2], right: [f64; 2]) -> [f64; 2] {
    let inverse = inverse(matrix).unwrap_or_default();
    [0, 1].map(|i| inverse[i][0] * right[0] + inverse[i][1] * right[1])
}

/// `None` of a symmetric matrix that is not positive definite.
fn inverse([[a, b], [c, d]]: [[f64; 2]; 2]) -> Option<[[f64; 2]; 2]> {
    let determinant = a * d - b * c;
    (determinant > 1e-12 * a * d).then(|| [[d / determinant, -b / determinant], [-c / determinant, a / determinant]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdout::mixed;

    /// numpy 2.4.6 by the formulas of a normal posterior, ten rows of five accounts.
    #[test]
    fn a_shrunken_line_is_the_posterior_mean() {
        let labels = [0, 0, 1, 0, 0, 1, 0, 1, 1, 1].map(|y| y == 1);
        let row = |k: u64| Row { logit: k as f64 / 2.0 - 2.0, y: labels[k as usize], group: k / 2, place: 0 };
        let rows: Vec<Row> = (0..10).map(row).collect();
        for (n_fitted, is_later, expected) in [
            (20, false, (0.988_014_849_530, -0.091_145_901_071)),
            (20, true, (0.988_019_747_554, -0.093_683_696_787)),
            (1_000_000_000, false, (0.987_833_064_467, 0.003_041_731_054)),
        ] {
            let found = shrunken(&rows, &CalibrationPrior { n_fitted, is_later });
            let Calibration::Platt { slope, intercept } = found else { panic!("{found:?}") };
            let error = (slope - expected.0).abs().max((intercept - expected.1).abs());
            assert!(error < 1e-7, "{n_fitted} {is_later}: {slope} {intercept}");
        }
    }

    /// Of many rows they tell all, but for the level of days that the model was fitted on with more rows yet.
    #[test]
    fn many_rows_outweigh_what_was_known() {
        let unit = |k: u64| mixed(k) as f64 / u64::MAX as f64;
        let row = |k: u64| {
            let logit = 8.0 * unit(k) - 4.0;
            Row { logit, y: unit(k + 100_000) < sigmoid(1.1 * logit - 0.2), group: k, place: 0 }
        };
        let rows: Vec<Row> = (0..100_000).map(row).collect();
        let line = |calibration: Option<Calibration>| match calibration {
            Some(Calibration::Platt { slope, intercept }) => (slope, intercept),
            other => panic!("{other:?}"),
        };
        let (slope, intercept) = line(platt(&rows));
        for (prior, share) in [
            (CalibrationPrior { n_fitted: 0, is_later: true }, 1.0),
            (CalibrationPrior { n_fitted: 100_000, is_later: false }, 0.5),
            (CalibrationPrior { n_fitted: 400_000, is_later: false }, 0.2),
        ] {
            let found = line(Some(shrunken(&rows, &prior)));
            assert!((found.0 - slope).abs() < 2e-3, "{prior:?}: {found:?}, Platt's slope {slope}");
            // A half comes to pass where the truth's log odds are 0.
            let level = |(slope, intercept): (f64, f64)| intercept + (slope - 1.0) * 0.2 / 1.1;
            let error = level(found) - share * level((slope, intercept));
            assert!(error.abs() < 5e-3, "{prior:?}: {found:?}, Platt's intercept {intercept}");
        }
    }

    #[test]
    fn without_a_line_probabilities_stay_the_models_own() {
        let row = |y| Row { logit: 1.0, y, group: 0, place: 0 };
        assert_eq!(
            shrunken(&[row(true), row(false)], &CalibrationPrior { n_fitted: 100, is_later: true }),
            Calibration::None
        );
    }
}
