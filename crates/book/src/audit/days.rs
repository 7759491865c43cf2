//! Features by snapshot day: how much is missing, and how far values are from those of training.

use std::collections::BTreeSet;

use bellwether_core::{Date, RawColumn, RawValues, TextColumn};
use rayon::prelude::*;

use crate::{Book, FeatureTable, Split, SplitPlan};

use super::finding::{Finding, Severity};
use super::sample::{bin_edges, is_missing, sorted, training_rows};

/// A feature by snapshot day.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureDays {
    /// The feature.
    pub name: String,
    /// The days, rising.
    pub days: Vec<FeatureDay>,
}

/// A feature on one snapshot day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeatureDay {
    /// The day.
    pub day: Date,
    /// Rows, of accounts that are customers.
    pub n_rows: usize,
    /// Share of them without a value, in `0.0..=1.0`.
    pub missing_share: f64,
    /// Population stability index of the known values against those of training rows, over the training rows' deciles
    /// or nine commonest levels and the rest, half a row added to each bin; `None` where either has no known value.
    pub psi: Option<f64>,
}

const N_BINS: usize = 10;
/// Added to each bin's count, so that an empty bin is no infinity.
const SMOOTHING: f64 = 0.5;
const NOTABLE: f64 = 0.25;
const UNLIKE: f64 = 2.0;
/// From the first to the last day of a stretch that is no season.
const SEASON_DAYS: i32 = 89;
/// Of chi-squared at 0.9999.
const Z: f64 = 3.719;
const LEAST_ROWS: usize = 50;
const JUMP: f64 = 0.2;
const JUMP_Z: f64 = 5.0;

pub(super) fn by_day(book: &Book, table: &FeatureTable, split: Option<&Split>) -> (Vec<FeatureDays>, Vec<Finding>) {
    if !book.has_time() {
        return (Vec::new(), Vec::new());
    }
    let days: Vec<Date> = table.keys.iter().map(|key| key.as_of).collect::<BTreeSet<_>>().into_iter().collect();
    let place_of: Vec<usize> = table.keys.iter().map(|key| days.partition_point(|&day| day < key.as_of)).collect();
    let training = training_rows(table, split);
    let n_accounts = training.iter().map(|&row| table.account[row]).collect::<BTreeSet<u32>>().len();
    // Features drift along with training rows that stand among all days: nothing is after training then.
    let is_by_time = matches!(split, Some(Split { plan: SplitPlan::Time { .. }, .. }));
    let until = training.iter().map(|&row| table.keys[row].as_of).max().unwrap_or_else(|| book.data_end());
    let built = table.raw.columns.par_iter().map(|column| {
        let counted = Counted::of(column, &training, &place_of, &days);
        let of_days = counted.days(&days);
        let mut findings: Vec<Finding> = jump(column, &of_days).into_iter().collect();
        let learnt = Learnt { n_accounts, until };
        findings.extend(drift(column, &of_days, &counted, learnt).filter(|_| is_by_time));
        (FeatureDays { name: column.name.clone(), days: of_days }, findings)
    });
    let (features, findings): (Vec<FeatureDays>, Vec<Vec<Finding>>) = built.collect::<Vec<_>>().into_iter().unzip();
    (features, findings.concat())
}

/// Counts of bins.
struct Counted {
    training: Vec<u32>,
    by_day: Vec<Vec<u32>>,
    n_rows: Vec<usize>,
}

impl Counted {
    fn of(column: &RawColumn, training: &[usize], place_of: &[usize], days: &[Date]) -> Self {
        let bins = Bins::of(&column.values, training);
        let n_bins = bins.len();
        let mut counted =
            Self { training: vec![0; n_bins], by_day: vec![vec![0; n_bins]; days.len()], n_rows: vec![0; days.len()] };
        for &row in training {
            if let Some(bin) = bins.bin(&column.values, row) {
                counted.training[bin] += 1;
            }
        }
        for (row, &place) in place_of.iter().enumerate() {
            counted.n_rows[place] += 1;
            if let Some(bin) = bins.bin(&column.values, row) {
                counted.by_day[place][bin] += 1;
            }
        }
        counted
    }

    fn days(&self, days: &[Date]) -> Vec<FeatureDay> {
        let one = |(place, &day): (usize, &Date)| {
            let (counts, n_rows) = (&self.by_day[place], self.n_rows[place]);
            let n_known: u32 = counts.iter().sum();
            let missing_share = (n_rows - n_known as usize) as f64 / n_rows as f64;
            FeatureDay { day, n_rows, missing_share, psi: psi(&self.training, counts) }
        };
        days.iter().enumerate().map(one).collect()
    }
}

/// What values are counted in.
enum Bins {
    /// Rising upper edges but the last; a value of an edge is above it.
    Edges(Vec<f32>),
    /// The bin of each level.
    Levels(Vec<usize>, usize),
}

