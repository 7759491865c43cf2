//! The forms of the output files: each holds the same rows, and each can be a source again.

use expect_test::expect;

use crate::support::Folder;

/// Numbers and texts of the scores, read as the one source of a book.
const BOOK: &str = r#"
name = "scores"
[sources.scores]
kind = "event"
path = "PATH"
account = "account_id"
date = "as_of"
[accounts]
from = "scores"
[[features]]
from = "scores"
columns = ["coverage", "health_coverage", "health_score", "churn_probability", "expansion_probability", "arr", "arr_at_risk",
    "expected_expansion_arr"]
[[features]]
from = "scores"
columns = ["status", "band", "model", "model_digest"]
type = "text"
"#;

#[test]
fn every_form_has_the_same_rows() {
    let folder = Folder::trained().copy();
    let score = "score --book book/book.toml --model models/small --as-of 2024-06-30 --reasons 0";
    let mut read_back = Vec::new();
    for form in ["csv", "parquet", "arrow", "ipc", "feather"] {
        folder.run(&format!("{score} --out scores.{form}")).done();
        folder.write("scores.toml", BOOK.replace("PATH", &format!("scores.{form}")));
        folder.run("features --book scores.toml --out features.jsonl").done();
        read_back.push(folder.read("features.jsonl"));
    }
    assert_eq!(read_back[0].lines().count(), 240, "a row an account");
    assert!(read_back.iter().all(|rows| *rows == read_back[0]));
    for form in ["jsonl", "ndjson"] {
        folder.run(&format!("{score} --out scores.{form}")).done();
        assert_eq!(of_json(&folder.read(&format!("scores.{form}"))), folder.read("scores.csv"), "{form}");
    }
}

/// JSON Lines as the CSV file of the same rows.
fn of_json(lines: &str) -> String {
    let columns = [
        "account_id",
        "as_of",
        "status",
        "coverage",
        "health_coverage",
        "health_score",
        "band",
        "churn_probability",
        "expansion_probability",
        "arr",
        "arr_at_risk",
        "expected_expansion_arr",
        "model",
        "model_digest",
    ];
    let row = |line: &str| -> String {
        let row: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
        let field = |name: &&str| match &row[*name] {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        columns.iter().map(field).collect::<Vec<_>>().join(",") + "\n"
    };
    format!("{}\n{}", columns.join(","), lines.lines().map(row).collect::<String>())
}

#[test]
fn scores_read_as_text() {
    let folder = Folder::trained().copy();
    folder.run("score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.csv").done();
    let scores = folder.read("scores.csv");
    let of_each_status = |status: &str| scores.lines().find(|line| line.split(',').nth(2) == Some(status));
    let header = scores.lines().next().expect("a header");
    let rows: Vec<&str> = ["churned", "not_started"].into_iter().filter_map(of_each_status).collect();
    let digest = rows[0].rsplit(',').next().expect("a digest");
    let shown = format!("{header}\n{}\n", rows.join("\n")).replace(digest, "[DIGEST]");
    expect![[r#"
        account_id,as_of,status,coverage,health_coverage,health_score,band,churn_probability,expansion_probability,arr,arr_at_risk,expected_expansion_arr,churn_reason_1_indicator,churn_reason_1_value,churn_reason_1_points,churn_reason_1,churn_reason_2_indicator,churn_reason_2_value,churn_reason_2_points,churn_reason_2,churn_reason_3_indicator,churn_reason_3_value,churn_reason_3_points,churn_reason_3,expansion_reason_1_indicator,expansion_reason_1_value,expansion_reason_1_points,expansion_reason_1,expansion_reason_2_indicator,expansion_reason_2_value,expansion_reason_2_points,expansion_reason_2,expansion_reason_3_indicator,expansion_reason_3_value,expansion_reason_3_points,expansion_reason_3,model,model_digest
        c-000,2024-06-30,churned,0.875,0.8,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,small,[DIGEST]
        c-228,2024-06-30,not_started,0.375,0.5,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,small,[DIGEST]
    "#]].assert_eq(&shown);
}

#[test]
fn an_output_file_is_replaced_whole() {
    let folder = Folder::trained().copy();
    folder.write("scores.csv", "x\n".repeat(1_000_000));
    folder.run("score --book book/book.toml --model models/small --as-of 2024-06-30 --out scores.csv").done();
    assert_eq!(folder.read("scores.csv").lines().count(), 241);
}
