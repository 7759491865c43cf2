//! Proximal Newton descent: full steps with halving, on a curvature that is looked at again only where it pays.

use super::design::{Design, EveryBlock, Slope};
use super::fit::Penalty;
use super::quadratic::{Aim, Matrix, Signs, aim};

/// What is minimised: the loss of the rows plus the penalty, under a rule for signs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) design: Design<'a>,
    pub(super) penalty: Penalty,
    pub(super) signs: Signs,
}

/// The least point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    /// Coefficients of scaled columns, then the intercept.
    pub(super) parameters: Vec<f64>,
    /// Loss and penalty, at most one step before the end.
    pub(super) objective: f64,
    /// Steps on all rows.
    pub(super) n_iterations: u32,
    /// Whether the end was reached in the steps allowed.
    pub(super) converged: bool,
}

/// The descent ends with the step that gains less than this share of the objective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance(f64);

impl Tolerance {
    /// For coefficients to be read.
    pub(super) const FINAL: Self = Self(1e-14);
    /// For losses to be compared.
    pub(super) const CHOOSING: Self = Self(1e-9);
    /// For a start.
    const SAMPLE: Self = Self(1e-5);
}

const MOST_STEPS: u32 = 100;
const MOST_STEPS_ON_SAMPLE: u32 = 15;
const MOST_HALVINGS: i32 = 40;

/// A step must gain this share of what its slope promises. Source: Armijo (1966).
const LEAST_GAIN: f64 = 1e-4;

/// What rounding may add to an objective, a share of it.
const ROUNDING: f64 = 1e-13;

/// An objective below this share of the first one vanishes as coefficients grow: rows are separable.
const VANISHED: f64 = 1e-8;

/// An old curvature is kept while each step promises at most this share of what the step before did.
const QUICK: f64 = 0.01;

/// How to descend.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// The rows of the loss.
    rows: EveryBlock,
    /// The rows of the first curvature.
    first_curvature: EveryBlock,
    renewal: Renewal,
    tolerance: Tolerance,
    most_steps: u32,
}

/// When the curvature is computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewal {
    /// At each point: the last step squares what is left.
    EachStep,
    /// Where the old one leads on too slowly: a long table takes a step in a fifth of the time.
    WhereSlow,
}

impl Problem<'_> {
    /// The least point, from nothing: a long table begins with the least point of a sample of its rows.
    pub(super) fn solve(&self, tolerance: Tolerance) -> Solution {
        let sample = self.design.sample();
        let mut start = self.base_rate();
        if sample != EveryBlock::ALL {
            let plan = Plan {
                rows: sample,
                first_curvature: sample,
                renewal: Renewal::EachStep,
                tolerance: Tolerance::SAMPLE,
                most_steps: MOST_STEPS_ON_SAMPLE,
            };
            start = self.descend(start, plan).parameters;
        }
        self.solve_from(start, tolerance)
    }

    /// The least point, from one nearby.
    pub(super) fn solve_from(&self, start: Vec<f64>, tolerance: Tolerance) -> Solution {
        let first_curvature = self.design.sample();
        let is_short = first_curvature == EveryBlock::ALL && tolerance.0 <= Tolerance::FINAL.0;
        let renewal = if is_short { Renewal::EachStep } else { Renewal::WhereSlow };
        self.descend(start, Plan { rows: EveryBlock::ALL, first_curvature, renewal, tolerance, most_steps: MOST_STEPS })
    }

    /// The least point without columns: the log odds.
    fn base_rate(&self) -> Vec<f64> {
        let (without, with) = self.design.weight_by_class();
        let mut parameters = vec![0.0; self.design.n_columns() + 1];
        parameters[self.design.n_columns()] = (with / without).ln();
        parameters
    }

    fn descend(&self, start: Vec<f64>, plan: Plan) -> Solution {
        let mut at = self.point(start, plan.rows);
        let vanished = VANISHED * at.objective;
        let mut curvature = Curvature::new(self, &at, plan.first_curvature);
        let mut promised: Option<f64> = None;
        for n_iterations in 1..=plan.most_steps {
            let mut aim = self.aim(&at, &curvature);
            let slow = promised.is_some_and(|promised| aim.decrease > QUICK * promised);
            if curvature.is_old && (slow || plan.renewal == Renewal::EachStep) {
                curvature = Curvature::new(self, &at, plan.rows);
                aim = self.aim(&at, &curvature);
            }
            if aim.decrease <= plan.tolerance.0 * at.objective {
                let (parameters, objective) = (aim.parameters, at.objective);
                return Solution { parameters, objective, n_iterations, converged: objective > vanished };
            }
            promised = Some(aim.decrease);
            match self.step(&at, &aim, plan.rows) {
                Some(next) => at = next,
                // Rounding hides what is left to gain.
                None if curvature.is_exact_at(plan.rows) => {
                    let converged = at.objective > vanished;
                    return at.solution(n_iterations, converged);
                }
                None => promised = Some(0.0),
            }
            curvature.is_old = true;
        }
        at.solution(plan.most_steps, false)
    }

    fn point(&self, parameters: Vec<f64>, rows: EveryBlock) -> Point {
        let Slope { loss, gradient } = self.design.slope(&parameters, rows);
        Point { objective: loss + self.penalty.of(&parameters), parameters, gradient }
    }

    fn aim(&self, at: &Point, curvature: &Curvature) -> Aim {
        aim(&at.parameters, &at.gradient, &curvature.matrix, self.penalty, self.signs)
    }

    /// The first of the full step, its half, its quarter and so on that gains enough.
    fn step(&self, at: &Point, aim: &Aim, rows: EveryBlock) -> Option<Point> {
        (0..MOST_HALVINGS).map(|halvings| 0.5_f64.powi(halvings)).find_map(|share| {
            let between = |(from, to): (&f64, &f64)| if share == 1.0 { *to } else { from + share * (to - from) };
            let next = self.point(at.parameters.iter().zip(&aim.parameters).map(between).collect(), rows);
            let most = at.objective + LEAST_GAIN * share * aim.slope + ROUNDING * at.objective;
            (next.objective <= most).then_some(next)
        })
    }
}

/// Parameters with what was computed there.
struct Point {
    parameters: Vec<f64>,
    objective: f64,
    gradient: Vec<f64>,
}

impl Point {
    fn solution(self, n_iterations: u32, converged: bool) -> Solution {
        Solution { parameters: self.parameters, objective: self.objective, n_iterations, converged }
    }
}

struct Curvature {
    matrix: Matrix,
    rows: EveryBlock,
    /// Computed at an earlier point.
    is_old: bool,
}

impl Curvature {
    fn new(problem: &Problem<'_>, at: &Point, rows: EveryBlock) -> Self {
        Self { matrix: problem.design.curvature(&at.parameters, rows), rows, is_old: false }
    }

    fn is_exact_at(&self, rows: EveryBlock) -> bool {
        self.rows == rows && !self.is_old
    }
}
