//! Feeds that have gaps, stop early, or change their unit.

use bellwether_core::Date;

use crate::Book;
use crate::config::SourceKind;

use super::finding::{Finding, Severity};
use super::rows::{Calendar, Read, SourceRead};

/// A period has few rows at this share of what is usual, where at least so many are.
const FEW_SHARE: f64 = 0.2;
const USUAL_ROWS: usize = 50;
/// Periods before, and after, that tell what is usual.
const NEIGHBOURS: usize = 8;
/// Last periods that are looked at together.
const LAST_PERIODS: usize = 4;
/// Share of the periods that must have rows for the source to come in such periods.
const REGULAR_SHARE: f64 = 0.8;
const SILENT_DAYS: i32 = 7;
/// Days with rows without which there is no cadence.
const CADENCE_DAYS: usize = 5;
/// A unit is another where medians differ so many times.
const UNIT_RATIO: f64 = 5.0;
const UNIT_ROWS: u32 = 50;
const UNIT_MONTHS: usize = 2;

pub(super) fn findings(book: &Book, read: &Read) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, source) in &read.sources {
        let kind = book.file().config.sources[name.as_str()].kind;
        if matches!(kind, SourceKind::Event | SourceKind::Snapshot) && source.last_day.is_some() {
            let periods = periods(&read.calendar, source, book.data_end());
            findings.extend(gap(name, &periods));
            findings.extend(stops(name, kind, book.data_end(), &read.calendar, source, &periods));
        }
        for (column, scales) in &source.scales {
            findings.extend(unit_change(&format!("{name}.{column}"), &read.calendar, scales));
        }
    }
    findings
}

/// A stretch of days with its rows.
struct Period {
    first: Date,
    last: Date,
    n_rows: usize,
}

/// The shortest whole periods in which the source comes regularly, from its first row to the data's end.
fn periods(calendar: &Calendar, source: &SourceRead, data_end: Date) -> Vec<Period> {
    let Some(first) = source.by_day.iter().position(|&n| n > 0) else { return Vec::new() };
    let first = calendar.day(first);
    let mut periods = Vec::new();
    for n_months in [0, 1, 3] {
        periods.clear();
        let mut last = if n_months > 0 && data_end != data_end.month_end() {
            data_end.plus_months(-1).month_end()
        } else {
            data_end
        };
        loop {
            let before =
                if n_months == 0 { last.plus_days(-SILENT_DAYS) } else { last.plus_months(-n_months).month_end() };
            if before.plus_days(1) < first {
                break;
            }
            let days = calendar.place(before.days() + 1).zip(calendar.place(last.days()));
            let n_rows = days.map_or(0, |(from, to)| source.by_day[from..=to].iter().map(|&n| n as usize).sum());
            periods.push(Period { first: before.plus_days(1), last, n_rows });
            last = before;
        }
        periods.reverse();
        let until = periods.iter().rposition(|period| period.n_rows > 0).map_or(0, |last| last + 1);
        let with_rows = periods[..until].iter().filter(|period| period.n_rows > 0).count();
        if until > 0 && with_rows as f64 >= REGULAR_SHARE * until as f64 {
            break;
        }
    }
    periods
}

fn is_few(n_rows: usize, usual: usize) -> bool {
    usual >= USUAL_ROWS && n_rows as f64 <= FEW_SHARE * usual as f64
}

fn median(mut counts: Vec<usize>) -> usize {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap_or(0)
}

/// Where the last periods with few rows begin.
fn last_few(periods: &[Period]) -> Option<usize> {
    let n = periods.len();
    (1..=LAST_PERIODS).rev().filter(|&last| n > last + NEIGHBOURS / 2).map(|last| n - last).find(|&from| {
        let before = &periods[from.saturating_sub(NEIGHBOURS)..from];
        let usual = median(before.iter().map(|period| period.n_rows).collect());
        periods[from..].iter().all(|period| is_few(period.n_rows, usual))
    })
}

/// Runs of periods with few rows, as places with what is usual in one: few beside what comes before and after them.
fn runs_of_few(periods: &[Period]) -> Vec<(std::ops::Range<usize>, usize)> {
    let usual = |periods: &[Period]| median(periods.iter().map(|period| period.n_rows).collect());
    let mut runs = Vec::new();
    let mut from = NEIGHBOURS / 2;
    while from < periods.len() {
        let before = usual(&periods[from.saturating_sub(NEIGHBOURS)..from]);
        let n_few = periods[from..].iter().take_while(|period| is_few(period.n_rows, before)).count();
        let to = from + n_few;
        let after = usual(&periods[to..(to + NEIGHBOURS).min(periods.len())]);
        let expected = before.min(after);
        if n_few > 0 && periods[from..to].iter().all(|period| is_few(period.n_rows, expected)) {
            runs.push((from..to, expected));
        }
        from = to.max(from + 1);
    }
    runs
}

