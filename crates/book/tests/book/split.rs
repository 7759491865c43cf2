//! Parts of a split share no outcome window, no account where accounts are held out, and depend on nothing but the seed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bellwether_book::{Book, BookError, FeatureTable, Split};
use bellwether_core::Quiet;

use crate::common::open;

const HORIZON_DAYS: i32 = 30;

fn toml(split: &str) -> String {
    format!(
        r#"
        name = "split"
        snapshots = {{ every = "7d", from = 2023-01-01 }}
        [sources.orders]
        kind = "event"
        path = "orders.csv"
        account = "account"
        date = "day"
        [accounts]
        from = "orders"
        active = {{ rule = "activity", source = "orders", within_days = 900 }}
        [targets]
        horizon_days = {HORIZON_DAYS}
        churn = {{ rule = "no_activity", source = "orders" }}
        [[features]]
        from = "orders"
        column = "amount"
        [split]
        {split}
    "#
    )
}

fn orders() -> String {
    let mut csv = "account,day,amount\n".to_owned();
    for account in 0..40 {
        for month in 1..=12 {
            let _ = writeln!(csv, "a{account},2023-{month:02}-{:02},{month}", 1 + account % 28);
        }
    }
    csv
}

fn drawn(split: &str, seed: u64) -> Result<(Book, FeatureTable, Split), BookError> {
    let (_folder, book) = open(&toml(split), &[("orders.csv", &orders())])?;
    let table = book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table;
    let split = book.split(&table, seed)?;
    Ok((book, table, split))
}

#[test]
fn no_outcome_window_reaches_into_a_later_part() {
    for purge in [30, 60] {
        let (_book, table, split) = drawn(&format!("purge_days = {purge}"), 0).expect("long enough");
        let days = |rows: &[usize]| rows.iter().map(|&row| table.keys[row].as_of).collect::<BTreeSet<_>>();
        let (training, calibration, test) = (days(&split.training), days(&split.calibration), days(&split.test));
        for (earlier, later) in [(&training, &calibration), (&calibration, &test)] {
            let (last, first) = (earlier.last().expect("has days"), later.first().expect("has days"));
            assert!(last.plus_days(purge) <= *first, "{last} to {first}");
        }
        let last = test.last().expect("has days");
        assert!(last.plus_days(HORIZON_DAYS).to_string().as_str() <= "2023-12-28", "{last} is mature");
    }
}

#[test]
fn held_out_accounts_are_in_one_part() {
    for split in ["kind = \"random\"", "calibration_rows = \"accounts\""] {
        let (_book, table, drawn) = drawn(split, 3).expect("long enough");
        let accounts = |rows: &[usize]| rows.iter().map(|&row| table.account[row]).collect::<BTreeSet<_>>();
        let (training, calibration) = (accounts(&drawn.training), accounts(&drawn.calibration));
        assert!(training.is_disjoint(&calibration), "{split}");
        if split.contains("random") {
            assert!(accounts(&drawn.test).is_disjoint(&training) && accounts(&drawn.test).is_disjoint(&calibration));
        }
    }
}

#[test]
fn the_seed_draws_the_parts() {
    let random = |seed| drawn("kind = \"random\"", seed).expect("draws").2;
    assert_eq!(random(1), random(1));
    assert_ne!(random(1).test, random(2).test);
}

#[test]
fn too_short_a_history_is_refused() {
    let refused = drawn("test_from = 2023-01-15", 0);
    assert!(matches!(refused, Err(BookError::NoRows { .. })), "{refused:?}");
    let refused = drawn("purge_days = 10", 0);
    assert!(matches!(refused, Err(BookError::Config(_))), "{refused:?}");
}
