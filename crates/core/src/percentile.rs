//! Where a value stands among those of like accounts: percentiles within cohorts, frozen at training.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{QuantileTable, TextColumn};

/// What is learnt of cohorts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CohortPolicy<'a> {
    /// The number features whose percentiles become inputs.
    pub features: &'a [String],
    /// Accounts that a cohort needs to weigh as much as its parent; finite, at least 0.
    pub shrinkage: f64,
    /// Distinct accounts with a known value that a cohort needs for a table of its own; everybody needs one.
    pub min_accounts: usize,
    /// The account of each row of the raw table.
    pub account: &'a [u32],
}

/// Why a stored percentile was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PercentileError {
    /// A word that is no number.
    #[error("`{0}` is not a number of a quantile table")]
    Number(String),
    /// Lists of lengths that do not fit together.
    #[error("{n_knots} knots with {n_equal} counts at and {n_between} between them; each knot and each gap has one")]
    Counts {
        /// Knots.
        n_knots: usize,
        /// Counts at knots.
        n_equal: usize,
        /// Counts between knots.
        n_between: usize,
    },
    /// A knot that is not finite, not above the one before, or that no training value equals.
    #[error("knot {0} is not one; knots are finite, rise, and each is the value of some training row")]
    Knot(f32),
    /// A cohort that breaks a rule.
    #[error("cohort `{cohort}` {rule}")]
    Cohort {
        /// Its levels.
        cohort: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// Not a weight.
    #[error("shrinkage is {0}; it must be finite and at least 0")]
    Shrinkage(f64),
}

/// A number feature's percentile within cohorts.
///
/// A cohort is a path of levels, coarse to fine; its parent is the path without the last level, and the empty path is
/// everybody. The share of a value in its cohort is drawn to the parent's where the cohort is thin: with `n` accounts
/// and `k = shrinkage`, `P = (n F + k P_parent) / (n + k)`, and `P = F` for everybody, where `F` is
/// [`QuantileTable::share`]. Accounts count, not rows: the rows of one account say much the same.
/// Source: Bühlmann (1967), credibility with a fixed `k`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Percentile {
    of: String,
    by: Vec<String>,
    shrinkage: f64,
    cohorts: Vec<CohortTable>,
}

/// One cohort's training values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortTable {
    /// Its levels, coarse to fine; none for everybody.
    pub levels: Vec<String>,
    /// Distinct accounts with a known value; at least 1.
    pub n_accounts: u64,
    /// Their values, one a training row.
    pub values: QuantileTable,
}

impl Percentile {
    /// The feature that it is read off.
    pub fn of(&self) -> &str {
        &self.of
    }

    /// The dimensions of its cohorts, coarse to fine.
    pub fn by(&self) -> &[String] {
        &self.by
    }

    /// The cohorts that have a table, sorted by their levels; the first is everybody, and each other one's parent is
    /// among them.
    pub fn cohorts(&self) -> &[CohortTable] {
        &self.cohorts
    }

    /// Learns it from the known ones of `values` in `training_rows`; `None` where there is none.
    pub(crate) fn learn(
        of: &str,
        values: &[f32],
        training_rows: &[usize],
        cohorts: &RowCohorts<'_>,
        policy: &CohortPolicy<'_>,
    ) -> Option<Self> {
        let mut members: Vec<(Vec<f32>, Vec<u32>)> = vec![Default::default(); cohorts.paths.len()];
        for &row in training_rows.iter().filter(|&&row| !values[row].is_nan()) {
            for cohort in cohorts.with_parents(cohorts.of_row[row]) {
                members[cohort].0.push(values[row]);
                members[cohort].1.push(policy.account[row]);
            }
        }
        let tables = cohorts.paths.iter().zip(members).filter_map(|(path, (values, mut accounts))| {
            accounts.sort_unstable();
            accounts.dedup();
            let levels: Vec<String> = path.iter().map(|&level| level.to_owned()).collect();
            let has_table = path.is_empty() || accounts.len() >= policy.min_accounts;
            let values = QuantileTable::of(values).filter(|_| has_table)?;
            Some(CohortTable { levels, n_accounts: accounts.len() as u64, values })
        });
        let mut tables: Vec<CohortTable> = tables.collect();
        tables.sort_unstable_by(|a, b| a.levels.cmp(&b.levels));
        let by = cohorts.by.iter().map(|&name| name.to_owned()).collect();
        let learnt = Self { of: of.to_owned(), by, shrinkage: policy.shrinkage, cohorts: tables };
        (!learnt.cohorts.is_empty()).then_some(learnt)
    }

