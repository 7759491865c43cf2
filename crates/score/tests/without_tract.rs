//! `cargo test -p bellwether-score --no-default-features --test without_tract`
#![cfg(not(feature = "tract"))]

use bellwether_core::{Feature, FeatureSchema};
use bellwether_score::Kernel;

#[test]
fn a_graph_of_other_software_is_refused_by_name() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../onnx/tests/imports/sklearn_network.onnx");
    let imported =
        bellwether_onnx::import(&std::fs::read(path).expect("a file of the repository")).expect("understood");
    let model = imported.convert(&[0, 1, 2], 3, &[Some(0.0); 3]).expect("a model").model;
    let feature = |name: &str| Feature { name: name.to_owned(), category: None, good: None };
    let schema = FeatureSchema::new(["a", "b", "c"].map(feature).to_vec()).expect("names differ");
    let bytes = bellwether_onnx::encode(&model, &schema, "churn_90d").expect("it can be written");
    assert_eq!(
        Kernel::compile(&bytes).expect_err("there is no tract").to_string(),
        "the model of `churn_90d` is a graph of other software, which tract computes; this build is without feature `tract`"
    );
}
