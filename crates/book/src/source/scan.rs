//! Files to lazy frames with one type a use.

use std::ops::Range;
use std::path::Path;

use polars::prelude::*;
use toml::Spanned;

use crate::BookError;
use crate::config::{BookFile, Condition, Derivation, Derived, Paths, Source};
use crate::sentiment::compound;

use super::load::ColumnUse;

/// The lazy frame of a source's files, with its columns' types and its path for messages.
pub(crate) struct Scan {
    pub(crate) frame: LazyFrame,
    pub(crate) schema: SchemaRef,
    pub(super) path: String,
    pub(super) name: String,
}

/// Which rows of a source's files are read, told by their numbers from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rows {
    All,
    /// All, with their numbers in the column [`NUMBER`].
    Numbered,
    /// Stretches, rising and apart.
    Runs(Vec<Range<u32>>),
}

pub(super) const NUMBER: &str = "\u{1}number";

pub(super) fn scan(file: &BookFile, name: &str, source: &Source, rows: &Rows) -> Result<Scan, BookError> {
    scan_in(file.path.parent().unwrap_or_else(|| Path::new(".")), name, source, rows)
}

/// As [`scan`], with the folder from which the source's paths go out.
pub(crate) fn scan_in(folder: &Path, name: &str, source: &Source, rows: &Rows) -> Result<Scan, BookError> {
    let listed: Vec<&String> = match source.path.get_ref() {
        Paths::One(path) => vec![path],
        Paths::Many(paths) => paths.iter().collect(),
    };
    let mut paths = Vec::new();
    for path in &listed {
        let full = folder.join(path);
        let is_glob = path.contains(['*', '?', '[']);
        if !is_glob && !full.is_file() {
            return Err(BookError::NoFile { source_name: name.into(), path: full.display().to_string() });
        }
        paths.push(PlRefPath::new(full.to_string_lossy()));
    }
    let shown = listed.iter().map(|path| folder.join(path).display().to_string()).collect::<Vec<_>>().join(", ");
    let read_error =
        |cause: PolarsError| BookError::Read { source_name: name.into(), path: shown.clone(), cause: Box::new(cause) };
    let ending = listed.first().map(|path| path.to_ascii_lowercase()).unwrap_or_default();
    let has = |endings: &[&str]| endings.iter().any(|known| ending.ends_with(known));
    let frame = if has(&[".csv", ".csv.gz", ".txt"]) {
        // Every column is read as a text, so that no guess from the first rows decides a type.
        LazyCsvReader::new_paths(paths.into())
            .with_infer_schema_length(Some(0))
            .with_separator(source.separator as u8)
            .with_glob(true)
            .finish()
    } else if has(&[".parquet"]) {
        LazyFrame::scan_parquet_files(paths.into(), ScanArgsParquet::default())
    } else if has(&[".arrow", ".ipc", ".feather"]) {
        LazyFrame::scan_ipc_sources(
            ScanSources::Paths(paths.into()),
            IpcScanOptions::default(),
            UnifiedScanArgs { glob: true, ..UnifiedScanArgs::default() },
        )
    } else {
        return Err(BookError::UnknownForm { source_name: name.into(), path: shown });
    };
    let mut frame = chosen(frame.map_err(read_error)?, rows).map_err(read_error)?;
    let schema = frame.collect_schema().map_err(read_error)?;
    let mut scan = Scan { frame, schema, path: shown, name: name.into() };
    for derived in &source.derived {
        let column = scan.derived(derived, source)?;
        scan.frame = scan.frame.with_column(column.alias(derived.name.get_ref().as_str()));
        scan.schema = scan.frame.collect_schema().map_err(|cause| scan.read_error(cause))?;
    }
    Ok(scan)
}

