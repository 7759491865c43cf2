//! How far the level of an outcome has drifted by the last days, beyond what a model explains.

use std::collections::BTreeMap;

use bellwether_core::{Calibration, sigmoid};

use crate::logistic::{Cholesky, Matrix};

/// What a model says of labelled rows; all slices have one entry a row.
#[derive(Debug, Clone, Copy)]
pub struct ScoredRows<'a> {
    /// Before calibration; finite.
    pub logits: &'a [f64],
    /// Whether the outcome came.
    pub y: &'a [bool],
    /// As-of day; all equal where the table has no time.
    pub day: &'a [i32],
    /// Stable hash of the account: what comes of its rows is not independent.
    pub group: &'a [u64],
}

/// What the level may move in a year, as a standard deviation of log odds: from hardly at all to a leap, each as likely
/// before the rows are looked at.
const MOVES_IN_A_YEAR: [f64; 12] = [0.05, 0.07, 0.1, 0.14, 0.19, 0.27, 0.37, 0.52, 0.73, 1.0, 1.4, 2.0];

/// The share of books that do not drift, before the rows are looked at.
const STABLE: f64 = 0.5;

/// Stretches are made longer than the horizon where there would be more.
const MOST_STRETCHES: i32 = 40;

/// The standard deviation of a stretch's level, in log odds, before its rows are looked at: wide, so that a stretch without
/// an event has a level.
const WIDEST: f64 = 2.0;

/// What is added to a level's variance, as a share of that of independent rows: the covariances of a few accounts do not
/// determine each other.
const RIDGE: f64 = 0.02;

/// How far the log odds of the outcome at the last of the days of `calibrated` lie above their mean over its rows, beyond
/// what the model and its `calibration` explain; `None` where the rows speak rather for no drift, or lie within one horizon.
///
/// Stretches of days as long as the horizon have a level each, read off the rows of `calibrated` and of those of `fitted`
/// that lie among their days, with covariances by account: windows of labels overlap. The levels are a random walk (a local
/// level model, Harvey 1989) whose steps are unknown: none with probability one half, else of a size on a grid. The answer is
/// the mean over sizes, weighted by what each explains of the levels (restricted likelihood, Patterson and Thompson 1971).
/// It knows no seasons. Rows that the model was fitted on pull it towards 0.
///
/// # Panics
/// If slices of one argument differ in length.
pub fn level_drift(
    calibration: &Calibration,
    calibrated: &ScoredRows<'_>,
    fitted: &ScoredRows<'_>,
    horizon_days: u32,
) -> Option<f64> {
    let (first, last) = (*calibrated.day.iter().min()?, *calibrated.day.iter().max()?);
    let horizon = i32::try_from(horizon_days).unwrap_or(i32::MAX).max(1);
    let length = horizon.max((last - first) / MOST_STRETCHES + 1);
    let mut rows = compared(calibration, calibrated, Part::Calibrated);
    rows.extend(
        compared(calibration, fitted, Part::Fitted).into_iter().filter(|row| (first..=last).contains(&row.day)),
    );
    rows.sort_unstable_by(Row::order);
    let levels = Levels::of(&rows, |day| (last - day) / length);
    let years = |stretch: i32| f64::from(stretch) * f64::from(length) / 365.25;
    levels.drift(years)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Calibrated,
    Fitted,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    /// After calibration.
    logit: f64,
    y: bool,
    day: i32,
    group: u64,
    part: Part,
}

impl Row {
    /// Rows that compare equal are alike.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let key = |row: &Self| (row.group, row.day, row.part, row.y);
        key(self).cmp(&key(other)).then(self.logit.total_cmp(&other.logit))
    }

    fn probability(&self, level: f64) -> f64 {
        sigmoid(self.logit + level)
    }
}

fn compared(calibration: &Calibration, rows: &ScoredRows<'_>, part: Part) -> Vec<Row> {
    let n_rows = rows.logits.len();
    assert!(
        [rows.y.len(), rows.day.len(), rows.group.len()].iter().all(|&n| n == n_rows),
        "one label, day and group a row"
    );
    let row = |at: usize| Row {
        logit: calibration.log_odds(rows.logits[at]),
        y: rows.y[at],
        day: rows.day[at],
        group: rows.group[at],
        part,
    };
    (0..n_rows).map(row).collect()
}

