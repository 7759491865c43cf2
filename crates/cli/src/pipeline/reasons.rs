//! The reasons of whole tables of scores, as columns.

use std::collections::BTreeMap;

use bellwether_book::{BookFile, CodedText, Column, Levels};
use bellwether_core::{FeatureMatrix, Outcome, RowStatus, Target};
use bellwether_score::{Effect, IndicatorValue, Reason, Reasons, State};
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::failure::Failure;
use crate::pipeline::explained::{Explained, ExplainedTarget};
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
                say(&format!("scores have no reasons: {}", failure.of_input()?));
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
    /// points that it adds to the probability. All are null in a row without probabilities, or with fewer reasons. `logits`
    /// are what the scorer gave for the rows.
    pub(crate) fn columns(
        &self,
        x: &FeatureMatrix,
        logits: &BTreeMap<Target, Vec<f64>>,
        status: &[RowStatus],
    ) -> Result<Vec<(String, Column)>, Failure> {
        let of_target = |target: &ExplainedTarget| {
            let reasons = target.reasons(x, &logits[&target.target], &self.explained.indicators, self.most)?;
            let of = Of { all: self, x, status, reasons: &reasons, outcome: target.target.outcome };
            Ok((0..self.most).into_par_iter().flat_map_iter(|rank| of.rank(rank)).collect::<Vec<_>>())
        };
        let columns: Vec<Vec<_>> = self.explained.targets.iter().map(of_target).collect::<Result<_, Failure>>()?;
        Ok(columns.into_iter().flatten().collect())
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
        let n_rows = self.status.len();
        let (mut values, mut points) = (vec![f32::NAN; n_rows], vec![f32::NAN; n_rows]);
        let mut indicators = vec![None; n_rows];
        let mut sentences = Sentences::new(self, n_rows);
        let mut said = vec![None; n_rows];
        for row in 0..n_rows {
            let Some(reason) = self.reason(row, rank) else { continue };
            let value = explained.value(reason.indicator, self.x, row);
            values[row] = value.number().unwrap_or(f32::NAN);
            points[row] = reason.points as f32;
            indicators[row] = Some(reason.indicator as u32);
            said[row] = Some(sentences.code(reason, value));
        }
        let names = (0..explained.indicators.len()).map(|of| explained.indicators.name(of)).collect();
        let name = format!("{}_reason_{}", self.outcome.name(), rank + 1);
        [
            (format!("{name}_indicator"), Column::Coded(CodedText::from_codes(indicators, names))),
            (format!("{name}_value"), Column::Float32(values)),
            (format!("{name}_points"), Column::Float32(points)),
            (name, Column::Coded(CodedText::from_codes(said, sentences.texts))),
        ]
    }

    fn reason(&self, row: usize, rank: usize) -> Option<&Reason> {
        self.reasons.row(row).get(rank).filter(|_| self.status[row].has_probabilities())
    }
}

/// Sentences, each made once for the rows that are scored together: many of them say the same.
struct Sentences<'a, 'b> {
    of: &'a Of<'b>,
    texts: Levels,
    /// By the number of what is said of the indicator, and what the reason does.
    codes: FxHashMap<(u32, Effect), u32>,
    /// What is said of indicators.
    states: Levels,
    state_codes: FxHashMap<(usize, State<'a>), u32>,
}

impl<'a, 'b> Sentences<'a, 'b> {
    fn new(of: &'a Of<'b>, n_rows: usize) -> Self {
        // Of rows that are scored together about half say something of their own, so that the tables seldom grow.
        let codes = FxHashMap::with_capacity_and_hasher(n_rows / 2, FxBuildHasher);
        let state_codes = FxHashMap::with_capacity_and_hasher(n_rows / 8, FxBuildHasher);
        Self { of, texts: Levels::default(), codes, states: Levels::default(), state_codes }
    }

    /// The place of a sentence among the texts.
    fn code(&mut self, reason: &Reason, value: IndicatorValue<'a>) -> u32 {
        let wording = &self.of.all.explained.wordings[reason.indicator];
        let (state, effect) = (wording.state_of(value), Effect::of(reason));
        let states = &mut self.states;
        let state = *self.state_codes.entry((reason.indicator, state)).or_insert_with(|| {
            states.push_with(|end| wording.write(state, end));
            states.len() as u32 - 1
        });
        *self.codes.entry((state, effect)).or_insert_with(|| {
            self.texts.push_with(|end| {
                end.push_str(states.get(state as usize));
                effect.write(self.of.outcome, end);
            });
            self.texts.len() as u32 - 1
        })
    }
}
