//! Rows to score, borrowed in the layout in which the caller has them.

use std::ops::Range;

use bellwether_core::FeatureMatrix;

use crate::ScoreError;

/// Feature values of rows, borrowed in the layout in which the caller has them; NaN is missing, an infinite value is
/// refused when it is scored.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    n_rows: usize,
    n_features: usize,
    layout: Layout<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Layout<'a> {
    Matrix(&'a FeatureMatrix),
    Columns(&'a [&'a [f32]]),
    RowMajor(&'a [f32]),
}

impl<'a> Rows<'a> {
    /// Rows whose feature `i` is in `columns[i]`, one value a row, as Arrow has them.
    ///
    /// # Errors
    /// [`ScoreError::Shape`] if the columns differ in length.
    pub fn columns(columns: &'a [&'a [f32]]) -> Result<Self, ScoreError> {
        let n_rows = columns.first().map_or(0, |column| column.len());
        match columns.iter().position(|column| column.len() != n_rows) {
            None => Ok(Self { n_rows, n_features: columns.len(), layout: Layout::Columns(columns) }),
            Some(column) => {
                let place = format!("column {column}");
                Err(ScoreError::Shape { place, found: columns[column].len(), expected: n_rows })
            }
        }
    }

    /// Rows of `n_features` values each, one row after the other.
    ///
    /// # Errors
    /// [`ScoreError::Shape`] if the last row is not whole.
    pub fn row_major(values: &'a [f32], n_features: usize) -> Result<Self, ScoreError> {
        let n_rows = values.len().checked_div(n_features).unwrap_or(0);
        if n_rows * n_features != values.len() {
            let found = values.len() - n_rows * n_features;
            return Err(ScoreError::Shape { place: format!("row {n_rows}"), found, expected: n_features });
        }
        Ok(Self { n_rows, n_features, layout: Layout::RowMajor(values) })
    }

    /// How many rows.
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many values a row has.
    pub const fn n_features(&self) -> usize {
        self.n_features
    }

    /// The first of `rows` that has an infinite value.
    pub(super) fn first_infinite(&self, rows: Range<usize>) -> Option<usize> {
        let from = rows.start;
        match self.layout {
            // A matrix has none.
            Layout::Matrix(_) => None,
            Layout::Columns(columns) => {
                let first_of = |column: &&[f32]| first_infinite(&column[rows.clone()]);
                columns.iter().filter_map(first_of).min().map(|place| from + place)
            }
            Layout::RowMajor(values) => {
                let values = &values[from * self.n_features..rows.end * self.n_features];
                first_infinite(values).map(|place| from + place / self.n_features)
            }
        }
    }

    /// The first infinite value of `row` with its row and feature; `None` of a row that has none or is outside.
    pub(super) fn infinite_of(&self, row: usize) -> Option<(usize, usize, f32)> {
        let value = |feature| self.values(feature, row..row + 1, &mut [0.0])[0];
        let mut features = (0..self.n_features).filter(|_| row < self.n_rows);
        features.find(|&feature| value(feature).is_infinite()).map(|feature| (row, feature, value(feature)))
    }

    /// The values of `feature` in `rows`: borrowed where they stand side by side, else brought together in `buffer`,
    /// which has a place for each.
    pub(super) fn values<'s>(&self, feature: usize, rows: Range<usize>, buffer: &'s mut [f32]) -> &'s [f32]
    where
        'a: 's,
    {
        match self.layout {
            Layout::Matrix(x) => &x.column(feature)[rows],
            Layout::Columns(columns) => &columns[feature][rows],
            Layout::RowMajor(values) => {
                let buffer = &mut buffer[..rows.len()];
                let rows = values[rows.start * self.n_features..].chunks_exact(self.n_features);
                for (place, row) in buffer.iter_mut().zip(rows) {
                    *place = row[feature];
                }
                buffer
            }
        }
    }
}

impl<'a> From<&'a FeatureMatrix> for Rows<'a> {
    fn from(x: &'a FeatureMatrix) -> Self {
        Self { n_rows: x.n_rows(), n_features: x.n_cols(), layout: Layout::Matrix(x) }
    }
}

/// The place of the first infinite value; most often there is none, which is found without a branch a value.
fn first_infinite(values: &[f32]) -> Option<usize> {
    let any = values.iter().fold(false, |any, value| any | value.is_infinite());
    any.then(|| values.iter().position(|value| value.is_infinite())).flatten()
}
