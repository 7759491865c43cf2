//! A book: its sources, and the feature tables that are built from them.

use std::collections::BTreeMap;
use std::ops::Range;

use bellwether_core::{
    AccountId, CohortPolicy, Date, Digest, Encoding, EncodingError, LevelPolicy, Progress, RawColumn, RawTable,
    RawValues, RowKey, RowStatus, Target, TextColumn,
};
use rayon::prelude::*;

use crate::BookError;
use crate::config::{BookFile, DeclaredFeature, Segment};
use crate::feature_table::FeatureTable;
use crate::features::{self, Place};
use crate::labels::{Labeller, Life};
use crate::needs;
use crate::parts::{Part, Parts, is_dated};
use crate::shard::Shard;
use crate::source::SourceDigest;
use crate::split::{Split, hash};

/// A book with its sources read and checked.
#[derive(Debug)]
pub struct Book {
    file: BookFile,
    parts: Parts,
    data_end: Date,
}

/// What a source holds, for provenance and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSummary {
    /// Its name.
    pub name: String,
    /// Rows of known accounts.
    pub n_rows: usize,
    /// Rows of accounts that the accounts' source does not list; left out.
    pub n_orphans: usize,
    /// First and last day; `None` where the source has no dates, or no rows.
    pub days: Option<(Date, Date)>,
}

/// What [`Book::history`] builds.
#[derive(Debug, Clone)]
pub struct History {
    /// The rows.
    pub table: FeatureTable,
    /// Each source's digest: of the values that were read, whatever the order of rows in its files.
    pub digests: BTreeMap<String, Digest>,
}

/// Whose rows are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Customers,
    /// Also those that are none; of one share of the accounts, or of all.
    Everyone(Option<Shard>),
}

/// Accounts whose rows of one day are built at a time: their features take some 300 bytes each.
const ACCOUNTS_AT_ONCE: usize = 1 << 16;

/// The day of rows of a book without dates.
const NO_DAY: Date = Date::from_days(0);

/// Values of 8 bytes that are held in memory at most, 1.2 GiB; a larger book is read part by part, more than once.
pub(crate) const MAX_CELLS: usize = 160_000_000;

impl Book {
    /// Reads every source that the features, targets and accounts use. A book that does not fit into memory is only
    /// looked through, and read part by part when features are built.
    ///
    /// # Errors
    /// [`BookError`] that names file, column, row, value and rule.
    pub fn open(file: BookFile, progress: &dyn Progress) -> Result<Self, BookError> {
        Self::open_within(file, MAX_CELLS, progress)
    }