impl Bins {
    fn of(values: &RawValues, training: &[usize]) -> Self {
        match values {
            RawValues::Number(values) => {
                let known = sorted(values, training);
                let mut edges = bin_edges(&known, N_BINS);
                // A value that most rows have, such as 0, gets a bin of its own.
                if edges.first().zip(known.first()).is_some_and(|(edge, least)| edge == least) {
                    let above = known.partition_point(|x| x == &known[0]);
                    edges[0] = known.get(above).copied().unwrap_or(f32::INFINITY);
                    edges.dedup();
                }
                Self::Edges(edges)
            }
            RawValues::Text(texts) => {
                let mut counts = vec![0_u32; texts.levels.len()];
                for &row in training {
                    if let Some(count) = counts.get_mut(texts.codes[row] as usize) {
                        *count += 1;
                    }
                }
                let mut order: Vec<usize> = (0..counts.len()).collect();
                order.sort_by_key(|&level| (std::cmp::Reverse(counts[level]), level));
                let mut bin = vec![N_BINS - 1; counts.len()];
                order.iter().take(N_BINS - 1).enumerate().for_each(|(place, &level)| bin[level] = place);
                Self::Levels(bin, counts.len().min(N_BINS))
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Edges(edges) => edges.len() + 1,
            Self::Levels(_, n) => *n,
        }
    }

    fn bin(&self, values: &RawValues, row: usize) -> Option<usize> {
        match (self, values) {
            _ if is_missing(values, row) => None,
            (Self::Edges(edges), RawValues::Number(values)) => Some(edges.partition_point(|&edge| edge <= values[row])),
            (Self::Levels(bins, n), RawValues::Text(TextColumn { codes, .. })) => {
                bins.get(codes[row] as usize).map(|&bin| bin.min(n - 1))
            }
            _ => None,
        }
    }
}

/// Population stability index, `sum (p - q) ln(p / q)`; `None` where either side is empty.
fn psi(training: &[u32], counts: &[u32]) -> Option<f64> {
    let (n, m): (u32, u32) = (training.iter().sum(), counts.iter().sum());
    let share =
        |count: u32, of: u32| (f64::from(count) + SMOOTHING) / (f64::from(of) + SMOOTHING * counts.len() as f64);
    let term = |(&q, &p): (&u32, &u32)| {
        let (q, p) = (share(q, n), share(p, m));
        (p - q) * (p / q).ln()
    };
    (n > 0 && m > 0).then(|| training.iter().zip(counts).map(term).sum())
}

/// What chance alone gives seldom. Source: Yurdakul (2018), the quantile of chi-squared by Wilson and Hilferty (1931).
fn by_chance(n_bins: usize, n_accounts: usize, n_rows: usize) -> f64 {
    let freedom = n_bins.saturating_sub(1).max(1) as f64;
    let spread = 2.0 / (9.0 * freedom);
    let quantile = freedom * (1.0 - spread + Z * spread.sqrt()).powi(3);
    quantile * (1.0 / n_accounts.max(1) as f64 + 1.0 / n_rows.max(1) as f64)
}

/// What training saw.
#[derive(Clone, Copy)]
struct Learnt {
    n_accounts: usize,
    /// Its last day.
    until: Date,
}

fn drift(column: &RawColumn, days: &[FeatureDay], counted: &Counted, learnt: Learnt) -> Option<Finding> {
    let n_known = |place: usize| counted.by_day[place].iter().sum::<u32>() as usize;
    let limit = |place: usize| by_chance(counted.training.len(), learnt.n_accounts, n_known(place));
    let beyond = |(place, day): (usize, &FeatureDay)| {
        let psi = day.psi.filter(|&psi| day.n_rows >= LEAST_ROWS && psi >= NOTABLE && psi > limit(place))?;
        Some((psi, limit(place), day.day))
    };
    let found: Vec<(f64, f64, Date)> = days.iter().enumerate().filter_map(beyond).collect();
    let (psi, limit, day) = found.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0).then(b.2.cmp(&a.2)))?;
    let unlike = |&(psi, _, day): &(f64, f64, Date)| psi >= UNLIKE && day > learnt.until;
    let is_adjacent = |a: &(f64, f64, Date), b: &(f64, f64, Date)| {
        unlike(a) && unlike(b) && !days.iter().any(|day| a.2 < day.day && day.day < b.2)
    };
    // A season comes and goes.
    let lasts = |run: &[(f64, f64, Date)]| run[run.len() - 1].2.days() - run[0].2.days() >= SEASON_DAYS;
    let severity = if found.chunk_by(is_adjacent).any(lasts) { Severity::Warning } else { Severity::Note };
    let summary = format!(
        "on {} of {} snapshot days it is distributed otherwise than in training; most on {day}, PSI {psi:.2}",
        found.len(),
        days.len()
    );
    let found = Finding::new("drift", &column.name, severity, summary).with("largest PSI", format!("{psi:.3}"));
    Some(found.with("on", day).with("PSI by chance", format!("{limit:.3}")))
}

/// The day on which most more is missing than on the day before.
fn jump(column: &RawColumn, days: &[FeatureDay]) -> Option<Finding> {
    let rises = days.windows(2).filter_map(|pair| {
        let (before, after) = (pair[0], pair[1]);
        let rise = after.missing_share - before.missing_share;
        let (n, m) = (before.n_rows as f64, after.n_rows as f64);
        let pooled = (before.missing_share * n + after.missing_share * m) / (n + m);
        let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
        let is_jump = before.n_rows.min(after.n_rows) >= LEAST_ROWS && rise >= JUMP && rise >= JUMP_Z * deviation;
        is_jump.then_some((rise, before, after))
    });
    let (_, before, after) = rises.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let summary = format!(
        "{:.1} % of the rows are without a value on {}, after {:.1} % on {}",
        100.0 * after.missing_share,
        after.day,
        100.0 * before.missing_share,
        before.day
    );
    Some(Finding::new("missing-jump", &column.name, Severity::Warning, summary).with("rows on the day", after.n_rows))
}