fn chosen(frame: LazyFrame, rows: &Rows) -> PolarsResult<LazyFrame> {
    match rows {
        Rows::All => Ok(frame),
        Rows::Numbered => Ok(frame.with_row_index(NUMBER, None)),
        Rows::Runs(runs) => match &runs[..] {
            [run] => Ok(frame.slice(run.start.into(), run.end - run.start)),
            runs => {
                let slices = runs.iter().map(|run| frame.clone().slice(run.start.into(), run.end - run.start));
                concat(slices.collect::<Vec<_>>(), UnionArgs::default())
            }
        },
    }
}

impl Scan {
    pub(super) fn read_error(&self, cause: PolarsError) -> BookError {
        BookError::Read { source_name: self.name.clone(), path: self.path.clone(), cause: Box::new(cause) }
    }

    /// The expression that reads `column` for a use; a value that can't serve fails the query.
    pub(crate) fn column(&self, column: &str, wanted: ColumnUse, source: &Source) -> Result<Expr, BookError> {
        let dtype = self.dtype(column)?;
        let text = || present_text(column, &source.null_values);
        let wrong = |wanted: &'static str| BookError::WrongType {
            path: self.path.clone(),
            column: column.into(),
            found: dtype.to_string(),
            wanted,
        };
        let is_text = dtype.is_string() || dtype.is_categorical() || dtype.is_enum();
        Ok(match wanted {
            ColumnUse::Key | ColumnUse::Text | ColumnUse::Value if is_text => text(),
            // An id that went through a float column is still a whole number.
            ColumnUse::Key if dtype.is_float() => col(column).strict_cast(DataType::Int64).cast(DataType::String),
            ColumnUse::Key if dtype.is_integer() => col(column).cast(DataType::String),
            ColumnUse::Key => return Err(wrong("a text or a whole number")),
            ColumnUse::Text if dtype.is_primitive_numeric() || dtype.is_bool() => col(column).cast(DataType::String),
            ColumnUse::Text | ColumnUse::Value => return Err(wrong("a text, a number or a truth value")),
            ColumnUse::Number if is_text => number_of_text(&text()),
            ColumnUse::Number if dtype.is_primitive_numeric() || dtype.is_bool() => col(column).cast(DataType::Float64),
            ColumnUse::Number => return Err(wrong("a number or a truth value")),
            ColumnUse::Date | ColumnUse::DateAsNumber => {
                let date = match dtype {
                    DataType::Date | DataType::Datetime(..) => col(column).cast(DataType::Date),
                    dtype if is_text || dtype.is_integer() => {
                        let text = if is_text { text() } else { col(column).cast(DataType::String) };
                        date_of_text(text, &source.date_format)
                    }
                    _ => return Err(wrong("a date, a time, or a text in the source's date_format")),
                };
                let days = date.cast(DataType::Int32);
                if wanted == ColumnUse::Date { days } else { days.cast(DataType::Float64) }
            }
        })
    }

    /// The expression of a derived column: a number, null where it is missing.
    fn derived(&self, derived: &Derived, source: &Source) -> Result<Expr, BookError> {
        let column = |column: &Spanned<String>, wanted| self.column(column.get_ref(), wanted, source);
        let both = |[a, b]: &[Spanned<String>; 2], wanted| Ok((column(a, wanted)?, column(b, wanted)?));
        match derived.derivation().expect("the configuration was checked") {
            Derivation::Product(factors) => {
                let factors = factors.iter().map(|factor| column(factor, ColumnUse::Number));
                let factors: Result<Vec<Expr>, BookError> = factors.collect();
                Ok(factors?.into_iter().reduce(|product, factor| product * factor).expect("it has a factor"))
            }
            Derivation::Quotient(columns) => {
                let (dividend, divisor) = both(columns, ColumnUse::Number)?;
                Ok(when(divisor.clone().neq(lit(0.0))).then(dividend / divisor).otherwise(lit(NULL)))
            }
            Derivation::Difference(columns) => both(columns, ColumnUse::Number).map(|(from, what)| from - what),
            Derivation::DaysBetween(columns) => both(columns, ColumnUse::DateAsNumber).map(|(from, to)| to - from),
            Derivation::Sentiment(text) => {
                let score = |texts: Column| {
                    let scores: Float64Chunked = texts.str()?.iter().map(|text| text.map(compound)).collect();
                    Ok(scores.with_name(texts.name().clone()).into_column())
                };
                let number = |_: &Schema, field: &Field| Ok(Field::new(field.name().clone(), DataType::Float64));
                Ok(column(text, ColumnUse::Text)?.map(score, number))
            }
        }
    }

    /// The column as it stands in the file, for texts that are trimmed and read once a distinct one; `None` where it
    /// holds no texts.
    pub(crate) fn raw_text(&self, column: &str) -> Option<Expr> {
        self.schema.get(column).filter(|dtype| dtype.is_string()).map(|_| col(column))
    }

    /// Whether the column holds numbers or truth values.
    pub(super) fn has_numbers(&self, column: &str) -> bool {
        self.schema.get(column).is_some_and(|dtype| dtype.is_primitive_numeric() || dtype.is_bool())
    }

    fn dtype(&self, column: &str) -> Result<DataType, BookError> {
        self.schema.get(column).cloned().ok_or_else(|| {
            let mut known: Vec<String> = self.schema.iter_names().map(ToString::to_string).collect();
            known.sort_by_key(|name| (strsim::levenshtein(column, name), name.clone()));
            BookError::NoColumn {
                source_name: self.name.clone(),
                path: self.path.clone(),
                column: column.into(),
                known,
            }
        })
    }

    /// The expression of a condition; a null does not meet it.
    pub(super) fn condition(&self, condition: &Condition, source: &Source) -> Result<Expr, BookError> {
        if condition.is_numeric() {
            let number = self.column(&condition.column, ColumnUse::Number, source)?;
            let least = condition.at_least.map(|least| number.clone().gt_eq(lit(least)));
            let most = condition.at_most.map(|most| number.clone().lt_eq(lit(most)));
            return Ok(least.into_iter().chain(most).reduce(Expr::and).unwrap_or_else(|| number.is_not_null()));
        }
        let text = self.column(&condition.column, ColumnUse::Text, source)?;
        let is = |listed: &String| text.clone().eq(lit(listed.as_str()));
        let mut holds = text.clone().is_not_null();
        if let Some(any) = condition.r#in.iter().map(is).reduce(Expr::or) {
            holds = holds.and(any);
        }
        for listed in &condition.not_in {
            holds = holds.and(is(listed).not());
        }
        Ok(holds)
    }
}

