//! From a bundle to a scorer that gives the bundle's numbers on this machine.

use std::path::Path;

use bellwether_bundle::{Bundle, ParityVectors};
use bellwether_core::FeatureMatrix;

use crate::{ScoreError, Scorer, ScorerParts, ScorerTarget};

impl Scorer {
    /// Opens and verifies the bundle in folder `path`, and replays its parity rows.
    ///
    /// # Errors
    /// [`ScoreError::Bundle`] if the bundle is refused, [`ScoreError::Parity`] if this machine computes another number
    /// than the bundle says, and the errors of [`Scorer::from_parts`].
    pub fn open(path: &Path) -> Result<Self, ScoreError> {
        Self::from_bundle(&Bundle::open(path)?)
    }

    /// A scorer of a bundle that is open, after its parity rows were replayed.
    ///
    /// # Errors
    /// As [`Scorer::open`].
    pub fn from_bundle(bundle: &Bundle) -> Result<Self, ScoreError> {
        let target = |of: &bellwether_bundle::TargetModel| ScorerTarget {
            target: of.target,
            onnx: of.onnx.clone(),
            calibration: of.calibration.clone(),
        };
        let scorer = Self::from_parts(ScorerParts {
            schema: bundle.schema().clone(),
            encoding: bundle.encoding().clone(),
            scorecard: bundle.scorecard().model.clone(),
            bands: bundle.scorecard().bands,
            rules: bundle.scorecard().rules.clone(),
            targets: bundle.targets().iter().map(target).collect(),
            min_coverage: bundle.min_coverage(),
            digest: bundle.digest().clone(),
        })?;
        scorer.replay(bundle.parity())?;
        Ok(scorer)
    }

    /// Checks that the stored rows give the stored numbers, bit for bit.
    ///
    /// # Errors
    /// [`ScoreError::Parity`] for the first row, in order, that does not.
    pub fn replay(&self, stored: &ParityVectors) -> Result<(), ScoreError> {
        let computed = self.parity_vectors(&matrix(stored)?)?;
        if computed == *stored {
            return Ok(());
        }
        (0..stored.rows.len()).try_for_each(|row| check_row(row, stored, &computed))?;
        Err(difference(0, "the list of targets or rows", &format!("{:?}", stored.expected.keys()), "another list"))
    }
}

fn matrix(stored: &ParityVectors) -> Result<FeatureMatrix, ScoreError> {
    let n_features = stored.rows.first().map_or(0, Vec::len);
    let value =
        |row: &Vec<Option<u32>>, column: usize| row.get(column).copied().flatten().map_or(f32::NAN, f32::from_bits);
    let column = |column| stored.rows.iter().map(|row| value(row, column)).collect();
    Ok(FeatureMatrix::from_columns(&(0..n_features).map(column).collect::<Vec<Vec<f32>>>())?)
}

fn check_row(row: usize, stored: &ParityVectors, computed: &ParityVectors) -> Result<(), ScoreError> {
    let same = |what: &str, expected: Option<u64>, found: Option<u64>| {
        let number =
            |bits: Option<u64>| bits.map_or_else(|| "nothing".to_owned(), |bits| format!("{:e}", f64::from_bits(bits)));
        if expected == found { Ok(()) } else { Err(difference(row, what, &number(expected), &number(found))) }
    };
    for (target, expected) in &stored.expected {
        let expected = expected.get(row);
        let found = computed.expected.get(target).and_then(|of_target| of_target.get(row));
        same(&format!("the logit of `{target}`"), expected.map(|of| of.logit_bits), found.map(|of| of.logit_bits))?;
        let probability = format!("the probability of `{target}`");
        same(&probability, expected.map(|of| of.probability_bits), found.map(|of| of.probability_bits))?;
    }
    same("the health score", stored.health_bits.get(row).copied(), computed.health_bits.get(row).copied())?;
    let band = |of: &ParityVectors| of.band.get(row).map_or("nothing", |band| band.name());
    if band(stored) == band(computed) { Ok(()) } else { Err(difference(row, "the band", band(stored), band(computed))) }
}

fn difference(row: usize, what: &str, expected: &str, found: &str) -> ScoreError {
    ScoreError::Parity { row, what: what.to_owned(), expected: expected.to_owned(), found: found.to_owned() }
}
