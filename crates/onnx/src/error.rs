//! Why a model could not be written or a file was refused.

use bellwether_core::ModelError;
use thiserror::Error;

/// Why a model could not be written or a file was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// More of something than this crate reads or writes.
    #[error("the graph has {found} {what}; at most {limit} are read")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much there may be.
        limit: usize,
    },
    /// The bytes are not a protobuf message of the right shape, for example because they were cut off.
    #[error("the bytes are not an ONNX file")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An operator that no graph of ours has at this place.
    #[error("operator `{operator}` in node {node}; {expected}")]
    Operator {
        /// The node, from 0.
        node: usize,
        /// Its operator, with the domain where that is not the default.
        operator: String,
        /// What may stand there.
        expected: String,
    },
    /// Written in a format that this release does not know.
    #[error("the file has format `{found}`; this release reads formats {supported}")]
    Format {
        /// The format's name in the file.
        found: String,
        /// The formats that are read.
        supported: &'static str,
    },
    /// A part of the graph or of its metadata is missing or has another form.
    #[error("{place}: {rule}")]
    Graph {
        /// Where.
        place: String,
        /// The rule.
        rule: &'static str,
    },
    /// The model in it is not a valid model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A number that f32 arithmetic in a graph cannot hold.
    #[error("{place} can reach {value:e}; {rule}")]
    Range {
        /// Where.
        place: &'static str,
        /// What it can reach.
        value: f64,
        /// The rule.
        rule: &'static str,
    },
    /// The schema is not the model's.
    #[error("the schema has {found} features where the model reads {expected}")]
    Features {
        /// Features of the schema.
        found: usize,
        /// Features of the model.
        expected: usize,
    },
    /// The model was read, but the file says more, or says it in another way, than the model needs.
    #[error("byte {offset} is not what this model is written as; the file was altered or written by other software")]
    NotCanonical {
        /// The first byte that differs.
        offset: usize,
    },
}

impl OnnxError {
    pub(crate) fn graph(place: impl Into<String>, rule: &'static str) -> Self {
        Self::Graph { place: place.into(), rule }
    }
}
