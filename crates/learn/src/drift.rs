//! How far the level of an outcome has drifted by the last days, beyond what a model explains.

use std::collections::BTreeMap;

use bellwether_core::{Calibration, sigmoid};

use crate::logistic::{Cholesky, Matrix};
use crate::partial::{Exponent, PartialRows};

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

/// How far the log odds of the outcome at the last of the days lie above their mean over the rows of `calibrated`, beyond
/// what the model and its `calibration` explain; `None` where the rows speak rather for no drift, or are one stretch.
///
/// Stretches of days as long as the horizon have a level each, read off the rows of `calibrated` and of those of `fitted`
/// that lie among their days, with covariances by account: windows of labels overlap. The rows of `partial`, of later days,
/// tell of the level what they can: a label that is not complete has the probability of its part of the horizon
/// (Chapelle 2014 on conversions that are yet to come), see [`PartialRows`]. The levels are a random walk (a local
/// level model, Harvey 1989) whose steps are unknown: none with probability one half, else of a size on a grid. The answer is
/// the mean over sizes, weighted by what each explains of the levels (restricted likelihood, Patterson and Thompson 1971).
/// It knows no seasons. Rows that the model was fitted on pull it towards 0; the shares of `partial` count as known.
///
/// # Panics
/// If slices of one argument differ in length.
pub fn level_drift(
    calibration: &Calibration,
    calibrated: &ScoredRows<'_>,
    fitted: &ScoredRows<'_>,
    partial: &PartialRows<'_>,
    horizon_days: u32,
) -> Option<f64> {
    let (first, last) = (*calibrated.day.iter().min()?, *calibrated.day.iter().max()?);
    let horizon = i32::try_from(horizon_days).unwrap_or(i32::MAX).max(1);
    let length = horizon.max((last - first) / MOST_STRETCHES + 1);
    let mut rows = compared(calibration, calibrated, Part::Calibrated);
    rows.extend(
        compared(calibration, fitted, Part::Fitted).into_iter().filter(|row| (first..=last).contains(&row.day)),
    );
    rows.extend(later(calibration, calibrated, partial));
    rows.sort_unstable_by(Row::order);
    let levels = Levels::of(&rows, |day| (last - day).div_euclid(length));
    let years = |stretch: i32| f64::from(stretch) * f64::from(length) / 365.25;
    levels.drift(years)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Calibrated,
    Fitted,
    Later,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    /// After calibration.
    logit: f64,
    y: bool,
    day: i32,
    group: u64,
    part: Part,
    /// Where the label is not whole.
    exponent: Option<Exponent>,
}

impl Row {
    /// Rows that compare equal are alike.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let key = |row: &Self| (row.group, row.day, row.part, row.y);
        key(self).cmp(&key(other)).then(self.logit.total_cmp(&other.logit))
    }

    /// Of the label, and its slope in the level.
    fn probability(&self, level: f64) -> (f64, f64) {
        let logit = self.logit + level;
        let of_whole = || {
            let p = sigmoid(logit);
            (p, p * (1.0 - p))
        };
        self.exponent.map_or_else(of_whole, |exponent| exponent.probability(logit))
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
        exponent: None,
    };
    (0..n_rows).map(row).collect()
}

/// The rows of `partial`, with the exponents that those of `calibrated` give to their shares.
fn later(calibration: &Calibration, calibrated: &ScoredRows<'_>, partial: &PartialRows<'_>) -> Vec<Row> {
    let logits: Vec<f64> = calibrated.logits.iter().map(|&logit| calibration.log_odds(logit)).collect();
    let mut exponents: BTreeMap<u64, Option<Exponent>> = BTreeMap::new();
    let rows = compared(calibration, &partial.rows, Part::Later);
    assert_eq!(rows.len(), partial.share.len(), "one share a row");
    let row = |(row, &share): (Row, &f64)| {
        let exponent = *exponents.entry(share.to_bits()).or_insert_with(|| Exponent::of(&logits, share));
        Row { exponent, ..row }
    };
    rows.into_iter().zip(partial.share).map(row).collect()
}

