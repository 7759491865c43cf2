//! A book: its sources in memory, and the feature tables that are built from them.

use std::collections::BTreeMap;

use bellwether_core::{
    AccountId, Date, Digest, Encoding, EncodingError, LevelPolicy, Progress, RawColumn, RawTable, RawValues, RowKey,
    RowStatus, Target, TextColumn,
};
use rayon::prelude::*;

use crate::BookError;
use crate::config::{Aggregate, BookFile, Condition, Segment, SourceKind, TargetRule, ValueType};
use crate::features::{self, Place};
use crate::labels::{Labeller, Life};
use crate::source::{ColumnUse, Needs, SourceRows, Universe, finish, load};
use crate::split::{Split, SplitRows, hash, split};

/// A book with its sources read and checked.
#[derive(Debug)]
pub struct Book {
    file: BookFile,
    accounts: Vec<AccountId>,
    part: Part,
    data_end: Date,
}

/// The rows of a stretch of accounts, every source's. What is read off rows is read part by part, so that a book need
/// not fit into memory; the results of parts are put together by the caller.
#[derive(Debug)]
pub(crate) struct Part {
    /// Places of its accounts in the book; account `accounts.start + a` is account `a` of the sources' rows.
    pub(crate) accounts: std::ops::Range<usize>,
    /// The sources by name.
    pub(crate) sources: BTreeMap<String, SourceRows>,
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
    /// First and last day; `None` where the source has no dates.
    pub days: Option<(Date, Date)>,
    /// Of the rows' content in a canonical order.
    pub digest: Digest,
}

/// One row an account and day, with everything a model or a report needs of it. Sorted by account, then day.
#[derive(Debug, Clone)]
pub struct FeatureTable {
    /// Who and when.
    pub keys: Vec<RowKey>,
    /// A hash of the account's id that no release changes.
    pub group: Vec<u64>,
    /// The account's place in the book, a small number.
    pub account: Vec<u32>,
    /// The models' features.
    pub raw: RawTable,
    /// The labels by target; `None` where the data can't tell yet.
    pub labels: BTreeMap<Target, Vec<Option<bool>>>,
    /// The levels by segment: a text's sorted, ranges from the lowest up.
    pub segments: Vec<(String, TextColumn)>,
    /// Annual recurring revenue; NaN where unknown, `None` where the book declares no value.
    pub arr: Option<Vec<f64>>,
    /// Why an account has no honest number; only scoring tables have rows that are not `Scored`.
    pub status: Vec<RowStatus>,
    /// The text by which a grouped split keeps rows together.
    split_group: Option<TextColumn>,
    has_time: bool,
}

/// The day of rows of a book without dates.
const NO_DAY: Date = Date::from_days(0);

impl Book {
    /// Reads every source that the features, targets and accounts use.
    ///
    /// # Errors
    /// [`BookError`] that names file, column, row, value and rule.
    pub fn open(file: BookFile, progress: &dyn Progress) -> Result<Self, BookError> {
        let needs = needs(&file);
        let from = file.config.accounts.from.get_ref().clone();
        progress.begin("reading", needs.len() as u64);
        let listed = load(&file, &from, &needs[&from])?;
        let universe = Universe::of(&listed);
        let mut sources = BTreeMap::from([(from.clone(), finish(&file, &from, listed, &universe)?)]);
        progress.advance(1);
        for (name, needs) in needs.iter().filter(|(name, _)| **name != from) {
            let rows = load(&file, name, needs)?;
            sources.insert(name.clone(), finish(&file, name, rows, &universe)?);
            progress.advance(1);
        }
        progress.end();
        let last_day = |rows: &SourceRows| match rows.kind {
            SourceKind::Event | SourceKind::Snapshot | SourceKind::Subscription => rows.day.iter().copied().max(),
            SourceKind::Attribute | SourceKind::Labelled => None,
        };
        let last_day = sources.values().filter_map(last_day).max().map_or(NO_DAY, Date::from_days);
        let data_end = file.config.snapshots.data_end.unwrap_or(last_day);
        let part = Part { accounts: 0..universe.ids.len(), sources };
        Ok(Self { file, accounts: universe.ids, part, data_end })
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
        self.accounts.len()
    }

    /// The accounts' ids, sorted; an account's place in the book is its place here.
    pub(crate) fn accounts(&self) -> &[AccountId] {
        &self.accounts
    }

    /// Visits the rows of all accounts, a part at a time, in order of accounts.
    ///
    /// # Errors
    /// What `visit` gives, or [`BookError`] where a part can't be read.
    pub(crate) fn each_part(&self, mut visit: impl FnMut(&Part) -> Result<(), BookError>) -> Result<(), BookError> {
        visit(&self.part)
    }

    /// Whether any source has dates.
    pub fn has_time(&self) -> bool {
        self.part.sources.values().any(|rows| rows.has_dates)
    }

