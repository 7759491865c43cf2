//! Weights that fade with the age of a row.

use crate::rows::Table;

/// Keeps a class of old rows only from having no weight at all.
const LEAST: f64 = 1e-9;

/// The weights of `table` times `0.5 ^ (days before the last day / half_life_days)`.
pub(super) fn faded(mut table: Table, half_life_days: f64) -> Table {
    let last_day = table.day.iter().copied().max().unwrap_or(0);
    let fade = |row: usize| (-(f64::from(last_day) - f64::from(table.day[row])) / half_life_days).exp2().max(LEAST);
    let weights = (0..table.n_rows()).map(|row| table.weight(row) * fade(row)).collect();
    table.weights = Some(weights);
    table
}
