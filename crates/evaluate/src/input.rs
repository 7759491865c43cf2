//! What is evaluated, with which settings, and what is refused.

use bellwether_core::Band;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Probabilities, outcomes and owners of the same rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored<'a> {
    /// Predicted probabilities in `0.0..=1.0`, one a row; none is missing.
    pub probability: &'a [f64],
    /// Whether the outcome came, one a row.
    pub outcome: &'a [bool],
    /// The account of each row, any numbering; rows of one account are taken to depend on each other. The order of the
    /// numbers picks the bootstrap's draws, so number the sorted accounts to get equal bits for rows in any order.
    pub account: &'a [u32],
}

/// Rows that are also evaluated by themselves, such as `segment` = `smb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cohort {
    /// What the rows are divided by.
    pub dimension: String,
    /// Which part this is.
    pub level: String,
    /// Places in the scored rows, each at most once, in any order; may be empty.
    pub rows: Vec<usize>,
}

/// How to evaluate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateOptions {
    /// Seeds the bootstrap.
    pub seed: u64,
    /// Bootstrap replicates; 0 leaves out the intervals that need them.
    pub n_bootstrap: usize,
    /// Confidence of every interval, inside `0.0..1.0`.
    pub confidence: f64,
    /// Shares of the rows, each in `0.0..=1.0` without 0, at whose top precision, recall and lift are measured.
    pub k_shares: Vec<f64>,
    /// Bins of calibration, from 1.
    pub n_bins: usize,
    /// The fewest events, and the fewest non-events, that are evidence.
    pub min_events: usize,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            n_bootstrap: 500,
            confidence: 0.95,
            k_shares: vec![0.01, 0.05, 0.1, 0.2],
            n_bins: 10,
            min_events: 10,
        }
    }
}

/// Why rows or settings were refused. Rows count from 0.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// No row at all.
    #[error("there is no row; an evaluation needs at least one")]
    Empty,
    /// Columns of different lengths.
    #[error("`{what}` has {found} values where `{other}` has {expected}; each row needs one of both")]
    Length {
        /// The column that differs.
        what: &'static str,
        /// The column that it differs from.
        other: &'static str,
        /// Values found.
        found: usize,
        /// Values needed.
        expected: usize,
    },
    /// Not a probability.
    #[error("the probability in row {row} is {value}; probabilities must be in 0..=1")]
    Probability {
        /// Row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// Not a number, where any scale will do.
    #[error("score `{which}` in row {row} is {value}; scores must be numbers")]
    Score {
        /// Which of the two scores.
        which: &'static str,
        /// Row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// Not a number of the kind that is needed.
    #[error("`{what}` in row {row} is {value}; it must be {rule}")]
    Number {
        /// The column.
        what: &'static str,
        /// Row.
        row: usize,
        /// The value.
        value: f64,
        /// What it must be.
        rule: &'static str,
    },
    /// Days that do not rise.
    #[error("the days of history {row} do not rise; each score needs a later day than the one before")]
    Order {
        /// The history, from 0.
        row: usize,
    },
    /// A cohort names a row that is not there.
    #[error("cohort `{dimension}` = `{level}` names row {row}; there are {n_rows} rows, from 0")]
    CohortRow {
        /// The cohort's dimension.
        dimension: String,
        /// The cohort's level.
        level: String,
        /// Row.
        row: usize,
        /// How many rows there are.
        n_rows: usize,
    },
    /// A cohort names a row twice.
    #[error("cohort `{dimension}` = `{level}` names row {row} twice; a row counts once")]
    CohortRepeat {
        /// The cohort's dimension.
        dimension: String,
        /// The cohort's level.
        level: String,
        /// Row.
        row: usize,
    },
    /// A setting out of range.
    #[error("`{name}` is {value}; it must be {rule}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        rule: &'static str,
    },
}