    /// As [`Book::open`], with at most `max_cells` values of 8 bytes in memory at a time, or one account's if that is
    /// more. What is built does not depend on it.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub fn open_within(file: BookFile, max_cells: usize, progress: &dyn Progress) -> Result<Self, BookError> {
        let parts = Parts::open(&file, needs::of_features(&file), max_cells, progress)?;
        let last_day = |(name, index): (&String, &crate::source::SourceIndex)| {
            let kind = file.config.sources[name.as_str()].kind;
            index.days.filter(|_| is_dated(kind)).map(|(_, last)| last)
        };
        let last_day = parts.index.iter().filter_map(last_day).max().map_or(NO_DAY, Date::from_days);
        let data_end = file.config.snapshots.data_end.unwrap_or(last_day);
        Ok(Self { file, parts, data_end })
    }

    /// What the user declared.
    pub const fn file(&self) -> &BookFile {
        &self.file
    }

    /// The last day that every source covers.
    pub const fn data_end(&self) -> Date {
        self.data_end
    }

    /// How many accounts.
    pub fn n_accounts(&self) -> usize {
        self.accounts().len()
    }

    /// The accounts' ids, sorted; an account's place in the book is its place here.
    pub(crate) fn accounts(&self) -> &[AccountId] {
        self.parts.ids()
    }

    /// Visits the rows of all accounts, a part at a time, in order of accounts.
    ///
    /// # Errors
    /// What `visit` gives, or [`BookError`] where a part can't be read.
    pub(crate) fn each_part<E: From<BookError>>(&self, visit: impl FnMut(&Part) -> Result<(), E>) -> Result<(), E> {
        self.parts.each(&self.file, visit)
    }

    /// Whether any source has dates.
    pub fn has_time(&self) -> bool {
        self.parts.index.values().any(|source| source.has_dates)
    }

    /// The sources by name.
    pub fn summaries(&self) -> Vec<SourceSummary> {
        self.parts.summaries()
    }

    /// The days on which rows are made, rising.
    pub fn snapshot_days(&self) -> Vec<Date> {
        if !self.has_time() {
            return vec![NO_DAY];
        }
        let snapshots = &self.file.config.snapshots;
        let first = self.parts.index.values().filter_map(|source| source.days).map(|(first, _)| first).min();
        let from = snapshots.from.unwrap_or_else(|| first.map_or(self.data_end, Date::from_days));
        let to = snapshots.to.unwrap_or(self.data_end).min(self.data_end);
        let months = snapshots.every.is_months();
        let mut day = if months && to != to.month_end() { to.plus_months(-1).month_end() } else { to };
        let mut days = Vec::new();
        while day >= from {
            days.push(day);
            day = snapshots.every.start(day);
        }
        days.reverse();
        days
    }

    /// The rows of all customers on each of `days`, with labels; and the digest of each source's content.
    ///
    /// # Errors
    /// [`BookError`] where a part of a large book can't be read.
    pub fn history(&self, days: &[Date], progress: &dyn Progress) -> Result<History, BookError> {
        let mut digests: BTreeMap<String, SourceDigest> = BTreeMap::new();
        let mut table = FeatureTable::default();
        self.build(days, progress, |part, of_part| {
            for (name, rows) in &part.sources {
                digests.entry(name.clone()).or_default().take(rows, &self.accounts()[part.accounts.clone()]);
            }
            table.append(of_part);
            Ok::<_, BookError>(())
        })?;
        let digests = digests.into_iter().map(|(name, digest)| (name, digest.finish())).collect();
        Ok(History { table, digests })
    }

    /// The rows of [`Book::history`], given to `visit` a stretch of accounts at a time.
    ///
    /// # Errors
    /// What `visit` gives, or [`BookError`] where a part of a large book can't be read.
    pub fn each_history<E: From<BookError>>(
        &self,
        days: &[Date],
        progress: &dyn Progress,
        mut visit: impl FnMut(FeatureTable) -> Result<(), E>,
    ) -> Result<(), E> {
        self.build(days, progress, |_, table| visit(table))
    }

    /// One row for every account as of `day`, customers or not. An account that is none has a status that says so, and
    /// features of what rows it has.
    ///
    /// # Errors
    /// [`BookError::Stale`] if `day` is after the data's end: a stale book gives no honest score; or another where a
    /// part of a large book can't be read.
    pub fn as_of(&self, day: Date, progress: &dyn Progress) -> Result<FeatureTable, BookError> {
        let mut table = FeatureTable::default();
        self.each_as_of(day, None, 0, progress, |of_stretch| {
            table.append(of_stretch);
            Ok::<_, BookError>(())
        })?;
        Ok(table)
    }

    /// The rows of [`Book::as_of`], or those of one share of the accounts, without the first `skip` of them, given to
    /// `visit` a stretch of accounts at a time; some of these may have no rows.
    ///
    /// # Errors
    /// What `visit` gives, and as [`Book::as_of`].
    pub fn each_as_of<E: From<BookError>>(
        &self,
        day: Date,
        shard: Option<Shard>,
        skip: usize,
        progress: &dyn Progress,
        mut visit: impl FnMut(FeatureTable) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.has_time() && day > self.data_end {
            return Err(BookError::Stale { as_of: day, data_end: self.data_end }.into());
        }
        let days = [if self.has_time() { day } else { NO_DAY }];
        progress.begin("features", self.n_accounts() as u64);
        let first = self.account_after(shard, skip);
        progress.advance(first as u64);
        self.parts.each_from(&self.file, first, |part| {
            let first = first.saturating_sub(part.accounts.start);
            for accounts in stretches(first..part.accounts.len()) {
                let mut table = self.table(part, &accounts, &days, Who::Everyone(shard), progress);
                for key in &mut table.keys {
                    key.as_of = day;
                }
                progress.advance((accounts.len() - table.n_rows()) as u64);
                visit(table)?;
            }
            Ok::<_, E>(())
        })?;
        progress.end();
        Ok(())
    }

    /// The place of the account after the first `n` ones of a share.
    fn account_after(&self, shard: Option<Shard>, n: usize) -> usize {
        let Some(shard) = shard else { return n.min(self.n_accounts()) };
        let mut left = n;
        let is_further = |id: &AccountId| {
            let is_further = left == 0;
            left -= usize::from(!is_further && shard.has(&id.0));
            is_further
        };
        self.accounts().iter().position(is_further).unwrap_or(self.n_accounts())
    }

    fn build<E: From<BookError>>(
        &self,
        days: &[Date],
        progress: &dyn Progress,
        mut visit: impl FnMut(&Part, FeatureTable) -> Result<(), E>,
    ) -> Result<(), E> {
        progress.begin("features", (self.n_accounts() * days.len()) as u64);
        self.each_part(|part| {
            let table = self.table(part, &(0..part.accounts.len()), days, Who::Customers, progress);
            progress.advance((part.accounts.len() * days.len() - table.n_rows()) as u64);
            visit(part, table)
        })?;
        progress.end();
        Ok(())
    }

    /// The rows of some accounts of a part, which are told by their places in it.
    fn table(
        &self,
        part: &Part,
        accounts: &Range<usize>,
        days: &[Date],
        who: Who,
        progress: &dyn Progress,
    ) -> FeatureTable {
        let life = Life::new(&self.file, &part.sources);
        let ids = &self.accounts()[part.accounts.clone()];
        let is_asked = |&account: &u32| match who {
            Who::Everyone(Some(shard)) => shard.has(&ids[account as usize].0),
            Who::Customers | Who::Everyone(None) => true,
        };
        let places: Vec<(Place, RowStatus)> = (accounts.start as u32..accounts.end as u32)
            .into_par_iter()
            .filter(is_asked)
            .flat_map_iter(|account| {
                let life = &life;
                days.iter().map(move |&day| ((account, day), life.status(account, day)))
            })
            .filter(|(_, status)| who != Who::Customers || *status == RowStatus::Scored)
            .collect();
        let status: Vec<RowStatus> = places.iter().map(|(_, status)| *status).collect();
        let places: Vec<Place> = places.into_iter().map(|(place, _)| place).collect();
        let declared = self.file.declared();
        let start: Vec<i32> = places.par_iter().map(|&(account, day)| life.start(account, day)).collect();
        let all = features::build(&declared, &part.sources, &start, &places, progress);
        let column = |name: &str| all.columns.iter().find(|column| column.name == name);
        let config = &self.file.config;
        let segments = config.segments.iter().filter_map(|segment| {
            Some((segment.name.clone(), segment_levels(segment, &column(segment.feature.get_ref())?.values)))
        });
        let segments: Vec<(String, TextColumn)> = segments.collect();
        let arr = config.value.as_ref().and_then(|value| match &column(value.feature.get_ref())?.values {
            RawValues::Number(amounts) => Some(amounts.iter().map(|&x| f64::from(x) * value.times).collect()),
            RawValues::Text(_) => None,
        });
        let split_group = config.split.group.as_ref().and_then(|group| match &column(group.get_ref())?.values {
            RawValues::Text(texts) => Some(texts.clone()),
            RawValues::Number(_) => None,
        });
        let account_hash: Vec<u64> = ids[accounts.clone()].par_iter().map(|id| hash(&id.0)).collect();
        let key = |&(account, day): &Place| RowKey { account: ids[account as usize].clone(), as_of: day };
        FeatureTable {
            keys: places.iter().map(key).collect(),
            group: places.iter().map(|&(account, _)| account_hash[account as usize - accounts.start]).collect(),
            account: places.iter().map(|&(account, _)| part.accounts.start as u32 + account).collect(),
            labels: self.labels(part, &places),
            days_to: self.days_to(part, &places),
            raw: raw_table(&self.file, &declared, all, &segments),
            segments,
            arr,
            status,
            split_group,
            has_time: self.has_time(),
        }
    }

    fn labels(&self, part: &Part, places: &[Place]) -> BTreeMap<Target, Vec<Option<bool>>> {
        let mut labels = BTreeMap::new();
        for (outcome, rule) in self.file.outcomes() {
            let labeller = Labeller::new(&self.file, rule.get_ref(), &part.sources);
            for horizon_days in self.file.horizons_of(rule.get_ref()) {
                let label = |&(account, day): &Place| labeller.label(account, day, horizon_days, self.data_end);
                labels.insert(Target { outcome, horizon_days }, places.par_iter().map(label).collect());
            }
        }
        labels
    }

    fn days_to(&self, part: &Part, places: &[Place]) -> BTreeMap<Target, Vec<Option<u32>>> {
        let mut days_to = BTreeMap::new();
        for (outcome, rule) in self.file.outcomes().into_iter().filter(|(_, rule)| rule.get_ref().is_nested()) {
            let labeller = Labeller::new(&self.file, rule.get_ref(), &part.sources);
            for horizon_days in self.file.horizons_of(rule.get_ref()) {
                let days = |&(account, day): &Place| labeller.days_to(account, day, horizon_days, self.data_end);
                days_to.insert(Target { outcome, horizon_days }, places.par_iter().map(days).collect());
            }
        }
        days_to
    }

    /// Draws the parts of `table` and checks that each can teach or prove something.
    ///
    /// # Errors
    /// [`BookError`] if a part is empty, or a source has no row that training could see.
    pub fn split(&self, table: &FeatureTable, seed: u64) -> Result<Split, BookError> {
        let split = table.split(&self.file, seed)?;
        self.check_sources_began(&split)?;
        Ok(split)
    }

    /// Every dated source has a row that training can see.
    pub(crate) fn check_sources_began(&self, split: &Split) -> Result<(), BookError> {
        let crate::SplitPlan::Time { training_to, .. } = split.plan else { return Ok(()) };
        for (name, source) in self.parts.index.iter().filter(|(_, source)| source.has_dates) {
            let first_day = source.days.map_or(self.data_end, |(first, _)| Date::from_days(first));
            if first_day > training_to {
                return Err(BookError::NothingBeforeSplit {
                    source_name: name.clone(),
                    path: source.path.clone(),
                    last_training_day: training_to,
                    first_day,
                });
            }
        }
        Ok(())
    }

    /// Learns the encoding of `table` from training rows alone.
    ///
    /// # Errors
    /// [`BookError::NeverKnown`] for a feature without any value in these rows.
    pub fn learn_encoding(&self, table: &FeatureTable, training_rows: &[usize]) -> Result<Encoding, BookError> {
        let train = &self.file.config.train;
        let policy = LevelPolicy { max_levels: train.max_levels, min_rows: train.min_level_rows };
        let declared = self.file.declared();
        let traits_of = |name: &str| {
            let feature = declared.iter().find(|feature| feature.name == name);
            feature.map_or((None, None), |feature| (feature.category.clone(), feature.good))
        };
        let learn = || {
            let encoding = Encoding::learn(&table.raw, training_rows, policy, traits_of)?;
            let Some(cohort) = self.file.cohort() else { return Ok(encoding) };
            let features: Vec<String> = cohort.features.iter().map(|name| name.get_ref().clone()).collect();
            let (shrinkage, min_accounts) = (*cohort.shrinkage.get_ref(), cohort.min_accounts);
            let policy = CohortPolicy { features: &features, shrinkage, min_accounts, account: &table.account };
            encoding.with_percentiles(&table.raw, training_rows, &policy, traits_of)
        };
        learn().map_err(|error| self.at_source(error))
    }

    /// The error with the file that the feature is read from.
    fn at_source(&self, error: EncodingError) -> BookError {
        let declared = self.file.declared();
        match error {
            EncodingError::AllMissing { name, n_rows } => {
                let from = declared.iter().find(|feature| feature.name == name);
                let column = from.and_then(|from| Some(format!(" of column `{}`", from.column.as_ref()?.get_ref())));
                BookError::NeverKnown {
                    path: from.map(|from| self.parts.index[&from.from].path.clone()).unwrap_or_default(),
                    feature: name,
                    column: column.unwrap_or_default(),
                    n_rows,
                }
            }
            other => other.into(),
        }
    }
}

