//! Features that tell nothing, or what another tells, or that carry no date.

use std::collections::BTreeMap;

use bellwether_core::{RawColumn, RawValues, pearson};
use rayon::prelude::*;

use crate::{Book, FeatureTable, Split};

use super::finding::{Finding, Severity};
use super::rows::Read;
use super::sample::{bits, is_missing, is_undated, training_rows};

const NEAR: f64 = 0.99;
const RANKED_ROWS: usize = 5000;
/// Share of the rows that know either feature which must know both.
const LEAST_KNOWN: f64 = 0.9;

pub(super) fn findings(book: &Book, table: &FeatureTable, split: Option<&Split>, read: &Read) -> Vec<Finding> {
    let rows = training_rows(table, split);
    let columns = &table.raw.columns;
    let of_column: Vec<(Option<Finding>, u64)> =
        columns.par_iter().map(|column| (constant(column, &rows), digest(&column.values, table.n_rows()))).collect();
    let mut first_of: BTreeMap<u64, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    let mut distinct = Vec::new();
    for (place, (constant, digest)) in of_column.into_iter().enumerate() {
        let is_constant = constant.is_some();
        findings.extend(constant);
        let first = *first_of.entry(digest).or_insert(place);
        if first == place {
            distinct.extend((!is_constant).then_some(place));
        } else if !is_constant && is_equal(&columns[first].values, &columns[place].values, table.n_rows()) {
            let summary = format!("it equals `{}` in every row", columns[first].name);
            let found = Finding::new("duplicate", &columns[place].name, Severity::Warning, summary);
            findings.push(found.with("rows", table.n_rows()));
        }
    }
    findings.extend(near(columns, &distinct, &rows));
    findings.extend(undated(book, read));
    findings
}

fn constant(column: &RawColumn, rows: &[usize]) -> Option<Finding> {
    let mut known = rows.iter().filter(|&&row| !is_missing(&column.values, row));
    let first = bits(&column.values, *known.next()?);
    let is_constant = known.all(|&row| bits(&column.values, row) == first);
    let n_missing = rows.iter().filter(|&&row| is_missing(&column.values, row)).count();
    let value = match &column.values {
        RawValues::Number(_) => f32::from_bits(first).to_string(),
        RawValues::Text(texts) => texts.levels.get(first as usize).cloned().unwrap_or_default(),
    };
    let summary =
        format!("it is `{value}` in every training row that knows it ({} of {})", rows.len() - n_missing, rows.len());
    let found = Finding::new("constant", &column.name, Severity::Warning, summary);
    // Known or not is a second value.
    (is_constant && n_missing == 0).then(|| found.with("training rows", rows.len()))
}

fn digest(values: &RawValues, n_rows: usize) -> u64 {
    let is_text = u64::from(matches!(values, RawValues::Text(_)));
    let mix =
        |hash: u64, row: usize| (hash ^ u64::from(bits(values, row))).wrapping_mul(0x0100_0000_01b3).rotate_left(5);
    (0..n_rows).fold(is_text, mix)
}

fn is_equal(a: &RawValues, b: &RawValues, n_rows: usize) -> bool {
    let same_levels = match (a, b) {
        (RawValues::Number(_), RawValues::Number(_)) => true,
        (RawValues::Text(a), RawValues::Text(b)) => a.levels == b.levels,
        _ => false,
    };
    same_levels && (0..n_rows).all(|row| bits(a, row) == bits(b, row))
}

/// Pairs of number features that rank the rows alike.
fn near(columns: &[RawColumn], places: &[usize], rows: &[usize]) -> Vec<Finding> {
    let step = rows.len().div_ceil(RANKED_ROWS).max(1);
    let drawn: Vec<usize> = rows.iter().copied().step_by(step).collect();
    let ranked: Vec<(usize, Vec<f64>)> = places
        .par_iter()
        .filter_map(|&place| match &columns[place].values {
            RawValues::Number(values) => {
                let of_drawn: Vec<f32> = drawn.iter().map(|&row| values[row]).collect();
                Some((place, ranks(&of_drawn)))
            }
            RawValues::Text(_) => None,
        })
        .collect();
    let pairs: Vec<(usize, usize)> = (1..ranked.len()).flat_map(|b| (0..b).map(move |a| (a, b))).collect();
    let found = pairs.into_par_iter().filter_map(|(a, b)| {
        let correlation = correlation(&ranked[a].1, &ranked[b].1)?;
        let (first, second) = (&columns[ranked[a].0].name, &columns[ranked[b].0].name);
        let summary = format!("it ranks rows as `{first}` does: Spearman's correlation is {correlation:.3}");
        let found = Finding::new("near-duplicate", second, Severity::Note, summary).with("rows", drawn.len());
        (correlation.abs() >= NEAR).then_some(found)
    });
    let mut found: Vec<Finding> = found.collect();
    // A feature is near to another once.
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    found
}

/// Ranks from 1, ties in the middle; missing ones have NaN.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut ranks = vec![f64::NAN; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = first as f64 + f64::midpoint(tied.len() as f64, 1.0);
        for &row in tied {
            ranks[row] = rank;
        }
        first += tied.len();
    }
    ranks
}

/// Pearson's correlation over rows that know both; `None` where one does not vary, or many rows know one alone.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let pairs = || a.iter().copied().zip(b.iter().copied());
    let both = pairs().filter(|(a, b)| !a.is_nan() && !b.is_nan());
    let either = pairs().filter(|(a, b)| !a.is_nan() || !b.is_nan()).count();
    if (both.clone().count() as f64) < LEAST_KNOWN * either as f64 {
        return None;
    }
    pearson(both)
}

/// Features whose value may have been written after the outcome.
fn undated(book: &Book, read: &Read) -> Vec<Finding> {
    let mut by_source: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for feature in book.file().declared() {
        if is_undated(book, read, &feature) && !feature.helper {
            by_source.entry(feature.from.clone()).or_default().push(feature.name);
        }
    }
    let one = |(source, features): (String, Vec<String>)| {
        let (n, names) = (features.len(), features.join(", "));
        let summary = format!("{n} features are from columns without a date of their own: {names}");
        Finding::new("undated-attribute", &source, Severity::Note, summary)
    };
    by_source.into_iter().map(one).collect()
}
