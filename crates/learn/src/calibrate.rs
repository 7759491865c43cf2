//! How logits become probabilities: none, Platt or isotonic, chosen on held-out rows.

use std::collections::BTreeMap;

use bellwether_core::{Calibration, sigmoid};

use crate::LearnError;
use crate::holdout::mixed;

/// The chosen calibration and what the choice rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationChoice {
    /// Fitted on all rows.
    pub calibration: Calibration,
    /// Cross-validated mean log loss of each method that could be tried, the simplest first.
    pub log_loss: Vec<(String, f64)>,
}

/// Parts of the accounts; each is predicted by calibrations fitted on the others.
const N_FOLDS: u64 = 5;

/// A method is taken over a simpler one only if its loss is less by this many standard errors of the paired difference.
const CLEARLY: f64 = 1.645;

/// Rows of either class below which a step function is noise.
const LEAST_ROWS_FOR_ISOTONIC: usize = 50;

type Fitter = fn(&[Row]) -> Option<Calibration>;

/// The simplest first.
const METHODS: [Fitter; 3] = [|_| Some(Calibration::None), platt, isotonic];

#[derive(Debug, Clone, Copy)]
struct Row {
    logit: f64,
    y: bool,
    group: u64,
}

/// Chooses none, Platt or isotonic by cross-validated log loss within held-out rows (folds by account, the simpler unless
/// another is clearly better), then fits the chosen one on all of them. The order of the rows does not matter.
///
/// # Errors
/// [`LearnError`] if lengths differ, there is no row, all rows are of one class, or a logit is not finite.
pub fn calibrate(logits: &[f64], y: &[bool], group: &[u64]) -> Result<CalibrationChoice, LearnError> {
    let rows = checked_rows(logits, y, group)?;
    let tried: Vec<(Fitter, Vec<f64>)> =
        METHODS.into_iter().filter_map(|fitter| Some((fitter, held_out_losses(&rows, fitter)?))).collect();
    let (mut chosen, mut best): (Fitter, Option<&Vec<f64>>) = (METHODS[0], None);
    for (fitter, losses) in &tried {
        if best.is_none_or(|best| is_clearly_less(losses, best, &rows)) {
            (chosen, best) = (*fitter, Some(losses));
        }
    }
    let calibration = chosen(&rows).unwrap_or(Calibration::None);
    calibration.validate()?;
    let named = |(fitter, losses): &(Fitter, Vec<f64>)| {
        let name = fitter(&rows).as_ref().map_or("none", Calibration::name);
        (name.to_owned(), losses.iter().sum::<f64>() / losses.len() as f64)
    };
    Ok(CalibrationChoice { calibration, log_loss: tried.iter().map(named).collect() })
}

/// The rows in one order, whatever the order they came in.
fn checked_rows(logits: &[f64], y: &[bool], group: &[u64]) -> Result<Vec<Row>, LearnError> {
    let expected = logits.len();
    if let Some((what, found)) = [("y", y.len()), ("group", group.len())].into_iter().find(|&(_, n)| n != expected) {
        return Err(LearnError::Length { what, found, expected });
    }
    if let Some(row) = logits.iter().position(|logit| !logit.is_finite()) {
        return Err(LearnError::Logit { row, logit: logits[row] });
    }
    let n_positive = y.iter().filter(|&&y| y).count();
    if expected == 0 {
        return Err(LearnError::NoRows);
    }
    if n_positive == 0 || n_positive == expected {
        return Err(LearnError::SingleClass { n_rows: expected, n_positive });
    }
    let mut rows: Vec<Row> = (0..expected).map(|at| Row { logit: logits[at], y: y[at], group: group[at] }).collect();
    rows.sort_unstable_by(|a, b| a.logit.total_cmp(&b.logit).then_with(|| (a.y, a.group).cmp(&(b.y, b.group))));
    Ok(rows)
}

/// One loss a row, each from a calibration fitted on the other folds; `None` where one of them cannot be fitted.
fn held_out_losses(rows: &[Row], fitter: Fitter) -> Option<Vec<f64>> {
    let fold = |row: &Row| mixed(row.group) % N_FOLDS;
    let fitted = (0..N_FOLDS).map(|held_out| {
        let others: Vec<Row> = rows.iter().copied().filter(|row| fold(row) != held_out).collect();
        fitter(&others)
    });
    let fitted: Vec<Calibration> = fitted.collect::<Option<_>>()?;
    Some(rows.iter().map(|row| loss(&fitted[fold(row) as usize], row)).collect())
}

fn loss(calibration: &Calibration, row: &Row) -> f64 {
    let p = calibration.probability(row.logit).clamp(1e-12, 1.0 - 1e-12);
    if row.y { -p.ln() } else { -(1.0 - p).ln() }
}

/// Whether `losses` are below `of_simpler` by more than chance, with rows of an account as one observation.
fn is_clearly_less(losses: &[f64], of_simpler: &[f64], rows: &[Row]) -> bool {
    let mut gain_of: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for ((simpler, this), row) in of_simpler.iter().zip(losses).zip(rows) {
        let (gain, n) = gain_of.entry(row.group).or_default();
        *gain += simpler - this;
        *n += 1.0;
    }
    let mean = gain_of.values().map(|(gain, _)| gain).sum::<f64>() / rows.len() as f64;
    let n_groups = gain_of.len() as f64;
    let squares: f64 = gain_of.values().map(|(gain, n)| (gain - mean * n).powi(2)).sum();
    let standard_error = (squares * n_groups / (n_groups - 1.0).max(1.0)).sqrt() / rows.len() as f64;
    mean > CLEARLY * standard_error && mean > 0.0
}

