//! Which rows of the feature table a rule looks at, and the values in them.

use bellwether_core::{RawValues, Target, TextColumn};

use crate::config::{DeclaredFeature, SourceKind};
use crate::split::hash;
use crate::{Book, FeatureTable, Split};

use super::rows::Read;

/// Rows that a rule of many looks at; more tell it nothing new.
const MOST_ROWS: usize = 100_000;

/// Whether a value is missing.
pub(super) fn is_missing(values: &RawValues, row: usize) -> bool {
    match values {
        RawValues::Number(values) => values[row].is_nan(),
        RawValues::Text(texts) => texts.codes[row] == TextColumn::MISSING,
    }
}

/// The bits of a value; all missing ones are one.
pub(super) fn bits(values: &RawValues, row: usize) -> u32 {
    match values {
        RawValues::Number(values) if values[row].is_nan() => u32::MAX,
        RawValues::Number(values) => (values[row] + 0.0).to_bits(),
        RawValues::Text(texts) => texts.codes[row],
    }
}

/// The values of `rows` that are known, rising.
pub(super) fn sorted(values: &[f32], rows: &[usize]) -> Vec<f32> {
    let mut known: Vec<f32> = rows.iter().map(|&row| values[row]).filter(|value| !value.is_nan()).collect();
    known.sort_unstable_by(f32::total_cmp);
    known
}

/// Where each of `n_bins` bins of about as many of the `sorted` values begins, but for the first; equal ones once.
pub(super) fn bin_edges(sorted: &[f32], n_bins: usize) -> Vec<f32> {
    let first = |bin: usize| sorted.get(bin * sorted.len() / n_bins).copied();
    let mut edges: Vec<f32> = (1..n_bins).filter_map(first).collect();
    edges.dedup();
    edges
}

/// Whether a feature reads a column without a date of its own, in a book that has dates: the last value that was
/// written stands in all rows.
pub(super) fn is_undated(book: &Book, read: &Read, feature: &DeclaredFeature) -> bool {
    let config = &book.file().config;
    let source = &config.sources[feature.from.as_str()];
    let is_list = feature.from == *config.accounts.from.get_ref();
    // The list of accounts has the day of signing up, not that of its columns.
    let is_one_row = is_list && read.sources.get(&feature.from).is_some_and(|of| of.most_rows_of_an_account <= 1);
    book.has_time()
        && source.kind == SourceKind::Attribute
        && source.known_at.is_none()
        && (source.date.is_none() || is_one_row)
        && feature.column.is_some()
}

/// The training rows; all rows where there is no split.
pub(super) fn training_rows(table: &FeatureTable, split: Option<&Split>) -> Vec<usize> {
    split.map_or_else(|| (0..table.n_rows()).collect(), |split| split.training.clone())
}

/// The training rows of whole accounts, drawn with `seed`, whose label for `target` is known, with the labels.
pub(super) fn labelled(
    table: &FeatureTable,
    split: Option<&Split>,
    target: Target,
    seed: u64,
) -> (Vec<usize>, Vec<bool>) {
    let labels = &table.labels[&target];
    let mut rows = training_rows(table, split);
    rows.retain(|&row| labels[row].is_some());
    let kept_share = MOST_ROWS as f64 / rows.len() as f64;
    if kept_share < 1.0 {
        rows.retain(|&row| drawn(seed, table.group[row]) < kept_share);
    }
    let y = rows.iter().filter_map(|&row| labels[row]).collect();
    (rows, y)
}

/// A number in `[0, 1)` for an account.
pub(super) fn drawn(seed: u64, group: u64) -> f64 {
    (hash(&format!("{seed}/audit/{group}")) >> 11) as f64 / (1_u64 << 53) as f64
}
