//! Fits scorecard, logistic, tree, forest and boosted models behind one trait.
//!
//! [`learner`] makes a [`Learner`] of a [`LearnerName`] and [`Settings`]; [`Learner::fit`] turns [`TrainingRows`] into a
//! [`bellwether_core::Model`], which is plain data; [`calibrate`] chooses how its logits become probabilities, and
//! [`level_drift`] says by how much their level is to follow the last days.
//!
//! [`fit_logistic`] and [`non_negative_logistic`] fit columns as they are; [`logistic_report`] is the learner `logistic`
//! with its penalties and standard errors.
//!
//! [`ClassWeight`] weighs classes in a fit and keeps probabilities on the true base rate. [`LearnerName::REFERENCES`] are
//! other people's learners that ours are tested against.
//!
//! Only this crate names linfa, smartcore and ndarray, and no public signature names their types. What all
//! learners promise is written down as the tests in `tests/contract.rs`.

mod balance;
mod boosted;
mod calibrate;
mod candidate;
mod choose;
mod covers;
mod drift;
mod error;
mod forest;
mod forest_smartcore;
mod grown;
mod histogram;
mod holdout;
mod learner;
mod logistic;
mod partial;
mod recipe;
mod rows;
mod scorecard;
mod settings;
mod shrunken;
mod standardise;
mod threshold;
mod tree;
mod tree_linfa;

pub use balance::ClassWeight;
pub use calibrate::{CalibrationChoice, calibrate};
pub use choose::choose;
pub use covers::covered;
pub use drift::{ScoredRows, level_drift};
pub use error::LearnError;
pub use learner::{Learner, LearnerName, learner};
pub use logistic::{
    LogisticFit, LogisticReport, LogisticRows, LogisticTerm, Penalty, StandardErrors, WeightOf, fit_logistic,
    logistic_report, non_negative_logistic, standard_errors,
};
pub use partial::PartialRows;
pub use recipe::Recipe;
pub use rows::TrainingRows;
pub use settings::{Directions, LogisticSettings, Settings};
pub use shrunken::CalibrationPrior;
