//! Leaves with too many conditions for a table: each row's contributions are computed.

use super::leaf::{Leaf, factor};
use super::quadrature::Quadrature;
use super::ranks::Ranks;
use crate::kernel::trees::ranks::{LANES, MISSING};

/// Rows that are computed together.
const WIDTH: usize = 8;

/// Nodes of a quadrature that are computed together, at most: their products stay in registers.
const MOST_NODES: usize = 8;

/// A leaf whose conditions are on codes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeepLeaf {
    conditions: Vec<CodeCondition>,
    batches: Vec<Batch>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct CodeCondition {
    slot: usize,
    /// Known codes that meet it; none where the first is above the last.
    first: u8,
    last: u8,
    missing: bool,
}

/// Some nodes of the quadrature, against one reference.
#[derive(Debug, Clone, PartialEq)]
struct Batch {
    n_nodes: usize,
    /// For each node what its product begins with.
    value: Vec<f64>,
    /// For each node what its product is multiplied by for a condition that is not met.
    unmet: Vec<f64>,
    /// For each condition three numbers a node, see [`Factors`].
    factors: Vec<f64>,
}

/// What a condition does to the products of `N` nodes.
struct Factors<'a, const N: usize> {
    /// Where the condition is not met.
    unmet: &'a [f64; N],
    /// What is added to that where it is met.
    more: &'a [f64; N],
    /// What the feature gets of the product, where the condition is met.
    given: &'a [f64; N],
}

/// One condition on [`LANES`] rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfCondition {
    /// 1 where it is met, else 0: products with it take no branch.
    is_met: [f64; LANES],
    /// What its feature gets where it is met.
    sum: [f64; LANES],
}

impl OfCondition {
    pub(super) const NONE: Self = Self { is_met: [0.0; LANES], sum: [0.0; LANES] };
}

impl DeepLeaf {
    pub(super) fn new(leaf: &Leaf, ranks: &Ranks) -> Self {
        let condition = |of: &super::leaf::Condition| CodeCondition {
            slot: ranks.slot(of.feature),
            first: if of.above == f32::NEG_INFINITY { 0 } else { ranks.bound(of.feature, of.above) + 1 },
            last: if of.through == f32::INFINITY { MISSING - 1 } else { ranks.bound(of.feature, of.through) },
            missing: of.missing,
        };
        let quadrature = Quadrature::for_players(leaf.conditions.len());
        let of_nodes = quadrature.nodes.chunks(MOST_NODES).zip(quadrature.weights.chunks(MOST_NODES));
        let batches = leaf.references.iter().flat_map(|reference| {
            of_nodes.clone().map(|(nodes, weights)| {
                let factors = reference.shares.iter().flat_map(|&share| {
                    let unmet = nodes.iter().map(move |node| share * (1.0 - node));
                    unmet.chain(nodes.iter().copied()).chain(nodes.iter().map(move |&node| factor(share, node, true)))
                });
                Batch {
                    n_nodes: nodes.len(),
                    value: weights.iter().map(|weight| leaf.value * reference.weight * weight).collect(),
                    unmet: nodes.iter().map(|&node| factor(0.0, node, false)).collect(),
                    factors: factors.collect(),
                }
            })
        });
        Self { conditions: leaf.conditions.iter().map(condition).collect(), batches: batches.collect() }
    }

    /// Tells `give` what each condition's feature, by its slot, gets in the rows whose codes are given.
    #[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
    #[inline(always)]
    pub(super) fn contributions<'a>(
        &self,
        codes: impl Fn(usize) -> &'a [u8; LANES],
        scratch: &mut Vec<OfCondition>,
        mut give: impl FnMut(usize, &[f64; LANES]),
    ) {
        if scratch.len() < self.conditions.len() {
            scratch.resize(self.conditions.len(), OfCondition::NONE);
        }
        let scratch = &mut scratch[..self.conditions.len()];
        for (&CodeCondition { slot, first, last, missing }, of) in self.conditions.iter().zip(scratch.iter_mut()) {
            let missing = u8::from(missing);
            for (is_met, &code) in of.is_met.iter_mut().zip(codes(slot)) {
                let is_within = u8::from(code >= first) & u8::from(code <= last);
                *is_met = f64::from(is_within | (u8::from(code == MISSING) & missing));
            }
            of.sum = [0.0; LANES];
        }
        let mut of_unmet = [0.0; LANES];
        for batch in &self.batches {
            match batch.n_nodes {
                1 => batch.add::<1>(scratch, &mut of_unmet),
                2 => batch.add::<2>(scratch, &mut of_unmet),
                3 => batch.add::<3>(scratch, &mut of_unmet),
                4 => batch.add::<4>(scratch, &mut of_unmet),
                5 => batch.add::<5>(scratch, &mut of_unmet),
                6 => batch.add::<6>(scratch, &mut of_unmet),
                7 => batch.add::<7>(scratch, &mut of_unmet),
                _ => batch.add::<MOST_NODES>(scratch, &mut of_unmet),
            }
        }
        for (condition, OfCondition { is_met, sum }) in self.conditions.iter().zip(scratch.iter_mut()) {
            for ((sum, is_met), of_unmet) in sum.iter_mut().zip(is_met).zip(&of_unmet) {
                *sum = *is_met * *sum + (1.0 - *is_met) * of_unmet;
            }
            give(condition.slot, sum);
        }
    }
}

impl Batch {
    /// Adds the integrals over `N` nodes.
    #[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
    #[inline(always)]
    fn add<const N: usize>(&self, of_conditions: &mut [OfCondition], of_unmet: &mut [f64; LANES]) {
        let nodes = |numbers: &[f64]| -> [f64; N] { numbers.try_into().expect("there is one number a node") };
        let (value, unmet_factor) = (nodes(&self.value), nodes(&self.unmet));
        for first in (0..LANES).step_by(WIDTH) {
            let mut products = value.map(|value| [value; WIDTH]);
            for (of, factors) in of_conditions.iter().zip(self.factors.chunks_exact(3 * N)) {
                let Factors { more, unmet, .. } = Factors::<N>::of(factors);
                let is_met = part(&of.is_met, first);
                for (products, (&more, &unmet)) in products.iter_mut().zip(more.iter().zip(unmet)) {
                    for (product, is_met) in products.iter_mut().zip(is_met) {
                        *product *= is_met * more + unmet;
                    }
                }
            }
            let mut sum = *part(of_unmet, first);
            for (products, factor) in products.iter().zip(unmet_factor) {
                for (sum, product) in sum.iter_mut().zip(products) {
                    *sum += product * factor;
                }
            }
            of_unmet[first..first + WIDTH].copy_from_slice(&sum);
            for (of, factors) in of_conditions.iter_mut().zip(self.factors.chunks_exact(3 * N)) {
                let mut sum = *part(&of.sum, first);
                for (products, given) in products.iter().zip(Factors::<N>::of(factors).given) {
                    for (sum, product) in sum.iter_mut().zip(products) {
                        *sum += product * given;
                    }
                }
                of.sum[first..first + WIDTH].copy_from_slice(&sum);
            }
        }
    }
}

#[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
#[inline(always)]
fn part(of_lanes: &[f64; LANES], first: usize) -> &[f64; WIDTH] {
    of_lanes[first..first + WIDTH].try_into().expect("the lanes are whole parts")
}

impl<'a, const N: usize> Factors<'a, N> {
    #[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
    #[inline(always)]
    fn of(numbers: &'a [f64]) -> Self {
        let part = |place: usize| numbers[place * N..][..N].try_into().expect("there are three numbers a node");
        Self { unmet: part(0), more: part(1), given: part(2) }
    }
}
