//! Logistic recalibration: how far `logit(p)` must be bent to fit the outcomes.

use std::ops::Range;

use bellwether_core::sigmoid;

use crate::metrics::{CLIP, unowned_probabilities};
use crate::sample::Counts;

/// How outcomes lie along the predicted logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationLine {
    /// `b` of `logit P(event) = a + b * logit(p)`: below 1 the probabilities are too extreme, above 1 too timid. `None` where
    /// the two classes do not overlap, so that no finite maximum exists.
    pub slope: Option<f64>,
    /// `a` of `logit P(event) = a + logit(p)`, calibration in the large: below 0 the probabilities are too high.
    pub intercept: f64,
}

/// Slope and intercept by maximum likelihood (Newton), probabilities clipped to `1e-15..=1 - 1e-15`.
/// Source: Cox (1958); Van Calster et al. (2016), J. Clin. Epidemiol. 74.
///
/// `None` for a single class, or when a value is not a probability.
///
/// # Panics
/// If lengths differ.
pub fn calibration_line(probability: &[f64], outcome: &[bool]) -> Option<CalibrationLine> {
    let sample = unowned_probabilities(probability, outcome)?;
    let logits = logits(sample.scores());
    recalibrate(&logits, &each(&logits), &sample.counts())
}

pub(crate) fn logits(probabilities: &[f64]) -> Vec<f64> {
    let logit = |p: &f64| {
        let p = p.clamp(CLIP, 1.0 - CLIP);
        p.ln() - (-p).ln_1p()
    };
    probabilities.iter().map(logit).collect()
}

/// Every group by itself: exact.
pub(crate) fn each(logits: &[f64]) -> Vec<Range<usize>> {
    (0..logits.len()).map(|group| group..group + 1).collect()
}

/// Groups within 1/128 of a logit together, for replicates: a cell of width `w` is taken at its mean logit, which moves the
/// line by about `w^2 / 12`, some 5e-6, and spares an exponential a row and step.
pub(crate) fn coarse(logits: &[f64]) -> Vec<Range<usize>> {
    let cell = |group: usize| (logits[group] * 128.0).floor();
    let begins: Vec<usize> = (0..logits.len()).filter(|&at| at == 0 || cell(at) != cell(at - 1)).collect();
    let ends = begins.iter().skip(1).copied().chain([logits.len()]);
    begins.iter().zip(ends).map(|(&begin, end)| begin..end).collect()
}

/// The line through `counts`, by groups of falling `logits`, `cells` of them taken together.
pub(crate) fn recalibrate(logits: &[f64], cells: &[Range<usize>], counts: &Counts) -> Option<CalibrationLine> {
    if counts.n_events == 0 || counts.n_non_events() == 0 {
        return None;
    }
    let cells: Vec<Cell> = cells.iter().filter_map(|groups| Cell::of(groups.clone(), logits, counts)).collect();
    let slope = if overlap(counts) { fit_line(&cells).map(|[_, slope]| slope) } else { None };
    Some(CalibrationLine { slope, intercept: fit_intercept(&cells) })
}

/// Rows of about one logit.
#[derive(Debug, Clone, Copy)]
struct Cell {
    logit: f64,
    rows: f64,
    events: f64,
    /// Summed logit of its events.
    event_logits: f64,
}

impl Cell {
    /// `None` without rows.
    fn of(groups: Range<usize>, logits: &[f64], counts: &Counts) -> Option<Self> {
        let mut cell = Self { logit: 0.0, rows: 0.0, events: 0.0, event_logits: 0.0 };
        let mut row_logits = 0.0;
        for group in groups {
            let (rows, events) = (f64::from(counts.rows[group]), f64::from(counts.events[group]));
            cell.rows += rows;
            cell.events += events;
            cell.event_logits += events * logits[group];
            row_logits += rows * logits[group];
        }
        cell.logit = row_logits / cell.rows;
        (cell.rows > 0.0).then_some(cell)
    }
}

/// Whether some event ranks above a non-event and some event below one: without both, the slope is infinite or 0/0.
/// Source: Albert and Anderson (1984).
fn overlap(counts: &Counts) -> bool {
    let ends = |holds: fn((u32, u32)) -> bool| {
        let groups = || counts.rows.iter().zip(&counts.events).map(|(&rows, &events)| (rows, events));
        groups().position(holds).zip(groups().rposition(holds))
    };
    match (ends(|(_, events)| events > 0), ends(|(rows, events)| rows > events)) {
        (Some((first_event, last_event)), Some((first_other, last_other))) => {
            first_event < last_other && first_other < last_event
        }
        _ => false,
    }
}

const MOST_STEPS: usize = 100;
const MOST_HALVINGS: i32 = 40;
/// Newton squares its error, so a step below this leaves rounding only.
const LAST_STEP: f64 = 1e-9;
/// Where the likelihood cannot rise any more, a step below this is rounding; a longer one is a failure.
const ROUNDING: f64 = 1e-6;

