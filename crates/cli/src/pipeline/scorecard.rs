//! The rules of a scorecard that need no data, before any is read.

use bellwether_book::BookFile;
use bellwether_health::{Severity, lint_spec};

use crate::failure::{Failure, INVALID, SCORECARD_HINT};

/// Refuses what the linter calls an error, as training would after building every feature.
pub(crate) fn require(file: &BookFile) -> Result<(), Failure> {
    let Some(spec) = &file.config.scorecard else { return Ok(()) };
    let found = lint_spec(spec, &file.scorecard_schema());
    match found.into_iter().find(|of| of.rule.severity == Severity::Error) {
        Some(error) => Err(Failure::new(INVALID, anyhow::Error::msg(error.message), Some(SCORECARD_HINT))),
        None => Ok(()),
    }
}
