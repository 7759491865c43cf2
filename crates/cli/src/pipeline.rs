//! The way of the data, for the commands: book to prepared rows, prepared rows to models, models to a bundle.

pub(crate) mod actions;
pub(crate) mod assemble;
pub(crate) mod audit;
pub(crate) mod background;
pub(crate) mod backtest;
pub(crate) mod coefficients;
pub(crate) mod evidence;
pub(crate) mod explained;
pub(crate) mod fit;
pub(crate) mod opened;
pub(crate) mod origins;
pub(crate) mod practice;
pub(crate) mod prepare;
pub(crate) mod reasons;
pub(crate) mod refit;
pub(crate) mod revenue;
pub(crate) mod scorecard;
pub(crate) mod scores;
pub(crate) mod settings;
pub(crate) mod stream;
pub(crate) mod test_rows;
pub(crate) mod weights;
