//! Small graphs, as messages.

use prost::bytes::Bytes;

use super::*;
use crate::graph::attribute;
use crate::proto::{
    AttributeProto, DimensionProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, attribute_type,
};

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { ints: ints.to_vec(), ..attribute(name, attribute_type::INTS) }
}

fn floats(name: &str, floats: &[f32]) -> AttributeProto {
    AttributeProto { floats: floats.to_vec(), ..attribute(name, attribute_type::FLOATS) }
}

fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto { s: text.into(), ..attribute(name, attribute_type::STRING) }
}

fn node(operator: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    let (domain, op_type) = operator.rsplit_once('.').unwrap_or(("", operator));
    NodeProto {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: output.to_owned(),
        op_type: op_type.to_owned(),
        attribute,
        domain: domain.to_owned(),
    }
}

fn value(name: &str, elem_type: i32, n_columns: i64) -> ValueInfoProto {
    let dim = vec![
        DimensionProto { dim_param: Some("N".to_owned()), dim_value: None },
        DimensionProto { dim_value: Some(n_columns), dim_param: None },
    ];
    let tensor_type = TensorTypeProto { elem_type, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

fn constant(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (name, dims) = (name.to_owned(), dims.to_vec());
    TensorProto { dims, data_type: FLOAT, float_data: values.to_vec(), name, ..TensorProto::default() }
}

/// A file that reads `x`, f32, of `n_columns` and gives `p`.
fn file(n_columns: i64, node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let graph = GraphProto {
        node,
        name: "test".to_owned(),
        initializer,
        input: vec![value("x", FLOAT, n_columns)],
        output: vec![value("p", FLOAT, 2)],
    };
    let set = |(domain, version): (&str, i64)| OperatorSetIdProto { domain: domain.to_owned(), version };
    ModelProto {
        ir_version: 8,
        graph: Some(graph),
        opset_import: [("", 17), (ML_DOMAIN, 3)].map(set).to_vec(),
        ..ModelProto::default()
    }
}

/// `x[0] MODE threshold ? 1 : -1`, and which way a missing value goes.
fn stump(mode: &str, threshold: AttributeProto, missing_true: i64) -> NodeProto {
    let modes = [mode, "LEAF", "LEAF"].map(|mode| Bytes::copy_from_slice(mode.as_bytes())).to_vec();
    let attributes = vec![
        ints("classlabels_int64s", &[0, 1]),
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        AttributeProto { strings: modes, ..attribute("nodes_modes", attribute_type::STRINGS) },
        ints("nodes_featureids", &[0, 0, 0]),
        threshold,
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("nodes_missing_value_tracks_true", &[missing_true, 0, 0]),
        ints("class_treeids", &[0, 0]),
        ints("class_nodeids", &[1, 2]),
        ints("class_ids", &[1, 1]),
        floats("class_weights", &[1.0, -1.0]),
        text("post_transform", "LOGISTIC"),
    ];
    node("ai.onnx.ml.TreeEnsembleClassifier", &["x"], "p", attributes)
}

fn read(file: &ModelProto) -> Result<Imported, ImportError> {
    import(&file.encode_to_vec())
}

/// The logit of a file of one input.
fn logit(file: &ModelProto, x: f32) -> f64 {
    let model = read(file).expect("it is understood").convert(&[0], 1, &[None]).expect("a model").model;
    model.logit(&[x])
}

#[track_caller]
fn check_refused(file: &ModelProto, message: &str) {
    let refused = read(file).expect_err(message).to_string();
    assert!(refused.contains(message), "`{refused}` should contain `{message}`");
}

type Holds = fn(f64, f64) -> bool;

const MODES: [(&str, Holds); 6] = [
    ("BRANCH_LEQ", |x, t| x <= t),
    ("BRANCH_LT", |x, t| x < t),
    ("BRANCH_GTE", |x, t| x >= t),
    ("BRANCH_GT", |x, t| x > t),
    ("BRANCH_EQ", |x, t| x == t),
    ("BRANCH_NEQ", |x, t| x != t),
];

#[test]
fn every_comparison_holds_at_the_bit() {
    for (mode, holds) in MODES {
        for t in [0.5_f32, -2.0, 0.0, -0.0, f32::MIN, f32::MAX, f32::INFINITY, f32::NEG_INFINITY] {
            for missing_true in [0, 1] {
                let file = file(1, vec![stump(mode, floats("nodes_values", &[t, 0.0, 0.0]), missing_true)], vec![]);
                for x in [t, t.next_down(), t.next_up(), 0.0, -0.0, 1.0, -1.0, f32::MIN, f32::MAX] {
                    let expected = if holds(x.into(), t.into()) { 1.0 } else { -1.0 };
                    assert!(x.is_infinite() || logit(&file, x) == expected, "{x:e} {mode} {t:e}");
                }
                let expected = if missing_true == 1 { 1.0 } else { -1.0 };
                assert_eq!(logit(&file, f32::NAN), expected, "missing {mode} {t:e}");
            }
        }
    }
}

#[test]
fn a_threshold_in_f64_lies_between_two_f32() {
    let third = 1.0_f64 / 3.0;
    let values =
        TensorProto { dims: vec![3], data_type: DOUBLE, double_data: vec![third, 0.0, 0.0], ..TensorProto::default() };
    let threshold = AttributeProto { t: Some(values), ..attribute("nodes_values_as_tensor", 4) };
    for (mode, holds) in MODES {
        let file = file(1, vec![stump(mode, threshold.clone(), 0)], vec![]);
        for x in [third as f32, (third as f32).next_down(), (third as f32).next_up()] {
            let expected = if holds(x.into(), third) { 1.0 } else { -1.0 };
            assert_eq!(logit(&file, x), expected, "{x:e} {mode}");
        }
    }
}

#[test]
fn a_tree_behind_a_scaler_splits_as_the_scaled_value_does() {
    for (offset, scale) in [(0.1_f32, 3.0_f32), (-7.3, -0.2)] {
        let threshold = floats("nodes_values", &[0.7, 0.0, 0.0]);
        let mut tree = stump("BRANCH_LEQ", threshold, 1);
        tree.input = vec!["scaled".to_owned()];
        let scaler = vec![floats("offset", &[offset]), floats("scale", &[scale])];
        let file = file(1, vec![node("ai.onnx.ml.Scaler", &["x"], "scaled", scaler), tree], vec![]);
        let edge = 0.7 / scale + offset;
        let mut x = (0..20).fold(edge, |x: f32, _| x.next_down());
        for _ in 0..40 {
            let expected = if (x - offset) * scale <= 0.7 { 1.0 } else { -1.0 };
            assert_eq!(logit(&file, x), expected, "{x:e}");
            x = x.next_up();
        }
        assert_eq!(logit(&file, f32::NAN), 1.0);
    }
}

#[test]
fn a_tree_behind_an_imputer_sends_a_missing_value_where_its_fill_goes() {
    for (fill, expected) in [(0.5, 1.0), (0.6, -1.0)] {
        let mut tree = stump("BRANCH_LEQ", floats("nodes_values", &[0.5, 0.0, 0.0]), 0);
        tree.input = vec!["filled".to_owned()];
        let nan = AttributeProto { f: f32::NAN, ..attribute("replaced_value_float", 1) };
        let imputer = vec![floats("imputed_value_floats", &[fill]), nan];
        let file = file(1, vec![node("ai.onnx.ml.Imputer", &["x"], "filled", imputer), tree], vec![]);
        assert_eq!(logit(&file, f32::NAN), expected);
    }
}

#[test]
fn a_matrix_product_with_a_sigmoid_is_a_sum_of_lines() {
    let nodes = vec![
        node("MatMul", &["x", "weights"], "product", vec![]),
        node("Add", &["product", "intercept"], "score", vec![]),
        node("Sigmoid", &["score"], "positive", vec![]),
        node("Sub", &["one", "positive"], "negative", vec![]),
        node("Concat", &["negative", "positive"], "p", vec![AttributeProto { i: 1, ..attribute("axis", 2) }]),
    ];
    let constants = vec![
        constant("weights", &[2, 1], &[2.0, -3.0]),
        constant("intercept", &[1], &[0.5]),
        constant("one", &[], &[1.0]),
    ];
    let read = read(&file(2, nodes, constants)).expect("it is understood");
    assert_eq!(read.unruled(), [0, 1]);
    let model = read.convert(&[0, 1], 2, &[Some(4.0), Some(5.0)]).expect("a model").model;
    assert_eq!(model.logit(&[10.0, 1.0]), 17.5);
    assert_eq!(model.logit(&[f32::NAN, 1.0]), 5.5);
    assert_eq!(model.logit(&[f32::NAN, f32::NAN]), -6.5);
}

#[test]
fn broken_ensembles_are_refused() {
    let stump = || stump("BRANCH_LEQ", floats("nodes_values", &[0.5, 0.0, 0.0]), 0);
    let check = |place: usize, with: AttributeProto, message: &str| {
        let mut tree = stump();
        tree.attribute[place] = with;
        check_refused(&file(1, vec![tree], vec![]), message);
    };
    check(1, ints("nodes_treeids", &[0, 0]), "`nodes_treeids` has 2 values where 3 are needed");
    check(2, ints("nodes_nodeids", &[0, 1, 1]), "node 1 stands twice in tree 0");
    check(4, ints("nodes_featureids", &[1, 0, 0]), "it reads feature 1 of 1");
    check(4, ints("nodes_featureids", &[-1, 0, 0]), "it reads feature -1 of 1");
    check(5, floats("nodes_values", &[f32::NAN, 0.0, 0.0]), "a threshold is NaN");
    check(6, ints("nodes_truenodeids", &[9, 0, 0]), "tree 0 has no node 9");
    check(6, ints("nodes_truenodeids", &[0, 0, 0]), "a node of tree 0 has two parents, or is its own");
    check(6, ints("nodes_truenodeids", &[2, 0, 0]), "a node of tree 0 has two parents, or is its own");
    check(1, ints("nodes_treeids", &[0, 0, 1]), "tree 0 has no node 2");
    check(10, ints("class_nodeids", &[0, 2]), "a weight is of node 0 of tree 0, no leaf");
    check(11, ints("class_ids", &[2, 2, 2]), "`class_treeids` has 2 values where 3 are needed");
    check(12, floats("class_weights", &[f32::INFINITY, 0.0]), "attribute `class_weights` has the value inf");
    check(13, text("post_transform", "PROBIT"), "the post transform PROBIT of one score is not read");
    check(0, ints("classlabels_int64s", &[0, 1, 2]), "it tells 3 classes apart; an outcome has two");
    check(0, ints("classlabels_int64s", &[1, 2]), "its classes are [1, 2]; train it with labels 0 and 1");
    let mut tree = stump();
    tree.attribute.push(floats("base_values", &[0.1, 0.2]));
    check_refused(&file(1, vec![tree], vec![]), "two base values");
}

#[test]
fn a_circle_beside_a_tree_is_refused() {
    let modes =
        ["LEAF", "BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF"].map(|mode| Bytes::from_static(mode.as_bytes())).to_vec();
    let mut tree = stump("BRANCH_LEQ", floats("nodes_values", &[0.0, 0.5, 0.5, 0.0, 0.0]), 0);
    tree.attribute[1] = ints("nodes_treeids", &[0; 5]);
    tree.attribute[2] = ints("nodes_nodeids", &[0, 1, 2, 3, 4]);
    tree.attribute[3] = AttributeProto { strings: modes, ..attribute("nodes_modes", attribute_type::STRINGS) };
    tree.attribute[4] = ints("nodes_featureids", &[0; 5]);
    tree.attribute[6] = ints("nodes_truenodeids", &[0, 2, 1, 0, 0]);
    tree.attribute[7] = ints("nodes_falsenodeids", &[0, 3, 4, 0, 0]);
    tree.attribute[8] = ints("nodes_missing_value_tracks_true", &[0; 5]);
    tree.attribute[10] = ints("class_nodeids", &[0, 3]);
    check_refused(&file(1, vec![tree], vec![]), "a tree runs in a circle");
}

#[test]
fn graphs_that_are_no_classifier_are_refused() {
    let sum = |output| node("Add", &["x", "x"], output, vec![]);
    check_refused(&file(1, vec![sum("p")], vec![]), "output `p`: it is a number, no probability");
    check_refused(&file(1, vec![sum("q")], vec![]), "output `p`: no node gives it");
    check_refused(&file(1, vec![node("Loop", &["x"], "p", vec![])], vec![]), "operator `Loop` in node 0 (`p`)");
    check_refused(&file(1, vec![node("Sigmoid", &["y"], "p", vec![])], vec![]), "what no earlier node gives");
    let mut later = file(1, vec![sum("p")], vec![]);
    later.opset_import[0].version = 99;
    check_refused(&later, "its operator set has version 99");
    later.opset_import.remove(0);
    check_refused(&later, "does not state the version of its operator set");
    let mut texts = file(1, vec![sum("p")], vec![]);
    texts.graph.as_mut().expect("a graph").input[0] = value("x", STRING, 1);
    check_refused(&texts, "input `x`: it is a text");
    let mut unknown = file(1, vec![sum("p")], vec![]);
    unknown.graph.as_mut().expect("a graph").input[0] = value("x", FLOAT, -1);
    check_refused(&unknown, "a number of columns that the file states");
}

/// A file that only a runtime computes: its last operators give `p`.
fn graph(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    file(2, node, initializer)
}

/// The operators that such a file becomes, in their order.
#[track_caller]
fn lowered(file: &ModelProto) -> (Vec<String>, Vec<usize>) {
    let imported = import(&file.encode_to_vec()).expect("it is understood");
    let model = imported.convert(&[0, 1], 2, &[None; 2]).expect("a model").model;
    let bellwether_core::Model::Graph(of) = model else { panic!("it is a graph") };
    let operators = GraphProto::decode(of.operators.as_slice()).expect("a graph");
    (operators.node.into_iter().map(|node| node.op_type).collect(), imported.unruled())
}

#[test]
fn a_graph_ends_before_its_last_function() {
    let weight = constant("w", &[2, 1], &[1.0, -1.0]);
    let layers = |last: Vec<NodeProto>| {
        let first = vec![node("MatMul", &["x", "w"], "h", vec![]), node("Tanh", &["h"], "z", vec![])];
        graph([first, last].concat(), vec![weight.clone(), constant("one", &[1], &[1.0])])
    };
    let axis = || vec![AttributeProto { i: 1, ..attribute("axis", attribute_type::INT) }];
    let sigmoid = || node("Sigmoid", &["z"], "q", vec![]);
    let rest = node("Sub", &["one", "q"], "r", vec![]);
    let both = layers(vec![sigmoid(), rest, node("Concat", &["r", "q"], "p", axis())]);
    assert_eq!(lowered(&both).0, ["MatMul", "Tanh", "Gather"]);
    let pair = layers(vec![node("Concat", &["z", "h"], "q", axis()), node("Softmax", &["q"], "p", axis())]);
    assert_eq!(lowered(&pair).0, ["MatMul", "Tanh", "Concat", "Gather", "Gather", "Sub"]);
    // Of what is no logistic function the logit is taken in the graph.
    let mean =
        layers(vec![sigmoid(), node("Mean", &["q", "q"], "m", vec![]), node("Concat", &["h", "m"], "p", axis())]);
    assert_eq!(lowered(&mean).0[..6], ["MatMul", "Tanh", "Sigmoid", "Add", "Div", "Gather"]);
    check_refused(&layers(vec![node("Relu", &["z"], "p", vec![])]), "it is a number, no probability");
    check_refused(&layers(vec![node("Concat", &["z", "h", "z"], "p", axis())]), "it has 3 columns");
}

#[test]
fn inputs_without_a_rule_for_missing_values_are_told() {
    let axis = || vec![AttributeProto { i: 1, ..attribute("axis", attribute_type::INT) }];
    let places = |name: &str, place: i64| TensorProto {
        dims: vec![1],
        data_type: INT64,
        int64_data: vec![place],
        name: name.to_owned(),
        ..TensorProto::default()
    };
    let constants = vec![places("first", 0), places("second", 1), constant("zero", &[1], &[0.0])];
    let unruled = |filled: &[&str]| {
        let nodes = vec![
            node("Gather", &["x", "first"], "a", axis()),
            node("Gather", &["x", "second"], "b", axis()),
            node("IsNaN", &["a"], "missing", vec![]),
            node("Where", filled, "f", vec![]),
            node("Mul", &["f", "b"], "z", vec![]),
            node("Sigmoid", &["z"], "p", vec![]),
        ];
        lowered(&graph(nodes, constants.clone())).1
    };
    assert_eq!(unruled(&["missing", "zero", "a"]), [1]);
    // What is chosen where the value is known is another one's.
    assert_eq!(unruled(&["missing", "zero", "b"]), [1]);
    assert_eq!(unruled(&["missing", "a", "zero"]), [0, 1]);
}

#[test]
fn operators_that_do_not_compute_row_by_row_are_named() {
    let ints = |name: &str, of: &[i64]| ints(name, of);
    let axis = |name: &str, i| vec![AttributeProto { i, ..attribute(name, attribute_type::INT) }];
    let shape = TensorProto {
        dims: vec![2],
        data_type: INT64,
        int64_data: vec![1, -1],
        name: "shape".to_owned(),
        ..TensorProto::default()
    };
    let square = constant("w", &[2, 2], &[1.0; 4]);
    let named = |of: NodeProto, told: &str| {
        let nodes = vec![node("Relu", &["x"], "h", vec![]), of, node("Softmax", &["q"], "p", vec![])];
        check_refused(&graph(nodes, vec![square.clone(), shape.clone()]), told);
    };
    named(node("Reshape", &["h", "shape"], "q", vec![]), "`Reshape` in node 1 (`q`): only a shape of the same columns");
    named(node("Transpose", &["h"], "q", vec![]), "`Transpose` in node 1 (`q`): neither");
    named(node("If", &["h"], "q", vec![]), "`If` in node 1 (`q`): neither");
    named(node("Softmax", &["h"], "q", axis("axis", 0)), "`Softmax` in node 1 (`q`): only columns of rows");
    named(node("Concat", &["h", "h"], "q", axis("axis", 0)), "`Concat` in node 1 (`q`): only columns of rows");
    named(node("MatMul", &["h", "h"], "q", vec![]), "`MatMul` in node 1 (`q`): its input 1 must be a constant");
    named(node("ReduceMax", &["h"], "q", vec![ints("axes", &[0])]), "`ReduceMax` in node 1 (`q`): only a column");
    named(node("Add", &["h", "w"], "q", vec![]), "`Add` in node 1 (`q`): a constant of several rows");
    named(node("Cast", &["h"], "q", axis("to", 7)), "`Cast` in node 1 (`q`): only a cast to FLOAT");
    named(node("Add", &["h"], "q", vec![]), "`Add` in node 1 (`q`): it can't read what it is given");
}

/// As of a file with an input for each column.
#[test]
fn many_columns_beside_each_other_are_few_at_a_time() {
    let all: Vec<&str> = vec!["x"; 100];
    let axis = vec![AttributeProto { i: 1, ..attribute("axis", attribute_type::INT) }];
    let nodes = vec![
        node("Concat", &all, "h", axis),
        node("MatMul", &["h", "w"], "m", vec![]),
        node("Tanh", &["m"], "z", vec![]),
        node("Sigmoid", &["z"], "p", vec![]),
    ];
    let found = lowered(&graph(nodes, vec![constant("w", &[200, 1], &[0.5; 200])])).0;
    assert_eq!(found, ["Concat", "Concat", "Concat", "Concat", "Concat", "MatMul", "Tanh", "Gather"]);
}

/// A file may name its constant in each of many operators; each of them would have a copy.
#[test]
fn constants_can_not_grow_without_end() {
    let square = constant("w", &[1000, 1000], &vec![0.001; 1_000_000]);
    let mut nodes = vec![node("Relu", &["x"], "t0", vec![])];
    nodes.extend((0..10).map(|at| node("MatMul", &[&format!("t{at}"), "w"], &format!("t{}", at + 1), vec![])));
    nodes.push(node("Sigmoid", &["t10"], "p", vec![]));
    check_refused(&file(1000, nodes, vec![square]), "coefficients; at most 4194304 are read");
}

/// So that whoever scores knows what is usual.
#[test]
fn what_an_imputer_says_stands_with_the_input() {
    let fill = |values: &[f32]| {
        let nan = AttributeProto { f: f32::NAN, ..attribute("replaced_value_float", attribute_type::FLOAT) };
        vec![floats("imputed_value_floats", values), nan]
    };
    let missing_of = |more: Vec<NodeProto>, read: &str| {
        let nodes = vec![
            node("ai.onnx.ml.Imputer", &["x"], "f", fill(&[0.5, 7.0])),
            node("MatMul", &["f", "w"], "h", vec![]),
            node("Tanh", &["h"], "z", vec![]),
        ];
        let last = node("Sigmoid", &[read], "p", vec![]);
        let all = graph([nodes, more, vec![last]].concat(), vec![constant("w", &[2, 1], &[1.0, 1.0])]);
        let imported = import(&all.encode_to_vec()).expect("it is understood");
        let model = imported.convert(&[0, 1], 2, &[Some(9.0); 2]).expect("a model").model;
        let bellwether_core::Model::Graph(of) = model else { panic!("it is a graph") };
        of.inputs.iter().map(|input| input.missing).collect::<Vec<_>>()
    };
    assert_eq!(missing_of(vec![], "z"), [Some(0.5), Some(7.0)]);
    // Where the file counts missing values too, they must stay so.
    let counted = vec![
        node("IsNaN", &["x"], "t", vec![]),
        node("Cast", &["t"], "c", vec![AttributeProto { i: 1, ..attribute("to", attribute_type::INT) }]),
        node("MatMul", &["c", "w"], "n", vec![]),
        node("Add", &["z", "n"], "s", vec![]),
    ];
    assert_eq!(missing_of(counted, "s"), [None, None]);
}
