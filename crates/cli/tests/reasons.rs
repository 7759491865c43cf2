//! Why a score is what it is, and why it moved: parts total what they explain.

use serde_json::Value;

use crate::support::Folder;

const MODEL: &str = "--book book/book.toml --model models/small";
const DAY: &str = "2024-09-30";

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The first account that has a score on both days.
fn account(folder: &Folder) -> String {
    let why = folder.run(&format!("why {MODEL} --from 2024-06-30 --to {DAY} --out why.csv --json")).json();
    why[0]["account_id"].as_str().expect("an account moved").to_owned()
}

#[test]
fn reasons_total_the_probability_beyond_what_is_expected() {
    let folder = Folder::trained().copy();
    let account = account(&folder);
    for top in ["0", "2", "50"] {
        let arguments = format!("explain {MODEL} --account {account} --as-of {DAY} --top {top} --json");
        let explained = folder.run(&arguments).json();
        assert_eq!(explained["status"], "scored");
        let targets = explained["targets"].as_array().expect("a list");
        assert!(!targets.is_empty());
        for of in targets {
            let reasons = of["reasons"].as_array().expect("a list");
            let points: f64 = reasons.iter().map(|of| number(&of["points"])).sum::<f64>() + number(&of["others"]);
            let beyond = 100.0 * (number(&of["probability"]) - number(&of["base"]));
            assert!((points - beyond).abs() < 1e-6, "{points}, not {beyond}");
        }
        let health = &explained["health"];
        let indicators = health["indicators"].as_array().expect("a list");
        let costs: f64 = indicators.iter().map(|of| number(&of["costs"])).sum();
        assert!((100.0 - costs - number(&health["score"])).abs() < 1e-9, "{health}");
    }
}

#[test]
fn parts_total_the_change_of_every_account() {
    let folder = Folder::trained().copy();
    let why = folder.run(&format!("why {MODEL} --from 2024-06-30 --to {DAY} --out why.csv --json")).json();
    let moves = why.as_array().expect("a list");
    assert!(moves.len() > 50, "{} accounts and targets", moves.len());
    for of in moves {
        let parts: f64 = of["indicators"].as_array().expect("a list").iter().map(|of| number(&of["points"])).sum();
        let parts = parts + number(&of["cohort"]) + number(&of["model"]);
        assert!((parts - number(&of["change"])).abs() < 1e-6, "{of}");
        assert_eq!(number(&of["model"]), 0.0);
    }
    assert!(folder.read("why.csv").starts_with("account_id,target,from,to,before,after,part,indicator,points\n"));
}

#[test]
fn what_can_t_be_explained_is_refused() {
    let folder = Folder::trained();
    let unknown = folder.run(&format!("explain {MODEL} --account nobody --as-of {DAY}"));
    assert_eq!(unknown.code, Some(4));
    let told = "error: there is no account `nobody` in the book as of 2024-09-30";
    assert!(unknown.stderr.contains(told), "{}", unknown.stderr);
    let without_rows = folder.run(&format!("explain {MODEL} --account nobody --as-of {DAY} --interventional"));
    assert_eq!(without_rows.code, Some(4));
    assert!(without_rows.stderr.contains("background_rows"), "{}", without_rows.stderr);
}
