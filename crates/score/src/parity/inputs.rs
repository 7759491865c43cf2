//! Rows before they are encoded.

use std::collections::BTreeMap;

use bellwether_core::{Encoding, InputKind, Percentile, RawColumn, RawTable, RawValues, TextColumn};
use rand_chacha::ChaCha8Rng;

use super::edges::with_neighbours;
use super::rows::{below, random_value};

/// Rows, unless an input has more levels than that.
const MIN_ROWS: usize = 16;
/// Rows, however many levels an input has.
const MAX_ROWS: usize = 64;
/// Stands for every text that training did not see.
const UNSEEN: &str = "a level that training did not see";

/// Rows for `encoding`: each level of each text (of more than 62, some), a text that no level is, and none; numbers at
/// the edges that `edges_of` gives for a column of the matrix and at the knots of percentiles, and missing ones; each
/// level of each dimension of cohorts.
pub(crate) fn input_rows(encoding: &Encoding, edges_of: &[Vec<f32>], rng: &mut ChaCha8Rng) -> RawTable {
    let percentiles: Vec<&Percentile> = encoding.inputs.iter().filter_map(|input| of_percentile(&input.kind)).collect();
    let levels_of = |kind: &InputKind| match kind {
        InputKind::Levels { levels, .. } => levels.len(),
        InputKind::Number | InputKind::Percentile(_) => 0,
    };
    let most_levels = encoding.inputs.iter().map(|input| levels_of(&input.kind)).max().unwrap_or(0);
    let n_rows = (most_levels + 2).clamp(MIN_ROWS, MAX_ROWS);
    let mut table = RawTable { n_rows, ..RawTable::default() };
    let mut values_of: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    for percentile in &percentiles {
        let knots = percentile.cohorts().iter().flat_map(|cohort| cohort.values.knots()).copied();
        values_of.entry(percentile.of()).or_default().extend(knots);
    }
    let mut first = 0;
    for input in &encoding.inputs {
        let values = match &input.kind {
            InputKind::Number => {
                let knots = with_neighbours(&values_of.remove(input.name.as_str()).unwrap_or_default());
                let values = [&edges_of[first], &knots].map(|values| numbers(values, n_rows, rng));
                // In turn, where there are knots.
                let of_row = |row: usize| values[if knots.is_empty() { 0 } else { row % 2 }][row];
                Some(RawValues::Number((0..n_rows).map(of_row).collect()))
            }
            InputKind::Levels { levels, .. } => Some(RawValues::Text(texts(levels, n_rows, rng))),
            InputKind::Percentile(_) => None,
        };
        first += input.n_columns();
        table.columns.extend(values.map(|values| RawColumn { name: input.name.clone(), values }));
    }
    for (name, knots) in values_of {
        let values = numbers(&with_neighbours(&knots), n_rows, rng);
        table.helpers.push(RawColumn { name: name.to_owned(), values: RawValues::Number(values) });
    }
    if let Some(percentile) = percentiles.first() {
        table.cohort = cohorts(&percentiles, percentile.by(), n_rows, rng);
    }
    table
}

const fn of_percentile(kind: &InputKind) -> Option<&Percentile> {
    match kind {
        InputKind::Percentile(percentile) => Some(percentile),
        InputKind::Number | InputKind::Levels { .. } => None,
    }
}

fn numbers(edges: &[f32], n_rows: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..n_rows).map(|_| random_value(edges, rng)).collect()
}

/// The levels in turn, then a text that is none of them, then no text, and so on; begins anywhere.
fn texts(levels: &[String], n_rows: usize, rng: &mut ChaCha8Rng) -> TextColumn {
    let unseen = unseen(levels);
    let all: Vec<Option<&str>> =
        levels.iter().map(|level| Some(level.as_str())).chain([Some(unseen.as_str()), None]).collect();
    let begin = below(all.len(), rng);
    TextColumn::from_texts((0..n_rows).map(|row| all[(begin + row) % all.len()]))
}

/// Walks along the cohorts that have a table, so that every other row is in a deep one; the others leave the way at
/// a level that no cohort has, or at none.
fn cohorts(
    percentiles: &[&Percentile],
    by: &[String],
    n_rows: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<(String, TextColumn)> {
    let paths: Vec<&[String]> =
        percentiles.iter().flat_map(|of| of.cohorts()).map(|cohort| cohort.levels.as_slice()).collect();
    let mut rows: Vec<Vec<Option<String>>> = Vec::with_capacity(n_rows);
    for row in 0..n_rows {
        let path = paths[below(paths.len(), rng)];
        let mut levels: Vec<Option<String>> = path.iter().cloned().map(Some).collect();
        let left_at = below(by.len().max(1), rng);
        levels.resize(by.len(), Some(unseen(path)));
        if let Some(level) = levels.get_mut(left_at).filter(|_| row % 2 == 1) {
            *level = (row % 4 == 1).then(|| unseen(path));
        }
        rows.push(levels);
    }
    let column = |place: usize| TextColumn::from_texts(rows.iter().map(|levels| levels[place].as_deref()));
    by.iter().enumerate().map(|(place, name)| (name.clone(), column(place))).collect()
}

/// A text that none of `levels` is.
fn unseen(levels: &[String]) -> String {
    let mut text = UNSEEN.to_owned();
    while levels.contains(&text) {
        text.push('!');
    }
    text
}
