//! Why a file of other software was refused.

use thiserror::Error;

use crate::OnnxError;
use crate::graph::operator_name;
use crate::proto::NodeProto;

/// Why a file of other software was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is too large or cut off, or what it makes is not a valid model.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// An operator that is not understood, or not as it stands there.
    #[error("operator `{operator}` in node {node} (`{name}`): {reason}")]
    Operator {
        /// The node, from 0.
        node: usize,
        /// Its name in the file.
        name: String,
        /// The operator, with the domain where that is not the default.
        operator: String,
        /// Why it is refused.
        reason: String,
    },
    /// An input, or what the graph gives in the end, is none that a model of ours has.
    #[error("{place}: {reason}")]
    Graph {
        /// Where.
        place: String,
        /// Why it is refused.
        reason: String,
    },
}

impl ImportError {
    pub(super) fn graph(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Graph { place: place.into(), reason: reason.into() }
    }

    /// Of the operator at `place` among the nodes.
    pub(super) fn operator(place: usize, node: &NodeProto, reason: String) -> Self {
        Self::Operator { node: place, name: node.name.clone(), operator: operator_name(node), reason }
    }
}
