//! Streams a source's needed columns into memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bellwether_core::TextColumn;
use polars::prelude::*;

use crate::BookError;
use crate::config::{BookFile, Source};

use super::scan::{Rows, Scan, scan};

/// What a column is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ColumnUse {
    Key,
    Date,
    DateAsNumber,
    Number,
    Text,
    /// To tell values apart: as numbers where the column holds numbers, as texts otherwise.
    Value,
}

/// The columns of a source that features, targets and filters read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) columns: BTreeSet<(String, ColumnUse)>,
}

/// Rows as they came, before they are given to accounts and sorted.
#[derive(Debug, Default)]
pub(crate) struct LoadedRows {
    pub(super) account: Interner,
    pub(super) day: Vec<i32>,
    pub(super) end: Vec<i32>,
    pub(super) known: Vec<i32>,
    pub(super) numbers: Vec<Vec<f64>>,
    pub(super) texts: Vec<Interner>,
    pub(super) number_names: Vec<String>,
    pub(super) text_names: Vec<String>,
    /// Columns whose values are told apart as texts.
    pub(super) told_by_text: BTreeSet<String>,
    pub(super) path: String,
}

/// How many texts are recognised without looking them up; a power of two.
const LAST_CODES: usize = 64;

/// One of [`LAST_CODES`], for each view of a text.
const fn place_of(view: u128) -> usize {
    let mixed = (view as u64 ^ (view >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (64 - LAST_CODES.trailing_zeros())) as usize
}

/// Texts as codes in order of first sight. The map is only looked up, never walked.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    pub(super) codes: Vec<u32>,
    pub(super) texts: Vec<String>,
    /// Texts that mean missing; `None` where the texts are trimmed and checked already.
    nulls: Option<Vec<String>>,
    /// The code of each text as it was read, [`TextColumn::MISSING`] for one that means missing.
    code_of: PlHashMap<String, u32>,
}

impl Interner {
    pub(crate) fn with_nulls(nulls: Option<&[String]>) -> Self {
        let trimmed = |nulls: &[String]| nulls.iter().map(|null| null.trim().to_owned()).collect();
        Self { nulls: nulls.map(trimmed), ..Self::default() }
    }

    /// The texts by code.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Keeps a column's codes.
    fn append(&mut self, column: &StringChunked) {
        let mut codes = std::mem::take(&mut self.codes);
        codes.reserve(column.len());
        self.each_code(column, |code| codes.push(code));
        self.codes = codes;
    }

    /// The code of each text of a column; [`TextColumn::MISSING`] for one that means missing.
    pub(crate) fn each_code(&mut self, column: &StringChunked, mut take: impl FnMut(u32)) {
        for (chunk, array) in column.downcast_iter().zip(column.chunks()) {
            let validity = array.validity();
            // Files are mostly sorted by account, or have few texts: one of the last codes is mostly the right one.
            // Within a chunk, equal views are equal texts.
            let mut last = [None; LAST_CODES];
            for (row, view) in chunk.views().iter().enumerate() {
                if validity.is_some_and(|validity| !validity.get_bit(row)) {
                    take(TextColumn::MISSING);
                    continue;
                }
                let view = view.as_u128();
                let last = &mut last[place_of(view)];
                let code = match *last {
                    Some((known, code)) if known == view => code,
                    _ => {
                        let text = chunk.value(row);
                        let code = self.code_of.get(text).copied().unwrap_or_else(|| self.learn(text));
                        *last = Some((view, code));
                        code
                    }
                };
                take(code);
            }
        }
    }

    fn learn(&mut self, text: &str) -> u32 {
        let code = match &self.nulls {
            None => self.new_code(text),
            Some(nulls) => {
                let trimmed = text.trim();
                if trimmed.is_empty() || nulls.iter().any(|null| null == trimmed) {
                    TextColumn::MISSING
                } else if trimmed.len() == text.len() {
                    self.new_code(text)
                } else {
                    let trimmed = trimmed.to_owned();
                    self.code_of.get(&trimmed).copied().unwrap_or_else(|| {
                        let code = self.new_code(&trimmed);
                        self.code_of.insert(trimmed, code);
                        code
                    })
                }
            }
        };
        self.code_of.insert(text.to_owned(), code);
        code
    }

