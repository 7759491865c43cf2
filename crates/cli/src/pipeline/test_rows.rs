//! Which rows of a book a bundle's training did not touch.

use bellwether_book::FeatureTable;
use bellwether_bundle::Bundle;
use bellwether_core::{Date, Outcome, Target};
use bellwether_score::Scorer;

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::prepare::LabelledRows;

/// The first test day of a bundle that was split by time.
pub(crate) fn first_day(bundle: &Bundle) -> Result<Option<Date>, Failure> {
    let split = &bundle.provenance().split;
    let day = split.get("test").and_then(|test| test.get(0)).and_then(|day| day.as_str());
    day.map(|day| day.parse().unexpected("reading the bundle's split")).transpose()
}

/// The rows from `day` on of which a main horizon knows the outcome, so that all horizons are measured on the same rows.
pub(crate) fn from_day(table: &FeatureTable, scorer: &Scorer, day: Date) -> Vec<usize> {
    let main = Outcome::ALL.into_iter().filter_map(|outcome| scorer.main_target(outcome));
    let main: Vec<_> = main.filter_map(|target| table.labels.get(&target)).collect();
    let is_test = |&row: &usize| table.keys[row].as_of >= day && main.iter().any(|labels| labels[row].is_some());
    (0..table.n_rows()).filter(is_test).collect()
}

/// Those of `rows` whose outcome is known.
pub(crate) fn labelled(table: &FeatureTable, target: Target, rows: &[usize]) -> Result<LabelledRows, Failure> {
    let Some(labels) = table.labels.get(&target) else {
        let message = format!("the book declares no target {target}, which the bundle predicts");
        return Err(Failure::refused(message, "see [targets] in book.toml"));
    };
    let (rows, y): (Vec<usize>, Vec<bool>) = rows.iter().filter_map(|&row| Some((row, labels[row]?))).unzip();
    if rows.is_empty() {
        let message = format!("no test row has a label for {target} yet");
        return Err(Failure::refused(message, "deliver data until at least the horizon after the first test day"));
    }
    Ok(LabelledRows { rows, y })
}
