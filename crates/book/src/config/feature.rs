//! `[[features]]`: what the models see, and the same one by one after the shorthand for several columns is expanded.

use bellwether_core::Direction;
use serde::Deserialize;
use toml::Spanned;

use super::BookFile;
use super::rules::{Condition, Window};

/// One feature, or one for each of `columns`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureDeclaration {
    /// Unique name; the column's where it is not given.
    #[serde(default)]
    pub name: Option<Spanned<String>>,
    /// The source.
    pub from: Spanned<String>,
    /// The column that is aggregated; not for `count`, `days_since` and `share_of_days_active`.
    #[serde(default)]
    pub column: Option<Spanned<String>>,
    /// Shorthand: one feature a column, named like it.
    #[serde(default)]
    pub columns: Vec<Spanned<String>>,
    /// What becomes of the rows; `last` where not given.
    #[serde(default)]
    pub aggregate: Aggregate,
    /// Only rows with date in `(t - window, t]`; all up to `t` where not given. A subscription source without
    /// window gives the rows that are active at `t`.
    #[serde(default)]
    pub window: Option<Window>,
    /// Only rows for which these hold.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// Whether `last` and `first` give a number (default) or a text with levels.
    #[serde(default)]
    pub r#type: ValueType,
    /// The window begins with the account's first day instead of ending with `t`, and is cut at `t`; missing before that
    /// day, or before it is known. A window of months ends the day before the same day of a later month.
    #[serde(default)]
    pub from_start: bool,
    /// Against the same aggregate of an earlier time.
    #[serde(default)]
    pub change: Option<Change>,
    /// How much earlier: the aggregate as of `t - lag`, told from what is known by `t`; one window where not given.
    #[serde(default)]
    pub lag: Option<Window>,
    /// `z_score`: how many earlier windows are looked at; 6 where not given, at least 3.
    #[serde(default)]
    pub periods: Option<u32>,
    /// Divided by this earlier feature, a number; missing where that is missing or 0.
    #[serde(default)]
    pub per: Option<Spanned<String>>,
    /// Which way is good.
    #[serde(default)]
    pub good: Option<Direction>,
    /// Kind of indicator, such as `usage`, `support`.
    #[serde(default)]
    pub category: Option<String>,
    /// Kept out of the models: only segments, `per`, `value` and percentiles use it.
    #[serde(default)]
    pub helper: bool,
}

/// What becomes of the rows of a window. Nulls in the column are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The value of the latest row (of several on one day: the last known, then the largest).
    #[default]
    Last,
    /// The value of the earliest row (of several on one day: the first known, then the smallest).
    First,
    /// Sum; 0 without rows.
    Sum,
    /// Arithmetic mean.
    Mean,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Number of rows, of known values where a column is given; 0 without rows.
    Count,
    /// Number of distinct values; 0 without rows. Values are told apart as numbers where the file's column holds numbers,
    /// as texts otherwise (in CSV `1` and `1.0` are two).
    Distinct,
    /// Number of distinct values that no row before the window has; 0 without rows; needs a window.
    DistinctNew,
    /// Distinct values a day, meaned over all days of the window, those without rows too; needs a window.
    MeanDailyDistinct,
    /// Share of the known values that are the commonest one, above 0 to 1: 1 where all rows are of one user.
    LargestShare,
    /// Middle value; of an even number the mean of the two in the middle.
    Median,
    /// Standard deviation of the population (divides by n); missing below 2 values.
    Std,
    /// Least-squares slope of the values over days; missing where all values stand on one day.
    Slope,
    /// Days from the latest row to `t`.
    DaysSince,
    /// Days from the earliest row to `t`.
    DaysSinceFirst,
    /// Days from the account's first day to the earliest row.
    DaysToFirst,
    /// Days from `t` to the date in the column of the latest row; negative where it is past.
    DaysUntil,
    /// Share of the window's days that have a row, `0..=1`; needs a window.
    ShareOfDaysActive,
    /// Share of the window's whole weeks, counted back from its last day, that have a row, `0..=1`; needs a window.
    ShareOfWeeksActive,
    /// Coefficient of variation (population standard deviation by mean) of the totals of the window's whole weeks,
    /// counted back from its last day; totals are row counts without column; missing where the mean is 0; needs a window.
    WeeklyVariation,
}

