//! The future is erased: features as of a day are built again without what came later, and with it corrupted.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::{Date, Quiet, RawTable, RawValues, TextColumn};

use crate::config::DeclaredFeature;
use crate::features::{self, Place};
use crate::labels::Life;
use crate::parts::Part;
use crate::source::SourceRows;
use crate::split::hash;
use crate::{Book, BookError, FeatureTable};

use super::finding::{Finding, Severity};
use super::sample::drawn;

const N_DAYS: usize = 3;
const N_ACCOUNTS: usize = 200;

/// What became of features when what came later was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replay {
    /// Rows of the feature table that were built again, twice: later rows deleted, and corrupted.
    pub n_rows: usize,
    /// Source rows, or their ends, that were erased.
    pub n_erased: usize,
    /// Values that were compared.
    pub n_values: usize,
    /// Of them, how many differed in a bit.
    pub n_different: usize,
}

/// What becomes of rows that were not yet known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Future {
    Deleted,
    Corrupted,
}

/// Replays drawn rows of `table`; features that differ are findings.
pub(super) fn replay(book: &Book, table: &FeatureTable, seed: u64) -> Result<(Replay, Vec<Finding>), BookError> {
    let mut replay = Replay::default();
    if !book.has_time() {
        return Ok((replay, Vec::new()));
    }
    let drawn = draw(table, seed);
    let declared = book.file().declared();
    let mut different: BTreeMap<String, usize> = BTreeMap::new();
    book.each_part(|part| {
        let life = Life::new(book.file(), &part.sources);
        for (&day, rows) in &drawn {
            let of_part = |row: &&usize| part.accounts.contains(&(table.account[**row] as usize));
            let rows: Vec<usize> = rows.iter().filter(of_part).copied().collect();
            for future in [Future::Deleted, Future::Corrupted] {
                let again = Again { part, life: &life, declared: &declared, day, future };
                again.compare(table, &rows, &mut replay, &mut different);
            }
            replay.n_rows += rows.len();
        }
        Ok::<_, BookError>(())
    })?;
    let one = |(feature, n): (String, usize)| {
        let summary = format!("{n} values changed when rows of later days were deleted or corrupted");
        Finding::new("replay-differs", &feature, Severity::Error, summary).with("values that changed", n)
    };
    Ok((replay, different.into_iter().map(one).collect()))
}

/// Rows of some days and accounts, by day.
fn draw(table: &FeatureTable, seed: u64) -> BTreeMap<Date, Vec<usize>> {
    let days: BTreeSet<Date> = table.keys.iter().map(|key| key.as_of).collect();
    let mut days: Vec<Date> = days.into_iter().collect();
    days.sort_by_key(|day| (hash(&format!("{seed}/replay/{day}")), *day));
    days.truncate(N_DAYS);
    let of_day = |day: Date| {
        let mut rows: Vec<usize> = (0..table.n_rows()).filter(|&row| table.keys[row].as_of == day).collect();
        rows.sort_by_cached_key(|&row| (drawn(seed, table.group[row]).to_bits(), row));
        rows.truncate(N_ACCOUNTS);
        rows.sort_unstable();
        (day, rows)
    };
    days.into_iter().map(of_day).collect()
}

/// One day's rows, built again.
struct Again<'a> {
    part: &'a Part,
    life: &'a Life<'a>,
    declared: &'a [DeclaredFeature],
    day: Date,
    future: Future,
}

