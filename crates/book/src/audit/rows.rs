//! The one pass over all rows: what the rules of rows are told from.

use std::collections::BTreeMap;

use bellwether_core::Date;
use rayon::prelude::*;

use crate::config::SourceKind;
use crate::labels::Life;
use crate::parts::Part;
use crate::source::SourceRows;
use crate::{Book, BookError};

use super::SourceMonths;
use super::agree::Outcomes;
use super::feeds::Scales;

/// A row is late beyond so many days, and very late beyond the others.
pub(super) const LATE_DAYS: i32 = 30;
pub(super) const VERY_LATE_DAYS: i32 = 90;
/// Days after leaving in which rows are still to be expected.
pub(super) const AFTER_END_DAYS: i32 = 30;
/// Days after the data's end in which rows are still to be expected.
pub(super) const AFTER_DATA_DAYS: i32 = 31;

const DAYS_A_YEAR: i32 = 366;
/// Rows further back are counted, not placed.
const MOST_YEARS: i32 = 40;

/// What was read off all rows.
pub(super) struct Read {
    pub(super) calendar: Calendar,
    pub(super) sources: BTreeMap<String, SourceRead>,
    pub(super) outcomes: Outcomes,
}

/// The days that rows are counted on, with the month of each.
pub(super) struct Calendar {
    first: i32,
    /// Number of the month, from 0, by day.
    month: Vec<u16>,
    /// The last day of each month.
    month_ends: Vec<Date>,
}

/// What was read off one source.
#[derive(Default)]
pub(super) struct SourceRead {
    pub(super) n_rows: usize,
    pub(super) n_orphans: usize,
    /// Rows by day of the calendar.
    pub(super) by_day: Vec<u32>,
    pub(super) n_accounts: usize,
    pub(super) most_rows_of_an_account: usize,
    pub(super) before_start: Outside,
    pub(super) n_before_via: usize,
    pub(super) after_end: Outside,
    /// Accounts that left long enough before the data's end.
    pub(super) n_left: usize,
    pub(super) n_after_data: usize,
    pub(super) n_long_after_data: usize,
    pub(super) last_day: Option<i32>,
    /// Rows by days from date to known: none, up to 7, 30, 90, more.
    pub(super) delays: [usize; 5],
    /// Rows known more than [`LATE_DAYS`] late, by the day on which they became known.
    pub(super) late_on: BTreeMap<i32, usize>,
    /// Rows equal to the one before in every column that was read.
    pub(super) n_repeats: usize,
    /// Number columns by name.
    pub(super) scales: BTreeMap<String, Scales>,
    /// A hash of each account's rows, and on how many days they are.
    pub(super) signatures: Vec<(u64, u32)>,
}

/// Rows outside of an account's life.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outside {
    pub(super) rows: usize,
    pub(super) accounts: usize,
}

/// Reads all rows once.
pub(super) fn read(book: &Book) -> Result<Read, BookError> {
    let calendar = Calendar::of(book);
    let mut outcomes = Outcomes::new(book);
    let mut sources: BTreeMap<String, SourceRead> = BTreeMap::new();
    book.each_part(|part| {
        let life = Life::new(book.file(), &part.sources);
        for name in part.sources.keys() {
            sources.entry(name.clone()).or_default();
        }
        let lives: Vec<(i32, Option<i32>)> =
            (0..part.accounts.len()).map(|account| (life.first_day(account), life.left(account))).collect();
        let of_part: Vec<(&String, &mut SourceRead)> = sources.iter_mut().collect();
        of_part.into_par_iter().for_each(|(name, read)| {
            let visit = Visit { book, calendar: &calendar, name, rows: &part.sources[name], lives: &lives };
            visit.read_into(read, part);
        });
        outcomes.read(book, part);
        Ok::<_, BookError>(())
    })?;
    Ok(Read { calendar, sources, outcomes })
}

