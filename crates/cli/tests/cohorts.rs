//! Percentiles within cohorts, from `book.toml` to scores: learnt on training rows, frozen in the bundle, and so the same
//! for an account whatever other accounts stand beside it.

use std::sync::OnceLock;

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::support::{Folder, Run, csv};

const TABLES: [&str; 4] = ["accounts.csv", "plans.csv", "usage.csv", "surveys.csv"];
const TRAIN: &str = "train --book book/book.toml --models models --seed 7";
const SCORE: &str = "score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.csv";
const COHORT: &str = r#"
[[segments]]
name = "tenure"
feature = "tenure_days"
edges = [180, 365]

[cohort]
by = ["industry", "tenure"]
features = ["logins_30d", "errors_90d"]
shrinkage = 20
min_accounts = 5

[value]
"#;

/// The small book whose scorecard reads two percentiles, one of a feature that no model sees itself.
fn with_cohort() -> Folder {
    let folder = Folder::with_book();
    let book = "book/book.toml";
    folder.replace(book, "[value]\n", COHORT.trim_start());
    folder.replace(book, "name = \"errors_90d\"\n", "name = \"errors_90d\"\nhelper = true\n");
    folder.replace(
        book,
        r#"{ feature = "errors_90d", weight = 20 }"#,
        r#"{ feature = "errors_90d_percentile", weight = 20 }"#,
    );
    folder.replace(
        book,
        r#"{ feature = "logins_30d", weight = 50 }"#,
        r#"{ feature = "logins_30d_percentile", weight = 50 }"#,
    );
    folder
}

/// Its bundle in `models/small/1`. Not to be written to.
fn trained() -> &'static Folder {
    static TRAINED: OnceLock<Folder> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let folder = with_cohort();
        folder.run(TRAIN).done();
        folder
    })
}

