//! The rules that contents obey, checked before they are written and after they are read.

use std::collections::BTreeSet;

use bellwether_core::{Digest, Encoding, FeatureSchema, InputKind, Model, Target};
use bellwether_health::Scorecard;

use crate::manifest::MANIFEST;
use crate::{BundleContents, BundleError, ParityVectors, Provenance, TargetModel, check_name};

pub(crate) const BOOK: &str = "book.toml";
pub(crate) const EVALUATION: &str = "evaluation.json";
pub(crate) const FEATURES: &str = "features.json";
pub(crate) const PARITY: &str = "parity.json";
pub(crate) const PROVENANCE: &str = "provenance.json";
pub(crate) const READINESS: &str = "readiness.json";
pub(crate) const REVENUE: &str = "revenue.json";
pub(crate) const SCORECARD: &str = "scorecard.json";

/// The files of every bundle beside the manifest and the graphs.
pub(crate) const FIXED: [&str; 6] = [BOOK, EVALUATION, FEATURES, PARITY, PROVENANCE, SCORECARD];

/// Files that a bundle may have beside these, and that are read where it has.
pub(crate) const OPTIONAL: [&str; 2] = [READINESS, REVENUE];

/// What contents that obey the rules turn out to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    pub(crate) schema: FeatureSchema,
    /// The graph of each target, read.
    pub(crate) models: Vec<Model>,
}

/// The file of a target's graph.
pub(crate) fn graph_file(target: &TargetModel) -> String {
    format!("{}.onnx", target.target)
}

pub(crate) fn check(contents: &BundleContents) -> Result<Checked, BundleError> {
    check_name(&contents.name)?;
    if !(0.0..=1.0).contains(&contents.min_coverage) {
        return broken(MANIFEST, format!("min_coverage is {}; it must lie in 0..=1", contents.min_coverage));
    }
    let schema = check_encoding(&contents.encoding)?;
    for (file, card) in [(SCORECARD, Some(&contents.scorecard)), (READINESS, contents.readiness.as_ref())] {
        let check = |card: &Scorecard| card.validate().and_then(|()| card.check_schema(&schema));
        card.map_or(Ok(()), check).or_else(|error| broken(file, error.to_string()))?;
    }
    let models = check_targets(&contents.targets, &schema)?;
    if let Some(revenue) = &contents.revenue {
        let targets: Vec<Target> = contents.targets.iter().map(|of| of.target).collect();
        revenue.validate(&targets).or_else(|error| broken(REVENUE, error.to_string()))?;
    }
    check_provenance(&contents.provenance)?;
    check_parity(&contents.parity, contents, &schema)?;
    Ok(Checked { schema, models })
}

fn broken<T>(file: &str, rule: String) -> Result<T, BundleError> {
    Err(BundleError::Rule { file: file.to_owned(), rule })
}

fn check_encoding(encoding: &Encoding) -> Result<FeatureSchema, BundleError> {
    for input in &encoding.inputs {
        if let InputKind::Levels { levels, .. } = &input.kind
            // Texts are looked up by binary search.
            && let Some(pair) = levels.windows(2).find(|pair| pair[0] >= pair[1])
        {
            let rule =
                format!("level `{}` of `{}` stands after `{}`; levels must be sorted", pair[1], input.name, pair[0]);
            return broken(FEATURES, rule);
        }
    }
    encoding.schema().or_else(|error| broken(FEATURES, error.to_string()))
}

