//! The rows to learn from, checked and put in one order.

use std::cmp::Ordering;

use bellwether_core::{FeatureMatrix, FeatureSchema};

use crate::{LearnError, LearnerName};

/// Rows to fit on. All slices have one entry a row.
#[derive(Debug, Clone, Copy)]
pub struct TrainingRows<'a> {
    /// Names and directions of the columns of `x`.
    pub schema: &'a FeatureSchema,
    /// Feature values, NaN = missing.
    pub x: &'a FeatureMatrix,
    /// Whether the outcome came.
    pub y: &'a [bool],
    /// Finite and at least 0; `None` is 1 everywhere.
    pub weights: Option<&'a [f64]>,
    /// As-of day; all equal where the table has no time.
    pub day: &'a [i32],
    /// Stable hash of the account: rows of an account are held out together.
    pub group: &'a [u64],
}

/// Training rows in canonical order (day, group, feature bits, label, weight), without rows of weight 0.
///
/// Whole weights become repeated rows where that stays small, so weight 2 and a row given twice are the same table. No
/// value is -0 and NaN has one bit pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Vec<f32>>,
    pub(crate) y: Vec<bool>,
    /// `None` where all are 1.
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) day: Vec<i32>,
    pub(crate) group: Vec<u64>,
}

/// Repeating rows for whole weights makes a table at most this many times as long.
const LARGEST_REPETITION: usize = 10;

impl Table {
    pub(crate) fn new(rows: &TrainingRows<'_>) -> Result<Self, LearnError> {
        check_shapes(rows)?;
        let kept = kept_rows(rows)?;
        let n_positive = kept.iter().filter(|&&row| rows.y[row]).count();
        if kept.is_empty() {
            return Err(LearnError::NoRows);
        }
        if n_positive == 0 || n_positive == kept.len() {
            return Err(LearnError::SingleClass { n_rows: kept.len(), n_positive });
        }
        let columns: Vec<Vec<f32>> = (0..rows.x.n_cols())
            .map(|column| rows.x.column(column).iter().map(|&x| if x.is_nan() { f32::NAN } else { x + 0.0 }).collect())
            .collect();
        let order = repeated(rows.weights, canonical_order(rows, &columns, kept));
        Ok(Self {
            columns: columns.iter().map(|column| take(column, &order.rows)).collect(),
            y: take(rows.y, &order.rows),
            weights: order.weights,
            day: take(rows.day, &order.rows),
            group: take(rows.group, &order.rows),
        })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.y.len()
    }

    pub(crate) fn n_cols(&self) -> usize {
        self.columns.len()
    }

    /// The rows of `rows`, in that order.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        Self {
            columns: self.columns.iter().map(|column| take(column, rows)).collect(),
            y: take(&self.y, rows),
            weights: self.weights.as_ref().map(|weights| take(weights, rows)),
            day: take(&self.day, rows),
            group: take(&self.group, rows),
        }
    }

    /// The weight of row `row`.
    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// 1 where the outcome came, else 0.
    pub(crate) fn targets(&self) -> Vec<f64> {
        self.y.iter().map(|&y| f64::from(u8::from(y))).collect()
    }

    /// Row `row` as features.
    pub(crate) fn row(&self, row: usize) -> Vec<f32> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// An error for learners that can only repeat rows.
    pub(crate) fn require_no_weights(&self, learner: LearnerName) -> Result<(), LearnError> {
        match self.weights {
            None => Ok(()),
            Some(_) => Err(LearnError::WeightsUnsupported { learner, largest_sum: LARGEST_REPETITION * self.n_rows() }),
        }
    }
}

/// Training rows whose whole weights are repeated rows.
pub(crate) struct RepeatedRows {
    x: FeatureMatrix,
    y: Vec<bool>,
    day: Vec<i32>,
    group: Vec<u64>,
}

impl RepeatedRows {
    /// `None` where weights are none or not whole, or there would be too many rows.
    pub(crate) fn of(rows: &TrainingRows<'_>) -> Result<Option<Self>, LearnError> {
        check_shapes(rows)?;
        let order = repeated(rows.weights, kept_rows(rows)?);
        let is_repeated = rows.weights.is_some() && order.weights.is_none();
        Ok(is_repeated.then(|| Self {
            x: rows.x.select(&order.rows),
            y: take(rows.y, &order.rows),
            day: take(rows.day, &order.rows),
            group: take(rows.group, &order.rows),
        }))
    }

    pub(crate) fn rows<'a>(&'a self, schema: &'a FeatureSchema) -> TrainingRows<'a> {
        TrainingRows { schema, x: &self.x, y: &self.y, weights: None, day: &self.day, group: &self.group }
    }
}

fn take<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}

fn check_shapes(rows: &TrainingRows<'_>) -> Result<(), LearnError> {
    let expected = rows.x.n_rows();
    let weights = rows.weights.map_or(expected, <[f64]>::len);
    let lengths = [("y", rows.y.len()), ("weights", weights), ("day", rows.day.len()), ("group", rows.group.len())];
    if let Some((what, found)) = lengths.into_iter().find(|&(_, found)| found != expected) {
        return Err(LearnError::Length { what, found, expected });
    }
    if rows.x.n_cols() != rows.schema.len() {
        return Err(LearnError::Columns { found: rows.x.n_cols(), expected: rows.schema.len() });
    }
    Ok(())
}

/// Rows of a weight above 0.
fn kept_rows(rows: &TrainingRows<'_>) -> Result<Vec<usize>, LearnError> {
    let Some(weights) = rows.weights else { return Ok((0..rows.y.len()).collect()) };
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        return Err(LearnError::Weight { row, weight: weights[row] });
    }
    Ok((0..weights.len()).filter(|&row| weights[row] > 0.0).collect())
}

fn canonical_order(rows: &TrainingRows<'_>, columns: &[Vec<f32>], mut kept: Vec<usize>) -> Vec<usize> {
    let features = |a: usize, b: usize| {
        let differs = columns.iter().map(|column| column[a].to_bits().cmp(&column[b].to_bits()));
        differs.fold(Ordering::Equal, Ordering::then)
    };
    let weight = |row: usize| rows.weights.map_or(1.0, |weights| weights[row]);
    kept.sort_unstable_by(|&a, &b| {
        (rows.day[a], rows.group[a])
            .cmp(&(rows.day[b], rows.group[b]))
            .then_with(|| features(a, b))
            .then_with(|| rows.y[a].cmp(&rows.y[b]))
            .then_with(|| weight(a).total_cmp(&weight(b)))
    });
    kept
}

struct Weighted {
    rows: Vec<usize>,
    weights: Option<Vec<f64>>,
}

/// Whole weights as repeated rows; other weights as they are.
fn repeated(weights: Option<&[f64]>, order: Vec<usize>) -> Weighted {
    let Some(weights) = weights else { return Weighted { rows: order, weights: None } };
    let sum: f64 = order.iter().map(|&row| weights[row]).sum();
    let whole = order.iter().all(|&row| weights[row].fract() == 0.0);
    if whole && sum <= (LARGEST_REPETITION * order.len()) as f64 {
        let rows = order.iter().flat_map(|&row| std::iter::repeat_n(row, weights[row] as usize)).collect();
        return Weighted { rows, weights: None };
    }
    Weighted { weights: Some(take(weights, &order)), rows: order }
}
