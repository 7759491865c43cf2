//! What was read of a file, and the model that it becomes.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bellwether_core::{Graph, GraphInput, Linear, LinearTerm, Link, Model, Node, Probability, Tree, Trees, sigmoid};
use prost::Message as _;

use super::ImportError;
use super::column::Column;
use super::lower::Lowered;
use super::sum::{Sum, SumNode, SumTree};
use crate::OnnxError;

pub(super) const NO_PROBABILITY: &str = "it is a number, no probability; export a classifier with its probabilities";

/// A file of other software that is understood.
#[derive(Debug, Clone)]
pub struct Imported {
    producer: String,
    inputs: InputNames,
    n_inputs: usize,
    formula: Formula,
}

/// What a file computes.
#[derive(Debug, Clone)]
pub(super) enum Formula {
    Sum(Link, Sum),
    Operators(Lowered),
}

/// How a file names what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputNames {
    /// One matrix of all features, whose columns have no names.
    Matrix(String),
    /// Each feature by its own name.
    Columns(Vec<String>),
}

/// A model of ours, and how near it is to the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The model.
    pub model: Model,
    /// Of trees, how far a sum can be from the file's in exact arithmetic: leaves are rounded to the grid on which f32 sums
    /// are exact. Of lines 0, whose weights are rounded to f32.
    pub rounding: f64,
    link: Link,
}

impl Converted {
    /// The probability that the file gives a row whose logit is `logit`.
    pub fn probability(&self, logit: f64) -> Probability {
        let p = sigmoid(logit);
        match self.link {
            Link::Logit => p,
            Link::Probability => {
                let (floor, scale) = Link::PROBABILITY_SHRINK;
                (p - f64::from(floor)) / f64::from(scale)
            }
        }
    }
}

impl Formula {
    /// Of the columns of `output`.
    pub(super) fn of_columns(output: &str, columns: Vec<Column>) -> Result<Self, ImportError> {
        let refused = |reason: String| Err(ImportError::graph(format!("output `{output}`"), reason));
        let (is_pair, column) = match <[Column; 2]>::try_from(columns) {
            Ok([_, positive]) => (true, positive),
            Err(mut columns) => match (columns.pop(), columns.len()) {
                (Some(only), 0) => (false, only),
                (_, n) => return refused(format!("it has {} columns; an outcome has two classes", n + 1)),
            },
        };
        let (link, sum) = match column {
            Column::Logistic(sum) => (Link::Logit, sum),
            Column::Sum(sum) if is_pair && sum.lines.is_empty() => (Link::Probability, sum),
            Column::Sum(_) | Column::Input(_) => return refused(NO_PROBABILITY.to_owned()),
            _ => return refused("it is not the logistic function of a sum".to_owned()),
        };
        match (sum.lines.is_empty(), sum.trees.is_empty()) {
            (true, true) => refused("it depends on no input".to_owned()),
            (false, false) => refused("it is a sum of lines and trees; a model of ours has one kind".to_owned()),
            _ => Ok(Self::Sum(link, sum)),
        }
    }
}

impl Imported {
    pub(super) const fn new(producer: String, inputs: InputNames, n_inputs: usize, formula: Formula) -> Self {
        Self { producer, inputs, n_inputs, formula }
    }

    /// The software that wrote the file, with its version.
    pub fn producer(&self) -> &str {
        &self.producer
    }

    /// How the file names what it reads.
    pub const fn input_names(&self) -> &InputNames {
        &self.inputs
    }

    /// How many features the file reads.
    pub const fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// The inputs, by their place from 0, of which the file does not say what becomes of a missing value, ascending.
    pub fn unruled(&self) -> Vec<usize> {
        match &self.formula {
            Formula::Sum(_, sum) => sum.unruled.iter().copied().collect(),
            Formula::Operators(of) => of.unruled.iter().copied().collect(),
        }
    }

