//! Labels are what happens in `(t, t + horizon]`, for customers only, and only where the data can tell.

use crate::common::{date, open};
use bellwether_core::{Outcome, Quiet, RowStatus, Target};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 30 };
const EXPANSION: Target = Target { outcome: Outcome::Expansion, horizon_days: 30 };

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
