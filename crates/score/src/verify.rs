//! Every row of a certificate, in every runtime.

use bellwether_bundle::{Bundle, ParityTarget};
use bellwether_core::{FeatureMatrix, Link, Model, Target, Trees};

use crate::certify::leaf_digests;
use crate::replay::GRAPH_TOLERANCE;
use crate::{Kernel, Reference, Rows, ScoreError, Scorer, SimdPath};

/// Steps over leaves that tract is given for the logits of one graph: some seconds.
const REFERENCE_STEPS: usize = 2_000_000_000;
/// Rows whose logits tract computes, whatever they cost.
const MIN_REFERENCE_ROWS: usize = 256;

/// What computes numbers from a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// [`Kernel`], on each of its instruction sets.
    Native,
    /// [`Reference`], which is tract.
    Tract,
}

/// What a runtime gives beside what the certificate says, for one graph.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeCheck {
    /// Rows whose logits were compared.
    pub n_rows: usize,
    /// How many of them differ by more than the limit.
    pub n_differing: usize,
    /// The largest difference of a logit, relative to `max(1, |logit|)`.
    pub largest_difference: f64,
    /// The largest difference that is no failure: 0 natively but of graphs of other software, and in tract for trees, whose
    /// sums are exact.
    pub limit: f64,
    /// Leaves that were compared: one a tree, in every row of the certificate.
    pub n_leaves: usize,
    /// The trees, from 0, in which some row ends in another leaf.
    pub differing_trees: Vec<usize>,
}

/// A bundle beside its certificate.
#[derive(Debug)]
pub struct Verification<'a> {
    bundle: &'a Bundle,
    scorer: Scorer,
    x: FeatureMatrix,
}

impl Runtime {
    /// Every runtime of this machine.
    pub fn available() -> Vec<Self> {
        vec![Self::Native, Self::Tract]
    }

    /// `native` or `tract`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Tract => "tract",
        }
    }
}

impl RuntimeCheck {
    /// Whether the runtime gives what the certificate says.
    pub fn is_passed(&self) -> bool {
        self.n_differing == 0 && self.differing_trees.is_empty()
    }
}

impl<'a> Verification<'a> {
    /// Compiles the graphs of a bundle; replays nothing yet.
    ///
    /// # Errors
    /// As [`Scorer::from_bundle`], apart from those of the replay.
    pub fn of(bundle: &'a Bundle) -> Result<Self, ScoreError> {
        Ok(Self { bundle, scorer: Scorer::unchecked(bundle)?, x: bundle.parity().matrix()? })
    }

    /// How many rows the certificate has.
    pub fn n_rows(&self) -> usize {
        self.x.n_rows()
    }

    /// How many of them opening the bundle replays.
    pub fn n_sample_rows(&self) -> usize {
        self.scorer.sample_of(self.bundle.parity())
    }

    /// Checks every number but leaves, on every row, natively: encoding, logits, probabilities, health, band, status.
    ///
    /// # Errors
    /// As [`Scorer::replay`].
    pub fn scores(&self) -> Result<(), ScoreError> {
        self.scorer.replay(self.bundle.parity(), self.n_rows())
    }

    /// Explains the rows of the certificate that have reasons again, on each instruction set of this machine; how many rows
    /// that are, over all targets.
    ///
    /// # Errors
    /// As [`crate::Explainer::of_bundle`].
    pub fn reasons(&self) -> Result<usize, ScoreError> {
        self.scorer.replay_reasons(self.bundle)
    }

