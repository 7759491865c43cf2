//! Figures: what is drawn of a target, and under which names.

mod audit;
mod axes;
mod backtest;
mod calibration;
mod canvas;
mod curves;
mod forest;
mod tree;

use std::collections::BTreeMap;

use crate::ReportError;
use crate::audit::AuditReport;
use crate::drawn::DrawnTree;
use crate::training::TargetReport;

pub(crate) use backtest::{BacktestFigure, draw_backtest};
pub(crate) use forest::MOST_COHORTS;

/// SVG texts by their file in the report's folder.
pub(crate) type Figures = BTreeMap<String, String>;

/// A figure of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Learners,
    Roc,
    PrecisionRecall,
    Calibration,
    Lift,
    Gain,
    Cohorts,
    Tree,
}

impl Figure {
    pub(crate) const ALL: [Self; 8] = [
        Self::Learners,
        Self::Roc,
        Self::PrecisionRecall,
        Self::Calibration,
        Self::Lift,
        Self::Gain,
        Self::Cohorts,
        Self::Tree,
    ];

    /// Its file in the report's folder.
    pub(crate) fn file(self, report: &TargetReport) -> String {
        let name = match self {
            Self::Learners => "learners",
            Self::Roc => "roc",
            Self::PrecisionRecall => "pr",
            Self::Calibration => "calibration",
            Self::Lift => "lift",
            Self::Gain => "gain",
            Self::Cohorts => "cohorts",
            Self::Tree => "tree",
        };
        format!("figures/{}_{name}.svg", report.target)
    }

    /// What it shows, for who cannot see it.
    pub(crate) fn description(self, report: &TargetReport) -> String {
        let what = match self {
            Self::Learners => "ROC AUC of each learner with its 95 % interval",
            Self::Roc => "ROC curve",
            Self::PrecisionRecall => "Precision and recall",
            Self::Calibration => "Observed rate by predicted probability",
            Self::Lift => "Lift by share of rows taken",
            Self::Gain => "Share of events found by share of rows taken",
            Self::Cohorts => "ROC AUC of each segment with its 95 % interval",
            Self::Tree => "The tree with the rate of the training rows in each node",
        };
        format!("{what}, {}", report.target)
    }

    /// Whether there is something to draw.
    pub(crate) fn is_defined(self, report: &TargetReport) -> bool {
        let evaluation = &report.evaluation;
        match self {
            Self::Learners => !report.learners.is_empty(),
            Self::Roc => !evaluation.curves.roc.is_empty(),
            Self::PrecisionRecall => !evaluation.curves.pr.is_empty(),
            Self::Calibration => !evaluation.curves.calibration.is_empty(),
            Self::Lift | Self::Gain => !evaluation.curves.lift.is_empty(),
            Self::Cohorts => !evaluation.cohorts.is_empty(),
            Self::Tree => report.tree.is_some(),
        }
    }

    fn draw(self, report: &TargetReport) -> Result<String, canvas::DrawError> {
        match self {
            Self::Learners => forest::learners(report, &self.description(report)),
            Self::Roc => curves::roc(report, &self.description(report)),
            Self::PrecisionRecall => curves::precision_recall(report, &self.description(report)),
            Self::Calibration => calibration::calibration(report, &self.description(report)),
            Self::Lift => curves::lift(report, &self.description(report)),
            Self::Gain => curves::gain(report, &self.description(report)),
            Self::Cohorts => forest::cohorts(report, &self.description(report)),
            Self::Tree => {
                let drawn = report.tree.as_ref().expect("the figure is defined");
                tree::tree(drawn, &format!("The tree, {}", report.target), &self.description(report))
            }
        }
    }
}

/// The tree as SVG: a line a node, below its parent, with the training rows that come there, the share of them with the
/// outcome and the probability of a leaf.
///
/// # Errors
/// [`ReportError::Figure`] if the drawing library refuses.
pub fn tree_figure(drawn: &DrawnTree, title: &str) -> Result<String, ReportError> {
    tree::tree(drawn, title, title)
        .map_err(|source| ReportError::Figure { figure: title.to_owned(), source: Box::new(source) })
}

/// Every figure of `report` that is defined.
///
/// # Errors
/// [`ReportError::Figure`] if the drawing library refuses.
pub(crate) fn draw(report: &TargetReport) -> Result<Figures, ReportError> {
    let defined = Figure::ALL.into_iter().filter(|figure| figure.is_defined(report));
    defined
        .map(|figure| {
            let file = figure.file(report);
            match figure.draw(report) {
                Ok(svg) => Ok((file, svg)),
                Err(source) => Err(ReportError::Figure { figure: file, source: Box::new(source) }),
            }
        })
        .collect()
}

/// How the files of an audit's figures begin.
pub(crate) const ROWS: &str = "figures/rows_";
pub(crate) const MISSING: &str = "figures/missing";
pub(crate) const DRIFT: &str = "figures/psi";

/// Every figure of an audit.
///
/// # Errors
/// [`ReportError::Figure`] if the drawing library refuses.
pub(crate) fn draw_audit(report: &AuditReport) -> Result<Figures, ReportError> {
    let mut figures = Figures::new();
    let mut add = |file: String, drawn: Result<Option<String>, canvas::DrawError>| match drawn {
        Ok(svg) => {
            figures.extend(svg.map(|svg| (file, svg)));
            Ok(())
        }
        Err(source) => Err(ReportError::Figure { figure: file, source: Box::new(source) }),
    };
    for (place, source) in report.sources.iter().enumerate() {
        let description = format!("Rows of {} by month", source.name);
        add(format!("{ROWS}{place:03}.svg"), audit::rows(source, &description).map(Some))?;
    }
    let description = "Share of missing values of each feature by snapshot day";
    add(format!("{MISSING}.svg"), audit::missing(&report.features, description))?;
    let description = "Population stability index of each feature by snapshot day";
    add(format!("{DRIFT}.svg"), audit::drift(&report.features, description))?;
    Ok(figures)
}