/// The levels of stretches that have rows, the last first.
#[derive(Debug)]
struct Levels {
    /// How many stretches before the last.
    stretch: Vec<i32>,
    level: Vec<f64>,
    covariance: Matrix,
    /// What the calibrated rows of the stretch weigh: their information about its level.
    weight: Vec<f64>,
}

impl Levels {
    /// `rows` have one group after the other.
    fn of(rows: &[Row], stretch_of: impl Fn(i32) -> i32) -> Self {
        let mut by_stretch: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
        for row in rows {
            by_stretch.entry(stretch_of(row.day)).or_default().push(*row);
        }
        let level: Vec<f64> = by_stretch.values().map(|rows| level(rows)).collect();
        let information = |place: usize, rows: &[Row], is_counted: fn(&Row) -> bool| -> f64 {
            let of_row = |row: &Row| row.probability(level[place]) * (1.0 - row.probability(level[place]));
            rows.iter().filter(|row| is_counted(row)).map(of_row).sum()
        };
        let of_stretches = |is_counted: fn(&Row) -> bool| -> Vec<f64> {
            by_stretch.values().enumerate().map(|(place, rows)| information(place, rows, is_counted)).collect()
        };
        let (all, weight) = (of_stretches(|_| true), of_stretches(|row| row.part == Part::Calibrated));
        let stretch: Vec<i32> = by_stretch.into_keys().collect();
        let place_of = |day: i32| stretch.binary_search(&stretch_of(day)).expect("every row is in a stretch");
        let n = stretch.len();
        let (mut products, mut n_groups) = (vec![0.0; n * n], 0.0);
        for rows in rows.chunk_by(|a, b| a.group == b.group) {
            let mut error_at: BTreeMap<usize, f64> = BTreeMap::new();
            for row in rows {
                let place = place_of(row.day);
                *error_at.entry(place).or_default() += f64::from(u8::from(row.y)) - row.probability(level[place]);
            }
            for (&i, error) in &error_at {
                error_at.range(..=i).for_each(|(&j, other)| products[i * n + j] += error * other);
            }
            n_groups += 1.0;
        }
        let clusters = n_groups / (n_groups - 1.0_f64).max(1.0);
        let covariance = Matrix::symmetric(n, |i, j| clusters * products[i * n + j] / (all[i] * all[j]))
            .plus_diagonal(|i| RIDGE / all[i]);
        Self { stretch, level, covariance, weight }
    }

    /// See [`level_drift`].
    fn drift(&self, years: impl Fn(i32) -> f64) -> Option<f64> {
        let stable = self.walk(0.0, &years)?;
        let moving = MOVES_IN_A_YEAR.iter().map(|&a_year| self.walk(a_year, &years)).collect::<Option<Vec<Walk>>>()?;
        let most = moving.iter().map(|walk| walk.log_likelihood).fold(stable.log_likelihood, f64::max);
        let share = (1.0 - STABLE) / moving.len() as f64;
        let weight = |walk: &Walk| share * (walk.log_likelihood - most).exp();
        let of_stable = STABLE * (stable.log_likelihood - most).exp();
        let of_moving: f64 = moving.iter().map(weight).sum();
        let drift = moving.iter().map(|walk| weight(walk) * walk.drift).sum::<f64>() / (of_stable + of_moving);
        (of_moving > of_stable && drift.is_finite()).then_some(drift)
    }

