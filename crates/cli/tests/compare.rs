//! Two bundles on rows that neither has learnt from.

use std::sync::OnceLock;

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::support::Folder;

const COMPARE: &str = "compare --book book/book.toml";

/// The trained small book with further bundles: `plain` is the scorecard alone; `fewer` has a feature less, and tests from
/// a later day on.
fn bundles() -> &'static Folder {
    static BUNDLES: OnceLock<Folder> = OnceLock::new();
    BUNDLES.get_or_init(|| {
        let folder = Folder::trained().copy();
        let train = |name: &str, change: &dyn Fn(String) -> String| {
            let book = format!("book/{name}.toml");
            folder.write(&book, change(folder.read("book/book.toml").replace("\"small\"", &format!("\"{name}\""))));
            folder.run(&format!("train --book {book} --models models --seed 7")).done();
        };
        let scorecard = |text: String| text.replace("[train]", "[train]\nlearners = [\"scorecard\"]");
        train("plain", &scorecard);
        train("fewer", &|text| {
            let (before, after) = text.split_once("[[features]]\nname = \"paperless\"").expect("the small book has it");
            let (_, after) = after.split_once("\n\n").expect("features follow");
            format!("{}\n[split]\ntest_from = 2024-07-31\n", scorecard(format!("{before}{after}")))
        });
        train("other", &|text| {
            scorecard(text.replace("[targets.churn]", "[targets]\nhorizon_days = 60\n\n[targets.churn]"))
        });
        train("hashed", &|text| format!("{}\n[split]\nkind = \"random\"\n", scorecard(text)));
        folder
    })
}

fn compared(first: &str, second: &str) -> Value {
    bundles().run(&format!("{COMPARE} --model models/{first} --model models/{second} --json")).json()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_difference_is_of_the_two_values_and_turns_with_them() {
    let (here, there) = (compared("small", "plain"), compared("plain", "small"));
    for target in ["churn_90d", "expansion_90d"] {
        let (of, turned) = (&here["targets"][target], &there["targets"][target]);
        for (by, metric, sign) in [(0, "roc_auc", 1.0), (1, "log_loss", -1.0), (2, "brier", -1.0)] {
            let difference = number(&of["comparison"]["overall"][by]["difference"]["value"]);
            let values = ["first", "second"].map(|side| number(&of[side][metric]["value"]));
            assert!((difference - sign * (values[0] - values[1])).abs() < 1e-12, "{target} {metric}");
            let back = number(&turned["comparison"]["overall"][by]["difference"]["value"]);
            assert!((difference + back).abs() < 1e-12, "{target} {metric}");
        }
    }
    let evaluated = bundles().run("evaluate --book book/book.toml --model models/plain --json").json();
    let alone = &evaluated["targets"]["churn_90d"]["overall"];
    assert_eq!(here["targets"]["churn_90d"]["second"]["roc_auc"], alone["roc_auc"]);
}

#[test]
fn rows_are_later_than_both_trainings_saw_and_each_has_its_own_features() {
    let found = compared("small", "fewer");
    assert_eq!(found["first_day"], "2024-07-31");
    assert_eq!(found["features"]["only_first"], serde_json::json!(["paperless"]));
    assert_eq!(found["left_out"], 0);
    // Of the other book, from that day on, it finds the same.
    let own = bundles().run("evaluate --book book/fewer.toml --model models/fewer --json").json();
    for target in ["churn_90d", "expansion_90d"] {
        let (of, alone) = (&found["targets"][target]["second"], &own["targets"][target]["overall"]);
        assert_eq!((&of["roc_auc"], &of["n"]), (&alone["roc_auc"], &alone["n"]));
    }
}

#[test]
fn people_read_it() {
    let run = bundles().run(&format!("{COMPARE} --model models/small --model models/plain")).done();
    let text: Vec<&str> = run.stdout.lines().map(|line| line.split(" (").next().unwrap_or(line)).take(2).collect();
    assert_eq!(text, ["first: models/small, small", "second: models/plain, plain"]);
    let tables = run.stdout.splitn(3, '\n').nth(2).expect("more lines");
    expect![[r#""#]].assert_eq(tables);
}

#[track_caller]
fn check_refused(models: &str, code: i32, told: &Expect) {
    let run = bundles().run(&format!("{COMPARE} {models}"));
    told.assert_eq(&run.stderr.replace(&digest(), "DIGEST"));
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""));
}

fn digest() -> String {
    let found = compared("small", "plain");
    found["models"][0]["digest"].as_str().expect("a digest")[..12].to_owned()
}

#[test]
fn what_cannot_be_compared_is_refused() {
    check_refused("--model models/small", 2, &expect![[r#""#]]);
    check_refused("--model models/small --model models/small/1", 4, &expect![[r#""#]]);
    check_refused("--model models/small --model models/other", 4, &expect![[r#""#]]);
    check_refused("--model models/hashed --model models/small", 4, &expect![[r#""#]]);
}
