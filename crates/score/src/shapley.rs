//! Exact Shapley values: what each feature adds to a row's score.
//!
//! - Trees: path-dependent `TreeSHAP` (Lundberg et al. 2020), or interventional against given rows; the same numbers as
//!   `LightGBM`'s `pred_contrib` and `shap.TreeExplainer`. What a leaf gives is looked up in tables that are computed when the
//!   model is compiled, for many leaves and 128 rows at once. The tables hold whole numbers, so that sums are the same in any
//!   order and contributions add up to the score exactly.
//! - Linear models and scorecards: in closed form.
//! - Graphs of other software of at most 12 inputs: by trying every set of them, interventional against given rows.
//!
//! The sum that is taken apart is the logit; of a forest (`Link::Probability`) it is the mean probability before its logit is
//! taken, because that is the sum which contributions add up to.

mod block;
mod chunk;
mod deep;
mod enumerated;
mod explainer;
mod group;
mod leaf;
mod linear;
mod lookup;
mod quadrature;
mod ranks;
mod scorecard;
mod trees;

pub use explainer::{ADDITIVITY_TOLERANCE, Against, Contributions, Explainer};
