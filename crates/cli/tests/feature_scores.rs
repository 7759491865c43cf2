//! `score --features`: a table of features is scored as the book that it was built from.

use expect_test::{Expect, expect};

use crate::support::{Folder, Run, csv};

const FEATURES: &str = "features --book book/book.toml --as-of 2024-06-30";
const OF_BOOK: &str = "score --book book/book.toml --model models/small --as-of 2024-06-30";
const OF_FEATURES: &str = "score --model models/small --features";

/// The trained book, with its features of one day and their scores as CSV files.
fn scored() -> Folder {
    let folder = Folder::trained().copy();
    folder.run(&format!("{FEATURES} --out features.csv")).done();
    folder.run(&format!("{OF_BOOK} --out of_book.csv")).done();
    folder
}

#[test]
fn a_table_of_features_scores_as_its_book() {
    let folder = scored();
    for form in ["csv", "parquet", "arrow"] {
        folder.run(&format!("{FEATURES} --out features.{form}")).done();
        let run = folder.run(&format!("{OF_FEATURES} features.{form} --out scores.csv --json")).json();
        assert_eq!((run["rows"].as_u64(), run["as_of"].as_str()), (Some(240), Some("2024-06-30")));
        assert_eq!(folder.read("scores.csv"), folder.read("of_book.csv"), "{form}");
    }
}

#[test]
fn scores_of_features_are_the_same_bytes_on_any_number_of_threads_and_in_any_order_of_rows() {
    let folder = scored();
    folder.edit("features.csv", |text| csv::shuffle(&text));
    for form in ["csv", "jsonl", "arrow", "parquet"] {
        folder.run(&format!("{OF_BOOK} --out of_book.{form}")).done();
        for threads in ["1", "2", "8"] {
            let mut command = folder.command(&format!("{OF_FEATURES} features.csv --out scores.{form}"));
            command.env("RAYON_NUM_THREADS", threads).env("POLARS_MAX_THREADS", threads);
            let run = Run::of(command).done();
            assert!(run.stderr.contains("its rows do not stand by account and day"), "{}", run.stderr);
            let files = folder.files(".");
            assert!(files[&format!("scores.{form}")] == files[&format!("of_book.{form}")], "{form}, {threads} threads");
        }
    }
}

/// The rows of three shards, by account, under one header.
#[track_caller]
fn check_shards(folder: &Folder, score: &str) {
    let mut rows = Vec::new();
    let mut header = String::new();
    for shard in 1..=3 {
        let run = folder.run(&format!("{score} --shard {shard}/3 --out shard.csv --json")).json();
        assert_eq!(run["shard"], format!("{shard}/3"));
        let text = folder.read("shard.csv");
        let mut lines = text.lines().map(str::to_owned);
        header = lines.next().expect("a header");
        let of_shard: Vec<String> = lines.collect();
        assert_eq!(run["rows"].as_u64(), Some(of_shard.len() as u64));
        assert!((40..120).contains(&of_shard.len()), "{} of 240", of_shard.len());
        rows.extend(of_shard);
    }
    rows.sort();
    assert_eq!(format!("{header}\n{}\n", rows.join("\n")), folder.read("of_book.csv"));
}

#[test]
fn shards_are_the_whole() {
    let folder = scored();
    check_shards(&folder, OF_BOOK);
    check_shards(&folder, &format!("{OF_FEATURES} features.csv"));
}

#[test]
fn a_history_of_features_is_scored_day_by_day() {
    let folder = scored();
    folder.run("features --book book/book.toml --out history.parquet").done();
    let all = folder.run(&format!("{OF_FEATURES} history.parquet --out all.csv --json")).json();
    assert_eq!((all["as_of"].as_str(), all["to"].as_str()), (Some("2023-03-31"), Some("2024-12-31")));
    folder.run(&format!("{OF_FEATURES} history.parquet --as-of 2024-06-30 --out one.csv")).done();
    let of_day = |text: &str| csv::keep_rows(text, |fields| fields[1] == "2024-06-30");
    assert_eq!(of_day(&folder.read("all.csv")), folder.read("one.csv"));
    // A history has customers only.
    let customers =
        csv::keep_rows(&folder.read("of_book.csv"), |fields| fields[2] != "churned" && fields[2] != "not_started");
    assert_eq!(folder.read("one.csv"), customers);
}