    fn new_code(&mut self, text: &str) -> u32 {
        self.texts.push(text.to_owned());
        self.texts.len() as u32 - 1
    }
}

pub(super) const ACCOUNT: &str = "\u{1}account";
pub(super) const DAY: &str = "\u{1}day";
const END: &str = "\u{1}end";
const KNOWN: &str = "\u{1}known";
const KEY: &str = "\u{1}key";
const VIA_DAY: &str = "\u{1}via";

/// Reads the needed columns of `rows` of source `name` in one streaming pass.
pub(crate) fn load(file: &BookFile, name: &str, needs: &Needs, rows: &Rows) -> Result<LoadedRows, BookError> {
    let source = &file.config.sources[name];
    let scan = scan(file, name, source, rows)?;
    let told_by_text = needs.told_by_text(&scan);
    let needs = &needs.for_types_of(&scan);
    let plan = plan(file, source, &scan, Some(needs))?;
    let nulls = |column: &String| scan.raw_text(column).map(|_| &source.null_values[..]);
    let empty = LoadedRows {
        account: account_interner(&scan, source),
        path: scan.path.clone(),
        number_names: needs.numbers().map(|(name, _)| name.clone()).collect(),
        text_names: needs.texts().map(|(name, _)| name.clone()).collect(),
        numbers: needs.numbers().map(|_| Vec::new()).collect(),
        texts: needs.texts().map(|(name, _)| Interner::with_nulls(nulls(name))).collect(),
        told_by_text,
        ..LoadedRows::default()
    };
    // A bad value is told by its row's number in the whole source, whichever rows are read here.
    let bad_value = || -> Result<Option<BookError>, BookError> {
        let whole = super::scan::scan(file, name, source, &Rows::All)?;
        Ok(super::finish::first_bad_value(&whole, source, needs))
    };
    let loaded = match stream(plan, empty, LoadedRows::append) {
        Ok(loaded) => loaded,
        Err(cause) => return Err(bad_value()?.unwrap_or_else(|| scan.read_error(cause))),
    };
    // Some accounts may have no row; whether the source has any was asked of the whole.
    if *rows == Rows::All && loaded.n_rows() == 0 && !source.may_be_empty {
        let why = if source.filter.is_empty() { "" } else { " that meets its filter" };
        return Err(BookError::Empty { source_name: scan.name.clone(), path: loaded.path, why });
    }
    if has_bad_value(&loaded, source)
        && let Some(error) = bad_value()?
    {
        return Err(error);
    }
    Ok(loaded)
}

/// Runs a plan and gives its batches, in order, to `append`.
pub(crate) fn stream<S: Send + 'static>(
    plan: LazyFrame,
    state: S,
    append: fn(&mut S, &DataFrame) -> PolarsResult<()>,
) -> PolarsResult<S> {
    let state = Arc::new(Mutex::new(Some(state)));
    let sink = Arc::clone(&state);
    let take = move |batch: DataFrame| {
        let mut state = sink.lock().map_err(|_| polars_err!(ComputeError: "a reading thread failed"))?;
        append(state.as_mut().expect("taken after the last batch"), &batch)?;
        Ok(false)
    };
    plan.sink_batches(PlanCallback::new(take), true, None)
        .and_then(|sink| sink.collect_with_engine(Engine::Streaming))?;
    let state = state.lock().expect("no reading thread failed").take();
    Ok(state.expect("put there above"))
}

/// For the accounts of a source: texts are trimmed here where the plan gives them as they stand in the file.
pub(super) fn account_interner(scan: &Scan, source: &Source) -> Interner {
    let own = source.account.as_ref().filter(|_| source.account_via.is_none());
    let raw = own.and_then(|column| scan.raw_text(column.get_ref()));
    Interner::with_nulls(raw.map(|_| &source.null_values[..]))
}

