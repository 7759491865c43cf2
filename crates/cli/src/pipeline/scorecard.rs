//! The rules of a scorecard that need no data, before any is read.

use bellwether_book::BookFile;
use bellwether_health::{LintFinding, Severity, lint_readiness, lint_spec};

use crate::failure::{Failure, INVALID, READINESS_HINT, SCORECARD_HINT};

/// Refuses what the linter calls an error, as training would after building every feature.
pub(crate) fn require(file: &BookFile) -> Result<(), Failure> {
    let (config, schema) = (&file.config, file.scorecard_schema());
    let of_health = config.scorecard.as_ref().map(|spec| lint_spec(spec, &schema));
    let of_readiness = config.readiness.as_ref().map(|spec| lint_readiness(spec, &schema));
    refuse(of_health, SCORECARD_HINT)?;
    refuse(of_readiness, READINESS_HINT)
}

/// Fails with the first error.
fn refuse(found: Option<Vec<LintFinding>>, hint: &str) -> Result<(), Failure> {
    match found.into_iter().flatten().find(|of| of.rule.severity == Severity::Error) {
        Some(error) => Err(Failure::new(INVALID, anyhow::Error::msg(error.message), Some(hint))),
        None => Ok(()),
    }
}