impl Read {
    /// The rows of each source with dates, by month.
    pub(super) fn months(&self) -> Vec<SourceMonths> {
        let of_source = |(name, read): (&String, &SourceRead)| {
            let months = self.calendar.by_month(&read.by_day);
            let first = months.iter().position(|&n| n > 0)?;
            let last = months.iter().rposition(|&n| n > 0)?;
            let ends = &self.calendar.month_ends[first..=last];
            let months = ends.iter().copied().zip(months[first..=last].iter().copied()).collect();
            Some(SourceMonths { name: name.clone(), months })
        };
        self.sources.iter().filter_map(of_source).collect()
    }
}

impl Calendar {
    fn of(book: &Book) -> Self {
        let end = book.data_end();
        let firsts = book.summaries().into_iter().filter_map(|source| source.days.map(|days| days.0));
        let earliest = end.plus_days(-MOST_YEARS * DAYS_A_YEAR);
        let first = firsts.min().map_or(end, |first| first.min(end)).max(earliest);
        let mut month_ends = vec![first.month_end()];
        let month = (first.days()..=end.days() + DAYS_A_YEAR).map(|day| {
            let last = month_ends[month_ends.len() - 1];
            if day > last.days() {
                month_ends.push(last.plus_days(1).month_end());
            }
            month_ends.len() as u16 - 1
        });
        Self { first: first.days(), month: month.collect(), month_ends }
    }

    /// The day's place; `None` where it is not in the calendar.
    pub(super) fn place(&self, day: i32) -> Option<usize> {
        usize::try_from(day.checked_sub(self.first)?).ok().filter(|&place| place < self.month.len())
    }

    /// The day of a place.
    pub(super) fn day(&self, place: usize) -> Date {
        Date::from_days(self.first + place as i32)
    }

    /// The number of a day's month.
    pub(super) fn month(&self, place: usize) -> usize {
        usize::from(self.month[place])
    }

    /// How many months.
    pub(super) fn n_months(&self) -> usize {
        self.month_ends.len()
    }

    /// The last day of a month.
    pub(super) fn month_end(&self, month: usize) -> Date {
        self.month_ends[month]
    }

    fn by_month(&self, by_day: &[u32]) -> Vec<usize> {
        let mut months = vec![0; self.month_ends.len()];
        by_day.iter().enumerate().for_each(|(place, &n)| months[self.month(place)] += n as usize);
        months
    }
}

/// One source's rows of a part.
struct Visit<'a> {
    book: &'a Book,
    calendar: &'a Calendar,
    name: &'a str,
    rows: &'a SourceRows,
    /// First day, and first day no longer a customer, by account of the part.
    lives: &'a [(i32, Option<i32>)],
}

