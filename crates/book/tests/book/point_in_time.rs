//! No look into the future: rows that were not known by `t`, and ends of subscriptions after `t`, leave no trace.

use std::collections::BTreeMap;

use crate::common::{date, numbers, open};
use crate::declared::{self, Feature};
use crate::random::{self, Form, RandomBook, RandomSource, Row};
use bellwether_core::{Date, Quiet, RawValues, RowStatus};
use proptest::prelude::*;

/// Whether the row's content may change the book as of `t`.
fn is_past(form: Form, row: &Row, t: Date) -> bool {
    (!form.is_dated || row.day <= t) && (!form.has_known || row.known <= t)
}

/// What becomes of what is not known by `t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Future {
    Deleted,
    /// Other values, accounts, days and ends; the number picks which.
    Corrupted(u64),
}

fn corrupted(form: Form, row: &Row, t: Date, pick: u64) -> Row {
    let pick_days = |below: u64| (pick % below) as i32;
    let (kind, flag) = (["a", "Z", "new"].get(pick as usize % 4).copied(), Some(pick.is_multiple_of(2)));
    let values =
        Row { x: Some((pick % 1000) as f64), kind, flag, due: Some(t.plus_days(pick_days(300))), ..row.clone() };
    // An account's states have one row a key.
    if declared::is_state(form.kind) {
        return values;
    }
    let account = (pick / 7) as usize % random::N_ACCOUNTS;
    let end = (!pick.is_multiple_of(3)).then(|| row.day.plus_days(pick_days(90)));
    if form.has_known {
        Row { account, end, day: t.plus_days(pick_days(120) - 80), known: t.plus_days(1 + pick_days(20)), ..values }
    } else {
        Row { account, end, day: t.plus_days(1 + pick_days(120)), ..values }
    }
}

fn with_other_future(book: &RandomBook, t: Date, future: Future) -> RandomBook {
    let of_row = |form: Form, place: usize, row: &Row| -> Option<Row> {
        let pick = match future {
            Future::Deleted => 0,
            Future::Corrupted(kick) => kick.wrapping_mul(2 * place as u64 + 1) >> 8,
        };
        match (is_past(form, row, t), future) {
            // How long a subscription runs after `t` is not known on `t`.
            (true, _) if row.end.is_none_or(|end| end > t) => {
                let end = (!pick.is_multiple_of(3)).then(|| t.plus_days(1 + (pick % 50) as i32));
                Some(Row { end, ..row.clone() })
            }
            (true, _) => Some(row.clone()),
            (false, Future::Deleted) => None,
            (false, Future::Corrupted(_)) => Some(corrupted(form, row, t, pick)),
        }
    };
    let of_source = |source: &RandomSource| {
        let form = source.form;
        let rows = source.rows.iter().enumerate().filter_map(|(place, row)| of_row(form, place, row));
        // The order of rows does not matter either.
        RandomSource { form, rows: rows.rev().collect() }
    };
    RandomBook { files: book.files, sources: book.sources.iter().map(of_source).collect() }
}