    /// The percentile of each of `values` in its row's cohort, `0.0..=1.0`; NaN where the value is.
    pub(crate) fn encode(&self, values: &[f32], cohorts: &RowCohorts<'_>) -> Vec<f32> {
        let tables: Vec<Vec<&CohortTable>> = cohorts.paths.iter().map(|path| self.tables(path)).collect();
        let share = |(&value, &cohort): (&f32, &u32)| self.share(value, &tables[cohort as usize]) as f32;
        values.iter().zip(&cohorts.of_row).map(share).collect()
    }

    /// The tables of a cohort, from everybody's on, as far down the path as there are any.
    fn tables(&self, path: &[&str]) -> Vec<&CohortTable> {
        let at = |n_levels: usize| {
            let wanted = path[..n_levels].iter().copied();
            let found =
                self.cohorts.binary_search_by(|table| table.levels.iter().map(String::as_str).cmp(wanted.clone()));
            found.ok().map(|place| &self.cohorts[place])
        };
        (0..=path.len()).map_while(at).collect()
    }

    fn share(&self, value: f32, tables: &[&CohortTable]) -> f64 {
        let mut share = f64::NAN;
        for table in tables {
            let (n, own) = (table.n_accounts as f64, table.values.share(value));
            let is_everybody = table.levels.is_empty();
            share = if is_everybody { own } else { (n * own + self.shrinkage * share) / (n + self.shrinkage) };
        }
        share
    }
}

/// The cohort of each row of a table, and the cohorts that contain it.
pub(crate) struct RowCohorts<'a> {
    /// The dimensions, coarse to fine.
    by: Vec<&'a str>,
    /// The finest known cohort of each row, a place in `paths`.
    of_row: Vec<u32>,
    /// The levels of each cohort; the first is everybody.
    paths: Vec<Vec<&'a str>>,
    /// The cohort without the last level; everybody's is itself.
    parent: Vec<u32>,
}

impl<'a> RowCohorts<'a> {
    pub(crate) fn new(n_rows: usize, dimensions: &'a [(String, TextColumn)]) -> Self {
        let (mut of_row, mut paths, mut parent) = (vec![0_u32; n_rows], vec![Vec::new()], vec![0]);
        for (depth, (_, texts)) in dimensions.iter().enumerate() {
            let mut finer: BTreeMap<(u32, u32), u32> = BTreeMap::new();
            for (cohort, &code) in of_row.iter_mut().zip(&texts.codes) {
                let coarser = *cohort;
                // A row whose coarser level is missing stays in the cohort that it has.
                let level = texts.levels.get(code as usize).filter(|_| paths[coarser as usize].len() == depth);
                let Some(level) = level else { continue };
                *cohort = *finer.entry((coarser, code)).or_insert_with(|| {
                    let mut path: Vec<&str> = paths[coarser as usize].clone();
                    path.push(level);
                    paths.push(path);
                    parent.push(coarser);
                    paths.len() as u32 - 1
                });
            }
        }
        Self { by: dimensions.iter().map(|(name, _)| name.as_str()).collect(), of_row, paths, parent }
    }

    /// The dimensions, coarse to fine.
    pub(crate) fn by(&self) -> &[&'a str] {
        &self.by
    }

    fn with_parents(&self, cohort: u32) -> impl Iterator<Item = usize> {
        let above = |&cohort: &u32| (cohort > 0).then(|| self.parent[cohort as usize]);
        std::iter::successors(Some(cohort), above).map(|cohort| cohort as usize)
    }
}

/// A percentile as it is written, not yet checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    of: String,
    by: Vec<String>,
    shrinkage: f64,
    cohorts: Vec<CohortTable>,
}

impl From<Percentile> for Stored {
    fn from(percentile: Percentile) -> Self {
        let Percentile { of, by, shrinkage, cohorts } = percentile;
        Self { of, by, shrinkage, cohorts }
    }
}

impl TryFrom<Stored> for Percentile {
    type Error = PercentileError;

