//! Writes tables: beside the file, then renamed.

mod compress;
mod distinct;
mod page;
mod parquet;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use polars::prelude::*;
use thiserror::Error;

use self::parquet::ParquetSink;
use crate::beside::{Beside, folder_of, write_beside};
use crate::keyed::KeyedText;
use crate::table::{Column as TableColumn, Table};

/// Why a table was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The ending names no known form.
    #[error("{0} is of no known form; known are .parquet, .csv, .jsonl, .arrow and .ipc")]
    UnknownForm(PathBuf),
    /// The folder that is to hold the file is absent.
    #[error("{path}: there is no folder {folder}")]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// Another process works on the same output.
    #[error("another run is at work on {0}")]
    AtWork(PathBuf),
    /// What an earlier run had finished can't be read.
    #[error("{path} can't be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file system, or a later table with other columns.
    #[error("{path} can't be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Writes tables of the same columns one after another; the file appears when it is finished.
pub struct TableWriter {
    path: PathBuf,
    form: Form,
    beside: Beside,
    sink: Option<Sink>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Parquet,
    Csv,
    JsonLines,
    Ipc,
}

type Out = BufWriter<File>;

enum Sink {
    Parquet(Box<ParquetSink<Out>>),
    Csv(polars::io::csv::write::BatchedWriter<Out>),
    JsonLines(Out),
    Ipc(polars::io::ipc::BatchedWriter<Out>),
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("path", &self.path).field("form", &self.form).finish_non_exhaustive()
    }
}

impl TableWriter {
    /// Starts a file whose form its ending tells.
    ///
    /// # Errors
    /// [`TableError`] for another ending, or where the folder can't be written to.
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let form = form_of(path)?;
        let beside = Beside::create(path)
            .map_err(|cause| TableError::Write { path: path.to_owned(), cause: Box::new(cause) })?;
        Ok(Self { path: path.to_owned(), form, beside, sink: None })
    }

    /// Adds rows; in Parquet, one row group.
    ///
    /// # Errors
    /// [`TableError::Write`] where the columns differ from the first table's, or the disk fails.
    pub fn append(&mut self, table: &Table) -> Result<(), TableError> {
        self.append_all(std::slice::from_ref(table))
    }

    /// Adds the rows of several tables, as if they were one.
    ///
    /// # Errors
    /// [`TableError::Write`] where the columns differ from each other or from the first table's, or the disk fails.
    pub fn append_all(&mut self, tables: &[Table]) -> Result<(), TableError> {
        self.append_rows(tables).map_err(|cause| TableError::Write { path: self.path.clone(), cause })
    }

    /// Begins to bring to the disk what was added, so that less is left to wait for at the end.
    ///
    /// # Errors
    /// [`TableError::Write`] where the disk fails.
    pub(crate) fn begin_sync(&mut self) -> Result<(), TableError> {
        let path = &self.path;
        self.beside.begin_sync().map_err(|cause| TableError::Write { path: path.clone(), cause: Box::new(cause) })
    }

    /// Puts the file in its place, readable by all as a new file would be.
    ///
    /// # Errors
    /// [`TableError::Write`] where the disk fails; nothing is left behind then.
    pub fn finish(mut self) -> Result<(), TableError> {
        let path = self.path.clone();
        let failed = |cause: Box<dyn std::error::Error + Send + Sync>| TableError::Write { path: path.clone(), cause };
        match self.sink.take() {
            Some(Sink::Parquet(sink)) => sink.finish().map_err(|cause| failed(cause.into()))?,
            Some(Sink::Csv(mut sink)) => sink.finish().map_err(|cause| failed(cause.into()))?,
            Some(Sink::JsonLines(mut sink)) => sink.flush().map_err(|cause| failed(cause.into()))?,
            Some(Sink::Ipc(mut sink)) => sink.finish().map_err(|cause| failed(cause.into()))?,
            None => {}
        }
        self.beside.finish().map_err(|cause| failed(cause.into()))
    }

    fn append_rows(&mut self, tables: &[Table]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let Some(first) = tables.first() else { return Ok(()) };
        if self.sink.is_none() {
            self.sink = Some(self.open_sink(first)?);
        }
        match &mut self.sink {
            Some(Sink::Parquet(sink)) => sink.append(tables)?,
            Some(Sink::Csv(sink)) => sink.write_batch(&frame_of_all(tables)?)?,
            Some(Sink::Ipc(sink)) => sink.write_batch(&frame_of_all(tables)?)?,
            Some(Sink::JsonLines(out)) => tables.iter().try_for_each(|table| write_json_lines(table, out))?,
            None => {}
        }
        Ok(())
    }

    fn open_sink(&self, first: &Table) -> Result<Sink, Box<dyn std::error::Error + Send + Sync>> {
        let out = BufWriter::new(self.beside.file().try_clone()?);
        let frame = || frame_of(&first.without_rows());
        Ok(match self.form {
            Form::Parquet => Sink::Parquet(Box::new(ParquetSink::create(out, first)?)),
            Form::Csv => Sink::Csv(CsvWriter::new(out).batched(frame()?.schema())?),
            Form::Ipc => {
                let frame = frame()?;
                // The footer has the columns that have an entry here; ours have neither children nor dictionaries.
                let fields = std::iter::repeat_with(Default::default).take(frame.width()).collect();
                Sink::Ipc(IpcWriter::new(out).batched(frame.schema(), fields)?)
            }
            Form::JsonLines => Sink::JsonLines(out),
        })
    }
}

