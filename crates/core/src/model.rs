//! Fitted models as plain data: what ONNX graphs are made from and compiled back into.
//!
//! Each maps raw f32 feature values (NaN = missing) to a logit. The functions called `logit` here are the plain
//! reading of the definition; `bellwether-score` has the fast one.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A fitted model for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// A weighted sum.
    Linear(Linear),
    /// A sum of trees.
    Trees(Trees),
    /// Bounded indicators, weighted over those that are known.
    Scorecard(ScorecardModel),
    /// Operators of other software.
    Graph(Graph),
}

/// `intercept + sum over features of: missing ? missing_weight : weight * (clamp(x, lower, upper) - center)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// The logit of a row whose features all stand at their centers.
    pub intercept: f32,
    /// One term a feature, in schema order.
    pub terms: Vec<LinearTerm>,
}

/// What one feature adds to a [`Linear`] logit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinearTerm {
    /// Values are clamped to at least this; finite.
    pub lower: f32,
    /// Values are clamped to at most this; finite, not below `lower`.
    pub upper: f32,
    /// Subtracted after clamping.
    pub center: f32,
    /// Logits a unit.
    pub weight: f32,
    /// Logits where the value is missing.
    pub missing_weight: f32,
}

/// `link(base + sum of one leaf a tree)`.
///
/// Leaf values and base lie on a binary grid so coarse that a sum of f32 is exact in any order, so every runtime
/// gives the same bits; [`Trees::new`] sees to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the field's trees are what the ensemble is")]
pub struct Trees {
    n_features: usize,
    base: f32,
    link: Link,
    trees: Vec<Tree>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    covers: Option<Vec<Vec<f32>>>,
}

/// What the sum over the trees is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The logit.
    Logit,
    /// A probability in `[0, 1]`; its logit is `ln(q / (1 - q))` of `q = PROBABILITY_SHRINK.0 + p * PROBABILITY_SHRINK.1`.
    Probability,
}

impl Link {
    /// Keeps a mean probability of 0 or 1 away from an infinite logit.
    pub const PROBABILITY_SHRINK: (f32, f32) = (0.000_5, 0.999);
}

/// A binary tree; node 0 is the root, children stand after their parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A node of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// `x <= threshold` goes left, another number right, a missing value where `missing_left` says.
    ///
    /// A learner that goes left on `x < t` states `threshold = t.next_down()`, which is the same for every f32.
    Split {
        /// Place of the feature in the schema.
        feature: u32,
        /// Finite.
        threshold: f32,
        /// Whether a missing value goes left.
        missing_left: bool,
        /// Index of the left child.
        left: u32,
        /// Index of the right child.
        right: u32,
    },
    /// The end of a path.
    Leaf {
        /// What the tree adds.
        value: f32,
    },
}

/// `intercept + slope * health`, where
/// `health = 100 * sum(weight_i * points_i) / sum(weight_i)` over the indicators that are known,
/// `points_i = clamp((x - at_zero) / (at_full - at_zero), 0, 1)`, and 50 where none is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorecardModel {
    /// How many features a row has.
    pub n_features: usize,
    /// The indicators, at most one a feature.
    pub indicators: Vec<Indicator>,
    /// Logits a point of health.
    pub slope: f32,
    /// Logits at a health of 0.
    pub intercept: f32,
}

/// One indicator of a scorecard.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Indicator {
    /// Place of the feature in the schema.
    pub feature: u32,
    /// Share of the score, above 0.
    pub weight: f32,
    /// The value that earns nothing.
    pub at_zero: f32,
    /// The value that earns everything; below `at_zero` where lower is healthier.
    pub at_full: f32,
}

/// A graph of operators that no other kind of model says, and that a runtime of ONNX computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// How many features a row has.
    pub n_features: usize,
    /// What the operators read, in their order; no feature twice.
    pub inputs: Vec<GraphInput>,
    /// Operators and constants, from the inputs to the logit, as a message `GraphProto` of ONNX; its rules are those of
    /// `bellwether_onnx::decode`.
    pub operators: Vec<u8>,
}

/// A feature that a [`Graph`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GraphInput {
    /// Place of the feature in the schema.
    pub feature: u32,
    /// What a missing value counts as, finite; `None` where the operators say it.
    pub missing: Option<f32>,
}

