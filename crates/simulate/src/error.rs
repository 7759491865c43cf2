//! Why a book was not written.

use bellwether_book::TableError;
use thiserror::Error;

/// Why a book was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// A setting is out of range.
    #[error("`{setting}` is {value}; it must be {rule}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// Its value.
        value: usize,
        /// What it must be.
        rule: &'static str,
    },
    /// The folder holds something that no simulation wrote.
    #[error("`{folder}` holds `{entry}`; a book is written into a new folder, an empty one or over a simulated book")]
    Occupied {
        /// The folder.
        folder: String,
        /// The first entry, by name, that is in the way.
        entry: String,
    },
    /// The folder or a file in it could not be made.
    #[error("cannot write `{path}`")]
    Write {
        /// The folder or file.
        path: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// A table could not be written.
    #[error("cannot write table `{table}`")]
    Table {
        /// Its name.
        table: &'static str,
        /// Why.
        #[source]
        cause: TableError,
    },
}
