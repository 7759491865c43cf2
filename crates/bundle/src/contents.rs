//! What a bundle holds.

use std::collections::BTreeMap;

use bellwether_core::{Background, Calibration, Encoding, RevenueChanges, Target};
use bellwether_health::Scorecard;

use crate::{ParityVectors, Provenance};

/// The model of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetModel {
    /// What it predicts; unique in a bundle.
    pub target: Target,
    /// The learner's name, such as `boosted`.
    pub learner: String,
    /// The graph, as `bellwether_onnx::encode` writes it.
    pub onnx: Vec<u8>,
    /// From the graph's logit to a probability.
    pub calibration: Calibration,
}

/// Everything that [`crate::write()`] puts into a bundle.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleContents {
    /// 1 to 64 ASCII letters, digits, `-` or `_`, beginning with a letter or digit.
    pub name: String,
    /// From raw features to the matrix that the graphs read.
    pub encoding: Encoding,
    /// The health score, over the encoding's schema.
    pub scorecard: Scorecard,
    /// The expansion readiness, over the encoding's schema, where high means likely to expand; `None` where none was
    /// declared.
    pub readiness: Option<Scorecard>,
    /// What a forecast of revenue needs; `None` where the book tells no revenue by day.
    pub revenue: Option<RevenueChanges>,
    /// What scores are explained against; `None` where nobody learnt it.
    pub background: Option<Background>,
    /// At least one; the first of each outcome is its main horizon's.
    pub targets: Vec<TargetModel>,
    /// The share of features, in `0.0..=1.0`, that must be known for a row to be scored.
    pub min_coverage: f64,
    /// The configuration that the models were trained with, as it was.
    pub book_toml: String,
    /// The evidence; no rule here.
    pub evaluation: serde_json::Value,
    /// Where the models come from.
    pub provenance: Provenance,
    /// Rows and the numbers that they must give.
    pub parity: ParityVectors,
    /// Reports and figures by their path in the bundle, `/` between its parts. [`crate::Bundle`] checks and
    /// does not keep them.
    pub extra_files: BTreeMap<String, Vec<u8>>,
}