    fn try_from(stored: Stored) -> Result<Self, PercentileError> {
        let Stored { of, by, shrinkage, cohorts } = stored;
        if !(shrinkage.is_finite() && shrinkage >= 0.0) {
            return Err(PercentileError::Shrinkage(shrinkage));
        }
        let refuse = |levels: &[String], rule| Err(PercentileError::Cohort { cohort: levels.join(" / "), rule });
        if cohorts.first().is_none_or(|first| !first.levels.is_empty()) {
            return refuse(&[], "is missing; a percentile has a table for everybody, which stands first");
        }
        for (place, table) in cohorts.iter().enumerate() {
            let (levels, earlier) = (&table.levels, &cohorts[..place]);
            if levels.len() > by.len() {
                return refuse(levels, "has more levels than there are dimensions");
            }
            if table.n_accounts == 0 {
                return refuse(levels, "has no account");
            }
            // Cohorts are looked up by binary search.
            if earlier.last().is_some_and(|last| &last.levels >= levels) {
                return refuse(levels, "is out of order; cohorts are sorted by their levels");
            }
            let parent = levels.split_last().map(|(_, parent)| parent);
            let is_parent = |parent: &[String]| earlier.binary_search_by(|of| of.levels.as_slice().cmp(parent)).is_ok();
            if !parent.is_none_or(is_parent) {
                return refuse(levels, "has no parent");
            }
        }
        Ok(Self { of, by, shrinkage, cohorts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY: [&str; 2] = ["segment", "tenure"];

    /// A row: segment, tenure, account, value.
    type Row = (Option<&'static str>, Option<&'static str>, u32, f32);

    fn dimensions(rows: &[Row]) -> Vec<(String, TextColumn)> {
        let segment = TextColumn::from_texts(rows.iter().map(|row| row.0));
        let tenure = TextColumn::from_texts(rows.iter().map(|row| row.1));
        vec![(BY[0].to_owned(), segment), (BY[1].to_owned(), tenure)]
    }

    fn learn(rows: &[Row], shrinkage: f64, min_accounts: usize) -> Percentile {
        let account: Vec<u32> = rows.iter().map(|row| row.2).collect();
        let values: Vec<f32> = rows.iter().map(|row| row.3).collect();
        let dimensions = dimensions(rows);
        let cohorts = RowCohorts::new(rows.len(), &dimensions);
        let policy = CohortPolicy { features: &[], shrinkage, min_accounts, account: &account };
        let training_rows: Vec<usize> = (0..rows.len()).collect();
        Percentile::learn("logins", &values, &training_rows, &cohorts, &policy).expect("there are values")
    }

    fn encode(percentile: &Percentile, rows: &[Row]) -> Vec<f32> {
        let dimensions = dimensions(rows);
        let values: Vec<f32> = rows.iter().map(|row| row.3).collect();
        percentile.encode(&values, &RowCohorts::new(rows.len(), &dimensions))
    }

    /// Four accounts, three of them small; account 3 has two rows.
    const ROWS: [Row; 6] = [
        (Some("small"), Some("new"), 0, 1.0),
        (Some("small"), Some("new"), 1, 2.0),
        (Some("small"), Some("old"), 2, 3.0),
        (Some("large"), Some("old"), 3, 10.0),
        (Some("large"), Some("old"), 3, 20.0),
        (Some("large"), Some("old"), 4, f32::NAN),
    ];

    #[track_caller]
    fn check(
        percentile: &Percentile,
        (segment, tenure, value): (Option<&'static str>, Option<&'static str>, f32),
        expected: f64,
    ) {
        let found = encode(percentile, &[(segment, tenure, 0, value)])[0];
        assert!((f64::from(found) - expected).abs() < 1e-7, "{found} is not {expected}");
    }

    #[test]
    fn a_thin_cohort_is_drawn_to_its_parent() {
        let percentile = learn(&ROWS, 4.0, 1);
        // Of everybody's 1 2 3 10 20, with 4 accounts that have one, 2 is at (1 + 1/2) / 5.
        let everybody = 1.5 / 5.0;
        // Of the small ones' 1 2 3, of 3 accounts, it is in the middle; of the new ones' 1 2, of 2 accounts, at 3/4.
        let small = (3.0 * 0.5 + 4.0 * everybody) / 7.0;
        let small_new = (2.0 * 0.75 + 4.0 * small) / 6.0;
        check(&percentile, (Some("small"), Some("new"), 2.0), small_new);
        // Large ones: 10 20 of one account, so that n is 1, not 2 rows.
        let large = (0.0 + 4.0 * everybody) / 5.0;
        check(&percentile, (Some("large"), Some("old"), 2.0), (0.0 + 4.0 * large) / 5.0);
        check(&percentile, (Some("large"), Some("old"), 99.0), 1.0);
        check(&percentile, (Some("large"), Some("old"), 0.0), 0.0);
        // A level that is missing or that training did not see leaves the parent; finer levels are not looked at.
        for tenure in [None, Some("ancient")] {
            check(&percentile, (Some("small"), tenure, 2.0), small);
        }
        for segment in [None, Some("tiny")] {
            check(&percentile, (segment, Some("new"), 2.0), everybody);
        }
        assert!(encode(&percentile, &[(Some("small"), Some("new"), 0, f32::NAN)])[0].is_nan());
    }

    #[test]
    fn without_shrinkage_a_cohort_is_its_own() {
        let percentile = learn(&ROWS, 0.0, 1);
        check(&percentile, (Some("small"), Some("new"), 2.0), 0.75);
        check(&percentile, (Some("small"), Some("old"), 2.0), 0.0);
    }

    #[test]
    fn a_cohort_of_too_few_accounts_has_no_table() {
        let percentile = learn(&ROWS, 4.0, 3);
        let levels: Vec<String> = percentile.cohorts().iter().map(|of| of.levels.join("/")).collect();
        assert_eq!(levels, ["", "small"]);
        let small = (3.0 * 0.5 + 4.0 * 0.3) / 7.0;
        check(&percentile, (Some("small"), Some("new"), 2.0), small);
        check(&percentile, (Some("large"), Some("old"), 2.0), 0.3);
        // Everybody has one however few there are.
        assert_eq!(learn(&ROWS, 4.0, 100).cohorts().len(), 1);
    }

    #[test]
    fn the_order_of_rows_and_rows_of_other_accounts_change_nothing() {
        let percentile = learn(&ROWS, 4.0, 1);
        let backwards: Vec<Row> = ROWS.iter().rev().copied().collect();
        assert_eq!(learn(&backwards, 4.0, 1), percentile);
        let whole = encode(&percentile, &ROWS);
        for (row, &expected) in ROWS.iter().zip(&whole) {
            assert_eq!(encode(&percentile, &[*row])[0].to_bits(), expected.to_bits());
        }
    }

    #[test]
    fn a_percentile_never_falls_as_its_value_rises() {
        let percentile = learn(&ROWS, 1.5, 1);
        for (segment, tenure, ..) in ROWS {
            let rows: Vec<Row> = (0..250_u8).map(|step| (segment, tenure, 0, f32::from(step) / 10.0)).collect();
            let encoded = encode(&percentile, &rows);
            assert!(encoded.is_sorted(), "{encoded:?}");
            assert!(encoded.iter().all(|share| (0.0..=1.0).contains(share)));
        }
    }

    #[test]
    fn a_percentile_that_lies_is_refused() {
        let stored = || Stored::from(learn(&ROWS, 4.0, 1));
        let refused = |spoil: &dyn Fn(&mut Stored)| {
            let mut spoilt = stored();
            spoil(&mut spoilt);
            Percentile::try_from(spoilt).expect_err("it lies").to_string()
        };
        assert_eq!(Percentile::try_from(stored()).expect("was one"), learn(&ROWS, 4.0, 1));
        for (spoil, told) in [
            (&|of: &mut Stored| of.shrinkage = f64::NAN, "shrinkage is NaN; it must be finite and at least 0"),
            (&|of| of.shrinkage = -1.0, "shrinkage is -1; it must be finite and at least 0"),
            (
                &|of| of.cohorts.clear(),
                "cohort `` is missing; a percentile has a table for everybody, which stands first",
            ),
            (&|of| of.cohorts[1].n_accounts = 0, "cohort `large` has no account"),
            (&|of| of.cohorts.swap(1, 3), "cohort `large / old` is out of order; cohorts are sorted by their levels"),
            (&|of| drop(of.cohorts.remove(1)), "cohort `large / old` has no parent"),
            (&|of| drop(of.by.pop()), "cohort `large / old` has more levels than there are dimensions"),
        ] as [(&dyn Fn(&mut Stored), &str); 7]
        {
            assert_eq!(refused(spoil), told);
        }
    }
}
