//! From a report to its files.

use std::collections::{BTreeMap, BTreeSet};

use crate::figures::{self, Figures};
use crate::training::TrainingReport;
use crate::{ReportError, page, practice, scorecard, sections, target};

/// A report's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// GitHub's Markdown; its images are the keys of `figures`.
    pub markdown: String,
    /// SVG texts by their file in the report's folder, such as `figures/churn_90d_roc.svg`.
    pub figures: BTreeMap<String, String>,
    /// The same report as one page: figures inside, no script, no address of anything else.
    pub html: String,
}

/// Renders `report`; equal reports give equal bytes.
///
/// # Errors
/// [`ReportError::Duplicate`] if a target stands twice, [`ReportError::Figure`] if a figure cannot be drawn.
pub fn render(report: &TrainingReport) -> Result<Rendered, ReportError> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = report.targets.iter().find(|of| !seen.insert(of.target)) {
        return Err(ReportError::Duplicate(twice.target.to_string()));
    }
    let mut figures = Figures::new();
    for target in &report.targets {
        figures.append(&mut figures::draw(target)?);
    }
    figures.append(&mut figures::draw_practice(&report.practice)?);
    let markdown = markdown(report);
    let html = page::page(&report.title, &markdown, &figures);
    Ok(Rendered { markdown, figures, html })
}

fn markdown(report: &TrainingReport) -> String {
    let mut parts = vec![sections::opening(report)];
    parts.extend(report.targets.iter().map(target::section));
    parts.extend([
        practice::section(&report.practice),
        scorecard::section(&report.scorecard),
        sections::features(report),
        sections::sources(report),
        sections::pairs("Split", ["part", "rows"], &report.split),
        sections::pairs("Provenance", ["what", "value"], &report.provenance),
    ]);
    parts.join("\n")
}
