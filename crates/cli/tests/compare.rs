//! Two bundles on rows that neither has learnt from.

use std::sync::OnceLock;

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::support::Folder;

const COMPARE: &str = "compare --book book/book.toml";

/// The trained small book with further bundles: `plain` is a scorecard of other weights; `fewer` has a feature less, and tests from
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
        let weights = |text: String, from: u32, to: u32, feature: &str| {
            text.replace(&format!("\"{feature}\", weight = {from}"), &format!("\"{feature}\", weight = {to}"))
        };
        train("plain", &|text| weights(weights(scorecard(text), 50, 20, "logins_30d"), 20, 50, "errors_90d"));
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
    expect![[r#"
        572 rows from 2024-05-31 on that neither has learnt from

        churn_90d: 572 rows of 127 accounts, 68 events
        by            first  second           difference [95 %]      p  the first is
        ROC AUC       0.582   0.611     -0.030 [-0.097, +0.038]  0.374  not enough evidence
        log loss     0.3654  0.3581  -0.0073 [-0.0203, +0.0056]  0.252  not enough evidence
        Brier score  0.1050  0.1027  -0.0023 [-0.0053, +0.0007]  0.132  not enough evidence

        segment   level         by                    difference [95 %]  p, corrected  the first is
        industry  IT            ROC AUC         -0.055 [-0.226, +0.116]         1.000  not enough evidence
        industry  IT            log loss     -0.0207 [-0.0384, -0.0029]         0.336  not enough evidence
        industry  IT            Brier score  -0.0070 [-0.0127, -0.0014]         0.258  not enough evidence
        industry  Ilıca         ROC AUC         -0.077 [-0.195, +0.040]         1.000  not enough evidence
        industry  Ilıca         log loss     -0.0122 [-0.0411, +0.0167]         1.000  not enough evidence
        industry  Ilıca         Brier score  -0.0029 [-0.0085, +0.0027]         1.000  not enough evidence
        industry  iron          ROC AUC         +0.066 [-0.067, +0.198]         1.000  not enough evidence
        industry  iron          log loss     +0.0161 [-0.0261, +0.0582]         1.000  not enough evidence
        industry  iron          Brier score  +0.0036 [-0.0088, +0.0160]         1.000  not enough evidence
        industry  media, print  ROC AUC         -0.047 [-0.167, +0.074]         1.000  not enough evidence
        industry  media, print  log loss     -0.0209 [-0.0813, +0.0394]         1.000  not enough evidence
        industry  media, print  Brier score  -0.0043 [-0.0120, +0.0034]         1.000  not enough evidence
        industry  (missing)     ROC AUC         -0.020 [-0.059, +0.020]         1.000  not enough evidence
        industry  (missing)     log loss     +0.0058 [-0.0104, +0.0219]         1.000  not enough evidence
        industry  (missing)     Brier score  +0.0007 [-0.0048, +0.0063]         1.000  not enough evidence

        expansion_90d: 572 rows of 127 accounts, 93 events
        by            first  second           difference [95 %]      p  the first is
        ROC AUC       0.568   0.702     -0.134 [-0.258, -0.011]  0.034  worse
        log loss     0.4428  0.4339  -0.0089 [-0.0336, +0.0159]  0.475  not enough evidence
        Brier score  0.1359  0.1330  -0.0029 [-0.0101, +0.0043]  0.426  not enough evidence

        segment   level         by                    difference [95 %]  p, corrected  the first is
        industry  IT            ROC AUC         -0.089 [-0.239, +0.061]         1.000  not enough evidence
        industry  IT            log loss     -0.0179 [-0.0601, +0.0244]         1.000  not enough evidence
        industry  IT            Brier score  -0.0052 [-0.0178, +0.0074]         1.000  not enough evidence
        industry  Ilıca         ROC AUC         -0.072 [-0.520, +0.376]         1.000  not enough evidence
        industry  Ilıca         log loss     +0.0023 [-0.0544, +0.0590]         1.000  not enough evidence
        industry  Ilıca         Brier score  +0.0005 [-0.0156, +0.0165]         1.000  not enough evidence
        industry  iron          ROC AUC         -0.123 [-0.375, +0.129]         1.000  not enough evidence
        industry  iron          log loss     -0.0060 [-0.0880, +0.0760]         1.000  not enough evidence
        industry  iron          Brier score  -0.0028 [-0.0258, +0.0202]         1.000  not enough evidence
        industry  media, print  ROC AUC         -0.348 [-0.713, +0.017]         0.865  not enough evidence
        industry  media, print  log loss     -0.0263 [-0.1140, +0.0614]         1.000  not enough evidence
        industry  media, print  Brier score  -0.0078 [-0.0332, +0.0175]         1.000  not enough evidence
        industry  (missing)     ROC AUC         +0.014 [-0.289, +0.318]         1.000  not enough evidence
        industry  (missing)     log loss     +0.0028 [-0.0422, +0.0478]         1.000  not enough evidence
        industry  (missing)     Brier score  +0.0006 [-0.0136, +0.0148]         1.000  not enough evidence

        a difference above 0: the first is better
        not worse: it loses less than 0.01 of AUC, 0.005 of log loss and 0.002 of Brier score
    "#]]
    .assert_eq(tables);
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
    check_refused(
        "--model models/small",
        2,
        &expect![[r#"
            error: compare takes two models, not 1
            hint: give --model twice: the first is judged against the second
        "#]],
    );
    check_refused(
        "--model models/small --model models/small/1",
        4,
        &expect![[r#"
            error: models/small and models/small/1 are the same bundle, DIGEST
            hint: a model compared with itself shows nothing; name another version
        "#]],
    );
    check_refused(
        "--model models/small --model models/other",
        4,
        &expect![[r#"
            error: the models predict different targets: models/small predicts churn_90d, expansion_90d, models/other predicts churn_60d, expansion_60d
            hint: train both with the same [targets]
        "#]],
    );
    check_refused(
        "--model models/hashed --model models/small",
        4,
        &expect![[r#"
            error: one bundle's test rows are later days, the other's are other accounts
            hint: compare bundles whose test rows were drawn alike: train one of them again
        "#]],
    );
}
