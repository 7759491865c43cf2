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
    waiting: Table,
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
        Ok(Self { writer, rows_a_group, waiting: Table::default(), has_groups: false })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`TableError::Write`] where the disk fails.
    ///
    /// # Panics
    /// Where the columns differ from those of the first table.
    pub fn append(&mut self, table: Table) -> Result<(), TableError> {
        self.waiting.append(table);
        while self.waiting.n_rows() >= self.rows_a_group {
            let later = self.waiting.split_off(self.rows_a_group);
            self.writer.append(&std::mem::replace(&mut self.waiting, later))?;
            self.has_groups = true;
        }
        Ok(())
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// As [`TableWriter::finish`].
    pub fn finish(mut self) -> Result<(), TableError> {
        // A file without rows has columns all the same.
        if self.waiting.n_rows() > 0 || !self.has_groups {
            self.writer.append(&self.waiting)?;
        }
        self.writer.finish()
    }
}
