//! `features --list`: what the catalogue has, what of it a book can build, and the page in docs.

use std::collections::BTreeSet;
use std::path::Path;

use expect_test::expect_file;
use serde_json::Value;

use crate::support::Folder;

fn list(arguments: &str) -> Value {
    Folder::with_book().run(&format!("features --list --json {arguments}")).json()
}

fn texts<'a>(of: &'a Value, key: &str) -> Vec<&'a str> {
    of[key].as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

/// The metrics of sections 1.3 and 1.12: lines such as `- U-01 login frequency`.
fn required(requirements: &str) -> BTreeSet<&str> {
    let ids = requirements.lines().filter_map(|line| {
        let id = line.strip_prefix("- ")?.split_whitespace().next()?;
        let (kind, number) = id.split_once('-')?;
        let is_metric = ["U", "E", "T", "N", "R", "B", "X"].contains(&kind);
        (is_metric && number.parse::<u32>().is_ok()).then_some(id)
    });
    ids.collect()
}

/// Every metric that the guides name has an entry. Without the folder of requirements this test says that it was skipped.
#[test]
fn the_catalogue_covers_every_metric_of_the_requirements() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/requirements.md");
    let Ok(requirements) = std::fs::read_to_string(path) else {
        println!("skipped: this needs ../shared/requirements.md beside the workspace");
        return;
    };
    let required = required(&requirements);
    assert!(required.len() > 40, "the requirements were not read: {required:?}");
    let listed = list("");
    let entries = listed["entries"].as_array().expect("a list");
    let covered: BTreeSet<&str> = entries.iter().flat_map(|entry| texts(entry, "ids")).collect();
    assert_eq!(covered, required);
}

#[test]
fn an_entry_says_all_that_there_is_to_know() {
    let listed = list("");
    for entry in listed["entries"].as_array().expect("a list") {
        for key in ["name", "category", "unit", "what", "formula"] {
            assert!(entry[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {entry}");
        }
        assert!(!texts(entry, "ids").is_empty() && !texts(entry, "needs").is_empty(), "{entry}");
        assert!(entry.get("good").is_some() && entry.get("buildable").is_none(), "{entry}");
    }
}

#[test]
fn a_book_is_told_what_it_can_build_and_what_it_lacks() {
    let folder = Folder::with_book();
    folder.edit("book/book.toml", |text| {
        let roles = "[catalogue.roles.usage]\nsource = \"usage\"\nhas = [\"logins\"]\n\n\
            [catalogue.roles.subscriptions]\nsource = \"plans\"\nhas = [\"mrr\"]\n";
        format!("{text}\n{roles}")
    });
    let listed = folder.run("features --list --json --book book/book.toml").json();
    let entry = |name: &str| {
        let entries = listed["entries"].as_array().expect("a list");
        entries.iter().find(|entry| entry["name"] == name).expect("it is listed").clone()
    };
    assert_eq!(entry("login_trend")["buildable"], true);
    assert_eq!(entry("tenure")["buildable"], true, "the accounts' source plays the role of accounts");
    let lacking = entry("login_frequency");
    assert_eq!(lacking["buildable"], false);
    assert_eq!(texts(&lacking, "missing"), ["column `seats` of role `subscriptions`"]);
    assert_eq!(texts(&entry("nps"), "missing"), ["role `nps`"]);
    let printed = folder.run("features --list --book book/book.toml").done().stdout;
    assert!(printed.contains("  yes login_trend"), "{printed}");
    assert!(printed.contains("      missing: role `nps`\n"), "{printed}");
    assert!(printed.trim_end().ends_with("book/book.toml can build 9 of 96 entries"), "{printed}");
}

#[test]
fn without_list_a_book_and_a_table_are_needed() {
    let run = Folder::new().run("features");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--book <FILE>") && run.stderr.contains("--out <FILE>"), "{}", run.stderr);
    assert_eq!(Folder::new().run("features --list --out x.csv").code, Some(2));
    assert_eq!(Folder::new().run("features --markdown --book b --out x.csv").code, Some(2));
}

/// `UPDATE_EXPECT=1` writes the page anew.
#[test]
fn the_page_in_docs_is_what_the_program_prints() {
    let page = Folder::new().run("features --list --markdown").done().stdout;
    expect_file!["../../../docs/FEATURES.md"].assert_eq(&page);
}

/// All entries at once on 400 simulated accounts: no feature is constant or never known, and models are fitted.
#[test]
fn a_book_that_uses_the_whole_catalogue_trains() {
    let folder = Folder::new();
    folder.run("simulate --accounts 400 --months 24 --seed 3 --out book").done();
    folder.edit("book/book.toml", |text| {
        let train =
            "[train]\nmin_event_accounts = 40\nmin_other_accounts = 100\nlearners = [\"scorecard\", \"logistic\"]\n";
        format!("{}\n{train}", text.replacen("[catalogue]\nuse = []", "[catalogue]\nuse = [\"all\"]", 1))
    });
    let checked = folder.run("check --book book/book.toml --json").json();
    assert!(checked["features"].as_u64().is_some_and(|n| n > 96 + 40), "{checked}");
    let trained = folder.run("train --book book/book.toml --models models --seed 1 --json").json();
    assert_eq!(trained["targets"].as_array().map(Vec::len), Some(2), "{trained}");
    let scored = "score --book book/book.toml --model models/simulated --as-of 2024-12-31 --out scores.csv";
    folder.run(scored).done();
}
