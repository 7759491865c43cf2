//! A model version, ready to score.

use std::collections::BTreeMap;

use bellwether_core::{
    Assessment, Band, Bands, Calibration, Digest, Encoding, FeatureMatrix, FeatureSchema, HealthModel, HealthRules,
    Outcome, RowStatus, ScorecardModel, Target,
};
use rayon::prelude::*;

use crate::coverage::Coverage;
use crate::horizons::Horizons;
use crate::kernel::{self, for_each_task};
use crate::{Kernel, ScoreError};

/// What a [`Scorer`] is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorerParts {
    /// The features of the graphs in their order.
    pub schema: FeatureSchema,
    /// From raw features to the matrix; it must make `schema`.
    pub encoding: Encoding,
    /// The health score, where there are no rules.
    pub scorecard: ScorecardModel,
    /// The bands of the health score, where there are no rules.
    pub bands: Bands,
    /// What goes beyond a weighted sum of straight lines.
    pub rules: Option<HealthRules>,
    /// One model a target; the first of each outcome is its main horizon's, around which the others are put in order.
    pub targets: Vec<ScorerTarget>,
    /// The share of inputs, in `0.0..=1.0`, that must be known for a row to be scored.
    pub min_coverage: f64,
    /// Names the model version.
    pub digest: Digest,
}

/// The model of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorerTarget {
    /// What it predicts.
    pub target: Target,
    /// The graph, as `bellwether_onnx::encode` writes it.
    pub onnx: Vec<u8>,
    /// From the graph's logit to a probability.
    pub calibration: Calibration,
}

/// A model version, ready to score. What it gives for a row depends on that row alone.
#[derive(Debug, Clone)]
pub struct Scorer {
    pub(crate) schema: FeatureSchema,
    encoding: Encoding,
    pub(crate) health: HealthModel,
    pub(crate) models: BTreeMap<Target, (Kernel, Calibration)>,
    /// The digest of each target's graph.
    graphs: BTreeMap<Target, Digest>,
    pub(crate) horizons: Horizons,
    pub(crate) coverage: Coverage,
    pub(crate) min_coverage: f64,
    digest: Digest,
}

/// What was found for each row, in row order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// What numbers the row has: [`RowStatus::Scored`], [`RowStatus::HealthRefused`] or [`RowStatus::InsufficientData`].
    pub status: Vec<RowStatus>,
    /// The share of the inputs that any model or the scorecard reads that is known, `0.0..=1.0`; a categorical input
    /// counts once.
    pub coverage: Vec<f64>,
    /// The share of the health score's weight whose indicators are known, `0.0..=1.0`.
    pub health_coverage: Vec<f64>,
    /// 0 to 100, higher is healthier; `None` unless the row is scored.
    pub health_score: Vec<Option<f64>>,
    /// The band of the health score; `None` where that is.
    pub band: Vec<Option<Band>>,
    /// Calibrated, `0.0..=1.0`; `None` of a row of which too little is known. No probability of an outcome is above that of a
    /// longer horizon.
    pub probability: BTreeMap<Target, Vec<Option<f64>>>,
    /// What the models gave before calibration, of every row; finite in rows that are scored.
    pub logit: BTreeMap<Target, Vec<f64>>,
}

impl Scorer {
    /// Compiles every graph and checks that all parts speak of one schema.
    ///
    /// # Errors
    /// [`ScoreError`] for a graph, scorecard, calibration or share that is not valid, for a target that stands twice,
    /// and for a graph, scorecard or encoding of another schema or target.
    pub fn from_parts(mut parts: ScorerParts) -> Result<Self, ScoreError> {
        let targets = std::mem::take(&mut parts.targets);
        let of_targets = targets.iter().map(|of| (of.target, of.calibration.clone())).collect();
        Self::compiled(parts, of_targets, |place, schema| {
            let ScorerTarget { target, onnx, .. } = &targets[place];
            Ok((Digest::of(onnx), compile(onnx, schema, *target)?))
        })
    }

