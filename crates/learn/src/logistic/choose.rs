//! The strength of the penalty: what fits later rows best.

use bellwether_core::Progress;
use rayon::prelude::*;

use super::design::Design;
use super::fit::Penalty;
use super::quadratic::Signs;
use super::solver::{Problem, Tolerance};
use crate::holdout::{Fold, folds};
use crate::rows::Table;
use crate::standardise::Standardiser;

/// The strongest comes first, so that each fit starts near its solution.
const STRENGTHS: [f64; 13] = [30_000.0, 10_000.0, 3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01];

/// Where too few rows are there to choose; scikit-learn's default.
const USUAL_STRENGTH: f64 = 1.0;

/// Strengths are compared on at most this many rows, evenly spaced.
const MOST_ROWS: usize = 60_000;

/// A strength and the mean log loss on held-out rows.
pub(crate) type Tried = (f64, f64);

/// The chosen penalty.
pub(crate) struct Choice {
    pub(crate) penalty: Penalty,
    /// Empty where there was nothing to choose on.
    pub(crate) tried: Vec<Tried>,
}

/// The strength with the least log loss on the held-out rows of all folds.
///
/// A stronger one within a standard error of it (Breiman et al. 1984) does worse on fresh rows in all six settings of
/// `benches/peers/one_standard_error.py`, in log loss as in calibration slope.
pub(crate) fn choose(table: &Table, purge_days: u32, l1_share: f64, progress: &dyn Progress) -> Choice {
    let folds = folds(table, purge_days);
    if folds.is_empty() {
        return Choice { penalty: Penalty { strength: USUAL_STRENGTH, l1_share }, tried: Vec::new() };
    }
    progress.begin("logistic: choose penalty", (folds.len() * STRENGTHS.len()) as u64);
    let of_folds: Vec<HeldOut> =
        folds.par_iter().map(|fold| held_out_losses(table, fold, l1_share, progress)).collect();
    progress.end();
    let weight: f64 = of_folds.iter().map(|fold| fold.weight).sum();
    let mean = |at: usize| of_folds.iter().map(|fold| fold.losses[at]).sum::<f64>() / weight;
    let tried: Vec<Tried> = (0..STRENGTHS.len()).map(|at| (STRENGTHS[at], mean(at))).collect();
    let best = tried.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let strength = best.map_or(USUAL_STRENGTH, |&(strength, _)| strength);
    Choice { penalty: Penalty { strength, l1_share }, tried }
}

/// How a fold was foretold.
struct HeldOut {
    /// The weighted sum of the log losses, one a strength.
    losses: Vec<f64>,
    weight: f64,
}

fn held_out_losses(table: &Table, fold: &Fold, l1_share: f64, progress: &dyn Progress) -> HeldOut {
    let (fit, check) = (table.select(&thinned(&fold.fit)), table.select(&thinned(&fold.check)));
    let standardiser = Standardiser::of(&fit);
    let (fitted, checked) = (standardiser.columns(&fit), standardiser.columns(&check));
    let design =
        Design { columns: &fitted.columns, scales: &fitted.scales, y: &fit.y, weights: fit.weights.as_deref() };
    let held_out = Design { columns: &checked.columns, y: &check.y, weights: check.weights.as_deref(), ..design };
    let mut start = None;
    let mut losses = Vec::with_capacity(STRENGTHS.len());
    for strength in STRENGTHS {
        let problem = Problem { design, penalty: Penalty { strength, l1_share }, signs: Signs::Any };
        let solution = match start.take() {
            Some(start) => problem.solve_from(start, Tolerance::CHOOSING),
            None => problem.solve(Tolerance::CHOOSING),
        };
        losses.push(held_out.loss(&solution.parameters));
        start = Some(solution.parameters);
        progress.advance(1);
    }
    let (without, with) = held_out.weight_by_class();
    HeldOut { losses, weight: without + with }
}

/// Evenly spaced rows, at most [`MOST_ROWS`].
fn thinned(rows: &[usize]) -> Vec<usize> {
    rows.iter().copied().step_by(rows.len().div_ceil(MOST_ROWS).max(1)).collect()
}
