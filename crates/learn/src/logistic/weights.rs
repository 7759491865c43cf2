//! The weighted sum alone, for learners that go on from it.

use bellwether_core::Linear;

use super::design::Design;
use super::fit::Penalty;
use super::quadratic::Signs;
use super::solver::{Problem, Tolerance};
use crate::rows::Table;
use crate::standardise::Standardiser;

/// The weighted sum of the raw features of `table` with the least penalised log loss.
pub(crate) fn weighted_sum(table: &Table, penalty: Penalty) -> Linear {
    let standardiser = Standardiser::of(table);
    let standardised = standardiser.columns(table);
    let weights = table.weights.as_deref();
    let design = Design { columns: &standardised.columns, scales: &standardised.scales, y: &table.y, weights };
    let solution = Problem { design, penalty, signs: Signs::Any }.solve(Tolerance::FINAL);
    let (intercept, coefficients) = solution.parameters.split_last().expect("the intercept is there");
    standardiser.linear(*intercept, coefficients)
}
