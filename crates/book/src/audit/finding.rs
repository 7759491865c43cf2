//! What an audit says of one place.

use serde::Serialize;

use crate::config::Waiver;

use super::catalogue::rule;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A model that is trained on this can't be believed; `train` refuses it.
    Error,
    /// A model is worse for it, or someone should look.
    Warning,
    /// Worth knowing.
    Note,
}

/// One thing that is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id and the place, such as `rows-before-start/usage`: the same for the same finding in every audit.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// The source, `source.column`, feature, `feature/target` or part.
    pub place: String,
    /// One sentence with the numbers.
    pub summary: String,
    /// What was counted, by name.
    pub evidence: Vec<(String, String)>,
    /// What to do.
    pub advice: String,
    /// Why it is accepted, where `book.toml` waives it.
    pub waived: Option<String>,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Finding {
    /// A finding of the catalogue's rule `id`.
    pub(super) fn new(id: &'static str, place: &str, severity: Severity, summary: String) -> Self {
        Self {
            id: format!("{id}/{place}"),
            severity,
            place: place.to_owned(),
            summary,
            evidence: Vec::new(),
            advice: rule(id).advice.to_owned(),
            waived: None,
        }
    }

    /// Adds what was counted.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.evidence.push((name.to_owned(), value.to_string()));
        self
    }
}

/// The findings in order, those that a waiver names with its reason; a waiver that names none is a finding itself.
pub(super) fn waived(mut findings: Vec<Finding>, waivers: &[Waiver]) -> Vec<Finding> {
    for waiver in waivers {
        let id = waiver.id.get_ref();
        let mut is_used = false;
        for found in findings.iter_mut().filter(|found| &found.id == id) {
            found.waived = Some(waiver.reason.clone());
            is_used = true;
        }
        if !is_used {
            let summary = format!("book.toml waives `{id}`, which is not found");
            findings.push(Finding::new("waiver-unused", id, Severity::Warning, summary));
        }
    }
    findings.sort_by(|a, b| (a.severity, &a.id).cmp(&(b.severity, &b.id)));
    findings
}

/// `n` of `of` as per cent, with one decimal.
pub(super) fn percent(n: usize, of: usize) -> String {
    format!("{:.1} %", 100.0 * share(n, of))
}

/// `n` of `of`; 0 of nothing.
pub(super) fn share(n: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { n as f64 / of as f64 }
}
