//! Logistic regression: rows to loss, gradient and curvature; a proximal Newton solver; penalties; standard errors.

mod choose;
mod design;
mod fit;
mod learner;
mod linfa;
mod loss;
mod quadratic;
mod recency;
mod report;
mod solver;
mod uncertainty;
mod weights;

pub(crate) use choose::choose;
pub use fit::{LogisticFit, LogisticRows, Penalty, fit_logistic, non_negative_logistic};
pub(crate) use learner::Logistic;
pub(crate) use linfa::LinfaLogistic;
pub(crate) use quadratic::{Cholesky, Matrix};
pub use report::{LogisticReport, LogisticTerm, WeightOf, logistic_report};
pub use uncertainty::{StandardErrors, standard_errors};
pub(crate) use weights::weighted_sum;
