//! Models of other software become versions of a bundle.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::support::{Folder, Run};

const INVALID: i32 = 3;
const REFUSED: i32 = 4;

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../onnx/tests/imports");
/// The features that the files are given to read.
const FEATURES: [&str; 3] = ["logins_30d", "errors_90d", "nps"];
const IMPORT: &str = "--book book/book.toml --like models/small --target churn_90d --features names.txt --actor tester";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(FILES).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The trained book with the files of other software.
fn folder() -> Folder {
    let folder = Folder::trained().copy();
    for name in ["lightgbm", "sklearn_forest", "sklearn_logistic", "sklearn_network"] {
        folder.write(&format!("{name}.onnx"), file(&format!("{name}.onnx")));
    }
    folder.write("names.txt", FEATURES.join("\n"));
    folder
}

fn import(folder: &Folder, name: &str, more: &str) -> Run {
    folder.run(&format!("models import {name}.onnx {IMPORT} {more}"))
}

#[track_caller]
fn check_refused(run: &Run, code: i32, stderr: &Expect) {
    let said: Vec<&str> = run.stderr.lines().filter(|line| !line.starts_with("reading ")).collect();
    stderr.assert_eq(&format!("{}\n", said.join("\n")));
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""));
}

fn target<'a>(trained: &'a Value, name: &str) -> &'a Value {
    let targets = trained["targets"].as_array().expect("a list");
    targets.iter().find(|of| of["target"] == name).expect("it is there")
}

#[test]
fn an_imported_model_is_evaluated_compared_and_scored_as_one_of_ours() {
    let folder = folder();
    let imported = import(&folder, "lightgbm", "--json").json();
    assert_eq!((&imported["version"], &imported["name"]), (&2.into(), &"small".into()));
    let churn = target(&imported, "churn_90d");
    assert_eq!(churn["chosen"], "imported");
    assert_eq!(churn["learners"].as_array().map(Vec::len), Some(2), "beside the bundle's own");
    assert_ne!(target(&imported, "expansion_90d")["chosen"], "imported");

    let evaluated = folder.run("evaluate --book book/book.toml --model models/small --json").json();
    assert_eq!(evaluated["targets"]["churn_90d"]["overall"], churn["test"]);
    folder.run("score --book book/book.toml --model models/small/2 --as-of 2024-12-31 --out scores.jsonl").done();
    folder.run("compare --book book/book.toml --model models/small/2 --model models/small/1 --json").json();

    let provenance: Value =
        serde_json::from_str(&folder.read("models/small/2/provenance.json")).expect("provenance is JSON");
    let of = &provenance["imported"]["churn_90d"];
    assert_eq!(of["producer"], "OnnxMLTools 1.16.0");
    assert_eq!(of["features"], serde_json::json!(FEATURES));
    let kept = folder.files("models/small/2").remove("imported/churn_90d.onnx");
    assert_eq!(kept, Some(file("lightgbm.onnx")), "the file stands in the bundle");
}

#[test]
fn what_another_import_keeps_of_the_first_is_its_model_and_its_file() {
    let folder = folder();
    import(&folder, "lightgbm", "").done();
    folder.run(&format!("models import sklearn_logistic.onnx {}", IMPORT.replace("churn", "expansion"))).done();
    let kept = folder.files("models/small/3");
    assert_eq!(kept["imported/churn_90d.onnx"], file("lightgbm.onnx"));
    assert_eq!(kept["imported/expansion_90d.onnx"], file("sklearn_logistic.onnx"));
    assert_eq!(kept["churn_90d.onnx"], folder.files("models/small/2")["churn_90d.onnx"]);
}

#[test]
fn the_same_import_gives_the_same_bundle() {
    let digest = |folder: Folder| import(&folder, "lightgbm", "--json").json()["digest"].clone();
    assert_eq!(digest(folder()), digest(folder()));
}

