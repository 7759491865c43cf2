//! The reasons of whole tables of scores, as columns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_book::{BookFile, CodedText, Column, KeyedText, TextKey, Words};
use bellwether_core::{FeatureMatrix, Outcome, RowStatus, Target};
use bellwether_score::{ReasonKey, ReasonWords, Reasons};
use rayon::prelude::*;

use crate::failure::Failure;
use crate::pipeline::explained::{Explained, ExplainedTarget};
use crate::pipeline::opened::OpenedModel;
use crate::progress::say;

/// Reasons of each row and outcome where nobody says how many.
const USUAL_REASONS: usize = 3;

/// What tells why rows have their probabilities: exact Shapley values against the training rows.
pub(crate) struct RowReasons {
    explained: Explained,
    /// What is said of each of its targets.
    words: Vec<Arc<dyn Words>>,
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
                say(&format!("scores have no reasons: {}", failure.of_input()?));
                return Ok(None);
            }
            explained => explained?,
        };
        let most = most.min(explained.indicators.len());
        let sentences = |of: &ExplainedTarget| -> Arc<dyn Words> {
            Arc::new(Sentences(ReasonWords::new(Arc::clone(&explained.wordings), of.target.outcome)))
        };
        let words = explained.targets.iter().map(sentences).collect();
        Ok(Some(Self { explained, words, most }))
    }

    /// Reasons of each row and outcome, at most.
    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    /// Four columns a reason and outcome: the sentence, the indicator, its value where that is a number, and the percentage
    /// points that it adds to the probability. All are null in a row without probabilities, or with fewer reasons. `logits`
    /// are what the scorer gave for the rows.
    pub(crate) fn columns(
        &self,
        x: &FeatureMatrix,
        logits: &BTreeMap<Target, Vec<f64>>,
        status: &[RowStatus],
    ) -> Result<Vec<(String, Column)>, Failure> {
        // Who is no customer has no reasons, so none are looked for.
        let rows: Vec<usize> = (0..status.len()).filter(|&row| status[row].has_probabilities()).collect();
        let of_rows = if rows.len() < status.len() { Cow::Owned(x.select(&rows)) } else { Cow::Borrowed(x) };
        let of_target = |(target, words): (&ExplainedTarget, &Arc<dyn Words>)| {
            let logits = &logits[&target.target];
            let logits: Vec<f64> = rows.iter().map(|&row| logits[row]).collect();
            let reasons = target.reasons(&of_rows, &logits, &self.explained.indicators, self.most)?;
            let of = Of { all: self, x, rows: &rows, reasons: &reasons, outcome: target.target.outcome, words };
            Ok((0..self.most).into_par_iter().flat_map_iter(|rank| of.rank(rank)).collect::<Vec<_>>())
        };
        let targets = self.explained.targets.iter().zip(&self.words);
        let columns: Vec<Vec<_>> = targets.map(of_target).collect::<Result<_, Failure>>()?;
        Ok(columns.into_iter().flatten().collect())
    }
}

/// The reasons of one outcome.
struct Of<'a> {
    all: &'a RowReasons,
    x: &'a FeatureMatrix,
    /// Those that are explained, rising.
    rows: &'a [usize],
    /// Of `rows`.
    reasons: &'a Reasons,
    outcome: Outcome,
    words: &'a Arc<dyn Words>,
}

impl Of<'_> {
    /// The columns of each row's reason of this rank, from 0.
    fn rank(&self, rank: usize) -> [(String, Column); 4] {
        let explained = &self.all.explained;
        let n_rows = self.x.n_rows();
        let (mut values, mut points) = (vec![f32::NAN; n_rows], vec![f32::NAN; n_rows]);
        let (mut indicators, mut said) = (vec![None; n_rows], KeyedText::nulls(n_rows, Arc::clone(self.words)));
        for (place, &row) in self.rows.iter().enumerate() {
            let Some(reason) = self.reasons.row(place).get(rank) else { continue };
            let value = explained.value(reason.indicator, self.x, row);
            values[row] = value.number().unwrap_or(f32::NAN);
            points[row] = reason.points as f32;
            indicators[row] = Some(reason.indicator as u32);
            said.set(row, explained.wordings[reason.indicator].key(reason, value).bits());
        }
        let names = (0..explained.indicators.len()).map(|of| explained.indicators.name(of)).collect();
        let indicators = CodedText::from_codes(indicators, names);
        let name = format!("{}_reason_{}", self.outcome.name(), rank + 1);
        [
            (format!("{name}_indicator"), Column::Coded(indicators)),
            (format!("{name}_value"), Column::Float32(values)),
            (format!("{name}_points"), Column::Float32(points)),
            (name, Column::Keyed(said)),
        ]
    }
}

/// What is said of reasons of one outcome, by their keys.
struct Sentences(ReasonWords);

impl Words for Sentences {
    fn write(&self, key: TextKey, said: &mut String) {
        self.0.write(ReasonKey::from_bits(key), said);
    }
}
