//! Feature values: f32, column after column, NaN = missing.

use thiserror::Error;

/// `n_rows` x `n_cols` feature values, column-major; NaN is missing, an infinite value is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMatrix {
    n_rows: usize,
    n_cols: usize,
    values: Vec<f32>,
}

/// Why a matrix was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// A value is infinite.
    #[error("column {column}, row {row} is {value}; values must be finite or missing")]
    Infinite {
        /// Column, from 0.
        column: usize,
        /// Row, from 0.
        row: usize,
        /// The value.
        value: f32,
    },
    /// Columns of different lengths, or values that do not fill the shape.
    #[error("column {column} has {found} values where {expected} are needed")]
    Shape {
        /// Column, from 0.
        column: usize,
        /// Values found.
        found: usize,
        /// Values needed.
        expected: usize,
    },
}

impl FeatureMatrix {
    /// A matrix of `columns`, each with one value a row.
    ///
    /// # Errors
    /// [`MatrixError`] if lengths differ or a value is infinite.
    pub fn from_columns(columns: &[Vec<f32>]) -> Result<Self, MatrixError> {
        let n_rows = columns.first().map_or(0, Vec::len);
        let mut values = Vec::with_capacity(n_rows * columns.len());
        for (column, of_column) in columns.iter().enumerate() {
            if of_column.len() != n_rows {
                return Err(MatrixError::Shape { column, found: of_column.len(), expected: n_rows });
            }
            if let Some(row) = of_column.iter().position(|value| value.is_infinite()) {
                return Err(MatrixError::Infinite { column, row, value: of_column[row] });
            }
            values.extend_from_slice(of_column);
        }
        Ok(Self { n_rows, n_cols: columns.len(), values })
    }

    /// A matrix of `values`, column after column.
    ///
    /// # Errors
    /// [`MatrixError`] if the values do not fill the shape or one is infinite.
    pub fn from_values(n_rows: usize, n_cols: usize, values: Vec<f32>) -> Result<Self, MatrixError> {
        if values.len() != n_rows * n_cols {
            let column = n_cols.saturating_sub(1);
            let found = values.len().saturating_sub(n_rows * column);
            return Err(MatrixError::Shape { column, found, expected: n_rows });
        }
        // One look at all values is faster than a search that may stop at each.
        if values.iter().fold(false, |any, value| any | value.is_infinite())
            && let Some(at) = values.iter().position(|value| value.is_infinite())
        {
            return Err(MatrixError::Infinite { column: at / n_rows, row: at % n_rows, value: values[at] });
        }
        Ok(Self { n_rows, n_cols, values })
    }

    /// How many rows.
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many columns.
    pub const fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// The values of column `column`, one a row.
    ///
    /// # Panics
    /// If `column >= n_cols`.
    pub fn column(&self, column: usize) -> &[f32] {
        assert!(column < self.n_cols, "column {column} of {}", self.n_cols);
        &self.values[column * self.n_rows..(column + 1) * self.n_rows]
    }

    /// One value.
    ///
    /// # Panics
    /// If `row` or `column` is outside.
    #[inline]
    pub fn value(&self, row: usize, column: usize) -> f32 {
        self.column(column)[row]
    }

    /// Writes row `row` into `into`, which has `n_cols` places.
    ///
    /// # Panics
    /// If `into` has another length or `row` is outside.
    pub fn read_row(&self, row: usize, into: &mut [f32]) {
        assert_eq!(into.len(), self.n_cols, "one place a column");
        for (column, place) in into.iter_mut().enumerate() {
            *place = self.value(row, column);
        }
    }

    /// The rows of `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut values = Vec::with_capacity(rows.len() * self.n_cols);
        for column in 0..self.n_cols {
            let column = self.column(column);
            values.extend(rows.iter().map(|&row| column[row]));
        }
        Self { n_rows: rows.len(), n_cols: self.n_cols, values }
    }
}
