//! The parity certificate of a model version: rows, and what this machine gives for them.

use std::collections::BTreeMap;

use bellwether_bundle::{ParityInputs, ParityTarget, ParityVectors, background_digest};
use bellwether_core::{Assessment, Background, Digest, FeatureMatrix, Model, RowStatus, Target};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::parity::{certificate_rows, input_rows};
use crate::{ScoreError, Scorer};

/// Random rows of a certificate, beside those that are made for something.
const N_RANDOM: usize = 64;

/// What a scorer gives for some rows, however little is known of them.
pub(crate) struct Numbers {
    pub(crate) logits: BTreeMap<Target, Vec<f64>>,
    pub(crate) probabilities: BTreeMap<Target, Vec<f64>>,
    pub(crate) health: Vec<Assessment>,
    pub(crate) status: Vec<RowStatus>,
}

impl Scorer {
    /// The certificate that a bundle stores: what this scorer gives for
    ///
    /// 1. rows before encoding, with every level (of 62 at most), levels that training did not see, and none;
    /// 2. two rows of which just enough, and just not enough, is known to be scored;
    /// 3. the rows of [`crate::parity_rows_for`] of `models` and the health score, and 64 random ones.
    ///
    /// and, for some of the rows, why the models of main horizons say so, as far as covers or `background` tell.
    ///
    /// `models` are what the targets' graphs hold, in any order. Equal arguments give equal rows.
    ///
    /// # Errors
    /// As [`Scorer::score`] and [`crate::Explainer::contributions`], on these rows.
    ///
    /// # Panics
    /// If there is no model, or one that reads another number of features.
    pub fn certify(
        &self,
        models: &[(Target, &Model)],
        background: Option<&Background>,
        seed: u64,
    ) -> Result<ParityVectors, ScoreError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let only_models: Vec<&Model> = models.iter().map(|(_, model)| *model).collect();
        let (rows, edges) = certificate_rows(&only_models, self.health_model(), &mut rng, N_RANDOM);
        let inputs = input_rows(self.encoding(), &edges, &mut rng);
        let encoded = self.encoding().encode(&inputs)?;
        let full = rows.select(&[1]);
        let x = stacked(&[&encoded, &self.at_least_coverage(&full)?, &rows])?;
        let mut vectors = self.parity_vectors(&x)?;
        vectors.inputs = ParityInputs::of(&inputs);
        vectors.background = background_digest(background)?;
        for &(target, model) in models {
            if let Some(of_target) = vectors.targets.get_mut(&target) {
                of_target.reasons = self.parity_reasons(target, model, background, &x)?;
            }
        }
        Ok(vectors)
    }

    /// What this scorer gives for the rows of `x`, none of which is one before encoding, without reasons.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn parity_vectors(&self, x: &FeatureMatrix) -> Result<ParityVectors, ScoreError> {
        let Numbers { logits, probabilities, health, status } = self.numbers(x)?;
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
        let mut targets = BTreeMap::new();
        for (target, logits) in &logits {
            let of_target = ParityTarget {
                graph: self.graphs()[target].clone(),
                logit_bits: bits(logits),
                probability_bits: bits(&probabilities[target]),
                leaf_digests: match self.kernel(*target) {
                    Some(kernel) => leaf_digests(&kernel.leaves(x)?, kernel.n_trees()),
                    None => Vec::new(),
                },
                reasons: None,
            };
            targets.insert(*target, of_target);
        }
        Ok(ParityVectors {
            inputs: ParityInputs::default(),
            columns: ParityVectors::bits_of(x),
            targets,
            health_bits: health.iter().map(|found| found.score.to_bits()).collect(),
            band: health.iter().map(Assessment::band).collect(),
            status,
            background: background_digest(None)?,
        })
    }

    pub(crate) fn numbers(&self, x: &FeatureMatrix) -> Result<Numbers, ScoreError> {
        let coverage = self.coverage_of(x)?;
        let health = self.health(x);
        let logits = self.logits(x)?;
        let probabilities = self.probabilities_of(&logits);
        let status = self.statuses(&coverage, &health);
        Ok(Numbers { logits, probabilities, health, status })
    }

    /// `full`, a row of which everything is known, with its front columns missing: as many as may be, and one more
    /// that counts.
    fn at_least_coverage(&self, full: &FeatureMatrix) -> Result<FeatureMatrix, ScoreError> {
        let n_features = full.n_cols();
        let without = |n_missing: usize| {
            let value = |column| if column < n_missing { f32::NAN } else { full.value(0, column) };
            FeatureMatrix::from_columns(&(0..n_features).map(|column| vec![value(column)]).collect::<Vec<_>>())
        };
        let mut last_scored = without(0)?;
        for n_missing in 1..=n_features {
            let row = without(n_missing)?;
            if self.numbers(&row)?.status[0] == RowStatus::InsufficientData {
                return stacked(&[&last_scored, &row]);
            }
            last_scored = row;
        }
        // Everything may be missing.
        Ok(last_scored)
    }
}

/// For each tree the digest of every row's leaf, of `leaves` row after row.
pub(crate) fn leaf_digests(leaves: &[u32], n_trees: usize) -> Vec<Digest> {
    let of_tree = |tree: usize| {
        let leaves = leaves.iter().skip(tree).step_by(n_trees);
        Digest::of(&leaves.flat_map(|leaf| leaf.to_le_bytes()).collect::<Vec<u8>>())
    };
    (0..n_trees).map(of_tree).collect()
}

/// The rows of all, one matrix after the other.
fn stacked(all: &[&FeatureMatrix]) -> Result<FeatureMatrix, ScoreError> {
    let n_cols = all.first().map_or(0, |x| x.n_cols());
    let column = |column| all.iter().flat_map(|x| x.column(column)).copied().collect();
    Ok(FeatureMatrix::from_columns(&(0..n_cols).map(column).collect::<Vec<Vec<f32>>>())?)
}