impl Needs {
    /// The same with numbers or texts for values.
    fn for_types_of(&self, scan: &Scan) -> Self {
        let read_as = |(column, wanted): &(String, ColumnUse)| {
            let wanted = match wanted {
                ColumnUse::Value if scan.has_numbers(column) => ColumnUse::Number,
                ColumnUse::Value => ColumnUse::Text,
                wanted => *wanted,
            };
            (column.clone(), wanted)
        };
        Self { columns: self.columns.iter().map(read_as).collect() }
    }

    /// Columns whose values are told apart as texts, whatever else they are read for.
    fn told_by_text(&self, scan: &Scan) -> BTreeSet<String> {
        let is_it = |(column, wanted): &&(String, ColumnUse)| *wanted == ColumnUse::Value && !scan.has_numbers(column);
        self.columns.iter().filter(is_it).map(|(column, _)| column.clone()).collect()
    }

    /// Columns kept as numbers, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &(String, ColumnUse)> {
        self.columns.iter().filter(|(_, wanted)| *wanted != ColumnUse::Text)
    }

    /// Columns kept as texts, in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = &(String, ColumnUse)> {
        self.columns.iter().filter(|(_, wanted)| *wanted == ColumnUse::Text)
    }
}

/// The query that gives account and dates of the rows that meet the source's filter, and the columns of `needs`; without
/// `needs`, only account and day, and the rows' numbers where the scan has them.
pub(super) fn plan(
    file: &BookFile,
    source: &Source,
    scan: &Scan,
    needs: Option<&Needs>,
) -> Result<LazyFrame, BookError> {
    let mut frame = scan.frame.clone();
    for condition in &source.filter {
        frame = frame.filter(scan.condition(condition, source)?);
    }
    let mut columns = Vec::new();
    let mut via_day = false;
    let account = match (&source.account, &source.account_via) {
        (_, Some(via)) => {
            let other_name = via.source.get_ref();
            let other_source = &file.config.sources[other_name.as_str()];
            let other = super::scan::scan(file, other_name, other_source, &Rows::All)?;
            let on = via.on.get_ref().as_str();
            let account = other_source.account.as_ref().map_or("", |column| column.get_ref());
            let key = other.column(on, ColumnUse::Key, other_source)?.alias(KEY);
            let mut looked_up = vec![key, other.column(account, ColumnUse::Key, other_source)?.alias(ACCOUNT)];
            if let Some(date) = &other_source.date {
                let day = other.column(date.get_ref(), ColumnUse::Date, other_source)?;
                let known = other_source.known_at.as_ref();
                let known =
                    known.map(|column| other.column(column.get_ref(), ColumnUse::Date, other_source)).transpose()?;
                looked_up.push(known.map_or_else(|| day.clone(), |known| later(&day, &known)).alias(VIA_DAY));
            }
            let names: Vec<Expr> =
                [ACCOUNT, VIA_DAY][..looked_up.len() - 1].iter().map(|name| col(*name).min()).collect();
            let keys = other.frame.clone().select(looked_up).group_by([col(KEY)]).agg(names);
            let key = scan.column(on, ColumnUse::Key, source)?;
            via_day = other_source.date.is_some();
            frame = frame.join(keys, [key], [col(KEY)], JoinArgs::new(JoinType::Left));
            col(ACCOUNT)
        }
        (Some(account), None) => match scan.raw_text(account.get_ref()) {
            Some(raw) => raw,
            None => scan.column(account.get_ref(), ColumnUse::Key, source)?,
        },
        (None, None) => unreachable!("the configuration was checked"),
    };
    columns.push(account.alias(ACCOUNT));
    let dates = [(DAY, &source.date), (END, &source.end), (KNOWN, &source.known_at)];
    for (alias, column) in dates {
        if let Some(column) = column
            && !(via_day && alias == KNOWN)
            && (needs.is_some() || alias == DAY)
        {
            columns.push(scan.column(column.get_ref(), ColumnUse::Date, source)?.alias(alias));
        }
    }
    let Some(needs) = needs else {
        columns.extend(scan.schema.contains(super::scan::NUMBER).then(|| col(super::scan::NUMBER)));
        return Ok(frame.select(columns));
    };
    if via_day {
        // Whose row it is can't be known before the row that says so.
        let own = source.known_at.as_ref().or(source.date.as_ref());
        let own = own.map(|column| scan.column(column.get_ref(), ColumnUse::Date, source)).transpose()?;
        columns.push(own.map_or_else(|| col(VIA_DAY), |own| later(&col(VIA_DAY), &own)).alias(KNOWN));
    }
    for (column, wanted) in &needs.columns {
        let raw = (*wanted == ColumnUse::Text).then(|| scan.raw_text(column)).flatten();
        let read = raw.map_or_else(|| scan.column(column, *wanted, source), Ok)?;
        columns.push(read.alias(alias_of(column, *wanted)));
    }
    Ok(frame.select(columns))
}

