//! `index.json`: what the audit log amounts to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bellwether_core::Digest;
use serde::{Deserialize, Serialize};

use crate::audit::{AuditEvent, AuditLog};
use crate::{RegistryError, files};

const FORMAT: u32 = 1;

/// A registered version of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionEntry {
    /// Counts up from 1 in each name.
    pub version: u32,
    /// The bundle's digest.
    pub digest: Digest,
    /// When it was registered, RFC 3339, as it was given.
    pub registered_at: String,
    /// Who registered it, as it was given.
    pub registered_by: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    format: u32,
    /// Lines of the log that are in the index.
    n_audit_lines: usize,
    /// The digest of the last of them: the log's own chain cannot tell that its last line was altered.
    audit_head: String,
    /// Versions in rising order by name.
    pub(crate) bundles: BTreeMap<String, Vec<VersionEntry>>,
}

impl Index {
    /// What the first `n_lines` lines of `log` amount to.
    pub(crate) fn of(log: &AuditLog, n_lines: usize) -> Self {
        let mut bundles = BTreeMap::<String, Vec<VersionEntry>>::new();
        for line in &log.lines[..n_lines] {
            let AuditEvent::Registered { name, version, digest } = &line.event;
            bundles.entry(name.clone()).or_default().push(VersionEntry {
                version: *version,
                digest: digest.clone(),
                registered_at: line.at.clone(),
                registered_by: line.actor.clone(),
            });
        }
        for versions in bundles.values_mut() {
            versions.sort_by_key(|entry| entry.version);
        }
        Self { format: FORMAT, n_audit_lines: n_lines, audit_head: log.head_after(n_lines).to_owned(), bundles }
    }

    pub(crate) fn path(models: &Path) -> PathBuf {
        models.join("index.json")
    }

    /// The index of a models folder, `None` where there is none.
    pub(crate) fn read(models: &Path) -> Result<Option<Self>, RegistryError> {
        let path = Self::path(models);
        let bytes = files::read_or_empty(&path)?;
        if bytes.is_empty() && !path.exists() {
            return Ok(None);
        }
        let index: Self =
            serde_json::from_slice(&bytes).map_err(|source| RegistryError::Index { path: path.clone(), source })?;
        if index.format == FORMAT {
            return Ok(Some(index));
        }
        Err(RegistryError::Disagree(format!("index.json has format {}; this release reads {FORMAT}", index.format)))
    }

    pub(crate) fn replace(&self, models: &Path) -> Result<(), RegistryError> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("texts and numbers have a JSON form");
        bytes.push(b'\n');
        files::replace(&Self::path(models), &bytes)
    }

    /// Checks that the log begins with what the index was made from; the log may go on, after a crash.
    pub(crate) fn check(&self, log: &AuditLog) -> Result<(), RegistryError> {
        let n_lines = self.n_audit_lines;
        if n_lines > log.lines.len() {
            let rule = format!("the index knows {n_lines} lines, the log has {}", log.lines.len());
            return Err(RegistryError::Disagree(rule));
        }
        if self.audit_head != log.head_after(n_lines) {
            let rule =
                format!("line {n_lines} has SHA-256 {}, the index says {}", log.head_after(n_lines), self.audit_head);
            return Err(RegistryError::Disagree(rule));
        }
        if *self == Self::of(log, n_lines) {
            return Ok(());
        }
        Err(RegistryError::Disagree("the index lists other versions than the log".to_owned()))
    }
}
