//! Files of other software against their makers' own predictions.
//!
//! The files and the predictions are what `benches/peers/imports.py --fixtures` wrote: with scikit-learn 1.9.1 by skl2onnx
//! 1.20.0, with `LightGBM` 4.7.0 and `XGBoost` 3.2.0 by onnxmltools 1.16.0, and with `CatBoost` 1.2.10 by itself.

use std::fs;
use std::path::PathBuf;

use bellwether_core::{Feature, FeatureSchema, Model};
use bellwether_onnx::{ImportError, Imported, OnnxError, decode, encode, import};

/// The float rule: makers sum in f32 or f64, of leaves that their exporters round to f32.
const TOLERANCE: f64 = 1e-6;

fn path(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/imports")).join(file)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(path(&format!("{name}.onnx"))).expect("a file of the repository")
}

fn imported(name: &str) -> Imported {
    import(&bytes(name)).unwrap_or_else(|refused| panic!("{name}: {refused}"))
}

/// Rows of three features, NaN = missing, each with its maker's probability.
fn witnesses(name: &str) -> Vec<([f32; 3], f64)> {
    let text = fs::read_to_string(path(&format!("{name}.txt"))).expect("a file of the repository");
    let row = |line: &str| {
        let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().expect("a number")).collect();
        ([numbers[0] as f32, numbers[1] as f32, numbers[2] as f32], numbers[3])
    };
    text.lines().map(row).collect()
}

#[track_caller]
fn check(name: &str, producer: &str) {
    let file = imported(name);
    assert_eq!(file.producer(), producer);
    let converted = file.convert(&[0, 1, 2], 3, &[None; 3]).expect("a model");
    assert!(converted.rounding < 1e-5, "{}", converted.rounding);
    for (row, expected) in witnesses(name) {
        let found = converted.probability(converted.model.logit(&row));
        assert!((found - expected).abs() <= TOLERANCE, "{name}, {row:?}: {found} for {expected}");
    }
}

#[test]
fn scikit_learns_models_predict_what_they_did() {
    check("sklearn_logistic", "skl2onnx 1.20.0");
    check("sklearn_forest", "skl2onnx 1.20.0");
    check("sklearn_hist", "skl2onnx 1.20.0");
}

#[test]
fn boosted_models_predict_what_they_did() {
    check("lightgbm", "OnnxMLTools 1.16.0");
    check("xgboost", "OnnxMLTools 1.16.0");
    check("catboost", "CatBoost 1.2.10");
}

#[test]
fn a_forest_of_skl2onnx_has_no_rule_for_missing_values() {
    assert_eq!(imported("sklearn_forest").unruled(), [0, 1, 2]);
    for ruled in ["sklearn_logistic", "sklearn_hist", "lightgbm", "xgboost", "catboost"] {
        assert_eq!(imported(ruled).unruled(), [0_usize; 0], "{ruled}");
    }
}

#[test]
fn where_there_is_no_rule_a_missing_value_counts_as_its_fill() {
    let fills = [0.25, -0.5, 1.5];
    let filled = imported("sklearn_forest").convert(&[0, 1, 2], 3, &fills.map(Some)).expect("a model").model;
    for (row, _) in witnesses("sklearn_forest") {
        for missing in 0..3 {
            let (mut unknown, mut known) = (row, row);
            (unknown[missing], known[missing]) = (f32::NAN, fills[missing]);
            assert_eq!(filled.logit(&unknown), filled.logit(&known), "{row:?} without {missing}");
        }
    }
}

#[test]
fn inputs_may_stand_anywhere_among_more_features() {
    for name in ["sklearn_logistic", "lightgbm"] {
        let (file, fills) = (imported(name), [None; 3]);
        let here = file.convert(&[0, 1, 2], 3, &fills).expect("a model").model;
        let there = file.convert(&[4, 0, 2], 5, &fills).expect("a model").model;
        for ([a, b, c], _) in witnesses(name) {
            // Lines are summed in another order.
            let difference = here.logit(&[a, b, c]) - there.logit(&[b, 7.0, c, f32::NAN, a]);
            assert!(difference.abs() < 1e-14, "{name}: {difference:e}");
        }
    }
}