/// The later of two days; the second where the first is missing.
fn later(a: &Expr, b: &Expr) -> Expr {
    when(a.clone().gt(b.clone())).then(a.clone()).otherwise(b.clone())
}

fn alias_of(column: &str, wanted: ColumnUse) -> String {
    format!("\u{1}{wanted:?}\u{1}{column}")
}

impl LoadedRows {
    fn append(&mut self, batch: &DataFrame) -> PolarsResult<()> {
        self.account.append(batch.column(ACCOUNT)?.str()?);
        let dates =
            [(DAY, &mut self.day, i32::MIN), (END, &mut self.end, i32::MAX), (KNOWN, &mut self.known, i32::MIN)];
        for (alias, into, missing) in dates {
            if let Ok(column) = batch.column(alias) {
                extend(into, column.i32()?, missing);
            }
        }
        for (column, into) in self.number_names.iter().zip(&mut self.numbers) {
            let named = |wanted| batch.column(&alias_of(column, wanted));
            let values = named(ColumnUse::Number).or_else(|_| named(ColumnUse::DateAsNumber))?;
            extend(into, values.f64()?, f64::NAN);
        }
        for (column, into) in self.text_names.iter().zip(&mut self.texts) {
            into.append(batch.column(&alias_of(column, ColumnUse::Text))?.str()?);
        }
        Ok(())
    }

    /// The accounts' ids, in order of first sight.
    pub(crate) fn accounts(&self) -> &[String] {
        &self.account.texts
    }

    pub(super) fn n_rows(&self) -> usize {
        self.account.codes.len()
    }

    /// Keeps the rows for which `keep` says so.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        fn kept<T: Copy>(values: &mut Vec<T>, keep: &[bool]) {
            let mut at = 0;
            values.retain(|_| {
                at += 1;
                keep[at - 1]
            });
        }
        kept(&mut self.account.codes, keep);
        for days in [&mut self.day, &mut self.end, &mut self.known] {
            kept(days, keep);
        }
        self.numbers.iter_mut().for_each(|values| kept(values, keep));
        self.texts.iter_mut().for_each(|texts| kept(&mut texts.codes, keep));
    }
}

/// Adds a column's values; a null becomes `missing`.
fn extend<T: PolarsNumericType>(into: &mut Vec<T::Native>, column: &ChunkedArray<T>, missing: T::Native) {
    for chunk in column.downcast_iter() {
        if chunk.validity().is_some() {
            into.extend(chunk.iter().map(|value| value.copied().unwrap_or(missing)));
        } else {
            into.extend_from_slice(chunk.values());
        }
    }
}

/// Whether some value that could be read breaks a rule.
fn has_bad_value(rows: &LoadedRows, source: &Source) -> bool {
    let missing_date = rows.day.contains(&i32::MIN) || rows.known.contains(&i32::MIN);
    // A feature is of single precision.
    let too_large = |value: &f64| value.abs() > f64::from(f32::MAX);
    let infinite = rows.numbers.iter().any(|values| values.iter().any(too_large));
    // Unmatched keys of `account_via` are orphans, not errors.
    let may_lack_account = source.drop_missing_account || source.account_via.is_some();
    let missing_account = !may_lack_account && rows.account.codes.contains(&TextColumn::MISSING);
    missing_date || infinite || missing_account
}

/// Number columns by name, for the finished rows.
pub(super) fn by_name<T>(names: Vec<String>, values: Vec<T>) -> BTreeMap<String, T> {
    names.into_iter().zip(values).collect()
}
