//! One row an account and day.

use std::collections::BTreeMap;

use bellwether_core::{RawColumn, RawTable, RawValues, RowKey, RowStatus, Target, TextColumn};

use crate::BookError;
use crate::config::BookFile;
use crate::split::{Split, SplitRows, split};

/// One row an account and day, with everything a model or a report needs of it. Sorted by account, then day.
#[derive(Debug, Clone, Default)]
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
    /// The days until the outcome by target, where it comes within the horizon and the data can tell; of targets whose
    /// outcome within some days is one within more days too.
    pub(crate) days_to: BTreeMap<Target, Vec<Option<u32>>>,
    /// The levels by segment: a text's sorted, ranges from the lowest up.
    pub segments: Vec<(String, TextColumn)>,
    /// Annual recurring revenue; NaN where unknown, `None` where the book declares no value.
    pub arr: Option<Vec<f64>>,
    /// Why an account has no honest number; only scoring tables have rows that are not `Scored`.
    pub status: Vec<RowStatus>,
    /// The text by which a grouped split keeps rows together.
    pub(crate) split_group: Option<TextColumn>,
    pub(crate) has_time: bool,
}

impl FeatureTable {
    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.keys.len()
    }

    /// Adds the rows of the accounts that follow; the first table that is added brings the columns.
    pub(crate) fn append(&mut self, next: Self) {
        if self.raw.columns.is_empty() && self.labels.is_empty() {
            *self = next;
            return;
        }
        self.keys.extend(next.keys);
        self.group.extend(next.group);
        self.account.extend(next.account);
        self.status.extend(next.status);
        self.raw.n_rows += next.raw.n_rows;
        append_columns(&mut self.raw.columns, next.raw.columns);
        append_columns(&mut self.raw.helpers, next.raw.helpers);
        append_levels(&mut self.raw.cohort, next.raw.cohort);
        for (labels, next) in self.labels.values_mut().zip(next.labels.into_values()) {
            labels.extend(next);
        }
        for (days_to, next) in self.days_to.values_mut().zip(next.days_to.into_values()) {
            days_to.extend(next);
        }
        append_levels(&mut self.segments, next.segments);
        if let (Some(arr), Some(next)) = (&mut self.arr, next.arr) {
            arr.extend(next);
        }
        if let (Some(texts), Some(next)) = (&mut self.split_group, next.split_group) {
            append_texts(texts, next);
        }
    }

    pub(crate) fn split(&self, file: &BookFile, seed: u64) -> Result<Split, BookError> {
        split(&self.split_rows(file), &file.config.split, file.reach_days(), seed)
    }

    pub(crate) fn split_rows(&self, file: &BookFile) -> SplitRows<'_> {
        // The main horizon draws the parts, so that all horizons are measured on the same rows.
        let of_main = |(target, _): &(&Target, _)| target.horizon_days == file.horizon_days();
        let main: Vec<&Vec<Option<bool>>> = self.labels.iter().filter(of_main).map(|(_, labels)| labels).collect();
        let labelled = |row: usize| main.iter().any(|labels| labels[row].is_some());
        let group = |row: usize| match &self.split_group {
            Some(texts) => texts.get(row).unwrap_or(""),
            None => self.keys[row].account.0.as_str(),
        };
        SplitRows {
            days: self.keys.iter().map(|key| key.as_of).collect(),
            is_labelled: (0..self.n_rows()).map(labelled).collect(),
            groups: (0..self.n_rows()).map(group).collect(),
            has_time: self.has_time,
        }
    }
}

fn append_columns(columns: &mut [RawColumn], next: Vec<RawColumn>) {
    for (column, next) in columns.iter_mut().zip(next) {
        match (&mut column.values, next.values) {
            (RawValues::Number(values), RawValues::Number(next)) => values.extend(next),
            (RawValues::Text(texts), RawValues::Text(next)) => append_texts(texts, next),
            _ => unreachable!("a feature is a number or a text in every part"),
        }
    }
}

fn append_levels(columns: &mut [(String, TextColumn)], next: Vec<(String, TextColumn)>) {
    for ((_, texts), (_, next)) in columns.iter_mut().zip(next) {
        append_texts(texts, next);
    }
}

/// Adds texts whose levels may be others; levels stay sorted, unless both have the same (ranges stand by size).
fn append_texts(texts: &mut TextColumn, next: TextColumn) {
    if texts.levels == next.levels {
        texts.codes.extend(next.codes);
        return;
    }
    let mut levels = [&texts.levels[..], &next.levels].concat();
    levels.sort();
    levels.dedup();
    let place = |level: &String| levels.binary_search(level).expect("it was put there") as u32;
    let recode = |of: &TextColumn| -> Vec<u32> {
        let code_of: Vec<u32> = of.levels.iter().map(place).collect();
        of.codes.iter().map(|&code| code_of.get(code as usize).copied().unwrap_or(TextColumn::MISSING)).collect()
    };
    texts.codes = recode(texts);
    texts.codes.extend(recode(&next));
    texts.levels = levels;
}