    /// [`Scorer::from_parts`] of parts without targets, and of `targets` with the digest of the graph and the kernel that
    /// `compile` gives for each place among them.
    pub(crate) fn compiled(
        parts: ScorerParts,
        targets: Vec<(Target, Calibration)>,
        compile: impl Fn(usize, &FeatureSchema) -> Result<(Digest, Kernel), ScoreError> + Sync,
    ) -> Result<Self, ScoreError> {
        let ScorerParts { schema, encoding, scorecard, bands, rules, min_coverage, digest, .. } = parts;
        if !(0.0..=1.0).contains(&min_coverage) {
            return Err(ScoreError::MinCoverage(min_coverage));
        }
        expect_equal(
            "the encoding",
            "the schema digest",
            schema.digest().as_str(),
            encoding.schema()?.digest().as_str(),
        )?;
        expect_equal("the scorecard", "the number of features", &schema.len(), &scorecard.n_features)?;
        let health = HealthModel { card: scorecard, bands, rules };
        health.validate()?;
        let mut used = vec![false; schema.len()];
        for feature in health.features() {
            used[feature] = true;
        }
        let order: Vec<Target> = targets.iter().map(|&(target, _)| target).collect();
        let compiled: Vec<_> = (0..targets.len()).into_par_iter().map(|place| compile(place, &schema)).collect();
        let (mut graphs, mut models) = (BTreeMap::new(), BTreeMap::new());
        for ((target, calibration), compiled) in targets.into_iter().zip(compiled) {
            calibration.validate()?;
            let (graph, kernel) = compiled?;
            graphs.insert(target, graph);
            for (used, &used_here) in used.iter_mut().zip(kernel.used_features()) {
                *used |= used_here;
            }
            if models.insert(target, (kernel, calibration)).is_some() {
                return Err(ScoreError::Target { target, n: 2 });
            }
        }
        let coverage = Coverage::new(&encoding, &used);
        let horizons = Horizons::new(&order);
        Ok(Self { schema, encoding, health, models, graphs, horizons, coverage, min_coverage, digest })
    }

    /// The features of a matrix in their order.
    pub const fn schema(&self) -> &FeatureSchema {
        &self.schema
    }