    /// The model over rows of `n_features` features, of which `features[i]` is the file's input `i`. A missing value of an
    /// input without a rule counts as `fills[i]`; where that is `None`, it goes as the file's trees say, and adds nothing to
    /// a sum of lines.
    ///
    /// # Errors
    /// [`ImportError`] if a number overflows in f32, or sums of probabilities can leave 0..=1.
    ///
    /// # Panics
    /// If `features` or `fills` has not [`Imported::n_inputs`] entries, or a feature stands for two inputs.
    pub fn convert(
        &self,
        features: &[usize],
        n_features: usize,
        fills: &[Option<f32>],
    ) -> Result<Converted, ImportError> {
        assert_eq!((features.len(), fills.len()), (self.n_inputs, self.n_inputs), "one feature and one fill an input");
        assert_eq!(features.iter().collect::<BTreeSet<_>>().len(), self.n_inputs, "features differ");
        let converted = match &self.formula {
            Formula::Sum(_, sum) if sum.trees.is_empty() => linear(sum, features, n_features, fills),
            Formula::Sum(link, sum) => trees(sum, *link, features, n_features, fills)?,
            Formula::Operators(of) => of.graph(features, n_features, fills),
        };
        converted.model.validate().map_err(OnnxError::from)?;
        Ok(converted)
    }
}

impl Lowered {
    fn graph(&self, features: &[usize], n_features: usize, fills: &[Option<f32>]) -> Converted {
        let input = |(input, (&feature, &fill)): (usize, (&usize, &Option<f32>))| GraphInput {
            feature: feature as u32,
            missing: if self.unruled.contains(&input) { fill } else { self.imputed.get(&input).copied() },
        };
        let inputs = features.iter().zip(fills).enumerate().map(input).collect();
        let model = Model::Graph(Graph { n_features, inputs, operators: self.operators.encode_to_vec() });
        Converted { model, rounding: 0.0, link: self.link }
    }
}

fn linear(sum: &Sum, features: &[usize], n_features: usize, fills: &[Option<f32>]) -> Converted {
    let unread = LinearTerm { lower: 0.0, upper: 0.0, center: 0.0, weight: 0.0, missing_weight: 0.0 };
    let mut terms = vec![unread; n_features];
    let mut intercept = sum.base;
    for (&input, line) in &sum.lines {
        let center = line.center as f32;
        let moved = line.slope * (f64::from(center) - line.center);
        intercept += moved;
        let at = |x: f32| line.slope * (f64::from(x) - f64::from(center));
        let missing = line.missing.map_or_else(|| fills[input].map_or(0.0, at), |missing| missing - moved);
        terms[features[input]] = LinearTerm {
            lower: f32::MIN,
            upper: f32::MAX,
            center,
            weight: line.slope as f32,
            missing_weight: missing as f32,
        };
    }
    Converted { model: Model::Linear(Linear { intercept: intercept as f32, terms }), rounding: 0.0, link: Link::Logit }
}

fn trees(
    sum: &Sum,
    link: Link,
    features: &[usize],
    n_features: usize,
    fills: &[Option<f32>],
) -> Result<Converted, ImportError> {
    let unruled: BTreeMap<usize, f32> = sum.unruled.iter().filter_map(|&input| Some((input, fills[input]?))).collect();
    let node = |node: &SumNode, factor: f64| match *node {
        SumNode::Leaf(value) => Node::Leaf { value: (value * factor) as f32 },
        SumNode::Split { input, threshold, missing_left, left, right } => Node::Split {
            feature: features[input] as u32,
            threshold,
            missing_left: unruled.get(&input).map_or(missing_left, |&fill| fill <= threshold),
            left,
            right,
        },
    };
    let tree =
        |(factor, tree): &(f64, Rc<SumTree>)| Tree { nodes: tree.nodes.iter().map(|of| node(of, *factor)).collect() };
    let trees = sum.trees.iter().map(tree).collect();
    let trees = Trees::new(n_features, sum.base as f32, link, trees).map_err(OnnxError::from)?;
    let rounding = rounding(sum, &trees);
    Ok(Converted { model: Model::Trees(trees), rounding, link })
}

/// The most that leaves of all trees and the base can be off together.
fn rounding(sum: &Sum, trees: &Trees) -> f64 {
    let off = |(tree, (factor, of_file)): (&Tree, &(f64, Rc<SumTree>))| {
        let nodes = tree.nodes.iter().zip(&of_file.nodes);
        let off = |nodes: (&Node, &SumNode)| match nodes {
            (Node::Leaf { value }, SumNode::Leaf(of_file)) => (f64::from(*value) - of_file * factor).abs(),
            _ => 0.0,
        };
        nodes.map(off).fold(0.0, f64::max)
    };
    let of_trees: f64 = trees.trees().iter().zip(&sum.trees).map(off).sum();
    of_trees + (f64::from(trees.base()) - sum.base).abs()
}