/// Whether a table could be written to `path`, so that long work for nothing is refused before it begins.
///
/// # Errors
/// [`TableError::UnknownForm`] or [`TableError::NoFolder`].
pub fn check_output(path: &Path) -> Result<(), TableError> {
    form_of(path).map(|_| ())
}

/// As [`check_output`], for a text file.
///
/// # Errors
/// [`TableError::NoFolder`].
pub fn check_text_output(path: &Path) -> Result<(), TableError> {
    check_folder(path)
}

fn form_of(path: &Path) -> Result<Form, TableError> {
    let form = match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => Form::Parquet,
        Some("csv") => Form::Csv,
        Some("jsonl" | "ndjson") => Form::JsonLines,
        Some("arrow" | "ipc" | "feather") => Form::Ipc,
        _ => return Err(TableError::UnknownForm(path.to_owned())),
    };
    check_folder(path)?;
    Ok(form)
}

fn check_folder(path: &Path) -> Result<(), TableError> {
    let folder = folder_of(path);
    if folder.is_dir() {
        return Ok(());
    }
    Err(TableError::NoFolder { path: path.to_owned(), folder: folder.to_owned() })
}

/// Writes one table as one file.
///
/// # Errors
/// As [`TableWriter`].
pub fn write_table(table: &Table, path: &Path) -> Result<(), TableError> {
    let mut writer = TableWriter::create(path)?;
    writer.append(table)?;
    writer.finish()
}

/// Writes a text file.
///
/// # Errors
/// [`TableError::NoFolder`] or [`TableError::Write`]; nothing is left behind then.
pub fn write_text(text: &str, path: &Path) -> Result<(), TableError> {
    check_folder(path)?;
    write_beside(path, text.as_bytes())
        .map_err(|cause| TableError::Write { path: path.to_owned(), cause: Box::new(cause) })
}

fn frame_of_all(tables: &[Table]) -> PolarsResult<DataFrame> {
    let mut frames = tables.iter().map(frame_of);
    let mut frame = frames.next().transpose()?.unwrap_or_default();
    frames.try_for_each(|more| frame.vstack_mut_owned(more?).map(|_| ()))?;
    frame.rechunk_mut_par();
    Ok(frame)
}

/// The table, as polars has it.
pub(crate) fn frame_of(table: &Table) -> PolarsResult<DataFrame> {
    let columns = table.columns.iter().map(|(name, column)| {
        let name: PlSmallStr = name.as_str().into();
        let series = match column {
            TableColumn::Text(values) => Series::new(name, values),
            TableColumn::Coded(values) => {
                let mut texts = StringChunkedBuilder::new(name, values.len());
                values.values().for_each(|text| texts.append_option(text));
                texts.finish().into_series()
            }
            TableColumn::Keyed(values) => {
                let (places, texts) = KeyedText::made(&[values]);
                let texts = places.iter().map(|place| place.map(|place| texts.get(place as usize)));
                StringChunked::from_iter_options(name, texts).into_series()
            }
            TableColumn::Int(values) => Series::new(name, values),
            TableColumn::Float(values) => {
                let present = values.iter().map(|value| value.filter(|x| !x.is_nan()));
                Float64Chunked::from_iter_options(name, present).into_series()
            }
            TableColumn::Float32(values) => {
                let present = values.iter().map(|&x| (!x.is_nan()).then_some(x));
                Float32Chunked::from_iter_options(name, present).into_series()
            }
            TableColumn::Date(values) => {
                let days: Vec<Option<i32>> = values.iter().map(|date| date.map(bellwether_core::Date::days)).collect();
                Series::new(name, days).cast(&DataType::Date)?
            }
            TableColumn::Bool(values) => Series::new(name, values),
        };
        Ok(series.into_column())
    });
    DataFrame::new_infer_height(columns.collect::<PolarsResult<Vec<_>>>()?)
}

fn write_json_lines(table: &Table, out: &mut Out) -> std::io::Result<()> {
    for row in 0..table.n_rows() {
        let fields = table.columns.iter().map(|(name, column)| (name.clone(), json_value(column, row)));
        serde_json::to_writer(&mut *out, &fields.collect::<serde_json::Map<_, _>>())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn json_value(column: &TableColumn, row: usize) -> serde_json::Value {
    match column {
        TableColumn::Text(values) => values[row].clone().into(),
        TableColumn::Coded(values) => values.get(row).into(),
        TableColumn::Keyed(values) => values.get(row).into(),
        TableColumn::Int(values) => values[row].into(),
        TableColumn::Float(values) => values[row].filter(|x| x.is_finite()).into(),
        TableColumn::Float32(values) => Some(values[row]).filter(|x| x.is_finite()).into(),
        TableColumn::Date(values) => values[row].map(|date| date.to_string()).into(),
        TableColumn::Bool(values) => values[row].into(),
    }
}
