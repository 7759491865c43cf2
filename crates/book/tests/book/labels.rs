//! Labels are what happens in `(t, t + horizon]`, for customers only, and only where the data can tell.

use crate::common::{date, open};
use bellwether_book::BookError;
use bellwether_core::{Outcome, Quiet, RowStatus, Target};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 30 };
const EXPANSION: Target = Target { outcome: Outcome::Expansion, horizon_days: 30 };
const CONTRACTION: Target = Target { outcome: Outcome::Contraction, horizon_days: 30 };

fn subscriptions(grace_days: u32) -> String {
    format!(
        r#"
        name = "labels"
        snapshots = {{ data_end = 2024-04-30 }}
        [sources.subs]
        kind = "subscription"
        path = "subs.csv"
        account = "account"
        date = "start"
        end = "end"
        [accounts]
        from = "subs"
        [targets]
        horizon_days = 30
        churn = {{ rule = "no_subscription", source = "subs", grace_days = {grace_days} }}
        expansion = {{ rule = "recurring_revenue_up", source = "subs", column = "mrr", by = 0.1 }}
        [[features]]
        from = "subs"
        column = "mrr"
        aggregate = "sum"
    "#
    )
}

/// Label of the only account as of `t`; `Err` with its status where it is no customer.
fn label(toml: &str, rows: &str, target: Target, t: &str) -> Result<Option<bool>, RowStatus> {
    let (_folder, book) = open(toml, &[("subs.csv", rows)]).expect("opens");
    let table = book.as_of(date(t), &Quiet).expect("within the data");
    match table.status[0] {
        RowStatus::Scored => Ok(table.labels[&target][0]),
        other => Err(other),
    }
}

#[test]
fn churn_is_the_end_of_the_last_subscription() {
    let rows =
        "account,start,end,mrr\na,2024-01-10,2024-02-10,10\na,2024-02-10,2024-03-10,10\na,2024-03-20,2024-04-10,10\n";
    for (grace, t, expected) in [
        (0, "2024-01-09", Err(RowStatus::NotStarted)),
        (0, "2024-01-10", Ok(Some(false))),
        // The first day without is 2024-03-10: 30 days after 2024-02-09.
        (0, "2024-02-08", Ok(Some(false))),
        (0, "2024-02-09", Ok(Some(true))),
        (9, "2024-02-09", Ok(Some(true))),
        (10, "2024-02-09", Ok(Some(false))),
        (0, "2024-03-15", Err(RowStatus::Churned)),
        // 30 days after are not in the data.
        (0, "2024-04-01", Ok(None)),
        (0, "2024-03-31", Ok(Some(true))),
        (1, "2024-03-31", Ok(None)),
        (0, "2024-04-10", Err(RowStatus::Churned)),
    ] {
        assert_eq!(label(&subscriptions(grace), rows, CHURN, t), expected, "grace {grace}, {t}");
    }
}

#[test]
fn expansion_is_more_recurring_revenue_within_the_horizon() {
    let rows = "account,start,end,mrr\na,2024-01-01,2024-02-15,100\na,2024-02-15,2024-03-01,110\na,2024-03-01,,50\n";
    for (t, expected) in [("2024-01-15", false), ("2024-01-16", true), ("2024-02-14", true), ("2024-02-15", false)] {
        assert_eq!(label(&subscriptions(0), rows, EXPANSION, t), Ok(Some(expected)), "{t}");
    }
}

#[test]
fn without_contract_silence_is_churn_and_spending_more_is_expansion() {
    let toml = r#"
        name = "labels"
        snapshots = { data_end = 2024-06-30 }
        [sources.orders]
        kind = "event"
        path = "subs.csv"
        account = "account"
        date = "day"
        [accounts]
        from = "orders"
        active = { rule = "activity", source = "orders", within_days = 60 }
        [targets]
        horizon_days = 30
        churn = { rule = "no_activity", source = "orders" }
        expansion = { rule = "spend_up", source = "orders", column = "amount", by = 0.25 }
        [[features]]
        from = "orders"
        column = "amount"
    "#;
    let rows = "account,day,amount\na,2024-01-10,100\na,2024-02-09,125\n";
    for (target, t, expected) in [
        (CHURN, "2024-01-10", Ok(Some(false))),
        (CHURN, "2024-02-09", Ok(Some(true))),
        (CHURN, "2024-01-09", Err(RowStatus::NotStarted)),
        (CHURN, "2024-04-08", Ok(Some(true))),
        (CHURN, "2024-04-09", Err(RowStatus::Churned)),
        (EXPANSION, "2024-01-10", Ok(Some(true))),
        (EXPANSION, "2024-02-09", Ok(Some(false))),
    ] {
        assert_eq!(label(toml, rows, target, t), expected, "{target} {t}");
    }
}

