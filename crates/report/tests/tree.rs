//! What a drawn tree shows.

use bellwether_core::{Calibration, Feature, FeatureMatrix, FeatureSchema, Link, Model, Node, Tree, Trees, sigmoid};
use bellwether_report::{DrawnKind, DrawnTree, tree_figure, tree_text};
use expect_test::{expect, expect_file};

const NAMES: [&str; 3] = ["logins_30d", "plan=pro", "seconds_to_first_reply_p90_in_working_hours_90d"];

/// 400 rows; logins are missing in some, the plan is a flag, replies are always known.
fn rows() -> (FeatureMatrix, Vec<bool>) {
    let n = 400_u32;
    let logins = (0..n).map(|row| if row % 11 == 0 { f32::NAN } else { (row * 37 % 100) as f32 });
    let plan = (0..n).map(|row| f32::from(u8::from(row % 3 == 0)));
    let replies = (0..n).map(|row| (row * 53 % 89) as f32 * 120.0);
    let x = FeatureMatrix::from_columns(&[logins.collect(), plan.collect(), replies.collect()]);
    let y = (0..n).map(|row| row * 37 % 100 < 20 && row % 7 != 0 || row * 29 % 31 < 3).collect();
    (x.expect("finite columns"), y)
}

fn tree() -> Tree {
    let split =
        |feature, threshold, missing_left, left, right| Node::Split { feature, threshold, missing_left, left, right };
    let leaf = |value| Node::Leaf { value };
    Tree {
        nodes: vec![
            split(0, 19.5, true, 1, 4),
            split(1, 0.5, false, 2, 3),
            leaf(1.25),
            leaf(0.5),
            split(2, 5_400.25, true, 5, 6),
            leaf(-2.0),
            leaf(-2.5),
        ],
    }
}

fn drawn(names: [&str; 3]) -> DrawnTree {
    let (x, y) = rows();
    let feature = |name: &str| Feature { name: name.to_owned(), category: None, good: None };
    let schema = FeatureSchema::new(names.map(feature).to_vec()).expect("names differ");
    let trees = Trees::new(3, -0.25, Link::Logit, vec![tree()]).expect("a tree");
    let all: Vec<usize> = (0..x.n_rows()).collect();
    let model = Model::Trees(trees);
    DrawnTree::new(&model, &Calibration::None, &schema, &x, &all, &y).expect("the model is one tree")
}

#[test]
fn a_terminal_shows_every_node_with_its_rows() {
    let text = tree_text(&drawn(NAMES));
    assert!(text.lines().all(|line| line.chars().count() <= 100));
    expect![[r#"
        tree                                                          training rows    rate  probability
        all rows                                                                400  25.0 %
          logins_30d <= 19.5 or missing                                         108  64.8 %
            plan=pro: no                                                         72  66.7 %       73.1 %
            plan=pro: yes                                                        36  61.1 %       56.2 %
          logins_30d > 19.5                                                     292  10.3 %
            seconds_to_first_reply…0_in_working_hours_90d <= 5400.25            151  10.6 %        9.5 %
            seconds_to_first_reply_…0_in_working_hours_90d > 5400.25            141   9.9 %        6.0 %"#]]
    .assert_eq(&text);
}

#[test]
fn a_figure_shows_the_same() {
    expect_file!["tree.svg"].assert_eq(&tree_figure(&drawn(NAMES), "The tree of the test").expect("it can be drawn"));
}

#[test]
fn rows_and_rates_of_children_are_those_of_their_parent() {
    let drawn = drawn(NAMES);
    assert_eq!(drawn.nodes[0].n_rows, 400);
    for node in &drawn.nodes {
        if let DrawnKind::Split { left, right, .. } = node.kind {
            let [left, right] = [&drawn.nodes[left], &drawn.nodes[right]];
            assert_eq!((left.n_rows + right.n_rows, left.n_events + right.n_events), (node.n_rows, node.n_events));
        }
    }
}

#[test]
fn leaves_have_the_models_probabilities() {
    let DrawnKind::Leaf(probability) = drawn(NAMES).nodes[2].kind else { panic!("node 2 is a leaf") };
    assert!((probability - sigmoid(1.0)).abs() < 1e-12);
}

#[test]
fn what_is_not_one_tree_is_not_drawn() {
    let (x, y) = rows();
    let schema = NAMES.map(|name| Feature { name: name.to_owned(), category: None, good: None }).to_vec();
    let schema = FeatureSchema::new(schema).expect("names differ");
    let two = Trees::new(3, 0.0, Link::Logit, vec![tree(), tree()]).expect("trees");
    let rows: Vec<usize> = (0..x.n_rows()).collect();
    assert_eq!(DrawnTree::new(&Model::Trees(two), &Calibration::None, &schema, &x, &rows, &y), None);
}