    /// If the level moves by `a_year` in a year; `None` where there is one stretch only.
    fn walk(&self, a_year: f64, years: impl Fn(i32) -> f64) -> Option<Walk> {
        let n = self.stretch.len();
        let oldest = *self.stretch.last().filter(|_| n > 1)?;
        // A random walk from the oldest stretch on: what two of them share is how far the older one is from it.
        let shared = |i: usize, j: usize| a_year * a_year * years(oldest - self.stretch[i].max(self.stretch[j]));
        let moves = Matrix::symmetric(n, shared);
        let cholesky = Cholesky::of(&Matrix::symmetric(n, |i, j| self.covariance.at(i, j) + moves.at(i, j)));
        let of_ones = cholesky.solve(&vec![1.0; n]);
        let precision: f64 = of_ones.iter().sum();
        let mean = of_ones.iter().zip(&self.level).map(|(a, b)| a * b).sum::<f64>() / precision;
        let rest: Vec<f64> = self.level.iter().map(|level| level - mean).collect();
        let solved = cholesky.solve(&rest);
        let distance: f64 = rest.iter().zip(&solved).map(|(a, b)| a * b).sum();
        let smoothed = moves.times(&solved);
        let total: f64 = self.weight.iter().sum();
        let usual = smoothed.iter().zip(&self.weight).map(|(a, b)| a * b).sum::<f64>() / total;
        let log_likelihood = -0.5 * (cholesky.log_determinant() + precision.ln() + distance);
        cholesky.is_complete().then_some(Walk { log_likelihood, drift: smoothed[0] - usual })
    }
}

/// What one size of moves says of the levels.
#[derive(Debug, Clone, Copy)]
struct Walk {
    log_likelihood: f64,
    drift: f64,
}

