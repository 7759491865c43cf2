//! The audit log: one JSON line an event, each with the SHA-256 of the line before.

use std::path::Path;

use bellwether_core::Digest;
use serde::{Deserialize, Serialize};

use crate::{RegistryError, files};

pub(crate) const AUDIT: &str = "audit.jsonl";

/// What the first line has for the digest of the line before.
const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditLine {
    /// The SHA-256 of the line before, without its newline.
    pub(crate) previous: String,
    /// RFC 3339.
    pub(crate) at: String,
    pub(crate) actor: String,
    pub(crate) event: AuditEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AuditEvent {
    /// A bundle became a version.
    Registered { name: String, version: u32, digest: Digest },
}

/// A log whose chain was checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AuditLog {
    pub(crate) lines: Vec<AuditLine>,
    /// The SHA-256 of each line.
    pub(crate) digests: Vec<Digest>,
}

impl AuditLog {
    /// Reads and checks the log of a models folder; empty where there is none.
    pub(crate) fn read(models: &Path) -> Result<Self, RegistryError> {
        let bytes = files::read_or_empty(&models.join(AUDIT))?;
        let mut log = Self::default();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                return Err(log.broken("it has no end; a line ends with a newline".to_owned()));
            };
            log.push_checked(&rest[..end])?;
            rest = &rest[end + 1..];
        }
        Ok(log)
    }

    /// Appends an event to the log of a models folder.
    pub(crate) fn append(
        &mut self,
        models: &Path,
        at: &str,
        actor: &str,
        event: AuditEvent,
    ) -> Result<(), RegistryError> {
        let (at, actor, previous) = (at.to_owned(), actor.to_owned(), self.head().to_owned());
        let line = AuditLine { previous, at, actor, event };
        let text = spelled(&line);
        files::append_line(&models.join(AUDIT), &text)?;
        self.digests.push(Digest::of(text.as_bytes()));
        self.lines.push(line);
        Ok(())
    }

    /// The digest that the next line will have for the line before.
    pub(crate) fn head(&self) -> &str {
        self.head_after(self.digests.len())
    }

    /// The digest of the last of the first `n_lines` lines.
    pub(crate) fn head_after(&self, n_lines: usize) -> &str {
        n_lines.checked_sub(1).map_or(NOTHING_BEFORE, |last| self.digests[last].as_str())
    }

    fn push_checked(&mut self, bytes: &[u8]) -> Result<(), RegistryError> {
        let line: AuditLine =
            serde_json::from_slice(bytes).map_err(|error| self.broken(format!("it is no audit line: {error}")))?;
        if line.previous != self.head() {
            let rule = format!("it follows a line with SHA-256 {}; the line before has {}", line.previous, self.head());
            return Err(self.broken(rule));
        }
        if spelled(&line).as_bytes() != bytes {
            return Err(self.broken("it is spelled in another way than it was written".to_owned()));
        }
        self.digests.push(Digest::of(bytes));
        self.lines.push(line);
        Ok(())
    }

    fn broken(&self, rule: String) -> RegistryError {
        RegistryError::Audit { line: self.lines.len() + 1, rule }
    }
}

fn spelled(line: &AuditLine) -> String {
    serde_json::to_string(line).expect("texts and numbers have a JSON form")
}