/// The lines of the scores of `folder`'s book, sorted: the header first, as `a` comes before the ids of accounts.
fn scores_of(folder: &Folder) -> Vec<String> {
    folder.run(SCORE).done();
    let mut lines: Vec<String> = folder.read("scores.csv").lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn the_bundle_has_the_percentiles_after_the_other_inputs() {
    let encoding: Value = serde_json::from_str(&trained().read("models/small/1/features.json")).expect("JSON");
    let inputs = encoding["inputs"].as_array().expect("a list");
    let names: Vec<&str> = inputs.iter().map(|input| input["name"].as_str().expect("a name")).collect();
    assert_eq!(
        names,
        [
            "mrr",
            "tenure_days",
            "paperless",
            "industry",
            "logins_30d",
            "logins_change_30d",
            "nps",
            "logins_30d_percentile",
            "errors_90d_percentile",
        ]
    );
    let errors = &inputs[8];
    assert_eq!((errors["category"].as_str(), errors["good"].as_str()), (Some("support"), Some("down")));
    let cohorts = errors["kind"]["percentile"]["cohorts"].as_array().expect("a list");
    let cohort = |of: &Value| (of["levels"].to_string(), of["n_accounts"].as_u64().expect("a count"));
    let cohorts: Vec<(String, u64)> = cohorts.iter().map(cohort).collect();
    assert_eq!(cohorts[0].0, "[]");
    // Four industries (the fifth is missing) and three ranges of tenure, but nobody is beyond a year in training.
    for (levels, n_accounts) in &cohorts {
        assert!((5..=228).contains(n_accounts), "{levels}");
    }
    assert!(cohorts.iter().any(|(levels, _)| levels == r#"["IT","< 180"]"#), "{cohorts:?}");
}

#[test]
fn a_percentile_is_a_column_of_the_matrix_and_its_helper_is_not() {
    let folder = trained().copy();
    folder.run("features --book book/book.toml --model models/small --out matrix.jsonl").done();
    let rows: Vec<Value> =
        folder.read("matrix.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for row in &rows {
        assert!(row.get("feature:errors_90d").is_none());
        let known = |name: &str| row[name].as_f64();
        let percentile = known("feature:logins_30d_percentile");
        assert_eq!(percentile.is_some(), known("feature:logins_30d").is_some());
        assert!(percentile.is_none_or(|share| (0.0..=1.0).contains(&share)), "{row}");
    }
    // Those of a training row's own cohort are spread around the middle.
    let training = rows.iter().filter(|row| row["part"] == "training");
    let shares: Vec<f64> = training.filter_map(|row| row["feature:logins_30d_percentile"].as_f64()).collect();
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((mean - 0.5).abs() < 0.02, "{mean}");
}

#[test]
fn a_book_in_three_parts_scores_as_in_one() {
    let whole = scores_of(&trained().copy());
    let mut parts: Vec<String> = Vec::new();
    for part in 0..3 {
        let folder = trained().copy();
        let is_in_part = |fields: &[&str]| fields[0][2..].parse::<u32>().expect("a number") % 3 == part;
        for table in TABLES {
            folder.edit(&format!("book/{table}"), |text| csv::keep_rows(&text, is_in_part));
        }
        parts.extend(scores_of(&folder));
    }
    parts.sort();
    parts.dedup();
    assert_eq!(parts, whole);
    assert_eq!(whole.len(), 241);
}

#[test]
fn other_threads_and_another_order_of_rows_give_the_same_bundle() {
    let folder = with_cohort();
    for table in TABLES {
        folder.edit(&format!("book/{table}"), |text| csv::shuffle(&text));
    }
    let mut command = folder.command(&format!("{TRAIN} --threads 3"));
    command.env("POLARS_MAX_THREADS", "1");
    Run::of(command).done();
    assert_eq!(folder.read("models/small/1/manifest.sha256"), trained().read("models/small/1/manifest.sha256"));
}

/// `score` refuses the book of the bundle after `text` of its `book.toml` became `with`, and tells `difference`.
#[track_caller]
fn check_not_scored(text: &str, with: &str, difference: &str) {
    let folder = trained().copy();
    folder.replace("book/book.toml", text, with);
    let run = folder.run(SCORE);
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.stderr.contains(difference), "{}", run.stderr);
}

#[test]
fn other_cohorts_than_the_bundles_are_refused() {
    check_not_scored("shrinkage = 20", "shrinkage = 21", "`cohort.shrinkage`");
    check_not_scored(r#"by = ["industry", "tenure"]"#, r#"by = ["tenure"]"#, "`cohort.by`");
    check_not_scored(r#"["logins_30d", "errors_90d"]"#, r#"["errors_90d"]"#, "`cohort.features`");
    check_not_scored("edges = [180, 365]", "edges = [181, 365]", "segment \"tenure\"");
}

#[test]
fn a_segment_that_makes_no_cohort_may_differ() {
    let folder = trained().copy();
    let more = "[[segments]]\nname = \"size\"\nfeature = \"mrr\"\nedges = [150]\n\n[value]\n";
    folder.replace("book/book.toml", "[value]\n", more);
    assert_eq!(scores_of(&folder), scores_of(&trained().copy()));
}

/// `check` refuses the book after `text` of its `book.toml` became `with`.
#[track_caller]
fn check_refused(text: &str, with: &str, told: &Expect) {
    let folder = with_cohort();
    folder.replace("book/book.toml", text, with);
    let run = folder.run("check --book book/book.toml");
    // A snapshot loses the blanks that all its lines begin with.
    told.assert_eq(&format!("----\n{}", run.stderr));
    assert_eq!(run.code, Some(3));
}

#[test]
fn wrong_dimensions_point_at_their_line() {
    check_refused(
        r#"by = ["industry", "tenure"]"#,
        r#"by = ["industry", "tenur"]"#,
        &expect![[r#"
            ----
              × there is no segment `tenur`
                 ╭─[book/book.toml:120:19]
             119 │ [cohort]
             120 │ by = ["industry", "tenur"]
                 ·                   ───┬───
                 ·                      ╰── here
             121 │ features = ["logins_30d", "errors_90d"]
                 ╰────
            hint: did you mean `tenure`? known here: tenure, industry
        "#]],
    );
    check_refused(
        r#"by = ["industry", "tenure"]"#,
        r#"by = ["tenure", "tenure"]"#,
        &expect![[r#"
            ----
              × cohort.by names `tenure` twice
                 ╭─[book/book.toml:120:17]
             119 │ [cohort]
             120 │ by = ["tenure", "tenure"]
                 ·                 ────┬───
                 ·                     ╰── here
             121 │ features = ["logins_30d", "errors_90d"]
                 ╰────
        "#]],
    );
    check_refused(
        r#"by = ["industry", "tenure"]"#,
        "by = []",
        &expect![[r#"
            ----
              × cohort.by names nothing
                 ╭─[book/book.toml:119:1]
             118 │ 
             119 │ [cohort]
                 · ────┬───
                 ·     ╰── here
             120 │ by = []
                 ╰────
            hint: name some, or take [cohort] away
        "#]],
    );
}

#[test]
fn a_wrong_cohort_points_at_its_line() {
    check_refused(
        r#""logins_30d", "errors_90d"]"#,
        r#""logins_3d"]"#,
        &expect![[r#"
            ----
              × there is no feature `logins_3d`
                 ╭─[book/book.toml:121:13]
             120 │ by = ["industry", "tenure"]
             121 │ features = ["logins_3d"]
                 ·             ─────┬─────
                 ·                  ╰── here
             122 │ shrinkage = 20
                 ╰────
            hint: did you mean `logins_30d`? known here: logins_30d, errors_90d, industry, logins_change_30d, nps, mrr, paperless, tenure_days
        "#]],
    );
    check_refused(
        r#""logins_30d", "errors_90d"]"#,
        r#""industry"]"#,
        &expect![[r#"
            ----
              × feature `industry` is a text, which has no percentile
                 ╭─[book/book.toml:121:13]
             120 │ by = ["industry", "tenure"]
             121 │ features = ["industry"]
                 ·             ─────┬────
                 ·                  ╰── here
             122 │ shrinkage = 20
                 ╰────
        "#]],
    );
    check_refused(
        r#"name = "nps""#,
        r#"name = "logins_30d_percentile""#,
        &expect![[r#"
            ----
              × `logins_30d_percentile` is a declared feature and a percentile
                 ╭─[book/book.toml:121:13]
             120 │ by = ["industry", "tenure"]
             121 │ features = ["logins_30d", "errors_90d"]
                 ·             ──────┬─────
                 ·                   ╰── here
             122 │ shrinkage = 20
                 ╰────
            hint: give the feature `logins_30d_percentile` another name
        "#]],
    );
    check_refused(
        "shrinkage = 20",
        "shrinkage = -1",
        &expect![[r#"
            ----
              × cohort.shrinkage is -1; it must be finite and at least 0
                 ╭─[book/book.toml:122:13]
             121 │ features = ["logins_30d", "errors_90d"]
             122 │ shrinkage = -1
                 ·             ─┬
                 ·              ╰── here
             123 │ min_accounts = 5
                 ╰────
        "#]],
    );
}