impl Scored<'_> {
    /// Rows as score, outcome, account.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (f64, bool, u32)> {
        (0..self.probability.len()).map(|row| self.row(row))
    }

    pub(crate) fn row(&self, row: usize) -> (f64, bool, u32) {
        (self.probability[row], self.outcome[row], self.account[row])
    }

    pub(crate) fn check(&self) -> Result<(), EvaluateError> {
        let n_rows = self.probability.len();
        check_length("outcome", self.outcome.len(), n_rows)?;
        check_length("account", self.account.len(), n_rows)?;
        if n_rows == 0 {
            return Err(EvaluateError::Empty);
        }
        match self.probability.iter().position(|p| !(0.0..=1.0).contains(p)) {
            Some(row) => Err(EvaluateError::Probability { row, value: self.probability[row] }),
            None => Ok(()),
        }
    }

    pub(crate) fn check_bands(&self, bands: &[Option<Band>]) -> Result<(), EvaluateError> {
        check_length("bands", bands.len(), self.probability.len())
    }

    pub(crate) fn check_cohort(&self, cohort: &Cohort) -> Result<(), EvaluateError> {
        cohort.check(self.probability.len())
    }
}

impl Cohort {
    /// Each of its rows at most once, and among `n_rows`.
    pub(crate) fn check(&self, n_rows: usize) -> Result<(), EvaluateError> {
        let (dimension, level) = (self.dimension.clone(), self.level.clone());
        let mut rows = self.rows.clone();
        rows.sort_unstable();
        if let Some(&row) = rows.last().filter(|&&row| row >= n_rows) {
            return Err(EvaluateError::CohortRow { dimension, level, row, n_rows });
        }
        match rows.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(EvaluateError::CohortRepeat { dimension, level, row: pair[0] }),
            None => Ok(()),
        }
    }
}

impl EvaluateOptions {
    pub(crate) fn check(&self) -> Result<(), EvaluateError> {
        check_confidence(self.confidence)?;
        if let Some(&value) = self.k_shares.iter().find(|&&share| !(share > 0.0 && share <= 1.0)) {
            return Err(EvaluateError::Setting { name: "k_shares", value, rule: "above 0 and at most 1" });
        }
        if self.n_bins == 0 {
            return Err(EvaluateError::Setting { name: "n_bins", value: 0.0, rule: "at least 1" });
        }
        Ok(())
    }
}

pub(crate) fn check_confidence(value: f64) -> Result<(), EvaluateError> {
    let inside = value > 0.0 && value < 1.0;
    inside.then_some(()).ok_or(EvaluateError::Setting { name: "confidence", value, rule: "above 0 and below 1" })
}

fn check_length(what: &'static str, found: usize, expected: usize) -> Result<(), EvaluateError> {
    let equal = found == expected;
    equal.then_some(()).ok_or(EvaluateError::Length { what, other: "probability", found, expected })
}

/// Each column as long as `other`, which has `n` rows, and rows at all.
pub(crate) fn check_lengths(
    other: &'static str,
    n: usize,
    columns: &[(&'static str, usize)],
) -> Result<(), EvaluateError> {
    match columns.iter().find(|column| column.1 != n) {
        Some(&(what, found)) => Err(EvaluateError::Length { what, other, found, expected: n }),
        None if n == 0 => Err(EvaluateError::Empty),
        None => Ok(()),
    }
}

/// Every value finite.
pub(crate) fn check_numbers(what: &'static str, values: &[f64]) -> Result<(), EvaluateError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(EvaluateError::Number { what, row, value: values[row], rule: "a finite number" }),
        None => Ok(()),
    }
}

/// As [`Scored::check`] for two scores of any scale.
pub(crate) fn check_scores(a: &[f64], b: &[f64], outcome: &[bool], account: &[u32]) -> Result<(), EvaluateError> {
    for (what, found) in [("b", b.len()), ("outcome", outcome.len()), ("account", account.len())] {
        if found != a.len() {
            return Err(EvaluateError::Length { what, other: "a", found, expected: a.len() });
        }
    }
    if a.is_empty() {
        return Err(EvaluateError::Empty);
    }
    for (which, scores) in [("a", a), ("b", b)] {
        if let Some(row) = scores.iter().position(|score| score.is_nan()) {
            return Err(EvaluateError::Score { which, row, value: scores[row] });
        }
    }
    Ok(())
}