/// Cuts accounts into stretches that are built at a time; no accounts are one stretch.
fn stretches(accounts: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let n_stretches = accounts.len().div_ceil(ACCOUNTS_AT_ONCE).max(1);
    let from = move |at: usize| accounts.end.min(accounts.start + at * ACCOUNTS_AT_ONCE);
    (0..n_stretches).map(move |at| from(at)..from(at + 1))
}

/// What models read of all declared features, and what their percentiles need beside it.
fn raw_table(
    file: &BookFile,
    declared: &[DeclaredFeature],
    all: RawTable,
    segments: &[(String, TextColumn)],
) -> RawTable {
    let cohort = file.cohort();
    let has_percentile =
        |name: &String| cohort.is_some_and(|of| of.features.iter().any(|other| other.get_ref() == name));
    let dimension = |name: &String| segments.iter().find(|(segment, _)| segment == name).cloned();
    let by = cohort.into_iter().flat_map(|cohort| &cohort.by);
    let (helpers, columns): (Vec<_>, Vec<_>) =
        declared.iter().zip(all.columns).partition(|(feature, _)| feature.helper);
    let column = |(_, column): (&DeclaredFeature, RawColumn)| column;
    RawTable {
        n_rows: all.n_rows,
        columns: columns.into_iter().map(column).collect(),
        helpers: helpers.into_iter().filter(|(feature, _)| has_percentile(&feature.name)).map(column).collect(),
        cohort: by.filter_map(|name| dimension(name.get_ref())).collect(),
    }
}

/// The levels of a segment: a text's own, or the ranges between the edges.
fn segment_levels(segment: &Segment, values: &RawValues) -> TextColumn {
    match values {
        RawValues::Text(texts) => texts.clone(),
        RawValues::Number(values) => {
            let edges = &segment.edges;
            let names: Vec<String> = (0..=edges.len())
                .map(|place| match (place.checked_sub(1).map(|low| edges[low]), edges.get(place)) {
                    (None, Some(high)) => format!("< {high}"),
                    (Some(low), Some(high)) => format!("{low} to {high}"),
                    (Some(low), None) => format!(">= {low}"),
                    (None, None) => "all".to_owned(),
                })
                .collect();
            let code = |&value: &f32| {
                let place = edges.partition_point(|&edge| edge <= f64::from(value)) as u32;
                if value.is_nan() { TextColumn::MISSING } else { place }
            };
            // Ranges stand in their own order, which is not that of their names.
            TextColumn { codes: values.iter().map(code).collect(), levels: names }
        }
    }
}
