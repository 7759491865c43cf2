//! A source's rows in memory: plain columns, sorted by account and day, the same whatever the file's row order.

mod digest;
mod finish;
mod index;
mod load;
mod scan;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::TextColumn;

use crate::config::SourceKind;

pub(crate) use digest::SourceDigest;
pub(crate) use finish::{Universe, finish, first_bad_value, sorted_levels};
pub(crate) use index::{SourceIndex, Whereabouts, accounts, index, n_rows};
pub(crate) use load::{ColumnUse, Interner, LoadedRows, Needs, load, stream};
pub(crate) use scan::{Rows, Scan, scan_in};
pub(crate) use whole::whole_rows;

/// Rows of one source. Rows of account `a` (its place in the universe) are `offsets[a]..offsets[a + 1]`, by day,
/// then by the day they were known, then by content.
#[derive(Debug)]
pub(crate) struct SourceRows {
    pub(crate) kind: SourceKind,
    pub(crate) offsets: Vec<usize>,
    /// Day of each row; `i32::MIN` where the source has no dates, so that it is known from ever.
    pub(crate) day: Vec<i32>,
    /// Subscriptions: the first day no longer active, `i32::MAX` while it runs; empty otherwise.
    pub(crate) end: Vec<i32>,
    /// The day from which the row is known; empty where that is its day.
    pub(crate) known: Vec<i32>,
    /// The day from which a later version of the row is known, `i32::MAX` where there is none; empty where no row
    /// is ever restated.
    pub(crate) superseded: Vec<i32>,
    pub(crate) numbers: BTreeMap<String, Vec<f64>>,
    pub(crate) texts: BTreeMap<String, TextColumn>,
    /// Columns whose values `distinct` and its like tell apart as texts; those of the others as numbers.
    pub(crate) told_by_text: BTreeSet<String>,
    pub(crate) has_dates: bool,
    /// Rows of accounts that the accounts' source does not list; left out.
    pub(crate) n_orphans: usize,
    pub(crate) path: String,
}

impl SourceRows {
    pub(crate) fn n_rows(&self) -> usize {
        self.day.len()
    }

    /// The rows of account `a`.
    pub(crate) fn rows_of(&self, account: usize) -> std::ops::Range<usize> {
        self.offsets[account]..self.offsets[account + 1]
    }
}
