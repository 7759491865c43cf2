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

/// A neural network, which tract computes.
#[test]
fn a_graph_of_other_software_is_evaluated_compared_and_scored_too() {
    let folder = folder();
    folder.write("maker.txt", makers_network(&folder));
    let run = import(&folder, "sklearn_network", "--missing mean --check maker.txt").done();
    for said in ["skl2onnx 1.20.0: a graph for tract of 3 features", "what a missing value of 3 features means"] {
        assert!(run.stdout.contains(said), "{}", run.stdout);
    }
    assert!(run.stdout.contains("equal to its maker's probabilities on 2,"), "{}", run.stdout);

    let verified = folder.run("models verify models/small/2 --json").json();
    let graphs = verified["bundles"][0]["graphs"].as_array().expect("a list");
    let limits: Vec<_> = graphs.iter().filter(|of| of["target"] == "churn_90d").map(|of| &of["limit"]).collect();
    assert_eq!(limits, [0.001, 0.001]);

    let evaluated = folder.run("evaluate --book book/book.toml --model models/small/2 --json").json();
    assert!(evaluated["targets"]["churn_90d"]["overall"]["n"].as_u64().is_some_and(|n| n > 0));
    folder.run("compare --book book/book.toml --model models/small/2 --model models/small/1 --json").json();
    let scored =
        folder.run("score --book book/book.toml --model models/small/2 --as-of 2024-12-31 --out scores.jsonl").done();
    assert!(scored.stderr.contains("no reasons: target `churn_90d` can't be explained"), "{}", scored.stderr);
    let scores = folder.read("scores.jsonl");
    let first: Value = serde_json::from_str(scores.lines().next().expect("a row")).expect("a row is JSON");
    assert!(first.get("expansion_reason_1").is_some() && first.get("churn_reason_1").is_none(), "{first}");
}

/// What the weights in the file give the rows of the matrix that know all three features, in f64; the others are left out.
fn makers_network(folder: &Folder) -> String {
    const HIDDEN: [[f64; 4]; 2] = [
        [-0.191_622_12, -1.095_301_7, -0.783_561_94, -0.679_521_14],
        [0.492_484_63, -0.423_217_33, -0.899_489_5, -0.328_477_92],
    ];
    const OUT: [f64; 3] = [-0.301_248, 0.118_565_84, -0.219_521_64];
    folder.run("features --book book/book.toml --model models/small --out matrix.jsonl").done();
    let mut lines = String::new();
    for line in folder.read("matrix.jsonl").lines() {
        let row: Value = serde_json::from_str(line).expect("a row is JSON");
        let x = FEATURES.map(|name| row[format!("feature:{name}")].as_f64().unwrap_or(f64::NAN));
        let unit = |of: [f64; 4]| of[0] * x[0] + of[1] * x[1] + of[2] * x[2] + of[3];
        let [first, second] = HIDDEN.map(unit).map(|sum| if sum < 0.0 { 0.0 } else { sum });
        let _ = writeln!(lines, "{}", bellwether_core::sigmoid(OUT[0] * first + OUT[1] * second + OUT[2]));
    }
    lines
}

#[test]
fn an_operator_that_is_not_understood_is_named() {
    let folder = folder();
    let mut altered = file("sklearn_network.onnx");
    while let Some(at) = altered.windows(4).position(|of| of == b"Relu") {
        altered[at..at + 4].copy_from_slice(b"Loop");
    }
    folder.write("sklearn_network.onnx", altered);
    check_refused(
        &import(&folder, "sklearn_network", ""),
        REFUSED,
        &expect![[r#"
            error: operator `Loop` in node 3 (`Loop`): neither a kernel of ours nor tract, row by row, computes it
            hint: what is read: a classifier with labels 0 and 1, on numbers: trees or straight lines, behind imputers and scalers, or layers and other operators that compute row by row; export that alone, or train with bellwether
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
