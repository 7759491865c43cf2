use super::*;
use proptest::prelude::*;

fn stump(threshold: f32, missing_left: bool, left: f32, right: f32) -> Tree {
    Tree {
        nodes: vec![
            Node::Split { feature: 0, threshold, missing_left, left: 1, right: 2 },
            Node::Leaf { value: left },
            Node::Leaf { value: right },
        ],
    }
}

#[test]
fn equality_goes_left_and_missing_where_told() {
    let tree = stump(1.5, false, -1.0, 1.0);
    for (x, leaf) in [(1.5, 1), (1.5_f32.next_up(), 2), (f32::NAN, 2), (-0.0, 1)] {
        assert_eq!(tree.leaf(&[x]).0, leaf, "{x}");
    }
}

#[test]
fn broken_trees_are_refused() {
    let split = |left, right| Node::Split { feature: 0, threshold: 0.0, missing_left: true, left, right };
    let leaf = Node::Leaf { value: 0.0 };
    for nodes in [
        vec![],
        vec![split(1, 1), leaf],
        vec![split(0, 1), leaf],
        vec![split(1, 9), leaf],
        vec![leaf, leaf],
        vec![Node::Leaf { value: f32::NAN }],
    ] {
        assert!(Trees::new(1, 0.0, Link::Logit, vec![Tree { nodes }]).is_err());
    }
    assert!(Trees::new(0, 0.0, Link::Logit, vec![stump(0.0, true, 0.0, 0.0)]).is_err());
}

proptest! {
    /// The point of the grid: f32 and f64 sums agree to the bit, forwards and backwards.
    #[test]
    fn sums_of_leaves_are_exact_in_any_order(
        leaves in prop::collection::vec((-3.0_f32..3.0, -3.0_f32..3.0), 1..300),
        base in -5.0_f32..5.0,
        x in prop::collection::vec(any::<bool>(), 300),
    ) {
        let trees = leaves.iter().map(|&(l, r)| stump(0.0, true, l, r)).collect();
        let trees = Trees::new(1, base, Link::Logit, trees).expect("stumps are trees");
        let values: Vec<f32> = trees.trees().iter().zip(&x)
            .map(|(tree, &left)| tree.leaf(&[if left { -1.0 } else { 1.0 }]).1).collect();
        let forwards = values.iter().fold(trees.base(), |sum, value| sum + value);
        let backwards = values.iter().rev().sum::<f32>() + trees.base();
        let exact = values.iter().map(|&value| f64::from(value)).sum::<f64>() + f64::from(trees.base());
        prop_assert_eq!(f64::from(forwards), exact);
        prop_assert_eq!(f64::from(backwards), exact);
        prop_assert!(Model::Trees(trees).validate().is_ok());
    }
}

#[test]
fn covers_that_do_not_add_up_are_refused() {
    let check = |covers: Vec<Vec<f32>>, rule: &str| {
        let trees = Trees::new(1, 0.0, Link::Logit, vec![stump(0.0, true, -1.0, 1.0)]).expect("a stump is a tree");
        match trees.with_covers(covers) {
            Ok(trees) => {
                assert_eq!(rule, "");
                assert!(Model::Trees(trees).validate().is_ok());
            }
            Err(refused) => assert!(!rule.is_empty() && refused.to_string().contains(rule), "{refused}: {rule}"),
        }
    };
    check(vec![vec![3.0, 1.0, 2.0]], "");
    check(vec![vec![3.0, 0.0, 3.0]], "");
    check(vec![vec![3.0, 1.0, 1.0]], "tree 0, node 0: a split's cover is the sum of its children's");
    check(vec![vec![0.0, 0.0, 0.0]], "the root has a cover above 0");
    check(vec![vec![0.0, -1.0, 1.0]], "at least 0");
    check(vec![vec![f32::INFINITY, f32::INFINITY, 0.0]], "finite");
    check(vec![vec![3.0, 1.0]], "each node has one cover");
    check(vec![], "each tree has a list");
}

#[test]
fn a_scorecard_redistributes_the_weight_of_what_is_missing() {
    let indicator = |feature, at_zero, at_full, weight| Indicator { feature, weight, at_zero, at_full };
    let card = ScorecardModel {
        n_features: 2,
        indicators: vec![indicator(0, 0.0, 10.0, 75.0), indicator(1, 30.0, 0.0, 25.0)],
        slope: -0.1,
        intercept: 2.0,
    };
    for (row, health) in [
        ([10.0, 0.0], 100.0),
        ([0.0, 30.0], 0.0),
        ([5.0, 15.0], 50.0),
        ([f32::NAN, 0.0], 100.0),
        ([f32::NAN, f32::NAN], 50.0),
        ([-99.0, 0.0], 25.0),
    ] {
        assert_eq!(card.health(&row), health, "{row:?}");
    }
    let logit = Model::Scorecard(card).logit(&[10.0, 0.0]);
    assert!((logit - -8.0).abs() < 1e-6, "{logit}");
}
