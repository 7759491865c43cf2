//! What is finished of an output, kept beside it until the output is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bellwether_core::{Date, Digest};
use polars::prelude::*;

use crate::beside::{folder_of, write_beside};
use crate::table::{Column as TableColumn, Table};
use crate::writer::{TableError, TableWriter, frame_of};

const INPUTS: &str = "inputs";
const LOCK: &str = "lock";

/// The parts of an output that are finished, in a hidden folder beside it: `.bellwether-NAME-parts`. They are kept there
/// until [`FinishedParts::remove`], so that a run that was killed can be continued by the next one.
#[derive(Debug)]
pub struct FinishedParts {
    folder: PathBuf,
    rows_of: Vec<usize>,
    /// Held while the parts are worked on.
    _lock: File,
}

impl FinishedParts {
    /// The parts that an earlier run made of the output at `path` from the same `inputs`, all with the columns of
    /// `columns`, whose rows don't matter; none where there was none, where it had other inputs or columns, or where a part
    /// can't be read.
    ///
    /// # Errors
    /// [`TableError::AtWork`] while another process works on them, [`TableError::Write`] where the disk fails.
    pub fn open(path: &Path, inputs: &Digest, columns: &Table) -> Result<Self, TableError> {
        let folder = parts_folder(path);
        let failed = |cause: io::Error| TableError::Write { path: folder.clone(), cause: Box::new(cause) };
        fs::create_dir_all(&folder).map_err(failed)?;
        let lock = lock(path, &folder)?;
        let made_from = fs::read_to_string(folder.join(INPUTS)).unwrap_or_default();
        let mut parts = Self { folder: folder.clone(), rows_of: Vec::new(), _lock: lock };
        let rows_of = if made_from == inputs.as_str() { parts.rows_of_parts(columns) } else { None };
        if let Some(rows_of) = rows_of {
            parts.rows_of = rows_of;
        } else {
            parts.clear().map_err(failed)?;
            write_beside(&folder.join(INPUTS), inputs.as_str().as_bytes()).map_err(failed)?;
        }
        Ok(parts)
    }

    /// Removes what an earlier run left of the output at `path`; nothing where another process works on it.
    pub fn discard(path: &Path) {
        let folder = parts_folder(path);
        if folder.is_dir()
            && let Ok(lock) = lock(path, &folder)
        {
            Self { folder, rows_of: Vec::new(), _lock: lock }.remove();
        }
    }

    /// Rows that are finished.
    pub fn n_rows(&self) -> usize {
        self.rows_of.iter().sum()
    }

    /// Adds the rows that follow; no rows are a part only where they are the first.
    ///
    /// # Errors
    /// [`TableError::Write`] where the disk fails.
    pub fn add(&mut self, table: &Table) -> Result<(), TableError> {
        if table.n_rows() == 0 && !self.rows_of.is_empty() {
            return Ok(());
        }
        let mut writer = TableWriter::create(&self.part(self.rows_of.len()))?;
        writer.append(table)?;
        writer.finish()?;
        self.rows_of.push(table.n_rows());
        Ok(())
    }

    /// Gives the parts in order.
    ///
    /// # Errors
    /// What `visit` gives, or [`TableError::Read`].
    pub fn each<E: From<TableError>>(&self, mut visit: impl FnMut(Table) -> Result<(), E>) -> Result<(), E> {
        (0..self.rows_of.len()).try_for_each(|part| {
            let path = self.part(part);
            let table = read(&path).map_err(|cause| TableError::Read { path, cause: Box::new(cause) })?;
            visit(table)
        })
    }

    /// Removes all of it: the output is whole. What can't be removed stays, and the next run clears it.
    pub fn remove(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn part(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number:08}.arrow"))
    }

