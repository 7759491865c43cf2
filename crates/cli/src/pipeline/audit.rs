//! The audit of a prepared book, and what may be trained on.

use bellwether_book::{Audit, FeatureDay, FeatureDays, Finding, Severity};
use bellwether_core::Progress;
use bellwether_report::{AuditReport, DayCell, DaysRow, FindingRow, MonthsRow};

use crate::failure::{Failure, Unexpected as _};
use crate::output::grouped;
use crate::pipeline::prepare::Built;

/// Audits a book, also one that can't be split or learnt from.
pub(crate) fn of(built: &Built, seed: u64, progress: &dyn Progress) -> Result<Audit, Failure> {
    let split = built.book.split(&built.table, seed).ok();
    Ok(built.book.audit(&built.table, split.as_ref(), seed, progress)?)
}

/// The audit as one page with plots.
pub(crate) fn page(built: &Built, audit: &Audit) -> Result<String, Failure> {
    let (book, replay) = (&built.book, audit.replay);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let n_waived = audit.findings.iter().filter(|found| found.waived.is_some()).count();
    let report = AuditReport {
        title: format!("{}: audit", book.file().config.name.get_ref()),
        facts: vec![
            fact("Accounts", grouped(book.n_accounts())),
            fact("Rows (a customer on a snapshot day)", grouped(built.table.n_rows())),
            fact("Features", grouped(built.table.raw.columns.len())),
            fact("Data until", if book.has_time() { book.data_end().to_string() } else { "(no dates)".into() }),
            fact(
                "Built again without what came later",
                format!("{} values, of which {} differ", grouped(replay.n_values), grouped(replay.n_different)),
            ),
            fact("Findings that book.toml waives", grouped(n_waived)),
        ],
        findings: audit.findings.iter().map(finding_row).collect(),
        sources: audit
            .sources
            .iter()
            .map(|source| MonthsRow { name: source.name.clone(), months: source.months.clone() })
            .collect(),
        features: audit.features.iter().map(days_row).collect(),
    };
    Ok(bellwether_report::render_audit(&report).unexpected("drawing the audit")?.html)
}

fn finding_row(found: &Finding) -> FindingRow {
    FindingRow {
        id: found.id.clone(),
        severity: found.severity.name(),
        summary: found.summary.clone(),
        evidence: found.evidence.clone(),
        advice: found.advice.clone(),
        waived: found.waived.clone(),
    }
}

fn days_row(feature: &FeatureDays) -> DaysRow {
    let cell = |day: &FeatureDay| DayCell { day: day.day, missing_share: day.missing_share, psi: day.psi };
    DaysRow { name: feature.name.clone(), days: feature.days.iter().map(cell).collect() }
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
        waivers.collect::<Vec<_>>().concat()
    );
    Err(Failure::refused(format!("the audit found {errors}:{}", told.collect::<Vec<_>>().concat()), &hint))
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
