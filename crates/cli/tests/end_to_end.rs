//! From a simulated book to scores: every figure that two commands both give is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Folder, Run};

/// A simulated book in `book/`, its bundle in `models/simulated/1`, and what each command printed as JSON.
struct Whole {
    folder: Folder,
    simulated: Value,
    checked: Value,
    trained: Value,
    evaluated: Value,
    scored: Value,
    /// `scores.jsonl`, a row a line.
    scores: Vec<Value>,
    /// `matrix.jsonl`, a row a line.
    matrix: Vec<Value>,
}

const TARGETS: [&str; 2] = ["churn_90d", "expansion_90d"];
const LAST_DAY: &str = "2024-12-31";

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = Folder::shared();
        let json = |arguments: &str| folder.run(&format!("{arguments} --json")).json();
        let simulated = json("simulate --accounts 400 --months 24 --seed 1 --out book");
        let minimums = "[train]\nmin_event_accounts = 50\nmin_other_accounts = 50\n\n[scorecard]";
        folder.replace("book/book.toml", "[scorecard]", minimums);
        let checked = json("check --book book/book.toml --seed 3");
        let trained = json("train --book book/book.toml --models models --seed 3");
        let evaluated = json("evaluate --book book/book.toml --model models/simulated");
        let score = "score --book book/book.toml --model models/simulated";
        let scored = json(&format!("{score} --as-of {LAST_DAY} --out scores.jsonl"));
        json("features --book book/book.toml --model models/simulated --out matrix.jsonl");
        let (scores, matrix) = (lines(&folder, "scores.jsonl"), lines(&folder, "matrix.jsonl"));
        Whole { folder, simulated, checked, trained, evaluated, scored, scores, matrix }
    })
}

/// The rows of a JSON Lines file.
fn lines(folder: &Folder, name: &str) -> Vec<Value> {
    let row = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error} in {line}"));
    folder.read(name).lines().map(row).collect()
}

/// What `train --json` says of a target.
fn trained(target: &str) -> &'static Value {
    let targets = whole().trained["targets"].as_array().expect("a list");
    targets.iter().find(|of| of["target"] == target).expect("both targets are trained")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn evaluate_finds_what_train_found() {
    for target in TARGETS {
        let (trained, evaluated) = (trained(target), &whole().evaluated["targets"][target]);
        assert_eq!(evaluated["overall"], trained["test"]);
        let learners = trained["learners"].as_array().expect("a list");
        let chosen = learners.iter().find(|learner| learner["learner"] == trained["chosen"]).expect("it was fitted");
        assert_eq!(chosen["test"], trained["test"]);
        assert_eq!(chosen["auc_minus_chosen"], Value::Null);
        let names: Vec<&Value> = learners.iter().map(|learner| &learner["learner"]).collect();
        assert_eq!(names, ["scorecard", "logistic", "tree", "forest", "boosted"], "{target}");
    }
    assert_eq!(whole().evaluated["digest"], whole().trained["digest"]);
}

#[test]
fn evaluate_cuts_the_test_rows_by_every_segment() {
    for target in TARGETS {
        let evaluation = &whole().evaluated["targets"][target];
        let mut rows_of = BTreeMap::<&str, u64>::new();
        for cohort in evaluation["cohorts"].as_array().expect("a list") {
            let dimension = cohort["dimension"].as_str().expect("a name");
            *rows_of.entry(dimension).or_default() += cohort["metrics"]["n"].as_u64().expect("a count");
        }
        let all = evaluation["overall"]["n"].as_u64().expect("a count");
        assert_eq!(rows_of, BTreeMap::from(["region", "segment", "tenure"].map(|dimension| (dimension, all))));
    }
}

/// A difference that chance explains is no reason to leave it.
#[test]
fn the_last_learner_is_chosen_or_one_with_less_loss_on_calibration_rows() {
    for target in TARGETS {
        let of_target = trained(target);
        let learners = of_target["learners"].as_array().expect("a list");
        let loss = |learner: &Value| number(&learner["selection_log_loss"]);
        let last = learners.last().expect("there are learners");
        let chosen = learners.iter().find(|learner| learner["learner"] == of_target["chosen"]).expect("it is listed");
        assert!(chosen == last || loss(chosen) < loss(last), "{target}: {chosen}");
    }
}

#[test]
fn the_parts_of_the_split_are_those_that_check_told() {
    for of_target in whole().checked["targets"].as_array().expect("a list") {
        let label = format!("label:{}", of_target["target"].as_str().expect("a name"));
        for part in of_target["parts"].as_array().expect("a list") {
            let is_in = |row: &&Value| row["part"] == part["part"] && !row[&label].is_null();
            let rows: Vec<&Value> = whole().matrix.iter().filter(is_in).collect();
            let events = rows.iter().filter(|row| row[&label] == true).count();
            assert_eq!(
                (Some(rows.len() as u64), Some(events as u64)),
                (part["rows"].as_u64(), part["events"].as_u64())
            );
        }
    }
    assert_eq!(whole().checked["rows"].as_u64(), Some(whole().matrix.len() as u64));
}

