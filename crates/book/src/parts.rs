//! The rows of a book, a stretch of accounts at a time, so that a book need not fit into memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bellwether_core::{AccountId, Date, Progress};

use crate::config::{BookFile, SourceKind};
use crate::source::{
    LoadedRows, Needs, Rows, SourceIndex, SourceRows, Universe, Whereabouts, accounts, finish, index, load, n_rows,
};
use crate::{BookError, SourceSummary};

/// The rows of a stretch of accounts, every source's. What is read off rows is read part by part; the results of parts
/// are put together by the caller.
#[derive(Debug)]
pub(crate) struct Part {
    /// Places of its accounts in the book; account `accounts.start + a` is account `a` of the sources' rows.
    pub(crate) accounts: Range<usize>,
    /// The sources by name.
    pub(crate) sources: BTreeMap<String, SourceRows>,
}

/// All rows of a book: in memory where they fit, else read anew each time.
#[derive(Debug)]
pub(crate) struct Parts {
    universe: Arc<Universe>,
    needs: BTreeMap<String, Needs>,
    pub(crate) index: BTreeMap<String, SourceIndex>,
    rows: RowsOfParts,
}

#[derive(Debug)]
enum RowsOfParts {
    InMemory(Part),
    /// By source, whose rows stand where; and the accounts of each part.
    OnDisk(BTreeMap<String, Whereabouts>, Vec<Range<usize>>),
}

impl Parts {
    /// Reads what fits into `max_cells` values, or finds out where the rows of each account stand.
    pub(crate) fn open(
        file: &BookFile,
        needs: BTreeMap<String, Needs>,
        max_cells: usize,
        progress: &dyn Progress,
    ) -> Result<Self, BookError> {
        progress.begin("reading", needs.len() as u64);
        let mut n_cells = 0;
        for (name, needs) in &needs {
            n_cells += n_rows(file, name)? * cells_a_row(needs);
        }
        let parts = if n_cells <= max_cells {
            Self::in_memory(file, needs, progress)
        } else {
            Self::on_disk(file, needs, max_cells, progress)
        };
        progress.end();
        parts
    }

    fn in_memory(file: &BookFile, needs: BTreeMap<String, Needs>, progress: &dyn Progress) -> Result<Self, BookError> {
        let from = file.config.accounts.from.get_ref();
        let listed = load(file, from, &needs[from], &Rows::All)?;
        let universe = Universe::of(listed.accounts());
        let all = 0..universe.ids.len();
        let mut listed: Option<LoadedRows> = Some(listed);
        let mut sources = BTreeMap::new();
        for (name, needs) in &needs {
            let already = if name == from { listed.take() } else { None };
            let rows = already.map_or_else(|| load(file, name, needs, &Rows::All), Ok)?;
            sources.insert(name.clone(), finish(file, name, rows, &universe, &all)?);
            progress.advance(1);
        }
        let index = sources.iter().map(|(name, rows)| (name.clone(), index_of(rows))).collect();
        let rows = RowsOfParts::InMemory(Part { accounts: all, sources });
        Ok(Self { universe: Arc::new(universe), needs, index, rows })
    }

    fn on_disk(
        file: &BookFile,
        needs: BTreeMap<String, Needs>,
        max_cells: usize,
        progress: &dyn Progress,
    ) -> Result<Self, BookError> {
        let universe = Arc::new(Universe::of(&accounts(file, file.config.accounts.from.get_ref())?));
        let (mut indexes, mut whereabouts) = (BTreeMap::new(), BTreeMap::new());
        let mut cells = vec![0; universe.ids.len()];
        for (name, needs) in &needs {
            let (of_source, whose) = index(file, name, &universe)?;
            cells.iter_mut().zip(&whose.rows_of).for_each(|(cells, &n)| *cells += n as usize * cells_a_row(needs));
            indexes.insert(name.clone(), of_source);
            whereabouts.insert(name.clone(), whose);
            progress.advance(1);
        }
        let rows = RowsOfParts::OnDisk(whereabouts, stretches(&cells, max_cells.div_ceil(PARTS_IN_MEMORY)));
        Ok(Self { universe, needs, index: indexes, rows })
    }

