//! A level that has drifted before the test days: said while training, and followed by the bundle's calibration.

use std::collections::BTreeSet;

use expect_test::expect;
use serde_json::Value;

use crate::support::{Folder, csv};

/// The small book; of who leaves before 2024, nothing.
fn book() -> Folder {
    let folder = Folder::with_book();
    let plans = folder.read("book/plans.csv");
    let fields = plans.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let mut left: BTreeSet<String> = BTreeSet::new();
    for plan in fields {
        if plan[2].is_empty() || plan[2] >= "2024" {
            left.remove(plan[0]);
        } else {
            left.insert(plan[0].to_owned());
        }
    }
    for table in ["accounts", "plans", "usage", "surveys"] {
        folder.edit(&format!("book/{table}.csv"), |text| csv::keep_rows(&text, |fields| !left.contains(fields[0])));
    }
    let by_accounts = "[split]\ncalibration_rows = \"accounts\"\n\n[train]\nlearners = [\"logistic\"]";
    folder.replace("book/book.toml", "[train]", by_accounts);
    folder
}

#[test]
fn calibration_follows_a_level_that_has_drifted() {
    let folder = book();
    let trained = folder.run("train --book book/book.toml --models models --seed 7").done();
    let said: Vec<&str> =
        trained.stderr.lines().filter(|line| line.contains("churn") && line.contains("drifted")).collect();
    expect![[r#"
        churn_90d with scorecard: the level has drifted by +0.600 log odds and is followed (30 partial labels)
        churn_90d with logistic: the level has drifted by +0.012 log odds and is followed (30 partial labels)"#]]
    .assert_eq(&said.join("\n"));
    let manifest: Value =
        serde_json::from_str(&folder.read("models/small/1/manifest.json")).expect("a manifest is JSON");
    let found = &manifest["targets"][0]["calibration"];
    let number = |name: &str| found[name].as_f64().expect("Platt's has both");
    // Of the intercept 0.012 are the drift.
    expect!["platt, slope 0.9175, intercept 0.0376"].assert_eq(&format!(
        "{}, slope {:.4}, intercept {:.4}",
        found["kind"].as_str().expect("a name"),
        number("slope"),
        number("intercept")
    ));
}

/// The book with another life after `day`: half of the accounts leave, upgrade no more and are used no more, the others are
/// used otherwise.
fn with_other_future(folder: &Folder, day: &str) {
    let leaves = |account: &str| account.ends_with(['0', '2', '4', '6', '8']);
    folder.edit("book/plans.csv", |text| {
        let kept = csv::keep_rows(&text, |fields| fields[1] <= day || !leaves(fields[0]));
        csv::set_fields(&kept, 2, |_, fields| {
            let runs_on = fields[2].is_empty() || fields[2] > day;
            if runs_on && leaves(fields[0]) { "2024-07-15".to_owned() } else { fields[2].to_owned() }
        })
    });
    for (table, least, most) in [("usage", 10, 30), ("surveys", 0, 10)] {
        folder.edit(&format!("book/{table}.csv"), |text| {
            let kept = csv::keep_rows(&text, |fields| fields[1] <= day || !leaves(fields[0]));
            csv::set_fields(&kept, 2, |row, fields| {
                if fields[1] > day { (least + row % (most - least)).to_string() } else { fields[2].to_owned() }
            })
        });
    }
}

/// What is learnt of the book in `folder`, what is said of drifts meanwhile, and the evidence.
fn learnt(folder: &Folder) -> ([Vec<u8>; 4], Value, String, Vec<u8>) {
    let trained = folder.run("train --book book/book.toml --models models --seed 7").done();
    let said: Vec<&str> = trained.stderr.lines().filter(|line| line.contains("drifted")).collect();
    let files = folder.files("models/small/1");
    let learnt =
        ["churn_90d.onnx", "expansion_90d.onnx", "features.json", "scorecard.json"].map(|name| files[name].clone());
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).expect("a manifest is JSON");
    (learnt, manifest["targets"].clone(), said.join("\n"), files["evaluation.json"].clone())
}

#[test]
fn what_happens_after_the_first_test_day_reaches_no_model() {
    const FIRST_TEST: &str = "2024-06-30";
    let by_accounts = || {
        let folder = book();
        folder.replace("book/book.toml", "[split]\n", &format!("[split]\ntest_from = {FIRST_TEST}\n"));
        folder
    };
    let by_time = || {
        let folder = Folder::with_book();
        let split = format!("[split]\ntest_from = {FIRST_TEST}\n\n[train]\nlearners = [\"logistic\"]");
        folder.replace("book/book.toml", "[train]", &split);
        folder
    };
    for (known, altered) in [(by_accounts(), by_accounts()), (by_time(), by_time())] {
        with_other_future(&altered, FIRST_TEST);
        let (known, altered) = (learnt(&known), learnt(&altered));
        assert!(known.0 == altered.0, "other models, features or health");
        assert_eq!((&known.1, &known.2), (&altered.1, &altered.2), "calibration and drift");
        assert!(known.3 != altered.3, "the test rows have other outcomes");
    }
}
