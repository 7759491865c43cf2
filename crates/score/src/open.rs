//! From a bundle to a scorer that gives the bundle's numbers on this machine.

use std::path::Path;

use bellwether_bundle::Bundle;
use bellwether_core::FeatureSchema;

use crate::{Kernel, ScoreError, Scorer, ScorerParts};

impl Scorer {
    /// Opens and verifies the bundle in folder `path`, and replays rows of its certificate: all, or as many as take
    /// milliseconds.
    ///
    /// # Errors
    /// [`ScoreError::Bundle`] if the bundle is refused, [`ScoreError::Parity`] if this machine computes another number
    /// than the bundle says, and the errors of [`Scorer::from_parts`].
    pub fn open(path: &Path) -> Result<Self, ScoreError> {
        Self::from_bundle(&Bundle::open(path)?)
    }

    /// A scorer of a bundle that is open, after rows of its certificate were replayed.
    ///
    /// # Errors
    /// As [`Scorer::open`].
    pub fn from_bundle(bundle: &Bundle) -> Result<Self, ScoreError> {
        let scorer = Self::unchecked(bundle)?;
        scorer.replay(bundle.parity(), scorer.sample_of(bundle.parity()))?;
        Ok(scorer)
    }

    /// A scorer of a bundle that is open, before anything was replayed.
    pub(crate) fn unchecked(bundle: &Bundle) -> Result<Self, ScoreError> {
        // The bundle has decoded the graphs, and compared them with its schema and with the digests of its manifest.
        let compile = |place: usize, schema: &FeatureSchema| {
            let (manifest, of) = (bundle.manifest(), &bundle.targets()[place]);
            let graph = manifest.files[&manifest.targets[place].graph].sha256.clone();
            let names = schema.features().iter().map(|feature| feature.name.clone()).collect();
            let digest = schema.digest().as_str().to_owned();
            Ok((graph, Kernel::of(&of.onnx, &bundle.models()[place], names, digest, of.target.to_string())?))
        };
        let parts = ScorerParts {
            schema: bundle.schema().clone(),
            encoding: bundle.encoding().clone(),
            scorecard: bundle.scorecard().model.clone(),
            bands: bundle.scorecard().bands,
            rules: bundle.scorecard().rules.clone(),
            targets: Vec::new(),
            min_coverage: bundle.min_coverage(),
            digest: bundle.digest().clone(),
        };
        let targets = bundle.targets().iter().map(|of| (of.target, of.calibration.clone())).collect();
        Self::compiled(parts, targets, compile)
    }
}
