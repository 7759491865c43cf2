//! What a backtest is summarised from.

use serde::{Deserialize, Serialize};

use super::results::Window;
use crate::input::{EvaluateOptions, Scored};

/// The test rows of one origin, and what each learner said of them.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginRows {
    /// Which rows they are.
    pub window: Window,
    /// Whether the outcome came, one a row; empty where no label is known yet.
    pub outcome: Vec<bool>,
    /// The account of each row, numbered alike at each origin.
    pub account: Vec<u32>,
    /// The learners, the same in the same order at each origin; empty where no label is known yet.
    pub learners: Vec<LearnerRows>,
    /// The place of the learner that would have been taken, by rows before the test rows.
    pub chosen: usize,
}

/// One learner's predictions at one origin.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnerRows {
    /// Its name.
    pub learner: String,
    /// ROC AUC on the calibration part, by which learners are chosen.
    pub selection_auc: Option<f64>,
    /// Calibrated probabilities of the test rows.
    pub probability: Vec<f64>,
}

/// How to summarise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BacktestOptions {
    /// Of the pooled rows. An origin's own values have intervals where these need no bootstrap.
    pub evaluate: EvaluateOptions,
    /// The least gain of AUC that matters: an interval below it says that there is no gain worth having.
    pub auc_margin: f64,
}

impl Default for BacktestOptions {
    fn default() -> Self {
        let evaluate = EvaluateOptions { k_shares: Vec::new(), ..EvaluateOptions::default() };
        Self { evaluate, auc_margin: 0.01 }
    }
}

impl OriginRows {
    /// Whether any row's label is known.
    pub fn is_known(&self) -> bool {
        !self.outcome.is_empty()
    }

    pub(super) fn scored<'a>(&'a self, probability: &'a [f64]) -> Scored<'a> {
        Scored { probability, outcome: &self.outcome, account: &self.account }
    }

    /// What the chosen learner said; `None` where no label is known yet.
    pub fn chosen(&self) -> Option<&LearnerRows> {
        self.learners.get(self.chosen)
    }
}