/// The levels of stretches that have rows, the last first.
#[derive(Debug)]
struct Levels {
    /// How many stretches before that of the last calibrated rows.
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
        let information = |is_counted: fn(&Row) -> bool| -> Vec<f64> {
            let of_stretch = |(rows, &level): (&Vec<Row>, &f64)| -> f64 {
                rows.iter().filter(|row| is_counted(row)).map(|row| row.probability(level).1).sum()
            };
            by_stretch.values().zip(&level).map(of_stretch).collect()
        };
        let (all, weight) = (information(|_| true), information(|row| row.part == Part::Calibrated));
        let least = independent_variance(&by_stretch, &level);
        let stretch: Vec<i32> = by_stretch.into_keys().collect();
        let place_of = |day: i32| stretch.binary_search(&stretch_of(day)).expect("every row is in a stretch");
        let n = stretch.len();
        let (mut products, mut n_groups) = (vec![0.0; n * n], 0.0);
        for rows in rows.chunk_by(|a, b| a.group == b.group) {
            let mut error_at: BTreeMap<usize, f64> = BTreeMap::new();
            for row in rows {
                let place = place_of(row.day);
                *error_at.entry(place).or_default() += f64::from(u8::from(row.y)) - row.probability(level[place]).0;
            }
            for (&i, error) in &error_at {
                error_at.range(..=i).for_each(|(&j, other)| products[i * n + j] += error * other);
            }
            n_groups += 1.0;
        }
        let clusters = n_groups / (n_groups - 1.0_f64).max(1.0);
        let covariance = Matrix::symmetric(n, |i, j| clusters * products[i * n + j] / (all[i] * all[j]))
            .plus_diagonal(|i| RIDGE / all[i]);
        let missing: Vec<f64> = (0..n).map(|i| (least[i] / (all[i] * all[i]) - covariance.at(i, i)).max(0.0)).collect();
        let covariance = covariance.plus_diagonal(|i| missing[i]);
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

/// The variance of the sum of errors if all rows were independent, of stretches after the calibrated rows; 0 of others. These
/// can be short: accounts without an event among them tell of no variance.
fn independent_variance(by_stretch: &BTreeMap<i32, Vec<Row>>, level: &[f64]) -> Vec<f64> {
    let variance = |((&stretch, rows), &level): ((&i32, &Vec<Row>), &f64)| -> f64 {
        let of_row = |row: &Row| {
            let (p, _) = row.probability(level);
            p * (1.0 - p)
        };
        if stretch < 0 { rows.iter().map(of_row).sum() } else { 0.0 }
    };
    by_stretch.iter().zip(level).map(variance).collect()
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
            let (p, slope) = row.probability(level);
            gradient += f64::from(u8::from(row.y)) - p;
            curvature += slope;
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

    /// Logit, outcome, day and account of a row.
    type Tuple = (f64, bool, i32, u64);

    #[derive(Default)]
    struct Owned {
        logits: Vec<f64>,
        y: Vec<bool>,
        day: Vec<i32>,
        group: Vec<u64>,
    }

    impl Owned {
        fn of(rows: &[Tuple]) -> Self {
            let mut owned = Self::default();
            for &(logit, y, day, group) in rows {
                owned.logits.push(logit);
                owned.y.push(y);
                owned.day.push(day);
                owned.group.push(group);
            }
            owned
        }

        fn rows(&self) -> ScoredRows<'_> {
            ScoredRows { logits: &self.logits, y: &self.y, day: &self.day, group: &self.group }
        }
    }

    fn drift([calibrated, fitted]: &[Vec<Tuple>; 2], horizon_days: u32) -> Option<f64> {
        drift_with([calibrated, fitted], &[], &[], horizon_days)
    }

    fn drift_with(whole: [&Vec<Tuple>; 2], partial: &[Tuple], share: &[f64], horizon_days: u32) -> Option<f64> {
        let [calibrated, fitted] = whole.map(|rows| Owned::of(rows));
        let partial = Owned::of(partial);
        let partial = PartialRows { rows: partial.rows(), share };
        level_drift(&Calibration::None, &calibrated.rows(), &fitted.rows(), &partial, horizon_days)
    }

