//! What becomes of the rows of a window.

use bellwether_core::TextColumn;

use crate::config::Aggregate;

/// The column that is aggregated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column<'a> {
    Number(&'a [f64]),
    Text(&'a TextColumn),
}

impl Column<'_> {
    /// The value of a row; a text is its level's code; NaN is missing.
    fn value(self, row: usize) -> f64 {
        match self {
            Self::Number(values) => values[row],
            Self::Text(texts) => match texts.codes[row] {
                TextColumn::MISSING => f64::NAN,
                code => f64::from(code),
            },
        }
    }
}

/// Aggregates `rows`, which stand in order of day; the window is `(after, t]`, `after = i32::MIN` where it has no start.
pub(super) fn aggregate(
    aggregate: Aggregate,
    column: Option<Column<'_>>,
    day: &[i32],
    rows: &[usize],
    t: i32,
    after: i32,
) -> f64 {
    // Without a column every row counts.
    let value = |row: usize| column.map_or(1.0, |column| column.value(row));
    let known = || rows.iter().copied().map(|row| (row, value(row))).filter(|(_, value)| !value.is_nan());
    let values = || known().map(|(_, value)| value);
    match aggregate {
        Aggregate::Last => known().next_back().map_or(f64::NAN, |(_, value)| value),
        Aggregate::First => known().next().map_or(f64::NAN, |(_, value)| value),
        Aggregate::Sum => values().sum::<f64>() + 0.0,
        Aggregate::Mean => mean(values()),
        Aggregate::Min => values().reduce(f64::min).unwrap_or(f64::NAN),
        Aggregate::Max => values().reduce(f64::max).unwrap_or(f64::NAN),
        Aggregate::Count => values().count() as f64,
        Aggregate::Distinct => {
            // -0 and 0 are one value.
            let mut bits: Vec<u64> = values().map(|value| (value + 0.0).to_bits()).collect();
            bits.sort_unstable();
            bits.dedup();
            bits.len() as f64
        }
        Aggregate::Std => {
            let center = mean(values());
            let spread = mean(values().map(|value| (value - center) * (value - center)));
            if values().nth(1).is_some() { spread.sqrt() } else { f64::NAN }
        }
        Aggregate::Slope => {
            let center_day = mean(known().map(|(row, _)| f64::from(day[row])));
            let center = mean(values());
            let from_center = || known().map(|(row, value)| (f64::from(day[row]) - center_day, value - center));
            let spread: f64 = from_center().map(|(days, _)| days * days).sum();
            let together: f64 = from_center().map(|(days, value)| days * value).sum();
            if spread > 0.0 { together / spread } else { f64::NAN }
        }
        Aggregate::DaysSince => known().next_back().map_or(f64::NAN, |(row, _)| f64::from(t - day[row])),
        Aggregate::DaysUntil => known().next_back().map_or(f64::NAN, |(_, date)| date - f64::from(t)),
        Aggregate::ShareOfDaysActive => {
            let mut days: Vec<i32> = known().map(|(row, _)| day[row]).collect();
            days.dedup();
            days.len() as f64 / f64::from(t - after)
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    if n == 0 { f64::NAN } else { sum / f64::from(n) }
}