impl Visit<'_> {
    fn read_into(&self, read: &mut SourceRead, part: &Part) {
        let rows = self.rows;
        read.n_rows += rows.n_rows();
        read.n_orphans += rows.n_orphans;
        self.accounts(read);
        if rows.has_dates {
            self.days(read);
            self.delays(read);
        }
        if matches!(rows.kind, SourceKind::Event | SourceKind::Snapshot) {
            self.signatures(read, part);
        }
        if rows.has_dates && rows.kind != SourceKind::Attribute {
            for (name, values) in &rows.numbers {
                let scales = read.scales.entry(name.clone()).or_insert_with(|| Scales::new(self.calendar.n_months()));
                for (&day, &value) in rows.day.iter().zip(values) {
                    if let Some(place) = self.calendar.place(day) {
                        scales.add(self.calendar.month(place), value);
                    }
                }
            }
        }
    }

    /// Rows before an account's first day and after its last.
    fn accounts(&self, read: &mut SourceRead) {
        let rows = self.rows;
        let data_end = self.book.data_end().days();
        let config = &self.book.file().config;
        let is_list = self.name == config.accounts.from.get_ref();
        for (account, &(start, left)) in self.lives.iter().enumerate() {
            let of_account = rows.rows_of(account);
            read.most_rows_of_an_account = read.most_rows_of_an_account.max(of_account.len());
            if of_account.is_empty() {
                continue;
            }
            read.n_accounts += 1;
            if !rows.has_dates || is_list {
                continue;
            }
            let days = &rows.day[of_account];
            read.before_start.add(days.partition_point(|&day| day < start));
            if let Some(left) = left.filter(|left| left + AFTER_END_DAYS < data_end) {
                read.n_left += 1;
                read.after_end.add(days.len() - days.partition_point(|&day| day <= left + AFTER_END_DAYS));
            }
        }
    }

    fn days(&self, read: &mut SourceRead) {
        read.by_day.resize(self.calendar.month.len(), 0);
        let data_end = self.book.data_end().days();
        for &day in &self.rows.day {
            if let Some(place) = self.calendar.place(day) {
                read.by_day[place] += 1;
            }
            read.n_after_data += usize::from(day > data_end);
            read.n_long_after_data += usize::from(day > data_end.saturating_add(AFTER_DATA_DAYS));
        }
        let last = self.rows.day.iter().copied().filter(|&day| day <= data_end).max();
        read.last_day = read.last_day.max(last);
    }

    fn delays(&self, read: &mut SourceRead) {
        let rows = self.rows;
        let source = &self.book.file().config.sources[self.name];
        if source.account_via.is_some() {
            // Where the row has no known day of its own, it is later than the date only for the row that says whose it is.
            let is_before = |(day, known): (&i32, &i32)| known > day;
            let own = source.known_at.is_some();
            let late = rows.day.iter().zip(&rows.known).filter(|&row| !own && is_before(row)).count();
            read.n_before_via += late;
            return;
        }
        for (&day, &known) in rows.day.iter().zip(&rows.known) {
            let delay = known.saturating_sub(day);
            let class = [0, 7, LATE_DAYS, VERY_LATE_DAYS].iter().filter(|&&limit| delay > limit).count();
            read.delays[class] += 1;
            if delay > LATE_DAYS {
                *read.late_on.entry(known).or_default() += 1;
            }
        }
    }

    /// Hashes of accounts' rows, and rows that repeat the one before.
    fn signatures(&self, read: &mut SourceRead, part: &Part) {
        let rows = self.rows;
        read.signatures.resize(self.book.n_accounts(), (0, 0));
        let texts: Vec<(&[u32], Vec<u64>)> = rows
            .texts
            .values()
            .map(|texts| (&texts.codes[..], texts.levels.iter().map(|level| crate::split::hash(level)).collect()))
            .collect();
        for account in 0..part.accounts.len() {
            let (mut hash, mut n_days) = (SEED, 0);
            let (mut last_day, mut last) = (None, 0);
            for row in rows.rows_of(account) {
                let mut of_row = mixed(SEED, rows.day[row] as u64);
                of_row = rows.known.get(row).map_or(of_row, |&known| mixed(of_row, known as u64));
                for values in rows.numbers.values() {
                    of_row = mixed(of_row, values[row].to_bits());
                }
                for (codes, levels) in &texts {
                    of_row = mixed(of_row, levels.get(codes[row] as usize).copied().unwrap_or(0));
                }
                n_days += u32::from(last_day != Some(rows.day[row]));
                read.n_repeats += usize::from(last_day.is_some() && of_row == last);
                (last_day, last) = (Some(rows.day[row]), of_row);
                hash = mixed(hash, of_row);
            }
            read.signatures[part.accounts.start + account] = (hash, n_days);
        }
    }
}

impl Outside {
    const fn add(&mut self, n_rows: usize) {
        self.rows += n_rows;
        self.accounts += (n_rows > 0) as usize;
    }
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash with another word. Source: the finaliser of splitmix64, Steele et al. (2014).
const fn mixed(hash: u64, word: u64) -> u64 {
    let mut bits = hash.rotate_left(23) ^ word.wrapping_mul(SEED);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