/// A book of one source, `subs.csv`, that ends with August 2024 and asks for 30, 60 and 90 days.
fn several(source: &str, targets: &str) -> String {
    format!(
        r#"
        name = "labels"
        snapshots = {{ data_end = 2024-08-31 }}
        [sources.subs]
        path = "subs.csv"
        account = "account"
        {source}
        [accounts]
        from = "subs"
        [targets]
        horizons = [30, 60, 90]
        {targets}
        [[features]]
        from = "subs"
        column = "mrr"
    "#
    )
}

const SUBSCRIPTION: &str = "kind = \"subscription\"\ndate = \"start\"\nend = \"end\"";
const EVENT: &str = "kind = \"event\"\ndate = \"start\"";
const SNAPSHOT: &str = "kind = \"snapshot\"\ndate = \"start\"";

/// Asserts the labels of the only account within 30, 60 and 90 days of `t`: `+`, `-`, or `?` where nobody knows yet;
/// or the status where it is no customer.
#[track_caller]
fn check(toml: &str, rows: &[&str], outcome: Outcome, t: &str, expected: &str) {
    let header = if toml.contains(SUBSCRIPTION) { "account,start,end,mrr" } else { "account,start,mrr,kind" };
    let csv = format!("{header}\n{}\n", rows.iter().map(|row| format!("a,{row}")).collect::<Vec<_>>().join("\n"));
    let (_folder, book) = open(toml, &[("subs.csv", &csv)]).expect("opens");
    let table = book.as_of(date(t), &Quiet).expect("within the data");
    let sign = |horizon_days| match table.labels[&Target { outcome, horizon_days }][0] {
        Some(true) => '+',
        Some(false) => '-',
        None => '?',
    };
    let found = match table.status[0] {
        RowStatus::Scored => [30, 60, 90].map(sign).iter().collect(),
        other => other.name().to_owned(),
    };
    assert_eq!(found, expected, "{} of {rows:?} as of {t}", outcome.name());
}

#[test]
fn a_contract_ends_within_each_horizon_that_reaches_its_last_day() {
    let toml = |grace: u32| {
        let rule = format!("churn = {{ rule = \"no_subscription\", source = \"subs\", grace_days = {grace} }}");
        several(SUBSCRIPTION, &rule)
    };
    let leap = ["2023-06-01,2024-02-29,10"];
    // 90 days before the leap day is 2023-12-01, 60 days 2023-12-31, 30 days 2024-01-30.
    for (t, expected) in [
        ("2023-05-31", "not_started"),
        ("2023-06-01", "---"),
        ("2023-11-30", "---"),
        ("2023-12-01", "--+"),
        ("2023-12-30", "--+"),
        ("2023-12-31", "-++"),
        ("2024-01-29", "-++"),
        ("2024-01-30", "+++"),
        ("2024-02-28", "+++"),
        ("2024-02-29", "churned"),
    ] {
        check(&toml(0), &leap, Outcome::Churn, t, expected);
    }
    // The data ends on 2024-08-31: 30 days after 2024-08-01, 60 after 2024-07-02, 90 after 2024-06-02.
    let running = ["2023-06-01,,10"];
    for (grace, t, expected) in [
        (0, "2024-06-02", "---"),
        (1, "2024-06-02", "--?"),
        (0, "2024-06-03", "--?"),
        (0, "2024-07-02", "--?"),
        (0, "2024-07-03", "-??"),
        (0, "2024-08-01", "-??"),
        (0, "2024-08-02", "???"),
    ] {
        check(&toml(grace), &running, Outcome::Churn, t, expected);
    }
}

