//! What the score is in use: the guides' metrics, its value and its bias, on rows that nothing was learnt from.

mod bias;
mod course;
mod guide;
mod interventions;
mod value;

use bellwether_book::{Book, Facts, FeatureTable};
use bellwether_core::{Date, FeatureMatrix, Outcome, Target};
use bellwether_evaluate::{Measured, Practice};
use bellwether_health::Scorecard;
use bellwether_score::Scorer;

use crate::failure::Failure;
use crate::pipeline::prepare::LabelledRows;
use course::Course;

/// A book's rows with what scores them, and which of them nothing was learnt from.
pub(crate) struct Unseen<'a> {
    pub(crate) book: &'a Book,
    pub(crate) facts: &'a Facts,
    pub(crate) table: &'a FeatureTable,
    pub(crate) x: &'a FeatureMatrix,
    pub(crate) scorecard: &'a Scorecard,
    pub(crate) scorer: &'a Scorer,
    /// Labelled rows that nothing was learnt from.
    pub(crate) test: &'a [usize],
    /// Where these are all rows from a day on, that day.
    pub(crate) first_day: Option<Date>,
    pub(crate) seed: u64,
}

/// All that is reported.
pub(crate) fn of(unseen: &Unseen<'_>) -> Result<Practice, Failure> {
    let course = Course::of(unseen);
    Ok(Practice {
        guide: guide::findings(unseen, &course)?,
        value: value::findings(unseen)?,
        bias: bias::of_targets(unseen)?,
    })
}

impl Unseen<'_> {
    /// The main horizon of an outcome that both the book and the model know.
    fn main_target(&self, outcome: Outcome) -> Option<Target> {
        self.scorer.main_target(outcome).filter(|target| self.table.labels.contains_key(target))
    }

    /// The rows whose outcome is known.
    fn labelled(&self, target: Target) -> LabelledRows {
        let labels = &self.table.labels[&target];
        let known = self.test.iter().filter_map(|&row| Some((row, labels[row]?)));
        let (rows, y) = known.unzip();
        LabelledRows { rows, y }
    }

    fn accounts(&self, rows: &[usize]) -> Vec<u32> {
        rows.iter().map(|&row| self.table.account[row]).collect()
    }

    /// The probabilities of rows, as they are scored.
    fn probabilities(&self, target: Target, rows: &[usize]) -> Result<Vec<f64>, Failure> {
        let mut all = self.scorer.probabilities(&self.x.select(rows))?;
        Ok(all.remove(&target).unwrap_or_default())
    }
}

/// What is missing, as a fragment for a report.
fn missing<T>(what: &str) -> Measured<T> {
    Measured::Missing(what.to_owned())
}
