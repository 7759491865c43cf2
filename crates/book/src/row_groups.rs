//! Tables written in groups of equal length, however they come.

use std::path::Path;

use crate::table::Table;
use crate::writer::{TableError, TableWriter};

/// Writes tables as groups of so many rows each (a row group in Parquet, a record batch in Arrow IPC), the last one
/// shorter: the bytes of the file depend on the rows alone, not on how they were cut into tables.
#[derive(Debug)]
pub struct RowGroupWriter {
    writer: TableWriter,
    rows_a_group: usize,
    /// Fewer rows than a group has.
    waiting: Vec<Table>,
    has_groups: bool,
}

impl RowGroupWriter {
    /// Starts a file whose form its ending tells.
    ///
    /// # Errors
    /// As [`TableWriter::create`].
    ///
    /// # Panics
    /// Where `rows_a_group` is 0.
    pub fn create(path: &Path, rows_a_group: usize) -> Result<Self, TableError> {
        assert!(rows_a_group > 0, "a group has a row");
        let writer = TableWriter::create(path)?;
        Ok(Self { writer, rows_a_group, waiting: Vec::new(), has_groups: false })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`TableError::Write`] where the columns differ from those of the first table, or the disk fails.
    pub fn append(&mut self, mut table: Table) -> Result<(), TableError> {
        while self.n_waiting() + table.n_rows() >= self.rows_a_group {
            let later = table.split_off(self.rows_a_group - self.n_waiting());
            self.waiting.push(std::mem::replace(&mut table, later));
            self.write()?;
        }
        // One without rows says what the columns are.
        if table.n_rows() > 0 || (self.waiting.is_empty() && !self.has_groups) {
            self.waiting.push(table);
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), TableError> {
        self.writer.append_all(&std::mem::take(&mut self.waiting))?;
        self.writer.begin_sync()?;
        self.has_groups = true;
        Ok(())
    }

    fn n_waiting(&self) -> usize {
        self.waiting.iter().map(Table::n_rows).sum()
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// As [`TableWriter::finish`].
    pub fn finish(mut self) -> Result<(), TableError> {
        // A file without rows has columns all the same.
        if self.n_waiting() > 0 || !self.has_groups {
            self.write()?;
        }
        self.writer.finish()
    }
}
