//! `[evaluation]`: dated facts beside labels, and the rules of their declaration.

use std::path::Path;

use bellwether_book::{BookError, BookFile, Facts, Intervention};
use bellwether_core::{Outcome, Quiet, Target};
use expect_test::{Expect, expect};

use crate::common::{date, open};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 30 };

const BOOK: &str = r#"
    name = "facts"
    [snapshots]
    every = "3d"
    from = 2024-01-05
    data_end = 2024-08-31
    [sources.accounts]
    kind = "attribute"
    path = "accounts.csv"
    account = "account"
    [sources.plans]
    kind = "subscription"
    path = "plans.csv"
    account = "account"
    date = "start"
    end = "end"
    [sources.events]
    kind = "event"
    path = "events.csv"
    account = "account"
    date = "date"
    [accounts]
    from = "accounts"
    [targets]
    horizon_days = 30
    [[features]]
    name = "n_events"
    from = "events"
    aggregate = "count"
    window = "30d"
"#;

const ACCOUNTS: &str = "account\na\nb\nc\n";
const PLANS: &str = "account,start,end,due\n\
    a,2024-01-01,2024-03-01,2024-03-01\n\
    a,2024-03-01,2024-05-10,2024-05-01\n\
    a,2024-05-20,2024-07-01,2024-07-01\n\
    b,2024-01-01,,2024-04-01\n\
    b,2024-01-01,,2024-04-01\n\
    c,2024-02-01,2024-08-25,2025-01-01\n";
const EVENTS: &str = "account,date,kind,done\n\
    a,2024-01-02,call,yes\n\
    a,2024-02-01,login,yes\n\
    a,2024-02-01,call,no\n\
    b,2024-01-03,login,yes\n\
    b,2024-03-20,churn,yes\n\
    b,2024-05-01,call,yes\n\
    b,2024-06-15,churn,yes\n\
    c,2024-02-02,login,yes\n\
    c,2024-08-30,churn,yes\n\
    d,2024-03-03,call,yes\n";

fn facts(more: &str) -> Result<Facts, BookError> {
    let files = [("accounts.csv", ACCOUNTS), ("plans.csv", PLANS), ("events.csv", EVENTS)];
    let (_folder, book) = open(&format!("{BOOK}{more}"), &files)?;
    book.facts(&Quiet)
}

const CHURN_RULES: [&str; 5] = [
    "[targets.churn]\nrule = \"event\"\nsource = \"events\"\nfilter = [{ column = \"kind\", in = [\"churn\"] }]\n",
    "[targets.churn]\nrule = \"no_subscription\"\nsource = \"plans\"\n",
    "[targets.churn]\nrule = \"no_subscription\"\nsource = \"plans\"\ngrace_days = 10\n",
    "[targets.churn]\nrule = \"no_activity\"\nsource = \"events\"\ndays = 20\n",
    "[targets.churn]\nrule = \"no_activity\"\nsource = \"events\"\ndays = 48\n",
];

#[test]
fn a_churn_label_says_whether_a_churn_day_lies_within_the_horizon() {
    let files = [("accounts.csv", ACCOUNTS), ("plans.csv", PLANS), ("events.csv", EVENTS)];
    for rule in CHURN_RULES {
        let (_folder, book) = open(&format!("{BOOK}{rule}"), &files).expect("opens");
        let facts = book.facts(&Quiet).expect("reads");
        let table = book.history(&book.snapshot_days(), &Quiet).expect("builds").table;
        let mut n_churned = 0;
        for (row, label) in table.labels[&CHURN].iter().enumerate() {
            let day = table.keys[row].as_of;
            let end = day.plus_days(30);
            assert_eq!(label.is_some(), end <= facts.known_until, "{rule} {day}");
            if let Some(label) = *label {
                let churn = facts.churn_after(table.account[row], day);
                assert_eq!(churn.is_some_and(|churn| churn <= end), label, "{rule} {} {day}", table.keys[row].account);
                n_churned += usize::from(label);
            }
        }
        assert!(n_churned > 5, "{rule}: {n_churned}");
    }
}

