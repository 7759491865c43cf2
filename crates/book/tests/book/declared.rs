//! Random features: every aggregate, window, filter, change, lag and `per` that `book.toml` allows.

use std::fmt::Write as _;

use bellwether_book::{Aggregate, Change, SourceKind};
use proptest::prelude::*;

use crate::random::{FORMS, RandomBook, Row};

/// A column of the random sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    X,
    Kind,
    Flag,
    Due,
}

/// A condition on a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Condition {
    In(Column, &'static [&'static str]),
    NotIn(Column, &'static [&'static str]),
    AtLeast(Column, f64),
    AtMost(Column, f64),
}

pub(crate) const FILTERS: [&[Condition]; 8] = [
    &[],
    &[Condition::In(Column::Kind, &["a", "b"])],
    &[Condition::NotIn(Column::Kind, &["a"])],
    &[Condition::AtLeast(Column::X, 0.5)],
    &[Condition::In(Column::Flag, &["true"])],
    &[Condition::AtLeast(Column::Flag, 1.0)],
    // A number that is read as a text too.
    &[Condition::NotIn(Column::X, &["nobody"])],
    &[Condition::AtMost(Column::X, 1.5), Condition::NotIn(Column::Kind, &["Z", "nobody"])],
];

pub(crate) const WINDOWS: [Option<&str>; 12] = [
    None,
    None,
    Some("1d"),
    Some("5d"),
    Some("30d"),
    Some("90d"),
    Some("1w"),
    Some("4w"),
    Some("9w"),
    Some("1mo"),
    Some("3mo"),
    Some("12mo"),
];

/// Every aggregate with its name in `book.toml`.
pub(crate) const AGGREGATES: [(Aggregate, &str); 21] = [
    (Aggregate::Last, "last"),
    (Aggregate::First, "first"),
    (Aggregate::Sum, "sum"),
    (Aggregate::Mean, "mean"),
    (Aggregate::Min, "min"),
    (Aggregate::Max, "max"),
    (Aggregate::Count, "count"),
    (Aggregate::Distinct, "distinct"),
    (Aggregate::DistinctNew, "distinct_new"),
    (Aggregate::MeanDailyDistinct, "mean_daily_distinct"),
    (Aggregate::LargestShare, "largest_share"),
    (Aggregate::Median, "median"),
    (Aggregate::Std, "std"),
    (Aggregate::Slope, "slope"),
    (Aggregate::DaysSince, "days_since"),
    (Aggregate::DaysSinceFirst, "days_since_first"),
    (Aggregate::DaysToFirst, "days_to_first"),
    (Aggregate::DaysUntil, "days_until"),
    (Aggregate::ShareOfDaysActive, "share_of_days_active"),
    (Aggregate::ShareOfWeeksActive, "share_of_weeks_active"),
    (Aggregate::WeeklyVariation, "weekly_variation"),
];

/// One `[[features]]`; `from` is a place in [`FORMS`], `per` one among the earlier features.
#[derive(Debug, Clone)]
pub(crate) struct Feature {
    pub(crate) from: usize,
    pub(crate) aggregate: Aggregate,
    pub(crate) column: Option<Column>,
    pub(crate) window: Option<&'static str>,
    pub(crate) filter: &'static [Condition],
    pub(crate) is_text: bool,
    pub(crate) from_start: bool,
    pub(crate) change: Option<Change>,
    pub(crate) lag: Option<&'static str>,
    pub(crate) periods: Option<u32>,
    pub(crate) per: Option<usize>,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Kind => "kind",
            Self::Flag => "flag",
            Self::Due => "due",
        }
    }

    /// The column as a number; a null and a NaN are none.
    pub(crate) fn number(self, row: &Row) -> Option<f64> {
        match self {
            Self::X => row.x.filter(|x| !x.is_nan()),
            Self::Flag => row.flag.map(|flag| f64::from(u8::from(flag))),
            Self::Due => row.due.map(|due| f64::from(due.days())),
            Self::Kind => None,
        }
    }

    /// The column as a text.
    pub(crate) fn text(self, row: &Row) -> Option<String> {
        match self {
            Self::X => row.x.map(|x| x.to_string()),
            Self::Kind => row.kind.map(str::to_owned),
            Self::Flag => row.flag.map(|flag| flag.to_string()),
            Self::Due => row.due.map(|due| due.to_string()),
        }
    }
}