    /// The sources by name.
    pub fn summaries(&self) -> Vec<SourceSummary> {
        let summary = |(name, rows): (&String, &SourceRows)| {
            let days = rows.day.iter().min().zip(rows.day.iter().max()).filter(|_| rows.has_dates);
            SourceSummary {
                name: name.clone(),
                n_rows: rows.n_rows(),
                n_orphans: rows.n_orphans,
                days: days.map(|(&first, &last)| (Date::from_days(first), Date::from_days(last))),
                digest: rows.digest.clone(),
            }
        };
        self.part.sources.iter().map(summary).collect()
    }

    /// The days on which rows are made, rising.
    pub fn snapshot_days(&self) -> Vec<Date> {
        if !self.has_time() {
            return vec![NO_DAY];
        }
        let snapshots = &self.file.config.snapshots;
        let first =
            self.part.sources.values().filter(|rows| rows.has_dates).filter_map(|rows| rows.day.iter().min()).min();
        let from = snapshots.from.unwrap_or_else(|| first.map_or(self.data_end, |&day| Date::from_days(day)));
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

    /// The rows of all customers on each of `days`, with labels.
    pub fn history(&self, days: &[Date], progress: &dyn Progress) -> FeatureTable {
        self.table(days, false, progress)
    }

    /// One row for every account as of `day`, customers or not; features of accounts that are none are missing.
    ///
    /// # Errors
    /// [`BookError::Stale`] if `day` is after the data's end: a stale book gives no honest score.
    pub fn as_of(&self, day: Date, progress: &dyn Progress) -> Result<FeatureTable, BookError> {
        if self.has_time() && day > self.data_end {
            return Err(BookError::Stale { as_of: day, data_end: self.data_end });
        }
        let mut table = self.table(&[if self.has_time() { day } else { NO_DAY }], true, progress);
        for key in &mut table.keys {
            key.as_of = day;
        }
        Ok(table)
    }

    fn table(&self, days: &[Date], everyone: bool, progress: &dyn Progress) -> FeatureTable {
        let life = Life::new(&self.file, &self.part.sources);
        let places: Vec<(Place, RowStatus)> = (0..self.accounts.len() as u32)
            .into_par_iter()
            .flat_map_iter(|account| {
                let life = &life;
                days.iter().map(move |&day| ((account, day), life.status(account, day)))
            })
            .filter(|(_, status)| everyone || *status == RowStatus::Scored)
            .collect();
        let status: Vec<RowStatus> = places.iter().map(|(_, status)| *status).collect();
        let places: Vec<Place> = places.into_iter().map(|(place, _)| place).collect();
        let declared = self.file.declared();
        progress.begin("features", places.len() as u64);
        let all = features::build(&declared, &self.part.sources, life.start(), &places, progress);
        progress.end();
        let column = |name: &str| all.columns.iter().find(|column| column.name == name);
        let config = &self.file.config;
        let segments = config.segments.iter().filter_map(|segment| {
            Some((segment.name.clone(), segment_levels(segment, &column(segment.feature.get_ref())?.values)))
        });
        let arr = config.value.as_ref().and_then(|value| match &column(value.feature.get_ref())?.values {
            RawValues::Number(amounts) => Some(amounts.iter().map(|&x| f64::from(x) * value.times).collect()),
            RawValues::Text(_) => None,
        });
        let split_group = config.split.group.as_ref().and_then(|group| match &column(group.get_ref())?.values {
            RawValues::Text(texts) => Some(texts.clone()),
            RawValues::Number(_) => None,
        });
        let horizon_days = self.file.horizon_days();
        let label = |(target, rule): (Target, &TargetRule)| {
            let labeller = Labeller::new(rule, &self.part.sources);
            let labels = places
                .par_iter()
                .map(|&(account, day)| labeller.label(account, day, horizon_days, self.data_end))
                .collect();
            (target, labels)
        };
        let account_hash: Vec<u64> = self.accounts.par_iter().map(|id| hash(&id.0)).collect();
        let account: Vec<u32> = places.iter().map(|&(account, _)| account).collect();
        let key = |&(account, day): &Place| RowKey { account: self.accounts[account as usize].clone(), as_of: day };
        FeatureTable {
            keys: places.iter().map(key).collect(),
            group: account.iter().map(|&account| account_hash[account as usize]).collect(),
            labels: self.file.targets().into_iter().map(label).collect(),
            segments: segments.collect(),
            arr,
            status,
            split_group,
            has_time: self.has_time(),
            raw: RawTable { n_rows: places.len(), columns: model_columns(&all, |place| declared[place].helper) },
            account,
        }
    }

    /// Draws the parts of `table` and checks that each can teach or prove something.
    ///
    /// # Errors
    /// [`BookError`] if a part is empty, or a source has no row that training could see.
    pub fn split(&self, table: &FeatureTable, seed: u64) -> Result<Split, BookError> {
        let split = table.split(&self.file, seed)?;
        if let crate::SplitPlan::Time { training_to, .. } = split.plan {
            for (name, rows) in self.part.sources.iter().filter(|(_, rows)| rows.has_dates) {
                let first_day = rows.day.iter().min().map_or(self.data_end, |&day| Date::from_days(day));
                if first_day > training_to {
                    return Err(BookError::NothingBeforeSplit {
                        source_name: name.clone(),
                        path: rows.path.clone(),
                        last_training_day: training_to,
                        first_day,
                    });
                }
            }
        }
        Ok(split)
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
        Encoding::learn(&table.raw, training_rows, policy, traits_of).map_err(|error| self.at_source(error))
    }

    /// The error with the file that the feature is read from.
    fn at_source(&self, error: EncodingError) -> BookError {
        let declared = self.file.declared();
        match error {
            EncodingError::AllMissing { name, n_rows } => {
                let from = declared.iter().find(|feature| feature.name == name);
                let column = from.and_then(|from| Some(format!(" of column `{}`", from.column.as_ref()?.get_ref())));
                BookError::NeverKnown {
                    path: from.map(|from| self.part.sources[&from.from].path.clone()).unwrap_or_default(),
                    feature: name,
                    column: column.unwrap_or_default(),
                    n_rows,
                }
            }
            other => other.into(),
        }
    }
}

impl FeatureTable {
    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.keys.len()
    }

