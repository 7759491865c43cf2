//! Tables of plain columns, written as Parquet, CSV, JSON Lines or Arrow IPC by the file's ending.

use bellwether_core::Date;

/// Named columns of one length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The columns in file order.
    pub columns: Vec<(String, Column)>,
}

/// One column; `None` is a null.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Texts.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Numbers; a NaN is written as a null.
    Float(Vec<Option<f64>>),
    /// Single-precision numbers; NaN is written as a null.
    Float32(Vec<f32>),
    /// Days.
    Date(Vec<Option<Date>>),
    /// True or false.
    Bool(Vec<Option<bool>>),
}

impl Table {
    /// Adds a column.
    #[must_use]
    pub fn with(mut self, name: &str, column: Column) -> Self {
        self.columns.push((name.to_owned(), column));
        self
    }

    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }
}

impl Column {
    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Float32(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