impl Again<'_> {
    fn compare(
        &self,
        table: &FeatureTable,
        rows: &[usize],
        replay: &mut Replay,
        different: &mut BTreeMap<String, usize>,
    ) {
        let accounts: Vec<usize> =
            rows.iter().map(|&row| table.account[row] as usize - self.part.accounts.start).collect();
        let erased = |(name, of_source): (&String, &SourceRows)| {
            (name.clone(), self.erased(of_source, &accounts, &mut replay.n_erased))
        };
        let sources: BTreeMap<String, SourceRows> = self.part.sources.iter().map(erased).collect();
        let start: Vec<i32> = accounts.iter().map(|&account| self.life.start(account as u32, self.day)).collect();
        let places: Vec<Place> = (0..accounts.len() as u32).map(|account| (account, self.day)).collect();
        let built = features::build(self.declared, &sources, &start, &places, &Quiet);
        for column in &table.raw.columns {
            let Some(again) = column_of(&built, &column.name) else { continue };
            let n = rows.iter().enumerate().filter(|&(at, &row)| !same(&column.values, row, again, at)).count();
            replay.n_values += rows.len();
            replay.n_different += n;
            if n > 0 {
                *different.entry(column.name.clone()).or_default() += n;
            }
        }
    }

    /// The rows of `accounts`, without what was known after the day, or with that corrupted.
    fn erased(&self, rows: &SourceRows, accounts: &[usize], n_erased: &mut usize) -> SourceRows {
        let t = self.day.days();
        let is_known = |row: usize| rows.day[row] <= t && rows.known.get(row).is_none_or(|&known| known <= t);
        let mut kept = Vec::new();
        let mut offsets = vec![0];
        for &account in accounts {
            let of_account = rows.rows_of(account);
            *n_erased += of_account.clone().filter(|&row| !is_known(row)).count();
            kept.extend(of_account.filter(|&row| self.future == Future::Corrupted || is_known(row)));
            offsets.push(kept.len());
        }
        let days =
            |days: &[i32]| if days.is_empty() { Vec::new() } else { kept.iter().map(|&row| days[row]).collect() };
        // What lies after the day is not known on it.
        let later = |days_of: Vec<i32>, n_erased: &mut usize| -> Vec<i32> {
            let with = if self.future == Future::Deleted { i32::MAX } else { t + 1 };
            let erase = |day: i32| {
                *n_erased += usize::from(day > t && day < i32::MAX);
                if day > t { with } else { day }
            };
            days_of.into_iter().map(erase).collect()
        };
        let number = |row: usize, value: f64| if is_known(row) { value } else { corrupted(value) };
        let code = |row: usize, code: u32, n_levels: u32| {
            if is_known(row) { code } else { code.wrapping_add(1) % n_levels.max(1) }
        };
        let numbers = rows
            .numbers
            .iter()
            .map(|(name, values)| (name.clone(), kept.iter().map(|&row| number(row, values[row])).collect()));
        let texts = rows.texts.iter().map(|(name, texts)| {
            let n_levels = texts.levels.len() as u32;
            let codes = kept.iter().map(|&row| code(row, texts.codes[row], n_levels)).collect();
            (name.clone(), TextColumn { codes, levels: texts.levels.clone() })
        });
        SourceRows {
            kind: rows.kind,
            day: days(&rows.day),
            known: days(&rows.known),
            end: later(days(&rows.end), n_erased),
            superseded: later(days(&rows.superseded), n_erased),
            numbers: numbers.collect(),
            texts: texts.collect(),
            offsets,
            has_dates: rows.has_dates,
            n_orphans: 0,
            told_by_text: rows.told_by_text.clone(),
            path: rows.path.clone(),
        }
    }
}

/// Another value.
fn corrupted(value: f64) -> f64 {
    if value.is_nan() { 1e6 } else { -3.0 * value - 1e6 }
}

fn column_of<'a>(table: &'a RawTable, name: &str) -> Option<&'a RawValues> {
    table.columns.iter().find(|column| column.name == name).map(|column| &column.values)
}

fn same(a: &RawValues, row_a: usize, b: &RawValues, row_b: usize) -> bool {
    match (a, b) {
        (RawValues::Number(a), RawValues::Number(b)) => a[row_a].to_bits() == b[row_b].to_bits(),
        (RawValues::Text(a), RawValues::Text(b)) => a.get(row_a) == b.get(row_b),
        _ => false,
    }
}