impl Condition {
    pub(crate) fn holds(self, row: &Row) -> bool {
        let is_listed = |column: Column, listed: &[&str], is: bool| {
            column.text(row).is_some_and(|text| listed.contains(&text.as_str()) == is)
        };
        match self {
            Self::In(column, listed) => is_listed(column, listed, true),
            Self::NotIn(column, listed) => is_listed(column, listed, false),
            Self::AtLeast(column, least) => column.number(row).is_some_and(|x| x >= least),
            Self::AtMost(column, most) => column.number(row).is_some_and(|x| x <= most),
        }
    }

    fn toml(self) -> String {
        let (column, rule) = match self {
            Self::In(column, listed) => (column, format!("in = {listed:?}")),
            Self::NotIn(column, listed) => (column, format!("not_in = {listed:?}")),
            Self::AtLeast(column, least) => (column, format!("at_least = {least:?}")),
            Self::AtMost(column, most) => (column, format!("at_most = {most:?}")),
        };
        format!("{{ column = \"{}\", {rule} }}", column.name())
    }
}

/// Whether it needs a window, by its documentation.
const fn needs_window(aggregate: Aggregate) -> bool {
    matches!(
        aggregate,
        Aggregate::ShareOfDaysActive
            | Aggregate::ShareOfWeeksActive
            | Aggregate::WeeklyVariation
            | Aggregate::DistinctNew
            | Aggregate::MeanDailyDistinct
    )
}

/// The columns that an aggregate may have.
fn columns(aggregate: Aggregate) -> Vec<Option<Column>> {
    use Aggregate as A;
    match aggregate {
        A::Count | A::DaysSince | A::DaysSinceFirst | A::DaysToFirst | A::ShareOfDaysActive | A::ShareOfWeeksActive => {
            vec![None, None, Some(Column::X), Some(Column::Flag)]
        }
        A::WeeklyVariation => vec![None, Some(Column::X)],
        A::Distinct | A::DistinctNew | A::MeanDailyDistinct | A::LargestShare => {
            vec![Some(Column::X), Some(Column::Kind), Some(Column::Flag)]
        }
        A::DaysUntil => vec![Some(Column::Due)],
        _ => vec![Some(Column::X), Some(Column::X), Some(Column::Flag)],
    }
}

/// A feature of any form, made to fit the rules of `book.toml`.
pub(crate) fn feature() -> impl Strategy<Value = Feature> {
    let change = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Change::Difference)),
        1 => Just(Some(Change::Ratio)),
        1 => Just(Some(Change::ZScore)),
    ];
    let lag = prop::option::of(prop::sample::select(vec!["7d", "2w", "31d", "1mo", "2mo"]));
    let what = (0..FORMS.len(), 0..AGGREGATES.len(), any::<prop::sample::Index>(), 0..WINDOWS.len());
    let which = (prop_oneof![FILTERS.len() as u32 => Just(0), 4 => 0..FILTERS.len()], prop::bool::weighted(0.3));
    let how = (
        prop::bool::weighted(0.15),
        change,
        lag,
        prop::option::of(3_u32..5),
        prop::option::weighted(0.15, 0_usize..99),
    );
    (what, which, how).prop_map(|((from, place, column, window), (filter, is_text), how)| {
        let (from_start, change, lag, periods, per) = how;
        let aggregate = AGGREGATES[place].0;
        let of_columns = columns(aggregate);
        let is_text = is_text && matches!(aggregate, Aggregate::Last | Aggregate::First);
        let drawn = Feature {
            from,
            aggregate,
            column: if is_text { Some(Column::Kind) } else { of_columns[column.index(of_columns.len())] },
            window: WINDOWS[window],
            filter: FILTERS[filter],
            is_text,
            from_start,
            change,
            lag,
            periods,
            per,
        };
        drawn.fitted()
    })
}

impl Feature {
    /// A plain feature: no filter, no change.
    pub(crate) fn plain(from: usize, aggregate: Aggregate, window: Option<&'static str>) -> Self {
        let column = columns(aggregate)[0];
        let plain = Self {
            from,
            aggregate,
            column,
            window,
            filter: &[],
            is_text: false,
            from_start: false,
            change: None,
            lag: None,
            periods: None,
            per: None,
        };
        plain.fitted()
    }

