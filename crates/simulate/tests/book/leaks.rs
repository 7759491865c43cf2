//! Every kind of leak leaves its mark, and nothing else changes.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_book::{BookFile, Table};
use bellwether_core::{Date, Quiet};
use bellwether_simulate::{Leak, SimulateConfig, TABLE_NAMES, simulate};

use crate::support::{Book, seeded};

const N_ACCOUNTS: usize = 150;

fn leaking(leaks: &[Leak]) -> Book {
    let leaks = leaks.iter().copied().collect();
    Book::of(&SimulateConfig { leaks, ..seeded(11) }, 0..N_ACCOUNTS)
}

/// Tables with other rows or other values in them, and columns that were added.
fn changes(leak: Leak) -> BTreeSet<String> {
    let (clean, leaking) = (leaking(&[]), leaking(&[leak]));
    let mut changes = BTreeSet::new();
    for name in TABLE_NAMES {
        let (before, after) = (&clean.tables[name], &leaking.tables[name]);
        let added = after.columns.iter().skip(before.columns.len());
        changes.extend(added.map(|(column, _)| format!("{name}.{column}")));
        if before.n_rows() != after.n_rows() {
            changes.insert(name.to_owned());
            continue;
        }
        let pairs = before.columns.iter().zip(&after.columns);
        changes.extend(pairs.filter(|(a, b)| a != b).map(|((column, _), _)| format!("{name}.{column}")));
    }
    changes
}

#[test]
fn a_leak_changes_what_it_says_and_nothing_else() {
    let everywhere: Vec<&str> =
        TABLE_NAMES.into_iter().filter(|name| *name != "interventions").chain(["accounts.parent_id"]).collect();
    for (leak, expected) in [
        (Leak::UpdatedInPlace, &["accounts.status"][..]),
        (Leak::FinalValue, &["accounts.seats_now"]),
        (Leak::MissingAfterChurn, &["accounts.onboarding_score"]),
        (Leak::ConstantColumn, &["accounts.currency_rate"]),
        (Leak::DuplicateColumn, &["accounts.staff"]),
        (Leak::LooksAhead, &["account_snapshots.renewal_risk"]),
        (Leak::FromOutcomes, &[]),
        (Leak::LeadLabels, &["outcomes"]),
        (Leak::Backfilled, &["usage.known_at"]),
        (Leak::UnitChange, &["usage.sessions_minutes"]),
        (Leak::RowsAfterChurn, &["usage"]),
        (Leak::RowsBeforeStart, &["usage", "ticket_events"]),
        (Leak::Gap, &["usage"]),
        (Leak::FeedStops, &["usage"]),
        (Leak::FutureRows, &["usage"]),
        (Leak::DuplicateRows, &["usage"]),
        (Leak::SharedCustomer, &everywhere),
        (Leak::OrphanRows, &["usage"]),
    ] {
        let expected: BTreeSet<String> = expected.iter().map(|&change| change.to_owned()).collect();
        assert_eq!(changes(leak), expected, "{}", leak.name());
    }
}

fn usage_days(book: &Book) -> impl Iterator<Item = (&str, Date)> {
    book.texts("usage", "account_id").into_iter().zip(book.dates("usage", "date").into_iter().flatten())
}

fn churn_days(book: &Book) -> BTreeMap<&str, Date> {
    book.days_of("churn").into_iter().map(|(account, days)| (account, days[0])).collect()
}

#[test]
fn usage_goes_on_for_sixty_days_after_a_churn() {
    let book = leaking(&[Leak::RowsAfterChurn]);
    let churns = churn_days(&book);
    let after = |(account, date): (&str, Date)| churns.get(account).map(|&churn| date.days() - churn.days());
    let after: Vec<i32> = usage_days(&book).filter_map(after).filter(|&days| days >= 0).collect();
    assert!(after.len() > 20 * churns.len() && after.iter().all(|&days| days < 60), "{} rows", after.len());
    assert!(usage_days(&book).all(|(_, date)| date <= book.config.last_day()));
}

