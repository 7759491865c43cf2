//! Configuration errors that point at their line.

use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, NamedSource, SourceSpan};
use thiserror::Error;

/// A `book.toml` that can't be used.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path} can't be read")]
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
        text: Arc<NamedSource<String>>,
        /// The place.
        #[label("here")]
        at: SourceSpan,
        /// What to do.
        help: Option<String>,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => {
                Some("name a book.toml with --book; `bellwether init FOLDER` writes one to start from".to_owned())
            }
            Self::Rule { help, .. } => help.clone(),
        }
    }

    /// The error with the line that it points at, without the hint.
    pub fn rendered(&self) -> String {
        let mut text = String::new();
        let theme = GraphicalTheme::unicode_nocolor();
        let handler = GraphicalReportHandler::new_themed(theme).with_width(120).with_links(false);
        match handler.render_report(&mut text, self) {
            Ok(()) => text.trim_end().to_owned(),
            Err(_) => self.to_string(),
        }
    }
}
