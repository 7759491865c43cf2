//! Where a bundle's models come from.

use std::collections::BTreeMap;

use bellwether_core::{Digest, Target};
use serde::{Deserialize, Serialize};

/// What the models were trained with and on. Holds no clock time, path, host name or number of threads, so that
/// the same inputs give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The release that trained them.
    pub bellwether_version: String,
    /// Versions of the crates whose arithmetic is in the models, by name.
    pub crate_versions: BTreeMap<String, String>,
    /// The seed of every random choice.
    pub seed: u64,
    /// The digest of the configuration.
    pub config_digest: Digest,
    /// The sources that were read, by their names in the configuration.
    pub sources: BTreeMap<String, SourceProvenance>,
    /// How rows were split; no rule here.
    pub split: serde_json::Value,
    /// Rules that someone lifted for this training, one sentence each.
    pub waivers: Vec<String>,
    /// Models that other software made, by what they predict.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imported: BTreeMap<Target, ImportedModel>,
}

/// A model that other software made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedModel {
    /// The software that wrote its file, with its version.
    pub producer: String,
    /// The digest of its file, which stands in the bundle as [`ImportedModel::path`] says.
    pub file: Digest,
    /// The features that its inputs are, in the file's order.
    pub features: Vec<String>,
    /// What a missing value counts as where the file does not say, by feature: the mean of the training rows, as
    /// `f32::to_bits`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, u32>,
}

impl ImportedModel {
    /// Where the file of a target's model stands in a bundle.
    pub fn path(target: Target) -> String {
        format!("imported/{target}.onnx")
    }
}

/// What was read from one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceProvenance {
    /// Rows read.
    pub n_rows: u64,
    /// The digest of their values.
    pub digest: Digest,
}