fn gap(name: &str, periods: &[Period]) -> Option<Finding> {
    let end = periods.iter().rposition(|period| period.n_rows > 0).map_or(0, |last| last + 1);
    let end = last_few(periods).unwrap_or(end).min(end);
    let runs = runs_of_few(&periods[..end]);
    let (longest, usual) = runs.iter().max_by_key(|(run, _)| (run.len(), std::cmp::Reverse(run.start)))?;
    let n_rows: usize = periods[longest.clone()].iter().map(|period| period.n_rows).sum();
    let expected = usual * longest.len();
    let (first, last) = (periods[longest.start].first, periods[longest.end - 1].last);
    let summary =
        format!("from {first} to {last} there are {n_rows} rows of everybody together, where {expected} are usual");
    let found = Finding::new("gap", name, Severity::Warning, summary).with("stretches with few rows", runs.len());
    Some(found.with("rows in the longest", n_rows).with("usual rows", expected))
}

fn stops(
    name: &str,
    kind: SourceKind,
    data_end: Date,
    calendar: &Calendar,
    source: &SourceRead,
    periods: &[Period],
) -> Option<Finding> {
    let last_day = Date::from_days(source.last_day?);
    let active: Vec<i32> = source
        .by_day
        .iter()
        .enumerate()
        .filter(|&(_, &n)| n > 0)
        .map(|(place, _)| calendar.day(place).days())
        .filter(|&day| day <= data_end.days())
        .collect();
    let longest = active.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    let silence = data_end.days() - last_day.days();
    let times = if kind == SourceKind::Snapshot { 1.5 } else { 3.0 };
    let is_silent = silence >= SILENT_DAYS && f64::from(silence) > times * f64::from(longest);
    if is_silent && active.len() >= CADENCE_DAYS {
        let summary = format!(
            "the last row is of {last_day}, {silence} days before the data's end, {data_end}; the longest silence before was {longest} days"
        );
        let found = Finding::new("feed-stops", name, Severity::Warning, summary).with("last day", last_day);
        return Some(found.with("days of silence", silence).with("longest before", longest));
    }
    let from = last_few(periods)?;
    let usual = median(periods[from.saturating_sub(NEIGHBOURS)..from].iter().map(|period| period.n_rows).collect());
    let n_rows: usize = periods[from..].iter().map(|period| period.n_rows).sum();
    let n_periods = periods.len() - from;
    let summary = format!(
        "from {} on there are {n_rows} rows of everybody together, where {} are usual",
        periods[from].first,
        usual * n_periods
    );
    Some(Finding::new("feed-stops", name, Severity::Warning, summary).with("last day", last_day))
}

/// How large a column's values are, by month: counts of quarter octaves.
pub(super) struct Scales {
    counts: Vec<[u32; N_SCALES]>,
}

/// From 2^-32 to 2^32, four to the octave.
const N_SCALES: usize = 256;
const FIRST_EXPONENT: i64 = -32;
const BIAS: i64 = 1023;
/// Bits of a number's mantissa below the two that part an octave.
const FINER_BITS: u32 = 50;

impl Scales {
    pub(super) fn new(n_months: usize) -> Self {
        Self { counts: vec![[0; N_SCALES]; n_months] }
    }

    /// Counts a value; zeros and missing ones have no size.
    pub(super) fn add(&mut self, month: usize, value: f64) {
        if value != 0.0 && !value.is_nan() {
            let quarter = (value.abs().to_bits() >> FINER_BITS) as i64 - 4 * (FIRST_EXPONENT + BIAS);
            self.counts[month][quarter.clamp(0, N_SCALES as i64 - 1) as usize] += 1;
        }
    }

    /// The median size of a month's values, and of how many.
    fn median(&self, month: usize) -> Option<f64> {
        let counts = &self.counts[month];
        let n: u32 = counts.iter().sum();
        let mut below = 0;
        let at = counts.iter().position(|&count| {
            below += count;
            2 * below >= n
        })?;
        let bits = ((at as i64 + 4 * (FIRST_EXPONENT + BIAS)) as u64) << FINER_BITS;
        (n >= UNIT_ROWS).then(|| f64::from_bits(bits))
    }
}

fn unit_change(place: &str, calendar: &Calendar, scales: &Scales) -> Option<Finding> {
    let medians: Vec<(usize, f64)> =
        (0..calendar.n_months()).filter_map(|month| Some((month, scales.median(month)?))).collect();
    let least = |of: &[(usize, f64)]| of.iter().map(|median| median.1).fold(f64::INFINITY, f64::min);
    let most = |of: &[(usize, f64)]| of.iter().map(|median| median.1).fold(0.0, f64::max);
    // The month of the change may have values of both units: it is passed over where that shows more.
    let steps = (UNIT_MONTHS..medians.len()).flat_map(|at| [(at, at), (at, at + 1)]);
    let steps = steps.filter(|&(_, to)| to + UNIT_MONTHS <= medians.len()).filter_map(|(from, to)| {
        let (before, after) = (&medians[..from], &medians[to..]);
        let rise = least(after) / most(before);
        let fall = least(before) / most(after);
        let is_change = rise.max(fall) >= UNIT_RATIO;
        is_change.then(|| (rise.max(fall), after[0].0, before[before.len() - 1].1, after[0].1))
    });
    let (_, month, before, after) = steps.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let month = calendar.month_end(month);
    let (times, way) = if after > before { (after / before, "larger") } else { (before / after, "smaller") };
    let summary = format!("values are about {times:.0} times {way} from the month that ends on {month} on, for good");
    let found = Finding::new("unit-change", place, Severity::Error, summary);
    Some(found.with("median size before", format!("{before:.3}")).with("median size after", format!("{after:.3}")))
}