#[test]
fn a_gap_of_the_grace_days_is_no_churn_and_contracts_that_overlap_are_one() {
    let toml = |grace: u32| {
        let rule = format!("churn = {{ rule = \"no_subscription\", source = \"subs\", grace_days = {grace} }}");
        several(SUBSCRIPTION, &rule)
    };
    // No contract from 2024-02-29 to 2024-03-09, ten days.
    let gap = ["2023-06-01,2024-02-29,10", "2024-03-10,,10"];
    for (grace, t, expected) in [
        (0, "2024-02-01", "+++"),
        (9, "2024-02-01", "+++"),
        (10, "2024-02-01", "---"),
        (10, "2024-03-05", "churned"),
        (0, "2024-03-10", "---"),
    ] {
        check(&toml(grace), &gap, Outcome::Churn, t, expected);
    }
    // A contract of no day bridges no gap: from 2024-02-29 on nobody pays for ten days.
    let empty = ["2023-06-01,2024-02-29,10", "2024-03-05,2024-03-05,10", "2024-03-10,,10"];
    check(&toml(5), &empty, Outcome::Churn, "2024-02-01", "+++");
    let overlap = ["2023-06-01,2024-03-31,10", "2024-02-15,2024-05-15,10", "2024-05-15,2024-06-30,10"];
    check(&toml(0), &overlap, Outcome::Churn, "2024-04-01", "--+");
    check(&toml(0), &overlap, Outcome::Churn, "2024-05-01", "-++");
}

#[test]
fn so_many_days_of_silence_are_a_churn_on_the_last_of_them() {
    let silent = several(EVENT, "churn = { rule = \"no_activity\", source = \"subs\", days = 30 }");
    // 30 days after 2024-01-31 is 2024-03-01, over a leap day; a row on that very day breaks the silence.
    let broken = ["2024-01-31,1,x", "2024-03-01,1,x"];
    for (t, expected) in [
        ("2024-01-30", "not_started"),
        // The churn day is 2024-03-31, 60 days after 2024-01-31.
        ("2024-01-31", "-++"),
        ("2024-02-29", "-++"),
        ("2024-03-01", "+++"),
        ("2024-03-30", "+++"),
        ("2024-03-31", "churned"),
    ] {
        check(&silent, &broken, Outcome::Churn, t, expected);
    }
    let late = ["2024-01-31,1,x", "2024-03-02,1,x"];
    for (t, expected) in
        [("2024-01-31", "+++"), ("2024-02-29", "+++"), ("2024-03-01", "churned"), ("2024-03-02", "+++")]
    {
        check(&silent, &late, Outcome::Churn, t, expected);
    }
    // Without a leap day 30 days after 2023-01-31 is 2023-03-02.
    check(&silent, &["2023-01-31,1,x", "2023-03-02,1,x"], Outcome::Churn, "2023-01-31", "-++");
    check(&silent, &["2023-01-31,1,x", "2023-03-03,1,x"], Outcome::Churn, "2023-01-31", "+++");
    let filter = "filter = [{ column = \"kind\", in = [\"x\"] }]";
    let rule = format!("churn = {{ rule = \"no_activity\", source = \"subs\", days = 30, {filter} }}");
    let other = ["2024-01-31,1,x", "2024-02-20,1,y"];
    check(&several(EVENT, &rule), &other, Outcome::Churn, "2024-02-29", "+++");
    check(&several(EVENT, &rule), &other, Outcome::Churn, "2024-03-01", "churned");
}

