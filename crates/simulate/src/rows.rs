//! Rows of a table with a fixed schema.

use bellwether_book::{CodedText, Column, Table};
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

/// Rows of a table with a fixed schema, and of columns that a leak adds to it.
pub(crate) struct Rows {
    schema: &'static Schema,
    /// Those of the schema, then the added ones.
    names: Vec<&'static str>,
    columns: Vec<Column>,
}

impl Rows {
    pub(crate) fn new(schema: &'static Schema) -> Self {
        let (names, columns) = schema.columns.iter().map(|&(name, kind)| (name, empty(kind))).unzip();
        Self { schema, names, columns }
    }

    /// Adds a row; the cells follow the schema.
    pub(crate) fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        debug_assert_eq!(N, self.columns.len(), "a row of `{}` has a cell a column", self.schema.name);
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            push(column, cell);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.columns[0].len()
    }

    /// Adds all rows of another table of the same schema and the same added columns; an empty table takes these over.
    pub(crate) fn append(&mut self, other: Self) {
        if self.len() == 0 && self.columns.len() < other.columns.len() {
            *self = other;
            return;
        }
        for (column, other) in self.columns.iter_mut().zip(other.columns) {
            match (column, other) {
                (Column::Coded(values), Column::Coded(more)) => values.append(more),
                (Column::Int(values), Column::Int(more)) => values.extend(more),
                (Column::Float(values), Column::Float(more)) => values.extend(more),
                (Column::Date(values), Column::Date(more)) => values.extend(more),
                (column, _) => no_schema_has(column),
            }
        }
    }

    pub(crate) fn into_table(self) -> Table {
        self.names
            .into_iter()
            .zip(self.columns)
            .fold(Table::default(), |table, (name, column)| table.with(name, column))
    }

    /// The place of a column.
    pub(crate) fn place(&self, name: &str) -> usize {
        self.find(name).expect("leaks name columns of the schema")
    }

    /// The place of a column that there may be.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|of| *of == name)
    }

    /// A row's value of the column in this place.
    pub(crate) fn get(&self, row: usize, place: usize) -> Cell<'_> {
        match &self.columns[place] {
            Column::Coded(values) => values.get(row).map_or(Cell::Null, Cell::Text),
            Column::Int(values) => values[row].map_or(Cell::Null, Cell::Int),
            Column::Float(values) => values[row].map_or(Cell::Null, Cell::Float),
            Column::Date(values) => values[row].map_or(Cell::Null, Cell::Date),
            other => no_schema_has(other),
        }
    }

    /// The days in the date column of this name.
    pub(crate) fn days(&self, name: &str) -> Vec<Date> {
        let place = self.place(name);
        let day = |row| match self.get(row, place) {
            Cell::Date(date) => date,
            cell => unreachable!("`{}` has a {cell:?} for a day", self.schema.name),
        };
        (0..self.len()).map(day).collect()
    }

    /// Adds a column with a value for each row.
    pub(crate) fn add<'a>(&mut self, name: &'static str, kind: Kind, cells: impl Iterator<Item = Cell<'a>>) {
        let mut column = empty(kind);
        cells.for_each(|cell| push(&mut column, cell));
        debug_assert_eq!(column.len(), self.len(), "`{name}` has a value a row");
        self.names.push(name);
        self.columns.push(column);
    }

    /// Adds a row that is like another but for the columns in these places.
    pub(crate) fn push_like(&mut self, row: usize, changes: &[(usize, Cell<'_>)]) {
        for (place, column) in self.columns.iter_mut().enumerate() {
            if let Some(&(_, cell)) = changes.iter().find(|(of, _)| *of == place) {
                push(column, cell);
                continue;
            }
            match column {
                Column::Coded(values) => values.push_copy(row),
                Column::Int(values) => values.push(values[row]),
                Column::Float(values) => values.push(values[row]),
                Column::Date(values) => values.push(values[row]),
                other => no_schema_has(other),
            }
        }
    }

    /// Multiplies the numbers of a column in the rows for which `applies` holds.
    pub(crate) fn multiply(&mut self, name: &str, by: f64, applies: &[bool]) {
        let place = self.place(name);
        if let Column::Float(values) = &mut self.columns[place] {
            for (value, _) in values.iter_mut().zip(applies).filter(|(_, applies)| **applies) {
                *value = value.map(|x| x * by);
            }
        }
    }

    /// Keeps the rows whose place in `kept` is true.
    pub(crate) fn keep(&mut self, kept: &[bool]) {
        for column in &mut self.columns {
            match column {
                Column::Coded(values) => values.keep(kept),
                Column::Int(values) => keep(values, kept),
                Column::Float(values) => keep(values, kept),
                Column::Date(values) => keep(values, kept),
                other => no_schema_has(other),
            }
        }
    }
}

fn empty(kind: Kind) -> Column {
    match kind {
        Kind::Text => Column::Coded(CodedText::default()),
        Kind::Int => Column::Int(Vec::new()),
        Kind::Float => Column::Float(Vec::new()),
        Kind::Date => Column::Date(Vec::new()),
    }
}

fn push(column: &mut Column, cell: Cell<'_>) {
    match (column, cell) {
        (Column::Coded(values), Cell::Text(text)) => values.push(Some(text)),
        (Column::Coded(values), Cell::Null) => values.push(None),
        (Column::Int(values), Cell::Int(n)) => values.push(Some(n)),
        (Column::Int(values), Cell::Null) => values.push(None),
        (Column::Float(values), Cell::Float(x)) => values.push(Some(x)),
        (Column::Float(values), Cell::Null) => values.push(None),
        (Column::Date(values), Cell::Date(date)) => values.push(Some(date)),
        (Column::Date(values), Cell::Null) => values.push(None),
        (column, cell) => unreachable!("{cell:?} for {column:?}"),
    }
}

fn keep<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut rows = kept.iter();
    values.retain(|_| rows.next().is_some_and(|&kept| kept));
}

fn no_schema_has(column: &Column) -> ! {
    unreachable!("no schema has a column like {column:?}")
}