/// Why a model was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A number of the model is not finite.
    #[error("{place} is {value}; every number of a model must be finite")]
    NotFinite {
        /// Where.
        place: String,
        /// The number.
        value: f32,
    },
    /// A feature's place is outside the schema.
    #[error("{place} reads feature {feature} of {n_features}")]
    Feature {
        /// Where.
        place: String,
        /// The feature's place.
        feature: usize,
        /// How many there are.
        n_features: usize,
    },
    /// Children out of order, shared, or missing.
    #[error("tree {tree}, node {node}: {rule}")]
    Shape {
        /// The tree, from 0.
        tree: usize,
        /// The node, from 0.
        node: usize,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Another rule is broken.
    #[error("{place}: {rule}")]
    Rule {
        /// Where.
        place: String,
        /// The rule.
        rule: &'static str,
    },
}

impl Model {
    /// How many features a row has.
    pub fn n_features(&self) -> usize {
        match self {
            Self::Linear(linear) => linear.terms.len(),
            Self::Trees(trees) => trees.n_features,
            Self::Scorecard(scorecard) => scorecard.n_features,
            Self::Graph(graph) => graph.n_features,
        }
    }

    /// The logit of one row, NaN = missing.
    ///
    /// # Panics
    /// If `row` has not `n_features` values, and of a [`Graph`], which a runtime of ONNX computes.
    pub fn logit(&self, row: &[f32]) -> f64 {
        assert_eq!(row.len(), self.n_features(), "one value a feature");
        match self {
            Self::Linear(linear) => linear.logit(row),
            Self::Trees(trees) => trees.logit(row),
            Self::Scorecard(scorecard) => {
                f64::from(scorecard.intercept) + f64::from(scorecard.slope) * scorecard.health(row)
            }
            Self::Graph(_) => panic!("a runtime of ONNX computes a graph"),
        }
    }

    /// Checks every rule that the types' docs state.
    ///
    /// # Errors
    /// [`ModelError`] for the first rule that is broken.
    pub fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::Linear(linear) => linear.validate(),
            Self::Trees(trees) => trees.validate(),
            Self::Scorecard(scorecard) => scorecard.validate(),
            Self::Graph(graph) => graph.validate(),
        }
    }
}

fn finite(value: f32, place: impl Fn() -> String) -> Result<(), ModelError> {
    if value.is_finite() { Ok(()) } else { Err(ModelError::NotFinite { place: place(), value }) }
}

impl Linear {
    fn logit(&self, row: &[f32]) -> f64 {
        let add = |sum: f64, (term, &x): (&LinearTerm, &f32)| sum + term.logit(x);
        self.terms.iter().zip(row).fold(f64::from(self.intercept), add)
    }

    fn validate(&self) -> Result<(), ModelError> {
        finite(self.intercept, || "the intercept".into())?;
        for (feature, term) in self.terms.iter().enumerate() {
            for value in [term.lower, term.upper, term.center, term.weight, term.missing_weight] {
                finite(value, || format!("the term of feature {feature}"))?;
            }
            if term.lower > term.upper {
                let place = format!("the term of feature {feature}");
                return Err(ModelError::Rule { place, rule: "lower must not be above upper" });
            }
        }
        Ok(())
    }
}

impl Graph {
    /// Of its inputs; the operators are of ONNX.
    fn validate(&self) -> Result<(), ModelError> {
        let mut is_read = vec![false; self.n_features];
        for (input, of) in self.inputs.iter().enumerate() {
            let (place, feature) = (|| format!("input {input} of the graph"), of.feature as usize);
            let Some(seen) = is_read.get_mut(feature) else {
                return Err(ModelError::Feature { place: place(), feature, n_features: self.n_features });
            };
            if std::mem::replace(seen, true) {
                return Err(ModelError::Rule { place: place(), rule: "no feature may be read twice" });
            }
            finite(of.missing.unwrap_or(0.0), place)?;
        }
        Ok(())
    }
}

impl LinearTerm {
    /// What value `x` adds to the logit, NaN = missing.
    pub fn logit(&self, x: f32) -> f64 {
        if x.is_nan() {
            return f64::from(self.missing_weight);
        }
        f64::from(self.weight) * f64::from(x.clamp(self.lower, self.upper) - self.center)
    }
}

