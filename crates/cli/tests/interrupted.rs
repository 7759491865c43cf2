//! A run that is killed leaves whole outputs or none.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bellwether_book::{Column, Table, write_table};

use crate::support::Folder;

/// Kills runs of `arguments` at `n_moments` moments, which are spread over the time that a whole run takes; `check` looks
/// at what each leaves.
#[track_caller]
fn kill_at_moments(folder: &Folder, arguments: &str, n_moments: u32, check: impl Fn()) {
    let began = Instant::now();
    folder.run(arguments).done();
    let whole = began.elapsed();
    // The last moments are where files are written: they are closer together, and some come too late.
    let mut n_killed = 0;
    for moment in 1..=n_moments {
        let share = 1.0 - 0.9 * (1.0 - f64::from(moment) / f64::from(n_moments)).powi(2);
        n_killed += u32::from(kill_after(folder, arguments, whole.mul_f64(share)));
        check();
    }
    assert!(n_killed > 0, "every run of {arguments} was done within {whole:?}");
}

/// Whether the run was killed before it was done.
fn kill_after(folder: &Folder, arguments: &str, wait: Duration) -> bool {
    let mut command = folder.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    // The only way to interrupt work at any moment is to let it work until then.
    std::thread::sleep(wait);
    child.kill().expect("it is ours to kill");
    !child.wait().expect("it ends").success()
}

/// The files that are there under a name of their own: what a killed run leaves unfinished is hidden.
fn finished(folder: &Folder, within: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = folder.files(within);
    files.retain(|name, _| name.split('/').all(|part| !part.starts_with('.')));
    files
}

