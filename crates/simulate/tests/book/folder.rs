//! What a simulation leaves in its folder.

use std::collections::BTreeMap;

use bellwether_core::Quiet;
use bellwether_simulate::{SimulateConfig, SimulateError, TABLE_NAMES, expected_auc, simulate};

use crate::support::{Book, seeded};

#[test]
fn a_folder_holds_the_same_bytes_each_time_and_any_chunks() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = SimulateConfig { n_accounts: 30, n_months: 6, ..seeded(1) };
    let book = simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let read = || -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(folder.path()).expect("the folder is there").flatten();
        let names = entries.map(|entry| entry.file_name().into_string().expect("plain names"));
        names.map(|name| (name.clone(), std::fs::read(folder.path().join(name)).expect("a file"))).collect()
    };
    let first = read();
    assert_eq!(first.len(), TABLE_NAMES.len() - 2 + 2, "all tables but the two on request, book.toml and README.md");
    let text = String::from_utf8(first["README.md"].clone()).expect("a text");
    assert!(!text.contains('{'), "every place of the datasheet is filled");
    assert!(text.contains(&format!("### usage ({} rows)", book.rows[1].1)));

    assert_eq!(simulate(&config, folder.path(), &Quiet).expect("over a simulated book"), book);
    assert_eq!(read(), first);
    let chunked = SimulateConfig { chunk_accounts: 7, ..config };
    assert_eq!(simulate(&chunked, folder.path(), &Quiet).expect("over a simulated book"), book);
}

#[test]
fn other_content_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("a file");
    let error = simulate(&seeded(1), folder.path(), &Quiet).expect_err("the folder is somebody's");
    assert!(matches!(&error, SimulateError::Occupied { entry, .. } if entry == "notes.txt"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 1);
}

#[test]
fn settings_out_of_range_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (config, setting) in [
        (SimulateConfig { n_accounts: 0, ..seeded(1) }, "n_accounts"),
        (SimulateConfig { n_months: 0, ..seeded(1) }, "n_months"),
        (SimulateConfig { n_months: 241, ..seeded(1) }, "n_months"),
        (SimulateConfig { chunk_accounts: 0, ..seeded(1) }, "chunk_accounts"),
    ] {
        let error = simulate(&config, folder.path(), &Quiet).expect_err("the setting is out of range");
        assert!(error.to_string().starts_with(&format!("`{setting}` is")), "{error}");
    }
}

/// Over the month ends whose 90 days lie within the book; and what came true ranks about as well as it was expected to.
#[test]
fn the_best_auc_is_that_of_the_truth() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = SimulateConfig { n_accounts: 1_500, ..seeded(5) };
    let written = simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let book = Book::of(&config, 0..config.n_accounts);
    let last = config.last_day().plus_days(-90);
    let dates = book.dates("truth", "date");
    for (column, auc) in [("churn_90d", written.bayes_auc.churn), ("expansion_90d", written.bayes_auc.expansion)] {
        let labelled = book.numbers("truth", column).into_iter().zip(&dates).filter(|(_, date)| **date <= Some(last));
        let truth: Vec<f64> = labelled.map(|(truth, _)| truth).collect();
        assert_eq!(auc, expected_auc(&truth), "{column}");
        let sheet = std::fs::read_to_string(folder.path().join("README.md")).expect("the datasheet");
        assert!(auc.is_some_and(|auc| sheet.contains(&format!("{auc:.4}"))), "{column}: {auc:?}");
    }
    let short = SimulateConfig { n_accounts: 5, n_months: 2, ..seeded(5) };
    assert_eq!(simulate(&short, folder.path(), &Quiet).expect("over a simulated book").bayes_auc.churn, None);
}

/// A book leaves no table behind that it was not asked for.
#[test]
fn a_table_that_the_book_does_not_have_is_removed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let without = SimulateConfig { n_accounts: 10, n_months: 3, ..seeded(5) };
    let treating = SimulateConfig { interventions: true, ..without.clone() };
    let revealing = SimulateConfig { reveal: true, ..without.clone() };
    for (config, expected) in [(&without, [false; 2]), (&treating, [true, false]), (&revealing, [false, true])] {
        simulate(config, folder.path(), &Quiet).expect("a folder of a simulated book");
        let written =
            ["interventions", "hidden_states"].map(|name| folder.path().join(format!("{name}.parquet")).exists());
        assert_eq!(written, expected);
        let sheet = std::fs::read_to_string(folder.path().join("README.md")).expect("the datasheet");
        assert!(!sheet.contains('{'), "{sheet}");
    }
}