#[test]
fn facts_are_in_order_of_accounts_and_only_of_the_books() {
    let found = facts(
        "[evaluation.interventions]\nsource = \"events\"\nkind = \"kind\"\n\
         filter = [{ column = \"kind\", in = [\"call\"] }, { column = \"done\", in = [\"yes\"] }]\n\
         control = [{ column = \"kind\", in = [\"call\"] }]\n\
         [evaluation.score_use]\nsource = \"events\"\nfilter = [{ column = \"kind\", in = [\"call\", \"login\"] }]\n\
         referenced = [{ column = \"kind\", in = [\"call\"] }]\nscore_driven = [{ column = \"done\", in = [\"yes\"] }]\n",
    )
    .expect("reads");
    let call =
        |account, day: &str, treated| Intervention { account, day: date(day), kind: Some("call".into()), treated };
    let calls = vec![call(0, "2024-01-02", true), call(0, "2024-02-01", false), call(1, "2024-05-01", true)];
    assert_eq!(found.interventions, Some(calls));
    let uses = found.interactions.expect("declared");
    let uses: Vec<_> = uses.iter().map(|of| (of.account, of.referenced, of.score_driven)).collect();
    assert_eq!(uses.len(), 6);
    assert_eq!(uses.iter().filter(|of| of.1).count(), 3);
    assert!(uses.contains(&(0, true, false)) && uses.contains(&(2, false, true)));
    assert!(found.churns.is_none() && found.renewals.is_none());
    let read: Vec<&str> = found.sources.iter().map(|(of, _)| of.name.as_str()).collect();
    assert_eq!(read, ["accounts", "events"]);
}

#[test]
fn a_contract_is_renewed_where_the_account_stays_past_the_day() {
    for (grace, expected) in [
        (0, vec![(0, "2024-03-01", true), (0, "2024-05-01", true), (0, "2024-07-01", false), (1, "2024-04-01", true)]),
        (9, vec![(0, "2024-03-01", true), (0, "2024-05-01", false), (0, "2024-07-01", false), (1, "2024-04-01", true)]),
    ] {
        let found = facts(&format!(
            "{}[evaluation.renewals]\nsource = \"plans\"\ndue = \"due\"\ngrace_days = {grace}\n",
            CHURN_RULES[1]
        ));
        let found = found.expect("reads").renewals.expect("declared");
        let found: Vec<_> = found.iter().map(|of| (of.account, of.due.to_string(), of.renewed)).collect();
        let expected: Vec<_> = expected.into_iter().map(|(account, due, is)| (account, due.to_owned(), is)).collect();
        assert_eq!(found, expected, "{grace}");
    }
    let decided = "[evaluation.renewals]\nsource = \"events\"\nfilter = [{ column = \"kind\", in = [\"call\"] }]\n\
         renewed = [{ column = \"done\", in = [\"yes\"] }]\n";
    let found = facts(decided).expect("reads").renewals.expect("declared");
    let found: Vec<_> = found.iter().map(|of| (of.account, of.known, of.renewed)).collect();
    assert_eq!(found, [(0, None, true), (0, None, false), (1, None, true)]);
}

#[test]
fn a_source_of_evidence_is_read_only_for_evidence() {
    let more = "[sources.calls]\nkind = \"event\"\npath = \"nowhere.csv\"\naccount = \"account\"\ndate = \"date\"\n\
         [evaluation.interventions]\nsource = \"calls\"\n";
    let files = [("accounts.csv", ACCOUNTS), ("plans.csv", PLANS), ("events.csv", EVENTS)];
    let (_folder, book) = open(&format!("{BOOK}{}{more}", CHURN_RULES[0]), &files).expect("opens without it");
    let refused = book.facts(&Quiet).expect_err("there is no file");
    assert!(refused.to_string().starts_with("source `calls`: there is no file"), "{refused}");
    let trained_with = format!("{BOOK}{}", CHURN_RULES[0]);
    assert_eq!(book.file().difference_to(&trained_with), None);
    assert_eq!(
        book.file().difference_to(&trained_with.replace("events.csv\"", "events.csv\"\nmay_be_empty = true")),
        Some("`sources.events.may_be_empty`".to_owned())
    );
}

