//! What `[train]` tells learners: it reaches them, shows in the report, and is refused where it breaks a rule.

use serde_json::Value;

use crate::support::Folder;

#[test]
fn what_logistic_weighs_is_reported() {
    let folder = Folder::with_book();
    let settings = "[train.logistic]\nc = 0.5\nrecency_half_life_days = 365\n\n[train.tree]\ndepth = 2\n\n[scorecard]";
    folder.replace("book/book.toml", "[scorecard]", settings);
    folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"logistic\", \"tree\"]");
    let trained = folder.run("train --book book/book.toml --models models --seed 7 --json").json();
    for of_target in trained["targets"].as_array().expect("a list") {
        let found = &of_target["coefficients"];
        assert_eq!((&found["c"], &found["is_given"]), (&Value::from(0.5), &Value::from(true)));
        for of in found["coefficients"].as_array().expect("a list") {
            let number = |name: &str| of[name].as_f64().expect("a number");
            assert_eq!(number("odds_ratio"), number("coefficient").exp());
            assert!(number("standard_error") > 0.0, "{of}");
        }
    }
    let report = folder.read("models/small/1/report.md");
    for told in [
        "### Coefficients of `logistic`",
        "an L2 penalty, C = 0.5 (given in book.toml)",
        "A training row 365 days before the last one counts half.",
        "| `logins_30d` | value |",
    ] {
        assert!(report.contains(told), "{told} in {report}");
    }
}

#[test]
fn settings_of_learners_that_break_a_rule_are_refused() {
    for (settings, told) in [
        ("[train.logistic]\nc = 0.0", "train.logistic.c is 0; it must be above 0 and finite"),
        ("[train.logistic]\nl1_ratio = 1.5", "train.logistic.l1_ratio is 1.5; it must be at least 0 and at most 1"),
        (
            "[train.logistic]\nrecency_half_life_days = -1",
            "train.logistic.recency_half_life_days is -1; it must be above 0 and finite",
        ),
        ("[train.tree]\ndepth = 0", "train.tree.depth is 0; it must be at least 1 and at most 16"),
        ("[train.forest]\ntrees = 9000", "train.forest.trees is 9000; it must be at least 1 and at most 5000"),
        ("[train.boosted]\nlearning_rate = 2.0", "train.boosted.learning_rate is 2; it must be above 0 and at most 1"),
        ("[train.boosted]\nleaves = 8", "train.boosted has a recipe without trees"),
        ("[train.boosted]\ntrees = 9\ndepth = 3\nsearch_seconds = 5", "a recipe that leaves nothing to search"),
        (
            "[train.boosted]\ntrees = 9\ndepth = 3\nleaves = 9",
            "train.boosted.leaves is 9; a tree of depth 3 has 8 at most",
        ),
        ("[train.boosted]\nrounds = 9", "unknown field `rounds`"),
    ] {
        let folder = Folder::with_book();
        folder.replace("book/book.toml", "[scorecard]", &format!("{settings}\n\n[scorecard]"));
        let run = folder.run("check --book book/book.toml");
        let whole: String = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(whole.contains(told), "{}", run.stderr);
        assert_eq!(run.code, Some(3));
        let points =
            run.stderr.contains("book.toml:") && (run.stderr.contains("hint: ") || told.starts_with("unknown"));
        assert!(points, "{}", run.stderr);
    }
}

/// Classes that weigh the same give other coefficients; another word is refused.
#[test]
fn classes_weigh_what_is_said() {
    let run = |class_weight: &str| {
        let folder = Folder::with_book();
        let settings = format!("[train]\nlearners = [\"logistic\"]\nclass_weight = \"{class_weight}\"");
        folder.replace("book/book.toml", "[train]", &settings);
        folder.run("train --book book/book.toml --models models --seed 7 --json")
    };
    let coefficients =
        |class_weight: &str| run(class_weight).json()["targets"][0]["coefficients"]["coefficients"].clone();
    assert_ne!(coefficients("none"), coefficients("balanced"));
    let refused = run("even");
    assert_eq!(refused.code, Some(3));
    assert!(refused.stderr.contains("unknown variant `even`, expected `none` or `balanced`"), "{}", refused.stderr);
}
