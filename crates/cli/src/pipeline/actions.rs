//! What would bring accounts to green: effects on the score, not promises about the account.

use bellwether_book::{BookFile, CodedText, Column};
use bellwether_bundle::Bundle;
use bellwether_core::{FeatureMatrix, HealthModel, PERCENTILE_SUFFIX, RawTable, RowStatus};
use bellwether_score::{IndicatorValue, Indicators, Lever, Levers, TopActions};
use rayon::prelude::*;

use crate::failure::{Failure, Unexpected as _};

/// Actions of a row, at most.
const MOST: usize = 2;

/// The indicators of a bundle's health score that somebody can do something about, and what like accounts reach of them.
pub(crate) struct AccountActions {
    indicators: Indicators,
    health: HealthModel,
    levers: Levers,
}

/// What brings one account to green; at least one action.
pub(crate) struct ToGreen {
    /// At most two.
    pub(crate) actions: Vec<Action>,
    /// The health score with them.
    pub(crate) score: f64,
    /// The row with them: columns and what they become.
    becomes: Vec<(usize, f32)>,
}

/// One indicator and its change.
pub(crate) struct Action {
    pub(crate) indicator: usize,
    pub(crate) from: f32,
    pub(crate) to: f32,
}

impl AccountActions {
    /// `file` says what somebody can do something about; refused where that is no indicator of the health score, or the
    /// bundle does not say what like accounts reach.
    pub(crate) fn of(bundle: &Bundle, file: &BookFile) -> Result<Self, Failure> {
        let Some(background) = bundle.background() else {
            let hint = "train again; some feature was known in no training row";
            return Err(Failure::refused("the bundle does not say what like accounts reach".to_owned(), hint));
        };
        let indicators = Indicators::of(bundle.encoding());
        let health = bundle.scorecard().health_model();
        // The percentile of a helper stands for the helper.
        let words = |name: &str| file.words(name).or_else(|| file.words(name.strip_suffix(PERCENTILE_SUFFIX)?));
        let is_actionable = |name: &str| words(name).is_some_and(|words| words.is_actionable);
        let levers = Levers::of(bundle.encoding(), &indicators, &health, &background.reach, is_actionable);
        if levers.is_empty() {
            let hint = "name some under [reasons] actionable in book.toml; they may be named after training";
            let message = "the health score reads no indicator that somebody can do something about";
            return Err(Failure::refused(message.to_owned(), hint));
        }
        Ok(Self { indicators, health, levers })
    }

    /// Of each row of `x`, which is `raw` encoded; `None` for a row without health score, one that is green, and one that no
    /// two actions bring there.
    pub(crate) fn to_green(
        &self,
        raw: &RawTable,
        x: &FeatureMatrix,
        status: &[RowStatus],
    ) -> Result<Vec<Option<ToGreen>>, Failure> {
        let levers = self.levers.of_rows(raw, x).unexpected("moving percentiles with their features")?;
        let of_row = |(row, levers): (usize, Vec<Lever>)| {
            let value = |column: usize| x.value(row, column);
            if status[row] != RowStatus::Scored {
                return None;
            }
            let found = TopActions::of(&self.health, value, &levers)?;
            let pulled: Vec<&Lever> = found.levers.iter().map(|&place| &levers[place]).collect();
            let action = |lever: &&Lever| {
                let (column, to) = lever.becomes[0];
                Action { indicator: lever.indicator, from: value(column), to }
            };
            Some(ToGreen {
                actions: pulled.iter().map(action).collect(),
                score: found.score,
                becomes: pulled.iter().flat_map(|lever| lever.becomes.iter().copied()).collect(),
            })
        };
        Ok(levers.into_par_iter().enumerate().map(of_row).collect())
    }

    /// Three columns an action (the indicator, what it is and what it becomes), and the health score with both; null where
    /// there is none.
    pub(crate) fn columns(
        &self,
        raw: &RawTable,
        x: &FeatureMatrix,
        status: &[RowStatus],
    ) -> Result<Vec<(String, Column)>, Failure> {
        let found = self.to_green(raw, x, status)?;
        let action = |rank: usize| {
            let names =
                (0..self.indicators.len()).map(|indicator| self.indicators.name(indicator).to_owned()).collect();
            let codes = found.iter().map(|row| action_of(row.as_ref(), rank).map(|action| action.indicator as u32));
            let numbers = |number: fn(&Action) -> f32| {
                Column::Float32(
                    found.iter().map(|row| action_of(row.as_ref(), rank).map_or(f32::NAN, number)).collect(),
                )
            };
            let name = format!("action_{}", rank + 1);
            [
                (name.clone(), Column::Coded(CodedText::from_codes(codes, names))),
                (format!("{name}_from"), numbers(|action| action.from)),
                (format!("{name}_to"), numbers(|action| action.to)),
            ]
        };
        let mut columns: Vec<(String, Column)> = (0..MOST).flat_map(action).collect();
        let score = |row: &Option<ToGreen>| row.as_ref().map(|row| row.score);
        columns.push(("score_with_actions".to_owned(), Column::Float(found.iter().map(score).collect())));
        Ok(columns)
    }

    /// The declared name of an action's indicator.
    pub(crate) fn name(&self, action: &Action) -> &str {
        self.indicators.name(action.indicator)
    }

    /// What an action's indicator is in a row, and what it becomes.
    pub(crate) fn values(
        &self,
        of: &ToGreen,
        action: &Action,
        x: &FeatureMatrix,
        row: usize,
    ) -> [IndicatorValue<'_>; 2] {
        let before = |column: usize| x.value(row, column);
        let becomes = |column: usize| of.becomes.iter().find(|(of, _)| *of == column).map(|&(_, value)| value);
        let after = |column: usize| becomes(column).unwrap_or_else(|| before(column));
        [self.indicators.value(action.indicator, before), self.indicators.value(action.indicator, after)]
    }
}

fn action_of(row: Option<&ToGreen>, rank: usize) -> Option<&Action> {
    row.and_then(|row| row.actions.get(rank))
}
