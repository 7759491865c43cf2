//! A declaration as a formula that a person can read.

use std::fmt::Write as _;

use crate::config::{Aggregate, Change, Condition, FeatureDeclaration};

/// Such as `sum(usage.logins, 28d) / that of the 28d before`; without what it is divided by.
pub(super) fn formula(of: &FeatureDeclaration) -> String {
    let mut inner = of.from.get_ref().clone();
    if let Some(column) = &of.column {
        let _ = write!(inner, ".{}", column.get_ref());
    }
    let conditions: Vec<String> = of.filter.iter().map(condition).collect();
    if !conditions.is_empty() {
        let _ = write!(inner, " where {}", conditions.join(" and "));
    }
    if let Some(window) = of.window {
        let first = if of.from_start { "first " } else { "" };
        let _ = write!(inner, ", {first}{window}");
    }
    let now = format!("{}({inner})", name(of.aggregate));
    let before = match (of.lag, of.window) {
        (Some(lag), _) => format!("that of {lag} before"),
        (None, Some(window)) => format!("that of the {window} before"),
        (None, None) => "that before".to_owned(),
    };
    match of.change {
        None => now,
        Some(Change::Difference) => format!("{now} - {before}"),
        Some(Change::Ratio) => format!("{now} / {before}"),
        Some(Change::ZScore) => {
            let periods = of.periods.map_or_else(|| "earlier".to_owned(), |n| format!("{n} earlier"));
            format!("({now} - mean of the {periods} windows) / their standard deviation")
        }
    }
}

fn condition(of: &Condition) -> String {
    let Condition { column, r#in, not_in, at_least, at_most } = of;
    let mut parts = Vec::new();
    match r#in.as_slice() {
        [] => {}
        [one] => parts.push(format!("{column} = {one}")),
        several => parts.push(format!("{column} in {}", several.join("|"))),
    }
    if !not_in.is_empty() {
        parts.push(format!("{column} not in {}", not_in.join("|")));
    }
    parts.extend(at_least.map(|least| format!("{column} >= {least}")));
    parts.extend(at_most.map(|most| format!("{column} <= {most}")));
    parts.join(" and ")
}

/// As `book.toml` writes it.
const fn name(of: Aggregate) -> &'static str {
    match of {
        Aggregate::Last => "last",
        Aggregate::First => "first",
        Aggregate::Sum => "sum",
        Aggregate::Mean => "mean",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
        Aggregate::Count => "count",
        Aggregate::Distinct => "distinct",
        Aggregate::DistinctNew => "distinct_new",
        Aggregate::MeanDailyDistinct => "mean_daily_distinct",
        Aggregate::LargestShare => "largest_share",
        Aggregate::Median => "median",
        Aggregate::Std => "std",
        Aggregate::Slope => "slope",
        Aggregate::DaysSince => "days_since",
        Aggregate::DaysSinceFirst => "days_since_first",
        Aggregate::DaysToFirst => "days_to_first",
        Aggregate::DaysUntil => "days_until",
        Aggregate::ShareOfDaysActive => "share_of_days_active",
        Aggregate::ShareOfWeeksActive => "share_of_weeks_active",
        Aggregate::WeeklyVariation => "weekly_variation",
    }
}
