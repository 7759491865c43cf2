//! The weighted baseline: its weights come from the config, only a fixed map to a logit is set here.

use bellwether_core::{Model, Outcome, Progress, ScorecardModel};

use crate::learner::checked;
use crate::rows::Table;
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Keeps the weights of the settings' scorecard.
#[derive(Debug)]
pub(crate) struct Scorecard {
    card: ScorecardModel,
}

/// Points of health for one logit: an account at 0 has a logit of 5 for churn, one at 100 a logit of -5.
const POINTS_A_LOGIT: f32 = 10.0;

/// The health at which the logit is 0.
const EVEN_HEALTH: f32 = 50.0;

impl Scorecard {
    pub(crate) fn new(settings: Settings) -> Result<Self, LearnError> {
        let card = settings.scorecard.ok_or(LearnError::NoScorecard)?;
        let sign = match settings.outcome {
            Outcome::Churn => -1.0,
            Outcome::Expansion => 1.0,
        };
        let slope = sign / POINTS_A_LOGIT;
        let card = ScorecardModel { slope, intercept: -slope * EVEN_HEALTH, ..card };
        checked(LearnerName::Scorecard, Model::Scorecard(card.clone()))?;
        Ok(Self { card })
    }
}

impl Learner for Scorecard {
    fn name(&self) -> LearnerName {
        LearnerName::Scorecard
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        let table = Table::new(rows)?;
        if self.card.n_features != table.n_cols() {
            return Err(LearnError::ScorecardFeatures { found: self.card.n_features, expected: table.n_cols() });
        }
        progress.begin("scorecard", table.n_rows() as u64);
        progress.advance(table.n_rows() as u64);
        progress.end();
        Ok(Model::Scorecard(self.card.clone()))
    }
}
