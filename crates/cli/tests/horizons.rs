//! Several horizons and contraction, the whole way: one model each, in order on every row, shown by every command.

use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Folder, csv};

/// The small book with half of the rises in price turned into falls; its bundles `several/1` (three horizons) and
/// `one/1` (the main one), and what commands printed and wrote.
struct Whole {
    folder: Folder,
    trained: Value,
    evaluated: Value,
    scores: Vec<Value>,
    scores_of_one: Vec<Value>,
    matrix: Vec<Value>,
}

const OUTCOMES: [&str; 3] = ["churn", "expansion", "contraction"];
/// The main horizon first.
const DAYS: [u32; 3] = [90, 30, 60];
const CONTRACTION: &str = r#"
[targets.contraction]
rule = "recurring_revenue_down"
source = "plans"
column = "mrr"
by = 0.1

[[features]]"#;

fn book() -> Folder {
    let folder = Folder::with_book();
    folder.edit("book/plans.csv", |plans| {
        csv::set_fields(&plans, 3, |_, fields| {
            // A rise by a quarter is a fall by a fifth of the inverse.
            let is_inverted = fields[0].ends_with(['0', '2', '4', '6', '8']);
            let inverse = || (40_000.0 / fields[3].parse::<f64>().expect("an amount")).to_string();
            if is_inverted { inverse() } else { fields[3].to_owned() }
        })
    });
    folder.replace("book/book.toml", "\n[[features]]", CONTRACTION);
    folder.replace("book/book.toml", "[train]", "[train]\nlearners = [\"logistic\", \"tree\"]");
    folder
}

fn horizons(folder: &Folder, targets: &str) {
    folder.replace("book/book.toml", "[targets.churn]", &format!("[targets]\n{targets}\n[targets.churn]"));
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = book();
        let run = |arguments: &str| folder.run(arguments).done();
        run("train --book book/book.toml --models one --seed 7");
        horizons(&folder, "horizons = [30, 60, 90]");
        let trained = folder.run("train --book book/book.toml --models several --seed 7 --json").json();
        let evaluated = folder.run("evaluate --book book/book.toml --model several/small --json").json();
        let score = "score --book book/book.toml --as-of 2024-06-30";
        run(&format!("{score} --model several/small --out scores.jsonl"));
        run(&format!("{score} --model one/small --out one.jsonl"));
        run("features --book book/book.toml --model several/small --out matrix.jsonl");
        let rows = |name: &str| -> Vec<Value> {
            folder.read(name).lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
        };
        let (scores, scores_of_one, matrix) = (rows("scores.jsonl"), rows("one.jsonl"), rows("matrix.jsonl"));
        Whole { folder, trained, evaluated, scores, scores_of_one, matrix }
    })
}

#[test]
fn each_outcome_has_a_model_a_horizon_and_evaluate_finds_what_train_found() {
    let trained = whole().trained["targets"].as_array().expect("a list");
    let names: Vec<&str> = trained.iter().map(|of| of["target"].as_str().expect("a name")).collect();
    let expected = OUTCOMES.iter().flat_map(|outcome| DAYS.map(|days| format!("{outcome}_{days}d")));
    assert_eq!(names, expected.collect::<Vec<_>>());
    for of_target in trained {
        let name = of_target["target"].as_str().expect("a name");
        assert_eq!(whole().evaluated["targets"][name]["overall"], of_target["test"], "{name}");
        assert_eq!(of_target["test"]["n"], trained[0]["test"]["n"], "{name}: all on the same rows");
    }
    let report = whole().folder.read("several/small/1/report.md");
    for title in ["Churn within 30 days", "Expansion within 60 days", "Contraction within 90 days"] {
        assert!(report.contains(&format!("## {title}")), "{title}");
    }
}

/// Rows on which a shorter horizon has more than a longer one, and rows on which two have the same.
fn violations_and_ties<'a>(rows: impl Iterator<Item = &'a Value>, columns: &[String; 3]) -> (usize, usize, usize) {
    let values = |row: &Value| columns.each_ref().map(|column| row[column].as_f64());
    let scored: Vec<[f64; 3]> = rows
        .filter_map(|row| Some(values(row)).filter(|of| of.iter().all(Option::is_some)))
        .map(|of| of.map(|p| p.expect("it is scored")))
        .collect();
    let ties = scored.iter().filter(|of| of[0] == of[1] || of[1] == of[2]).count();
    (scored.len(), scored.iter().filter(|of| !of.is_sorted()).count(), ties)
}

