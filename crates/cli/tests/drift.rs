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
        churn_90d with scorecard: the level has drifted by +0.455 log odds and is followed
        churn_90d with logistic: the level has drifted by +0.159 log odds and is followed"#]]
    .assert_eq(&said.join("\n"));
    let manifest: Value =
        serde_json::from_str(&folder.read("models/small/1/manifest.json")).expect("a manifest is JSON");
    let found = &manifest["targets"][0]["calibration"];
    let intercept = found["intercept"].as_f64().expect("Platt's has one");
    assert!(found["kind"] == "platt" && found["slope"] == 1.0 && (intercept - 0.159).abs() < 5e-4, "{found}");
}
