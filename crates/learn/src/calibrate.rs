//! How logits become probabilities: a line near the model's own, Platt's or isotonic, chosen on held-out rows.

use bellwether_core::{Calibration, sigmoid};

use crate::LearnError;
use crate::choose::is_less;
use crate::holdout::mixed;
use crate::shrunken::{CalibrationPrior, shrunken};

/// The chosen calibration and what the choice rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationChoice {
    /// Fitted on all rows.
    pub calibration: Calibration,
    /// Cross-validated mean log loss of each method that could be tried, the simplest first.
    pub log_loss: Vec<(String, f64)>,
    /// The chosen method's log loss on each row, in the order of the rows, from a fit on other accounts.
    pub row_log_loss: Vec<f64>,
}

/// Parts of the accounts; each is predicted by calibrations fitted on the others.
const N_FOLDS: u64 = 5;

/// A method is taken over a simpler one only if its loss is less by this many standard errors of the paired difference.
const CLEARLY: f64 = 1.645;

/// Rows of either class below which a step function is noise.
const LEAST_ROWS_FOR_ISOTONIC: usize = 50;

/// A slope that keeps the ranking and moves no probability.
pub(crate) const FLAT_SLOPE: f64 = 1e-9;

type Fitter = fn(&[Row], &CalibrationPrior) -> Option<Calibration>;

/// The simplest first.
const METHODS: [(&str, Fitter); 3] = [
    ("shrunken_platt", |rows, prior| Some(shrunken(rows, prior))),
    ("platt", |rows, _| platt(rows)),
    ("isotonic", |rows, _| isotonic(rows)),
];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) logit: f64,
    pub(crate) y: bool,
    pub(crate) group: u64,
    /// Where it stood before the rows were put in order.
    pub(crate) place: usize,
}

/// Chooses Platt's line shrunken towards the model's own probabilities, Platt's line as it is, or isotonic, by
/// cross-validated log loss within held-out rows (folds by account, the simpler unless another is clearly better), then fits
/// the chosen one on all of them. The order of the rows does not matter.
///
/// # Errors
/// [`LearnError`] if lengths differ, there is no row, all rows are of one class, or a logit is not finite.
pub fn calibrate(
    logits: &[f64],
    y: &[bool],
    group: &[u64],
    prior: &CalibrationPrior,
) -> Result<CalibrationChoice, LearnError> {
    let rows = checked_rows(logits, y, group)?;
    let groups: Vec<u64> = rows.iter().map(|row| row.group).collect();
    let tried: Vec<Tried> =
        METHODS.into_iter().filter_map(|(name, fitter)| Tried::of(name, fitter, &rows, prior)).collect();
    let better = |chosen, one| if is_clearly_less(one, chosen, &groups) { one } else { chosen };
    // The first can always be tried.
    let chosen = tried.iter().reduce(better).ok_or(LearnError::NoRows)?;
    let calibration = (chosen.fitter)(&rows, prior).unwrap_or(Calibration::None);
    calibration.validate()?;
    let mut row_log_loss = vec![0.0; rows.len()];
    for (row, loss) in rows.iter().zip(&chosen.losses) {
        row_log_loss[row.place] = *loss;
    }
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let log_loss = tried.iter().map(|one| (one.name.to_owned(), mean(&one.losses))).collect();
    Ok(CalibrationChoice { calibration, log_loss, row_log_loss })
}

fn is_clearly_less(one: &Tried, other: &Tried, groups: &[u64]) -> bool {
    is_less(&one.losses, &other.losses, groups, CLEARLY)
}

/// A method with its cross-validated loss of each row.
struct Tried {
    name: &'static str,
    fitter: Fitter,
    losses: Vec<f64>,
}

impl Tried {
    /// `None` where one of the folds cannot be fitted.
    fn of(name: &'static str, fitter: Fitter, rows: &[Row], prior: &CalibrationPrior) -> Option<Self> {
        let fold = |row: &Row| mixed(row.group) % N_FOLDS;
        let fitted = (0..N_FOLDS).map(|held_out| {
            let others: Vec<Row> = rows.iter().copied().filter(|row| fold(row) != held_out).collect();
            fitter(&others, prior)
        });
        let fitted: Vec<Calibration> = fitted.collect::<Option<_>>()?;
        let losses = rows.iter().map(|row| loss(&fitted[fold(row) as usize], row)).collect();
        Some(Self { name, fitter, losses })
    }
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
    let mut rows: Vec<Row> =
        (0..expected).map(|place| Row { logit: logits[place], y: y[place], group: group[place], place }).collect();
    rows.sort_unstable_by(|a, b| a.logit.total_cmp(&b.logit).then_with(|| (a.y, a.group).cmp(&(b.y, b.group))));
    Ok(rows)
}

