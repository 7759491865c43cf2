//! Whether weights from history help: the same scorecard with other weights, on later rows.

use bellwether_book::{Book, FeatureTable};
use bellwether_core::{Outcome, Target};
use bellwether_evaluate::{Estimate, paired_auc_difference};
use bellwether_health::{
    Finding, HealthError, History, IndicatorEvidence, Scorecard, WeightsFrom, by_correlation, doubled, learn_on_history,
};

use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::prepare::{LabelledRows, Part, Prepared};

/// Confidence of the interval of a difference.
const CONFIDENCE: f64 = 0.95;

/// What happened after each row of a table.
pub(crate) struct Happened {
    day: Vec<i32>,
    churned: Vec<Option<bool>>,
}

impl Happened {
    pub(crate) fn of(book: &Book, table: &FeatureTable) -> Self {
        let day: Vec<i32> = table.keys.iter().map(|key| key.as_of.days()).collect();
        let churned = main_churn(book).map_or_else(|| vec![None; day.len()], |target| table.labels[&target].clone());
        Self { day, churned }
    }

    pub(crate) fn history<'a>(&'a self, table: &'a FeatureTable) -> History<'a> {
        History { account: &table.account, day: &self.day, churned: &self.churned }
    }
}

fn main_churn(book: &Book) -> Option<Target> {
    book.file().targets().into_iter().find(|target| target.outcome == Outcome::Churn)
}

/// For each way from history to weights, one sentence: what it changes on test rows, where nothing was learnt.
pub(crate) fn sentences(prepared: &Prepared) -> Result<Vec<String>, Failure> {
    let Some(target) = main_churn(&prepared.book) else { return Ok(Vec::new()) };
    let (table, x, training) = (&prepared.table, &prepared.x, &prepared.split.training);
    let happened = Happened::of(&prepared.book, table);
    let history = happened.history(table);
    let mut spec = prepared.book.file().config.scorecard.clone().unwrap_or_default();
    spec.weights = Some(WeightsFrom::Declared);
    let (declared, _) = learn_on_history(Some(&spec), &prepared.schema, x, training, &history)?;
    let rows = prepared.rows(target, Part::Test)?;
    let ways = [
        ("doubled where churned accounts were weak", doubled(&declared, x, training, &history)),
        ("by correlation with staying", by_correlation(&declared, x, training, &history)),
    ];
    ways.into_iter().map(|(way, found)| sentence(prepared, &declared, &rows, way, found)).collect()
}

fn sentence(
    prepared: &Prepared,
    declared: &Scorecard,
    rows: &LabelledRows,
    way: &str,
    found: Result<Vec<IndicatorEvidence>, HealthError>,
) -> Result<String, Failure> {
    let evidence = match found {
        Ok(evidence) => evidence,
        Err(error @ HealthError::History(_)) => return Ok(format!("scorecard weights, {way}: {error}")),
        Err(error) => return Err(error.into()),
    };
    let weights: Vec<f64> = evidence.iter().map(|of| of.after).collect();
    let reweighted = declared.with_weights(&weights)?;
    // Low health is what tells of churn.
    let risk = |card: &Scorecard| -> Vec<f64> {
        card.assess(&prepared.x, &rows.rows).iter().map(|found| -found.score).collect()
    };
    let account: Vec<u32> = rows.rows.iter().map(|&row| prepared.table.account[row]).collect();
    let paired = paired_auc_difference(&risk(&reweighted), &risk(declared), &rows.y, &account, CONFIDENCE)
        .unexpected("comparing weights")?;
    Ok(format!(
        "scorecard weights, {way}{}: the AUC of the health score for churn on test rows against the declared weights: {}",
        weak(&evidence),
        difference(&paired.difference)
    ))
}

/// Which indicators were weak, as a fragment.
fn weak(evidence: &[IndicatorEvidence]) -> String {
    let is_weak = |of: &&IndicatorEvidence| matches!(of.finding, Finding::Weakness { is_weak: true, .. });
    let names: Vec<String> = evidence.iter().filter(is_weak).map(|of| format!("`{}`", of.name)).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

fn difference(of: &Estimate) -> String {
    let (Some(value), Some(low), Some(high)) = (of.value, of.low, of.high) else {
        return "not enough evidence".to_owned();
    };
    let verdict = match (low > 0.0, high < 0.0) {
        (true, _) => "it helps",
        (_, true) => "it harms",
        _ => "no clear difference",
    };
    format!("{value:+.4} (95 % interval {low:+.4} to {high:+.4}), {verdict}")
}