    /// From raw features to a matrix.
    pub const fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// The targets that have a model, in order.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.models.keys().copied()
    }

    /// The main horizon of an outcome; `None` where no model predicts the outcome.
    pub fn main_target(&self, outcome: Outcome) -> Option<Target> {
        self.horizons.main(outcome)
    }

    /// The kernel of a target's model.
    pub fn kernel(&self, target: Target) -> Option<&Kernel> {
        self.models.get(&target).map(|(kernel, _)| kernel)
    }

    /// Names the model version.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Scores each row of a matrix that [`Scorer::encoding`] made. A row of which too little is known has no numbers.
    ///
    /// # Errors
    /// [`ScoreError::Features`] for rows of another width, [`ScoreError::NotFinite`] if a model overflows on a row.
    pub fn score(&self, x: &FeatureMatrix) -> Result<Scores, ScoreError> {
        let coverage = self.coverage_of(x)?;
        let is_scored: Vec<bool> = coverage.iter().map(|&coverage| coverage >= self.min_coverage).collect();
        let only_scored = |values: Vec<f64>| -> Vec<Option<f64>> {
            values.into_iter().zip(&is_scored).map(|(value, &scored)| scored.then_some(value)).collect()
        };
        let health = self.health(x);
        let shown = |(found, &scored): (&Assessment, &bool)| (scored && !found.is_refused).then_some(*found);
        let shown: Vec<Option<Assessment>> = health.iter().zip(&is_scored).map(shown).collect();
        let logits = self.logits(x)?;
        for (&target, logits) in &logits {
            let overflown = |(row, logit): (usize, &f64)| is_scored[row] && !logit.is_finite();
            if let Some(row) = logits.iter().enumerate().position(overflown) {
                return Err(ScoreError::NotFinite { target, row, logit: logits[row] });
            }
        }
        let probability = self.probabilities_of(&logits);
        let probability = probability.into_iter().map(|(target, of)| (target, only_scored(of))).collect();
        Ok(Scores {
            status: self.statuses(&coverage, &health),
            coverage,
            health_coverage: health.iter().map(|found| found.coverage).collect(),
            health_score: shown.iter().map(|found| found.map(|found| found.score)).collect(),
            band: shown.iter().map(|found| found.as_ref().map(Assessment::band)).collect(),
            probability,
            logit: logits,
        })
    }

    /// The probabilities of each row, in row order, however little is known of it: what [`Scorer::score`] gives for the
    /// rows that are scored, and what is evaluated.
    ///
    /// # Errors
    /// [`ScoreError::Features`] for rows of another width.
    pub fn probabilities(&self, x: &FeatureMatrix) -> Result<BTreeMap<Target, Vec<f64>>, ScoreError> {
        Ok(self.probabilities_of(&self.logits(x)?))
    }

    /// What becomes of each row.
    pub(crate) fn statuses(&self, coverage: &[f64], health: &[Assessment]) -> Vec<RowStatus> {
        let status =
            |(&coverage, found): (&f64, &Assessment)| status_of(coverage >= self.min_coverage, found.is_refused);
        coverage.iter().zip(health).map(status).collect()
    }

    /// How the health score is computed.
    pub(crate) const fn health_model(&self) -> &HealthModel {
        &self.health
    }

    /// The digest of the graph of each target.
    pub(crate) const fn graphs(&self) -> &BTreeMap<Target, Digest> {
        &self.graphs
    }

    /// The logits of each target, in row order.
    pub(crate) fn logits(&self, x: &FeatureMatrix) -> Result<BTreeMap<Target, Vec<f64>>, ScoreError> {
        self.models.iter().map(|(target, (kernel, _))| Ok((*target, kernel.logits(x)?))).collect()
    }

    /// Calibrated, and in order of horizons.
    pub(crate) fn probabilities_of(&self, logits: &BTreeMap<Target, Vec<f64>>) -> BTreeMap<Target, Vec<f64>> {
        let calibrated = |(target, (_, calibration)): (&Target, &(Kernel, Calibration))| {
            (*target, logits[target].iter().map(|&logit| calibration.probability(logit)).collect())
        };
        let mut probability = self.models.iter().map(calibrated).collect();
        self.horizons.order(&mut probability);
        probability
    }

    /// The share of the inputs that is known in each row.
    pub(crate) fn coverage_of(&self, x: &FeatureMatrix) -> Result<Vec<f64>, ScoreError> {
        let (found, expected) = (x.n_cols(), self.schema.len());
        if found == expected { Ok(self.coverage.of(x)) } else { Err(ScoreError::Features { found, expected }) }
    }

    /// The health of each row.
    pub(crate) fn health(&self, x: &FeatureMatrix) -> Vec<Assessment> {
        let mut health = vec![kernel::UNASSESSED; x.n_rows()];
        for_each_task(&mut health, 1, |first_row, health| kernel::assess(&self.health, x, first_row, health));
        health
    }
}

/// The status of a row of which enough is known or not, and whose health is refused or not.
pub(crate) fn status_of(is_scored: bool, is_refused: bool) -> RowStatus {
    match (is_scored, is_refused) {
        (true, false) => RowStatus::Scored,
        (true, true) => RowStatus::HealthRefused,
        (false, _) => RowStatus::InsufficientData,
    }
}

fn compile(onnx: &[u8], schema: &FeatureSchema, target: Target) -> Result<Kernel, ScoreError> {
    let kernel = Kernel::compile(onnx)?;
    let place = format!("the graph of `{target}`");
    expect_equal(&place, "the target", target.to_string().as_str(), kernel.target())?;
    expect_equal(&place, "the schema digest", schema.digest().as_str(), kernel.schema_digest())?;
    expect_equal(&place, "the number of features", &schema.len(), &kernel.n_features())?;
    for (feature, found) in schema.features().iter().zip(kernel.feature_names()) {
        expect_equal(&place, "a feature name", &feature.name, found)?;
    }
    Ok(kernel)
}

fn expect_equal<T: PartialEq + ToString + ?Sized>(
    place: &str,
    what: &'static str,
    expected: &T,
    found: &T,
) -> Result<(), ScoreError> {
    if expected == found {
        return Ok(());
    }
    let (place, expected, found) = (place.to_owned(), expected.to_string(), found.to_string());
    Err(ScoreError::Mismatch { place, what, expected, found })
}
