//! Feature files, read some rows at a time.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use bellwether_core::{AccountId, Date, RawColumn, RawTable, RawValues, RowKey, RowStatus, TextColumn};
use polars::prelude::*;
use toml::Spanned;

use super::needs::FeatureUse;
use super::{ACCOUNT, ARR, AS_OF, FeatureFileError, FeatureFileNeeds, SEGMENT, STATUS};
use crate::config::{Paths, Source, SourceKind};
use crate::scoring_rows::ScoringRows;
use crate::shard::Shard;
use crate::source::{ColumnUse, Interner, Needs, Rows, Scan, first_bad_value, scan_in, sorted_levels, stream};

/// Rows that are scored at a time.
const ROWS_AT_ONCE: NonZeroUsize = NonZeroUsize::new(1 << 13).expect("it is not 0");

/// Which rows of a feature file are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowChoice {
    /// Of this day only.
    pub as_of: Option<Date>,
    /// Of this share of the accounts only.
    pub shard: Option<Shard>,
}

/// A feature file whose columns were checked and whose keys were looked through.
pub struct FeatureFile {
    path: PathBuf,
    scan: Scan,
    source: Source,
    needs: FeatureFileNeeds,
    choice: RowChoice,
    n_rows: usize,
    days: (Date, Date),
    is_sorted: bool,
}

impl std::fmt::Debug for FeatureFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeatureFile").field("path", &self.path).field("choice", &self.choice).finish_non_exhaustive()
    }
}

impl FeatureFile {
    /// Checks the columns of a `.parquet`, `.csv`, `.csv.gz` or Arrow IPC file, and reads its keys.
    ///
    /// # Errors
    /// [`FeatureFileError`] for a column that is missing, of a wrong type, or that no feature file of the model has; for
    /// a row without account or day; and for a file without rows of the chosen day.
    pub fn open(path: &Path, needs: FeatureFileNeeds, choice: RowChoice) -> Result<Self, FeatureFileError> {
        if !path.is_file() {
            return Err(FeatureFileError::NoFile(path.to_owned()));
        }
        let source = source(path);
        let scan = scan_in(Path::new(""), "features", &source, &Rows::All);
        let scan = scan.map_err(|error| FeatureFileError::of_source(error, path))?;
        check_columns(path, &scan, &needs)?;
        let (n_rows, days, is_sorted) = (0, (Date::from_days(0), Date::from_days(0)), true);
        let mut file = Self { path: path.to_owned(), scan, source, needs, choice, n_rows, days, is_sorted };
        file.typed_columns()?;
        let seen = file.look_through()?;
        (file.n_rows, file.is_sorted) = (seen.n_chosen, seen.is_sorted);
        let (first, last) = seen.days.ok_or_else(|| FeatureFileError::Empty {
            path: path.to_owned(),
            on: choice.as_of.map_or_else(String::new, |day| format!(" of {day}")),
        })?;
        file.days = (Date::from_days(first), Date::from_days(last));
        Ok(file)
    }

    /// How many rows were chosen.
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// First and last day of the rows of the chosen day, whatever the share of accounts.
    pub const fn days(&self) -> (Date, Date) {
        self.days
    }

    /// Whether rows stand by account and day. Those that do not are sorted in memory, all at once.
    pub const fn is_sorted(&self) -> bool {
        self.is_sorted
    }

    /// Where it stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the chosen rows by account and day, without the first `skip` of them, some at a time and at least once.
    ///
    /// # Errors
    /// What `visit` gives; [`FeatureFileError`] for a value that can't serve, for a second row of an account and day, and
    /// where the file can't be read.
    pub fn each<E: From<FeatureFileError>>(
        &self,
        skip: usize,
        mut visit: impl FnMut(ScoringRows) -> Result<(), E>,
    ) -> Result<(), E> {
        let plan = self.plan(&self.typed_columns()?)?;
        let plan = if skip == 0 { plan } else { plan.slice(skip as i64, IdxSize::MAX) };
        let none = plan.clone().limit(0).collect().map_err(|cause| self.read_error(cause))?;
        let mut last: Option<RowKey> = None;
        let read = each_batch(plan, |batch| {
            let rows = self.rows(&batch)?;
            self.check_order(last.as_ref(), &rows.keys)?;
            last = rows.keys.last().cloned().or(last.take());
            visit(rows)
        });
        read.map_err(|cause| E::from(self.bad_value_or(cause)))??;
        if last.is_none() {
            visit(self.rows(&none)?)?;
        }
        Ok(())
    }

