//! What brings an account to green is what scoring the altered account again says.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use expect_test::expect;

use crate::support::{Folder, csv};

const MODEL: &str = "--book book/book.toml --model models/small";
const DAY: &str = "2024-09-30";
const FEATURES: &str = "features --book book/book.toml --as-of 2024-09-30 --out features.csv";

/// The small book whose health score reads percentiles, one of them of a feature that no model sees itself.
fn with_percentiles() -> &'static Folder {
    static TRAINED: OnceLock<Folder> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let folder = Folder::with_book();
        let book = "book/book.toml";
        let cohort = "[cohort]\nby = [\"industry\"]\nfeatures = [\"logins_30d\", \"errors_90d\"]\n\n[value]\n";
        folder.replace(book, "[value]\n", cohort);
        folder.replace(book, "name = \"errors_90d\"\n", "name = \"errors_90d\"\nhelper = true\n");
        folder.replace(book, "{ feature = \"errors_90d\"", "{ feature = \"errors_90d_percentile\"");
        folder.replace(book, "{ feature = \"logins_30d\"", "{ feature = \"logins_30d_percentile\"");
        folder.replace(book, "[train]\n", "[train]\nlearners = [\"logistic\"]\n");
        folder.run("train --book book/book.toml --models models --seed 7").done();
        folder
    })
}

/// The rows of a CSV file without quotes, by column.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    lines.map(|fields| header.iter().cloned().zip(fields).collect()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// Every account's score with its actions is that of the account whose features are altered so; how many have some.
#[track_caller]
fn check_scored_again(folder: &Folder, helper: Option<(&str, &str)>) -> usize {
    folder.run(FEATURES).done();
    folder.run(&format!("score {MODEL} --as-of {DAY} --reasons 0 --actions --out scores.csv")).done();
    let scores = rows(&folder.read("scores.csv"));
    let mut changes: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut n_left = 0;
    for row in &scores {
        let is_due = row["status"] == "scored" && row["band"] != "green";
        let actions = [1, 2].map(|rank| format!("action_{rank}")).into_iter().filter(|name| !row[name].is_empty());
        let actions: Vec<(String, String)> =
            actions.map(|name| (row[&name].clone(), row[&format!("{name}_to")].clone())).collect();
        assert!(is_due || actions.is_empty(), "{row:?}");
        assert_eq!(actions.is_empty(), row["score_with_actions"].is_empty(), "{row:?}");
        n_left += usize::from(is_due && actions.is_empty());
        // A percentile of a helper can't be set in a table of features.
        if !actions.is_empty() && actions.iter().all(|(name, _)| helper.is_none_or(|(of, _)| of != name)) {
            changes.insert(row["account_id"].clone(), actions);
        }
    }
    // A field with a comma stands in quotes.
    let text: String = folder
        .read("features.csv")
        .lines()
        .filter(|line| !line.contains('"'))
        .fold(String::new(), |text, line| text + line + "\n");
    let header: Vec<&str> = text.lines().next().expect("a header").split(',').collect();
    let altered = (0..header.len()).fold(text.clone(), |text, column| {
        csv::set_fields(&text, column, |_, fields| {
            let change = changes.get(fields[0]).and_then(|of| of.iter().find(|(name, _)| name == header[column]));
            change.map_or_else(|| fields[column].to_owned(), |(_, to)| to.clone())
        })
    });
    folder.write("altered.csv", altered);
    folder.run("score --features altered.csv --model models/small --reasons 0 --out again.csv").done();
    let again: BTreeMap<String, BTreeMap<String, String>> =
        rows(&folder.read("again.csv")).into_iter().map(|row| (row["account_id"].clone(), row)).collect();
    let mut n_checked = 0;
    for row in scores.iter().filter(|row| changes.contains_key(&row["account_id"])) {
        let Some(found) = again.get(&row["account_id"]) else { continue };
        n_checked += 1;
        assert_eq!(number(&found["health_score"]), number(&row["score_with_actions"]), "{row:?}");
        assert_eq!(found["band"], "green", "{row:?}");
    }
    assert!(n_left < scores.len());
    n_checked
}

#[test]
fn the_score_with_actions_is_what_scoring_again_gives() {
    assert!(check_scored_again(&Folder::trained().copy(), None) > 20);
}

#[test]
fn percentiles_move_with_their_features() {
    let folder = with_percentiles().copy();
    assert!(check_scored_again(&folder, Some(("errors_90d_percentile", "errors_90d"))) > 10);
    let scores = folder.read("scores.csv");
    assert!(scores.contains(",errors_90d_percentile,"), "a helper's percentile is an action too");
}