    /// Accounts that are looked at on each of 20 months, the last three of which have no whole label of 90 days yet. What
    /// comes, comes with a hazard of its account and of the month, and may come again. Gives the whole rows of the accounts
    /// that calibrate, those of the others, and of the former the later ones, with their shares.
    fn unfinished(seed: u64, n_accounts: u64, hazard: impl Fn(i32) -> f64) -> ([Vec<Tuple>; 2], Vec<Tuple>, Vec<f64>) {
        const N_MONTHS: i32 = 20;
        let unit = |k: u64| mixed(k ^ mixed(seed)) as f64 / u64::MAX as f64;
        let of_account = |account: u64| 0.01 + 0.04 * unit(account);
        let comes = |account: u64, month: i32| {
            unit(1_000_000 * (1 + account) + month as u64) < of_account(account) * hazard(month)
        };
        let row = |account: u64, month: i32, n_months: i32| {
            let y = (month + 1..=month + n_months).any(|month| comes(account, month));
            let whole = 1.0 - (1.0 - of_account(account)).powi(3);
            ((whole / (1.0 - whole)).ln(), y, 30 * month, account)
        };
        let rows = |accounts: std::ops::Range<u64>| -> Vec<Tuple> {
            let months = |account| (0..=N_MONTHS - 3).map(move |month| (account, month));
            accounts.flat_map(months).map(|(account, month)| row(account, month, 3)).collect()
        };
        let n_calibrated = n_accounts / 3;
        let later = |month: i32| (0..n_calibrated).map(move |account| row(account, month, N_MONTHS - month));
        let partial: Vec<Tuple> = [N_MONTHS - 2, N_MONTHS - 1].into_iter().flat_map(later).collect();
        let shares = partial.iter().map(|row| if row.2 == 30 * (N_MONTHS - 1) { 0.342 } else { 0.675 }).collect();
        ([rows(0..n_calibrated), rows(n_calibrated..n_accounts)], partial, shares)
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
    fn labels_that_are_not_complete_tell_of_the_last_months() {
        // Hazards of the last two months, which hardly any whole label sees: ln 2.5 in log odds, about.
        for (hazard, expected) in [(1.0, 0.0), (2.5, 0.95), (0.35, -1.05)] {
            let ([calibrated, fitted], partial, share) =
                unfinished(0, 6000, |month| if month > 18 { hazard } else { 1.0 });
            let before = drift_with([&calibrated, &fitted], &[], &[], 90).unwrap_or(0.0);
            let found = drift_with([&calibrated, &fitted], &partial, &share, 90).unwrap_or(0.0);
            assert!((found - expected).abs() < 0.25, "{hazard}: {found}");
            assert!(before.abs() < 0.6 * expected.abs() + 0.01, "{hazard}: {before}");
        }
    }

    /// The root mean square of what is followed where nothing has moved, over 30 books, is less than half of the sampling
    /// error of the outcomes that partial labels see: two months of 3 %.
    #[test]
    fn a_stable_hazard_has_hardly_a_drift() {
        for n_accounts in [600, 2400] {
            let most = 0.5 / (n_accounts as f64 / 3.0 * 0.06).sqrt();
            let squares = |from_day: i32| -> f64 {
                let of_book = |seed| {
                    let ([mut calibrated, mut fitted], partial, share) = unfinished(seed, n_accounts, |_| 1.0);
                    calibrated.retain(|row| row.2 >= from_day);
                    fitted.retain(|row| row.2 >= from_day);
                    drift_with([&calibrated, &fitted], &partial, &share, 90).unwrap_or(0.0).powi(2)
                };
                (0..30).map(of_book).sum::<f64>() / 30.0
            };
            // Of all days, and of those of one stretch before that of the partial labels.
            for from_day in [0, 450] {
                let found = squares(from_day).sqrt();
                assert!(found < most, "{n_accounts} accounts from day {from_day}: {found}");
            }
        }
    }

    #[test]
    fn a_share_of_1_is_a_whole_label() {
        let [calibrated, fitted] = book(1500, |month| 0.08 * f64::from(month));
        let expected = drift(&[calibrated.clone(), fitted.clone()], 90).expect("it has climbed");
        let (first, second) = fitted.split_at(fitted.len() / 3);
        let found = drift_with([&calibrated, &first.to_vec()], second, &vec![1.0; second.len()], 90);
        assert_eq!(found.map(f64::to_bits), Some(expected.to_bits()));
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
        let row = |y: bool| Row { logit: 0.0, y, day: 0, group: 0, part: Part::Fitted, exponent: None };
        let many: Vec<Row> = (0..4000).map(|k| row(k % 4 != 0)).collect();
        assert!((level(&many) - 3.0_f64.ln()).abs() < 1e-3);
        let all_came = level(&[row(true), row(true)]);
        assert!(all_came.is_finite() && all_came > 0.5, "{all_came}");
    }
}
