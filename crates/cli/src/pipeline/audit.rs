//! The audit of a prepared book, and what may be trained on.

use bellwether_book::{Audit, Finding, Severity};
use bellwether_core::Progress;

use crate::failure::Failure;
use crate::pipeline::prepare::Prepared;

/// Audits the book that `prepared` was made from.
pub(crate) fn of(prepared: &Prepared, seed: u64, progress: &dyn Progress) -> Result<Audit, Failure> {
    Ok(prepared.book.audit(&prepared.table, Some(&prepared.split), seed, progress)?)
}

/// Refuses findings of severity error that nobody waived.
pub(crate) fn require(audit: &Audit) -> Result<(), Failure> {
    let refused: Vec<&Finding> = audit.refused().collect();
    if refused.is_empty() {
        return Ok(());
    }
    let told = refused.iter().map(|found| format!("\n  {}: {}", found.id, found.summary));
    let waivers = refused.iter().map(|found| {
        let id = serde_json::Value::from(found.id.as_str());
        format!("\n  [[check.waive]]\n  id = {id}\n  reason = \"...\"")
    });
    let n = refused.len();
    let errors = if n == 1 { "1 error" } else { &format!("{n} errors") };
    let hint = format!(
        "correct the data (`bellwether check` says how), or say in book.toml why a finding is accepted:{}",
        waivers.collect::<String>()
    );
    Err(Failure::refused(format!("the audit found {errors}:{}", told.collect::<String>()), &hint))
}

/// A sentence for each warning that nobody waived.
pub(crate) fn warnings(audit: &Audit) -> Vec<String> {
    let is_warning = |found: &&Finding| found.severity == Severity::Warning && found.waived.is_none();
    audit.findings.iter().filter(is_warning).map(|found| format!("{}: {}", found.id, found.summary)).collect()
}

/// A sentence for each finding that is waived.
pub(crate) fn waivers(audit: &Audit) -> Vec<String> {
    let sentence = |found: &Finding| Some(format!("{}: {}", found.id, found.waived.as_ref()?));
    audit.findings.iter().filter_map(sentence).collect()
}