/// The text without blanks around it; null where it is empty or means missing.
fn present_text(column: &str, null_values: &[String]) -> Expr {
    let text = col(column).cast(DataType::String).str().strip_chars(lit(NULL));
    let present = null_values
        .iter()
        .map(|null| null.trim())
        .chain([""])
        .map(|null| text.clone().neq(lit(null.to_owned())))
        .reduce(Expr::and)
        .expect("the empty text is always there");
    when(present).then(text).otherwise(lit(NULL).cast(DataType::String))
}

fn number_of_text(text: &Expr) -> Expr {
    let is = |word: &'static str| text.clone().str().to_lowercase().eq(lit(word));
    let number = when(is("true").or(is("false"))).then(lit(NULL)).otherwise(text.clone());
    when(is("true")).then(lit(1.0)).when(is("false")).then(lit(0.0)).otherwise(number.strict_cast(DataType::Float64))
}

fn date_of_text(text: Expr, format: &str) -> Expr {
    let options = StrptimeOptions { format: Some(format.into()), strict: true, exact: true, cache: true };
    let has_time = ["%H", "%I", "%T", "%R", "%c"].iter().any(|part| format.contains(part));
    if has_time {
        let micros = Some(TimeUnit::Microseconds);
        text.str().to_datetime(micros, None, options, lit("raise")).cast(DataType::Date)
    } else {
        text.str().to_date(options)
    }
}
