//! Loaded rows to finished ones: given to accounts, sorted by content, checked for keys; and the search for bad values.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use bellwether_core::{AccountId, Date, TextColumn};
use polars::prelude::*;
use rayon::prelude::*;

use crate::BookError;
use crate::config::{BookFile, Derivation, Derived, Source, SourceKind};

use super::SourceRows;
use super::load::{ColumnUse, LoadedRows, Needs, by_name};
use super::scan::{Rows, Scan, scan};

/// All accounts, sorted by id.
#[derive(Debug)]
pub(crate) struct Universe {
    pub(crate) ids: Vec<AccountId>,
    place_of: HashMap<String, u32>,
}

impl Universe {
    /// The accounts that are listed, each once.
    pub(crate) fn of(ids: &[String]) -> Self {
        let mut ids: Vec<AccountId> = ids.iter().cloned().map(AccountId).collect();
        ids.sort();
        Self::sorted(ids)
    }

    fn sorted(ids: Vec<AccountId>) -> Self {
        let place_of = (0_u32..).zip(&ids).map(|(place, id)| (id.0.clone(), place)).collect();
        Self { ids, place_of }
    }

    /// The place of an account that is listed.
    pub(crate) fn place_of(&self, id: &str) -> Option<u32> {
        self.place_of.get(id).copied()
    }
}

/// Gives rows to the accounts with places `of` and sorts them; rows of others are left out.
///
/// # Errors
/// [`BookError::Duplicate`] where a source that has one row a key has more.
pub(crate) fn finish(
    file: &BookFile,
    name: &str,
    mut rows: LoadedRows,
    universe: &Universe,
    of: &Range<usize>,
) -> Result<SourceRows, BookError> {
    let source = &file.config.sources[name];
    let places: Vec<Option<u32>> = rows.account.texts.iter().map(|id| universe.place_of(id)).collect();
    let n_orphans = rows.account.codes.iter().filter(|&&code| listed(&places, code).is_none()).count();
    let place = |code: u32| {
        let place = listed(&places, code).filter(|&place| of.contains(&(place as usize)))?;
        Some(place - of.start as u32)
    };
    let keep: Vec<bool> = rows.account.codes.iter().map(|&code| place(code).is_some()).collect();
    if keep.contains(&false) {
        rows.retain(&keep);
    }
    let account: Vec<u32> =
        rows.account.codes.iter().map(|&code| place(code).expect("rows without account were left out")).collect();
    let has_dates = source.date.is_some();
    if !has_dates {
        rows.day = vec![i32::MIN; account.len()];
    }
    if source.kind == SourceKind::Subscription && rows.end.is_empty() {
        rows.end = vec![i32::MAX; account.len()];
    }
    let texts: Vec<TextColumn> = rows.texts.into_iter().map(|texts| sorted_levels(texts.codes, &texts.texts)).collect();
    let order = canonical_order(&account, &rows.day, &rows.known, &rows.end, &rows.numbers, &texts);
    let reorder = Reorder(order);
    let account = reorder.apply(account);
    let mut finished = SourceRows {
        kind: source.kind,
        offsets: offsets(&account, of.len()),
        day: reorder.apply(rows.day),
        end: reorder.apply(rows.end),
        known: reorder.apply(rows.known),
        superseded: Vec::new(),
        numbers: by_name(rows.number_names, rows.numbers.into_iter().map(|values| reorder.apply(values)).collect()),
        texts: by_name(
            rows.text_names,
            texts.into_iter().map(|texts| TextColumn { codes: reorder.apply(texts.codes), ..texts }).collect(),
        ),
        told_by_text: rows.told_by_text,
        has_dates,
        n_orphans,
        path: rows.path,
    };
    check_keys(file, name, source, &finished, &universe.ids[of.clone()], &account)?;
    finished.superseded = superseded(&finished, &account);
    Ok(finished)
}

/// The place of the account with a code.
fn listed(places: &[Option<u32>], code: u32) -> Option<u32> {
    places.get(code as usize).copied().flatten()
}

/// The codes of texts in order of first sight, turned into codes of sorted levels. Texts that no row has any more are no
/// levels, so that these do not depend on what else was read.
pub(crate) fn sorted_levels(mut codes: Vec<u32>, texts: &[String]) -> TextColumn {
    let mut is_used = vec![false; texts.len()];
    for &code in codes.iter().filter(|&&code| code != TextColumn::MISSING) {
        is_used[code as usize] = true;
    }
    let mut order: Vec<u32> = (0..texts.len() as u32).filter(|&code| is_used[code as usize]).collect();
    order.sort_by(|&a, &b| texts[a as usize].cmp(&texts[b as usize]));
    let mut rank = vec![0_u32; texts.len()];
    for (new, &old) in (0_u32..).zip(&order) {
        rank[old as usize] = new;
    }
    for code in &mut codes {
        *code = rank.get(*code as usize).copied().unwrap_or(TextColumn::MISSING);
    }
    TextColumn { codes, levels: order.iter().map(|&old| texts[old as usize].clone()).collect() }
}

