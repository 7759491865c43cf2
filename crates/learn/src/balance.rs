//! Classes that weigh the same, and probabilities on the true base rate all the same.

use bellwether_core::{Linear, Link, Model, Node, Progress, Tree, Trees};
use serde::{Deserialize, Serialize};

use crate::learner::checked;
use crate::rows::RepeatedRows;
use crate::{LearnError, Learner, LearnerName, TrainingRows};

/// What the rows of each class weigh in a fit; rows are never drawn or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// What they weigh as they are.
    #[default]
    None,
    /// Both classes weigh half of all: scikit-learn's `balanced`, `n / (2 n_class)` a row.
    ///
    /// The fitted model is on even odds; it is brought back to the rows' odds in closed form. With `r` the weight of a
    /// row with the outcome over that of one without it, `ln(r)` is taken off a logit (King and Zeng 2001, "Logistic
    /// Regression in Rare Events Data", equation 7), and a leaf's rate `q` of a forest that averages rates becomes
    /// `q / (q + r (1 - q))`, which is the rate of the leaf's rows as they are. A scorecard learns nothing from rows and
    /// stays as it is.
    Balanced,
}

/// Rows of each class under [`ClassWeight::Balanced`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Balance {
    /// One a row.
    pub(crate) weights: Vec<f64>,
    /// The weight of a row with the outcome over that of one without it.
    ratio: f64,
}

impl Balance {
    /// Of checked rows; `None` where all weight is on one class.
    pub(crate) fn of(y: &[bool], weights: Option<&[f64]>) -> Option<Self> {
        let n_rows = y.len();
        let own = weights.map_or_else(|| vec![1.0; n_rows], <[f64]>::to_vec);
        let sum = |class: bool| {
            let mut of_class: Vec<f64> = (0..n_rows).filter(|&row| y[row] == class).map(|row| own[row]).collect();
            // Sorted, so that the order of the rows has no say in the last bits.
            of_class.sort_unstable_by(f64::total_cmp);
            of_class.iter().sum::<f64>()
        };
        let sums = [sum(false), sum(true)];
        let factors = sums.map(|of_class| (sums[0] + sums[1]) / (2.0 * of_class));
        let weights: Vec<f64> = own.iter().zip(y).map(|(own, &y)| own * factors[usize::from(y)]).collect();
        (factors.iter().all(|factor| factor.is_finite())).then(|| Self { weights, ratio: factors[1] / factors[0] })
    }

    /// What a logit is above that of the rows as they are.
    pub(crate) fn logits_above(&self) -> f64 {
        self.ratio.ln()
    }

    /// `model`, fitted under these weights, on the odds of the rows as they are.
    pub(crate) fn corrected(&self, learner: LearnerName, model: Model) -> Result<Model, LearnError> {
        let above = self.logits_above();
        let model = match model {
            Model::Linear(linear) => {
                Model::Linear(Linear { intercept: (f64::from(linear.intercept) - above) as f32, ..linear })
            }
            Model::Trees(trees) => {
                let (base, leaves) = match trees.link() {
                    Link::Logit => ((f64::from(trees.base()) - above) as f32, trees.trees().to_vec()),
                    Link::Probability => (trees.base(), self.as_they_are(trees.trees())),
                };
                let corrected = Trees::new(trees.n_features(), base, trees.link(), leaves);
                Model::Trees(corrected.map_err(|source| LearnError::Model { learner, source })?)
            }
            Model::Scorecard(_) | Model::Graph(_) => model,
        };
        checked(learner, model)
    }

    /// Trees whose leaves add up to a mean rate, with the rates of the rows as they are.
    fn as_they_are(&self, trees: &[Tree]) -> Vec<Tree> {
        let n_trees = trees.len() as f64;
        let node = |node: &Node| match *node {
            Node::Leaf { value } => {
                let rate = (f64::from(value) * n_trees).clamp(0.0, 1.0);
                Node::Leaf { value: (rate / (rate + self.ratio * (1.0 - rate)) / n_trees) as f32 }
            }
            split @ Node::Split { .. } => split,
        };
        trees.iter().map(|tree| Tree { nodes: tree.nodes.iter().map(node).collect() }).collect()
    }
}