impl Aggregate {
    /// Whether it aggregates the values of a column; the others may have one, to leave out rows without value.
    pub(crate) const fn needs_column(self) -> bool {
        !matches!(
            self,
            Self::Count
                | Self::DaysSince
                | Self::DaysSinceFirst
                | Self::DaysToFirst
                | Self::ShareOfDaysActive
                | Self::ShareOfWeeksActive
                | Self::WeeklyVariation
        )
    }

    /// Whether it has no meaning without a window.
    pub(crate) const fn needs_window(self) -> bool {
        matches!(
            self,
            Self::ShareOfDaysActive
                | Self::ShareOfWeeksActive
                | Self::WeeklyVariation
                | Self::DistinctNew
                | Self::MeanDailyDistinct
        )
    }

    /// Whether it counts texts as well as numbers.
    pub(crate) const fn is_of_texts(self) -> bool {
        matches!(self, Self::Distinct | Self::DistinctNew | Self::MeanDailyDistinct | Self::LargestShare)
    }

    /// Whether it reads the days of its rows, so that its source must have dates.
    pub(crate) const fn needs_dates(self) -> bool {
        self.needs_window() || matches!(self, Self::DaysSince | Self::DaysSinceFirst | Self::DaysToFirst | Self::Slope)
    }
}

/// Whether a feature is a number or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A number.
    #[default]
    Number,
    /// A text whose levels are learnt on training rows.
    Text,
}

/// How a window is held against the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// This window minus the one before.
    Difference,
    /// This window divided by the one before; missing where that is missing or 0.
    Ratio,
    /// This window against the account's own `periods` windows before: distance from their mean in (population)
    /// standard deviations. Windows that begin before the account's first day are left out; missing where fewer
    /// than 3 are left, or where they do not differ by more than rounding. Windows where the aggregate is missing are
    /// left out too.
    ZScore,
}

/// One feature, after `columns` is expanded.
#[derive(Debug, Clone)]
pub struct DeclaredFeature {
    /// Its name.
    pub name: String,
    /// The source.
    pub from: String,
    /// The column and its place in the file.
    pub column: Option<Spanned<String>>,
    /// What becomes of the rows.
    pub aggregate: Aggregate,
    /// How far back.
    pub window: Option<Window>,
    /// Only rows for which these hold.
    pub filter: Vec<Condition>,
    /// Number or text.
    pub r#type: ValueType,
    /// Whether the window begins with the account's first day.
    pub from_start: bool,
    /// Against an earlier time.
    pub change: Option<Change>,
    /// How much earlier.
    pub lag: Option<Window>,
    /// How many earlier windows a z-score looks at.
    pub periods: u32,
    /// Divided by this feature.
    pub per: Option<String>,
    /// Which way is good.
    pub good: Option<Direction>,
    /// Kind of indicator.
    pub category: Option<String>,
    /// Kept out of the models.
    pub helper: bool,
}

/// Earlier windows that a z-score looks at where the book does not say.
const DEFAULT_PERIODS: u32 = 6;
/// Earlier windows without which there is no z-score.
pub(crate) const MIN_PERIODS: u32 = 3;

impl FeatureDeclaration {
    pub(super) fn expand(&self) -> Vec<DeclaredFeature> {
        let one = |name: &str, column: Option<&Spanned<String>>| DeclaredFeature {
            name: name.to_owned(),
            from: self.from.get_ref().clone(),
            column: column.cloned(),
            aggregate: self.aggregate,
            window: self.window,
            filter: self.filter.clone(),
            r#type: self.r#type,
            from_start: self.from_start,
            change: self.change,
            lag: self.lag,
            periods: self.periods.unwrap_or(DEFAULT_PERIODS),
            per: self.per.as_ref().map(|per| per.get_ref().clone()),
            good: self.good,
            category: self.category.clone(),
            helper: self.helper,
        };
        let of_columns = self.columns.iter().map(|column| one(column.get_ref(), Some(column)));
        let own_name = self.name.as_ref().or(self.column.as_ref());
        let single = own_name.map(|name| one(name.get_ref(), self.column.as_ref()));
        single.filter(|_| self.columns.is_empty()).into_iter().chain(of_columns).collect()
    }
}

impl BookFile {
    /// Every feature in declared order, helpers too: those of `[[features]]`, then those of the catalogue.
    pub fn declared(&self) -> Vec<DeclaredFeature> {
        let declared = self.config.features.iter().flat_map(FeatureDeclaration::expand);
        declared.chain(self.from_catalogue.iter().cloned()).collect()
    }
}
