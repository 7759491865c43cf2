//! Configuration errors that point at their line.

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// A `book.toml` that can't be used.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path} can't be read")]
    #[diagnostic(help("name a folder's book.toml with --book; `bellwether init` writes one to start from"))]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A line breaks a rule.
    #[error("{message}")]
    Rule {
        /// What is wrong, with the value and the rule.
        message: String,
        /// The whole file.
        #[source_code]
        text: NamedSource<String>,
        /// The place.
        #[label("here")]
        at: SourceSpan,
        /// What to do.
        #[help]
        help: Option<String>,
    },
}
