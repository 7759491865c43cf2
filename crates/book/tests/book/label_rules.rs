//! Every label rule against a naive reading of its definition, day by day, on random books.

use std::fmt::Write as _;

use bellwether_book::{Book, FeatureTable, Split, SplitPlan};
use bellwether_core::{Date, Outcome, Quiet, RowStatus, Target};
use proptest::prelude::*;

use crate::common::{date, open};

const HORIZONS: [i32; 3] = [7, 30, 45];
const N_DAYS: i32 = 150;
const ACCOUNTS: [&str; 3] = ["a", "b", "c"];

/// A subscription from `day` until before `end`, or an event on `day`; days are counted from the book's first.
#[derive(Debug, Clone)]
struct Row {
    account: usize,
    day: i32,
    end: i32,
    amount: i32,
    counts: bool,
}

/// Few days and amounts, so that ties, overlaps, gaps and empty contracts are common.
fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let length = prop_oneof![4 => 0..60, 1 => Just(1000)];
    let row = (0..ACCOUNTS.len(), 0..N_DAYS, length, 0_i32..6, any::<bool>());
    let row = row.prop_map(|(account, day, length, amount, counts)| Row {
        account,
        day,
        end: day + length,
        amount: amount * 10,
        counts,
    });
    prop::collection::vec(row, 3..most)
}

fn first_day() -> Date {
    date("2024-01-15")
}

fn csv(rows: &[Row]) -> String {
    let mut text = "account,day,end,amount,kind\n".to_owned();
    let day = |day: i32| first_day().plus_days(day);
    // Every account is listed, on a day before all others, by a row that says nothing.
    for account in ACCOUNTS {
        let _ = writeln!(text, "{account},{0},{0},,n", day(-1));
    }
    for row in rows {
        let end = if row.end < 1000 { day(row.end).to_string() } else { String::new() };
        let kind = if row.counts { "y" } else { "n" };
        let _ = writeln!(text, "{},{},{end},{},{kind}", ACCOUNTS[row.account], day(row.day), row.amount);
    }
    text
}

fn table(source: &str, targets: &str, rows: &[Row]) -> (Book, FeatureTable) {
    let toml = format!(
        r#"
        name = "rules"
        snapshots = {{ every = "3d", from = {}, data_end = {} }}
        [sources.rows]
        path = "rows.csv"
        account = "account"
        date = "day"
        {source}
        [accounts]
        from = "rows"
        [targets]
        horizon_days = 30
        horizons = {HORIZONS:?}
        {targets}
        [split]
        calibration_rows = "accounts"
        calibration_share = 0.5
        [[features]]
        from = "rows"
        column = "amount"
    "#,
        first_day(),
        first_day().plus_days(N_DAYS)
    );
    let (_folder, book) = open(&toml, &[("rows.csv", &csv(rows))]).expect("opens");
    let mut days = book.snapshot_days();
    days.push(book.data_end());
    let table = book.history(&days, &Quiet).expect("rows are in memory").table;
    (book, table)
}

/// Holds every label of `outcome` against `naive(account, t, until)`, and that longer horizons have what shorter have; and
/// what first test days know of labels of rules that have several horizons.
fn check(
    (book, table): (&Book, &FeatureTable),
    outcome: Outcome,
    horizons: &[i32],
    settle: i32,
    naive: impl Fn(usize, i32, i32) -> bool,
) -> Result<(), TestCaseError> {
    for (row, key) in table.keys.iter().enumerate() {
        let (account, t) = (table.account[row] as usize, key.as_of.days() - first_day().days());
        let label = |horizon: i32| {
            table.labels[&Target { outcome, horizon_days: u32::try_from(horizon).expect("above 0") }][row]
        };
        for &horizon in horizons {
            let expected = (t + horizon + settle <= N_DAYS).then(|| naive(account, t, t + horizon));
            prop_assert_eq!(label(horizon), expected, "{} {} day {} horizon {}", outcome.name(), account, t, horizon);
        }
        for pair in horizons.windows(2) {
            prop_assert!(label(pair[0]) != Some(true) || label(pair[1]) != Some(false));
        }
    }
    for split in (0..3).filter_map(|seed| book.split(table, seed).ok()) {
        for &horizon in horizons {
            let target = Target { outcome, horizon_days: u32::try_from(horizon).expect("above 0") };
            let until = if horizons.len() > 1 { Some(settle) } else { None };
            check_partial((book, table), &split, target, until, &naive)?;
        }
    }
    Ok(())
}