/// `benches/peers/imports.py --fixtures` wrote it as the others; what it predicts is in `score/tests/graphs.rs`.
#[test]
fn what_no_kernel_computes_stays_a_graph() {
    let file = imported("sklearn_network");
    assert_eq!((file.producer(), file.unruled()), ("skl2onnx 1.20.0", vec![0, 1, 2]));
    let model = file.convert(&[0, 1, 2], 3, &[Some(0.5), None, Some(1.5)]).expect("a model").model;
    let Model::Graph(graph) = &model else { panic!("it is a graph: {model:?}") };
    let fills: Vec<(u32, Option<f32>)> = graph.inputs.iter().map(|of| (of.feature, of.missing)).collect();
    assert_eq!(fills, [(0, Some(0.5)), (1, None), (2, Some(1.5))]);
    let written = encode(&model, &schema(), "churn_90d").expect("it can be written");
    assert_eq!(decode(&written).expect("it is read").model, model);
}

#[test]
fn an_operator_that_is_not_understood_is_named() {
    for operator in ["Loop", "Scan"] {
        let altered = replaced(&bytes("sklearn_network"), "Relu", operator);
        match import(&altered) {
            Err(ImportError::Operator { node, operator: found, .. }) => {
                assert_eq!((node, found.as_str()), (3, operator));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A file of ours in which an operator was replaced, in its place or for another one of its length.
#[test]
fn a_graph_of_a_bundle_has_known_operators_alone() {
    let model = imported("sklearn_network").convert(&[0, 1, 2], 3, &[Some(0.5); 3]).expect("a model").model;
    let written = encode(&model, &schema(), "churn_90d").expect("it can be written");
    match decode(&replaced(&written, "Relu", "Loop")) {
        Err(OnnxError::Operator { operator, .. }) => assert_eq!(operator, "Loop"),
        other => panic!("{other:?}"),
    }
    for at in 0..written.len() {
        assert!(decode(&written[..at]).is_err(), "cut to {at}");
        for flip in [0x01, 0x80, 0xff] {
            let mut altered = written.clone();
            altered[at] ^= flip;
            if let Ok(read) = decode(&altered) {
                let same = encode(&read.model, &schema(), "churn_90d").is_ok();
                assert!(same && read != decode(&written).expect("it is read"), "byte {at}");
            }
        }
    }
}

fn schema() -> FeatureSchema {
    let feature = |name: &str| Feature { name: name.to_owned(), category: None, good: None };
    FeatureSchema::new(["a", "b", "c"].map(feature).to_vec()).expect("names differ")
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths stand before texts");
    let mut altered = bytes.to_vec();
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from.as_bytes()) {
            altered[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    altered
}

/// Behind the graph stand the versions of operator sets; one that no node needs may be lost.
#[test]
fn a_file_that_is_cut_off_is_refused_or_says_the_same() {
    for name in ["sklearn_logistic", "lightgbm", "catboost"] {
        let (whole, fills) = (bytes(name), [None; 3]);
        let model = imported(name).convert(&[0, 1, 2], 3, &fills).expect("a model");
        for n in 0..whole.len() {
            let Ok(cut) = import(&whole[..n]) else { continue };
            assert_eq!(cut.convert(&[0, 1, 2], 3, &fills).ok().as_ref(), Some(&model), "{name}, {n} bytes");
        }
    }
}

/// Whatever stands in a file, it is refused or gives a valid model.
#[test]
fn altered_bytes_never_panic() {
    for name in ["sklearn_logistic", "sklearn_forest", "catboost", "sklearn_network"] {
        let whole = bytes(name);
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut altered = whole.clone();
                altered[at] ^= flip;
                let Ok(file) = import(&altered) else { continue };
                let places: Vec<usize> = (0..file.n_inputs()).collect();
                if let Ok(converted) = file.convert(&places, places.len(), &vec![None; places.len()]) {
                    assert!(converted.model.validate().is_ok(), "{name}, byte {at}");
                }
            }
        }
    }
}

#[test]
fn a_file_of_ours_is_none_of_other_software() {
    // Its output is a logit.
    let linear = imported("sklearn_logistic").convert(&[0, 1, 2], 3, &[None; 3]).expect("a model").model;
    let ours = encode(&linear, &schema(), "churn_90d").expect("bytes");
    assert!(matches!(linear, Model::Linear(_)));
    assert!(matches!(import(&ours), Err(ImportError::Operator { .. } | ImportError::Graph { .. })));
    assert!(matches!(import(b"no protobuf"), Err(ImportError::Onnx(OnnxError::Malformed(_)))));
}