    /// The columns that are read, as expressions of one type a use: number features, then text features and segments, then
    /// what the book said.
    fn typed_columns(&self) -> Result<Vec<Expr>, FeatureFileError> {
        let mut columns = vec![self.key()?, self.day()?];
        for (name, wanted) in &self.needs.features {
            columns.push(match wanted {
                FeatureUse::Number => self.number(name)?,
                FeatureUse::Text => self.text(name)?,
            });
        }
        for segment in self.segments() {
            columns.push(self.text(&segment)?);
        }
        if self.has(STATUS) {
            columns.push(self.text(STATUS)?);
        }
        if self.has(ARR) {
            columns.push(self.column(ARR, ColumnUse::Number)?);
        }
        Ok(columns)
    }

    /// The columns of the segments that are read: those of cohorts, then further ones that the file has.
    fn segments(&self) -> Vec<String> {
        let column = |name: &String| format!("{SEGMENT}{name}");
        let further = self.needs.segments.iter().map(column).filter(|column| self.has(column));
        self.needs.cohort.iter().map(column).chain(further).collect()
    }

    /// The type of a column that is there.
    fn dtype(&self, column: &str) -> &DataType {
        self.scan.schema.get(column).expect("the columns were checked")
    }

    fn has(&self, column: &str) -> bool {
        self.scan.schema.contains(column)
    }

    fn column(&self, name: &str, wanted: ColumnUse) -> Result<Expr, FeatureFileError> {
        let column = self.scan.column(name, wanted, &self.source);
        column.map(|column| column.alias(name)).map_err(|error| FeatureFileError::of_source(error, &self.path))
    }

    /// Texts as they stand in the file: they are trimmed where they are read.
    fn key(&self) -> Result<Expr, FeatureFileError> {
        match self.scan.raw_text(ACCOUNT) {
            // Sorting needs them trimmed.
            Some(raw) if self.is_sorted => Ok(raw),
            _ => self.column(ACCOUNT, ColumnUse::Key),
        }
    }

    fn day(&self) -> Result<Expr, FeatureFileError> {
        self.column(AS_OF, ColumnUse::Date)
    }

    fn number(&self, name: &str) -> Result<Expr, FeatureFileError> {
        match self.dtype(name) {
            DataType::Float32 => Ok(col(name)),
            // Of some writers, a column without any value has no type.
            DataType::Null => Ok(col(name).cast(DataType::Float32)),
            _ => Ok(self.column(name, ColumnUse::Number)?.cast(DataType::Float32)),
        }
    }

    fn text(&self, name: &str) -> Result<Expr, FeatureFileError> {
        match self.dtype(name) {
            DataType::String => Ok(col(name)),
            DataType::Null => Ok(col(name).cast(DataType::String)),
            dtype if dtype.is_categorical() || dtype.is_enum() => Ok(col(name).cast(DataType::String)),
            other => Err(FeatureFileError::WrongType {
                path: self.path.clone(),
                column: name.to_owned(),
                found: other.to_string(),
                wanted: "a text",
            }),
        }
    }

    /// The chosen rows, by account and day.
    fn plan(&self, columns: &[Expr]) -> Result<LazyFrame, FeatureFileError> {
        let mut frame = self.of_day()?;
        if let Some(shard) = self.choice.shard {
            let is_in = move |ids: Column| {
                let is_in: BooleanChunked = ids.str()?.iter().map(|id| id.map(|id| shard.has(id.trim()))).collect();
                Ok(is_in.with_name(ids.name().clone()).into_column())
            };
            let truth = |_: &Schema, field: &Field| Ok(Field::new(field.name().clone(), DataType::Boolean));
            frame = frame.filter(self.key()?.map(is_in, truth));
        }
        let frame = frame.select(columns);
        let by_key = SortMultipleOptions::default();
        Ok(if self.is_sorted { frame } else { frame.sort([ACCOUNT, AS_OF], by_key) })
    }

    fn of_day(&self) -> Result<LazyFrame, FeatureFileError> {
        let frame = self.scan.frame.clone();
        let Some(day) = self.choice.as_of else { return Ok(frame) };
        Ok(frame.filter(self.day()?.eq(lit(day.days()))))
    }

    fn look_through(&self) -> Result<Seen, FeatureFileError> {
        let keys = self.of_day()?.select([self.key()?, self.day()?]);
        let seen = Seen { shard: self.choice.shard, is_sorted: true, ..Seen::default() };
        let seen = stream(keys, seen, Seen::look).map_err(|cause| self.bad_value_or(cause))?;
        if seen.lacks_key {
            return Err(self.bad_value_or(polars_err!(ComputeError: "a row has no account or no day")));
        }
        Ok(seen)
    }

