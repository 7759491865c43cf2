//! Leaves with too many conditions for a table: each row's contributions are computed.

use super::leaf::{Leaf, factor};
use super::lookup::LANES;
use super::quadrature::Quadrature;
use super::ranks::{MISSING, Ranks};

/// Rows that are computed together.
const WIDTH: usize = 16;

/// A leaf whose conditions are on ranks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeepLeaf {
    conditions: Vec<RankCondition>,
    nodes: Vec<DeepNode>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct RankCondition {
    slot: usize,
    /// Known ranks that meet it; none where the first is above the last.
    first: u8,
    last: u8,
    missing: bool,
}

/// One node of the quadrature against one reference.
#[derive(Debug, Clone, PartialEq)]
struct DeepNode {
    value: f64,
    /// For each condition the factor where it is not met, and what is added where it is.
    factors: Vec<[f64; 2]>,
    /// What the product is multiplied by for a condition that is met.
    met: Vec<f64>,
    /// What it is multiplied by for one that is not.
    unmet: f64,
}

impl DeepLeaf {
    pub(super) fn new(leaf: &Leaf, ranks: &Ranks) -> Self {
        let condition = |of: &super::leaf::Condition| RankCondition {
            slot: ranks.slot(of.feature),
            first: if of.above == f32::NEG_INFINITY { 0 } else { ranks.bound(of.feature, of.above) + 1 },
            last: if of.through == f32::INFINITY { MISSING - 1 } else { ranks.bound(of.feature, of.through) },
            missing: of.missing,
        };
        let quadrature = Quadrature::for_players(leaf.conditions.len());
        let mut nodes = Vec::new();
        for reference in &leaf.references {
            for (&node, &weight) in quadrature.nodes.iter().zip(&quadrature.weights) {
                nodes.push(DeepNode {
                    value: leaf.value * reference.weight * weight,
                    factors: reference.shares.iter().map(|share| [share * (1.0 - node), node]).collect(),
                    met: reference.shares.iter().map(|&share| factor(share, node, true)).collect(),
                    unmet: factor(0.0, node, false),
                });
            }
        }
        Self { conditions: leaf.conditions.iter().map(condition).collect(), nodes }
    }

    /// Tells `give` what each condition's feature, by its slot, gets in rows `first_row` to `first_row + LANES`.
    #[inline(always)]
    pub(super) fn contributions(
        &self,
        ranks: impl Fn(usize) -> [u8; LANES],
        scratch: &mut Vec<[[f64; WIDTH]; 2]>,
        mut give: impl FnMut(usize, usize, &[f64; WIDTH]),
    ) {
        for part in 0..LANES / WIDTH {
            scratch.clear();
            for condition in &self.conditions {
                let ranks = ranks(condition.slot);
                let ranks: &[u8] = &ranks[part * WIDTH..(part + 1) * WIDTH];
                let mut met = [0.0; WIDTH];
                for (met, &rank) in met.iter_mut().zip(ranks) {
                    let is_met =
                        (rank >= condition.first) & (rank <= condition.last) | ((rank == MISSING) & condition.missing);
                    *met = f64::from(u8::from(is_met));
                }
                scratch.push([met, [0.0; WIDTH]]);
            }
            let mut of_unmet = [0.0; WIDTH];
            for node in &self.nodes {
                let mut product = [node.value; WIDTH];
                for ([met, _], [share, more]) in scratch.iter().zip(&node.factors) {
                    for (product, met) in product.iter_mut().zip(met) {
                        *product *= share + met * more;
                    }
                }
                for (sum, product) in of_unmet.iter_mut().zip(&product) {
                    *sum += product * node.unmet;
                }
                for ([_, sum], factor) in scratch.iter_mut().zip(&node.met) {
                    for (sum, product) in sum.iter_mut().zip(&product) {
                        *sum += product * factor;
                    }
                }
            }
            for (condition, [met, sum]) in self.conditions.iter().zip(scratch.iter()) {
                let mut given = [0.0; WIDTH];
                for (((given, met), sum), of_unmet) in given.iter_mut().zip(met).zip(sum).zip(&of_unmet) {
                    *given = if *met == 1.0 { *sum } else { *of_unmet };
                }
                give(condition.slot, part * WIDTH, &given);
            }
        }
    }
}
