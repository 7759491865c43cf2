//! Levels of segments against the rest of the book.

use bellwether_core::{Band, Outcome, Target};
use bellwether_evaluate::{BiasOptions, Scored, TargetBias, bias_gaps};

use super::Unseen;
use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::evidence::{bands, cohorts};

/// Share of rows that are flagged by probability, where no band says it.
const FLAGGED: usize = 10;

pub(super) fn of_targets(unseen: &Unseen<'_>) -> Result<Vec<TargetBias>, Failure> {
    let targets = Outcome::ALL.into_iter().filter_map(|outcome| unseen.main_target(outcome));
    targets.filter_map(|target| of_target(unseen, target).transpose()).collect()
}

/// `None` without test rows, or without segments.
fn of_target(unseen: &Unseen<'_>, target: Target) -> Result<Option<TargetBias>, Failure> {
    let labelled = unseen.labelled(target);
    let mut levels = cohorts(unseen.table, &labelled.rows);
    // A level that is everybody has no rest.
    levels.retain(|level| level.rows.len() < labelled.rows.len());
    if levels.is_empty() {
        return Ok(None);
    }
    let probability = unseen.probabilities(target, &labelled.rows)?;
    let account = unseen.accounts(&labelled.rows);
    let (flagged, what) = if target.outcome == Outcome::Churn {
        let bands = bands(unseen.x, unseen.scorecard, &labelled.rows);
        (bands.into_iter().map(|band| band == Some(Band::Red)).collect(), "red rows".to_owned())
    } else {
        (top(&probability), format!("rows of the highest {} % of probabilities", 100 / FLAGGED))
    };
    let scored = Scored { probability: &probability, outcome: &labelled.y, account: &account };
    let gaps = bias_gaps(&scored, &flagged, &levels, &BiasOptions::default()).unexpected("comparing segments")?;
    Ok(Some(TargetBias { target, flagged: what, gaps }))
}

/// Rows of the highest probabilities, those that tie with the last of them too.
fn top(probability: &[f64]) -> Vec<bool> {
    let mut falling = probability.to_vec();
    falling.sort_by(|a, b| b.total_cmp(a));
    let least = falling.get(probability.len().div_ceil(FLAGGED).saturating_sub(1)).copied().unwrap_or(1.0);
    probability.iter().map(|&p| p >= least).collect()
}