#[test]
fn half_of_the_new_accounts_have_rows_before_they_sign_up() {
    let book = leaking(&[Leak::RowsBeforeStart]);
    let lives = book.lives();
    let early: BTreeSet<&str> =
        usage_days(&book).filter(|(account, date)| *date < lives[account].0).map(|(account, _)| account).collect();
    let new = lives.values().filter(|(start, _)| *start > book.config.first_day).count();
    assert!((0.3..0.7).contains(&(early.len() as f64 / new as f64)), "{} of {new}", early.len());
    let tickets = book.texts("ticket_events", "account_id").into_iter().zip(book.dates("ticket_events", "date"));
    assert!(tickets.into_iter().any(|(account, date)| date.is_some_and(|date| date < lives[account].0)));
}

#[test]
fn usage_is_silent_where_the_leak_says() {
    let first = seeded(11).first_day;
    for (leak, from, n_days) in
        [(Leak::Gap, first.plus_days(365), 30), (Leak::FeedStops, first.plus_days(731 - 75), 75)]
    {
        let book = leaking(&[leak]);
        let silent = usage_days(&book).all(|(_, date)| date < from || date >= from.plus_days(n_days));
        let around = [from.plus_days(-3), from.plus_days(-2), from.plus_days(-1)];
        assert!(silent && usage_days(&book).any(|(_, date)| around.contains(&date)), "{}", leak.name());
    }
}

#[test]
fn some_rows_are_of_the_future_or_of_nobody_or_stand_there_twice() {
    let book = leaking(&[Leak::FutureRows]);
    let future = usage_days(&book).filter(|(_, date)| *date > book.config.last_day()).count();
    assert!((10..200).contains(&future), "{future}");

    let book = leaking(&[Leak::OrphanRows]);
    let accounts: BTreeSet<&str> = book.texts("accounts", "account_id").into_iter().collect();
    let orphans = book.texts("usage", "account_id").into_iter().filter(|account| !accounts.contains(account)).count();
    assert!((20..=20 * 20).contains(&orphans), "{orphans}");

    let book = leaking(&[Leak::DuplicateRows]);
    let n_rows = book.tables["usage"].n_rows();
    let days: BTreeSet<_> = usage_days(&book).collect();
    let share = (n_rows - days.len()) as f64 / days.len() as f64;
    assert!((0.025..0.035).contains(&share), "{share}");
}

#[test]
fn columns_know_what_they_could_not() {
    let book = leaking(&[Leak::UpdatedInPlace, Leak::FinalValue, Leak::MissingAfterChurn]);
    let churns = churn_days(&book);
    let (statuses, seats) = (book.texts("accounts", "status"), book.numbers("accounts", "seats_now"));
    let scores = book.numbers("accounts", "onboarding_score");
    for (row, account) in book.texts("accounts", "account_id").into_iter().enumerate() {
        let left = churns.contains_key(account);
        assert_eq!(statuses[row] == "churned", left, "{account}");
        assert_eq!(seats[row] == 0.0, left, "{account}");
        assert_eq!(scores[row].is_nan(), left, "{account}");
    }

    let book = leaking(&[Leak::LooksAhead]);
    let churns = churn_days(&book);
    let accounts = book.texts("account_snapshots", "account_id");
    let dates = book.dates("account_snapshots", "date").into_iter().flatten();
    let (mut leaving, mut staying) = (Vec::new(), Vec::new());
    for ((account, date), risk) in
        accounts.into_iter().zip(dates).zip(book.numbers("account_snapshots", "renewal_risk"))
    {
        let leaves = churns.get(account).is_some_and(|&churn| churn <= date.plus_days(90));
        if leaves { &mut leaving } else { &mut staying }.push(risk);
    }
    let mean = |risks: &[f64]| risks.iter().sum::<f64>() / risks.len() as f64;
    assert!(mean(&leaving) > mean(&staying) + 0.4, "{} and {}", mean(&leaving), mean(&staying));
}

