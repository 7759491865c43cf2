//! Two models on the same rows.

use bellwether_core::Target;
use bellwether_evaluate::{
    CohortComparison, CompareOptions, ComparedBy, Comparison, ComparisonVerdict, Metrics, ModelComparison,
};
use serde::Serialize;

use crate::markdown::clean;
use crate::number::{NO_EVIDENCE, NOTHING, Number, p_value, short};
use crate::table::{Align, Cell, Table, shortened};
use crate::tables::{AUC, LOSS};
use crate::words::many;

/// Two models on the rows of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetComparison {
    /// What they predict.
    pub target: Target,
    /// The first by itself.
    pub first: Metrics,
    /// The second by itself.
    pub second: Metrics,
    /// The first against the second; above 0, the first is better.
    pub comparison: ModelComparison,
}

/// The comparisons as tables for a terminal of 100 columns, without a line break at the end; `options` are those that they
/// were made with.
pub fn comparison_text(targets: &[TargetComparison], options: &CompareOptions) -> String {
    let margins = format!(
        "a difference above 0: the first is better\nnot worse: it loses less than {} of AUC, {} of log loss and {} of Brier \
         score",
        short(options.auc_margin),
        short(options.log_loss_margin),
        short(options.brier_margin)
    );
    targets.iter().map(of_target).chain([margins]).collect::<Vec<_>>().join("\n\n")
}

fn of_target(of: &TargetComparison) -> String {
    let head = format!(
        "{}: {} of {}, {}",
        of.target,
        many(of.first.n, "row"),
        many(of.first.n_accounts, "account"),
        many(of.first.n_events, "event")
    );
    let mut parts = vec![format!("{head}\n{}", overall(of).text())];
    if !of.comparison.cohorts.is_empty() {
        parts.push(cohorts(&of.comparison.cohorts).text());
    }
    parts.join("\n\n")
}

fn overall(of: &TargetComparison) -> Table {
    let mut table = Table::new(&[
        ("by", Align::Left),
        ("first", Align::Right),
        ("second", Align::Right),
        ("difference [95 %]", Align::Right),
        ("p", Align::Right),
        ("the first is", Align::Left),
    ]);
    for compared in &of.comparison.overall {
        let value = |metrics: &Metrics| match compared.by {
            ComparedBy::RocAuc => AUC.or_undefined(metrics.roc_auc.value),
            ComparedBy::LogLoss => LOSS.or_undefined(metrics.log_loss.value),
            ComparedBy::Brier => LOSS.or_undefined(metrics.brier.value),
        };
        table.row([
            Cell::from(by(compared.by)),
            value(&of.first).into(),
            value(&of.second).into(),
            number(compared.by).estimate(&compared.difference).into(),
            p_value(compared.p_value).into(),
            verdict(compared.verdict).into(),
        ]);
    }
    table
}

/// By segment, of each metric; a p-value is corrected for all of them.
fn cohorts(cohorts: &[CohortComparison]) -> Table {
    let mut table = Table::new(&[
        ("segment", Align::Left),
        ("level", Align::Left),
        ("by", Align::Left),
        ("difference [95 %]", Align::Right),
        ("p, corrected", Align::Right),
        ("the first is", Align::Left),
    ]);
    for cohort in cohorts {
        for (compared, p) in cohort.comparisons.iter().zip(&cohort.p_holm) {
            table.row([
                Cell::Own(shortened(&clean(&cohort.dimension), 12)),
                Cell::Own(shortened(&clean(&cohort.level), 16)),
                Cell::from(by(compared.by)),
                difference(compared).into(),
                p.map_or_else(|| NOTHING.to_owned(), |p| p_value(Some(p))).into(),
                verdict(compared.verdict).into(),
            ]);
        }
    }
    table
}

fn difference(of: &Comparison) -> String {
    number(of.by).estimate(&of.difference)
}

const fn by(by: ComparedBy) -> &'static str {
    match by {
        ComparedBy::RocAuc => "ROC AUC",
        ComparedBy::LogLoss => "log loss",
        ComparedBy::Brier => "Brier score",
    }
}

const fn number(by: ComparedBy) -> Number {
    match by {
        ComparedBy::RocAuc => Number::Signed(3),
        ComparedBy::LogLoss | ComparedBy::Brier => Number::Signed(4),
    }
}

const fn verdict(verdict: ComparisonVerdict) -> &'static str {
    match verdict {
        ComparisonVerdict::Superior => "superior",
        ComparisonVerdict::NotWorse => "not worse",
        ComparisonVerdict::Worse => "worse",
        ComparisonVerdict::NotEnoughEvidence => NO_EVIDENCE,
    }
}
