//! The rules that contents obey, checked before they are written and after they are read.

use std::collections::BTreeSet;

use bellwether_core::{Background, Digest, Encoding, FeatureSchema, InputKind, Model, Target};
use bellwether_health::Scorecard;
use bellwether_onnx::{Decoded, OnnxError};

use crate::manifest::MANIFEST;
use crate::{
    BundleContents, BundleError, InputValues, ParityInput, ParityInputs, ParityReasons, ParityVectors, Provenance,
    TargetModel, check_name, json,
};

pub(crate) const BACKGROUND: &str = "background.json";
pub(crate) const BOOK: &str = "book.toml";
pub(crate) const EVALUATION: &str = "evaluation.json";
pub(crate) const FEATURES: &str = "features.json";
pub(crate) const PARITY: &str = "parity.bin";
pub(crate) const PROVENANCE: &str = "provenance.json";
pub(crate) const READINESS: &str = "readiness.json";
pub(crate) const REVENUE: &str = "revenue.json";
pub(crate) const SCORECARD: &str = "scorecard.json";

/// The files of every bundle beside the manifest and the graphs.
pub(crate) const FIXED: [&str; 6] = [BOOK, EVALUATION, FEATURES, PARITY, PROVENANCE, SCORECARD];

/// Files that a bundle may have beside these, and that are read where it has.
pub(crate) const OPTIONAL: [&str; 3] = [BACKGROUND, READINESS, REVENUE];

/// What contents that obey the rules turn out to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    pub(crate) schema: FeatureSchema,
    /// The graph of each target, read.
    pub(crate) models: Vec<Model>,
}

/// The SHA-256 of `background.json`, by which a certificate names what its reasons are held against; of nothing where there
/// is none.
///
/// # Errors
/// [`BundleError::Json`] for a background that can't be written.
pub fn background_digest(background: Option<&Background>) -> Result<Digest, BundleError> {
    let bytes = background.map(|background| json::canonical(BACKGROUND, background)).transpose()?;
    Ok(Digest::of(&bytes.unwrap_or_default()))
}

/// The file of a target's graph.
pub(crate) fn graph_file(target: &TargetModel) -> String {
    format!("{}.onnx", target.target)
}

/// A graph, read.
pub(crate) type Graph = Result<Decoded, OnnxError>;

/// Graphs are read on so many threads, at most.
const MOST_THREADS: usize = 4;

