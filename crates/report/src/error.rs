//! Why a report could not be rendered.

use thiserror::Error;

/// Why a report could not be rendered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A figure could not be drawn.
    #[error("figure `{figure}` could not be drawn")]
    Figure {
        /// Its file in the report's folder.
        figure: String,
        /// What the drawing library said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two targets have one name, so that one's figures would replace the other's.
    #[error("target `{0}` is reported twice; a report has each target once")]
    Duplicate(String),
}