fn check_targets(targets: &[TargetModel], schema: &FeatureSchema) -> Result<Vec<Model>, BundleError> {
    if targets.is_empty() {
        return broken(MANIFEST, "there is no target; a bundle has at least one".to_owned());
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = targets.iter().find(|target| !seen.insert(target.target)) {
        return broken(MANIFEST, format!("target `{}` stands twice; each has one model", twice.target));
    }
    targets.iter().map(|target| check_target(target, schema)).collect()
}

fn check_target(target: &TargetModel, schema: &FeatureSchema) -> Result<Model, BundleError> {
    if target.learner.is_empty() {
        return broken(MANIFEST, format!("target `{}` has a learner without a name", target.target));
    }
    target.calibration.validate().or_else(|error| broken(MANIFEST, format!("target `{}`: {error}", target.target)))?;
    let file = graph_file(target);
    let graph =
        bellwether_onnx::decode(&target.onnx).map_err(|source| BundleError::Graph { file: file.clone(), source })?;
    let equal = |what: &'static str, expected: &str, found: &str| {
        let mismatch = || BundleError::Mismatch {
            file: file.clone(),
            what,
            expected: format!("`{expected}`"),
            found: format!("`{found}`"),
        };
        if expected == found { Ok(()) } else { Err(mismatch()) }
    };
    equal("the target", &target.target.to_string(), &graph.target)?;
    equal("the schema digest", schema.digest().as_str(), &graph.schema_digest)?;
    equal("the number of features", &schema.len().to_string(), &graph.model.n_features().to_string())?;
    equal("the number of feature names", &schema.len().to_string(), &graph.feature_names.len().to_string())?;
    for (feature, found) in schema.features().iter().zip(&graph.feature_names) {
        equal("a feature name", &feature.name, found)?;
    }
    Ok(graph.model)
}

fn check_provenance(provenance: &Provenance) -> Result<(), BundleError> {
    let is_digest = |digest: &Digest| {
        let digits = digest.as_str().as_bytes();
        digits.len() == 64 && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let digests = provenance.sources.values().map(|source| &source.digest);
    let digests = digests.chain(provenance.imported.values().map(|of| &of.file)).chain([&provenance.config_digest]);
    match digests.into_iter().find(|digest| !is_digest(digest)) {
        Some(digest) => {
            broken(PROVENANCE, format!("`{digest}` is no digest; a digest has 64 lower-case hexadecimal digits"))
        }
        None => Ok(()),
    }
}

fn check_parity(parity: &ParityVectors, contents: &BundleContents, schema: &FeatureSchema) -> Result<(), BundleError> {
    let (n_rows, n_features) = (parity.rows.len(), schema.len());
    if n_rows == 0 {
        return broken(PARITY, "there is no row; a bundle has at least one, to be checked with".to_owned());
    }
    for (row, values) in parity.rows.iter().enumerate() {
        if values.len() != n_features {
            return broken(PARITY, format!("row {row} has {} values; there are {n_features} features", values.len()));
        }
        if let Some(bits) = values.iter().flatten().find(|&&bits| !f32::from_bits(bits).is_finite()) {
            return broken(PARITY, format!("row {row} has {}; a value is finite or null", f32::from_bits(*bits)));
        }
    }
    let targets: BTreeSet<_> = contents.targets.iter().map(|target| target.target).collect();
    if !parity.expected.keys().eq(&targets) {
        return broken(PARITY, "its targets are not the bundle's targets".to_owned());
    }
    for (target, expected) in &parity.expected {
        if expected.len() != n_rows {
            return broken(PARITY, format!("target `{target}` has {} rows where there are {n_rows}", expected.len()));
        }
        for (row, of_row) in expected.iter().enumerate() {
            let (logit, p) = (f64::from_bits(of_row.logit_bits), f64::from_bits(of_row.probability_bits));
            if !(logit.is_finite() && (0.0..=1.0).contains(&p)) {
                let rule = format!("row {row} of `{target}` expects logit {logit} and probability {p}; neither can be");
                return broken(PARITY, rule);
            }
        }
    }
    if parity.health_bits.len() != n_rows || parity.band.len() != n_rows {
        let rule = format!("{} scores and {} bands for {n_rows} rows", parity.health_bits.len(), parity.band.len());
        return broken(PARITY, rule);
    }
    let model = contents.scorecard.health_model();
    for (row, (&bits, &band)) in parity.health_bits.iter().zip(&parity.band).enumerate() {
        let health = f64::from_bits(bits);
        let value = |feature: usize| parity.rows[row][feature].map_or(f32::NAN, f32::from_bits);
        if !(0.0..=100.0).contains(&health) || model.assess(value).bands.band(health) != band {
            return broken(PARITY, format!("row {row} expects health {health} in band {}; it cannot be", band.name()));
        }
    }
    Ok(())
}