/// What `fit` makes of `rows` with both classes weighing half of all; it is given no balance where one class has all
/// weight.
pub(crate) fn balanced<T>(
    rows: &TrainingRows<'_>,
    fit: impl FnOnce(&TrainingRows<'_>, Option<&Balance>) -> Result<T, LearnError>,
) -> Result<T, LearnError> {
    let repeated = RepeatedRows::of(rows)?;
    let rows = repeated.as_ref().map_or(*rows, |repeated| repeated.rows(rows.schema));
    let balance = Balance::of(rows.y, rows.weights);
    let weights = balance.as_ref().map(|balance| balance.weights.as_slice()).or(rows.weights);
    fit(&TrainingRows { weights, ..rows }, balance.as_ref())
}

/// A learner that fits under [`ClassWeight::Balanced`].
pub(crate) struct Balanced {
    pub(crate) learner: Box<dyn Learner>,
}

impl Learner for Balanced {
    fn name(&self) -> LearnerName {
        self.learner.name()
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        balanced(rows, |rows, balance| {
            let model = self.learner.fit(rows, progress)?;
            match balance {
                Some(balance) => balance.corrected(self.name(), model),
                None => Ok(model),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::sigmoid;

    #[test]
    fn each_class_weighs_half_of_all() {
        let check = |y: &[bool], weights: Option<&[f64]>, expected: Option<&[f64]>| {
            let found = Balance::of(y, weights);
            assert_eq!(found.as_ref().map(|found| found.weights.as_slice()), expected, "{y:?}, {weights:?}");
        };
        check(&[true, false, false, false], None, Some(&[2.0, 2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]));
        check(&[true, false], None, Some(&[1.0, 1.0]));
        check(&[true, false, true], Some(&[1.0, 6.0, 2.0]), Some(&[1.5, 4.5, 3.0]));
        check(&[true, false, true], Some(&[0.0, 1.0, 1.0]), Some(&[0.0, 1.0, 1.0]));
        check(&[true, true], None, None);
        check(&[true, false], Some(&[0.0, 1.0]), None);
    }

    #[test]
    fn a_corrected_leaf_has_the_rate_of_its_rows() {
        // 2 of 40 rows have the outcome: r = 19. A leaf with 1 of 10 has the weighted rate 19 / (19 + 9).
        let mut y = vec![false; 40];
        (y[3], y[17]) = (true, true);
        let balance = Balance::of(&y, None).expect("two classes");
        let forest = |rate: f64, n_trees: usize| {
            let value = (rate / n_trees as f64) as f32;
            Trees::new(1, 0.0, Link::Probability, vec![Tree { nodes: vec![Node::Leaf { value }] }; n_trees])
        };
        for n_trees in [1, 7, 200] {
            let model = Model::Trees(forest(19.0 / 28.0, n_trees).expect("leaves are trees"));
            let corrected = balance.corrected(LearnerName::Forest, model).expect("leaves are trees");
            let expected = Model::Trees(forest(0.1, n_trees).expect("leaves are trees"));
            let (found, expected) = (corrected.logit(&[0.0]), expected.logit(&[0.0]));
            assert!((found - expected).abs() < 1e-3, "{n_trees}: {found}, not {expected}");
        }
        let boosted = Trees::new(1, 0.75, Link::Logit, vec![Tree { nodes: vec![Node::Leaf { value: -0.5 }] }]);
        let model = Model::Trees(boosted.expect("a leaf is a tree"));
        let corrected = balance.corrected(LearnerName::Boosted, model).expect("a leaf is a tree").logit(&[0.0]);
        let odds = sigmoid(0.25) / sigmoid(-0.25) / 19.0;
        assert!((corrected - odds.ln()).abs() < 1e-6, "{corrected}");
    }
}