#[test]
fn what_only_the_book_knows_is_null_without_it() {
    let folder = scored();
    let column = |text: &str, name: &str| {
        text.lines().next().expect("a header").split(',').position(|column| column == name).expect("a column")
    };
    folder.edit("features.csv", |text| {
        let dropped = ["book:status", "book:arr", "segment:industry"].map(|name| column(&text, name));
        let kept = |line: &str| -> String {
            let fields = line.split(',').enumerate().filter(|(at, _)| !dropped.contains(at));
            fields.map(|(_, field)| field).collect::<Vec<_>>().join(",") + "\n"
        };
        // No field of these rows has a comma.
        text.lines().filter(|line| !line.contains('"')).map(kept).collect()
    });
    folder.run(&format!("{OF_FEATURES} features.csv --out scores.csv")).done();
    let (scores, of_book) = (folder.read("scores.csv"), folder.read("of_book.csv"));
    let [status, arr, at_risk, gain] =
        ["status", "arr", "arr_at_risk", "expected_expansion_arr"].map(|name| column(&scores, name));
    for line in scores.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!([fields[arr], fields[at_risk], fields[gain]], [""; 3], "{line}");
        assert!(["scored", "insufficient_data"].contains(&fields[status]), "{line}");
        let there = of_book.lines().find(|line| line.starts_with(&format!("{},", fields[0]))).expect("a row");
        let there: Vec<&str> = there.split(',').collect();
        if there[status] == "scored" {
            assert_eq!(fields[..arr], there[..arr]);
        }
    }
}

/// `score --features` refuses the features after `spoil`, and leaves the scores of yesterday alone.
#[track_caller]
fn check_not_scored(spoil: impl FnOnce(String) -> String, told: &Expect) {
    let folder = scored();
    folder.edit("features.csv", spoil);
    folder.write("scores.csv", "of yesterday\n");
    let before = folder.files(".");
    let run = folder.run(&format!("{OF_FEATURES} features.csv --out scores.csv"));
    told.assert_eq(&format!("----\n{}", run.stderr));
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    assert_eq!(folder.files("."), before, "something was written");
}

#[test]
fn features_that_the_model_does_not_read_are_not_scored() {
    check_not_scored(
        |text| text.replacen("logins_30d", "logins_60d", 1),
        &expect![[r#"
            ----
            scoring the rows of features.csv
            error: features.csv: there is no column `logins_30d`, a feature of the model
            hint: did you mean `logins_60d`? `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
        "#]],
    );
    check_not_scored(
        |text| text.replacen("as_of,", "as_of,csm,", 1).replace("-30,", "-30,x,"),
        &expect![[r#"
            ----
            scoring the rows of features.csv
            error: features.csv: column `csm` is no feature of the model
            hint: leave the column out; `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
        "#]],
    );
}

#[test]
fn an_account_with_two_rows_of_a_day_is_not_scored() {
    check_not_scored(
        |text| text.replacen("c-007,", "c-006,", 1),
        &expect![[r#"
            ----
            scoring the rows of features.csv
            error: features.csv: account `c-006` has more than one row on 2024-06-30; it can have one score a day
            hint: keep one row an account and day
        "#]],
    );
}

#[test]
fn the_matrix_of_a_model_is_no_table_of_features() {
    let folder = scored();
    folder.run("features --book book/book.toml --model models/small --out features.csv").done();
    let run = folder.run(&format!("{OF_FEATURES} features.csv --out scores.csv"));
    assert_eq!(run.code, Some(3));
    expect![[r#"
        scoring the rows of features.csv
        error: features.csv: there is no column `mrr`, a feature of the model
        hint: `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
    "#]]
    .assert_eq(&run.stderr);
}