    /// The accounts' ids, sorted.
    pub(crate) fn ids(&self) -> &[AccountId] {
        &self.universe.ids
    }

    /// The sources by name.
    pub(crate) fn summaries(&self) -> Vec<SourceSummary> {
        let summary = |(name, source): (&String, &SourceIndex)| SourceSummary {
            name: name.clone(),
            n_rows: source.n_rows,
            n_orphans: source.n_orphans,
            days: source.days.map(|(first, last)| (Date::from_days(first), Date::from_days(last))),
        };
        self.index.iter().map(summary).collect()
    }

    /// Visits the parts in order of accounts; the next one is read meanwhile.
    pub(crate) fn each<E: From<BookError>>(
        &self,
        file: &BookFile,
        visit: impl FnMut(&Part) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_from(file, 0, visit)
    }

    /// Visits the parts in order of accounts, without those that hold only accounts before `first`; the next one is read
    /// meanwhile.
    pub(crate) fn each_from<E: From<BookError>>(
        &self,
        file: &BookFile,
        first: usize,
        mut visit: impl FnMut(&Part) -> Result<(), E>,
    ) -> Result<(), E> {
        let (whereabouts, stretches) = match &self.rows {
            RowsOfParts::InMemory(part) => return visit(part),
            RowsOfParts::OnDisk(whereabouts, stretches) => {
                (whereabouts, stretches.iter().filter(move |accounts| accounts.end > first))
            }
        };
        std::thread::scope(|scope| {
            let (sender, parts) = sync_channel(0);
            scope.spawn(move || {
                for accounts in stretches {
                    let part = self.part(file, whereabouts, accounts);
                    let failed = part.is_err();
                    // Nobody takes it any more when an earlier part failed.
                    if sender.send(part).is_err() || failed {
                        break;
                    }
                }
            });
            parts.into_iter().try_for_each(|part| visit(&part?))
        })
    }

    fn part(
        &self,
        file: &BookFile,
        whereabouts: &BTreeMap<String, Whereabouts>,
        accounts: &Range<usize>,
    ) -> Result<Part, BookError> {
        let mut sources = BTreeMap::new();
        for (name, needs) in &self.needs {
            let rows = load(file, name, needs, &whereabouts[name].rows(accounts))?;
            sources.insert(name.clone(), finish(file, name, rows, &self.universe, accounts)?);
        }
        Ok(Part { accounts: accounts.clone(), sources })
    }
}

/// One is worked on and one is read meanwhile; sorting it takes as much again.
const PARTS_IN_MEMORY: usize = 3;

/// What a row takes in memory, in values of 8 bytes: its columns, account and days.
fn cells_a_row(needs: &Needs) -> usize {
    needs.columns.len() + 2
}

/// Cuts accounts into stretches of at most `max_cells` each; an account that has more stands alone.
fn stretches(cells: &[usize], max_cells: usize) -> Vec<Range<usize>> {
    let (mut stretches, mut first, mut sum) = (Vec::new(), 0, 0);
    for (account, &of_account) in cells.iter().enumerate() {
        if account > first && sum + of_account > max_cells {
            stretches.push(first..account);
            (first, sum) = (account, 0);
        }
        sum += of_account;
    }
    stretches.push(first..cells.len());
    stretches
}

fn index_of(rows: &SourceRows) -> SourceIndex {
    let days = rows.day.iter().min().zip(rows.day.iter().max()).filter(|_| rows.has_dates);
    SourceIndex {
        path: rows.path.clone(),
        n_rows: rows.n_rows(),
        n_orphans: rows.n_orphans,
        days: days.map(|(&first, &last)| (first, last)),
        has_dates: rows.has_dates,
    }
}

/// Whether a source's days are those on which things happen.
pub(crate) const fn is_dated(kind: SourceKind) -> bool {
    matches!(kind, SourceKind::Event | SourceKind::Snapshot | SourceKind::Subscription)
}
