//! What becomes of the rows of a window.

use bellwether_core::TextColumn;

use crate::config::Aggregate;

/// The column that is aggregated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column<'a> {
    /// Without a column every row counts, as 1.
    Rows,
    Number(&'a [f64]),
    Text(&'a [u32]),
}

/// What a window's aggregate is told from, beside the rows in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    /// Day of each row of the view.
    pub(super) day: &'a [i32],
    /// The day from which each row is known; empty where that is its day.
    pub(super) known: &'a [i32],
    /// The window is `(after, until]`; `after` is `i32::MIN` where it has no start.
    pub(super) after: i32,
    pub(super) until: i32,
    /// The day as of which days are counted: `until`, but for windows that begin with the account.
    pub(super) t: i32,
    /// The account's first day; `i32::MIN` where nobody knows, `i32::MAX` where it is not there yet.
    pub(super) start: i32,
}

const DAYS_A_WEEK: i32 = 7;

/// Aggregates `rows` of a column; they stand in order of day. `earlier` are the rows before the window.
pub(super) fn aggregate<I, E>(aggregate: Aggregate, column: Column<'_>, frame: Frame<'_>, rows: &I, earlier: E) -> f64
where
    I: DoubleEndedIterator<Item = usize> + Clone,
    E: Iterator<Item = usize>,
{
    match column {
        Column::Rows => of_values(aggregate, |_| 1.0, frame, rows, earlier),
        Column::Number(values) => of_values(aggregate, |row| values[row], frame, rows, earlier),
        Column::Text(codes) => of_values(aggregate, |row| of_code(codes[row]), frame, rows, earlier),
    }
}

/// A text is its level's code; NaN is missing.
fn of_code(code: u32) -> f64 {
    if code == TextColumn::MISSING { f64::NAN } else { f64::from(code) }
}