    /// The feature without what its parts do not allow.
    fn fitted(mut self) -> Self {
        let has_days_only = matches!(
            self.aggregate,
            Aggregate::DaysSince | Aggregate::DaysSinceFirst | Aggregate::DaysToFirst | Aggregate::Slope
        );
        if !FORMS[self.from].is_dated {
            if needs_window(self.aggregate) || has_days_only {
                self.from = 1;
            } else {
                (self.window, self.lag) = (None, None);
            }
        }
        if needs_window(self.aggregate) && self.window.is_none() {
            self.window = Some("4w");
        }
        if self.is_text {
            (self.change, self.per) = (None, None);
        }
        self.from_start = self.from_start && self.window.is_some();
        if self.from_start || (self.window.is_none() && (self.change == Some(Change::ZScore) || self.lag.is_none())) {
            self.change = None;
        }
        if matches!(self.change, None | Some(Change::ZScore)) {
            self.lag = None;
        }
        if self.change != Some(Change::ZScore) {
            self.periods = None;
        }
        self
    }

    /// Whether it may stand in the book: some features need to know the accounts' first days.
    pub(crate) fn is_allowed(&self, book: &RandomBook) -> bool {
        let accounts = book.sources[0].form;
        let of_start = self.from_start || self.aggregate == Aggregate::DaysToFirst;
        let of_dates = self.window.is_some() || self.lag.is_some() || of_start || self.aggregate == Aggregate::Slope;
        let of_days = of_dates || matches!(self.aggregate, Aggregate::DaysSince | Aggregate::DaysSinceFirst);
        accounts.is_dated || !(of_start || (self.from == 0 && of_days))
    }

    fn toml(&self, place: usize) -> String {
        let name = AGGREGATES.iter().find(|(aggregate, _)| *aggregate == self.aggregate).expect("all are listed").1;
        let mut toml = format!(
            "[[features]]\nname = \"f{place}\"\nfrom = \"{}\"\naggregate = \"{name}\"\n",
            FORMS[self.from].name
        );
        let change = self.change.map(|change| match change {
            Change::Difference => "difference",
            Change::Ratio => "ratio",
            Change::ZScore => "z_score",
        });
        let quoted = [
            ("column", self.column.map(Column::name)),
            ("window", self.window),
            ("type", self.is_text.then_some("text")),
            ("change", change),
            ("lag", self.lag),
        ];
        for (key, value) in quoted {
            if let Some(value) = value {
                let _ = writeln!(toml, "{key} = \"{value}\"");
            }
        }
        if let Some(periods) = self.periods {
            let _ = writeln!(toml, "periods = {periods}");
        }
        if self.from_start {
            toml.push_str("from_start = true\n");
        }
        if let Some(per) = self.per {
            let _ = writeln!(toml, "per = \"f{per}\"");
        }
        let filter: Vec<String> = self.filter.iter().map(|condition| condition.toml()).collect();
        toml + &format!("filter = [{}]\n", filter.join(", "))
    }
}

/// The features that may stand in the book, with `per` among the numbers before; a count is always there.
pub(crate) fn in_book(drawn: Vec<Feature>, book: &RandomBook) -> Vec<Feature> {
    let mut features = vec![Feature::plain(1, Aggregate::Count, None)];
    for mut feature in drawn.into_iter().filter(|feature| feature.is_allowed(book)) {
        let numbers: Vec<usize> = (0..features.len()).filter(|&place: &usize| !features[place].is_text).collect();
        feature.per = feature.per.map(|per| numbers[per % numbers.len()]);
        features.push(feature);
    }
    features
}

/// The features as `book.toml` declares them, named `f0`, `f1`, ...
pub(crate) fn toml(features: &[Feature]) -> String {
    features.iter().enumerate().map(|(place, feature)| feature.toml(place)).collect()
}

/// Whether the source has one row a key, of which a later known one replaces the earlier.
pub(crate) const fn is_state(kind: SourceKind) -> bool {
    matches!(kind, SourceKind::Snapshot | SourceKind::Attribute)
}