#[test]
fn actions_are_asked_for_and_change_nothing_else() {
    let folder = Folder::trained().copy();
    folder.run(&format!("score {MODEL} --as-of {DAY} --out plain.csv")).done();
    let (plain, score) = (folder.read("plain.csv"), format!("score {MODEL} --as-of {DAY} --actions"));
    assert!(!plain.contains("action_1"));
    folder.run(&format!("{score} --out scores.csv")).done();
    let text = folder.read("scores.csv");
    let header = text.lines().next().expect("a header");
    let first = header.split(',').position(|name| name == "action_1").expect("it was asked for");
    assert!(header.ends_with(
        ",action_1,action_1_from,action_1_to,action_2,action_2_from,action_2_to,score_with_actions,model,model_digest"
    ));
    assert_eq!(plain.lines().next().expect("a header").split(',').count(), header.split(',').count() - 7);
    assert_eq!(plain.lines().next().expect("a header").split(',').position(|name| name == "model"), Some(first));
    // In parts, and of a run that continues.
    folder.run(&format!("{score} --resume --out resumed.csv")).done();
    assert_eq!(folder.read("resumed.csv"), text);
    let mut lines: Vec<String> = Vec::new();
    for shard in 1..=3 {
        folder.run(&format!("{score} --shard {shard}/3 --out shard.csv")).done();
        lines.extend(folder.read("shard.csv").lines().skip(1).map(str::to_owned));
    }
    lines.sort();
    assert_eq!(format!("{header}\n{}\n", lines.join("\n")), text);
}

#[test]
fn explain_says_what_brings_an_account_to_green() {
    let folder = Folder::trained().copy();
    folder.run(&format!("score {MODEL} --as-of {DAY} --reasons 0 --actions --out scores.csv")).done();
    let scores = rows(&folder.read("scores.csv"));
    let explain = |account: &str, form: &str| {
        folder.run(&format!("explain {MODEL} --account {account} --as-of {DAY} --top 0 {form}"))
    };
    let to_green = |text: &str| {
        text.lines().find(|line| line.starts_with("to green")).unwrap_or("nothing is said of green").to_owned()
    };
    let first = |is_it: &dyn Fn(&BTreeMap<String, String>) -> bool| {
        scores.iter().find(|row| row["status"] == "scored" && is_it(row)).expect("there is one")["account_id"].clone()
    };
    let (one, two) = (
        first(&|row| !row["action_1"].is_empty() && row["action_2"].is_empty()),
        first(&|row| !row["action_2"].is_empty()),
    );
    let said = [&one, &two, &first(&|row| row["band"] == "green")]
        .map(|account| to_green(&explain(account, "").done().stdout))
        .join("\n");
    expect![[r#"
        to green: bring logins 30d from 79 to 108 (what the best tenth of its cohort has): health 64.2 -> 80.8; an effect on the score, not a promise
        to green: bring logins 30d from 61 to 108 and nps from 5 to 7 (what the best tenth of its cohort has): health 50.7 -> 83.7; an effect on the score, not a promise
        nothing is said of green"#]].assert_eq(&said);
    for account in [one, two] {
        let row = scores.iter().find(|row| row["account_id"] == account).expect("it is there");
        let actions = &explain(&account, "--json").json()["actions"];
        assert_eq!(actions["score"].as_f64(), Some(number(&row["score_with_actions"])));
        for (rank, of) in actions["indicators"].as_array().expect("a list").iter().enumerate() {
            let name = format!("action_{}", rank + 1);
            assert_eq!(of["indicator"].as_str(), Some(row[&name].as_str()));
            assert_eq!(of["to"].as_f64(), Some(number(&row[&format!("{name}_to")])));
        }
    }
    assert!(explain(&first(&|row| row["band"] == "green"), "--json").json()["actions"].is_null());
}

#[test]
fn what_is_actionable_may_be_declared_after_training() {
    let folder = Folder::trained().copy();
    let score = format!("score {MODEL} --as-of {DAY} --reasons 0 --actions --out scores.csv");
    folder.replace("book/book.toml", "[scorecard]\n", "[reasons]\nactionable = [\"nps\"]\n\n[scorecard]\n");
    folder.run(&score).done();
    for row in rows(&folder.read("scores.csv")) {
        assert!(["", "nps"].contains(&row["action_1"].as_str()) && row["action_2"].is_empty(), "{row:?}");
    }
    folder.replace("book/book.toml", "actionable = [\"nps\"]", "actionable = []");
    let refused = folder.run(&score);
    assert_eq!(refused.code, Some(4));
    expect![[r#"
        scoring book/book.toml as of 2024-09-30
        error: the health score reads no indicator that somebody can do something about
        hint: name some under [reasons] actionable in book.toml; they may be named after training
    "#]]
    .assert_eq(&refused.stderr);
}
