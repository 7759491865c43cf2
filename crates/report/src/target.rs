//! The sections of one target.

use crate::coefficients;
use crate::figures::{Figure, MOST_COHORTS};
use crate::markdown::{code, escape};
use crate::number::{Number, count};
use crate::tables;
use crate::training::TargetReport;
use crate::tree_lines;
use crate::words::{did, many, title};

/// All sections of `report`, as Markdown.
pub(crate) fn section(report: &TargetReport) -> String {
    let parts = [
        opening(report),
        learners(report),
        tree(report),
        report.coefficients.as_ref().map_or_else(String::new, coefficients::section),
        ranking(report),
        top(report),
        calibration(report),
        bands(report),
        cohorts(report),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn opening(report: &TargetReport) -> String {
    let all = &report.evaluation.overall;
    format!(
        "## {}\n\n\
         Target `{}`. The bundle holds {}, fitted on {}; its calibration ({}) was chosen on {} that it was not fitted \
         on. All that follows is measured on the test part: {} of {}; in {} ({}) the account {}. Brackets hold 95 % intervals; rows of one \
         account are taken to depend on each other.\n",
        title(report.target),
        report.target,
        code(&report.chosen),
        many(report.n_training, "row"),
        escape(&report.calibration),
        many(report.n_calibration, "row"),
        many(all.n, "row"),
        many(all.n_accounts, "account"),
        many(all.n_events, "row"),
        Number::Percent.estimate(&all.base_rate),
        did(report.target),
    )
}

fn learners(report: &TargetReport) -> String {
    format!(
        "### Learners\n\n\
         The calibration part chooses: the last learner, unless others have clearly less log loss there (by account, each \
         calibrated on other accounts). The test part judges. A difference is paired on the same test rows; where its \
         interval holds 0, the two learners are not shown to differ.\n\n{}\n{}\n{}",
        tables::learners(&report.learners, &report.chosen).markdown(),
        tables::learners_on_test(&report.learners).markdown(),
        figures(report, &[Figure::Learners]),
    )
}

/// The tree of the learner `tree`; nothing where it was not fitted.
fn tree(report: &TargetReport) -> String {
    let Some(tree) = &report.tree else { return String::new() };
    format!(
        "### The tree\n\n\
         The learner `tree` has {}. Rates are of the {} that it was fitted on; probabilities are calibrated on \
         others.\n\n{}\n{}",
        tree.leaves(),
        many(tree.nodes[0].n_rows, "row"),
        figures(report, &[Figure::Tree]),
        tree_lines::leaves(tree).markdown(),
    )
}

fn ranking(report: &TargetReport) -> String {
    let figures = if Figure::Roc.is_defined(report) {
        let figures = figures(report, &[Figure::Roc, Figure::PrecisionRecall]);
        format!("The precision of less than 1 % of the events is noise and not drawn.\n\n{figures}")
    } else {
        "The curves are undefined: the test part has rows of one class only.\n".to_owned()
    };
    let metrics = tables::metrics(&report.evaluation.overall).markdown();
    format!("### Metrics, ROC, precision and recall\n\n{metrics}\n{figures}")
}

fn top(report: &TargetReport) -> String {
    format!(
        "### Top of the ranking\n\n\
         Precision is the share of the rows taken that {did}, recall the share of all that {did} among them, lift the \
         precision over the base rate. The lift of less than 1 % of the rows is noise and not drawn.\n\n{}\n{}",
        tables::top(&report.evaluation.overall.at_k).markdown(),
        figures(report, &[Figure::Lift, Figure::Gain]),
        did = did(report.target),
    )
}

fn calibration(report: &TargetReport) -> String {
    format!(
        "### Calibration\n\n\
         Bins of like probability, of about equal numbers of rows. A bar that misses the diagonal is a bin whose \
         probabilities do not mean what they say.{}\n\n{}\n{}",
        moved(report),
        figures(report, &[Figure::Calibration]),
        tables::bins(&report.evaluation.curves.calibration).markdown(),
    )
}

/// What the order of horizons cost; nothing where no row was moved.
fn moved(report: &TargetReport) -> String {
    if report.n_moved == 0 {
        return String::new();
    }
    format!(
        " An outcome is no likelier within a shorter horizon than within a longer one: on {} of {} the model said \
         otherwise, and its probability was moved towards the main horizon's, here as in every score.",
        count(report.n_moved),
        many(report.evaluation.overall.n, "test row"),
    )
}

fn bands(report: &TargetReport) -> String {
    let by_band = &report.evaluation.by_band;
    let body = if by_band.is_empty() {
        "No bands were evaluated.\n".to_owned()
    } else {
        format!("What became of the rows of each band of the health score.\n\n{}", tables::bands(by_band).markdown())
    };
    format!("### Health bands\n\n{body}")
}

fn cohorts(report: &TargetReport) -> String {
    let cohorts = &report.evaluation.cohorts;
    if cohorts.is_empty() {
        return "### Segments\n\nNo segments are declared.\n".to_owned();
    }
    let shown = if cohorts.len() > MOST_COHORTS {
        format!(" The figure has the {MOST_COHORTS} with the most rows, the table all {}.", count(cohorts.len()))
    } else {
        String::new()
    };
    format!(
        "### Segments\n\n\
         The dashed line is the AUC of all rows, the grey one chance. Intervals are not corrected for how many there \
         are.{shown}\n\n{}\n{}",
        figures(report, &[Figure::Cohorts]),
        tables::cohorts(cohorts).markdown(),
    )
}

/// A paragraph of the figures that are defined.
fn figures(report: &TargetReport, figures: &[Figure]) -> String {
    let defined = figures.iter().filter(|figure| figure.is_defined(report));
    let lines: Vec<String> =
        defined.map(|of| format!("![{}]({})", escape(&of.description(report)), of.file(report))).collect();
    if lines.is_empty() { String::new() } else { format!("{}\n", lines.join("\n")) }
}
