//! Weights from what happened (requirements.md I-01, 1.10).
//!
//! Everything here reads training rows only; whether the weights help is for later rows to say.

use std::collections::BTreeMap;

use bellwether_core::{FeatureMatrix, pearson};

use crate::{HealthError, Scorecard};

/// What happened after each row of a matrix; all slices have one entry a row.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The account's place in the book.
    pub account: &'a [u32],
    /// The row's day, in days since 1970-01-01.
    pub day: &'a [i32],
    /// Whether the account churned within the horizon (90 days) of the row; `None` where that is not known.
    pub churned: &'a [Option<bool>],
    /// What fits the weights of [`WeightsFrom::Logistic`](crate::WeightsFrom::Logistic); this crate fits none.
    pub regression: Option<Regression>,
}

/// A logistic regression of having stayed, whose coefficients are not below 0: from points ([`points_matrix`]) and whether
/// each row's account stayed to one coefficient a column, or why there is none.
pub type Regression = fn(&FeatureMatrix, &[bool]) -> Result<Vec<f64>, String>;

/// The row at which each account is looked at (requirements.md K-01, K-02).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookBack {
    /// One a churned account: with a horizon of 90 days, the snapshot nearest to 90 days before it churned.
    pub churned: Vec<usize>,
    /// One an account that did not: its last row.
    pub others: Vec<usize>,
}

/// What history says of one indicator, and the weight that follows.
#[derive(Debug, Clone, PartialEq)]
pub struct IndicatorEvidence {
    /// The indicator's name.
    pub name: String,
    /// Its share of the score before; all total 100.
    pub before: f64,
    /// Its share of the score after, 0 where it is left out; all total 100.
    pub after: f64,
    /// What the weight follows from.
    pub finding: Finding,
}

/// What history says of one indicator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// Nothing was asked of history.
    None,
    /// How often it was weak (requirements.md K-03).
    Weakness {
        /// Churned accounts where it was known.
        n_churned: u64,
        /// How many of them were weak.
        weak_churned: u64,
        /// Other accounts where it was known.
        n_others: u64,
        /// How many of them were weak.
        weak_others: u64,
        /// The 95 % interval of the difference of the two shares; `None` where either has no account.
        difference: Option<(f64, f64)>,
        /// Whether it doubles: weak for at least half of the churned, and the interval above 0.
        is_weak: bool,
    },
    /// Its correlation with having stayed, in `-1.0..=1.0`; `None` where either does not vary.
    Correlation(Option<f64>),
    /// Its coefficient in a regression of having stayed, at least 0: what a point adds to the log odds.
    Regression(f64),
}

/// An indicator is weak in a row where it earns less than this, of 100.
pub const WEAK_BELOW: f64 = 50.0;

/// The least share of churned accounts that a weak indicator was weak for.
pub const WEAK_SHARE: f64 = 0.5;

/// What the weight of a weak indicator is multiplied by (requirements.md K-04).
pub const WEAK_FACTOR: f64 = 2.0;

/// How far back churned accounts are looked at (requirements.md K-01: 12 months).
pub const LOOK_BACK_DAYS: i32 = 365;

/// With fewer churned accounts nothing is learnt from them.
pub const MIN_CHURNED: usize = 10;

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// The weights as they are.
pub(crate) fn declared(scorecard: &Scorecard) -> Vec<IndicatorEvidence> {
    let before = shares(scorecard);
    evidence(scorecard, &before, before.clone(), vec![Finding::None; before.len()])
}

/// The same weight for each.
pub(crate) fn equal(scorecard: &Scorecard) -> Vec<IndicatorEvidence> {
    let before = shares(scorecard);
    evidence(scorecard, &before, vec![1.0; before.len()], vec![Finding::None; before.len()])
}