impl Trees {
    /// An ensemble whose `base` and leaf values are rounded to the coarsest binary grid on which sums are exact:
    /// multiples of `2^-k` with `|base| + sum over trees of max |leaf| < 2^(24 - k)`.
    ///
    /// # Errors
    /// [`ModelError`] if a number is not finite, a feature is outside or a tree is not a tree.
    pub fn new(n_features: usize, base: f32, link: Link, trees: Vec<Tree>) -> Result<Self, ModelError> {
        let mut of = Self { n_features, base, link, trees, covers: None };
        of.validate_structure()?;
        let largest_sum = of.trees.iter().map(Tree::largest_leaf).sum::<f64>() + f64::from(base.abs());
        // One bit is left for values that round up.
        let exponent = 23 - (largest_sum.max(f64::MIN_POSITIVE).log2().floor() as i32 + 1);
        let step = f64::from(exponent.clamp(-100, 100)).exp2();
        let snap = |value: f32| ((f64::from(value) * step).round() / step) as f32;
        of.base = snap(base);
        for node in of.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
            if let Node::Leaf { value } = node {
                *value = snap(*value);
            }
        }
        Ok(of)
    }

    /// The same ensemble with `covers`: for each tree the weight of the training rows that reach each node, in the order
    /// of its nodes.
    ///
    /// # Errors
    /// [`ModelError`] for lists of other lengths, for a cover that is negative, infinite or no number, for a root
    /// without one, and for a split whose cover is not the f32 sum of its children's.
    pub fn with_covers(mut self, covers: Vec<Vec<f32>>) -> Result<Self, ModelError> {
        self.covers = Some(covers);
        self.validate_covers()?;
        Ok(self)
    }

    /// What [`Trees::with_covers`] was given; `None` where nobody counted.
    pub fn covers(&self) -> Option<&[Vec<f32>]> {
        self.covers.as_deref()
    }

    /// How many features a row has.
    pub const fn n_features(&self) -> usize {
        self.n_features
    }

    /// What every sum begins with.
    pub const fn base(&self) -> f32 {
        self.base
    }

    /// What the sum is.
    pub const fn link(&self) -> Link {
        self.link
    }

    /// The trees, in the order in which they are summed.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    fn logit(&self, row: &[f32]) -> f64 {
        let sum = self.trees.iter().map(|tree| f64::from(tree.leaf(row).1)).sum::<f64>() + f64::from(self.base);
        self.link.logit(sum)
    }

    fn validate(&self) -> Result<(), ModelError> {
        self.validate_structure()?;
        self.validate_covers()?;
        let snapped = Self::new(self.n_features, self.base, self.link, self.trees.clone())?;
        if snapped.base == self.base && snapped.trees == self.trees {
            return Ok(());
        }
        Err(ModelError::Rule {
            place: "the leaves".into(),
            rule: "base and leaf values must lie on the binary grid on which f32 sums are exact",
        })
    }

    fn validate_structure(&self) -> Result<(), ModelError> {
        finite(self.base, || "the base value".into())?;
        if self.trees.is_empty() {
            return Err(ModelError::Rule { place: "the ensemble".into(), rule: "there must be a tree" });
        }
        (self.trees.iter().enumerate()).try_for_each(|(place, tree)| tree.validate(place, self.n_features))
    }

    fn validate_covers(&self) -> Result<(), ModelError> {
        let Some(covers) = &self.covers else { return Ok(()) };
        if covers.len() != self.trees.len() {
            return Err(ModelError::Rule { place: "the covers".into(), rule: "each tree has a list of them" });
        }
        let mut trees = self.trees.iter().zip(covers).enumerate();
        trees.try_for_each(|(place, (tree, covers))| tree.validate_covers(place, covers))
    }
}

impl Link {
    /// The logit of a sum over trees.
    pub fn logit(self, sum: f64) -> f64 {
        match self {
            Self::Logit => sum,
            Self::Probability => {
                let (floor, scale) = Self::PROBABILITY_SHRINK;
                let q = f64::from(floor) + sum * f64::from(scale);
                (q / (1.0 - q)).ln()
            }
        }
    }
}

impl Tree {
    /// Index and value of the leaf of `row`.
    ///
    /// # Panics
    /// If the tree was not validated for rows of this length.
    pub fn leaf(&self, row: &[f32]) -> (u32, f32) {
        let mut at = 0_u32;
        loop {
            match self.nodes[at as usize] {
                Node::Leaf { value } => return (at, value),
                Node::Split { feature, threshold, missing_left, left, right } => {
                    let x = row[feature as usize];
                    let goes_left = if x.is_nan() { missing_left } else { x <= threshold };
                    at = if goes_left { left } else { right };
                }
            }
        }
    }

    /// A cover for each node: `of_leaf` gives that of the leaf at a place among the nodes, a split's is the sum of its
    /// children's.
    pub fn covers(&self, of_leaf: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut covers = vec![0.0; self.nodes.len()];
        // Children stand after their parents.
        for (at, node) in self.nodes.iter().enumerate().rev() {
            covers[at] = match *node {
                Node::Leaf { .. } => of_leaf(at),
                Node::Split { left, right, .. } => covers[left as usize] + covers[right as usize],
            };
        }
        covers
    }