#[test]
fn ninety_days_lie_between_the_parts() {
    let days = |part: &str| -> BTreeSet<&str> {
        let of_part = whole().matrix.iter().filter(|row| row["part"] == part);
        of_part.map(|row| row["as_of"].as_str().expect("a day")).collect()
    };
    // Month ends: four months on are at least 120 days, three could be 89 or 90.
    let (training, calibration, test) = (days("training"), days("calibration"), days("test"));
    for (before, after) in [(&training, &calibration), (&calibration, &test)] {
        let (last, first) = (before.last().expect("rows"), after.first().expect("rows"));
        let month =
            |day: &str| day[..4].parse::<i32>().expect("a year") * 12 + day[5..7].parse::<i32>().expect("a month");
        assert!(month(first) - month(last) >= 3, "{last} {first}");
    }
    assert!(test.last() <= Some(&"2024-10-02"), "a label needs 90 days of data after it");
}

#[test]
fn the_probabilities_of_the_matrix_have_the_auc_that_was_printed() {
    for target in TARGETS {
        let (label, probability) = (format!("label:{target}"), format!("probability:{target}"));
        let tested = whole().matrix.iter().filter(|row| row["part"] == "test" && !row[&label].is_null());
        let (events, others): (Vec<&Value>, Vec<&Value>) = tested.partition(|row| row[&label] == true);
        let values = |rows: &[&Value]| rows.iter().map(|row| number(&row[&probability])).collect::<Vec<_>>();
        let (events, others) = (values(&events), values(&others));
        assert!(events.iter().chain(&others).all(|p| (0.0..=1.0).contains(p)), "{target}");
        let wins = |event: &f64| {
            others.iter().map(|other| f64::from(event > other) + 0.5 * f64::from(event == other)).sum::<f64>()
        };
        let auc = events.iter().map(wins).sum::<f64>() / (events.len() * others.len()) as f64;
        let printed = number(&whole().evaluated["targets"][target]["overall"]["roc_auc"]["value"]);
        assert!((auc - printed).abs() < 1e-12, "{target}: {auc} {printed}");
    }
}

#[test]
fn every_account_has_one_score() {
    let accounts: BTreeSet<&str> =
        whole().scores.iter().map(|row| row["account_id"].as_str().expect("an id")).collect();
    assert_eq!((whole().scores.len(), accounts.len()), (400, 400));
    assert_eq!(whole().checked["accounts"], 400);
    assert!(whole().scores.iter().all(|row| row["as_of"] == LAST_DAY));
    assert!(whole().scores.iter().all(|row| row["model_digest"] == whole().trained["digest"]));
}

/// The simulation knows how well the best possible model ranks.
#[test]
fn no_model_ranks_better_than_the_truth_can() {
    for (target, outcome) in TARGETS.into_iter().zip(["churn", "expansion"]) {
        let best = number(&whole().simulated["bayes_auc"][outcome]);
        let ours = number(&trained(target)["test"]["roc_auc"]["value"]);
        assert!((0.7..0.95).contains(&best) && ours < best + 0.03, "{target}: {ours}, at best {best}");
    }
}

/// Kinds of leak are named one by one, or all at once; a leaking book is one that `check` can read.
#[test]
fn leaks_are_planted_by_name() {
    let folder = Folder::new();
    let simulated =
        |arguments: &str| folder.run(&format!("simulate --accounts 20 --months 6 {arguments} --json")).json();
    assert_eq!(simulated("--out clean")["leaks"], serde_json::json!([]));
    let some = simulated("--leak gap --leak constant_column --leak gap --out some");
    assert_eq!(some["leaks"], serde_json::json!(["constant_column", "gap"]));
    assert!(simulated("--leak all --out all")["leaks"].as_array().expect("a list").len() >= 14);
    assert!(folder.read("all/README.md").contains("Planted leaks"));
}

#[test]
fn who_left_has_a_status_and_no_numbers() {
    let with_status = |status: &str| whole().scores.iter().filter(|row| row["status"] == status).count() as u64;
    assert_eq!(Some(with_status("churned")), whole().simulated["churned"].as_u64());
    for (status, n) in whole().scored["by_status"].as_object().expect("counts") {
        assert_eq!(n.as_u64(), Some(with_status(status)), "{status}");
    }
    let numbers = ["health_score", "band", "churn_probability", "expansion_probability", "arr", "arr_at_risk"];
    for row in &whole().scores {
        let scored = row["status"] == "scored";
        for name in numbers {
            assert_eq!(row[name].is_null(), !scored, "{name} of {row}");
        }
    }
}