    fn rows(&self, batch: &DataFrame) -> Result<ScoringRows, FeatureFileError> {
        let mut rows = self.decode(batch).map_err(|cause| self.bad_value_or(cause))?;
        rows.status = self.status(batch, &rows.keys)?;
        Ok(rows)
    }

    fn decode(&self, batch: &DataFrame) -> PolarsResult<ScoringRows> {
        let keys = keys(batch)?;
        let mut columns = Vec::new();
        for (name, wanted) in &self.needs.features {
            let column = batch.column(name)?;
            let values = match wanted {
                FeatureUse::Number => RawValues::Number(numbers(column)?),
                FeatureUse::Text => RawValues::Text(texts(column)?),
            };
            columns.push(RawColumn { name: name.clone(), values });
        }
        let helpers = columns.split_off(columns.len() - self.needs.n_helpers);
        let mut segments = Vec::new();
        for column in self.segments() {
            segments.push((column[SEGMENT.len()..].to_owned(), texts(batch.column(&column)?)?));
        }
        let arr = if self.has(ARR) {
            Some(batch.column(ARR)?.f64()?.iter().map(|arr| arr.unwrap_or(f64::NAN)).collect())
        } else {
            None
        };
        let cohort = segments[..self.needs.cohort.len()].to_vec();
        Ok(ScoringRows {
            status: Vec::new(),
            raw: RawTable { n_rows: keys.len(), columns, helpers, cohort },
            keys,
            segments,
            arr,
        })
    }

    fn status(&self, batch: &DataFrame, keys: &[RowKey]) -> Result<Vec<RowStatus>, FeatureFileError> {
        let Ok(column) = batch.column(STATUS) else { return Ok(vec![RowStatus::Scored; keys.len()]) };
        let of_book = [RowStatus::Scored, RowStatus::Churned, RowStatus::NotStarted];
        let status = |(text, key): (Option<&str>, &RowKey)| {
            let text = text.map_or("", str::trim);
            of_book.into_iter().find(|status| status.name() == text).ok_or_else(|| FeatureFileError::Status {
                path: self.path.clone(),
                account: key.account.to_string(),
                value: text.to_owned(),
            })
        };
        column.str().map_err(|cause| self.read_error(cause))?.iter().zip(keys).map(status).collect()
    }

    fn check_order(&self, last: Option<&RowKey>, keys: &[RowKey]) -> Result<(), FeatureFileError> {
        let pairs = last.into_iter().chain(keys).zip(last.map_or(keys.get(1..).unwrap_or_default(), |_| keys));
        for (before, key) in pairs {
            match before.cmp(key) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => {
                    let (account, as_of) = (key.account.to_string(), key.as_of);
                    return Err(FeatureFileError::Repeated { path: self.path.clone(), account, as_of });
                }
                std::cmp::Ordering::Greater => return Err(FeatureFileError::Changed(self.path.clone())),
            }
        }
        Ok(())
    }

    fn read_error(&self, cause: PolarsError) -> FeatureFileError {
        FeatureFileError::Read { path: self.path.clone(), cause: Box::new(cause) }
    }

    /// The first value that can't serve; else `cause`.
    fn bad_value_or(&self, cause: PolarsError) -> FeatureFileError {
        let wanted = |(name, wanted): &(String, FeatureUse)| {
            (name.clone(), if *wanted == FeatureUse::Number { ColumnUse::Number } else { ColumnUse::Value })
        };
        let needs = Needs { columns: self.needs.features.iter().map(wanted).collect() };
        match first_bad_value(&self.scan, &self.source, &needs) {
            Some(error) => FeatureFileError::of_source(error, &self.path),
            None => self.read_error(cause),
        }
    }
}

/// Gives the batches of a plan, in order, to `visit`, until it fails; the next one is read meanwhile. The outer error is
/// that of reading.
fn each_batch<E>(plan: LazyFrame, visit: impl FnMut(DataFrame) -> Result<(), E>) -> PolarsResult<Result<(), E>> {
    let (sender, batches) = sync_channel(1);
    let give = move |batch: DataFrame| {
        let nobody_takes_it = sender.send(batch).is_err();
        Ok(nobody_takes_it)
    };
    let plan = plan.sink_batches(PlanCallback::new(give), true, Some(ROWS_AT_ONCE))?;
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || plan.collect_with_engine(Engine::Streaming).map(|_| ()));
        let visited = batches.into_iter().try_for_each(visit);
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What was read before a bad value stands before it.
        if visited.is_err() { Ok(visited) } else { read.map(|()| Ok(())) }
    })
}