    /// How many rows each part has; `None` where one can't be read, or has other columns.
    fn rows_of_parts(&self, columns: &Table) -> Option<Vec<usize>> {
        let wanted = frame_of(&columns.without_rows()).ok()?;
        let n_rows = |path| {
            let frame = IpcReader::new(File::open(path).ok()?).finish().ok()?;
            (frame.schema() == wanted.schema()).then(|| frame.height())
        };
        (0..).map(|number| self.part(number)).take_while(|path| path.exists()).map(n_rows).collect()
    }

    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name() != LOCK {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn parts_folder(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder_of(path).join(format!(".bellwether-{name}-parts"))
}

fn lock(path: &Path, folder: &Path) -> Result<File, TableError> {
    let failed = |cause: io::Error| TableError::Write { path: folder.to_owned(), cause: Box::new(cause) };
    let lock = File::create(folder.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(TableError::AtWork(path.to_owned())),
        // A file system without locks is used by one run at a time, or by none.
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(lock),
    }
}

fn read(path: &Path) -> PolarsResult<Table> {
    let frame = IpcReader::new(File::open(path)?).finish()?;
    let mut table = Table::default();
    for column in frame.columns() {
        table = table.with(column.name(), column_of(column)?);
    }
    Ok(table)
}

fn column_of(column: &Column) -> PolarsResult<TableColumn> {
    Ok(match column.dtype() {
        DataType::String => TableColumn::Text(column.str()?.iter().map(|text| text.map(str::to_owned)).collect()),
        DataType::Float64 => TableColumn::Float(column.f64()?.iter().collect()),
        DataType::Float32 => TableColumn::Float32(column.f32()?.iter().map(|x| x.unwrap_or(f32::NAN)).collect()),
        DataType::Int64 => TableColumn::Int(column.i64()?.iter().collect()),
        DataType::Boolean => TableColumn::Bool(column.bool()?.iter().collect()),
        DataType::Date => {
            let days = column.cast(&DataType::Int32)?;
            TableColumn::Date(days.i32()?.iter().map(|day| day.map(Date::from_days)).collect())
        }
        other => return Err(polars_err!(ComputeError: "column `{}` is {other}", column.name())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(from: i64, to: i64) -> Table {
        let text = |n: i64| (n % 3 > 0).then(|| format!("row {n}"));
        Table::default()
            .with("n", TableColumn::Int((from..to).map(Some).collect()))
            .with("text", TableColumn::Text((from..to).map(text).collect()))
            .with("share", TableColumn::Float((from..to).map(|n| (n % 4 > 0).then_some(1.0 / n as f64)).collect()))
            .with("day", TableColumn::Date((from..to).map(|n| Some(Date::from_days(n as i32))).collect()))
            .with("single", TableColumn::Float32((from..to).map(|n| n as f32 / 3.0).collect()))
            .with("truth", TableColumn::Bool((from..to).map(|n| (n % 5 > 0).then_some(n % 2 == 0)).collect()))
    }

    fn all(parts: &FinishedParts) -> Vec<Table> {
        let mut all = Vec::new();
        parts
            .each(|part| {
                all.push(part);
                Ok::<_, TableError>(())
            })
            .expect("reads");
        all
    }

    #[test]
    fn the_next_run_finds_what_was_finished_from_the_same_inputs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scores.csv");
        let columns = table(0, 1);
        let open = |inputs: &str| FinishedParts::open(&path, &Digest::of(inputs.as_bytes()), &columns).expect("opens");
        let mut first = open("today");
        assert_eq!(first.n_rows(), 0);
        first.add(&table(0, 10)).expect("writes");
        first.add(&table(10, 12)).expect("writes");
        assert!(matches!(
            FinishedParts::open(&path, &Digest::of(b"today"), &columns),
            Err(TableError::AtWork(at)) if at == path
        ));
        FinishedParts::discard(&path);
        drop(first);
        let mut next = open("today");
        assert_eq!(next.n_rows(), 12);
        next.add(&table(12, 40)).expect("writes");
        assert_eq!(all(&next), [table(0, 10), table(10, 12), table(12, 40)]);
        drop(next);
        let other = open("tomorrow");
        assert_eq!(other.n_rows(), 0);
        assert_eq!(all(&other), []);
        other.remove();
        assert_eq!(folder.path().read_dir().expect("lists").count(), 0);
    }

    #[test]
    fn what_is_not_wanted_any_more_is_discarded() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scores.csv");
        FinishedParts::discard(&path);
        let mut parts = FinishedParts::open(&path, &Digest::of(b"today"), &table(0, 0)).expect("opens");
        parts.add(&table(0, 3)).expect("writes");
        drop(parts);
        FinishedParts::discard(&path);
        assert_eq!(folder.path().read_dir().expect("lists").count(), 0);
    }

    /// Of parts of the same inputs, so many rows are taken up by a run whose tables are like `columns`.
    #[track_caller]
    fn check_taken_up(parts: &[Table], columns: &Table, expected: usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scores.csv");
        let open = |columns: &Table| FinishedParts::open(&path, &Digest::of(b"today"), columns).expect("opens");
        let mut earlier = open(columns);
        for part in parts {
            earlier.add(part).expect("writes");
        }
        drop(earlier);
        let mut next = open(columns);
        assert_eq!(next.n_rows(), expected);
        next.add(columns).expect("writes");
        assert_eq!(all(&next).iter().map(Table::n_rows).sum::<usize>(), expected + columns.n_rows());
    }

    #[test]
    fn parts_with_other_columns_are_not_taken_up() {
        let (now, more) = (table(0, 5), table(5, 9));
        let without = |name: &str| {
            let mut table = table(0, 5);
            table.columns.retain(|(column, _)| column != name);
            table
        };
        let of_another_type = without("truth").with("truth", TableColumn::Float(vec![None; 5]));
        let of_another_name = without("truth").with("is_true", TableColumn::Bool(vec![None; 5]));
        let in_another_order = without("text").with("text", TableColumn::Text(vec![None; 5]));
        check_taken_up(&[now.clone(), more.clone()], &now, 9);
        for other in [of_another_type, of_another_name, in_another_order, without("truth"), without("n")] {
            check_taken_up(std::slice::from_ref(&other), &now, 0);
            check_taken_up(&[now.clone(), other, more.clone()], &now, 0);
        }
        // A text that repeats is a text.
        let mut repeated = crate::table::CodedText::default();
        (0..5).for_each(|row| repeated.push((row < 3).then_some("row")));
        let coded = without("text").with("text", TableColumn::Coded(repeated));
        check_taken_up(&[coded], &without("text").with("text", TableColumn::Text(vec![None; 5])), 5);
    }
}
