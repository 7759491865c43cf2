//! Splits of a backtest: nothing learnt from reaches into a test window, windows tile the days, groups are never cut, and
//! what does not fit is refused with what does.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bellwether_book::{BacktestPlan, Book, BookError, FeatureTable, Split, SplitPlan};
use bellwether_core::{Date, Quiet, Target};

use crate::common::open;

const GRACE_DAYS: i32 = 10;

fn toml(targets: &str, split: &str) -> String {
    format!(
        r#"
        name = "origins"
        snapshots = {{ every = "14d", from = 2021-01-31 }}
        [sources.orders]
        kind = "event"
        path = "orders.csv"
        account = "account"
        date = "day"
        [sources.plans]
        kind = "subscription"
        path = "plans.csv"
        account = "account"
        date = "start"
        end = "end"
        [accounts]
        from = "plans"
        [targets]
        {targets}
        churn = {{ rule = "no_subscription", source = "plans", grace_days = {GRACE_DAYS} }}
        [[features]]
        from = "orders"
        column = "amount"
        [[features]]
        name = "team"
        from = "orders"
        column = "team"
        type = "text"
        [split]
        {split}
    "#
    )
}

/// 60 accounts over three years, some of which leave in each month.
fn files() -> [(&'static str, String); 2] {
    let mut orders = "account,day,amount,team\n".to_owned();
    let mut plans = "account,start,end\n".to_owned();
    for account in 0..60_u32 {
        let months = if account % 2 == 0 { 36 } else { 4 + (account * 7) % 30 };
        for month in 0..months {
            let (year, of_year) = (2021 + month / 12, 1 + month % 12);
            let day = 1 + account % 28;
            let _ = writeln!(orders, "a{account},{year}-{of_year:02}-{day:02},{month},team {}", account % 9);
        }
        let (year, of_year) = (2021 + months / 12, 1 + months % 12);
        let end = if months == 36 { String::new() } else { format!("{year}-{of_year:02}-01") };
        let _ = writeln!(plans, "a{account},2021-01-01,{end}");
    }
    [("orders.csv", orders), ("plans.csv", plans)]
}

fn table_of(targets: &str, split: &str) -> (Book, FeatureTable) {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (_folder, book) = open(&toml(targets, split), &files).expect("a valid book");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table;
    (book, table)
}

fn plan(n_origins: usize, seed: u64) -> BacktestPlan {
    BacktestPlan { n_origins, n_repeats: 1, seed }
}

fn days(table: &FeatureTable, rows: &[usize]) -> BTreeSet<Date> {
    rows.iter().map(|&row| table.keys[row].as_of).collect()
}

fn names(table: &FeatureTable, rows: &[usize]) -> BTreeSet<String> {
    rows.iter().map(|&row| table.keys[row].account.to_string()).collect()
}

/// What holds for each origin, whatever the horizons and however calibration rows are held out.
#[track_caller]
fn check_origins(targets: &str, split: &str, n: usize, purge_days: i32) -> Vec<Split> {
    let (book, table) = table_of(targets, split);
    let splits = book.backtest_splits(&table, plan(n, 5)).expect("long enough");
    assert_eq!(splits.len(), n);
    let main = Target { horizon_days: book.file().horizon_days(), ..book.file().targets()[0] };
    let labelled: Vec<usize> = (0..table.n_rows()).filter(|&row| table.labels[&main][row].is_some()).collect();
    let all_days = days(&table, &labelled);
    let mut tested = Vec::new();
    for split in &splits {
        let (training, calibration, test) =
            (days(&table, &split.training), days(&table, &split.calibration), days(&table, &split.test));
        let first_test = *test.first().expect("has days");
        for row in split.training.iter().chain(&split.calibration) {
            let reaches = table.keys[*row].as_of.plus_days(purge_days);
            assert!(reaches <= first_test, "a label that reaches {reaches} and a test from {first_test}");
        }
        let in_test: Vec<usize> =
            labelled.iter().copied().filter(|&row| test.contains(&table.keys[row].as_of)).collect();
        assert_eq!(split.test, in_test, "every labelled row of a test day tests");
        let rows: BTreeSet<usize> =
            split.training.iter().chain(&split.calibration).chain(&split.test).copied().collect();
        assert_eq!(rows.len(), split.training.len() + split.calibration.len() + split.test.len(), "no row twice");
        if split_by_accounts(split) {
            assert!(names(&table, &split.training).is_disjoint(&names(&table, &split.calibration)));
        } else {
            let last = training.last().expect("has days").plus_days(purge_days);
            assert!(last <= *calibration.first().expect("has days"));
        }
        tested.extend(test);
    }
    assert!(tested.is_sorted_by(|a, b| a < b), "windows follow each other");
    let end: Vec<Date> = all_days.iter().copied().filter(|day| *day >= tested[0]).collect();
    assert_eq!(tested, end, "no day is left out, up to the last labelled one");
    let sizes = splits.iter().map(|split| days(&table, &split.test).len());
    let (least, most) = sizes.fold((usize::MAX, 0), |(least, most), n| (least.min(n), most.max(n)));
    assert!(most - least <= 1, "windows of {least} to {most} days");
    let grows = |pair: &[Split]| pair[0].training.len() <= pair[1].training.len();
    assert!(splits.windows(2).all(grows), "training expands");
    splits
}

fn split_by_accounts(split: &Split) -> bool {
    matches!(split.plan, SplitPlan::Time { calibration_by: "accounts", .. })
}

#[test]
fn origins_roll_through_time() {
    for n in [1, 2, 4, 7] {
        check_origins("horizon_days = 30", "", n, 30 + GRACE_DAYS);
        check_origins("horizon_days = 30", "calibration_rows = \"accounts\"", n, 30 + GRACE_DAYS);
        check_origins("horizon_days = 30", "purge_days = 75", n, 75);
        // The longest horizon purges, whichever is the main one.
        check_origins("horizon_days = 30\nhorizons = [30, 90]", "", n, 90 + GRACE_DAYS);
    }
}

#[test]
fn half_of_the_days_test_where_that_leaves_enough_to_learn_from() {
    let splits = check_origins("horizon_days = 30", "", 4, 30 + GRACE_DAYS);
    let SplitPlan::Time { test, .. } = &splits[0].plan else { panic!("by time") };
    let (_, table) = table_of("horizon_days = 30", "");
    let labelled: Vec<usize> =
        (0..table.n_rows()).filter(|&row| table.labels.values().next().expect("a target")[row].is_some()).collect();
    let all: Vec<Date> = days(&table, &labelled).into_iter().collect();
    assert_eq!(test.0, all[all.len() / 2]);
}

#[test]
fn test_settings_of_the_one_split_do_not_apply() {
    let (book, table) = table_of("horizon_days = 30", "");
    let (other, _) = table_of("horizon_days = 30", "test_from = 2023-06-01\ntest_share = 0.1");
    let draw = |book: &Book| book.backtest_splits(&table, plan(3, 0)).expect("long enough");
    assert_eq!(draw(&book), draw(&other));
}

#[test]
fn a_group_is_in_one_part_and_tests_once_a_repeat() {
    for split in ["kind = \"random\"", "kind = \"grouped\"\ngroup = \"team\""] {
        let (book, table) = table_of("horizon_days = 30", split);
        let splits =
            book.backtest_splits(&table, BacktestPlan { n_origins: 3, n_repeats: 2, seed: 4 }).expect("enough groups");
        assert_eq!(splits.len(), 6);
        let team = |row: usize| {
            table.raw.columns.iter().find_map(|column| match &column.values {
                bellwether_core::RawValues::Text(texts) if column.name == "team" => texts.get(row).map(str::to_owned),
                _ => None,
            })
        };
        let group = |row: usize| {
            if split.contains("team") { team(row).unwrap_or_default() } else { table.keys[row].account.to_string() }
        };
        let groups = |rows: &[usize]| rows.iter().map(|&row| group(row)).collect::<BTreeSet<_>>();
        for repeat in splits.chunks(3) {
            let mut tested: Vec<usize> = repeat.iter().flat_map(|split| split.test.clone()).collect();
            tested.sort_unstable();
            let all = tested.len();
            tested.dedup();
            assert_eq!(tested.len(), all, "a row tests once");
            assert_eq!(groups(&tested), groups(&(0..table.n_rows()).collect::<Vec<_>>()), "every group tests");
            for split in repeat {
                let parts = [groups(&split.training), groups(&split.calibration), groups(&split.test)];
                assert!(parts[0].is_disjoint(&parts[1]) && parts[0].is_disjoint(&parts[2]));
                assert!(parts[1].is_disjoint(&parts[2]));
            }
            let sizes: Vec<usize> = repeat.iter().map(|split| groups(&split.test).len()).collect();
            assert!(sizes.iter().max() <= sizes.iter().min().map(|n| n + 1).as_ref(), "folds are equal: {sizes:?}");
        }
        assert_ne!(splits[..3], splits[3..], "another repeat, other folds");
    }
}

#[track_caller]
fn check_refused(split: &str, n_origins: usize) -> (usize, String) {
    let (book, table) = table_of("horizon_days = 30", split);
    match book.backtest_splits(&table, plan(n_origins, 0)) {
        Err(error @ BookError::TooFewOrigins { fit, .. }) => {
            let hint = error.hint().expect("a hint");
            if fit > 0 {
                assert!(hint.contains(&format!("--origins {fit}")), "{hint}");
                assert!(book.backtest_splits(&table, plan(fit, 0)).is_ok(), "{fit} fit");
                assert!(book.backtest_splits(&table, plan(fit + 1, 0)).is_err(), "{} do not", fit + 1);
            }
            (fit, error.to_string())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_short_a_history_is_refused_with_how_many_fit() {
    let (fit, why) = check_refused("", 500);
    assert!(fit > 20 && why.contains("snapshot days have labels"), "{fit}: {why}");
    let (fit, why) = check_refused("purge_days = 2000", 2);
    assert!(fit == 0 && why.contains("2000 days of purge"), "{fit}: {why}");
    let (fit, why) = check_refused("kind = \"grouped\"\ngroup = \"team\"", 20);
    assert!((2..=9).contains(&fit) && why.contains("folds"), "{fit}: {why}");
}