/// What is to be added to the logits of `rows`, by Newton's method.
fn level(rows: &[Row]) -> f64 {
    const MOST_STEPS: usize = 50;
    let mut level = 0.0;
    for _ in 0..MOST_STEPS {
        let (mut gradient, mut curvature) = (-level / (WIDEST * WIDEST), 1.0 / (WIDEST * WIDEST));
        for row in rows {
            let p = row.probability(level);
            gradient += f64::from(u8::from(row.y)) - p;
            curvature += p * (1.0 - p);
        }
        // A full step can be too far where all probabilities are near 0 or 1.
        let step = (gradient / curvature).clamp(-1.0, 1.0);
        level += step;
        if step.abs() < 1e-10 {
            break;
        }
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdout::mixed;

    const MONTHS: i32 = 18;

    /// Accounts that are looked at every month of 30 days, each with its own logit; an outcome comes where a number of the
    /// account's, which turns over every 90 days, is below `level` more than the logit says.
    fn book(n_accounts: u64, level: impl Fn(i32) -> f64) -> [Vec<(f64, bool, i32, u64)>; 2] {
        let unit = |k: u64| mixed(k) as f64 / u64::MAX as f64;
        let row = |account: u64, month: i32| {
            let logit = 2.0 * unit(account) - 2.0;
            let luck = unit(1_000_000 * (1 + account) + month as u64 / 3);
            (logit, luck < sigmoid(logit + level(month)), 30 * month, account)
        };
        let rows = |accounts: std::ops::Range<u64>| {
            accounts
                .flat_map(|account| (0..MONTHS).map(move |month| (account, month)))
                .map(|(a, m)| row(a, m))
                .collect()
        };
        [rows(0..n_accounts / 5), rows(n_accounts / 5..n_accounts)]
    }

    fn drift([calibrated, fitted]: &[Vec<(f64, bool, i32, u64)>; 2], horizon_days: u32) -> Option<f64> {
        #[derive(Default)]
        struct Owned {
            logits: Vec<f64>,
            y: Vec<bool>,
            day: Vec<i32>,
            group: Vec<u64>,
        }
        let owned = |rows: &[(f64, bool, i32, u64)]| {
            let mut owned = Owned::default();
            for &(logit, y, day, group) in rows {
                owned.logits.push(logit);
                owned.y.push(y);
                owned.day.push(day);
                owned.group.push(group);
            }
            owned
        };
        let (calibrated, fitted) = (owned(calibrated), owned(fitted));
        let [calibrated, fitted] = [&calibrated, &fitted].map(|rows| ScoredRows {
            logits: &rows.logits,
            y: &rows.y,
            day: &rows.day,
            group: &rows.group,
        });
        level_drift(&Calibration::None, &calibrated, &fitted, horizon_days)
    }

    #[test]
    fn a_stable_level_has_no_drift() {
        for n_accounts in [50, 500, 2000] {
            assert_eq!(drift(&book(n_accounts, |_| 0.0), 90), None, "{n_accounts} accounts");
        }
    }

    #[test]
    fn a_level_that_has_moved_is_followed() {
        // The last level less the mean one; few accounts say less of it.
        type Level = fn(i32) -> f64;
        let leap = |month: i32| if month < 12 { 0.0 } else { 0.9 };
        let climb = |month: i32| 0.08 * f64::from(month);
        for (name, level) in [("leap", leap as Level), ("climb", climb)] {
            let expected = 0.6;
            let found = drift(&book(3000, level), 90).unwrap_or(0.0);
            assert!((found - expected).abs() < 0.15, "{name}: {found}");
            let fallen = drift(&book(3000, |month| -level(month)), 90).unwrap_or(0.0);
            assert!((fallen + expected).abs() < 0.2, "{name}: {fallen}");
        }
        let of_few = drift(&book(100, leap), 90).unwrap_or(0.0);
        assert!((0.0..0.6).contains(&of_few), "{of_few}");
    }

    #[test]
    fn days_within_one_horizon_have_no_drift() {
        let leap = |month: i32| if month < 12 { 0.0 } else { 0.9 };
        assert_eq!(drift(&book(3000, leap), 30 * MONTHS as u32), None);
        let one_day = book(300, leap).map(|rows| rows.into_iter().filter(|row| row.2 == 60).collect());
        assert_eq!(drift(&one_day, 90), None);
        assert_eq!(drift(&[Vec::new(), Vec::new()], 90), None);
    }

    #[test]
    fn the_order_of_rows_and_days_beside_the_calibrated_ones_do_not_matter() {
        let [calibrated, mut fitted] = book(1500, |month| 0.08 * f64::from(month));
        let expected = drift(&[calibrated.clone(), fitted.clone()], 90);
        assert!(expected.is_some());
        fitted.extend((0..500).map(|account| (0.0, true, -30, account)));
        let backwards = |rows: &[_]| rows.iter().rev().copied().collect::<Vec<_>>();
        assert_eq!(drift(&[backwards(&calibrated), backwards(&fitted)], 90), expected);
    }

    /// numpy 2.4.6 by the formulas of the mixed model: `C = V + a^2 K`, generalised least squares for the mean.
    #[test]
    fn a_walk_is_that_of_the_mixed_model() {
        let levels = Levels {
            stretch: vec![0, 1, 3],
            level: vec![0.5, 0.1, -0.2],
            covariance: Matrix::symmetric(3, |i, j| [[0.04, 0.0, 0.0], [0.01, 0.05, 0.0], [0.0, 0.01, 0.03]][i][j]),
            weight: vec![10.0, 20.0, 30.0],
        };
        for (a_year, log_likelihood, drift) in [
            (0.0, -0.643_083_594_745_149_9, 0.0),
            (0.5, 0.841_226_685_597_105_8, 0.320_054_702_664_549_1),
            (2.0, -0.493_262_509_838_429_45, 0.466_194_647_422_805_36),
        ] {
            let walk = levels.walk(a_year, |stretch| f64::from(stretch) * 0.25).expect("three stretches");
            assert!((walk.log_likelihood - log_likelihood).abs() < 1e-12, "{a_year}: {walk:?}");
            assert!((walk.drift - drift).abs() < 1e-12, "{a_year}: {walk:?}");
        }
    }

    /// By hand: 3 of 4 rows came at a logit of 0, of a level's prior precision of 1/4 pulls hardly.
    #[test]
    fn the_level_of_a_stretch_is_its_log_odds() {
        let row = |y: bool| Row { logit: 0.0, y, day: 0, group: 0, part: Part::Fitted };
        let many: Vec<Row> = (0..4000).map(|k| row(k % 4 != 0)).collect();
        assert!((level(&many) - 3.0_f64.ln()).abs() < 1e-3);
        let all_came = level(&[row(true), row(true)]);
        assert!(all_came.is_finite() && all_came > 0.5, "{all_came}");
    }
}
