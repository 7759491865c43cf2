//! The reasons of whole tables of scores, as columns.

use bellwether_book::{BookFile, CodedText, Column};
use bellwether_core::{FeatureMatrix, Outcome, RowStatus};
use bellwether_score::{Indicators, Reason, Reasons};
use rayon::prelude::*;

use crate::failure::Failure;
use crate::pipeline::explained::Explained;
use crate::pipeline::opened::OpenedModel;
use crate::progress::say;

/// Reasons of each row and outcome where nobody says how many.
const USUAL_REASONS: usize = 3;

/// What tells why rows have their probabilities: exact Shapley values against the training rows.
pub(crate) struct RowReasons {
    explained: Explained,
    /// Of each row and outcome, at most.
    most: usize,
}

impl RowReasons {
    /// In the words of `file`; `None` where no reasons are asked for, or nobody asked and the bundle can give none.
    pub(crate) fn of(model: &OpenedModel, file: &BookFile, asked: Option<usize>) -> Result<Option<Self>, Failure> {
        let most = asked.unwrap_or(USUAL_REASONS);
        if most == 0 {
            return Ok(None);
        }
        let explained = match Explained::of_bundle(&model.bundle, &model.scorer, file, false) {
            Err(failure) if asked.is_none() => {
                say(&format!("scores have no reasons: {}", failure.told()));
                return Ok(None);
            }
            explained => explained?,
        };
        let most = most.min(explained.indicators.len());
        Ok(Some(Self { explained, most }))
    }

    /// Reasons of each row and outcome, at most.
    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// Four columns a reason and outcome: the sentence, the indicator, its value where that is a number, and the percentage
    /// points that it adds to the probability. All are null in a row without probabilities, or with fewer reasons.
    pub(crate) fn columns(&self, x: &FeatureMatrix, status: &[RowStatus]) -> Result<Vec<(String, Column)>, Failure> {
        let mut columns = Vec::new();
        for target in &self.explained.targets {
            let contributions = target.contributions(x)?;
            let reasons = target.reasons(&contributions, &self.explained.indicators, self.most);
            let of = Of { all: self, x, status, reasons: &reasons, outcome: target.target.outcome };
            columns.extend((0..self.most).flat_map(|rank| of.rank(rank)));
        }
        Ok(columns)
    }
}

/// The reasons of one outcome.
struct Of<'a> {
    all: &'a RowReasons,
    x: &'a FeatureMatrix,
    status: &'a [RowStatus],
    reasons: &'a Reasons,
    outcome: Outcome,
}

impl Of<'_> {
    /// The columns of each row's reason of this rank, from 0.
    fn rank(&self, rank: usize) -> [(String, Column); 4] {
        let explained = &self.all.explained;
        let name = format!("{}_reason_{}", self.outcome.name(), rank + 1);
        let text = |row: usize| {
            let reason = self.reason(row, rank)?;
            let value = explained.value(reason.indicator, self.x, row);
            Some(explained.wordings[reason.indicator].reason(reason, value, self.outcome))
        };
        let value = |row: usize| Some(explained.value(self.reason(row, rank)?.indicator, self.x, row).number()?.into());
        let points = |row: usize| Some(self.reason(row, rank)?.points);
        [
            (format!("{name}_indicator"), Column::Coded(self.indicators(rank, &explained.indicators))),
            (format!("{name}_value"), Column::Float((0..self.status.len()).map(value).collect())),
            (format!("{name}_points"), Column::Float((0..self.status.len()).map(points).collect())),
            (name, Column::Text((0..self.status.len()).into_par_iter().map(text).collect())),
        ]
    }

    fn indicators(&self, rank: usize, indicators: &Indicators) -> CodedText {
        let names = (0..indicators.len()).map(|indicator| indicators.name(indicator).to_owned()).collect();
        let code = |row: usize| self.reason(row, rank).map(|reason| reason.indicator as u32);
        CodedText::from_codes((0..self.status.len()).map(code), names)
    }

    fn reason(&self, row: usize, rank: usize) -> Option<&Reason> {
        self.reasons.row(row).get(rank).filter(|_| self.status[row].has_probabilities())
    }
}
