//! The one trait of all learners.

use std::fmt;
use std::str::FromStr;

use bellwether_core::{Model, Progress};
use serde::{Deserialize, Serialize};

use crate::balance::{Balanced, ClassWeight};
use crate::boosted::Boosted;
use crate::covers::Covered;
use crate::forest::Forest;
use crate::forest_smartcore::SmartcoreForest;
use crate::logistic::{LinfaLogistic, Logistic};
use crate::scorecard::Scorecard;
use crate::tree::OneTree;
use crate::tree_linfa::LinfaTree;
use crate::{LearnError, Settings, TrainingRows};

/// A kind of model that can be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LearnerName {
    /// The weighted baseline: nothing is learnt, its calibration is.
    Scorecard,
    /// Logistic regression with an L2 or elastic-net penalty.
    Logistic,
    /// The same with an L2 penalty by linfa-logistic: slow, without fractional weights; the reference.
    LogisticLinfa,
    /// One readable tree.
    Tree,
    /// The same by linfa-trees: slow; the reference.
    TreeLinfa,
    /// A random forest of probabilities.
    Forest,
    /// The same by smartcore: slow; the reference.
    ForestSmartcore,
    /// Gradient boosting.
    Boosted,
    /// A model of other software: nothing is learnt here.
    Imported,
}

impl LearnerName {
    /// Those that are tried where none is named, the simplest first.
    pub const ALL: [Self; 5] = [Self::Scorecard, Self::Logistic, Self::Tree, Self::Forest, Self::Boosted];

    /// Those that are there to check others against, and are tried only where they are named.
    pub const REFERENCES: [Self; 3] = [Self::LogisticLinfa, Self::TreeLinfa, Self::ForestSmartcore];

    /// The name in configs and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scorecard => "scorecard",
            Self::Logistic => "logistic",
            Self::LogisticLinfa => "logistic_linfa",
            Self::Tree => "tree",
            Self::TreeLinfa => "tree_linfa",
            Self::Forest => "forest",
            Self::ForestSmartcore => "forest_smartcore",
            Self::Boosted => "boosted",
            Self::Imported => "imported",
        }
    }
}

impl fmt::Display for LearnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for LearnerName {
    type Err = LearnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().chain(Self::REFERENCES).find(|learner| learner.name() == text);
        found.ok_or_else(|| LearnError::UnknownLearner(text.to_owned()))
    }
}

/// Learns a model of one kind.
///
/// The model depends on nothing but the rows, the settings and the kind: not on the order of the rows, not on the number
/// of threads. A row of weight 0 is as good as absent, one of weight 2 as good as there twice.
pub trait Learner: Sync {
    /// The kind.
    fn name(&self) -> LearnerName;

    /// Learns from `rows`; the model's logit rises with the probability that the label is true. Trees of [`learner`] know how
    /// many rows reach each node, by their own weights.
    ///
    /// # Errors
    /// [`LearnError`] if the rows contradict each other, are of one class only, have weights that the kind cannot take, or
    /// the library underneath finds no model.
    fn fit(&self, rows: &TrainingRows<'_>, progress: &dyn Progress) -> Result<Model, LearnError>;
}

/// The learner called `name`, with the class weights of `settings`.
///
/// # Errors
/// [`LearnError::NoScorecard`] or [`LearnError::Model`] if a scorecard is asked for and `settings` has none or a broken
/// one, [`LearnError::ClassWeightUnsupported`] if balanced classes are asked of a reference that cannot weigh rows.
pub fn learner(name: LearnerName, settings: &Settings) -> Result<Box<dyn Learner>, LearnError> {
    let learner = plain(name, settings.clone())?;
    let learner: Box<dyn Learner> = match (settings.class_weight, name) {
        (ClassWeight::None, _) => learner,
        // linfa takes no weights here; smartcore draws rows by them, which would be resampling.
        (ClassWeight::Balanced, LearnerName::LogisticLinfa | LearnerName::ForestSmartcore) => {
            return Err(LearnError::ClassWeightUnsupported { learner: name });
        }
        (ClassWeight::Balanced, _) => Box::new(Balanced { learner }),
    };
    Ok(Box::new(Covered { learner }))
}

fn plain(name: LearnerName, settings: Settings) -> Result<Box<dyn Learner>, LearnError> {
    Ok(match name {
        LearnerName::Scorecard => Box::new(Scorecard::new(settings)?),
        LearnerName::Logistic => Box::new(Logistic { settings }),
        LearnerName::LogisticLinfa => Box::new(LinfaLogistic { settings }),
        LearnerName::Tree => Box::new(OneTree { settings }),
        LearnerName::TreeLinfa => Box::new(LinfaTree { settings }),
        LearnerName::Forest => Box::new(Forest { settings }),
        LearnerName::ForestSmartcore => Box::new(SmartcoreForest { settings }),
        LearnerName::Boosted => Box::new(Boosted { settings }),
        LearnerName::Imported => return Err(LearnError::UnknownLearner(name.to_string())),
    })
}

/// `model`, if it keeps the rules of models.
pub(crate) fn checked(learner: LearnerName, model: Model) -> Result<Model, LearnError> {
    model.validate().map_err(|source| LearnError::Model { learner, source })?;
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for learner in LearnerName::ALL.into_iter().chain(LearnerName::REFERENCES) {
            assert_eq!(learner.to_string().parse::<LearnerName>().ok(), Some(learner));
            assert_eq!(serde_json::to_string(&learner).ok(), Some(format!("\"{learner}\"")));
        }
        assert!("gbm".parse::<LearnerName>().is_err());
    }
}