/// Doubles what was weak (requirements.md K-01 to K-04).
///
/// Each account that churned within the horizon of a training row of the last 365 days is looked at on the first such
/// row of its last run of them: with a horizon of 90 days, the snapshot nearest to 90 days before it churned. Of the
/// others, the last row counts. An indicator that was weak for at least half of the churned, and clearly more often than
/// for the others, has its weight doubled; then all are scaled to total 100.
///
/// # Errors
/// [`HealthError::History`] if fewer than 10 accounts churned or none stayed.
///
/// # Panics
/// If `history` has not one entry a row of `x`, or a row is outside.
pub fn doubled(
    scorecard: &Scorecard,
    x: &FeatureMatrix,
    training_rows: &[usize],
    history: &History<'_>,
) -> Result<Vec<IndicatorEvidence>, HealthError> {
    let LookBack { churned, others } = look_back(training_rows, history);
    if churned.len() < MIN_CHURNED || others.is_empty() {
        return Err(HealthError::History(format!(
            "{} accounts churned in the last {LOOK_BACK_DAYS} days of training and {} stayed; {MIN_CHURNED} and 1 are needed",
            churned.len(),
            others.len()
        )));
    }
    let finding = |indicator: usize| {
        let (n_churned, weak_churned) = count_weak(scorecard, indicator, x, &churned);
        let (n_others, weak_others) = count_weak(scorecard, indicator, x, &others);
        let difference = difference_of_shares((weak_churned, n_churned), (weak_others, n_others));
        let is_often_weak = n_churned > 0 && weak_churned as f64 >= WEAK_SHARE * n_churned as f64;
        let is_weak = is_often_weak && difference.is_some_and(|(low, _)| low > 0.0);
        Finding::Weakness { n_churned, weak_churned, n_others, weak_others, difference, is_weak }
    };
    let factor = |finding: &Finding| {
        if matches!(finding, Finding::Weakness { is_weak: true, .. }) { WEAK_FACTOR } else { 1.0 }
    };
    let before = shares(scorecard);
    let findings: Vec<Finding> = (0..before.len()).map(finding).collect();
    let raw = before.iter().zip(&findings).map(|(share, finding)| share * factor(finding)).collect();
    Ok(evidence(scorecard, &before, raw, findings))
}

/// Weights in proportion to each indicator's correlation with having stayed (requirements.md I-01), over the training
/// rows where both are known; one that does not go with staying has none.
///
/// # Errors
/// [`HealthError::History`] if no indicator goes with staying.
///
/// # Panics
/// As [`doubled`].
pub fn by_correlation(
    scorecard: &Scorecard,
    x: &FeatureMatrix,
    training_rows: &[usize],
    history: &History<'_>,
) -> Result<Vec<IndicatorEvidence>, HealthError> {
    let correlation = |indicator: usize| {
        let column = x.column(scorecard.model.indicators[indicator].feature as usize);
        let pair = |&row: &usize| {
            let stayed = if history.churned[row]? { 0.0 } else { 1.0 };
            Some((scorecard.points(indicator, column[row])?, stayed))
        };
        pearson(training_rows.iter().filter_map(pair))
    };
    let before = shares(scorecard);
    let found: Vec<Option<f64>> = (0..before.len()).map(correlation).collect();
    let raw: Vec<f64> = found.iter().map(|of| of.unwrap_or(0.0).max(0.0)).collect();
    if raw.iter().sum::<f64>() <= 0.0 {
        return Err(HealthError::History("no indicator goes with staying in the training rows".to_owned()));
    }
    Ok(evidence(scorecard, &before, raw, found.into_iter().map(Finding::Correlation).collect()))
}

/// Weights in proportion to the coefficients of a non-negative logistic regression of having stayed on the indicators'
/// points, over the training rows of which it is known: what an indicator says beside the others.
///
/// # Errors
/// [`HealthError::History`] without a regression, if it finds nothing or if no indicator goes with staying.
///
/// # Panics
/// As [`doubled`].
pub fn by_regression(
    scorecard: &Scorecard,
    x: &FeatureMatrix,
    training_rows: &[usize],
    history: &History<'_>,
) -> Result<Vec<IndicatorEvidence>, HealthError> {
    let regression = history.regression.ok_or_else(|| HealthError::History("there is no regression".to_owned()))?;
    let (rows, stayed): (Vec<usize>, Vec<bool>) =
        training_rows.iter().filter_map(|&row| Some((row, !history.churned[row]?))).unzip();
    let found = regression(&points_matrix(scorecard, x, &rows), &stayed).map_err(HealthError::History)?;
    let before = shares(scorecard);
    if found.len() != before.len() || found.iter().any(|of| !of.is_finite() || *of < 0.0) {
        return Err(HealthError::History(format!("the regression gave the coefficients {found:?}")));
    }
    if found.iter().sum::<f64>() <= 0.0 {
        return Err(HealthError::History("no indicator goes with staying in the training rows".to_owned()));
    }
    let findings = found.iter().copied().map(Finding::Regression).collect();
    Ok(evidence(scorecard, &before, found, findings))
}

