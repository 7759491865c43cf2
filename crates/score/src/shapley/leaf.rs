//! One leaf as a game of the features on its path.
//!
//! A row meets each of a leaf's conditions or not. Against a reference, whose features meet them with probabilities
//! `share`, the leaf's expected value with the features of a set `S` known is
//! `value * product over S of z * product over the others of share`, with `z` 1 where the row meets the condition, else 0.
//! The Shapley value of feature `i` of such a product is
//!
//! `value * (z_i - share_i) * integral over u in 0..1 of: product over k != i of (z_k u + share_k (1 - u))`
//!
//! (Owen 1972, multilinear extensions), a polynomial of degree `d - 1`, which Gauss-Legendre quadrature with `d / 2` nodes,
//! rounded up, integrates exactly.

use bellwether_core::{FeatureMatrix, Node, Tree};

use super::quadrature::Quadrature;

/// What a feature must be for a row to stay on the path to a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Condition {
    pub(super) feature: u32,
    /// Values must be above; -inf where there is no limit.
    pub(super) above: f32,
    /// Values must not be above; inf where there is no limit.
    pub(super) through: f32,
    /// Whether a missing value stays on the path.
    pub(super) missing: bool,
}

impl Condition {
    pub(super) fn holds(&self, x: f32) -> bool {
        if x.is_nan() { self.missing } else { self.above < x && x <= self.through }
    }
}

/// Rows that a leaf is compared with: of all weight, `weight` is on rows that meet the conditions with these probabilities.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    pub(super) weight: f64,
    /// One a condition.
    pub(super) shares: Vec<f64>,
}

/// A leaf with one condition for each feature on its path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    pub(super) value: f64,
    /// By rising feature.
    pub(super) conditions: Vec<Condition>,
    /// Their weights total 1.
    pub(super) references: Vec<Reference>,
}

/// Where the references of leaves come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReferenceRows<'a> {
    /// The weight of the training rows that reach each node.
    Covers(&'a [f32]),
    /// These rows, each as it is.
    Rows(&'a FeatureMatrix),
}

impl Leaf {
    /// The leaves of `tree`, in the order of its nodes.
    pub(super) fn of_tree(tree: &Tree, reference: ReferenceRows<'_>) -> Vec<Self> {
        // The path to each node: conditions by rising feature, with the share of the node's rows that met each.
        let mut paths: Vec<Vec<(Condition, f64)>> = vec![Vec::new(); tree.nodes.len()];
        let mut leaves = Vec::new();
        for (at, node) in tree.nodes.iter().enumerate() {
            let path = std::mem::take(&mut paths[at]);
            match *node {
                Node::Leaf { value } => {
                    let (conditions, shares): (Vec<Condition>, Vec<f64>) = path.into_iter().unzip();
                    let references = match reference {
                        ReferenceRows::Covers(_) => vec![Reference { weight: 1.0, shares }],
                        ReferenceRows::Rows(rows) => patterns(&conditions, rows),
                    };
                    leaves.push(Self { value: f64::from(value), conditions, references });
                }
                Node::Split { feature, threshold, missing_left, left, right } => {
                    let share = |child: u32| match reference {
                        ReferenceRows::Covers(covers) => share(covers[child as usize], covers[at]),
                        ReferenceRows::Rows(_) => 1.0,
                    };
                    // Adding 0 makes both zeros one.
                    let threshold = threshold + 0.0;
                    let goes_left =
                        Condition { feature, above: f32::NEG_INFINITY, through: threshold, missing: missing_left };
                    let goes_right =
                        Condition { feature, above: threshold, through: f32::INFINITY, missing: !missing_left };
                    paths[left as usize] = narrowed(&path, goes_left, share(left));
                    paths[right as usize] = narrowed(&path, goes_right, share(right));
                }
            }
        }
        leaves
    }

    /// What the leaf adds to the mean over its references.
    pub(super) fn expected(&self) -> f64 {
        let product = |reference: &Reference| reference.weight * reference.shares.iter().product::<f64>();
        self.value * self.references.iter().map(product).sum::<f64>()
    }

    /// The Shapley value of each condition's feature for a row that meets those whose bit of `pattern` is 1.
    pub(super) fn contributions(&self, pattern: u32, into: &mut [f64]) {
        into.fill(0.0);
        let quadrature = Quadrature::for_players(self.conditions.len());
        let is_met = |place: usize| pattern >> place & 1 == 1;
        for reference in &self.references {
            for (&node, &weight) in quadrature.nodes.iter().zip(&quadrature.weights) {
                let mut product = self.value * reference.weight * weight;
                for (place, &share) in reference.shares.iter().enumerate() {
                    product *= share * (1.0 - node) + if is_met(place) { node } else { 0.0 };
                }
                for (place, (sum, &share)) in into.iter_mut().zip(&reference.shares).enumerate() {
                    *sum += product * factor(share, node, is_met(place));
                }
            }
        }
    }
}

/// `(z - share) / (z u + share (1 - u))`; where the denominator is 0, so is the product that it is multiplied by.
pub(super) fn factor(share: f64, node: f64, is_met: bool) -> f64 {
    if is_met { (1.0 - share) / (share * (1.0 - node) + node) } else { -1.0 / (1.0 - node) }
}

/// The share of a node's rows that go to a child; of a node that no row reaches, both children count alike.
fn share(child: f32, node: f32) -> f64 {
    if node > 0.0 { f64::from(child) / f64::from(node) } else { 0.5 }
}

fn narrowed(path: &[(Condition, f64)], by: Condition, share: f64) -> Vec<(Condition, f64)> {
    let mut path = path.to_vec();
    match path.binary_search_by_key(&by.feature, |(condition, _)| condition.feature) {
        Ok(place) => {
            let (condition, of_node) = &mut path[place];
            condition.above = condition.above.max(by.above);
            condition.through = condition.through.min(by.through);
            condition.missing &= by.missing;
            *of_node *= share;
        }
        Err(place) => path.insert(place, (by, share)),
    }
    path
}

/// The different ways in which rows meet the conditions, with the share of the rows that do.
fn patterns(conditions: &[Condition], rows: &FeatureMatrix) -> Vec<Reference> {
    let met = |row: usize| -> Vec<bool> {
        conditions.iter().map(|condition| condition.holds(rows.value(row, condition.feature as usize))).collect()
    };
    let mut found: Vec<Vec<bool>> = (0..rows.n_rows()).map(met).collect();
    found.sort_unstable();
    let reference = |same: &[Vec<bool>]| Reference {
        weight: same.len() as f64 / rows.n_rows() as f64,
        shares: same[0].iter().map(|&met| f64::from(u8::from(met))).collect(),
    };
    found.chunk_by(|a, b| a == b).map(reference).collect()
}
