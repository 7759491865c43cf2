//! What holds of every account's life and its traces.

use std::collections::BTreeMap;

use bellwether_book::Column;
use bellwether_core::Date;
use bellwether_simulate::{SimulateConfig, TABLE_NAMES, expected_auc, tables};

use crate::support::{Book, seeded};

#[test]
fn accounts_do_not_depend_on_how_many_there_are() {
    let config = seeded(7);
    let (all, first, later) = (Book::of(&config, 0..90), Book::of(&config, 0..40), Book::of(&config, 40..90));
    for name in TABLE_NAMES {
        let n_first = first.tables[name].n_rows();
        assert_eq!(all.tables[name].n_rows(), n_first + later.tables[name].n_rows(), "{name}");
        for (whole, (start, end)) in
            all.tables[name].columns.iter().zip(first.tables[name].columns.iter().zip(&later.tables[name].columns))
        {
            assert_eq!(whole.1, joined(&start.1, &end.1), "{name}.{}", whole.0);
        }
    }
}

fn joined(first: &Column, second: &Column) -> Column {
    match (first, second) {
        (Column::Coded(a), Column::Coded(b)) => {
            let mut joined = a.clone();
            joined.append(b.clone());
            Column::Coded(joined)
        }
        (Column::Int(a), Column::Int(b)) => Column::Int([a.as_slice(), b].concat()),
        (Column::Float(a), Column::Float(b)) => Column::Float([a.as_slice(), b].concat()),
        (Column::Date(a), Column::Date(b)) => Column::Date([a.as_slice(), b].concat()),
        _ => panic!("the two are of one kind"),
    }
}

#[test]
fn another_seed_is_another_book() {
    assert_ne!(tables(&seeded(1), 0..5), tables(&seeded(2), 0..5));
}

#[test]
fn every_row_lies_within_its_accounts_life() {
    let book = Book::of(&seeded(3), 0..400);
    let lives = book.lives();
    for (table, column) in [
        ("usage", "date"),
        ("feature_events", "date"),
        ("engagement_events", "date"),
        ("ticket_events", "date"),
        ("tickets", "opened_on"),
        ("surveys", "date"),
        ("messages", "date"),
        ("invoice_events", "date"),
        ("contact_events", "date"),
        ("account_snapshots", "date"),
        ("goals", "date"),
        ("external_indicators", "date"),
        ("subscriptions", "start_date"),
        ("truth", "date"),
    ] {
        for (account, date) in book.texts(table, "account_id").into_iter().zip(book.dates(table, column)) {
            let (start, end) = lives[account];
            let date = date.expect("a row has a day");
            assert!(start <= date && date < end, "{table} of {account} on {date}, a customer from {start} until {end}");
        }
    }
    for (account, date, outcome) in book.outcomes() {
        let (start, end) = lives[account];
        let is_last = outcome == "churn" && date == end;
        assert!(start < date && (date < end || is_last), "{outcome} of {account} on {date}");
    }
}

#[test]
fn an_account_leaves_once_and_is_alone_in_its_rows() {
    let book = Book::of(&seeded(3), 0..400);
    assert!(book.days_of("churn").values().all(|days| days.len() == 1));
    let accounts = book.texts("accounts", "account_id");
    assert!(accounts.windows(2).all(|pair| pair[0] < pair[1]));
    let usage: Vec<_> = book.texts("usage", "account_id").into_iter().zip(book.dates("usage", "date")).collect();
    assert!(usage.windows(2).all(|pair| pair[0] < pair[1]), "a usage row an account and day, in order");
}

/// One row runs on each day of an account's life, and the change of its money is the outcomes' amount.
#[test]
fn subscriptions_follow_each_other_without_gap() {
    let book = Book::of(&seeded(4), 0..400);
    let (lives, churns) = (book.lives(), book.days_of("churn"));
    let accounts = book.texts("subscriptions", "account_id");
    let (starts, ends) = (book.dates("subscriptions", "start_date"), book.dates("subscriptions", "end_date"));
    for row in 0..accounts.len() {
        let account = accounts[row];
        assert!(ends[row].is_none_or(|end| Some(end) > starts[row]), "{account} has a row without a day");
        if row > 0 && accounts[row - 1] == account {
            assert_eq!(ends[row - 1], starts[row], "{account}");
        } else {
            let first_day = book.config.first_day.max(lives[account].0);
            assert!(starts[row].is_some_and(|start| start <= first_day), "{account}");
        }
        if row + 1 == accounts.len() || accounts[row + 1] != account {
            assert_eq!(ends[row], churns.get(account).map(|days| days[0]), "{account}");
        }
    }
}

#[test]
fn mrr_changes_by_the_amount_of_the_outcome() {
    let book = Book::of(&seeded(4), 0..400);
    let amounts = book.numbers("outcomes", "amount");
    let mut change: BTreeMap<(&str, Date), f64> = BTreeMap::new();
    for ((account, date, outcome), amount) in book.outcomes().into_iter().zip(amounts) {
        let signed = match outcome {
            "expansion" => amount,
            "contraction" => -amount,
            _ => 0.0,
        };
        *change.entry((account, date)).or_default() += signed;
    }
    let accounts = book.texts("subscriptions", "account_id");
    let (starts, mrr) = (book.dates("subscriptions", "start_date"), book.numbers("subscriptions", "mrr"));
    for row in (1..accounts.len()).filter(|&row| accounts[row] == accounts[row - 1]) {
        let date = starts[row].expect("a subscription has a start");
        let told = change.get(&(accounts[row], date)).copied();
        assert!(told.is_some_and(|told| (mrr[row] - mrr[row - 1] - told).abs() < 0.02), "{} on {date}", accounts[row]);
    }
}