/// The points of each indicator, `0.0..=100.0`, a column an indicator in the order of `names`, for the rows `rows` of
/// `x`: what a non-negative logistic regression of having stayed is fitted on, whose coefficients
/// [`Scorecard::with_weights`] takes. A missing value has the mean of the known ones, 50 where none is.
///
/// # Panics
/// If a row is outside `x`.
pub fn points_matrix(scorecard: &Scorecard, x: &FeatureMatrix, rows: &[usize]) -> FeatureMatrix {
    let column = |indicator: usize| -> Vec<f32> {
        let values = x.column(scorecard.model.indicators[indicator].feature as usize);
        let points: Vec<Option<f64>> = rows.iter().map(|&row| scorecard.points(indicator, values[row])).collect();
        let (sum, n) = points.iter().flatten().fold((0.0, 0.0), |(sum, n), points| (sum + points, n + 1.0));
        let fill = if n > 0.0 { sum / n } else { 50.0 };
        points.iter().map(|points| points.unwrap_or(fill) as f32).collect()
    };
    let columns: Vec<Vec<f32>> = (0..scorecard.names.len()).map(column).collect();
    FeatureMatrix::from_columns(&columns).expect("points are finite and columns have one a row")
}

/// The share of the score that each indicator has; they total 100.
fn shares(scorecard: &Scorecard) -> Vec<f64> {
    match scorecard.rules.as_ref().and_then(|rules| rules.cards.last()) {
        Some(card) => card.shares(),
        None => scorecard.model.indicators.iter().map(|indicator| f64::from(indicator.weight)).collect(),
    }
}

fn evidence(scorecard: &Scorecard, before: &[f64], raw: Vec<f64>, findings: Vec<Finding>) -> Vec<IndicatorEvidence> {
    let total: f64 = raw.iter().sum();
    let of = (scorecard.names.iter().zip(before)).zip(raw.into_iter().zip(findings));
    of.map(|((name, &before), (raw, finding))| {
        let after = crate::TOTAL_WEIGHT * raw / total;
        IndicatorEvidence { name: name.clone(), before, after, finding }
    })
    .collect()
}

/// The rows of the last 365 days of `training_rows` at which [`doubled`] looks; accounts in the order of their numbers.
///
/// # Panics
/// If `history` has no entry for a row.
pub fn look_back(training_rows: &[usize], history: &History<'_>) -> LookBack {
    let known = || training_rows.iter().copied().filter(|&row| history.churned[row].is_some());
    let Some(last_day) = known().map(|row| history.day[row]).max() else { return LookBack::default() };
    let mut of_account: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for row in known().filter(|&row| history.day[row] > last_day.saturating_sub(LOOK_BACK_DAYS)) {
        of_account.entry(history.account[row]).or_default().push(row);
    }
    let (mut churned, mut others) = (Vec::new(), Vec::new());
    for rows in of_account.values_mut() {
        rows.sort_by_key(|&row| (history.day[row], row));
        let is_churn = |row: &&usize| history.churned[**row] == Some(true);
        let to = rows.iter().rposition(|row| is_churn(&row));
        match to {
            None => others.push(rows[rows.len() - 1]),
            Some(to) => {
                let run = rows[..=to].iter().rev().take_while(is_churn).count();
                churned.push(rows[to + 1 - run]);
            }
        }
    }
    LookBack { churned, others }
}

/// Rows where an indicator is known, and how many of them are weak.
fn count_weak(scorecard: &Scorecard, indicator: usize, x: &FeatureMatrix, rows: &[usize]) -> (u64, u64) {
    let column = x.column(scorecard.model.indicators[indicator].feature as usize);
    let known = rows.iter().filter_map(|&row| scorecard.points(indicator, column[row]));
    known.fold((0, 0), |(n, weak), points| (n + 1, weak + u64::from(points < WEAK_BELOW)))
}

/// The 95 % interval of a difference of shares, each `(hits, of)`. Source: Agresti and Caffo (2000), The American
/// Statistician 54.
fn difference_of_shares(a: (u64, u64), b: (u64, u64)) -> Option<(f64, f64)> {
    if a.1 == 0 || b.1 == 0 {
        return None;
    }
    let adjusted = |(hits, of): (u64, u64)| {
        let n = of as f64 + 2.0;
        let share = (hits as f64 + 1.0) / n;
        (share, share * (1.0 - share) / n)
    };
    let ((p_a, variance_a), (p_b, variance_b)) = (adjusted(a), adjusted(b));
    let margin = Z * (variance_a + variance_b).sqrt();
    Some(((p_a - p_b - margin).max(-1.0), (p_a - p_b + margin).min(1.0)))
}
