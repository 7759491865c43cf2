//! A book in a temporary folder.

use bellwether_book::{Book, BookError, BookFile, FeatureTable};
use bellwether_core::{Date, Quiet, RawValues};
use tempfile::TempDir;

/// Writes `files` and `toml` into a folder and opens the book.
pub(crate) fn open(toml: &str, files: &[(&str, &str)]) -> Result<(TempDir, Book), BookError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file in a temporary folder");
    }
    let file = BookFile::parse(toml.to_owned(), &folder.path().join("book.toml"))?;
    let book = Book::open(file, &Quiet)?;
    Ok((folder, book))
}

/// The numbers of a feature, one a row.
pub(crate) fn numbers(table: &FeatureTable, name: &str) -> Vec<f32> {
    let column = table.raw.columns.iter().find(|column| column.name == name).expect("a declared feature");
    match &column.values {
        RawValues::Number(values) => values.clone(),
        RawValues::Text(texts) => texts.codes.iter().map(|&code| code as f32).collect(),
    }
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().expect("a date of the test")
}