const ROWS_A_TASK: usize = 1 << 16;

/// Row numbers by account, day, known day, end and content; `None` where the rows stand so already.
fn canonical_order(
    account: &[u32],
    day: &[i32],
    known: &[i32],
    end: &[i32],
    numbers: &[Vec<f64>],
    texts: &[TextColumn],
) -> Option<Vec<u32>> {
    let compare = |a: usize, b: usize| {
        let by_time = |days: &[i32]| if days.is_empty() { Ordering::Equal } else { days[a].cmp(&days[b]) };
        (account[a].cmp(&account[b]))
            .then_with(|| day[a].cmp(&day[b]))
            .then_with(|| by_time(known))
            .then_with(|| by_time(end))
            .then_with(|| {
                let by_numbers = numbers.iter().map(|values| values[a].total_cmp(&values[b]));
                let by_texts = texts.iter().map(|texts| texts.codes[a].cmp(&texts.codes[b]));
                by_numbers.chain(by_texts).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            })
    };
    if (1..account.len()).into_par_iter().with_min_len(ROWS_A_TASK).all(|row| compare(row - 1, row).is_le()) {
        return None;
    }
    let mut order: Vec<u32> = (0..account.len() as u32).collect();
    order.par_sort_unstable_by(|&a, &b| compare(a as usize, b as usize));
    Some(order)
}

struct Reorder(Option<Vec<u32>>);

impl Reorder {
    fn apply<T: Copy>(&self, values: Vec<T>) -> Vec<T> {
        match &self.0 {
            Some(order) if !values.is_empty() => order.iter().map(|&row| values[row as usize]).collect(),
            _ => values,
        }
    }
}

/// When each row is replaced: a state of an account and day by the next version of it that becomes known.
fn superseded(rows: &SourceRows, account: &[u32]) -> Vec<i32> {
    let is_state = matches!(rows.kind, SourceKind::Snapshot | SourceKind::Attribute);
    if !is_state || rows.known.is_empty() {
        return Vec::new();
    }
    let next_version = |row: usize| {
        let next = row + 1;
        let is_version = next < account.len() && account[next] == account[row] && rows.day[next] == rows.day[row];
        if is_version { rows.known[next] } else { i32::MAX }
    };
    (0..account.len()).map(next_version).collect()
}

fn offsets(account: &[u32], n_accounts: usize) -> Vec<usize> {
    let mut offsets = vec![0; n_accounts + 1];
    for &place in account {
        offsets[place as usize + 1] += 1;
    }
    for place in 0..n_accounts {
        offsets[place + 1] += offsets[place];
    }
    offsets
}

fn check_keys(
    file: &BookFile,
    name: &str,
    source: &Source,
    rows: &SourceRows,
    ids: &[AccountId],
    account: &[u32],
) -> Result<(), BookError> {
    let kind = match source.kind {
        SourceKind::Snapshot => "snapshot",
        SourceKind::Attribute => "attribute",
        SourceKind::Labelled => "labelled",
        SourceKind::Event | SourceKind::Subscription => return Ok(()),
    };
    let same = |a: usize, b: usize| {
        account[a] == account[b] && rows.day[a] == rows.day[b] && rows.known.get(a) == rows.known.get(b)
    };
    let Some(second) = (1..account.len()).find(|&row| same(row - 1, row)) else { return Ok(()) };
    let n_rows = (second - 1..account.len()).take_while(|&row| same(second - 1, row)).count();
    let id = &ids[account[second] as usize];
    let day = rows.has_dates.then(|| Date::from_days(rows.day[second]));
    Err(BookError::Duplicate {
        path: rows.path.clone(),
        account: id.to_string(),
        on: day.map_or_else(String::new, |day| format!(" on {day}")),
        n_rows,
        kind,
        rows: rows_of_key(file, name, source, id, day).unwrap_or_else(|| "unknown".to_owned()).into(),
    })
}

const ROW: &str = "\u{1}row";

/// Row numbers, from 1, of an account's rows on a day.
fn rows_of_key(file: &BookFile, name: &str, source: &Source, id: &AccountId, day: Option<Date>) -> Option<String> {
    let scan = scan(file, name, source, &Rows::All).ok()?;
    let account = scan.column(source.account.as_ref()?.get_ref(), ColumnUse::Key, source).ok()?;
    let mut is_it = account.eq(lit(id.0.clone()));
    if let (Some(day), Some(column)) = (day, &source.date) {
        is_it = is_it.and(scan.column(column.get_ref(), ColumnUse::Date, source).ok()?.eq(lit(day.days())));
    }
    let found = scan.frame.clone().with_row_index(ROW, Some(1)).filter(is_it).select([col(ROW)]).collect().ok()?;
    let rows = found.column(ROW).ok()?.cast(&DataType::UInt64).ok()?;
    let rows: Vec<String> = rows.u64().ok()?.iter().flatten().take(10).map(|row| row.to_string()).collect();
    Some(rows.join(", "))
}

