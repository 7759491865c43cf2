//! What the learner `logistic` found, with how sure it is.

use bellwether_core::{Model, Progress};

use super::choose::{Choice, choose};
use super::design::Design;
use super::fit::Penalty;
use super::quadratic::Signs;
use super::recency::faded;
use super::solver::{Problem, Solution, Tolerance};
use super::uncertainty::{covariance, roots};
use crate::balance::{ClassWeight, balanced};
use crate::learner::checked;
use crate::rows::Table;
use crate::standardise::{Part, Standardised, Standardiser};
use crate::{LearnError, LearnerName, LogisticSettings, Settings, TrainingRows};

/// A fitted learner `logistic`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LogisticReport {
    /// The model, as [`crate::Learner::fit`] gives it.
    pub model: Model,
    /// What the coefficients of standardised columns were held down by.
    pub penalty: Penalty,
    /// Strengths of the penalty that were compared, with the weighted mean log loss on held-out rows, the strongest first;
    /// empty where the strength was given or too few rows were there.
    pub tried: Vec<(f64, f64)>,
    /// The logit of a row whose features all stand at their centers.
    pub intercept: f64,
    /// As [`LogisticTerm::standard_error`].
    pub intercept_standard_error: Option<f64>,
    /// The coefficients, in schema order; a feature that does not vary has none.
    pub terms: Vec<LogisticTerm>,
    /// The weighted sum of the log losses plus the penalty.
    pub objective: f64,
    /// Steps on all rows.
    pub n_iterations: u32,
    /// Whether the least point was reached.
    pub converged: bool,
}

/// One coefficient.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct LogisticTerm {
    /// Place of the feature in the schema.
    pub feature: usize,
    /// What of the feature it multiplies.
    pub of: WeightOf,
    /// Logits a unit of the feature, or where it is missing.
    pub weight: f64,
    /// In the same unit, with rows of an account as one observation; see [`crate::standard_errors`]. `None` with an L1
    /// penalty, and where it is not defined.
    pub standard_error: Option<f64>,
    /// The standard deviation of the clamped known values, 1 where missing: `weight` times this is the coefficient that
    /// the penalty holds down.
    pub deviation: f64,
}

/// What a coefficient multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightOf {
    /// The value.
    Value,
    /// Whether it is missing.
    Missing,
}

/// Fits the learner `logistic` and reports on its coefficients.
///
/// # Errors
/// As [`crate::Learner::fit`], and [`LearnError::Penalty`] or [`LearnError::HalfLife`] if `settings.logistic` breaks a rule.
pub fn logistic_report(
    rows: &TrainingRows<'_>,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<LogisticReport, LearnError> {
    if settings.class_weight == ClassWeight::None {
        return Fitted::new(rows, settings, progress)?.report();
    }
    balanced(rows, |rows, balance| {
        let report = Fitted::new(rows, settings, progress)?.report()?;
        let Some(balance) = balance else { return Ok(report) };
        let intercept = report.intercept - balance.logits_above();
        Ok(LogisticReport { model: balance.corrected(LearnerName::Logistic, report.model)?, intercept, ..report })
    })
}

/// The fit with what it was fitted on.
pub(super) struct Fitted {
    table: Table,
    standardiser: Standardiser,
    standardised: Standardised,
    choice: Choice,
    solution: Solution,
}

impl Fitted {
    pub(super) fn new(
        rows: &TrainingRows<'_>,
        settings: &Settings,
        progress: &dyn Progress,
    ) -> Result<Self, LearnError> {
        let given = given_penalty(&settings.logistic)?;
        let table = weighted(Table::new(rows)?, &settings.logistic)?;
        let choice = match given {
            Some(penalty) => Choice { penalty, tried: Vec::new() },
            None => choose(&table, settings.purge_days, settings.logistic.l1_share, progress),
        };
        progress.begin("logistic: fit", table.n_rows() as u64);
        let standardiser = Standardiser::of(&table);
        let standardised = standardiser.columns(&table);
        let design = design(&table, &standardised);
        let solution = Problem { design, penalty: choice.penalty, signs: Signs::Any }.solve(Tolerance::FINAL);
        progress.advance(table.n_rows() as u64);
        progress.end();
        Ok(Self { table, standardiser, standardised, choice, solution })
    }

    pub(super) fn model(&self) -> Result<Model, LearnError> {
        let (intercept, coefficients) = self.solution.parameters.split_last().expect("the intercept is there");
        checked(LearnerName::Logistic, Model::Linear(self.standardiser.linear(*intercept, coefficients)))
    }

    fn report(self) -> Result<LogisticReport, LearnError> {
        let errors = self.standard_errors();
        let error = |place: usize| errors.as_ref().map(|errors| errors[place]);
        let columns = self.standardised.parts.iter().zip(&self.standardised.scales).enumerate();
        let term = |(place, (&(feature, part), scale)): (usize, (&(usize, Part), &f64))| LogisticTerm {
            feature,
            of: if part == Part::Value { WeightOf::Value } else { WeightOf::Missing },
            weight: self.solution.parameters[place] * scale,
            standard_error: error(place).map(|error| error * scale),
            deviation: 1.0 / scale,
        };
        let last = self.solution.parameters.len() - 1;
        Ok(LogisticReport {
            model: self.model()?,
            terms: columns.map(term).collect(),
            intercept: self.solution.parameters[last],
            intercept_standard_error: error(last),
            penalty: self.choice.penalty,
            tried: self.choice.tried,
            objective: self.solution.objective,
            n_iterations: self.solution.n_iterations,
            converged: self.solution.converged,
        })
    }

    /// By standardised column, then of the intercept.
    fn standard_errors(&self) -> Option<Vec<f64>> {
        let Penalty { strength, l1_share } = self.choice.penalty;
        if l1_share > 0.0 || !self.solution.converged {
            return None;
        }
        let design = design(&self.table, &self.standardised);
        covariance(&design, Some(&self.table.group), &self.solution.parameters, strength).as_ref().map(roots)
    }
}

fn design<'a>(table: &'a Table, standardised: &'a Standardised) -> Design<'a> {
    let Standardised { columns, scales, .. } = standardised;
    Design { columns, scales, y: &table.y, weights: table.weights.as_deref() }
}

fn given_penalty(settings: &LogisticSettings) -> Result<Option<Penalty>, LearnError> {
    let strength = settings.c.map_or(1.0, |c| 1.0 / c);
    let penalty = Penalty { strength, l1_share: settings.l1_share }.checked()?;
    Ok(settings.c.map(|_| penalty))
}

fn weighted(table: Table, settings: &LogisticSettings) -> Result<Table, LearnError> {
    match settings.recency_half_life_days {
        None => Ok(table),
        Some(days) if days > 0.0 => Ok(faded(table, days)),
        Some(days) => Err(LearnError::HalfLife { days }),
    }
}
