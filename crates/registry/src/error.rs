//! Why a registry refused.

use std::path::PathBuf;

use bellwether_bundle::BundleError;
use thiserror::Error;

/// Why nothing was registered or found, or what verification found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The file system refused.
    #[error("{action} `{path}` failed", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The bundle was refused.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The time of registration is no time.
    #[error("`{0}` is no time of RFC 3339 form, such as `2026-11-21T09:30:00Z`")]
    Now(String),
    /// Nobody registers.
    #[error("`{0}` names no one; an actor is 1 to 256 characters without control characters")]
    Actor(String),
    /// A line of the audit log is not the line that was written.
    #[error("audit.jsonl, line {line}: {rule}")]
    Audit {
        /// The line, from 1.
        line: usize,
        /// What was found and the rule.
        rule: String,
    },
    /// The index cannot be read.
    #[error("`{path}` is no index of a models folder", path = .path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The index says other things than the log.
    #[error("index.json and audit.jsonl disagree: {0}")]
    Disagree(String),
    /// There is no such bundle.
    #[error("`{path}` is neither a bundle nor a name in a models folder; {known}", path = .path.display())]
    NotFound {
        /// What was asked for.
        path: PathBuf,
        /// What there is, as a fragment.
        known: String,
    },
    /// The bundle in a version's folder is not the one that was registered.
    #[error("`{path}` holds bundle {found}; bundle {expected} was registered there", path = .path.display())]
    Replaced {
        /// The version's folder.
        path: PathBuf,
        /// The digest in the index.
        expected: String,
        /// The digest found.
        found: String,
    },
}