/// Looks for the first value that breaks its column's use.
pub(crate) fn first_bad_value(scan: &Scan, source: &Source, needs: &Needs) -> Option<BookError> {
    let named = |column: &Option<toml::Spanned<String>>| column.as_ref().map(|column| column.get_ref().clone());
    let keys = named(&source.account).map(|column| (column, ColumnUse::Key, !source.drop_missing_account));
    let dates = [(named(&source.date), true), (named(&source.end), false), (named(&source.known_at), true)];
    let dates = dates.into_iter().filter_map(|(column, needed)| Some((column?, ColumnUse::Date, needed)));
    let others = needs.columns.iter().map(|(column, wanted)| (column.clone(), *wanted, false));
    let derived = source.derived.iter().flat_map(inputs).map(|(column, wanted)| (column, wanted, false));
    keys.into_iter().chain(dates).chain(derived).chain(others).find_map(|(column, wanted, needed)| {
        let (row, value) = bad_value(scan, source, &column, wanted, needed)?;
        let rule = match (wanted, value.is_empty()) {
            (ColumnUse::Date, true) => "every row needs a date".to_owned(),
            (ColumnUse::Key, true) => {
                "every row needs an account (`drop_missing_account = true` leaves such rows out)".to_owned()
            }
            (ColumnUse::Date | ColumnUse::DateAsNumber, _) => {
                format!("a date of the form `{}` is needed", source.date_format)
            }
            (ColumnUse::Key, _) => "an account's key is a text or a whole number".to_owned(),
            _ => "a finite number is needed, at most 3.4e38 in size".to_owned(),
        };
        let value = if value.is_empty() { "(missing)".to_owned() } else { value };
        Some(BookError::Value { path: scan.path.clone(), column, row, value, rule })
    })
}

/// What a derived column is computed from.
fn inputs(derived: &Derived) -> Vec<(String, ColumnUse)> {
    let (columns, wanted) = match derived.derivation() {
        Some(Derivation::Product(columns)) => (columns, ColumnUse::Number),
        Some(Derivation::Quotient(columns) | Derivation::Difference(columns)) => (&columns[..], ColumnUse::Number),
        Some(Derivation::DaysBetween(columns)) => (&columns[..], ColumnUse::DateAsNumber),
        // Every text has a sentiment.
        Some(Derivation::Sentiment(_)) | None => return Vec::new(),
    };
    columns.iter().map(|column| (column.get_ref().clone(), wanted)).collect()
}

/// Number, from 1, and text of the first value of `column` that can't serve.
fn bad_value(scan: &Scan, source: &Source, column: &str, wanted: ColumnUse, needed: bool) -> Option<(u64, String)> {
    const TEXT: &str = "\u{1}text";
    let mut frame = scan.frame.clone().with_row_index(ROW, Some(1));
    for condition in &source.filter {
        frame = frame.filter(scan.condition(condition, source).ok()?);
    }
    let text = scan.column(column, ColumnUse::Text, source).unwrap_or_else(|_| col(column).cast(DataType::String));
    let raw = frame.select([col(ROW).cast(DataType::UInt64), text.alias(TEXT)]);
    let rows = raw.collect().ok()?;
    let numbers = rows.column(ROW).ok()?.u64().ok()?.clone();
    let texts = rows.column(TEXT).ok()?.str().ok()?.clone();
    let is_date_column = scan.schema.get(column).is_some_and(DataType::is_temporal);
    let is_bad = |text: Option<&str>| match (text, wanted) {
        (None, _) => needed,
        (Some(_), ColumnUse::Text | ColumnUse::Value) => false,
        (Some(text), ColumnUse::Key) => {
            scan.schema.get(column).is_some_and(DataType::is_float)
                && text.parse::<f64>().is_ok_and(|x| x.fract() != 0.0)
        }
        (Some(_), ColumnUse::Date | ColumnUse::DateAsNumber) if is_date_column => false,
        (Some(text), ColumnUse::Date | ColumnUse::DateAsNumber) => Date::parse(text, &source.date_format).is_err(),
        (Some(text), ColumnUse::Number) => {
            let is_truth = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
            let fits = |x: f64| x.is_nan() || x.abs() <= f64::from(f32::MAX);
            !is_truth && !text.parse().is_ok_and(fits)
        }
    };
    let bad = numbers.iter().zip(texts.iter()).find(|&(_, text)| is_bad(text));
    bad.map(|(row, text)| (row.unwrap_or(0), text.unwrap_or_default().to_owned()))
}
