//! The audit of a book: what it says, as plain data, and its page.

use std::fmt::Write as _;

use bellwether_core::Date;

use crate::figures::{self, Figures};
use crate::markdown::{bullets, code, escape, escape_block};
use crate::number::count;
use crate::{Rendered, ReportError, page};

/// All that an audit reports.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditReport {
    /// The heading.
    pub title: String,
    /// What is known of the book as a whole, such as (`accounts`, `2,000`).
    pub facts: Vec<(String, String)>,
    /// What was found, the most severe first.
    pub findings: Vec<FindingRow>,
    /// The sources that have dates.
    pub sources: Vec<MonthsRow>,
    /// The features by snapshot day; empty for a book without dates.
    pub features: Vec<DaysRow>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// Its id.
    pub id: String,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// One sentence.
    pub summary: String,
    /// What was counted, by name.
    pub evidence: Vec<(String, String)>,
    /// What to do.
    pub advice: String,
    /// Why it is accepted, where it is.
    pub waived: Option<String>,
}

/// A source's rows by month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthsRow {
    /// The source.
    pub name: String,
    /// The last day of each month and the rows in it; rising, no month left out.
    pub months: Vec<(Date, usize)>,
}

/// A feature by snapshot day.
#[derive(Debug, Clone, PartialEq)]
pub struct DaysRow {
    /// The feature.
    pub name: String,
    /// The days, rising, the same for each feature.
    pub days: Vec<DayCell>,
}

/// A feature on one snapshot day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayCell {
    /// The day.
    pub day: Date,
    /// Share of the rows without a value, in `0.0..=1.0`.
    pub missing_share: f64,
    /// Population stability index against training rows; `None` where it is undefined.
    pub psi: Option<f64>,
}

/// Renders an audit; equal ones give equal bytes.
///
/// # Errors
/// [`ReportError::Figure`] if a figure cannot be drawn.
pub fn render_audit(report: &AuditReport) -> Result<Rendered, ReportError> {
    let figures = figures::draw_audit(report)?;
    let markdown = markdown(report, &figures);
    let html = page::page(&report.title, &markdown, &figures);
    Ok(Rendered { markdown, figures, html })
}

fn markdown(report: &AuditReport, figures: &Figures) -> String {
    let facts = bullets(report.facts.iter().map(|(name, value)| format!("**{}:** {}", escape(name), escape(value))));
    let mut text = format!("# {}\n\n{facts}", escape(&report.title));
    for (severity, heading) in [("error", "Errors"), ("warning", "Warnings"), ("note", "Notes")] {
        let of_severity: Vec<String> =
            report.findings.iter().filter(|found| found.severity == severity).map(finding).collect();
        let n = of_severity.len();
        let all = if n == 0 { "There are none.\n".to_owned() } else { of_severity.join("\n") };
        let _ = write!(text, "\n## {heading} ({})\n\n{all}", count(n));
    }
    let sections = [
        (
            figures::ROWS,
            "Rows by month",
            "Rows of everybody by the month of their date. A hole is a gap; a fall at the end is a feed that stops.",
        ),
        (
            figures::MISSING,
            "Missing values by day",
            "Share of the rows of a snapshot day without a value. The darker, the more.",
        ),
        (
            figures::DRIFT,
            "Drift by day",
            "Population stability index of a day's values against those of training rows. Full at 2; a dash where \
            nothing is known.",
        ),
    ];
    for (prefix, heading, words) in sections {
        let of_section = figures.keys().filter(|file| file.starts_with(prefix));
        let images = of_section.map(|file| format!("![{heading}]({file})\n")).collect::<Vec<_>>().concat();
        if !images.is_empty() {
            let _ = write!(text, "\n## {heading}\n\n{words}\n\n{images}");
        }
    }
    text
}

fn finding(found: &FindingRow) -> String {
    let mut lines = vec![escape_block(&found.summary)];
    let evidence = found.evidence.iter().map(|(name, value)| format!("{}: {}", escape(name), escape(value)));
    let evidence = evidence.collect::<Vec<_>>().join("; ");
    lines.extend((!evidence.is_empty()).then(|| format!("Counted: {evidence}.")));
    lines.push(format!("To do: {}.", escape(&found.advice)));
    lines.extend(found.waived.as_ref().map(|reason| format!("**Waived:** {}", escape(reason))));
    format!("### {}\n\n{}\n", code(&found.id), bullets(lines.into_iter()))
}
