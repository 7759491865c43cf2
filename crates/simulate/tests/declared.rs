//! The `book.toml` that a simulation writes is one that bellwether reads.

use bellwether_book::{Book, BookFile};
use bellwether_core::{Quiet, RawValues};
use bellwether_simulate::{SimulateConfig, simulate};

#[test]
fn every_declared_feature_and_target_has_values() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = SimulateConfig { n_accounts: 200, n_months: 12, ..SimulateConfig::default() };
    simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let file = BookFile::read(&folder.path().join("book.toml")).expect("the declaration is in order");
    assert_eq!(file.targets().len(), 2);
    let book = Book::open(file, &Quiet).expect("the tables are as declared");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table;
    assert!(table.raw.columns.len() > 30, "{} features", table.raw.columns.len());
    for column in &table.raw.columns {
        let known = match &column.values {
            RawValues::Number(values) => values.iter().filter(|value| value.is_finite()).count(),
            RawValues::Text(texts) => (0..table.raw.n_rows).filter(|&row| texts.get(row).is_some()).count(),
        };
        assert!(known * 4 > table.raw.n_rows, "`{}` is known in {known} of {} rows", column.name, table.raw.n_rows);
    }
    for (target, labels) in &table.labels {
        assert!(labels.contains(&Some(true)) && labels.contains(&Some(false)), "{target}");
    }
}

/// The digest of a source is that of its rows, however they are cut into row groups.
#[test]
fn chunks_do_not_matter() {
    let digests = [7, 1_000].map(|chunk_accounts| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = SimulateConfig { n_accounts: 40, n_months: 12, chunk_accounts, ..SimulateConfig::default() };
        simulate(&config, folder.path(), &Quiet).expect("a new folder");
        let file = BookFile::read(&folder.path().join("book.toml")).expect("the declaration is in order");
        Book::open(file, &Quiet).expect("the tables are as declared").summaries()
    });
    assert_eq!(digests[0], digests[1]);
}
