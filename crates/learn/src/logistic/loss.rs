//! The log loss of a model on held-out rows.

use bellwether_core::{Model, sigmoid};

use crate::rows::Table;

/// The weighted mean log loss of `model` on `table`.
pub(crate) fn log_loss(model: &Model, table: &Table) -> f64 {
    let (loss, weights) = (0..table.n_rows()).fold((0.0, 0.0), |(loss, weights), row| {
        let p = sigmoid(model.logit(&table.row(row))).clamp(1e-12, 1.0 - 1e-12);
        let weight = table.weight(row);
        (loss - weight * if table.y[row] { p.ln() } else { (1.0 - p).ln() }, weights + weight)
    });
    loss / weights
}
