//! Each rule on a book that breaks it, and on one that does not.

use std::fmt::Write as _;

use bellwether_book::{Audit, RULES, Severity};
use bellwether_core::{Date, Quiet};

use crate::common::{date, open};

const N_ACCOUNTS: i32 = 120;
const N_DAYS: i32 = 730;

/// Two years of 120 accounts: use on every third day, a plan until the account leaves.
#[derive(Debug, Clone, Default)]
struct Tables {
    accounts: String,
    plans: String,
    usage: String,
    toml: String,
}

fn first() -> Date {
    date("2022-01-01")
}

/// A number in `[0, 1)` that depends on both.
fn draw(a: i32, b: i32) -> f64 {
    let bits = (a as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (b as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from((bits ^ (bits >> 32)) as u32) / f64::from(u32::MAX)
}

fn leaves(account: i32) -> Option<i32> {
    (account % 2 == 0).then(|| 150 + (draw(account, 1) * 560.0) as i32)
}

/// A book of [`N_ACCOUNTS`].
fn tables(value: impl Fn(i32, i32) -> f64, note: impl Fn(i32) -> String) -> Tables {
    tables_of(N_ACCOUNTS, value, note)
}

/// The clean book. `value` gives the usage of an account on a day; `note` a column of the accounts.
fn tables_of(n_accounts: i32, value: impl Fn(i32, i32) -> f64, note: impl Fn(i32) -> String) -> Tables {
    let mut tables = Tables {
        accounts: "account,start,note\n".to_owned(),
        plans: "account,start,end,mrr\n".to_owned(),
        usage: "account,day,known,value\n".to_owned(),
        toml: TOML.to_owned(),
    };
    for account in 0..n_accounts {
        let start = (draw(account, 0) * 100.0) as i32;
        let end = leaves(account).unwrap_or(N_DAYS);
        let day = |day: i32| first().plus_days(day);
        let ends = leaves(account).map_or_else(String::new, |end| day(end).to_string());
        let _ = writeln!(tables.accounts, "a{account:03},{},{}", day(start), note(account));
        let _ = writeln!(tables.plans, "a{account:03},{},{ends},{}", day(start), 10 + account % 7);
        for at in (start..end).step_by(3) {
            let _ = writeln!(tables.usage, "a{account:03},{},{},{}", day(at), day(at), value(account, at));
        }
    }
    tables
}

fn clean() -> Tables {
    tables(|account, day| 5.0 + (draw(account, day) * 10.0).round(), |account| format!("n{}", account % 3))
}

const TOML: &str = r#"
name = "tiny"
[snapshots]
every = "1mo"
from = 2022-04-30
data_end = 2023-12-31
[sources.accounts]
kind = "attribute"
path = "accounts.csv"
account = "account"
date = "start"
[sources.plans]
kind = "subscription"
path = "plans.csv"
account = "account"
date = "start"
end = "end"
[sources.usage]
kind = "event"
path = "usage.csv"
account = "account"
date = "day"
known_at = "known"
[accounts]
from = "accounts"
[targets]
churn = { rule = "no_subscription", source = "plans" }
[[features]]
name = "usage_30d"
from = "usage"
column = "value"
aggregate = "sum"
window = "30d"
[[features]]
name = "mean_90d"
from = "usage"
column = "value"
aggregate = "mean"
window = "90d"
[[features]]
name = "mrr"
from = "plans"
column = "mrr"
aggregate = "sum"
[[features]]
name = "note"
from = "accounts"
column = "note"
type = "text"
"#;

fn audit(tables: &Tables) -> Audit {
    let files = [
        ("accounts.csv", tables.accounts.as_str()),
        ("plans.csv", tables.plans.as_str()),
        ("usage.csv", tables.usage.as_str()),
    ];
    let (_folder, book) = open(&tables.toml, &files).expect("the book opens");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("the book is read").table;
    let split = book.split(&table, 0).expect("the book is split");
    book.audit(&table, Some(&split), 0, &Quiet).expect("the book is audited")
}

/// The ids and severities of what is found, but for sizes, which are small here.
fn found(tables: &Tables) -> Vec<(String, Severity)> {
    let findings = audit(tables).findings.into_iter();
    let told = findings.filter(|found| !found.id.starts_with("few-events/") && found.severity != Severity::Note);
    told.map(|found| (found.id, found.severity)).collect()
}

#[track_caller]
fn check(tables: &Tables, expected: &[(&str, Severity)]) {
    let expected: Vec<(String, Severity)> = expected.iter().map(|(id, of)| ((*id).to_owned(), *of)).collect();
    assert_eq!(found(tables), expected);
}

/// Lines of a table, header apart, for which `keep` says so by their fields.
fn keep(text: &str, keep: impl Fn(&[&str]) -> bool) -> String {
    let kept = text.lines().enumerate().filter(|(at, line)| *at == 0 || keep(&line.split(',').collect::<Vec<_>>()));
    kept.flat_map(|(_, line)| [line, "\n"]).collect()
}

#[test]
fn a_clean_book_has_no_warning() {
    check(&clean(), &[]);
}

#[test]
fn rows_outside_of_a_life_are_counted() {
    let mut tables = clean();
    // Account 1 starts within 100 days; ten accounts use it before 2022.
    for account in 0..10 {
        let _ = writeln!(tables.usage, "a{account:03},2021-12-01,2021-12-01,3");
    }
    check(&tables, &[("rows-before-start/usage", Severity::Warning)]);

    let mut tables = clean();
    for account in (0..40).step_by(2) {
        let day = first().plus_days(leaves(account).expect("even ones leave") + 40);
        let _ = writeln!(tables.usage, "a{account:03},{day},{day},3");
    }
    check(&tables, &[("rows-after-end/usage", Severity::Warning)]);

    let mut tables = clean();
    tables.usage.push_str("a001,2024-06-01,2024-06-01,3\n");
    check(&tables, &[("rows-after-data-end/usage", Severity::Warning)]);

    let mut tables = clean();
    tables.usage.push_str("nobody,2023-06-01,2023-06-01,3\n");
    check(&tables, &[("orphan-rows/usage", Severity::Warning)]);
}

#[test]
fn a_quarter_of_rows_before_the_start_is_an_error() {
    let mut tables = clean();
    tables.accounts = keep(&tables.accounts, |_| true).replace(",2022-", ",2023-");
    let ids: Vec<(String, Severity)> = found(&tables);
    assert!(ids.contains(&("rows-before-start/usage".to_owned(), Severity::Error)), "{ids:?}");
}

#[test]
fn feeds_are_held_against_their_own_past() {
    let mut tables = clean();
    tables.usage = keep(&tables.usage, |row| !("2022-10-01".."2022-10-25").contains(&row[1]));
    check(&tables, &[("gap/usage", Severity::Warning)]);

    let mut tables = clean();
    tables.usage = keep(&tables.usage, |row| row[1] < "2023-11-20");
    check(&tables, &[("feed-stops/usage", Severity::Warning)]);
}

#[test]
fn a_unit_is_one_throughout() {
    let seconds = |account: i32, day: i32| {
        let minutes = 5.0 + (draw(account, day) * 10.0).round();
        if day < 400 { minutes } else { 60.0 * minutes }
    };
    let changed = tables(seconds, |account| format!("n{}", account % 3));
    let found = found(&changed);
    assert_eq!(found[0], ("unit-change/usage.value".to_owned(), Severity::Error), "{found:?}");
    assert!(found[1..].iter().all(|(id, _)| id.starts_with("drift/")), "{found:?}");
    // A value that doubles is no other unit, though it drifts.
    let doubled = tables(|account, day| seconds(account, day).min(30.0), |account| format!("n{}", account % 3));
    let of_doubled = self::found(&doubled);
    assert!(of_doubled.iter().all(|(id, _)| id.starts_with("drift/")), "{of_doubled:?}");
}

#[test]
fn equal_rows_are_copies_where_every_column_is_equal() {
    let mut tables = clean();
    let copies = keep(&tables.usage, |row| row[0] < "a005");
    tables.usage.push_str(copies.split_once('\n').expect("it has a header").1);
    check(&tables, &[("duplicate-rows/usage", Severity::Warning)]);

    // Another column, that no feature reads, tells them apart.
    let numbered = |(at, line): (usize, &str)| format!("{line},{}", if at == 0 { "id".into() } else { at.to_string() });
    let lines: Vec<String> = tables.usage.lines().enumerate().map(numbered).collect();
    tables.usage = lines.join("\n") + "\n";
    check(&tables, &[]);
}

#[test]
fn rows_that_arrive_at_once_are_backfilled() {
    let mut tables = clean();
    let later = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
        [account, day, _, value] if ("2022-06-01".."2022-09-01").contains(&day) => {
            format!("{account},{day},2022-11-15,{value}\n")
        }
        _ => format!("{line}\n"),
    };
    tables.usage = tables.usage.lines().map(later).collect::<Vec<_>>().concat();
    let found = found(&tables);
    assert!(found.contains(&("backfilled/usage".to_owned(), Severity::Warning)), "{found:?}");
}

#[test]
fn what_an_undated_column_knows_is_an_error() {
    let knows = |account: i32| if leaves(account).is_some() { "gone".to_owned() } else { "here".to_owned() };
    let told = tables(draw, knows);
    check(&told, &[("knows-outcome/note/churn_90d", Severity::Error)]);

    let erased = |account: i32| if leaves(account).is_some() { String::new() } else { format!("n{}", account % 3) };
    let told = tables(draw, erased);
    check(&told, &[("missing-knows-outcome/note/churn_90d", Severity::Error)]);
}

#[test]
fn features_that_tell_nothing_are_named() {
    let mut tables = tables(draw, |_| "same".to_owned());
    tables.toml.push_str("[[features]]\nname = \"again\"\nfrom = \"plans\"\ncolumn = \"mrr\"\naggregate = \"max\"\n");
    check(&tables, &[("constant/note", Severity::Warning), ("duplicate/again", Severity::Warning)]);
}

#[test]
fn one_customer_under_two_ids_is_found() {
    let mut tables = clean();
    let twins = |text: &str| -> String {
        let kept = keep(text, |row| row[0] < "a010");
        kept.lines().skip(1).flat_map(|line| ["b", &line[1..], "\n"]).collect()
    };
    for table in [&mut tables.accounts, &mut tables.plans, &mut tables.usage] {
        let copies = twins(table);
        table.push_str(&copies);
    }
    check(&tables, &[("shared-rows/usage", Severity::Warning)]);
    tables.toml.push_str("[split]\nkind = \"random\"\n");
    check(&tables, &[("shared-rows/usage", Severity::Error)]);
}

const AGREE: &str =
    "[[check.agree]]\nsource = \"accounts\"\ncolumn = \"note\"\npositive = [\"gone\"]\nwith = \"churn\"\n";

#[test]
fn a_state_that_disagrees_with_the_outcomes_is_counted() {
    let state = |wrong: i32| {
        move |account: i32| {
            let is_gone = leaves(account).is_some() != (account < wrong);
            if is_gone { "gone".to_owned() } else { "here".to_owned() }
        }
    };
    // The state is no feature here, only held against the outcomes.
    let without_note = TOML.split_once("[[features]]\nname = \"note\"").expect("the last feature").0;
    let with = |wrong: i32| {
        let toml = format!("{without_note}{AGREE}");
        Tables { toml, ..tables(draw, state(wrong)) }
    };
    check(&with(0), &[]);
    check(&with(3), &[("outcome-disagrees/accounts.note", Severity::Warning)]);
    check(&with(30), &[("outcome-disagrees/accounts.note", Severity::Error)]);
    let audit = audit(&with(30));
    let evidence: Vec<&str> = audit.findings[0].evidence.iter().map(|(_, value)| value.as_str()).collect();
    // 60 left; of the first 30 accounts, half of whom left, the state is turned round.
    assert_eq!(evidence, ["45", "15", "15", "45"]);
}

#[test]
fn a_waiver_accepts_its_finding_and_no_other() {
    let mut tables = clean();
    tables.accounts = tables.accounts.replace(",2022-", ",2023-");
    tables.toml.push_str("[[check.waive]]\nid = \"rows-before-start/usage\"\nreason = \"known\"\n");
    tables.toml.push_str("[[check.waive]]\nid = \"gap/plans\"\nreason = \"of old\"\n");
    let audit = audit(&tables);
    let waived = audit.findings.iter().find(|found| found.id == "rows-before-start/usage").expect("it is found");
    assert_eq!(waived.waived.as_deref(), Some("known"));
    assert!(audit.refused().all(|found| found.id != waived.id));
    assert!(audit.findings.iter().any(|found| found.id == "waiver-unused/gap/plans"));
}

#[test]
fn a_waiver_without_reason_is_refused() {
    let tables = clean();
    let toml = format!("{}[[check.waive]]\nid = \"gap/usage\"\nreason = \" \"\n", tables.toml);
    let refused = open(&toml, &[]).map(|_| ()).expect_err("it has no reason");
    assert!(refused.to_string().contains("gap/usage"), "{refused}");
}

#[test]
fn erasing_the_future_changes_no_feature() {
    let audit = audit(&clean());
    assert!(
        audit.replay.n_rows > 100 && audit.replay.n_erased > 1000 && audit.replay.n_values > 1000,
        "{:?}",
        audit.replay
    );
    assert_eq!(audit.replay.n_different, 0);
}

#[test]
fn plots_have_every_month_and_day() {
    let audit = audit(&clean());
    let usage = audit.sources.iter().find(|source| source.name == "usage").expect("a source with dates");
    assert_eq!(usage.months.len(), 24);
    assert_eq!(usage.months.iter().map(|month| month.1).sum::<usize>(), clean().usage.lines().count() - 1);
    assert!(audit.features.iter().all(|feature| feature.days.len() == 21));
}

#[test]
fn the_catalogue_has_each_rule_once_and_whole() {
    for (at, rule) in RULES.iter().enumerate() {
        assert!(RULES[..at].iter().all(|other| other.id != rule.id), "{}", rule.id);
        let texts = [rule.id, rule.family, rule.finds, rule.limits, rule.reason, rule.advice];
        assert!(texts.iter().all(|text| !text.is_empty() && !text.ends_with('.')), "{}", rule.id);
    }
}

/// The clean book with events of churn that a feature counts, beside the plans.
fn with_events(rows: impl Fn(i32, i32) -> Vec<i32>) -> (Tables, String) {
    let mut tables = clean();
    let mut events = "account,day,kind\n".to_owned();
    for account in 0..N_ACCOUNTS {
        for day in leaves(account).map(|day| rows(account, day)).unwrap_or_default() {
            let _ = writeln!(events, "a{account:03},{},gone", first().plus_days(day));
        }
    }
    let churn = "churn = { rule = \"event\", source = \"events\" }";
    tables.toml = tables.toml.replace("churn = { rule = \"no_subscription\", source = \"plans\" }", churn);
    tables
        .toml
        .push_str("[sources.events]\nkind = \"event\"\npath = \"events.csv\"\naccount = \"account\"\ndate = \"day\"\n");
    (tables, events)
}

fn ids(tables: &Tables, events: &str) -> Vec<String> {
    let files = [
        ("accounts.csv", tables.accounts.as_str()),
        ("plans.csv", tables.plans.as_str()),
        ("usage.csv", tables.usage.as_str()),
        ("events.csv", events),
    ];
    let (_folder, book) = open(&tables.toml, &files).expect("the book opens");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("the book is read").table;
    let split = book.split(&table, 0).expect("the book is split");
    let audit = book.audit(&table, Some(&split), 0, &Quiet).expect("the book is audited");
    let told = audit.findings.into_iter().filter(|found| !found.id.starts_with("few-events/"));
    told.filter(|found| found.severity != Severity::Note).map(|found| found.id).collect()
}

#[test]
fn outcomes_stand_once_and_are_no_features() {
    let (tables, events) = with_events(|_, day| vec![day]);
    assert_eq!(ids(&tables, &events), Vec::<String>::new());

    let (tables, events) = with_events(|account, day| if account % 4 == 0 { vec![day - 40, day] } else { vec![day] });
    assert!(ids(&tables, &events).contains(&"outcome-repeats/churn_90d".to_owned()), "{:?}", ids(&tables, &events));

    let (mut tables, events) = with_events(|_, day| vec![day]);
    tables.toml.push_str("[[features]]\nname = \"counted\"\nfrom = \"events\"\naggregate = \"count\"\n");
    assert!(
        ids(&tables, &events).contains(&"from-outcomes/counted/churn_90d".to_owned()),
        "{:?}",
        ids(&tables, &events)
    );

    // The same file without its date says what is to come.
    let (mut tables, events) = with_events(|_, day| vec![day]);
    tables.toml.push_str("[sources.gone]\nkind = \"attribute\"\npath = \"events.csv\"\naccount = \"account\"\n");
    tables.toml.push_str("[[features]]\nname = \"kind\"\nfrom = \"gone\"\ncolumn = \"kind\"\ntype = \"text\"\n");
    let found = ids(&tables, &events);
    for id in ["from-outcomes/kind/churn_90d", "missing-knows-outcome/kind/churn_90d"] {
        assert!(found.contains(&id.to_owned()), "{id}: {found:?}");
    }
}

#[test]
fn a_value_from_the_future_stands_alone() {
    // Use doubles on the 92 days before somebody leaves; the last row is of up to two days ago.
    let knows = |account: i32, day: i32| {
        let is_near = leaves(account).is_some_and(|end| end - day <= 92);
        10.0 * (1.0 + f64::from(u8::from(is_near))) + 4.0 * draw(account, day)
    };
    // An alarm needs accounts: without an error among 60 the rate of errors may still be 5 %.
    let mut tables = tables_of(600, knows, |account| format!("n{}", account % 3));
    let last = "[[features]]\nname = \"last\"\nfrom = \"usage\"\ncolumn = \"value\"\n";
    tables.toml =
        tables.toml.replace("[[features]]\nname = \"usage_30d\"", &format!("{last}[[features]]\nname = \"usage_30d\""));
    let found = found(&tables);
    assert!(found.contains(&("knows-outcome/last/churn_90d".to_owned(), Severity::Error)), "{found:?}");
}

#[test]
fn a_column_that_is_dropped_is_seen_on_its_day() {
    let mut tables = clean();
    let without = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
        [account, day, known, _] if day > "2023-06-01" && day < "2024" => format!("{account},{day},{known},\n"),
        _ => format!("{line}\n"),
    };
    tables.usage = tables.usage.lines().map(without).collect::<Vec<_>>().concat();
    let found = found(&tables);
    assert!(found.contains(&("missing-jump/mean_90d".to_owned(), Severity::Warning)), "{found:?}");
}

#[test]
fn groups_that_change_put_an_account_into_two_parts() {
    let mut tables = clean();
    let mut segments = "account,day,segment\n".to_owned();
    for account in 0..N_ACCOUNTS {
        for (day, segment) in [("2022-01-01", account % 40), ("2022-12-01", 40 + account % 39)] {
            let _ = writeln!(segments, "a{account:03},{day},s{segment}");
        }
    }
    tables.toml.push_str(
        "[sources.segments]\nkind = \"attribute\"\npath = \"events.csv\"\naccount = \"account\"\ndate = \"day\"\n",
    );
    tables.toml.push_str(
        "[[features]]\nname = \"segment\"\nfrom = \"segments\"\ncolumn = \"segment\"\ntype = \"text\"\nhelper = true\n",
    );
    tables.toml.push_str("[split]\nkind = \"grouped\"\ngroup = \"segment\"\n");
    assert!(ids(&tables, &segments).contains(&"account-overlap/split".to_owned()), "{:?}", ids(&tables, &segments));
}
