//! Logistic regression behind the one trait.

use bellwether_core::{Model, Progress};

use super::report::Fitted;
use crate::{LearnError, Learner, LearnerName, Settings, TrainingRows};

/// Fits a weighted sum.
#[derive(Debug)]
pub(crate) struct Logistic {
    pub(crate) settings: Settings,
}

impl Learner for Logistic {
    fn name(&self) -> LearnerName {
        LearnerName::Logistic
    }

    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError> {
        Fitted::new(rows, &self.settings, progress)?.model()
    }
}
