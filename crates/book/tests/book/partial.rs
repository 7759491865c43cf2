//! What the first test day knows of labels whose horizon ends after it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bellwether_book::{Book, FeatureTable, PartialLabels, Split};
use bellwether_core::{Date, Outcome, Quiet, Target};

use crate::common::{date, open};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 28 };
const FIRST_TEST: &str = "2023-10-02";
const N_DAYS: u64 = 365;

fn toml(split: &str) -> String {
    format!(
        r#"
        name = "partial"
        snapshots = {{ every = "7d", from = 2023-01-01, data_end = 2023-12-25 }}
        [sources.accounts]
        kind = "attribute"
        path = "accounts.csv"
        account = "account"
        date = "start"
        [sources.ends]
        kind = "event"
        path = "ends.csv"
        account = "account"
        date = "day"
        [accounts]
        from = "accounts"
        [targets]
        horizon_days = 28
        churn = {{ rule = "event", source = "ends" }}
        [[features]]
        from = "accounts"
        name = "tenure"
        aggregate = "days_since"
        [split]
        {split}
    "#
    )
}

/// Accounts of which as many begin each day as `begins` says, and each day about the share `ends` of those that are there
/// ends.
fn files(begins: impl Fn(u64) -> u64, ends: impl Fn(u64) -> f64) -> [(&'static str, String); 2] {
    let (mut accounts, mut out) = ("account,start\n".to_owned(), "account,day\n".to_owned());
    let (mut there, mut n, mut owed): (Vec<u64>, u64, f64) = (Vec::new(), 0, 0.0);
    let first = date("2023-01-01");
    for day in 0..N_DAYS {
        let today = first.plus_days(i32::try_from(day).expect("a year"));
        owed += ends(day) * there.len() as f64;
        while owed >= 1.0 {
            let place = (n.wrapping_mul(7919) + day * 104_729) as usize % there.len();
            let _ = writeln!(out, "a{},{today}", there.swap_remove(place));
            owed -= 1.0;
        }
        for _ in 0..begins(day) {
            let _ = writeln!(accounts, "a{n},{today}");
            there.push(n);
            n += 1;
        }
    }
    [("accounts.csv", accounts), ("ends.csv", out)]
}

fn partial(split: &str, files: &[(&str, String)]) -> (Book, FeatureTable, Split, PartialLabels) {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (_folder, book) = open(&toml(split), &files).expect("a valid book");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table;
    let split = book.split(&table, 3).expect("long enough");
    let labels = book.partial_labels(&table, &split, CHURN);
    (book, table, split, labels)
}

fn by_time() -> String {
    format!("test_from = {FIRST_TEST}")
}

const fn growing(day: u64) -> u64 {
    if day == 0 { 400 } else { 1 + day / 30 }
}

#[test]
fn a_share_is_that_of_the_days_whatever_drift_and_growth() {
    type Rate = fn(u64) -> f64;
    let rates: [(&str, Rate); 3] = [
        ("stable", |_| 0.004),
        ("leap", |day| if day < 220 { 0.002 } else { 0.006 }),
        ("falling", |day| 0.006 - 0.000_012 * day as f64),
    ];
    for (name, rate) in rates {
        for (growth, begins) in [("no", (|day| if day == 0 { 900 } else { 0 }) as fn(u64) -> u64), ("some", growing)] {
            let (_, table, _, labels) = partial(&by_time(), &files(begins, rate));
            let mut seen = BTreeSet::new();
            for (&row, share) in labels.rows.iter().zip(&labels.share) {
                let n_days = date(FIRST_TEST).days() - table.keys[row].as_of.days();
                seen.insert(n_days);
                // Of constant hazards a bit more comes early: who has left can't leave.
                assert!((share - f64::from(n_days) / 28.0).abs() < 0.03, "{name}, {growth} growth, {n_days}: {share}");
            }
            assert_eq!(seen.into_iter().collect::<Vec<_>>(), [7, 14, 21], "days after a snapshot that are known");
        }
    }
}

#[test]
fn what_comes_later_is_not_known() {
    let files = files(growing, |_| 0.004);
    let (_, table, split, labels) = partial(&by_time(), &files);
    let ended = |row: usize, until: Date| {
        let name = format!("{},", table.keys[row].account.0);
        let day = files[1].1.lines().find_map(|line| line.strip_prefix(&name)).map(date);
        day.is_some_and(|day| table.keys[row].as_of < day && day <= until)
    };
    assert!(labels.y.contains(&true));
    for (&row, &y) in labels.rows.iter().zip(&labels.y) {
        assert_eq!(y, ended(row, date(FIRST_TEST)), "{:?}", table.keys[row]);
    }
    let last = split.calibration.iter().map(|&row| table.keys[row].as_of).max().expect("has rows");
    assert!(split.before_test.iter().all(|&row| last < table.keys[row].as_of));

    // A longer purge is days of which nothing is known.
    let (_, table, _, labels) = partial(&format!("{}\npurge_days = 35", by_time()), &files);
    assert!(labels.y.contains(&true));
    for (&row, &y) in labels.rows.iter().zip(&labels.y) {
        assert_eq!(y, ended(row, date(FIRST_TEST).plus_days(-7)), "{:?}", table.keys[row]);
    }
}

#[test]
fn accounts_that_a_model_is_fitted_on_meanwhile_tell_nothing() {
    let files = files(growing, |_| 0.004);
    let by_accounts = format!("{}\ncalibration_rows = \"accounts\"", by_time());
    let (_, table, split, labels) = partial(&by_accounts, &files);
    let accounts = |rows: &[usize]| rows.iter().map(|&row| table.account[row]).collect::<BTreeSet<_>>();
    assert!(!labels.rows.is_empty() && accounts(&labels.rows).is_disjoint(&accounts(&split.training)));

    let (_, _, split, labels) = partial("kind = \"random\"", &files);
    assert!(split.before_test.is_empty() && labels == PartialLabels::default());
}
