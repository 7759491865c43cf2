//! What a simulation leaves in its folder.

use std::collections::BTreeMap;

use bellwether_core::Quiet;
use bellwether_simulate::{SimulateConfig, SimulateError, TABLE_NAMES, simulate};

use crate::support::seeded;

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
    assert_eq!(first.len(), TABLE_NAMES.len() - 1 + 2, "all tables but the interventions, book.toml and README.md");
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