fn loss(calibration: &Calibration, row: &Row) -> f64 {
    let p = calibration.probability(row.logit).clamp(1e-12, 1.0 - 1e-12);
    if row.y { -p.ln() } else { -(1.0 - p).ln() }
}

/// Logistic regression of the label on the logit; `None` where the slope would not be above 0.
///
/// Labels are smoothed as Platt (1999) does, so that separable rows have a finite slope. Newton's method with halving.
pub(crate) fn platt(rows: &[Row]) -> Option<Calibration> {
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
    if slope.is_finite() && slope <= 0.0 {
        // The ranking tells nothing here, or the wrong way round: all that is left is the share of positives.
        return Some(Calibration::Platt { slope: FLAT_SLOPE, intercept: (n_positive / n_negative).ln() });
    }
    slope.is_finite().then_some(Calibration::Platt { slope, intercept })
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
    first: f64,
    last: f64,
    positive: f64,
    n: f64,
}

/// Pool adjacent violators (Ayer et al. 1955) on rows sorted by logit: level from a block's first logit to its last,
/// straight between blocks. One outcome more at the lowest logit and one missing outcome more at the highest keep
/// probabilities off 0 and 1.
fn isotonic(rows: &[Row]) -> Option<Calibration> {
    let n_positive = rows.iter().filter(|row| row.y).count();
    if n_positive.min(rows.len() - n_positive) < LEAST_ROWS_FOR_ISOTONIC {
        return None;
    }
    let block = |logit: f64, positive: f64, n: f64| Block { first: logit, last: logit, positive, n };
    let tied = |tied: &[Row]| block(tied[0].logit, tied.iter().filter(|row| row.y).count() as f64, tied.len() as f64);
    let lowest = block(rows.first()?.logit, 1.0, 1.0);
    let highest = block(rows.last()?.logit, 0.0, 1.0);
    let levels = rows.chunk_by(|a, b| a.logit == b.logit).map(tied);
    let pooled = pool([lowest].into_iter().chain(levels).chain([highest]));
    let ends = pooled.iter().flat_map(|block| {
        let probability = block.positive / block.n;
        let last = (block.first < block.last).then_some((block.last, probability));
        [Some((block.first, probability)), last].into_iter().flatten()
    });
    let (logits, probabilities) = ends.unzip();
    Some(Calibration::Isotonic { logits, probabilities })
}

