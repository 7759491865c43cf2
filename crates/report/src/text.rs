//! Tables for a terminal.

use bellwether_core::Target;
use bellwether_evaluate::{Evaluation, Practice};

use crate::number::{NO_EVIDENCE, Number};
use crate::tables;
use crate::training::LearnerRow;
use crate::words::many;

/// The evaluation alone, as tables for a terminal of 100 columns; long names are cut in the middle. No
/// line break stands at the end.
pub fn evaluation_text(target: Target, evaluation: &Evaluation) -> String {
    let all = &evaluation.overall;
    let size = format!(
        "{target}: {} of {}, {}, base rate {}",
        many(all.n, "row"),
        many(all.n_accounts, "account"),
        many(all.n_events, "event"),
        Number::Percent.estimate(&all.base_rate),
    );
    let mut parts = vec![size];
    if !all.enough_evidence {
        parts.push(format!("{NO_EVIDENCE}: too few rows with, or without, the outcome; values have no intervals"));
    }
    parts.push(tables::metrics(all).text());
    let mut add = |is_there: bool, table: &dyn Fn() -> crate::table::Table| {
        if is_there {
            parts.push(table().text());
        }
    };
    add(!all.at_k.is_empty(), &|| tables::top(&all.at_k));
    add(!evaluation.by_band.is_empty(), &|| tables::bands(&evaluation.by_band));
    add(!evaluation.cohorts.is_empty(), &|| tables::cohorts_in_short(&evaluation.cohorts));
    parts.join("\n\n")
}

/// The guides' metrics alone, as a table for a terminal of 100 columns, without a line break at the end.
pub fn guide_text(practice: &Practice) -> String {
    crate::practice::guide_text(practice)
}

/// The guides' metrics, value and bias, as tables for a terminal of 100 columns, without a line break at the end.
pub fn practice_text(practice: &Practice) -> String {
    crate::practice::text(practice)
}

/// The learners beside each other, as a table for a terminal of 100 columns, without a line break at the end.
pub fn learner_table_text(rows: &[LearnerRow], chosen: &str) -> String {
    tables::learners_in_short(rows, chosen).text()
}
