//! The weighted baseline: its weights come from the config, only a fixed map to a logit is set here.

use bellwether_core::{Model, Progress, ScorecardModel};

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
        let sign = if settings.outcome.is_good() { 1.0 } else { -1.0 };
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

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::{Indicator, Outcome};

    fn card() -> ScorecardModel {
        let indicator = Indicator { feature: 0, weight: 1.0, at_zero: 0.0, at_full: 100.0 };
        ScorecardModel { n_features: 1, indicators: vec![indicator], slope: 9.0, intercept: 9.0 }
    }

    #[test]
    fn health_lowers_churn_and_contraction_and_raises_expansion() {
        let outcomes =
            [(Outcome::Churn, 5.0, -5.0), (Outcome::Expansion, -5.0, 5.0), (Outcome::Contraction, 5.0, -5.0)];
        for (outcome, at_zero, at_full) in outcomes {
            let settings = Settings { scorecard: Some(card()), ..Settings::new(0, outcome) };
            let model = Model::Scorecard(Scorecard::new(settings).expect("a scorecard").card);
            for (health, expected) in [(0.0, at_zero), (50.0, 0.0), (100.0, at_full)] {
                assert!((model.logit(&[health]) - expected).abs() < 1e-5, "{outcome:?} at {health}");
            }
        }
    }

    #[test]
    fn no_scorecard_and_a_broken_one_are_refused() {
        let new = |scorecard| Scorecard::new(Settings { scorecard, ..Settings::default() }).map(|_| ());
        assert!(matches!(new(None), Err(LearnError::NoScorecard)));
        let empty = ScorecardModel { indicators: vec![], ..card() };
        assert!(matches!(new(Some(empty)), Err(LearnError::Model { .. })));
    }
}
