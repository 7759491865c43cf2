//! A first pass over a large source: whose rows stand where. Only account and day are read.

use polars::prelude::*;

use crate::BookError;
use crate::config::BookFile;

use super::finish::Universe;
use super::load::{ACCOUNT, DAY, Interner, account_interner, plan, stream};
use super::scan::{NUMBER, Rows, scan};

/// What is known of a source without its values.
#[derive(Debug, Clone)]
pub(crate) struct SourceIndex {
    pub(crate) path: String,
    /// Rows of listed accounts that meet the filter.
    pub(crate) n_rows: usize,
    /// Rows of other accounts, or of none.
    pub(crate) n_orphans: usize,
    /// First and last day; `None` where the source has no dates, or no rows.
    pub(crate) days: Option<(i32, i32)>,
    pub(crate) has_dates: bool,
}

/// Whose rows stand where in the files.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts {
    /// Rows of each account.
    pub(crate) rows_of: Vec<u32>,
    stretches: Vec<Stretch>,
}

/// Rows with numbers `first..=last`, of accounts `lowest..=highest`.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: u32,
    last: u32,
    lowest: u32,
    highest: u32,
}

impl Whereabouts {
    /// The rows among which all rows of the accounts `of` are.
    pub(crate) fn rows(&self, of: &std::ops::Range<usize>) -> Rows {
        let mut runs: Vec<std::ops::Range<u32>> = Vec::new();
        let meets = |stretch: &&Stretch| (stretch.lowest as usize) < of.end && stretch.highest as usize >= of.start;
        for stretch in self.stretches.iter().filter(meets) {
            match runs.last_mut() {
                Some(run) if run.end >= stretch.first => run.end = run.end.max(stretch.last + 1),
                _ => runs.push(stretch.first..stretch.last + 1),
            }
        }
        if runs.is_empty() {
            runs.push(0..0);
        }
        Rows::Runs(runs)
    }
}

/// Accounts of the source that lists them, in order of first sight.
pub(crate) fn accounts(file: &BookFile, name: &str) -> Result<Vec<String>, BookError> {
    let source = &file.config.sources[name];
    let scan = scan(file, name, source, &Rows::All)?;
    let plan = plan(file, source, &scan, None)?.select([col(ACCOUNT)]);
    let interner = stream(plan, account_interner(&scan, source), |interner: &mut Interner, batch| {
        interner.each_code(batch.column(ACCOUNT)?.str()?, |_| ());
        Ok(())
    });
    Ok(interner.map_err(|cause| scan.read_error(cause))?.texts)
}

/// How many rows the files of a source have, before any filter.
pub(crate) fn n_rows(file: &BookFile, name: &str) -> Result<usize, BookError> {
    let scan = scan(file, name, &file.config.sources[name], &Rows::All)?;
    let counted = scan.frame.clone().select([len()]).collect_with_engine(Engine::Streaming);
    let counted = counted.and_then(|result| {
        let frame = result.unwrap_single();
        Ok(frame.columns()[0].cast(&DataType::UInt64)?.u64()?.get(0).unwrap_or(0))
    });
    counted.map(|n_rows| n_rows as usize).map_err(|cause| scan.read_error(cause))
}

struct Indexing {
    interner: Interner,
    place_of_code: Vec<Option<u32>>,
    universe: std::sync::Arc<Universe>,
    whereabouts: Whereabouts,
    n_orphans: usize,
    days: Option<(i32, i32)>,
    /// Of the batch in hand.
    codes: Vec<u32>,
}

/// Reads account and day of every row.
pub(crate) fn index(
    file: &BookFile,
    name: &str,
    universe: &std::sync::Arc<Universe>,
) -> Result<(SourceIndex, Whereabouts), BookError> {
    let source = &file.config.sources[name];
    let scan = scan(file, name, source, &Rows::Numbered)?;
    let plan = plan(file, source, &scan, None)?;
    let state = Indexing {
        interner: account_interner(&scan, source),
        place_of_code: Vec::new(),
        universe: std::sync::Arc::clone(universe),
        whereabouts: Whereabouts { rows_of: vec![0; universe.ids.len()], stretches: Vec::new() },
        n_orphans: 0,
        days: None,
        codes: Vec::new(),
    };
    let done = stream(plan, state, Indexing::append).map_err(|cause| {
        let needs = super::Needs::default();
        super::finish::first_bad_value(&scan, source, &needs).unwrap_or_else(|| scan.read_error(cause))
    })?;
    let n_rows = done.whereabouts.rows_of.iter().map(|&n| n as usize).sum();
    let (path, has_dates) = (scan.path.clone(), source.date.is_some());
    if n_rows + done.n_orphans == 0 && !source.may_be_empty {
        let why = if source.filter.is_empty() { "" } else { " that meets its filter" };
        return Err(BookError::Empty { source_name: name.to_owned(), path, why });
    }
    let index = SourceIndex { path, n_rows, n_orphans: done.n_orphans, days: done.days, has_dates };
    Ok((index, done.whereabouts))
}

impl Indexing {
    fn append(&mut self, batch: &DataFrame) -> PolarsResult<()> {
        let numbers = batch.column(NUMBER)?.u32()?;
        let (Some(first), Some(last)) = (numbers.min(), numbers.max()) else { return Ok(()) };
        let mut codes = std::mem::take(&mut self.codes);
        codes.clear();
        self.interner.each_code(batch.column(ACCOUNT)?.str()?, |code| codes.push(code));
        let universe = &self.universe;
        let known = self.place_of_code.len();
        self.place_of_code.extend(self.interner.texts[known..].iter().map(|id| universe.place_of(id)));
        let mut stretch = Stretch { first, last, lowest: u32::MAX, highest: 0 };
        for &code in &codes {
            match self.place_of_code.get(code as usize).copied().flatten() {
                None => self.n_orphans += 1,
                Some(place) => {
                    self.whereabouts.rows_of[place as usize] += 1;
                    stretch.lowest = stretch.lowest.min(place);
                    stretch.highest = stretch.highest.max(place);
                }
            }
        }
        if stretch.lowest <= stretch.highest {
            self.whereabouts.stretches.push(stretch);
        }
        if let Ok(days) = batch.column(DAY) {
            let is_listed = |code: &u32| self.place_of_code.get(*code as usize).copied().flatten().is_some();
            let listed = days.i32()?.iter().zip(&codes).filter(|(_, code)| is_listed(code));
            for day in listed.filter_map(|(day, _)| day) {
                self.days = Some(self.days.map_or((day, day), |(first, last)| (first.min(day), last.max(day))));
            }
        }
        self.codes = codes;
        Ok(())
    }
}
