//! The catalogue: ready features for the indicators that customer-success guides name, written over roles instead of one
//! book's sources and columns. `[catalogue]` of `book.toml` says which source plays which role and which entries to use.

mod entry;
mod formula;

pub(crate) use entry::columns;
pub use entry::{Catalogue, Entry, Role, RoleColumn};