/// Status and features, to the bit, of each account that is there as of `t`.
fn bits(book: &RandomBook, features: &[Feature], t: Date) -> BTreeMap<String, Vec<String>> {
    let (_folder, opened) = book.open(&declared::toml(features)).expect("a valid book");
    let table = opened.as_of(t, &Quiet).expect("within the data");
    let shown = |row: usize| -> Vec<String> {
        let cell = |values: &RawValues| match values {
            RawValues::Number(values) => format!("{:x}", values[row].to_bits()),
            RawValues::Text(texts) => format!("{:?}", texts.get(row)),
        };
        table.raw.columns.iter().map(|column| cell(&column.values)).collect()
    };
    let is_there = |row: &usize| table.status[*row] == RowStatus::Scored;
    let rows = (0..table.n_rows()).filter(is_there);
    rows.map(|row| (table.keys[row].account.0.clone(), shown(row))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Deleting or corrupting what was not known by `t` leaves every feature as of `t` bit-identical; so does the row
    /// order. The same accounts are there.
    #[test]
    fn the_future_leaves_no_trace(
        book in random::book(),
        drawn in prop::collection::vec(declared::feature(), 60),
        t in random::any_day(),
        kick in any::<u64>(),
    ) {
        let features = declared::in_book(drawn, &book);
        let reference = bits(&book, &features, t);
        for future in [Future::Deleted, Future::Corrupted(kick)] {
            let other = with_other_future(&book, t, future);
            prop_assert_eq!(&reference, &bits(&other, &features, t), "{:?}", future);
        }
    }
}

/// An account that is entered late with an earlier first day is not known before; nor is its earlier day.
#[test]
fn a_first_day_is_unknown_before_it_is_known() {
    let toml = r#"
        name = "backdated"
        snapshots = { data_end = 2024-12-31 }
        [sources.contracts]
        kind = "event"
        path = "contracts.csv"
        account = "account"
        date = "day"
        known_at = "known"
        [sources.use]
        kind = "event"
        path = "use.csv"
        account = "account"
        date = "day"
        [accounts]
        from = "contracts"
        [[features]]
        name = "first_month"
        from = "use"
        aggregate = "weekly_variation"
        window = "4w"
        from_start = true
        [[features]]
        name = "to_first"
        from = "use"
        aggregate = "days_to_first"
        [[features]]
        name = "since"
        from = "use"
        aggregate = "days_since_first"
        window = "4w"
        from_start = true
    "#;
    let contracts = "account,day,known\na,2024-01-10,2024-03-01\na,2024-02-01,2024-02-05\n";
    let usage = "account,day\na,2024-01-12\na,2024-02-07\n";
    let (_folder, book) = open(toml, &[("contracts.csv", contracts), ("use.csv", usage)]).expect("opens");
    let same = |found: f32, expected: f32| found == expected || (found.is_nan() && expected.is_nan());
    for (t, status, to_first, since) in [
        ("2024-01-31", RowStatus::NotStarted, f32::NAN, f32::NAN),
        ("2024-02-04", RowStatus::NotStarted, f32::NAN, f32::NAN),
        ("2024-02-29", RowStatus::Scored, -20.0, 22.0),
        ("2024-03-01", RowStatus::Scored, 2.0, 49.0),
    ] {
        let table = book.as_of(date(t), &Quiet).expect("within the data");
        assert_eq!(table.status, [status], "{t}");
        let found = [numbers(&table, "to_first")[0], numbers(&table, "since")[0]];
        assert!(same(found[0], to_first) && same(found[1], since), "{t}: {found:?}");
    }
}

#[test]
fn a_restated_snapshot_is_read_in_the_last_version_known() {
    let toml = r#"
        name = "restated"
        [sources.health]
        kind = "snapshot"
        path = "health.csv"
        account = "account"
        date = "day"
        known_at = "known"
        [accounts]
        from = "health"
        [[features]]
        from = "health"
        column = "seats"
        [[features]]
        name = "total"
        from = "health"
        column = "seats"
        aggregate = "sum"
    "#;
    let rows =
        "account,day,known,seats\na,2024-01-10,2024-01-10,5\na,2024-01-10,2024-02-05,7\na,2024-01-20,2024-01-20,6\n";
    let (_folder, book) = open(toml, &[("health.csv", rows)]).expect("opens");
    for (t, seats, total) in [("2024-01-15", 5.0, 5.0), ("2024-01-31", 6.0, 11.0), ("2024-02-29", 6.0, 13.0)] {
        let table = book.history(&[date(t)], &Quiet).expect("rows are in memory").table;
        assert_eq!(numbers(&table, "seats"), [seats], "{t}");
        assert_eq!(numbers(&table, "total"), [total], "{t}");
    }
}

#[test]
fn change_per_and_active_subscriptions() {
    let toml = r#"
        name = "small"
        [sources.subs]
        kind = "subscription"
        path = "subs.csv"
        account = "account"
        date = "start"
        end = "end"
        [sources.use]
        kind = "event"
        path = "use.csv"
        account = "account"
        date = "day"
        [accounts]
        from = "subs"
        active = { rule = "subscription", source = "subs" }
        [[features]]
        name = "mrr"
        from = "subs"
        column = "mrr"
        aggregate = "sum"
        [[features]]
        name = "seats"
        from = "subs"
        column = "seats"
        aggregate = "max"
        [[features]]
        name = "use"
        from = "use"
        column = "n"
        aggregate = "sum"
        window = "10d"
        per = "seats"
        [[features]]
        name = "use_change"
        from = "use"
        column = "n"
        aggregate = "sum"
        window = "10d"
        change = "difference"
        [[features]]
        name = "use_ratio"
        from = "use"
        column = "n"
        aggregate = "sum"
        window = "10d"
        change = "ratio"
    "#;
    let subs = "account,start,end,mrr,seats\nb,2024-01-01,2024-02-01,10,2\nb,2024-01-15,,5,4\n";
    let usage = "account,day,n\nb,2024-01-20,3\nb,2024-01-31,8\n";
    let (_folder, book) = open(toml, &[("subs.csv", subs), ("use.csv", usage)]).expect("opens");
    let check = |t: &str, name: &str, expected: f32| {
        let found = numbers(&book.history(&[date(t)], &Quiet).expect("rows are in memory").table, name);
        let same = found == [expected] || (expected.is_nan() && found[0].is_nan());
        assert!(same, "{name} on {t}: {found:?} for {expected}");
    };
    check("2024-01-31", "mrr", 15.0);
    check("2024-02-01", "mrr", 5.0);
    check("2024-01-31", "use", 2.0);
    check("2024-01-31", "use_change", 5.0);
    check("2024-01-31", "use_ratio", 8.0 / 3.0);
    check("2024-02-15", "use_ratio", 0.0);
    check("2024-03-15", "use_ratio", f32::NAN);
}

/// In `ravenstack` three of four usage rows predate the subscription that says whose they are: a leak, if they were seen.
#[test]
fn a_row_is_unknown_before_the_row_that_says_whose_it_is() {
    let toml = r#"
        name = "via"
        [sources.subs]
        kind = "subscription"
        path = "subs.csv"
        account = "account"
        date = "start"
        known_at = "entered"
        [sources.use]
        kind = "event"
        path = "use.csv"
        account_via = { source = "subs", on = "sub" }
        date = "day"
        [accounts]
        from = "subs"
        [[features]]
        name = "use"
        from = "use"
        aggregate = "count"
    "#;
    let subs = "sub,account,start,entered\ns1,a,2024-01-01,2023-12-01\ns2,a,2024-02-10,2024-02-10\ns3,a,2024-01-02,2024-03-05\n";
    let usage = "sub,day\ns1,2024-01-05\ns2,2024-01-06\nunknown,2024-01-07\ns2,2024-02-20\ns3,2024-01-08\n";
    let (_folder, book) = open(toml, &[("subs.csv", subs), ("use.csv", usage)]).expect("opens");
    for (t, n) in
        [("2024-01-31", 1.0), ("2024-02-09", 1.0), ("2024-02-10", 2.0), ("2024-02-29", 3.0), ("2024-03-05", 4.0)]
    {
        assert_eq!(numbers(&book.history(&[date(t)], &Quiet).expect("rows are in memory").table, "use"), [n], "{t}");
    }
    assert_eq!(book.summaries().iter().map(|of| of.n_orphans).sum::<usize>(), 1);
}
