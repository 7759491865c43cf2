//! Rows on which a change of a model, or a difference between runtimes, shows.

mod cells;
mod edges;
mod inputs;
mod packing;
mod rows;

pub(crate) use inputs::input_rows;
pub(crate) use rows::certificate_rows;
pub use rows::{parity_rows, parity_rows_for};