/// 12-18 % of accounts leave a year, 20-30 % expand, and the book of the demo has more than the 200 churned accounts
/// that training asks for.
#[test]
fn rates_are_those_of_a_b2b_business() {
    for seed in [1, 2] {
        let book = Book::of(&seeded(seed), 0..2_000);
        let years = book.account_years();
        let (churned, expanded) = (book.days_of("churn").len(), book.days_of("expansion").len());
        assert!((0.12..0.18).contains(&(churned as f64 / years)), "{churned} of {years} account-years left");
        assert!((0.20..0.30).contains(&(expanded as f64 / years)), "{expanded} in {years} account-years expanded");
        assert!((300..500).contains(&churned), "{churned} left");
    }
}

/// The area under the ROC curve by ranks; a tie counts as half.
fn auc(scored: &[(f64, bool)]) -> f64 {
    let mut scored = scored.to_vec();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won, mut from) = (0.0, 0.0, 0);
    while from < scored.len() {
        let tied = scored[from..].iter().take_while(|row| row.0 == scored[from].0).count();
        let hits = scored[from..from + tied].iter().filter(|row| row.1).count() as f64;
        let misses = tied as f64 - hits;
        won += hits * (below + misses / 2.0);
        below += misses;
        from += tied;
    }
    won / (below * (scored.len() as f64 - below))
}

/// Date, true probability and what happened, for the month ends whose 90 days lie within the book.
fn against_truth(book: &Book, outcome: &str, column: &str) -> Vec<(Date, f64, bool)> {
    let days = book.days_of(outcome);
    let last = book.config.last_day().plus_days(-90);
    let dates = book.dates("truth", "date").into_iter().map(|date| date.expect("a truth has a day"));
    let rows = book.texts("truth", "account_id").into_iter().zip(dates).zip(book.numbers("truth", column));
    rows.filter(|((_, date), _)| *date <= last)
        .map(|((account, date), truth)| {
            let happens = |day: &Date| date < *day && *day <= date.plus_days(90);
            (date, truth, days.get(account).is_some_and(|days| days.iter().any(happens)))
        })
        .collect()
}

#[test]
fn the_truth_is_calibrated_and_ranks_as_well_as_stated() {
    let book = Book::of(&seeded(5), 0..4_000);
    for (outcome, column, range) in [("churn", "churn_90d", 0.85..0.90), ("expansion", "expansion_90d", 0.76..0.83)] {
        let rows = against_truth(&book, outcome, column);
        let ranked: Vec<(f64, bool)> = rows.iter().map(|&(_, truth, happens)| (truth, happens)).collect();
        let auc = auc(&ranked);
        assert!(range.contains(&auc), "{outcome}: {auc}");
        let expected = expected_auc(&ranked.iter().map(|row| row.0).collect::<Vec<_>>());
        assert!(expected.is_some_and(|expected| (auc - expected).abs() < 0.012), "{outcome}: {auc}, {expected:?}");
        // The horizons of quarter ends do not overlap, so their errors add up as independent ones do.
        let quarter_ends = rows.iter().filter(|(date, ..)| date.ymd().1 % 3 == 0);
        let mut quarters: Vec<(f64, bool)> = quarter_ends.map(|&(_, truth, happens)| (truth, happens)).collect();
        quarters.sort_by(|a, b| a.0.total_cmp(&b.0));
        for fifth in quarters.chunks(quarters.len().div_ceil(5)) {
            let expected: f64 = fifth.iter().map(|row| row.0).sum();
            let variance: f64 = fifth.iter().map(|row| row.0 * (1.0 - row.0)).sum();
            let happened = fifth.iter().filter(|row| row.1).count() as f64;
            let errors = (happened - expected).abs() / variance.sqrt();
            assert!(errors < 3.5, "{outcome}: {happened} happened, {expected} expected");
        }
    }
}

/// The last four weeks against the eight from the twelfth to the twentieth before: those who leave do less.
#[test]
fn usage_falls_in_the_weeks_before_a_churn() {
    let book = Book::of(&seeded(6), 0..1_500);
    let mut actions: BTreeMap<&str, BTreeMap<Date, f64>> = BTreeMap::new();
    let dates = book.dates("usage", "date").into_iter().flatten();
    let counts = book.numbers("usage", "core_actions");
    for ((account, date), count) in book.texts("usage", "account_id").into_iter().zip(dates).zip(counts) {
        actions.entry(account).or_default().insert(date, count);
    }
    let (mut leavers, mut stayers) = (Vec::new(), Vec::new());
    let churns = book.days_of("churn");
    for (account, days) in &actions {
        let sum = |from: i32, to: i32, end: Date| -> f64 {
            days.range(end.plus_days(-from)..end.plus_days(-to)).map(|(_, count)| count).sum()
        };
        let end = churns.get(account).map_or(Date::from_days(book.config.last_day().days() - 60), |days| days[0]);
        let (now, before) = (sum(28, 0, end), sum(140, 84, end) / 2.0);
        if before > 0.0 {
            let trends = if churns.contains_key(account) { &mut leavers } else { &mut stayers };
            trends.push(now / before);
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (leaving, staying) = (median(leavers), median(stayers));
    assert!(leaving < 0.85 * staying, "those who leave: {leaving}, those who stay: {staying}");
}

/// A month is the shortest book, and the first day need not begin one.
#[test]
fn short_books_and_odd_days() {
    for first_day in ["2024-02-29", "2023-12-31", "2021-06-15"] {
        let first_day: Date = first_day.parse().expect("a date of the test");
        let book = Book::of(&SimulateConfig { n_months: 1, first_day, ..seeded(1) }, 0..50);
        assert_eq!(book.tables["accounts"].n_rows(), 50);
        assert!(book.tables["usage"].n_rows() > 0);
    }
}