#[test]
fn numbers_are_in_their_ranges_and_agree_with_each_other() {
    let scored: Vec<&Value> = whole().scores.iter().filter(|row| row["status"] == "scored").collect();
    assert!(!scored.is_empty());
    for row in &scored {
        let value = |name: &str| number(&row[name]);
        for share in ["coverage", "churn_probability", "expansion_probability"] {
            assert!((0.0..=1.0).contains(&value(share)), "{share} of {row}");
        }
        assert!((0.0..=100.0).contains(&value("health_score")), "{row}");
        // The bands of the simulated book.toml.
        let band = match value("health_score") {
            health if health >= 80.0 => "green",
            health if health >= 50.0 => "yellow",
            _ => "red",
        };
        assert_eq!(row["band"], band, "{row}");
        assert_eq!(value("arr_at_risk"), value("arr") * value("churn_probability"), "{row}");
    }
    for (band, n) in whole().scored["by_band"].as_object().expect("counts") {
        assert_eq!(n.as_u64(), Some(scored.iter().filter(|row| row["band"] == band.as_str()).count() as u64), "{band}");
    }
}

/// A score is what training would have given the row: there is no second way of building features.
#[test]
fn a_score_is_the_probability_of_the_matrix_row() {
    let folder = whole().folder.copy();
    let day = "2024-06-30";
    let score = "score --book book/book.toml --model models/simulated";
    folder.run(&format!("{score} --as-of {day} --out past.jsonl")).done();
    let of_day = whole().matrix.iter().filter(|row| row["as_of"] == day);
    let of_day: BTreeMap<&str, &Value> = of_day.map(|row| (row["account_id"].as_str().expect("an id"), row)).collect();
    let past = lines(&folder, "past.jsonl");
    let is_customer = |row: &&Value| row["status"] == "scored" || row["status"] == "insufficient_data";
    assert_eq!(past.iter().filter(is_customer).count(), of_day.len(), "who is a customer is who has a row");
    for row in past.iter().filter(|row| row["status"] == "scored") {
        let trained = of_day[row["account_id"].as_str().expect("an id")];
        assert_eq!(row["churn_probability"], trained["probability:churn_90d"], "{row}");
        assert_eq!(row["expansion_probability"], trained["probability:expansion_90d"], "{row}");
    }
}

#[test]
fn the_declared_features_stand_beside_their_labels() {
    let folder = Folder::trained().copy();
    let built = folder.run("features --book book/book.toml --out features.jsonl --json").json();
    let rows = lines(&folder, "features.jsonl");
    assert_eq!(built["rows"].as_u64(), Some(rows.len() as u64));
    let columns: Vec<&str> = rows[0].as_object().expect("a row").keys().map(String::as_str).collect();
    let mut expected = vec![
        "account_id",
        "as_of",
        "label:churn_90d",
        "label:expansion_90d",
        "segment:industry",
        "book:arr",
        "mrr",
        "tenure_days",
        "paperless",
        "industry",
        "logins_30d",
        "logins_change_30d",
        "errors_90d",
        "nps",
    ];
    // JSON objects have no order.
    expected.sort_unstable();
    assert_eq!(columns, expected);
    let known = |row: &&Value| row["label:churn_90d"].is_boolean();
    let last = rows.iter().filter(known).filter_map(|row| row["as_of"].as_str()).max();
    assert_eq!(last, Some("2024-09-30"), "90 days before the data's end is 2024-10-02");
}

#[test]
fn versions_count_up_and_the_newest_is_used() {
    let folder = Folder::trained().copy();
    let first = folder.read("models/small/1/manifest.sha256");
    let trained = folder.run("train --book book/book.toml --models models --seed 8 --json").json();
    assert_eq!((&trained["version"], &trained["path"]), (&Value::from(2), &Value::from("models/small/2")));
    assert_eq!(folder.read("models/small/1/manifest.sha256"), first, "a version never changes");
    let digest_of = |model: &str| {
        let score = format!("score --book book/book.toml --model {model} --as-of 2024-06-30 --out scores.csv --json");
        folder.run(&score).json()["digest"].clone()
    };
    assert_eq!(digest_of("models/small"), trained["digest"]);
    assert_eq!(Some(digest_of("models/small/1").as_str().expect("a digest")), first.split(' ').next());
}

#[test]
fn a_bundle_works_wherever_it_is_copied() {
    let folder = Folder::trained().copy();
    for (name, bytes) in folder.files("models/small/1") {
        folder.write(&format!("elsewhere/{name}"), bytes);
    }
    let score = "score --book book/book.toml --as-of 2024-06-30";
    folder.run(&format!("{score} --model models/small --out here.csv")).done();
    folder.run(&format!("{score} --model elsewhere --out there.csv")).done();
    assert_eq!(folder.read("here.csv"), folder.read("there.csv"));
}

#[test]
fn a_written_template_names_what_is_missing() {
    let folder = Folder::new();
    folder.run("init mine").done();
    let run = folder.run("check --book mine/book.toml");
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("there is no file mine/accounts.csv"), "{}", run.stderr);
}

#[test]
fn people_read_the_same_figures() {
    let Whole { folder, trained, .. } = whole();
    let Run { stdout, .. } = folder.run("evaluate --book book/book.toml --model models/simulated").done();
    for of_target in trained["targets"].as_array().expect("a list") {
        let auc = number(&of_target["test"]["roc_auc"]["value"]);
        assert!(stdout.contains(&format!("{auc:.3}")), "{auc} is not in {stdout}");
    }
}
