//! Rows to score, borrowed in the layout in which the caller has them.

use std::ops::Range;

use bellwether_core::FeatureMatrix;

use crate::ScoreError;

/// Feature values of rows, borrowed in the layout in which the caller has them; NaN is missing, an infinite value is
/// refused when it is scored.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the number of rows is what `n_rows` says everywhere")]
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
        let value = |feature: usize| self.value(row, feature);
        let mut features = (0..self.n_features).filter(|_| row < self.n_rows);
        features.find(|&feature| value(feature).is_infinite()).map(|feature| (row, feature, value(feature)))
    }

    pub(super) fn value(&self, row: usize, feature: usize) -> f32 {
        match self.layout {
            Layout::Matrix(x) => x.value(row, feature),
            Layout::Columns(columns) => columns[feature][row],
            Layout::RowMajor(values) => values[row * self.n_features + feature],
        }
    }

    /// How many rows a block best has: long stretches of a column, or as many rows as stay in the first cache.
    pub(super) const fn block_rows(&self) -> usize {
        match self.layout {
            Layout::Matrix(_) | Layout::Columns(_) => MAX_BLOCK_ROWS,
            Layout::RowMajor(_) => 128,
        }
    }

    /// A block of rows by columns: borrowed where they stand so, else brought into `buffer`.
    pub(super) fn block<'b>(&self, rows: Range<usize>, buffer: &'b mut Vec<f32>) -> Block<'b>
    where
        'a: 'b,
    {
        if let Layout::RowMajor(values) = self.layout {
            buffer.resize(rows.len() * self.n_features, 0.0);
            let n_features = self.n_features;
            transpose(&values[rows.start * n_features..rows.end * n_features], n_features, rows.len(), buffer);
            return Block::Transposed { values: buffer, n_rows: rows.len() };
        }
        Block::Borrowed { all: *self, rows }
    }
}

/// The most rows of a block.
pub(super) const MAX_BLOCK_ROWS: usize = 1024;
/// Features that are brought into columns together: what one line of the cache has.
const TILE: usize = 16;

/// Rows by columns.
pub(super) enum Block<'b> {
    Borrowed { all: Rows<'b>, rows: Range<usize> },
    Transposed { values: &'b [f32], n_rows: usize },
}

impl Block<'_> {
    /// The values of `feature`, one a row.
    pub(super) fn values(&self, feature: usize) -> &[f32] {
        match self {
            Self::Transposed { values, n_rows } => &values[feature * n_rows..(feature + 1) * n_rows],
            Self::Borrowed { all, rows } => match all.layout {
                Layout::Matrix(x) => &x.column(feature)[rows.clone()],
                Layout::Columns(columns) => &columns[feature][rows.clone()],
                Layout::RowMajor(_) => unreachable!("rows that stand row after row are transposed"),
            },
        }
    }
}

/// Writes `n_rows` rows into `columns`, one column after the other.
fn transpose(rows: &[f32], n_features: usize, n_rows: usize, columns: &mut [f32]) {
    for (tile, columns) in columns.chunks_mut(TILE * n_rows).enumerate() {
        for (place, row) in rows.chunks_exact(n_features).enumerate() {
            for (column, &value) in columns.chunks_exact_mut(n_rows).zip(&row[tile * TILE..]) {
                column[place] = value;
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