#[test]
fn no_row_has_a_shorter_horizon_above_a_longer_one() {
    let (mut n_rows, mut n_ties) = (0, 0);
    for outcome in OUTCOMES {
        let column = |days: &str| format!("{outcome}_probability{days}");
        let (scored, violations, _) =
            violations_and_ties(whole().scores.iter(), &[column("_30d"), column("_60d"), column("")]);
        let customers = whole().scores.iter().filter(|row| row["status"] == "scored").count();
        assert_eq!((scored, violations), (customers, 0), "{outcome}");
        let column = |days: u32| format!("probability:{outcome}_{days}d");
        let (rows, violations, ties) = violations_and_ties(whole().matrix.iter(), &[30, 60, 90].map(column));
        assert_eq!((rows, violations), (whole().matrix.len(), 0), "{outcome}");
        (n_rows, n_ties) = (n_rows + rows, n_ties + ties);
    }
    assert!(n_ties > 0, "models of {n_rows} rows contradict each other somewhere");
}

#[test]
fn further_horizons_leave_the_main_one_as_it_was() {
    assert_eq!(whole().scores.len(), whole().scores_of_one.len());
    for (row, of_one) in whole().scores.iter().zip(&whole().scores_of_one) {
        let of_one = of_one.as_object().expect("a row");
        // Coverage is of all that the models read, and further models may read further features.
        for (column, value) in
            of_one.iter().filter(|(column, _)| !["model_digest", "coverage"].contains(&column.as_str()))
        {
            assert_eq!(&row[column], value, "{column} of {}", row["account_id"]);
        }
        let further: Vec<&String> =
            row.as_object().expect("a row").keys().filter(|column| !of_one.contains_key(*column)).collect();
        let days = |outcome: &str| ["30d", "60d"].map(|days| format!("{outcome}_probability_{days}"));
        let mut expected = OUTCOMES.map(days).concat();
        expected.sort();
        assert_eq!(further, expected.iter().collect::<Vec<_>>());
        assert!(of_one.contains_key("contraction_probability"));
        let has_numbers = row["status"] == "scored";
        assert!(expected.iter().all(|column| row[column].is_null() != has_numbers));
    }
}

#[test]
fn what_happens_within_a_horizon_has_happened_within_longer_ones() {
    for outcome in OUTCOMES {
        let mut n_events = [0; 3];
        for row in &whole().matrix {
            let labels = [30, 60, 90].map(|days| row[format!("label:{outcome}_{days}d")].as_bool());
            for pair in labels.windows(2) {
                assert!(pair[0].is_some() || pair[1].is_none(), "a longer horizon is known later");
                assert!(pair[0] != Some(true) || pair[1] != Some(false), "{outcome}");
            }
            n_events.iter_mut().zip(labels).for_each(|(n, label)| *n += usize::from(label == Some(true)));
        }
        assert!(0 < n_events[0] && n_events.is_sorted(), "{outcome}: {n_events:?}");
    }
}

#[test]
fn the_purge_is_as_long_as_the_longest_horizon() {
    let folder = book();
    horizons(&folder, "horizon_days = 30\nhorizons = [30, 90]");
    folder.run("train --book book/book.toml --models models --seed 7").done();
    folder.run("features --book book/book.toml --model models/small --out matrix.jsonl").done();
    let rows: Vec<Value> =
        folder.read("matrix.jsonl").lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let days = |part: &str| {
        let of_part = rows.iter().filter(|row| row["part"] == part).map(|row| row["as_of"].as_str().expect("a day"));
        let days: std::collections::BTreeSet<&str> = of_part.collect();
        (*days.first().expect("rows"), *days.last().expect("rows"))
    };
    // The main horizon, of 30 days, has labels up to 2024-11-30: 21 month ends, a quarter of which test.
    assert_eq!(days("test"), ("2024-07-31", "2024-11-30"));
    // 90 days before 2024-07-31 is 2024-05-02; of 12 to 14 month ends a fifth calibrates, 90 days after training.
    assert_eq!(days("calibration"), ("2024-02-29", "2024-04-30"));
    assert_eq!(days("training"), ("2023-03-31", "2023-11-30"));
    let known = |label: &str| rows.iter().filter(|row| row["part"] == "test" && !row[label].is_null()).count();
    assert!(0 < known("label:churn_90d") && known("label:churn_90d") < known("label:churn_30d"));
}

#[test]
fn a_horizon_with_too_few_events_is_named() {
    let folder = book();
    horizons(&folder, "horizons = [5, 90]");
    folder.replace("book/book.toml", "min_event_accounts = 20", "min_event_accounts = 60");
    let refused = folder.run("train --book book/book.toml --models models --seed 7");
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("target churn_5d: "), "{}", refused.stderr);
    assert!(refused.stderr.contains("at least 60 are needed (min_event_accounts)"), "{}", refused.stderr);
}
