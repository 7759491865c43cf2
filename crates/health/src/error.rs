//! Why a scorecard was refused.

use bellwether_core::{Direction, ModelError};
use thiserror::Error;

/// Why a scorecard was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HealthError {
    /// An indicator reads no feature of the book.
    #[error("indicator `{name}` is no feature of this book; {near}")]
    UnknownFeature {
        /// What it asks for.
        name: String,
        /// Names like it, as a fragment.
        near: String,
    },
    /// Two indicators read one feature.
    #[error("indicator `{0}` stands twice; a feature can be one indicator only")]
    Duplicate(String),
    /// A weight that is no share.
    #[error("indicator `{name}` has weight {weight}; a weight must be above 0")]
    Weight {
        /// The indicator.
        name: String,
        /// Its weight.
        weight: f64,
    },
    /// The weights do not total 100.
    #[error("the weights of the scorecard's indicators total {total}; they must total 100")]
    WeightsTotal {
        /// What they total.
        total: f64,
    },
    /// Nobody said which way is good.
    #[error(
        "indicator `{0}` has no direction; declare `good = \"up\"` or `good = \"down\"`, or both at_zero and at_full"
    )]
    NoDirection(String),
    /// No scorecard, and no feature with a direction to make one from.
    #[error(
        "no feature says which way is good; declare `good = \"up\"` or `good = \"down\"` on features, or a [scorecard]"
    )]
    NothingDeclared,
    /// More indicators than a person can follow.
    #[error("the scorecard has {n_indicators} indicators; 20 or more tell nobody what to do, 5 to 7 is the aim")]
    TooMany {
        /// How many.
        n_indicators: usize,
    },
    /// The value that earns everything lies on the wrong side of the value that earns nothing.
    #[error(
        "indicator `{name}` earns nothing at {at_zero} and everything at {at_full}; good = \"{}\" needs it the other way round",
        direction_name(*good)
    )]
    Ends {
        /// The indicator.
        name: String,
        /// The value that earns nothing, as given or learnt.
        at_zero: f64,
        /// The value that earns everything, as given or learnt.
        at_full: f64,
        /// Which way is good.
        good: Direction,
    },
    /// A given end is not a number that f32 can hold, or both are one.
    #[error("indicator `{name}` has at_zero or at_full {value:?}; they must be finite and differ as 32-bit numbers")]
    End {
        /// The indicator.
        name: String,
        /// The value.
        value: f64,
    },
    /// No indicator varies in the training rows.
    #[error("every indicator of the scorecard is constant or missing in the {n_rows} training rows")]
    NoneVaries {
        /// Training rows.
        n_rows: usize,
    },
    /// The matrix has other columns than the schema.
    #[error("the matrix has {found} columns where the schema has {expected} features")]
    Columns {
        /// Columns of the matrix.
        found: usize,
        /// Features of the schema.
        expected: usize,
    },
    /// A stored scorecard was made for another schema.
    #[error("indicator {place} of the scorecard is `{found}`; the schema has `{expected}` there")]
    Schema {
        /// The indicator, from 0.
        place: usize,
        /// Its name.
        found: String,
        /// The schema's name for the feature it reads.
        expected: String,
    },
    /// A stored scorecard has other lengths in its parts.
    #[error(
        "the scorecard has {n_indicators} indicators, {n_names} names and {n_categories} categories; all must be equal"
    )]
    Lengths {
        /// Indicators of the model.
        n_indicators: usize,
        /// Names.
        n_names: usize,
        /// Categories.
        n_categories: usize,
    },
    /// The model breaks a rule.
    #[error(transparent)]
    Model(#[from] ModelError),
}

const fn direction_name(good: Direction) -> &'static str {
    match good {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}