/// Logistic regression of the label on the logit; `None` where the slope would not be above 0.
///
/// Labels are smoothed as Platt (1999) does, so that separable rows have a finite slope. Newton's method with halving.
fn platt(rows: &[Row]) -> Option<Calibration> {
    const MOST_STEPS: usize = 100;
    let n_positive = rows.iter().filter(|row| row.y).count() as f64;
    let n_negative = rows.len() as f64 - n_positive;
    if n_positive == 0.0 || n_negative == 0.0 {
        return None;
    }
    let target = |row: &Row| if row.y { (n_positive + 1.0) / (n_positive + 2.0) } else { 1.0 / (n_negative + 2.0) };
    let deviance = |slope: f64, intercept: f64| -> f64 {
        let of_row = |row: &Row| {
            let z = intercept + slope * row.logit;
            // log(1 + exp(z)) - target * z
            z.max(0.0) + (-z.abs()).exp().ln_1p() - target(row) * z
        };
        rows.iter().map(of_row).sum()
    };
    let (mut slope, mut intercept) = (0.0, (n_positive / n_negative).ln());
    let mut least = deviance(slope, intercept);
    for _ in 0..MOST_STEPS {
        let (step_slope, step_intercept) = newton_step(rows, slope, intercept, target)?;
        let at = |share: f64| (slope - share * step_slope, intercept - share * step_intercept);
        let shares = (0..40).map(|halvings| 0.5_f64.powi(halvings));
        let Some(share) = shares.into_iter().find(|&share| deviance(at(share).0, at(share).1) < least) else { break };
        (slope, intercept) = at(share);
        let now = deviance(slope, intercept);
        if least - now < 1e-12 * least {
            break;
        }
        least = now;
    }
    (slope > 0.0 && slope.is_finite()).then_some(Calibration::Platt { slope, intercept })
}

/// The inverse Hessian times the gradient; `None` where logits do not vary.
fn newton_step(rows: &[Row], slope: f64, intercept: f64, target: impl Fn(&Row) -> f64) -> Option<(f64, f64)> {
    let (mut g_slope, mut g_intercept, mut h_slope, mut h_cross, mut h_intercept) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for row in rows {
        let p = sigmoid(intercept + slope * row.logit);
        let (error, weight) = (p - target(row), p * (1.0 - p));
        g_slope += error * row.logit;
        g_intercept += error;
        h_slope += weight * row.logit * row.logit;
        h_cross += weight * row.logit;
        h_intercept += weight;
    }
    let determinant = h_slope * h_intercept - h_cross * h_cross;
    (determinant > 1e-12 * h_slope * h_intercept).then(|| {
        let step_slope = (h_intercept * g_slope - h_cross * g_intercept) / determinant;
        let step_intercept = (h_slope * g_intercept - h_cross * g_slope) / determinant;
        (step_slope, step_intercept)
    })
}

/// A level of the step function.
#[derive(Debug, Clone, Copy)]
struct Block {
    logits: f64,
    positive: f64,
    n: f64,
}

/// Pool adjacent violators (Ayer et al. 1955) on rows sorted by logit; a block's point stands at its mean logit. One
/// outcome more at the lowest logit and one missing outcome more at the highest keep probabilities off 0 and 1.
fn isotonic(rows: &[Row]) -> Option<Calibration> {
    let n_positive = rows.iter().filter(|row| row.y).count();
    if n_positive.min(rows.len() - n_positive) < LEAST_ROWS_FOR_ISOTONIC {
        return None;
    }
    let mut blocks: Vec<Block> = Vec::new();
    for tied in rows.chunk_by(|a, b| a.logit == b.logit) {
        let n = tied.len() as f64;
        let positive = tied.iter().filter(|row| row.y).count() as f64;
        blocks.push(Block { logits: tied[0].logit * n, positive, n });
    }
    let (first, last) = (blocks.first()?.logits / blocks.first()?.n, blocks.last()?.logits / blocks.last()?.n);
    blocks.insert(0, Block { logits: first, positive: 1.0, n: 1.0 });
    blocks.push(Block { logits: last, positive: 0.0, n: 1.0 });
    let pooled = pool(blocks);
    let mut points: Vec<(f64, f64)> = Vec::new();
    for block in pooled {
        let (logit, probability) = (block.logits / block.n, block.positive / block.n);
        if points.last().is_none_or(|&(before, _)| before < logit) {
            points.push((logit, probability));
        }
    }
    let (logits, probabilities) = points.into_iter().unzip();
    Some(Calibration::Isotonic { logits, probabilities })
}

fn pool(blocks: Vec<Block>) -> Vec<Block> {
    let mut pooled: Vec<Block> = Vec::new();
    for mut block in blocks {
        while let Some(&before) = pooled.last().filter(|before| before.positive * block.n >= block.positive * before.n) {
            pooled.pop();
            block = Block {
                logits: before.logits + block.logits,
                positive: before.positive + block.positive,
                n: before.n + block.n,
            };
        }
        pooled.push(block);
    }
    pooled
}