/// Maximises the concave log-likelihood of `[a, b]` by Newton's steps, each halved until the likelihood rises.
fn fit_line(cells: &[Cell]) -> Option<[f64; 2]> {
    // The level line, where no logit is so far out that it has no curvature.
    let mut at = [base_logit(cells), 0.0];
    let mut here = Likelihood::of(cells, at);
    for _ in 0..MOST_STEPS {
        let step = here.newton_step()?;
        let part_of_step = |part: f64| [at[0] + part * step[0], at[1] + part * step[1]];
        let length = step[0].abs().max(step[1].abs());
        if length < LAST_STEP {
            return Some(part_of_step(1.0));
        }
        let rises = |halvings: i32| {
            let next = part_of_step(0.5_f64.powi(halvings));
            let there = Likelihood::of(cells, next);
            (there.value > here.value).then_some((next, there))
        };
        match (0..MOST_HALVINGS).find_map(rises) {
            Some(better) => (at, here) = better,
            None => return (length < ROUNDING).then(|| part_of_step(1.0)),
        }
    }
    None
}

/// Finds the `a` whose expected events are those that came, by Newton's steps inside a shrinking bracket.
fn fit_intercept(cells: &[Cell]) -> f64 {
    let base = base_logit(cells);
    let (most, least) = cells
        .iter()
        .fold((f64::NEG_INFINITY, f64::INFINITY), |(most, least), cell| (most.max(cell.logit), least.min(cell.logit)));
    let (mut low, mut high) = (base - most, base - least);
    let mut at = 0.0_f64.clamp(low, high);
    for _ in 0..MOST_STEPS {
        let sums = Likelihood::of(cells, [at, 1.0]);
        if sums.gradient[0] > 0.0 {
            low = at;
        } else {
            high = at;
        }
        let newton = at + sums.gradient[0] / sums.curvature[0];
        let next = if newton >= low && newton <= high { newton } else { f64::midpoint(low, high) };
        let step = next - at;
        at = next;
        if step.abs() < LAST_STEP {
            break;
        }
    }
    at
}

fn base_logit(cells: &[Cell]) -> f64 {
    let (rows, events) = cells.iter().fold((0.0, 0.0), |(rows, events), cell| (rows + cell.rows, events + cell.events));
    (events / (rows - events)).ln()
}

/// The log-likelihood of a line, its gradient and its curvature.
#[derive(Debug, Clone, Copy)]
struct Likelihood {
    value: f64,
    gradient: [f64; 2],
    curvature: [f64; 3],
}

impl Likelihood {
    fn of(cells: &[Cell], [intercept, slope]: [f64; 2]) -> Self {
        let mut sums = Self { value: 0.0, gradient: [0.0; 2], curvature: [0.0; 3] };
        for cell in cells {
            let logit = intercept + slope * cell.logit;
            let p = sigmoid(logit);
            let weight = cell.rows * p * (1.0 - p);
            let log_of_rest = -logit.max(0.0) - (-logit.abs()).exp().ln_1p();
            sums.value += intercept * cell.events + slope * cell.event_logits + cell.rows * log_of_rest;
            sums.gradient[0] += cell.events - cell.rows * p;
            sums.gradient[1] += cell.event_logits - cell.rows * p * cell.logit;
            sums.curvature[0] += weight;
            sums.curvature[1] += weight * cell.logit;
            sums.curvature[2] += weight * cell.logit * cell.logit;
        }
        sums
    }

    /// `None` where the curvature is lost to rounding.
    fn newton_step(&self) -> Option<[f64; 2]> {
        let ([g, h], [a, b, c]) = (self.gradient, self.curvature);
        let determinant = a * c - b * b;
        let step = [(c * g - b * h) / determinant, (a * h - b * g) / determinant];
        step.iter().all(|part| part.is_finite()).then_some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::unowned_probabilities;

    /// 20,000 probabilities at equal steps of the logit, outcomes at a golden-ratio sequence against a bent truth. Deviation
    /// of the slope here: 0.017.
    #[test]
    fn coarse_cells_leave_the_line_where_it_is() {
        let probability: Vec<f64> = (0..20_000).map(|i| sigmoid(f64::from(i) / 2_500.0 - 6.0)).collect();
        let truth = |p: &f64| sigmoid(0.3 + 0.8 * (p.ln() - (-p).ln_1p()));
        let outcome: Vec<bool> =
            (0..).zip(&probability).map(|(i, p)| f64::from(i) * 0.618_034 % 1.0 < truth(p)).collect();
        let sample = unowned_probabilities(&probability, &outcome).expect("these are probabilities");
        let (logits, counts) = (logits(sample.scores()), sample.counts());
        let line = |cells: &[Range<usize>]| recalibrate(&logits, cells, &counts).expect("both classes are there");
        let (exact, quick) = (line(&each(&logits)), line(&coarse(&logits)));
        assert!(coarse(&logits).len() < 1_100);
        let slopes = exact.slope.zip(quick.slope).expect("the classes overlap");
        assert!((slopes.0 - 0.8).abs() < 0.01 && (slopes.0 - slopes.1).abs() < 2e-5, "{slopes:?}");
        assert!((exact.intercept - quick.intercept).abs() < 2e-5);
    }
}