/// The graph of each target, and what `meanwhile` gives: graphs are the larger part of opening a bundle, and read beside it.
pub(crate) fn read_graphs<T>(targets: &[TargetModel], meanwhile: impl FnOnce() -> T) -> (Vec<Graph>, T) {
    let read = |targets: &[TargetModel]| -> Vec<Graph> {
        targets.iter().map(|target| bellwether_onnx::decode(&target.onnx)).collect()
    };
    std::thread::scope(|scope| {
        let chunks = targets.chunks(targets.len().div_ceil(MOST_THREADS).max(1));
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(move || read(chunk))).collect();
        let other = meanwhile();
        let graphs = threads.into_iter().flat_map(|thread| match thread.join() {
            Ok(graphs) => graphs,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        (graphs.collect(), other)
    })
}

/// `graphs` are [`read_graphs`] of the targets.
pub(crate) fn check(contents: &BundleContents, graphs: Vec<Graph>) -> Result<Checked, BundleError> {
    check_name(&contents.name)?;
    if !(0.0..=1.0).contains(&contents.min_coverage) {
        return broken(MANIFEST, format!("min_coverage is {}; it must lie in 0..=1", contents.min_coverage));
    }
    let schema = check_encoding(&contents.encoding)?;
    for (file, card) in [(SCORECARD, Some(&contents.scorecard)), (READINESS, contents.readiness.as_ref())] {
        let check = |card: &Scorecard| card.validate().and_then(|()| card.check_schema(&schema));
        card.map_or(Ok(()), check).or_else(|error| broken(file, error.to_string()))?;
    }
    let models = check_targets(&contents.targets, graphs, &schema)?;
    let targets: Vec<Target> = contents.targets.iter().map(|of| of.target).collect();
    if let Some(background) = &contents.background {
        background.validate(&targets, schema.len()).or_else(|error| broken(BACKGROUND, error.to_string()))?;
    }
    if let Some(revenue) = &contents.revenue {
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

fn check_targets(
    targets: &[TargetModel],
    graphs: Vec<Graph>,
    schema: &FeatureSchema,
) -> Result<Vec<Model>, BundleError> {
    if targets.is_empty() {
        return broken(MANIFEST, "there is no target; a bundle has at least one".to_owned());
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = targets.iter().find(|target| !seen.insert(target.target)) {
        return broken(MANIFEST, format!("target `{}` stands twice; each has one model", twice.target));
    }
    targets.iter().zip(graphs).map(|(target, graph)| check_target(target, graph, schema)).collect()
}

fn check_target(target: &TargetModel, graph: Graph, schema: &FeatureSchema) -> Result<Model, BundleError> {
    if target.learner.is_empty() {
        return broken(MANIFEST, format!("target `{}` has a learner without a name", target.target));
    }
    target.calibration.validate().or_else(|error| broken(MANIFEST, format!("target `{}`: {error}", target.target)))?;
    let file = graph_file(target);
    let graph = graph.map_err(|source| BundleError::Graph { file: file.clone(), source })?;
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
    let digests = provenance.sources.values().map(|source| &source.digest);
    let digests = digests.chain(provenance.imported.values().map(|of| &of.file)).chain([&provenance.config_digest]);
    match digests.into_iter().find(|digest| digest.to_bytes().is_none()) {
        Some(digest) => {
            broken(PROVENANCE, format!("`{digest}` is no digest; a digest has 64 lower-case hexadecimal digits"))
        }
        None => Ok(()),
    }
}

fn check_parity(parity: &ParityVectors, contents: &BundleContents, schema: &FeatureSchema) -> Result<(), BundleError> {
    let (n_rows, n_features) = (parity.n_rows(), schema.len());
    if n_rows == 0 {
        return broken(PARITY, "there is no row; a bundle has at least one, to be checked with".to_owned());
    }
    if parity.columns.len() != n_features {
        return broken(PARITY, format!("rows have {} values; there are {n_features} features", parity.columns.len()));
    }
    for (of, feature) in parity.columns.iter().zip(schema.features()) {
        check_length(&format!("feature `{}`", feature.name), of.len(), n_rows)?;
        check_numbers(&feature.name, of)?;
    }
    check_inputs(&parity.inputs, n_rows)?;
    let targets: BTreeSet<_> = contents.targets.iter().map(|target| target.target).collect();
    if !parity.targets.keys().eq(&targets) {
        return broken(PARITY, "its targets are not the bundle's targets".to_owned());
    }
    for (target, of) in &parity.targets {
        check_length(&format!("the logit of `{target}`"), of.logit_bits.len(), n_rows)?;
        check_length(&format!("the probability of `{target}`"), of.probability_bits.len(), n_rows)?;
        for (row, (&logit, &p)) in of.logit_bits.iter().zip(&of.probability_bits).enumerate() {
            let (logit, p) = (f64::from_bits(logit), f64::from_bits(p));
            if !(logit.is_finite() && (0.0..=1.0).contains(&p)) {
                let rule = format!("row {row} of `{target}` expects logit {logit} and probability {p}; neither can be");
                return broken(PARITY, rule);
            }
        }
        of.reasons.as_ref().map_or(Ok(()), |reasons| check_reasons(*target, reasons, n_rows, n_features))?;
    }
    let expected = background_digest(contents.background.as_ref())?;
    if parity.background != expected {
        let (expected, found) = (expected.to_string(), parity.background.to_string());
        return Err(BundleError::Mismatch {
            file: PARITY.to_owned(),
            what: "the SHA-256 of background.json",
            expected,
            found,
        });
    }
    check_length("the band", parity.band.len(), n_rows)?;
    check_length("the status", parity.status.len(), n_rows)?;
    let health = parity.health_bits.iter().map(|&bits| f64::from_bits(bits)).enumerate();
    match health.into_iter().find(|(_, health)| !(0.0..=100.0).contains(health)) {
        Some((row, health)) => broken(PARITY, format!("row {row} expects health {health}; it lies in 0..=100")),
        None => Ok(()),
    }
}

fn check_reasons(target: Target, reasons: &ParityReasons, n_rows: usize, n_features: usize) -> Result<(), BundleError> {
    let ParityReasons { rows, expected_bits, contribution_bits } = reasons;
    let is_place = rows.last().is_some_and(|&row| (row as usize) < n_rows) && rows.is_sorted_by(|a, b| a < b);
    if !is_place {
        return broken(PARITY, format!("the rows of the reasons of `{target}` are not some of its {n_rows}, rising"));
    }
    check_length(&format!("the reasons of `{target}`, by feature"), contribution_bits.len(), rows.len() * n_features)?;
    match contribution_bits.iter().chain([expected_bits]).map(|&bits| f64::from_bits(bits)).find(|of| !of.is_finite()) {
        Some(value) => broken(PARITY, format!("a reason of `{target}` is {value}; reasons are finite")),
        None => Ok(()),
    }
}

fn check_inputs(inputs: &ParityInputs, n_rows: usize) -> Result<(), BundleError> {
    if inputs.n_rows > n_rows {
        return broken(PARITY, format!("{} rows before encoding become {n_rows} rows", inputs.n_rows));
    }
    for ParityInput { name, values, .. } in &inputs.columns {
        let n = match values {
            InputValues::Number(bits) => {
                check_numbers(name, bits)?;
                bits.len()
            }
            InputValues::Text(texts) => texts.codes.len(),
        };
        check_length(&format!("input `{name}`"), n, inputs.n_rows)?;
    }
    Ok(())
}

fn check_length(what: &str, found: usize, expected: usize) -> Result<(), BundleError> {
    if found == expected {
        Ok(())
    } else {
        broken(PARITY, format!("{what} has {found} rows where there are {expected}"))
    }
}

fn check_numbers(name: &str, bits: &[u32]) -> Result<(), BundleError> {
    let is_value = |bits: u32| bits == ParityVectors::MISSING || f32::from_bits(bits).is_finite();
    match bits.iter().position(|&bits| !is_value(bits)) {
        Some(row) => {
            let rule = format!(
                "row {row} of `{name}` is {:#010x}; a value is finite or {:#010x}",
                bits[row],
                ParityVectors::MISSING
            );
            broken(PARITY, rule)
        }
        None => Ok(()),
    }
}