fn pool(blocks: impl Iterator<Item = Block>) -> Vec<Block> {
    let mut pooled: Vec<Block> = Vec::new();
    for mut block in blocks {
        while let Some(&before) = pooled.last().filter(|before| before.positive * block.n >= block.positive * before.n)
        {
            pooled.pop();
            let (positive, n) = (before.positive + block.positive, before.n + block.n);
            block = Block { first: before.first, last: block.last, positive, n };
        }
        pooled.push(block);
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(labelled: &[(f64, bool)]) -> Vec<Row> {
        labelled.iter().map(|&(logit, y)| Row { logit, y, group: 0, place: 0 }).collect()
    }

    /// `n` rows with logits over -4..4 and labels by `probability`, each account once.
    fn sample(n: u64, probability: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>, Vec<u64>) {
        let unit = |k: u64| mixed(k) as f64 / u64::MAX as f64;
        let logits: Vec<f64> = (0..n).map(|k| 8.0 * unit(k) - 4.0).collect();
        let y = logits.iter().zip(n..).map(|(&logit, k)| unit(k) < probability(logit)).collect();
        (logits, y, (0..n).collect())
    }

    const SAME_DAYS: CalibrationPrior = CalibrationPrior { n_fitted: 10_000, is_later: false };
    const LATER_DAYS: CalibrationPrior = CalibrationPrior { n_fitted: 10_000, is_later: true };

    fn chosen(n: u64, probability: impl Fn(f64) -> f64) -> CalibrationChoice {
        let (logits, y, group) = sample(n, probability);
        calibrate(&logits, &y, &group, &LATER_DAYS).expect("two classes")
    }

    /// scikit-learn 1.9.1, `_SigmoidCalibration`.
    #[test]
    fn platt_is_that_of_scikit_learn() {
        let labels = [0, 0, 1, 0, 0, 1, 0, 1, 1, 1].map(|y| y == 1);
        let labelled: Vec<(f64, bool)> = (0..10).map(|k| (f64::from(k) / 2.0 - 2.0, labels[k as usize])).collect();
        let Some(Calibration::Platt { slope, intercept }) = platt(&rows(&labelled)) else { panic!("no slope") };
        assert!((slope - 0.664_043_149).abs() < 1e-4, "{slope}");
        assert!((intercept + 0.166_010_776).abs() < 1e-4, "{intercept}");
    }

    #[test]
    fn platt_is_finite_on_separable_rows_and_flat_where_the_ranking_is_turned() {
        let separable = [(-1.0, false), (-0.5, false), (0.5, true), (1.0, true)];
        assert!(platt(&rows(&separable)).is_some_and(|calibration| calibration.validate().is_ok()));
        let turned: Vec<(f64, bool)> = separable.iter().map(|&(logit, y)| (-logit, y)).collect();
        let flat = platt(&rows(&turned)).expect("both classes and different logits");
        assert!(flat.validate().is_ok() && (flat.probability(-1.0) - 0.5).abs() < 1e-6, "{flat:?}");
        assert!(platt(&rows(&[(1.0, true), (1.0, false)])).is_none());
    }

    /// By hand: 1, then 0 and 1 pooled to a half, then 0 pooled with them to a third.
    #[test]
    fn violators_are_pooled() {
        let block = |logit: f64, positive: f64| Block { first: logit, last: logit, positive, n: 1.0 };
        let labels = [0.0, 1.0, 0.0, 0.0, 1.0];
        let pooled = pool(labels.into_iter().zip(0..).map(|(y, logit)| block(f64::from(logit), y)));
        let levels: Vec<(f64, f64, f64)> =
            pooled.iter().map(|block| (block.first, block.last, block.positive / block.n)).collect();
        assert_eq!(levels, [(0.0, 0.0, 0.0), (1.0, 3.0, 1.0 / 3.0), (4.0, 4.0, 1.0)]);
    }

    #[test]
    fn the_simplest_that_fits_is_chosen() {
        type Truth = fn(f64) -> f64;
        let cases: [(&str, Truth); 3] = [
            ("platt", sigmoid),
            ("platt", |logit| sigmoid(2.5 * logit - 2.0)),
            ("isotonic", |logit| if logit < 0.0 { 0.1 } else { 0.6 }),
        ];
        for (name, truth) in cases {
            let choice = chosen(4000, truth);
            assert_eq!(choice.calibration.name(), name, "{:?}", choice.log_loss);
            let names: Vec<&str> = choice.log_loss.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["shrunken_platt", "platt", "isotonic"]);
            let mean_error = (-40..40).map(|k| f64::from(k) / 10.0 + 0.05);
            let error: f64 =
                mean_error.map(|logit| (choice.calibration.probability(logit) - truth(logit)).abs()).sum::<f64>()
                    / 80.0;
            assert!(error < 0.03, "{name}: {error}");
        }
    }

    #[test]
    fn few_rows_are_not_given_steps() {
        let choice = chosen(60, |logit| if logit < 0.0 { 0.05 } else { 0.95 });
        assert!(choice.log_loss.iter().all(|(name, _)| name != "isotonic"));
    }

    #[test]
    fn wrong_input_is_refused() {
        let calibrate = |logits: &[f64], y: &[bool], group: &[u64]| calibrate(logits, y, group, &SAME_DAYS);
        assert!(matches!(calibrate(&[], &[], &[]), Err(LearnError::NoRows)));
        assert!(matches!(calibrate(&[0.0], &[], &[0]), Err(LearnError::Length { what: "y", .. })));
        assert!(matches!(calibrate(&[0.0], &[true], &[]), Err(LearnError::Length { what: "group", .. })));
        assert!(matches!(calibrate(&[f64::NAN], &[true], &[0]), Err(LearnError::Logit { row: 0, .. })));
        let one_class = calibrate(&[0.0, 1.0], &[true, true], &[0, 1]);
        assert!(matches!(one_class, Err(LearnError::SingleClass { n_rows: 2, n_positive: 2 })));
    }

    proptest! {
        #[test]
        fn any_rows_give_a_valid_calibration_whatever_their_order(
            labelled in prop::collection::vec((-3_i32..4, any::<bool>(), 0_u64..9), 2..300),
        ) {
            prop_assume!(labelled.iter().any(|row| row.1) && labelled.iter().any(|row| !row.1));
            let of = |rows: &[(i32, bool, u64)]| {
                let logits: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
                let y: Vec<bool> = rows.iter().map(|row| row.1).collect();
                let group: Vec<u64> = rows.iter().map(|row| row.2).collect();
                calibrate(&logits, &y, &group, &SAME_DAYS).expect("two classes")
            };
            let choice = of(&labelled);
            prop_assert!(choice.calibration.validate().is_ok());
            let backwards: Vec<_> = labelled.iter().rev().copied().collect();
            let turned = of(&backwards);
            let row_log_loss = turned.row_log_loss.iter().rev().copied().collect();
            prop_assert_eq!(CalibrationChoice { row_log_loss, ..turned }, choice);
        }
    }
}