    fn largest_leaf(&self) -> f64 {
        let leaf = |node: &Node| match node {
            Node::Leaf { value } => f64::from(value.abs()),
            Node::Split { .. } => 0.0,
        };
        self.nodes.iter().map(leaf).fold(0.0, f64::max)
    }

    fn validate(&self, tree: usize, n_features: usize) -> Result<(), ModelError> {
        let broken = |node: usize, rule: &'static str| Err(ModelError::Shape { tree, node, rule });
        let mut has_parent = vec![false; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            let place = || format!("tree {tree}, node {at}");
            match *node {
                Node::Leaf { value } => finite(value, place)?,
                Node::Split { feature, threshold, left, right, .. } => {
                    finite(threshold, place)?;
                    let feature = feature as usize;
                    if feature >= n_features {
                        return Err(ModelError::Feature { place: place(), feature, n_features });
                    }
                    for child in [left as usize, right as usize] {
                        match has_parent.get_mut(child) {
                            None => return broken(at, "a child is outside the tree"),
                            Some(_) if child <= at => return broken(at, "a child must stand after its parent"),
                            Some(taken) if *taken => return broken(child, "a node must have one parent"),
                            Some(taken) => *taken = true,
                        }
                    }
                }
            }
        }
        match has_parent.iter().skip(1).position(|has| !has) {
            Some(orphan) => broken(orphan + 1, "a node must have a parent"),
            None if self.nodes.is_empty() => broken(0, "a tree must have a node"),
            None => Ok(()),
        }
    }

    fn validate_covers(&self, tree: usize, covers: &[f32]) -> Result<(), ModelError> {
        let broken = |node: usize, rule: &'static str| Err(ModelError::Shape { tree, node, rule });
        if covers.len() != self.nodes.len() {
            return broken(covers.len().min(self.nodes.len()), "each node has one cover");
        }
        for (at, (node, &cover)) in self.nodes.iter().zip(covers).enumerate() {
            if !(cover.is_finite() && cover >= 0.0) {
                return broken(at, "a cover is finite and at least 0");
            }
            if let Node::Split { left, right, .. } = *node
                && covers[left as usize] + covers[right as usize] != cover
            {
                return broken(at, "a split's cover is the sum of its children's");
            }
        }
        if covers[0] > 0.0 { Ok(()) } else { broken(0, "the root has a cover above 0") }
    }
}

impl ScorecardModel {
    /// The health of one row, 0-100; 50 where no indicator is known.
    pub fn health(&self, row: &[f32]) -> f64 {
        self.health_of(|feature| row[feature])
    }

    /// [`ScorecardModel::health`] of the row whose feature `i` is `value(i)`.
    pub(crate) fn health_of(&self, value: impl Fn(usize) -> f32) -> f64 {
        let (mut points, mut weights) = (0.0, 0.0);
        for indicator in &self.indicators {
            if let Some(earned) = indicator.points(value(indicator.feature as usize)) {
                points += f64::from(indicator.weight) * earned;
                weights += f64::from(indicator.weight);
            }
        }
        if weights > 0.0 { 100.0 * points / weights } else { 50.0 }
    }

    fn validate(&self) -> Result<(), ModelError> {
        finite(self.slope, || "the slope".into())?;
        finite(self.intercept, || "the intercept".into())?;
        let mut used = vec![false; self.n_features];
        for (at, indicator) in self.indicators.iter().enumerate() {
            let place = || format!("indicator {at}");
            for value in [indicator.weight, indicator.at_zero, indicator.at_full] {
                finite(value, place)?;
            }
            let feature = indicator.feature as usize;
            match used.get_mut(feature) {
                None => return Err(ModelError::Feature { place: place(), feature, n_features: self.n_features }),
                Some(true) => return Err(ModelError::Rule { place: place(), rule: "its feature is used twice" }),
                Some(used) => *used = true,
            }
            if indicator.weight <= 0.0 {
                return Err(ModelError::Rule { place: place(), rule: "its weight must be above 0" });
            }
            if indicator.at_zero == indicator.at_full {
                return Err(ModelError::Rule { place: place(), rule: "at_zero and at_full must differ" });
            }
        }
        if self.indicators.is_empty() {
            return Err(ModelError::Rule { place: "the scorecard".into(), rule: "there must be an indicator" });
        }
        Ok(())
    }
}

impl Indicator {
    /// The share of full points that value `x` earns, `None` where it is missing.
    pub fn points(&self, x: f32) -> Option<f64> {
        let (zero, full) = (f64::from(self.at_zero), f64::from(self.at_full));
        (!x.is_nan()).then(|| ((f64::from(x) - zero) / (full - zero)).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests;
