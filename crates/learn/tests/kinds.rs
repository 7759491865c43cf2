//! What holds of some learners only: agreement with their references, class weights, recipes.

#[expect(dead_code, reason = "the contract uses the rest")]
mod common;

use bellwether_core::{Model, sigmoid};
use bellwether_learn::{ClassWeight, LearnError, LearnerName, Recipe, Settings};
use common::Book;

fn small() -> Book {
    Book::made(800, 1, -0.5)
}

/// Columns of few values, so that each has a bin of its own.
fn of_few_values(n: usize, seed: u64) -> Book {
    let mut book = Book::made(n, seed, -1.0);
    book.columns[1].iter_mut().for_each(|x| *x *= 1e6);
    book.columns.iter_mut().flatten().for_each(|x| *x = (*x * 8.0).round());
    book
}

#[test]
fn tree_gives_the_probabilities_of_its_reference() {
    for (n, seed) in [(800, 31), (3000, 32), (6000, 33)] {
        let book = of_few_values(n, seed);
        let [ours, linfas] = [LearnerName::Tree, LearnerName::TreeLinfa].map(|name| book.logits(&book.fit(name)));
        // linfa's class weights are in sixteenths, so that now and then another split is the better one by a hair.
        let n_equal = ours.iter().zip(&linfas).filter(|(a, b)| (*a - *b).abs() < 1e-5).count();
        assert!(n_equal * 100 >= n * 95, "{n_equal} of {n}");
    }
}

#[test]
fn forest_is_as_good_as_its_reference() {
    let (train, fresh) = (of_few_values(4000, 34), of_few_values(4000, 35));
    let loss = |name: LearnerName| {
        let logits = fresh.logits(&train.fit(name));
        let of_row = |(logit, &y): (f64, &bool)| (if y { -logit } else { logit }).exp().ln_1p();
        logits.into_iter().zip(&fresh.y).map(of_row).sum::<f64>() / 4000.0
    };
    let (ours, smartcores) = (loss(LearnerName::Forest), loss(LearnerName::ForestSmartcore));
    assert!((ours - smartcores).abs() < 0.01, "{ours}, {smartcores}");
}

/// At the least point of the weighted loss, probabilities before the correction sum to the weights of the outcome; after
/// it the odds are lower by the ratio of the weights: King and Zeng (2001).
#[test]
fn a_balanced_logistic_fit_solves_the_score_equation_of_its_weights() {
    let book = Book::made(6000, 19, -5.0);
    let n_positive = book.y.iter().filter(|&&y| y).count() as f64;
    let ratio = (6000.0 - n_positive) / n_positive;
    let weights: Vec<f64> = book.y.iter().map(|&y| 3000.0 / if y { n_positive } else { 6000.0 - n_positive }).collect();
    let balanced = Settings { class_weight: ClassWeight::Balanced, ..book.settings() };
    let model = book.try_fit_with(LearnerName::Logistic, &balanced).expect("two classes");
    let logits = book.logits(&model);
    let expected: f64 = logits.iter().zip(&weights).map(|(logit, weight)| weight * sigmoid(logit + ratio.ln())).sum();
    assert!((expected - 3000.0).abs() < 0.01, "{expected}");
    // The same weights by hand give the same fit before the correction.
    let by_hand = Book { weights: Some(weights), ..book.clone() }.fit(LearnerName::Logistic);
    let above = book.logits(&by_hand).iter().zip(&logits).map(|(by_hand, logit)| by_hand - logit).collect::<Vec<_>>();
    assert!(above.iter().all(|above| (above - ratio.ln()).abs() < 1e-5), "{ratio}");
    // The ranking is the unweighted fit's, up to the penalty and chance.
    let plain = book.auc(&book.fit(LearnerName::Logistic));
    assert!((book.auc(&model) - plain).abs() < 0.002);
}

#[test]
fn balanced_classes_are_refused_by_references_that_cannot_weigh_rows() {
    let balanced = Settings { class_weight: ClassWeight::Balanced, ..small().settings() };
    for name in [LearnerName::LogisticLinfa, LearnerName::ForestSmartcore] {
        let refused = small().try_fit_with(name, &balanced);
        assert!(matches!(refused, Err(LearnError::ClassWeightUnsupported { learner }) if learner == name), "{name}");
    }
}

#[test]
fn a_given_recipe_grows_just_the_trees_asked_for() {
    let recipe = Recipe { leaves: 3, ..Recipe::USUAL };
    let settings = Settings { recipe: Some(recipe), boosted_trees: 17, ..small().settings() };
    match small().try_fit_with(LearnerName::Boosted, &settings) {
        Ok(Model::Trees(trees)) => {
            assert_eq!(trees.trees().len(), 17);
            assert!(trees.trees().iter().all(|tree| tree.nodes.len() <= 5));
        }
        other => panic!("{other:?}"),
    }
}