/// `book.toml` with this is refused in these words.
#[track_caller]
fn check_refused(more: &str, told: &Expect) {
    let refused = BookFile::parse(format!("{BOOK}{more}"), Path::new("book.toml")).expect_err("refused");
    told.assert_eq(&format!("{refused}; {}", refused.hint().unwrap_or_default()));
}

#[test]
fn a_wrong_declaration_is_refused() {
    check_refused(
        "[evaluation.interventions]\nsource = \"event\"\n",
        &expect!["there is no source `event`; did you mean `events`? known here: events, plans, accounts"],
    );
    check_refused(
        "[evaluation.interventions]\nsource = \"plans\"\n",
        &expect!["source `plans` is of kind Subscription; this rule needs Event; "],
    );
    check_refused(
        "[evaluation.interventions]\nsource = \"events\"\ncontrol = [{ column = \"done\", in = [\"no\"] }]\n",
        &expect![
            "evaluation.interventions has a control and no filter: every row is an intervention; say in `filter` which rows were done"
        ],
    );
    check_refused(
        "[evaluation.interventions]\nsource = \"events\"\nlasts_days = 0\n",
        &expect!["evaluation.interventions.lasts_days is 0; it must be within 1..=36500; "],
    );
    check_refused(
        "[evaluation.renewals]\nsource = \"plans\"\n",
        &expect![
            "evaluation.renewals needs one of `due` and `renewed`; `due` names the column with the day of renewal, `renewed` the rows that renewed"
        ],
    );
    check_refused(
        "[evaluation.renewals]\nsource = \"plans\"\ndue = \"due\"\n",
        &expect![
            "evaluation.renewals: `due` needs a churn target whose rule tells a day; use the rule event, no_subscription or no_activity with `days`, or give `renewed`"
        ],
    );
    check_refused(
        "[evaluation.renewals]\nsource = \"events\"\nrenewed = [{ column = \"done\", in = [\"no\"] }]\ngrace_days = 3\n",
        &expect![
            "evaluation.renewals: `grace_days` goes with `due`; take it away: `renewed` says what became of each row"
        ],
    );
    check_refused(
        "[evaluation.score_use]\nsource = \"events\"\nreferenced = []\nscore_driven = []\n",
        &expect![[
            r#"evaluation.score_use: `referenced` names no condition, so every row would meet it; say which rows, as in [{ column = "from", in = ["alert"] }]"#
        ]],
    );
    check_refused(
        "[evaluation.costs]\ncontact = -1.0\n",
        &expect!["evaluation.costs.contact is -1; it must be finite and at least 0; "],
    );
    check_refused(
        "[evaluation.costs]\nsuccess_rate = 1.5\n",
        &expect!["evaluation.costs.success_rate is 1.5; it must be within 0..=1; "],
    );
    check_refused(
        "[evaluation.costs]\ncapacity = [50, 25]\n",
        &expect![
            "evaluation.costs.capacity is [50, 25]; it must rise from 1 or more; write how many accounts can be contacted, as in [25, 50, 100]"
        ],
    );
    check_refused(
        "[evaluation.cost]\ncontact = 1.0\n",
        &expect![
            "unknown field `cost`, expected one of `interventions`, `renewals`, `score_use`, `costs`, `margins`; "
        ],
    );
    check_refused(
        "[evaluation.margins]\nauc = -0.1\n",
        &expect![
            "evaluation.margins.auc is -0.1; it must be finite and at least 0; say how much may be lost without being worse"
        ],
    );
}
