//! Rows of a table with a fixed schema.

use bellwether_book::{Column, Table};
use bellwether_core::Date;

/// A table's name and columns.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Int,
    Float,
    Date,
}

/// One value of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Int(i64),
    Float(f64),
    Date(Date),
    Null,
}

/// Rows of a table with a fixed schema.
pub(crate) struct Rows {
    schema: &'static Schema,
    columns: Vec<Column>,
}

impl Rows {
    pub(crate) fn new(schema: &'static Schema) -> Self {
        let empty = |kind| match kind {
            Kind::Text => Column::Text(Vec::new()),
            Kind::Int => Column::Int(Vec::new()),
            Kind::Float => Column::Float(Vec::new()),
            Kind::Date => Column::Date(Vec::new()),
        };
        Self { schema, columns: schema.columns.iter().map(|&(_, kind)| empty(kind)).collect() }
    }

    /// Adds a row; the cells follow the schema.
    pub(crate) fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        debug_assert_eq!(N, self.columns.len(), "a row of `{}` has a cell a column", self.schema.name);
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match (column, cell) {
                (Column::Text(values), Cell::Text(text)) => values.push(Some(text.to_owned())),
                (Column::Text(values), Cell::Null) => values.push(None),
                (Column::Int(values), Cell::Int(n)) => values.push(Some(n)),
                (Column::Int(values), Cell::Null) => values.push(None),
                (Column::Float(values), Cell::Float(x)) => values.push(Some(x)),
                (Column::Float(values), Cell::Null) => values.push(None),
                (Column::Date(values), Cell::Date(date)) => values.push(Some(date)),
                (Column::Date(values), Cell::Null) => values.push(None),
                (column, cell) => unreachable!("`{}` has a {cell:?} for {column:?}", self.schema.name),
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.columns[0].len()
    }

    /// Makes room for so many more rows.
    pub(crate) fn reserve(&mut self, n_rows: usize) {
        for column in &mut self.columns {
            match column {
                Column::Text(values) => values.reserve(n_rows),
                Column::Int(values) => values.reserve(n_rows),
                Column::Float(values) => values.reserve(n_rows),
                Column::Date(values) => values.reserve(n_rows),
                Column::Float32(_) | Column::Bool(_) => unreachable!("no schema has such a column"),
            }
        }
    }

    /// Adds all rows of another table of the same schema.
    pub(crate) fn append(&mut self, other: Self) {
        for (column, other) in self.columns.iter_mut().zip(other.columns) {
            match (column, other) {
                (Column::Text(values), Column::Text(more)) => values.extend(more),
                (Column::Int(values), Column::Int(more)) => values.extend(more),
                (Column::Float(values), Column::Float(more)) => values.extend(more),
                (Column::Date(values), Column::Date(more)) => values.extend(more),
                _ => unreachable!("one schema has one kind a column"),
            }
        }
    }

    pub(crate) fn into_table(self) -> Table {
        let names = self.schema.columns.iter().map(|&(name, _)| name);
        names.zip(self.columns).fold(Table::default(), |table, (name, column)| table.with(name, column))
    }
}
