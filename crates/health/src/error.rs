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
    #[error("the weights of the scorecard's categories total {total}; they must total 100")]
    CategoriesTotal {
        /// What they total.
        total: f64,
    },
    /// The points of a category's indicators are not its maximum.
    #[error(
        "the points of category `{category}` total {points} where its maximum is {maximum}; all points total {all}, and \
         taken as they stand no account could have more than {reach} of 100: {correction}"
    )]
    CategoryPoints {
        /// The category.
        category: String,
        /// What its points total.
        points: f64,
        /// What they should.
        maximum: f64,
        /// What the points of all categories total.
        all: f64,
        /// The score of an account with all points.
        reach: f64,
        /// What to write, as a fragment.
        correction: String,
    },
    /// A category whose weight is no share, or whose maximum is none.
    #[error("category `{name}` has weight {weight} and maximum {maximum}; both must be finite and above 0")]
    Category {
        /// The category.
        name: String,
        /// Its weight.
        weight: f64,
        /// Its maximum.
        maximum: f64,
    },
    /// A category without an indicator.
    #[error("category `{0}` has a weight and no indicator")]
    EmptyCategory(String),
    /// An indicator of no category of the scorecard.
    #[error("indicator `{name}` is of category `{category}`; the scorecard's categories are {known}")]
    UnknownCategory {
        /// The indicator.
        name: String,
        /// Its category, `(none)` where it has none.
        category: String,
        /// Those that are declared, as a fragment.
        known: String,
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
    #[error(
        "the scorecard has {n_indicators} indicators; 20 or more tell nobody what to do, 5 to 7 is the aim: take some \
         away, or let `ablation` say where it is shown what each adds"
    )]
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
    /// Two steps of an indicator leave values between them.
    #[error("indicator `{name}` has a gap between its steps: one ends at {to}, the next begins at {from}")]
    StepGap {
        /// The indicator.
        name: String,
        /// Where one ends.
        to: f64,
        /// Where the next begins.
        from: f64,
    },
    /// Two steps of an indicator share values.
    #[error("indicator `{name}` has steps that overlap: one ends at {to}, the next begins at {from}")]
    StepOverlap {
        /// The indicator.
        name: String,
        /// Where one ends.
        to: f64,
        /// Where the next begins.
        from: f64,
    },
    /// A scale that can't be.
    #[error("indicator `{name}`: {rule}")]
    Scale {
        /// The indicator.
        name: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Two bands leave scores between them.
    #[error("there is a gap between the bands: {below} ends at {to}, {above} begins at {from}")]
    BandGap {
        /// The lower band.
        below: &'static str,
        /// The upper band.
        above: &'static str,
        /// Where the lower one ends.
        to: f64,
        /// Where the upper one begins.
        from: f64,
    },
    /// Two bands share scores.
    #[error("the bands overlap: {below} ends at {to}, {above} begins at {from}")]
    BandOverlap {
        /// The lower band.
        below: &'static str,
        /// The upper band.
        above: &'static str,
        /// Where the lower one ends.
        to: f64,
        /// Where the upper one begins.
        from: f64,
    },
    /// The bands are not red, yellow and green from 0 to 100.
    #[error("bands are red from 0, yellow above it and green above that, to 100, each wider than 0")]
    BandOrder,
    /// No bands of this name.
    #[error("there are no bands `{0}`; there are t-a and t-b")]
    UnknownBands(String),
    /// No preset of this name.
    #[error("there is no preset `{0}`; there are w-a, w-b, w-c, w-d (the same as mvp) and w-e")]
    UnknownPreset(String),
    /// A preset, and beside it what it says itself.
    #[error(
        "preset `{0}` and more: categories can't stand beside a preset, and indicators only replace those of a category"
    )]
    PresetOverride(String),
    /// Roles of a preset that no feature plays.
    #[error(
        "preset `{preset}` finds no feature for {missing}; declare features of these names, or give the category's \
         indicators in [scorecard]"
    )]
    PresetMissing {
        /// The preset.
        preset: String,
        /// The roles and what can play them, as a fragment.
        missing: String,
        /// The entry of the catalogue that can, one a role.
        entries: Vec<String>,
    },
    /// A variant, veto or threshold that can't be.
    #[error("{place}: {rule}")]
    Rule {
        /// Where.
        place: String,
        /// The rule it breaks.
        rule: String,
    },
    /// What is asked for is learnt from churn, which an expansion readiness does not read.
    #[error("{0} read churn, so an expansion readiness can't have them; the health score of [scorecard] can")]
    NeedsHistory(&'static str),
    /// What happened does not tell what is asked for.
    #[error("weights can't be learnt from history: {0}")]
    History(String),
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

/// What was checked, or the first rule that it breaks.
pub(crate) fn first_of<T>((checked, mut errors): (T, Vec<HealthError>)) -> Result<T, HealthError> {
    if errors.is_empty() { Ok(checked) } else { Err(errors.swap_remove(0)) }
}

const fn direction_name(good: Direction) -> &'static str {
    match good {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}