#[test]
fn a_killed_training_leaves_no_half_bundle() {
    let folder = Folder::with_book();
    let learners = "[train]\nlearners = [\"logistic\"]\n";
    folder.replace("book/book.toml", "[train]\n", learners);
    let train = "train --book book/book.toml --models models --seed 7";
    kill_at_moments(&folder, train, 8, || {
        let versions = std::fs::read_dir(folder.path("models/small")).expect("one version is there");
        let names = versions.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        for version in names.filter(|name| !name.starts_with('.')) {
            assert_eq!(finished(&folder, &format!("models/small/{version}")), folder.files("models/small/1"));
        }
        let score = "score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.csv";
        folder.run(score).done();
    });
    // The next training goes on as if nothing had happened, and clears what was left.
    folder.run(train).done();
    let left: Vec<String> = folder.files("models").into_keys().filter(|name| name.contains("/.bundle-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Kills of `score --out out/...` leave the whole file or none, and the next run clears what they left.
#[track_caller]
fn check_killed_scoring(folder: &Folder, score: &str, out: &str, n_moments: u32) {
    std::fs::create_dir(folder.path("out")).expect("a new folder");
    let score = format!("{score} --out out/{out}");
    folder.run(&score).done();
    let whole = finished(folder, "out");
    kill_at_moments(folder, &score, n_moments, || {
        let left = finished(folder, "out");
        assert!(left.is_empty() || left == whole, "{:?}", left.keys());
        let _ = std::fs::remove_file(folder.path("out").join(out));
    });
    folder.run(&score).done();
    assert!(folder.files("out") == whole, "something is left");
}

#[test]
fn a_killed_scoring_leaves_the_whole_file_or_none() {
    let score = "score --book book/book.toml --model models/small --as-of 2024-06-30";
    check_killed_scoring(&Folder::trained().copy(), score, "scores.csv", n_kills());
}

#[test]
fn a_killed_scoring_of_features_leaves_the_whole_file_or_none() {
    let folder = Folder::trained().copy();
    folder.run("features --book book/book.toml --as-of 2024-06-30 --out features.parquet").done();
    let score = "score --features features.parquet --model models/small";
    check_killed_scoring(&folder, score, "scores.parquet", n_kills());
}

#[test]
fn a_resumed_scoring_leaves_the_whole_file_or_none() {
    let folder = Folder::trained().copy();
    folder.run("features --book book/book.toml --as-of 2024-06-30 --out features.parquet").done();
    for score in ["--features features.parquet", "--book book/book.toml --as-of 2024-06-30"] {
        let score = format!("score {score} --model models/small --resume");
        check_killed_scoring(&folder, &score, "scores.csv", n_kills() / 2);
        std::fs::remove_dir_all(folder.path("out")).expect("it is there");
    }
}

/// Its parts go through Arrow files: in Parquet, too, nothing tells.
#[test]
fn a_run_that_can_be_resumed_writes_the_same_bytes() {
    let folder = Folder::trained().copy();
    for ending in ["parquet", "arrow", "csv"] {
        let score = "score --book book/book.toml --model models/small --as-of 2024-06-30";
        folder.run(&format!("{score} --out plain.{ending}")).done();
        folder.run(&format!("{score} --resume --out resumed.{ending}")).done();
        let read = |name: &str| std::fs::read(folder.path(&format!("{name}.{ending}"))).expect("a file");
        assert!(read("plain") == read("resumed"), "{ending}");
    }
}

#[test]
fn what_a_killed_run_finished_is_taken_up_only_where_nothing_changed() {
    let folder = Folder::trained().copy();
    let score = "score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.csv";
    folder.run(score).done();
    let whole = folder.read("scores.csv");
    // A run that was killed before it put its parts together: its book was another one.
    folder.write(".bellwether-scores.csv-parts/inputs", "0".repeat(64));
    folder.write(".bellwether-scores.csv-parts/00000000.arrow", "not of this book");
    let resumed = folder.run(&format!("{score} --resume")).done();
    assert!(!resumed.stderr.contains("continued"), "{}", resumed.stderr);
    assert_eq!(folder.read("scores.csv"), whole);
    let left = || folder.files(".").into_keys().filter(|name| name.starts_with('.')).collect::<Vec<_>>();
    assert!(left().is_empty(), "{:?}", left());
    // Who does not resume begins anew, and leaves nothing of it either.
    folder.write(".bellwether-scores.csv-parts/inputs", "0".repeat(64));
    folder.run(score).done();
    assert!(left().is_empty(), "{:?}", left());
}

/// What is kept is looked at, too: an older build of the same version may have had other columns.
#[test]
fn finished_parts_are_continued_only_with_the_columns_of_this_run() {
    let folder = Folder::trained().copy();
    folder.run("features --book book/book.toml --as-of 2024-06-30 --out features.parquet").done();
    for rows in ["--book book/book.toml --as-of 2024-06-30", "--features features.parquet"] {
        let score = format!("score {rows} --model models/small --actions --resume --out scores.csv");
        folder.run(&score).done();
        let whole = folder.read("scores.csv");
        let part = folder.path(".bellwether-scores.csv-parts/00000000.arrow");
        // All parts are finished, and the output can't be put in its place.
        let leave_parts = || {
            std::fs::remove_file(folder.path("scores.csv")).expect("it is there");
            std::fs::create_dir(folder.path("scores.csv")).expect("a new folder");
            let failed = folder.run(&score);
            assert!(failed.stderr.contains("scores.csv can't be written") && part.exists(), "{}", failed.stderr);
            assert_eq!(failed.code, Some(1));
            std::fs::remove_dir(folder.path("scores.csv")).expect("it is empty");
        };
        leave_parts();
        let resumed = folder.run(&score).done();
        assert!(resumed.stderr.contains("an earlier run finished"), "{}", resumed.stderr);
        assert_eq!(folder.read("scores.csv"), whole);
        leave_parts();
        let older = Table::default().with("account_id", Column::Int(vec![Some(1)]));
        write_table(&older, &part).expect("writes");
        let resumed = folder.run(&score).done();
        assert!(!resumed.stderr.contains("an earlier run finished"), "{}", resumed.stderr);
        assert_eq!(folder.read("scores.csv"), whole);
    }
}

/// More where somebody asks for more.
fn n_kills() -> u32 {
    std::env::var("BELLWETHER_KILLS").ok().map_or(20, |n| n.parse().expect("BELLWETHER_KILLS is a number"))
}