/// What the files themselves give the rows of the matrix, one a line.
fn probabilities(folder: &Folder, name: &str) -> String {
    folder.run("features --book book/book.toml --model models/small --out matrix.jsonl").done();
    let file = bellwether_onnx::import(&file(&format!("{name}.onnx"))).expect("it is understood");
    let converted = file.convert(&[0, 1, 2], 3, &[None; 3]).expect("a model");
    let mut lines = String::new();
    for line in folder.read("matrix.jsonl").lines() {
        let row: Value = serde_json::from_str(line).expect("a row is JSON");
        let value = |name: &str| row[format!("feature:{name}")].as_f64().map_or(f32::NAN, |value| value as f32);
        let _ = writeln!(lines, "{}", converted.probability(converted.model.logit(&FEATURES.map(value))));
    }
    lines
}

#[test]
fn the_makers_probabilities_are_compared_with_on_every_row() {
    let folder = folder();
    folder.write("maker.txt", probabilities(&folder, "lightgbm"));
    let run = import(&folder, "lightgbm", "--check maker.txt").done();
    assert!(run.stdout.contains("equal to its maker's probabilities on "), "{}", run.stdout);

    folder.edit("maker.txt", |text| text.replacen("0.", "0.9", 1));
    let refused = import(&folder, "lightgbm", "--check maker.txt");
    assert_eq!(refused.code, Some(REFUSED));
    assert!(refused.stderr.contains("1 of "), "{}", refused.stderr);
    assert!(refused.stderr.contains("the first is row 1 (c-000 as of 2023-06-30)"), "{}", refused.stderr);

    folder.write("maker.txt", "0.5\n");
    assert_eq!(import(&folder, "lightgbm", "--check maker.txt").code, Some(INVALID));
}

#[test]
fn an_operator_that_is_not_understood_is_named() {
    check_refused(
        &import(&folder(), "sklearn_network", ""),
        REFUSED,
        &expect![[r#"
            error: operator `Relu` in node 3 (`Relu`): no model of ours computes it
            hint: what is read: a classifier of trees or straight lines with labels 0 and 1, on numbers, behind imputers and scalers; export that alone, or train with bellwether
        "#]],
    );
}

#[test]
fn what_the_file_does_not_say_of_missing_values_is_asked_for() {
    let folder = folder();
    check_refused(
        &import(&folder, "sklearn_forest", ""),
        REFUSED,
        &expect![[r#"
            error: the file does not say what becomes of a missing value of feature `nps`, which 61 of 3,051 rows miss
            hint: export the model with an imputer before it, or count missing values as the mean of training rows: --missing mean
        "#]],
    );
    let run = import(&folder, "sklearn_forest", "--missing mean").done();
    assert!(run.stdout.contains("it counts as the mean of training rows"), "{}", run.stdout);
}

#[test]
fn names_of_features_are_the_bundles() {
    let folder = folder();
    folder.write("names.txt", "logins_30d\nlogins\nnps\n");
    check_refused(
        &import(&folder, "lightgbm", ""),
        INVALID,
        &expect![[r#"
            error: the bundle has no feature `logins`
            hint: write the names of the features that the model reads, one a line, in its order, into a file: --features FILE
        "#]],
    );
    folder.write("names.txt", "logins_30d\nnps\n");
    check_refused(
        &import(&folder, "lightgbm", ""),
        INVALID,
        &expect![[r#"
            error: the file reads 3 features where 2 are named
            hint: write the names of the features that the model reads, one a line, in its order, into a file: --features FILE
        "#]],
    );
    folder.write("names.txt", "feature:nps\nlogins_30d\nnps\n");
    check_refused(
        &import(&folder, "lightgbm", ""),
        INVALID,
        &expect![[r#"
            error: feature `nps` is named twice
            hint: write the names of the features that the model reads, one a line, in its order, into a file: --features FILE
        "#]],
    );
}

#[test]
fn what_is_no_onnx_file_is_refused() {
    let folder = folder();
    folder.write("lightgbm.onnx", &file("lightgbm.onnx")[..100]);
    check_refused(
        &import(&folder, "lightgbm", ""),
        INVALID,
        &expect![[r#"
            error: the bytes are not an ONNX file: a field is cut off
            hint: name an ONNX file as its exporter wrote it
        "#]],
    );
    check_refused(
        &import(&folder, "nothing", ""),
        INVALID,
        &expect![[r#"
            error: reading nothing.onnx: No such file or directory (os error 2)
        "#]],
    );
}