#[test]
fn contraction_is_less_recurring_revenue_of_an_account_that_stays() {
    let toml = |grace: u32, threshold: &str| {
        several(
            SUBSCRIPTION,
            &format!(
                "churn = {{ rule = \"no_subscription\", source = \"subs\", grace_days = {grace} }}
                 contraction = {{ rule = \"recurring_revenue_down\", source = \"subs\", column = \"mrr\", {threshold} }}"
            ),
        )
    };
    let tenth = toml(0, "by = 0.1");
    let exact = ["2023-06-01,2024-02-29,100", "2024-02-29,,90"];
    for (t, expected) in [("2023-12-01", "--+"), ("2024-01-29", "-++"), ("2024-01-30", "+++"), ("2024-02-29", "---")] {
        check(&tenth, &exact, Outcome::Contraction, t, expected);
    }
    // One of two contracts ends; a step that is taken back counts; a penny above the threshold does not.
    check(&tenth, &["2023-06-01,,60", "2023-06-01,2024-02-29,40"], Outcome::Contraction, "2024-01-30", "+++");
    let back = ["2023-06-01,2024-02-10,100", "2024-02-10,2024-02-11,50", "2024-02-11,,100"];
    check(&tenth, &back, Outcome::Contraction, "2024-01-30", "+++");
    check(&tenth, &["2023-06-01,2024-02-29,100", "2024-02-29,,90.01"], Outcome::Contraction, "2024-01-30", "---");
    // The new contract overlaps the old: less is paid only when the old one ends, on 2024-02-20.
    let overlap = ["2023-06-01,2024-02-20,100", "2024-02-10,,50"];
    check(&tenth, &overlap, Outcome::Contraction, "2024-01-20", "-++");
    check(&tenth, &overlap, Outcome::Contraction, "2024-01-21", "+++");
    // Who leaves has not contracted, not even when coming back for less; a gap within grace is no leaving.
    let left = ["2023-06-01,2024-02-10,100", "2024-02-20,,50"];
    check(&tenth, &left, Outcome::Contraction, "2024-02-01", "---");
    check(&tenth, &left, Outcome::Churn, "2024-02-01", "+++");
    check(&toml(10, "by = 0.1"), &left, Outcome::Contraction, "2024-02-01", "+++");
    check(&tenth, &["2023-06-01,2024-02-10,100"], Outcome::Contraction, "2024-02-01", "---");
    check(&tenth, &["2023-06-01,2024-02-10,100", "2024-02-10,,0"], Outcome::Contraction, "2024-02-01", "---");
    // First less, then gone: both.
    let both = ["2023-06-01,2024-02-10,100", "2024-02-10,2024-02-20,50"];
    check(&tenth, &both, Outcome::Contraction, "2024-02-01", "+++");
    check(&tenth, &both, Outcome::Churn, "2024-02-01", "+++");
    for (threshold, expected) in [
        ("at_least = 10", "+++"),
        ("at_least = 10.5", "---"),
        ("by = 0.05, at_least = 10", "+++"),
        ("by = 0.11, at_least = 10", "---"),
    ] {
        check(&toml(0, threshold), &exact, Outcome::Contraction, "2024-01-30", expected);
    }
}

#[test]
fn expansion_may_ask_for_an_amount() {
    let toml = |threshold: &str| {
        let rule = "rule = \"recurring_revenue_up\", source = \"subs\", column = \"mrr\"";
        several(SUBSCRIPTION, &format!("expansion = {{ {rule}, {threshold} }}"))
    };
    let rows = ["2023-06-01,2024-02-29,100", "2024-02-29,,110"];
    for (threshold, t, expected) in [
        ("by = 0.1", "2024-01-30", "+++"),
        ("by = 0.1", "2024-01-29", "-++"),
        ("at_least = 10", "2024-01-30", "+++"),
        ("at_least = 10.01", "2024-01-30", "---"),
        ("by = 0.1, at_least = 10", "2023-12-01", "--+"),
        ("by = 0.11, at_least = 10", "2024-01-30", "---"),
    ] {
        check(&toml(threshold), &rows, Outcome::Expansion, t, expected);
    }
}

#[test]
fn snapshots_of_revenue_stand_until_the_next() {
    let toml = several(
        SNAPSHOT,
        "expansion = { rule = \"recurring_revenue_up\", source = \"subs\", column = \"mrr\", by = 0.1 }
         contraction = { rule = \"recurring_revenue_down\", source = \"subs\", column = \"mrr\", by = 0.1 }",
    );
    let rows = ["2023-12-31,100,x", "2024-01-31,,x", "2024-02-29,120,x", "2024-03-31,90,x", "2024-04-30,0,x"];
    for (t, expansion, contraction) in [
        ("2023-12-31", "-++", "---"),
        // Three months from 2024-01-31: 100, 120, 90; of the 90 days up to 2024-04-30 the last is the churn.
        ("2024-01-31", "+++", "-++"),
        ("2024-02-29", "---", "-++"),
        ("2024-03-01", "---", "+++"),
        ("2024-03-31", "---", "---"),
    ] {
        check(&toml, &rows, Outcome::Expansion, t, expansion);
        check(&toml, &rows, Outcome::Contraction, t, contraction);
    }
}

#[test]
fn spending_less_is_contraction_within_the_main_horizon_alone() {
    let toml = several(
        EVENT,
        "horizon_days = 30
         churn = { rule = \"event\", source = \"subs\", filter = [{ column = \"kind\", in = [\"left\"] }] }
         contraction = { rule = \"spend_down\", source = \"subs\", column = \"mrr\", by = 0.25 }",
    );
    for (later, expected) in [("75", true), ("75.01", false), ("0", false), ("100", false)] {
        let csv = format!("account,start,mrr,kind\na,2024-01-31,100,buy\na,2024-03-01,{later},buy\n");
        let (_folder, book) = open(&toml, &[("subs.csv", &csv)]).expect("opens");
        let table = book.as_of(date("2024-01-31"), &Quiet).expect("within the data");
        let contraction: Vec<_> = table.labels.iter().filter(|(of, _)| of.outcome == Outcome::Contraction).collect();
        assert_eq!(contraction, [(&CONTRACTION, &vec![Some(expected)])], "{later}");
        assert_eq!(book.file().targets().len(), 4, "three horizons of churn, one of contraction");
    }
}

#[test]
fn targets_without_sense_are_refused() {
    let refused = |source: &str, targets: &str, message: &str| {
        let rows = "account,start,end,mrr,kind\na,2024-01-31,,100,x\n";
        match open(&several(source, targets), &[("subs.csv", rows)]).map(|_| ()) {
            Err(BookError::Config(error)) => {
                let found = format!("{error} / {}", error.hint().unwrap_or_default());
                assert!(found.contains(message), "`{found}` should contain `{message}`");
            }
            other => panic!("{targets}: {other:?}"),
        }
    };
    let silence = "churn = { rule = \"no_activity\", source = \"subs\" }";
    refused(EVENT, silence, "silence throughout a horizon is rarer the longer it is");
    refused(EVENT, silence, "add `days = 90`");
    refused(
        EVENT,
        "churn = { rule = \"no_activity\", source = \"subs\", days = 0 }",
        "days = 0; it must be within 1..=36500",
    );
    refused(EVENT, "horizon_days = 45", "[30, 60, 90], without the main horizon of 45 days");
    refused(EVENT, "horizon_days = 0", "horizon_days is 0; it must be within");
    let spend =
        |rule: &str| format!("contraction = {{ rule = \"{rule}\", source = \"subs\", column = \"mrr\", by = 0.2 }}");
    refused(EVENT, &spend("spend_up"), "contraction: this rule tells expansion / move it to [targets.expansion]");
    refused(EVENT, &spend("spend_down"), "targets.horizons has no use");
    refused(EVENT, &spend("recurring_revenue_down"), "is of kind Event; this rule needs Subscription or Snapshot");
    let down = |threshold: &str| {
        format!("contraction = {{ rule = \"recurring_revenue_down\", source = \"subs\", column = \"mrr\"{threshold} }}")
    };
    refused(SUBSCRIPTION, &down(""), "contraction: there is no threshold / add `by = 0.1`");
    refused(SUBSCRIPTION, &down(", by = 1.0"), "contraction: by = 1 must be above 0 and below 1");
    refused(SUBSCRIPTION, &down(", at_least = 0"), "contraction: at_least = 0 must be above 0");
    let grace = "churn = { rule = \"no_subscription\", source = \"subs\", grace_days = 10 }\n[split]\npurge_days = 90";
    refused(SUBSCRIPTION, grace, "split.purge_days is 90, shorter than the 100 days that labels reach");
    let falling = several(SUBSCRIPTION, "").replace("[30, 60, 90]", "[90, 30]");
    let error = open(&falling, &[]).map(|_| ()).expect_err("horizons must rise");
    assert!(error.to_string().contains("targets.horizons is [90, 30]; horizons are days within 1..=36500 that rise"));
}
