//! A histogram gradient booster on f32 columns: quantile bins of one byte, trees grown leaf by leaf.
//!
//! Gradients are quantised to whole numbers, so that sums of them are exact in any order: a fit gives the same bits on
//! any number of threads, and a child's histogram is its parent's less its sibling's without loss. Sources: Ke et al.
//! (2017), "`LightGBM`: A Highly Efficient Gradient Boosting Decision Tree"; Shi et al. (2022), "Quantized Training
//! of Gradient Boosting Decision Trees".

mod bins;
mod booster;
mod cart;
mod gradient;
mod grow;
mod partition;
mod split;
mod sums;

pub(crate) use bins::Bins;
pub(crate) use booster::{Boosting, Rows, Stop, boost};
pub(crate) use cart::{CartRows, CartRules, Classes};
pub(crate) use split::Monotone;
