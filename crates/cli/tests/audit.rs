//! `check` says what is wrong with a book; `train` refuses its errors until they are waived, and remembers the waiver.

use expect_test::expect;

use crate::support::{Folder, csv};

const REFUSED: i32 = 4;

/// A third of the usage is dated before anybody is there.
fn dated_before_all(folder: &Folder) {
    folder.edit("book/usage.csv", |text| {
        csv::set_fields(&text, 1, |row, fields| if row % 3 == 0 { "2022-06-15" } else { fields[1] }.to_owned())
    });
}

const WAIVER: &str = "\n[[check.waive]]\nid = \"rows-before-start/usage\"\nreason = \"a test of \\\"waivers\\\"\"\n";

#[test]
fn findings_are_told_after_what_the_book_holds() {
    let folder = Folder::with_book();
    let checked = folder.run("check --book book/book.toml").done();
    let (_, findings) = checked.stdout.split_once("\n\nfuture erased").expect("the replay is told");
    expect![[r#"
        : 431 rows built again without what came later (34,384 erasures); of 6,896 values 0 differ

        warning: drift/tenure_days
          on 22 of 22 snapshot days it is distributed otherwise than in training; most on 2024-02-29, PSI 4.92
          to do: if its cause is the data, correct it; if the world changed, train on later days

        warning: few-events/calibration/churn_90d
          the calibration part has 28 accounts with the outcome and 130 without
          to do: take more history or fewer features

        warning: few-events/calibration/expansion_90d
          the calibration part has 35 accounts with the outcome and 125 without
          to do: take more history or fewer features

        warning: few-events/test/churn_90d
          the test part has 31 accounts with the outcome and 113 without
          to do: take more history or fewer features

        warning: few-events/test/expansion_90d
          the test part has 36 accounts with the outcome and 123 without
          to do: take more history or fewer features

        note: drift/errors_90d
          on 3 of 22 snapshot days it is distributed otherwise than in training; most on 2024-09-30, PSI 0.57

        note: drift/logins_change_30d
          on 11 of 22 snapshot days it is distributed otherwise than in training; most on 2023-09-30, PSI 0.57

        note: drift/mrr
          on 8 of 22 snapshot days it is distributed otherwise than in training; most on 2024-12-31, PSI 1.04

        note: drift/nps
          on 7 of 22 snapshot days it is distributed otherwise than in training; most on 2024-12-31, PSI 0.76

        note: few-events/features/churn_90d
          8 features are learnt from 65 accounts with the outcome

        note: few-events/features/expansion_90d
          8 features are learnt from 59 accounts with the outcome

        note: undated-attribute/accounts
          2 features are from columns without a date of their own: paperless, industry

        0 errors, 5 warnings, 7 notes; 0 waived
    "#]]
    .assert_eq(findings);
    assert_eq!(checked.stderr, "");
}

#[test]
fn an_error_is_refused_with_the_waiver_that_would_accept_it() {
    let folder = Folder::with_book();
    dated_before_all(&folder);
    let before = folder.files(".");
    let checked = folder.run("check --book book/book.toml");
    assert!(checked.stdout.contains("error: rows-before-start/usage\n"), "{}", checked.stdout);
    assert_eq!(checked.code, Some(REFUSED));
    expect![[r#"
        error: the audit found 1 error:
          rows-before-start/usage: 33.3 % of the rows (3218 of 9655) are dated before their account's first day
        hint: correct the data (`bellwether check` says how), or say in book.toml why a finding is accepted:
          [[check.waive]]
          id = "rows-before-start/usage"
          reason = "..."
    "#]]
    .assert_eq(&checked.stderr);
    let trained = folder.run("train --book book/book.toml --models models");
    assert!(trained.stderr.ends_with(&checked.stderr), "{}", trained.stderr);
    assert_eq!((trained.code, trained.stdout.as_str()), (Some(REFUSED), ""));
    assert_eq!(folder.files("."), before, "something was written");
}

#[test]
fn a_waiver_lets_train_and_is_in_the_bundle() {
    let folder = Folder::with_book();
    dated_before_all(&folder);
    folder.edit("book/book.toml", |text| text + WAIVER);
    folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"scorecard\"]");
    folder.run("check --book book/book.toml").done();
    folder.run("train --book book/book.toml --models models").done();
    let provenance = folder.read("models/small/1/provenance.json");
    assert!(provenance.contains(r#"rows-before-start/usage: a test of \"waivers\""#), "{provenance}");
    let report = folder.read("models/small/1/report.md");
    assert!(report.contains("waived: rows-before-start/usage: a test of"), "{report}");
}

#[test]
fn the_page_is_whole_and_needs_nothing_beside_it() {
    let folder = Folder::with_book();
    folder.run("check --book book/book.toml --html audit.html").done();
    let page = folder.read("audit.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert_eq!(
        (page.matches("<svg").count(), page.matches("</svg>").count()),
        (6, 6),
        "four sources and two of features"
    );
    for text in ["Rows by month", "Missing values by day", "Drift by day", "Built again without what came later"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("http") && !page.contains("<script"));
}

#[test]
fn the_rules_need_no_book() {
    let folder = Folder::new();
    let rules = folder.run("check --rules").done().stdout;
    assert!(rules.starts_with("rows-before-start (data)\n  finds: "), "{rules}");
    let listed = folder.run("check --rules --json").json();
    let ids: Vec<&str> = listed.as_array().expect("a list").iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert!(ids.contains(&"replay-differs") && ids.len() >= 30, "{ids:?}");
}
