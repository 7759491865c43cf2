//! `manifest.json`: what the bundle is, and size and digest of every other file.

use std::collections::BTreeMap;

use bellwether_core::{Calibration, Digest, Target};
use serde::{Deserialize, Serialize};

use crate::{BundleError, json};

/// The largest manifest that is read, in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 16 << 20;

pub(crate) const MANIFEST: &str = "manifest.json";

/// A version of the bundle's layout. Every version has a `manifest.json` with `format` and `readable_from`, and a
/// `manifest.sha256` beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BundleFormat(pub u32);

impl BundleFormat {
    /// The layout that this release writes, and the only one that it reads.
    pub const CURRENT: Self = Self(3);

    /// The first release that reads [`BundleFormat::CURRENT`].
    pub const CURRENT_READABLE_FROM: &str = "0.1.0";
}

/// `manifest.json`. The SHA-256 of its bytes is the bundle's digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The layout.
    pub format: BundleFormat,
    /// The first release that reads this layout.
    pub readable_from: String,
    /// The bundle's name.
    pub name: String,
    /// The digest of the feature schema, which the graphs must have too.
    pub schema_digest: Digest,
    /// The targets.
    pub targets: Vec<TargetEntry>,
    /// The share of features that must be known, in `0.0..=1.0`.
    pub min_coverage: f64,
    /// Every other file by its path, `/` between its parts.
    pub files: BTreeMap<String, FileEntry>,
}

/// A target in the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetEntry {
    /// What is predicted.
    pub target: Target,
    /// The learner's name.
    pub learner: String,
    /// The graph's file.
    pub graph: String,
    /// From the graph's logit to a probability.
    pub calibration: Calibration,
}

/// A file in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The digest of its bytes.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
}

/// What every format has, so that a later one can be named.
#[derive(Deserialize)]
struct Head {
    format: BundleFormat,
    readable_from: Option<String>,
}

impl Manifest {
    /// Reads the bytes of a `manifest.json` of [`BundleFormat::CURRENT`].
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let head: Head = json::parse(MANIFEST, bytes)?;
        if head.format != BundleFormat::CURRENT {
            return Err(BundleError::Format {
                found: head.format,
                readable_from: head.readable_from.unwrap_or_else(|| "another".to_owned()),
            });
        }
        json::parse_canonical(MANIFEST, bytes)
    }
}