/// The file as a source whose rows are looked at one by one.
fn source(path: &Path) -> Source {
    let spanned = |text: &str| Some(Spanned::new(0..0, text.to_owned()));
    Source {
        kind: SourceKind::Snapshot,
        path: Spanned::new(0..0, Paths::One(path.to_string_lossy().into_owned())),
        account: spanned(ACCOUNT),
        account_via: None,
        date: spanned(AS_OF),
        end: None,
        known_at: None,
        date_format: "%Y-%m-%d".to_owned(),
        null_values: Vec::new(),
        separator: ',',
        filter: Vec::new(),
        derived: Vec::new(),
        may_be_empty: true,
        drop_missing_account: false,
    }
}

fn check_columns(path: &Path, scan: &Scan, needs: &FeatureFileNeeds) -> Result<(), FeatureFileError> {
    let names = || scan.schema.iter_names().map(PlSmallStr::as_str);
    let keys = [ACCOUNT, AS_OF].map(|name| (name.to_owned(), "a key of every row"));
    let is_missing = |(name, _): &(String, &str)| !scan.schema.contains(name);
    if let Some((column, what)) = keys.into_iter().chain(needs.required()).find(is_missing) {
        let distance = |name: &&str| strsim::levenshtein(&column, name);
        let nearest = names().min_by_key(|name| (distance(name), *name));
        let is_near = |name: &&str| distance(name) <= column.len() / 3;
        let nearest = nearest.filter(is_near).map(str::to_owned);
        return Err(FeatureFileError::NoColumn { path: path.to_owned(), column, what, nearest });
    }
    match needs.unknown(names()) {
        Some(column) => Err(FeatureFileError::UnknownColumn { path: path.to_owned(), column: column.to_owned() }),
        None => Ok(()),
    }
}

/// What a first pass over the keys found.
#[derive(Debug, Default)]
struct Seen {
    shard: Option<Shard>,
    n_chosen: usize,
    days: Option<(i32, i32)>,
    is_sorted: bool,
    lacks_key: bool,
    last: (String, i32),
}

impl Seen {
    fn look(&mut self, batch: &DataFrame) -> PolarsResult<()> {
        let (ids, days) = (batch.column(ACCOUNT)?.str()?, batch.column(AS_OF)?.i32()?);
        let mut last: Option<(&str, i32)> = None;
        for key in ids.iter().zip(days.iter()) {
            let (Some(id), Some(day)) = key else {
                self.lacks_key = true;
                continue;
            };
            let key = (id.trim(), day);
            self.lacks_key |= key.0.is_empty();
            let before = last.unwrap_or((self.last.0.as_str(), self.last.1));
            let follows = before <= key;
            self.is_sorted &= follows;
            self.n_chosen += usize::from(self.shard.is_none_or(|shard| shard.has(key.0)));
            self.days = Some(self.days.map_or((day, day), |(first, last)| (first.min(day), last.max(day))));
            last = Some(key);
        }
        if let Some((id, day)) = last {
            self.last = (id.to_owned(), day);
        }
        Ok(())
    }
}

fn keys(batch: &DataFrame) -> PolarsResult<Vec<RowKey>> {
    let (ids, days) = (batch.column(ACCOUNT)?.str()?, batch.column(AS_OF)?.i32()?);
    let key = |(id, day): (Option<&str>, Option<i32>)| match (id, day) {
        (Some(id), Some(day)) => Ok(RowKey { account: AccountId(id.trim().to_owned()), as_of: Date::from_days(day) }),
        _ => Err(polars_err!(ComputeError: "a row has no account or no day")),
    };
    ids.iter().zip(days.iter()).map(key).collect()
}

/// Numbers; NaN where null.
fn numbers(column: &Column) -> PolarsResult<Vec<f32>> {
    let column = column.f32()?;
    let mut numbers = Vec::with_capacity(column.len());
    for (chunk, array) in column.downcast_iter().zip(column.chunks()) {
        let first = numbers.len();
        numbers.extend_from_slice(chunk.values());
        if let Some(validity) = array.validity().filter(|validity| validity.unset_bits() > 0) {
            (!validity).true_idx_iter().for_each(|null| numbers[first + null] = f32::NAN);
        }
    }
    if numbers.iter().fold(false, |any, number| any | number.is_infinite()) {
        polars_bail!(ComputeError: "a number is infinite");
    }
    Ok(numbers)
}

/// Texts without blanks around them; missing where null or empty.
fn texts(column: &Column) -> PolarsResult<TextColumn> {
    let mut interner = Interner::with_nulls(Some(&[]));
    let mut codes = Vec::with_capacity(column.len());
    interner.each_code(column.str()?, |code| codes.push(code));
    Ok(sorted_levels(codes, interner.texts()))
}