    fn split(&self, file: &BookFile, seed: u64) -> Result<Split, BookError> {
        let days: Vec<Date> = self.keys.iter().map(|key| key.as_of).collect();
        let labelled = |row: usize| self.labels.values().any(|labels| labels[row].is_some());
        let is_labelled: Vec<bool> = (0..self.n_rows()).map(labelled).collect();
        let group = |row: usize| match &self.split_group {
            Some(texts) => texts.get(row).unwrap_or(""),
            None => self.keys[row].account.0.as_str(),
        };
        let groups: Vec<&str> = (0..self.n_rows()).map(group).collect();
        let rows = SplitRows { days: &days, is_labelled: &is_labelled, groups: &groups, has_time: self.has_time };
        split(&rows, &file.config.split, file.horizon_days(), seed)
    }
}

fn model_columns(all: &RawTable, is_helper: impl Fn(usize) -> bool) -> Vec<RawColumn> {
    let kept = all.columns.iter().enumerate().filter(|&(place, _)| !is_helper(place));
    kept.map(|(_, column)| column.clone()).collect()
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

/// Which columns of which source are read, and for what.
fn needs(file: &BookFile) -> BTreeMap<String, Needs> {
    let mut needs: BTreeMap<String, Needs> = BTreeMap::new();
    let mut need = |source: &str, column: Option<(&str, ColumnUse)>| {
        let of_source = needs.entry(source.to_owned()).or_default();
        of_source.columns.extend(column.map(|(column, wanted)| (column.to_owned(), wanted)));
    };
    let of_conditions = |filter: &[Condition]| -> Vec<(String, ColumnUse)> {
        let one = |condition: &Condition| {
            let wanted = if condition.is_numeric() { ColumnUse::Number } else { ColumnUse::Text };
            (condition.column.clone(), wanted)
        };
        filter.iter().map(one).collect()
    };
    need(file.config.accounts.from.get_ref(), None);
    if let Some(crate::config::Active::Subscription { source } | crate::config::Active::Activity { source, .. }) =
        &file.config.accounts.active
    {
        need(source, None);
    }
    for feature in file.declared() {
        let wanted = match (feature.r#type, feature.aggregate) {
            (ValueType::Text, _) => ColumnUse::Text,
            (_, aggregate) if aggregate.is_of_texts() => ColumnUse::Text,
            (_, Aggregate::DaysUntil) => ColumnUse::DateAsNumber,
            _ => ColumnUse::Number,
        };
        need(&feature.from, feature.column.as_ref().map(|column| (column.get_ref().as_str(), wanted)));
        for (name, wanted) in of_conditions(&feature.filter) {
            need(&feature.from, Some((&name, wanted)));
        }
    }
    for agree in &file.config.check.agree {
        need(agree.source.get_ref(), Some((agree.column.get_ref(), ColumnUse::Text)));
    }
    for (_, rule) in file.targets() {
        match rule {
            TargetRule::Event { source, filter } => {
                need(source, None);
                for (name, wanted) in of_conditions(filter) {
                    need(source, Some((&name, wanted)));
                }
            }
            TargetRule::NoSubscription { source, .. } | TargetRule::NoActivity { source } => need(source, None),
            TargetRule::RecurringRevenueUp { source, column, .. } | TargetRule::SpendUp { source, column, .. } => {
                need(source, Some((column, ColumnUse::Number)));
            }
            TargetRule::Column { source, column, .. } => need(source, Some((column, ColumnUse::Text))),
        }
    }
    needs
}