    /// Compares the logits and leaves of `runtime` with the certificate. Natively in every row; in tract the leaves in
    /// every row, the logits of a large ensemble in the front rows, as its time rises with the square of the trees.
    ///
    /// # Errors
    /// [`ScoreError`] if the bundle has no such target, or the runtime fails.
    pub fn runtime(&self, target: Target, runtime: Runtime) -> Result<RuntimeCheck, ScoreError> {
        let place = self.bundle.targets().iter().position(|of| of.target == target);
        let kernel = self.scorer.kernel(target);
        let (Some(place), Some(kernel), Some(stored)) = (place, kernel, self.bundle.parity().targets.get(&target))
        else {
            return Err(ScoreError::Target { target, n: 0 });
        };
        let model = &self.bundle.models()[place];
        match runtime {
            Runtime::Native => self.native(kernel, stored),
            Runtime::Tract => self.tract(&Reference::new(&self.bundle.targets()[place].onnx)?, model, stored),
        }
    }

    /// On every instruction set of this machine; the worst of them.
    fn native(&self, kernel: &Kernel, stored: &ParityTarget) -> Result<RuntimeCheck, ScoreError> {
        let leaves = kernel.leaves(&self.x)?;
        let limit = if kernel.is_graph() { GRAPH_TOLERANCE } else { 0.0 };
        let mut worst = compare(stored, &kernel.logits(&self.x)?, &leaves, kernel.n_trees(), limit);
        for path in SimdPath::available() {
            let found =
                compare(stored, &kernel.logits_on(path, &Rows::from(&self.x))?, &leaves, kernel.n_trees(), limit);
            if found.n_differing > worst.n_differing {
                worst = found;
            }
        }
        Ok(worst)
    }

    fn tract(&self, reference: &Reference, model: &Model, stored: &ParityTarget) -> Result<RuntimeCheck, ScoreError> {
        let (n_rows, n_trees) = match model {
            Model::Trees(trees) => (affordable_rows(trees), trees.trees().len()),
            Model::Linear(_) | Model::Scorecard(_) | Model::Graph(_) => (usize::MAX, 0),
        };
        let front: Vec<usize> = (0..n_rows.min(self.n_rows())).collect();
        let logits: Vec<f64> = reference.logits(&self.x.select(&front))?.into_iter().map(f64::from).collect();
        Ok(compare(stored, &logits, &reference.leaves(&self.x)?, n_trees, reference_limit(model)))
    }
}

/// The largest difference of a logit in tract or ONNX Runtime, relative to `max(1, |logit|)`, that is no failure.
const fn reference_limit(model: &Model) -> f64 {
    match model {
        Model::Trees(trees) => match trees.link() {
            Link::Logit => 0.0,
            Link::Probability => 1e-6,
        },
        Model::Linear(_) | Model::Scorecard(_) => 1e-5,
        Model::Graph(_) => GRAPH_TOLERANCE,
    }
}

/// For each tree of a row, tract 0.23 steps over the leaves of all trees before it.
fn affordable_rows(trees: &Trees) -> usize {
    let n_nodes: usize = trees.trees().iter().map(|tree| tree.nodes.len()).sum();
    (REFERENCE_STEPS / (trees.trees().len() * n_nodes / 4).max(1)).max(MIN_REFERENCE_ROWS)
}

fn compare(stored: &ParityTarget, logits: &[f64], leaves: &[u32], n_trees: usize, limit: f64) -> RuntimeCheck {
    let difference = |(found, &bits): (&f64, &u64)| {
        let expected = f64::from_bits(bits);
        let difference = (found - expected).abs() / expected.abs().max(1.0);
        // A NaN must not hide behind `max`.
        if difference.is_nan() { f64::INFINITY } else { difference }
    };
    let differences: Vec<f64> = logits.iter().zip(&stored.logit_bits).map(difference).collect();
    let digests = leaf_digests(leaves, n_trees);
    let n_known = digests.len().max(stored.leaf_digests.len());
    RuntimeCheck {
        n_rows: logits.len(),
        n_differing: differences.iter().filter(|&&difference| difference > limit).count(),
        largest_difference: differences.into_iter().fold(0.0, f64::max),
        limit,
        n_leaves: leaves.len(),
        differing_trees: (0..n_known).filter(|&tree| digests.get(tree) != stored.leaf_digests.get(tree)).collect(),
    }
}