#[test]
fn a_stretch_was_migrated_and_units_changed_in_the_middle() {
    let book = leaking(&[Leak::Backfilled]);
    let lag =
        book.dates("usage", "date").into_iter().flatten().zip(book.dates("usage", "known_at").into_iter().flatten());
    let lags: Vec<i32> = lag.map(|(date, known)| known.days() - date.days()).collect();
    assert!(lags.iter().all(|&days| days == 0 || (90..=212).contains(&days)));
    assert!(lags.iter().filter(|&&days| days > 0).count() * 10 > lags.len());

    let (clean, book) = (leaking(&[]), leaking(&[Leak::UnitChange]));
    let middle = book.config.first_day.plus_days(365);
    let minutes = clean.numbers("usage", "sessions_minutes").into_iter().zip(book.numbers("usage", "sessions_minutes"));
    for ((_, date), (before, after)) in usage_days(&book).zip(minutes) {
        assert_eq!(after, if date >= middle { 60.0 * before } else { before });
    }
}

#[test]
fn a_shared_customer_stands_there_twice_with_the_same_rows() {
    let book = leaking(&[Leak::SharedCustomer]);
    let parents = book.texts("accounts", "account_id").into_iter().zip(book.texts("accounts", "parent_id"));
    let twins: Vec<(&str, &str)> = parents.filter(|(account, parent)| account != parent).collect();
    assert!((5..40).contains(&twins.len()), "{}", twins.len());
    let rows = |of: &str| -> Vec<(Date, u64)> {
        let days = usage_days(&book).zip(book.numbers("usage", "sessions_minutes"));
        days.filter(|((account, _), _)| *account == of).map(|((_, date), minutes)| (date, minutes.to_bits())).collect()
    };
    for (twin, parent) in twins.into_iter().take(3) {
        assert_eq!(rows(twin), rows(parent), "{twin}");
    }
}

#[test]
fn a_notice_is_a_second_churn() {
    let book = leaking(&[Leak::LeadLabels]);
    assert!(book.days_of("churn").values().all(|days| days.len() == 2 && days[1] < days[0]));
}

/// Each leak alone, and all at once: `book.toml` is in order and the first rows of the tables are there to be read.
#[test]
fn a_leaking_book_is_one_that_can_be_declared() {
    let each = Leak::ALL.map(|leak| BTreeSet::from([leak]));
    for leaks in each.into_iter().chain([Leak::ALL.into_iter().collect()]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config =
            SimulateConfig { n_accounts: 20, n_months: 8, interventions: true, reveal: true, leaks, ..seeded(2) };
        let written = simulate(&config, folder.path(), &Quiet).expect("a new folder");
        BookFile::read(&folder.path().join("book.toml")).expect("the declaration is in order");
        let sheet = std::fs::read_to_string(folder.path().join("README.md")).expect("the datasheet");
        assert!(
            !sheet.contains('{') && config.leaks.iter().all(|leak| sheet.contains(&format!("- `{}`", leak.name())))
        );
        assert_eq!(written.rows.len(), TABLE_NAMES.len());
    }
}

/// A leak draws from its own stream: beside another it plants what it plants alone.
#[test]
fn leaks_do_not_move_each_other() {
    let scores = |leaks: &[Leak]| -> Vec<u64> {
        leaking(leaks).numbers("accounts", "onboarding_score").into_iter().map(f64::to_bits).collect()
    };
    assert_eq!(scores(&[Leak::MissingAfterChurn]), scores(&[Leak::MissingAfterChurn, Leak::ConstantColumn, Leak::Gap]));
}

#[test]
fn leaking_accounts_do_not_depend_on_how_many_there_are() {
    let config = SimulateConfig { leaks: Leak::ALL.into_iter().collect(), ..seeded(11) };
    let n_rows = |from: usize, to: usize| -> Vec<usize> {
        let book = Book::of(&config, from..to);
        TABLE_NAMES.map(|name| book.tables.get(name).map_or(0, Table::n_rows)).into()
    };
    let (first, second, all) = (n_rows(0, 60), n_rows(60, 130), n_rows(0, 130));
    assert_eq!(first.iter().zip(&second).map(|(a, b)| a + b).collect::<Vec<_>>(), all);
}