fn of_values<I, E>(aggregate: Aggregate, value: impl Fn(usize) -> f64, frame: Frame<'_>, rows: &I, earlier: E) -> f64
where
    I: DoubleEndedIterator<Item = usize> + Clone,
    E: Iterator<Item = usize>,
{
    let Frame { day, after, until, t, start, .. } = frame;
    let known = || rows.clone().map(|row| (row, value(row))).filter(|(_, value)| !value.is_nan());
    let values = || known().map(|(_, value)| value);
    let days = || known().map(|(row, _)| day[row]);
    match aggregate {
        Aggregate::Last => frame.pick(known().rev(), f64::max),
        Aggregate::First => frame.pick(known(), f64::min),
        Aggregate::Sum => values().sum::<f64>() + 0.0,
        Aggregate::Mean => mean(values()),
        Aggregate::Min => values().reduce(f64::min).unwrap_or(f64::NAN),
        Aggregate::Max => values().reduce(f64::max).unwrap_or(f64::NAN),
        Aggregate::Count => values().count() as f64,
        Aggregate::Distinct => distinct(values()).len() as f64,
        Aggregate::DistinctNew => {
            let mut seen = distinct(earlier.map(&value).filter(|value| !value.is_nan()));
            let n_before = seen.len();
            seen.extend(distinct(values()));
            (sorted_distinct(seen).len() - n_before) as f64
        }
        Aggregate::MeanDailyDistinct => {
            let mut on_day: Vec<(i32, u64)> = known().map(|(row, value)| (day[row], bits(value))).collect();
            on_day.sort_unstable();
            on_day.dedup();
            on_day.len() as f64 / f64::from(until - after)
        }
        Aggregate::LargestShare => {
            let mut all: Vec<u64> = values().map(bits).collect();
            all.sort_unstable();
            let largest = all.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
            largest.map_or(f64::NAN, |largest| largest as f64 / all.len() as f64)
        }
        Aggregate::Median => median(values().collect()),
        Aggregate::Std => {
            let spread = variance(values());
            if values().nth(1).is_some() { spread.sqrt() } else { f64::NAN }
        }
        Aggregate::Slope => {
            let center_day = mean(days().map(f64::from));
            let center = mean(values());
            let from_center = || known().map(|(row, value)| (f64::from(day[row]) - center_day, value - center));
            let spread: f64 = from_center().map(|(days, _)| days * days).sum();
            let together: f64 = from_center().map(|(days, value)| days * value).sum();
            if spread > 0.0 { together / spread } else { f64::NAN }
        }
        Aggregate::DaysSince => days().next_back().map_or(f64::NAN, |day| f64::from(t - day)),
        Aggregate::DaysSinceFirst => days().next().map_or(f64::NAN, |day| f64::from(t - day)),
        Aggregate::DaysToFirst if start == i32::MAX => f64::NAN,
        Aggregate::DaysToFirst => days().next().map_or(f64::NAN, |day| f64::from(day) - f64::from(start)),
        Aggregate::DaysUntil => frame.pick(known().rev(), f64::max) - f64::from(t),
        Aggregate::ShareOfDaysActive => n_runs(days()) as f64 / f64::from(until - after),
        Aggregate::ShareOfWeeksActive => {
            let n_weeks = (until - after) / DAYS_A_WEEK;
            let weeks = days().map(|day| (until - day) / DAYS_A_WEEK).filter(|&week| week < n_weeks);
            n_runs(weeks) as f64 / f64::from(n_weeks)
        }
        Aggregate::WeeklyVariation => {
            let mut totals = vec![0.0; ((until - after) / DAYS_A_WEEK) as usize];
            for (row, value) in known() {
                if let Some(total) = totals.get_mut(((until - day[row]) / DAYS_A_WEEK) as usize) {
                    *total += value;
                }
            }
            let center = mean(totals.iter().copied());
            if center == 0.0 { f64::NAN } else { variance(totals.iter().copied()).sqrt() / center }
        }
    }
}

impl Frame<'_> {
    /// Of the first rows, those of one day and known from one day on, the value that `of_two` prefers; what else the
    /// rows hold does not matter. NaN without rows.
    fn pick(self, mut rows: impl Iterator<Item = (usize, f64)>, of_two: fn(f64, f64) -> f64) -> f64 {
        let Some((first, value)) = rows.next() else { return f64::NAN };
        let is_tied = |row: usize| self.day[row] == self.day[first] && self.known.get(row) == self.known.get(first);
        rows.take_while(|&(row, _)| is_tied(row)).fold(value, |best, (_, value)| of_two(best, value))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    if n == 0 { f64::NAN } else { sum / f64::from(n) }
}

/// Of the population: divides by n.
fn variance(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let center = mean(values.clone());
    mean(values.map(|value| (value - center) * (value - center)))
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    if low == high { low } else { low / 2.0 + high / 2.0 }
}

/// -0 and 0 are one value.
fn bits(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

fn distinct(values: impl Iterator<Item = f64>) -> Vec<u64> {
    sorted_distinct(values.map(bits).collect())
}

fn sorted_distinct(mut bits: Vec<u64>) -> Vec<u64> {
    bits.sort_unstable();
    bits.dedup();
    bits
}

/// How many different numbers there are, where equal ones stand together.
fn n_runs(numbers: impl Iterator<Item = i32>) -> usize {
    let mut last = None;
    numbers.filter(|&number| last.replace(number) != Some(number)).count()
}

/// Numbers that differ by less than this share are equal but for the order in which they were summed up.
const ROUNDING: f64 = 1e-9;

/// How far `now` is from the mean of `earlier`, in standard deviations; missing where they do not differ.
pub(super) fn z_score(now: f64, earlier: &[f64]) -> f64 {
    let spread = variance(earlier.iter().copied()).sqrt();
    let largest = earlier.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if spread > ROUNDING * largest { (now - mean(earlier.iter().copied())) / spread } else { f64::NAN }
}
