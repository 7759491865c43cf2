//! Equal inputs, configuration and seed give equal bytes: on any number of threads, in any order of rows, in any time
//! zone and language; and a row's score depends on its own account and past alone.

use std::collections::BTreeMap;

use crate::support::{Folder, Run, csv};

const TABLES: [&str; 4] = ["accounts.csv", "plans.csv", "usage.csv", "surveys.csv"];
const TRAIN: &str = "train --book book/book.toml --models models --seed 7 --json";
const AS_OF: &str = "2024-06-30";

/// Trains in `folder` under `environment` and finds the bundle of [`Folder::trained`], byte by byte.
#[track_caller]
fn check_same_bundle(folder: &Folder, arguments: &str, environment: &[(&str, &str)]) {
    let mut command = folder.command(&format!("{TRAIN} {arguments}"));
    command.envs(environment.iter().copied());
    let trained = Run::of(command).json();
    let (expected, found) = (Folder::trained().files("models/small/1"), folder.files("models/small/1"));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    let differing: Vec<&String> = expected.keys().filter(|&file| found[file] != expected[file]).collect();
    assert!(differing.is_empty(), "other bytes in {differing:?}");
    let digest = Folder::trained().read("models/small/1/manifest.sha256");
    assert_eq!(trained["digest"].as_str(), digest.split(' ').next());
}

/// Scores the book of `folder` into `scores.csv` and reads it back.
#[track_caller]
fn scores_of(folder: &Folder) -> String {
    let score = "score --book book/book.toml --model models/small";
    folder.run(&format!("{score} --as-of {AS_OF} --out scores.csv")).done();
    folder.read("scores.csv")
}

#[test]
fn one_thread_gives_the_same_bundle() {
    check_same_bundle(&Folder::with_book(), "--threads 1", &[("POLARS_MAX_THREADS", "1")]);
}

#[test]
fn two_threads_give_the_same_bundle() {
    check_same_bundle(&Folder::with_book(), "--threads 2", &[("POLARS_MAX_THREADS", "2")]);
}

#[test]
fn eight_threads_give_the_same_bundle() {
    check_same_bundle(&Folder::with_book(), "--threads 8", &[("POLARS_MAX_THREADS", "8")]);
}

#[test]
fn another_time_zone_and_language_give_the_same_bundle() {
    check_same_bundle(
        &Folder::with_book(),
        "",
        &[("TZ", "Pacific/Apia"), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")],
    );
}

#[test]
fn another_order_of_rows_gives_the_same_bundle() {
    let folder = Folder::with_book();
    for table in TABLES {
        folder.edit(&format!("book/{table}"), |text| csv::shuffle(&text));
    }
    check_same_bundle(&folder, "", &[]);
}

#[test]
fn another_seed_gives_another_bundle() {
    let folder = Folder::with_book();
    let trained = folder.run("train --book book/book.toml --models models --seed 8 --json").json();
    let digest = Folder::trained().read("models/small/1/manifest.sha256");
    assert_ne!(trained["digest"].as_str(), digest.split(' ').next());
}

#[test]
fn scores_are_the_same_bytes_on_any_number_of_threads() {
    let folder = Folder::trained().copy();
    for form in ["csv", "jsonl", "arrow", "parquet"] {
        let mut written = Vec::new();
        for threads in ["1", "2", "8"] {
            let out = format!("scores-{threads}.{form}");
            let score = "score --book book/book.toml --model models/small";
            let mut command = folder.command(&format!("{score} --as-of {AS_OF} --out {out}"));
            command.env("RAYON_NUM_THREADS", threads).env("POLARS_MAX_THREADS", threads);
            Run::of(command).done();
            written.push(folder.files(".").remove(&out).expect("it was written"));
        }
        assert!(written.iter().all(|bytes| *bytes == written[0]), "{form}");
    }
}

#[test]
fn an_account_alone_scores_as_in_the_whole() {
    let whole = scores_of(&Folder::trained().copy());
    for account in ["c-000", "c-003", "c-104", "c-230"] {
        let folder = Folder::trained().copy();
        for table in TABLES {
            folder.edit(&format!("book/{table}"), |text| csv::keep_rows(&text, |fields| fields[0] == account));
        }
        let alone = scores_of(&folder);
        assert_eq!(alone.lines().count(), 2, "{account}");
        assert_eq!(alone, csv::keep_rows(&whole, |fields| fields[0] == account));
    }
}

#[test]
fn rows_after_the_day_of_the_scores_change_nothing() {
    let whole = scores_of(&Folder::trained().copy());
    let folder = Folder::trained().copy();
    for table in TABLES {
        // An account that starts later is listed in the whole, without numbers. Every table has the day second.
        let keep = |fields: &[&str]| table == "accounts.csv" || fields[1] <= AS_OF;
        folder.edit(&format!("book/{table}"), |text| csv::keep_rows(&text, keep));
    }
    assert_eq!(scores_of(&folder), whole);
}