/// Holds partial labels against `naive` up to the first test day, less the days to settle; none where these are `None`.
fn check_partial(
    (book, table): (&Book, &FeatureTable),
    split: &Split,
    target: Target,
    settle: Option<i32>,
    naive: impl Fn(usize, i32, i32) -> bool,
) -> Result<(), TestCaseError> {
    let SplitPlan::Time { test, .. } = split.plan else { panic!("the split is by time") };
    let (labels, horizon) = (book.partial_labels(table, split, target), target.horizon_days as i32);
    prop_assert!(settle.is_some() || labels.rows.is_empty());
    for (place, &row) in labels.rows.iter().enumerate() {
        let (t, share) = (table.keys[row].as_of.days(), labels.share[place]);
        let n_days = (test.0.days() - settle.unwrap_or(0) - t).min(horizon);
        prop_assert!(4 * n_days >= horizon && split.before_test.contains(&row), "{} days are known", n_days);
        prop_assert!(0.0 < share && share <= 1.0 && (share == 1.0 || n_days < horizon), "{}", share);
        let t = t - first_day().days();
        prop_assert_eq!(labels.y[place], naive(table.account[row] as usize, t, t + n_days), "{} days", n_days);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn contracts(rows in rows(14), grace in 0_i32..12, (by, at_least) in (1_i32..6, 1_i32..4)) {
        let share = f64::from(by) / 10.0;
        let (by, at_least) = (f64::from(by), f64::from(at_least * 10));
        let revenue = |rule: &str| format!("rule = \"{rule}\", source = \"rows\", column = \"amount\"");
        let targets = format!(
            "churn = {{ rule = \"no_subscription\", source = \"rows\", grace_days = {grace} }}
             expansion = {{ {}, by = {share} }}
             contraction = {{ {}, by = {share}, at_least = {at_least} }}",
            revenue("recurring_revenue_up"),
            revenue("recurring_revenue_down")
        );
        let (book, table) = table("kind = \"subscription\"\nend = \"end\"", &targets, &rows);

        let of = |account: usize| rows.iter().filter(move |row| row.account == account);
        let is_active = |account: usize, day: i32| of(account).any(|row| row.day <= day && day < row.end);
        let total = |account: usize, day: i32| -> f64 {
            of(account).filter(|row| row.day <= day && day < row.end).map(|row| f64::from(row.amount)).sum()
        };
        let is_churn_day = |account: usize, day: i32| {
            is_active(account, day - 1) && (day..=day + grace).all(|day| !is_active(account, day))
        };
        check((&book, &table), Outcome::Churn, &HORIZONS, grace, |account, t, until| {
            (t + 1..=until).any(|day| is_churn_day(account, day))
        })?;
        check((&book, &table), Outcome::Expansion, &HORIZONS, 0, |account, t, until| {
            let now = total(account, t);
            now > 0.0 && (t + 1..=until).any(|day| 10.0 * (total(account, day) - now) >= by * now)
        })?;
        check((&book, &table), Outcome::Contraction, &HORIZONS, 0, |account, t, until| {
            let now = total(account, t);
            let mut while_customer = (t + 1..=until).take_while(|&day| !is_churn_day(account, day));
            while_customer.any(|day| {
                let fall = now - total(account, day);
                total(account, day) > 0.0 && 10.0 * fall >= by * now && fall >= at_least
            })
        })?;
        for (row, key) in table.keys.iter().enumerate() {
            let t = key.as_of.days() - first_day().days();
            prop_assert!(is_active(table.account[row] as usize, t), "only customers have rows");
        }
    }

    #[test]
    fn activity(rows in rows(40), days in 1_i32..40, by in 1_i32..6) {
        let share = f64::from(by) / 10.0;
        let by = f64::from(by);
        let filter = "filter = [{ column = \"kind\", in = [\"y\"] }]";
        let spend = |rule: &str| format!("rule = \"{rule}\", source = \"rows\", column = \"amount\", by = {share}");
        let targets = format!(
            "churn = {{ rule = \"no_activity\", source = \"rows\", days = {days}, {filter} }}
             expansion = {{ {} }}
             contraction = {{ {} }}",
            spend("spend_up"),
            spend("spend_down")
        );
        let (book, table) = table("kind = \"event\"", &targets, &rows);

        let of = |account: usize| rows.iter().filter(move |row| row.account == account);
        let is_active = |account: usize, day: i32| of(account).any(|row| row.day == day && row.counts);
        let spent = |account: usize, after: i32, until: i32| -> f64 {
            of(account).filter(|row| after < row.day && row.day <= until).map(|row| f64::from(row.amount)).sum()
        };
        check((&book, &table), Outcome::Churn, &HORIZONS, 0, |account, t, until| {
            (t + 1..=until).any(|day| {
                is_active(account, day - days) && (day - days + 1..=day).all(|day| !is_active(account, day))
            })
        })?;
        check((&book, &table), Outcome::Expansion, &[30], 0, |account, t, until| {
            let (before, after) = (spent(account, t - 30, t), spent(account, t, until));
            after > 0.0 && 10.0 * (after - before) >= by * before
        })?;
        check((&book, &table), Outcome::Contraction, &[30], 0, |account, t, until| {
            let (before, after) = (spent(account, t - 30, t), spent(account, t, until));
            after > 0.0 && before > after && 10.0 * (before - after) >= by * before
        })?;
        let customers: Vec<(usize, i32)> = (table.account.iter().zip(&table.keys))
            .map(|(&account, key)| (account as usize, key.as_of.days() - first_day().days()))
            .collect();
        for account in 0..ACCOUNTS.len() {
            for t in customers.iter().map(|&(_, t)| t) {
                let is_customer = (t - days + 1..=t).any(|day| is_active(account, day));
                prop_assert_eq!(customers.contains(&(account, t)), is_customer, "{} day {}", account, t);
            }
        }
        prop_assert!(table.status.iter().all(|status| *status == RowStatus::Scored));
    }
}
