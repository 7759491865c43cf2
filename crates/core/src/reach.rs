//! What like accounts reach, as learnt on training rows; plain data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::health::{OfCohort, finest, in_schema, validate_cohorts};
use crate::numbers::{joined, parted};
use crate::{BackgroundError, Dimension, FeatureMatrix, UsualRange};

/// Distinct accounts that know a feature, which a cohort needs for a range of its own.
pub const MIN_REACH_ACCOUNTS: usize = 30;

/// The ranges of features by cohort, such as lifecycle stage x size x industry.
///
/// Dimensions stand coarse to fine, as in [`crate::CohortBands`]: a row takes the ranges of the finest cohort on its way down
/// that has some; a missing or unknown level ends the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Places in the schema of the features that have ranges, rising.
    pub features: Vec<u32>,
    /// None where there is everybody only.
    pub by: Vec<Dimension>,
    /// Sorted by level; the first is everybody, and each other one's parent is among them.
    pub cohorts: Vec<CohortReach>,
}

/// What one cohort reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct CohortReach {
    /// The level in each dimension, coarse to fine; none for everybody.
    pub levels: Vec<u32>,
    /// Distinct training accounts.
    pub n_accounts: u64,
    /// One a feature of [`Reach::features`]; the parent's where fewer than [`MIN_REACH_ACCOUNTS`] accounts know it.
    pub ranges: Vec<UsualRange>,
}

/// Of no feature.
impl Default for Reach {
    fn default() -> Self {
        let everybody = CohortReach { levels: Vec::new(), n_accounts: 0, ranges: Vec::new() };
        Self { features: Vec::new(), by: Vec::new(), cohorts: vec![everybody] }
    }
}

impl Reach {
    /// Learns the ranges of `features`, places in the schema in any order, on `training_rows` of `x`; `account` has one
    /// entry a row of `x`. A feature that no training row knows has none.
    pub fn learn(
        features: impl IntoIterator<Item = u32>,
        by: Vec<Dimension>,
        x: &FeatureMatrix,
        training_rows: &[usize],
        account: &[u32],
    ) -> Self {
        let ranges_of = |features: &[u32], rows: &[usize]| -> Vec<Option<UsualRange>> {
            let values = |feature: u32| rows.iter().map(move |&row| x.value(row, feature as usize));
            features.iter().map(|&feature| UsualRange::of(values(feature))).collect()
        };
        let features: Vec<u32> = features.into_iter().collect::<BTreeSet<u32>>().into_iter().collect();
        let known = ranges_of(&features, training_rows);
        let features: Vec<u32> = features.into_iter().zip(&known).filter_map(|(of, range)| range.map(|_| of)).collect();
        let everybody: Vec<UsualRange> = known.into_iter().flatten().collect();
        let distinct =
            |rows: &mut dyn Iterator<Item = usize>| rows.map(|row| account[row]).collect::<BTreeSet<_>>().len();
        let mut found: BTreeMap<Vec<u32>, CohortReach> = BTreeMap::new();
        for (levels, rows) in members(&by, x, training_rows) {
            let parent = levels.split_last().map(|(_, parent)| found.get(parent));
            let n_accounts = distinct(&mut rows.iter().copied());
            let ranges = match parent {
                None => everybody.clone(),
                Some(None) => continue,
                Some(Some(_)) if n_accounts < MIN_REACH_ACCOUNTS => continue,
                Some(Some(parent)) => {
                    let own = ranges_of(&features, &rows).into_iter().zip(&features).map(|(own, &feature)| {
                        let knows = |row: &usize| !x.value(*row, feature as usize).is_nan();
                        own.filter(|_| distinct(&mut rows.iter().copied().filter(knows)) >= MIN_REACH_ACCOUNTS)
                    });
                    own.zip(&parent.ranges).map(|(own, parent)| own.unwrap_or(*parent)).collect()
                }
            };
            found.insert(levels.clone(), CohortReach { levels, n_accounts: n_accounts as u64, ranges });
        }
        Self { features, by, cohorts: found.into_values().collect() }
    }

    /// The range of `feature` in the cohort of the row whose feature `i` is `value(i)`; `None` for a feature without.
    pub fn range(&self, feature: usize, value: impl Fn(usize) -> f32) -> Option<UsualRange> {
        let place = self.features.iter().position(|&of| of as usize == feature)?;
        Some(finest(&self.by, &self.cohorts, &value).ranges[place])
    }

    pub(crate) fn validate(&self, n_features: usize) -> Result<(), BackgroundError> {
        const PLACE: &str = "what like accounts reach";
        self.features.iter().try_for_each(|&feature| in_schema(feature, PLACE, n_features))?;
        if !self.features.is_sorted_by(|a, b| a < b) {
            return Err(BackgroundError::Reach("its features rise"));
        }
        validate_cohorts(PLACE, &self.by, &self.cohorts, n_features)?;
        for of in &self.cohorts {
            if of.ranges.len() != self.features.len() {
                return Err(BackgroundError::Reach("each of its cohorts has a range for each feature"));
            }
            if !of.ranges.iter().all(|range| range.is_valid()) {
                return Err(BackgroundError::Reach("its ranges are from a finite number to one not below it"));
            }
        }
        Ok(())
    }
}

/// The training rows of each cohort that has some, parents before their children; everybody has all.
fn members(by: &[Dimension], x: &FeatureMatrix, training_rows: &[usize]) -> BTreeMap<Vec<u32>, Vec<usize>> {
    let mut members: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::from([(Vec::new(), Vec::new())]);
    for &row in training_rows {
        let levels: Vec<u32> = by.iter().map_while(|of| of.level(|feature| x.value(row, feature))).collect();
        for n_levels in 0..=levels.len() {
            members.entry(levels[..n_levels].to_vec()).or_default().push(row);
        }
    }
    members
}

impl OfCohort for CohortReach {
    fn levels(&self) -> &[u32] {
        &self.levels
    }
}

/// As it is written: lists of numbers are texts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    levels: Vec<u32>,
    n_accounts: u64,
    p10: String,
    p90: String,
}

impl From<CohortReach> for Stored {
    fn from(of: CohortReach) -> Self {
        let CohortReach { levels, n_accounts, ranges } = of;
        let (p10, p90) = (joined(ranges.iter().map(|of| of.p10)), joined(ranges.iter().map(|of| of.p90)));
        Self { levels, n_accounts, p10, p90 }
    }
}

impl TryFrom<Stored> for CohortReach {
    type Error = BackgroundError;

    fn try_from(stored: Stored) -> Result<Self, BackgroundError> {
        let floats = |text: &str| parted::<f32>(text).map_err(BackgroundError::Number);
        let (p10, p90) = (floats(&stored.p10)?, floats(&stored.p90)?);
        if p10.len() != p90.len() {
            return Err(BackgroundError::Reach("each of its ranges has two ends"));
        }
        let ranges = p10.into_iter().zip(p90).map(|(p10, p90)| UsualRange { p10, p90 }).collect();
        Ok(Self { levels: stored.levels, n_accounts: stored.n_accounts, ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature 0 is the size, cut at 10; feature 1 is logins, feature 2 a rate that few know.
    fn rows(n_small: u16, n_large: u16) -> (FeatureMatrix, Vec<u32>) {
        let all = || (0..n_small).map(|at| (1.0, at)).chain((0..n_large).map(|at| (20.0, 1000 + at)));
        let size = all().map(|(size, _)| size).collect();
        let logins = all().map(|(_, at)| f32::from(at)).collect();
        let rate = all().map(|(_, at)| if at % 2 == 0 { f32::from(at) } else { f32::NAN }).collect();
        let x = FeatureMatrix::from_columns(&[size, logins, rate, vec![f32::NAN; usize::from(n_small + n_large)]]);
        (x.expect("columns of one length"), (0..u32::from(n_small + n_large)).collect())
    }

    fn learn(n_small: u16, n_large: u16) -> Reach {
        let (x, account) = rows(n_small, n_large);
        let by = vec![Dimension::Ranges { name: "size".to_owned(), feature: 0, edges: vec![10.0] }];
        let all: Vec<usize> = (0..x.n_rows()).collect();
        Reach::learn([2, 1, 1, 3], by, &x, &all, &account)
    }

    #[track_caller]
    fn check(reach: &Reach, feature: usize, size: f32, expected: Option<(f32, f32)>) {
        let value = |of: usize| if of == 0 { size } else { f32::NAN };
        assert_eq!(reach.range(feature, value).map(|of| (of.p10, of.p90)), expected, "{feature} at {size}");
    }

    #[test]
    fn a_cohort_reaches_what_its_own_rows_have() {
        let reach = learn(101, 101);
        check(&reach, 1, 1.0, Some((10.0, 90.0)));
        check(&reach, 1, 20.0, Some((1010.0, 1090.0)));
        // Everybody's, for a row of no known size.
        check(&reach, 1, f32::NAN, Some((20.0, 1080.0)));
        // 51 of the small ones know their rate.
        check(&reach, 2, 1.0, Some((10.0, 90.0)));
        // Nobody knows it, or nobody asked.
        check(&reach, 3, 1.0, None);
        check(&reach, 0, 1.0, None);
    }

    #[test]
    fn a_thin_cohort_reaches_what_its_parent_does() {
        let reach = learn(101, 29);
        assert_eq!(reach.cohorts.len(), 2, "{reach:?}");
        let everybody = reach.cohorts[0].ranges[0];
        check(&reach, 1, 20.0, Some((everybody.p10, everybody.p90)));
        // Large enough, but too few of it know their rate.
        let reach = learn(101, 30);
        assert_eq!(reach.cohorts[2].n_accounts, 30);
        check(&reach, 1, 20.0, Some((1002.0, 1027.0)));
        let everybody = reach.cohorts[0].ranges[1];
        check(&reach, 2, 20.0, Some((everybody.p10, everybody.p90)));
    }

    #[test]
    fn rows_of_one_account_are_one_account() {
        let (x, _) = rows(101, 101);
        let by = vec![Dimension::Ranges { name: "size".to_owned(), feature: 0, edges: vec![10.0] }];
        let all: Vec<usize> = (0..x.n_rows()).collect();
        assert_eq!(Reach::learn([1], by, &x, &all, &vec![7; x.n_rows()]).cohorts.len(), 1);
    }

    #[test]
    fn rules_that_are_broken_are_named() {
        let refused = |alter: &dyn Fn(&mut Reach), rule: &str| {
            let mut reach = learn(101, 101);
            alter(&mut reach);
            let told = reach.validate(4).expect_err(rule).to_string();
            assert!(told.contains(rule), "`{told}` lacks `{rule}`");
        };
        assert!(learn(101, 101).validate(4).is_ok());
        refused(&|of| of.features.swap(0, 1), "its features rise");
        refused(&|of| of.features[1] = 4, "feature 4");
        refused(&|of| of.cohorts.swap(1, 2), "cohorts are sorted by their levels");
        refused(&|of| drop(of.cohorts.remove(0)), "everybody stands first");
        refused(&|of| of.cohorts[1].ranges.truncate(1), "a range for each feature");
        refused(&|of| of.cohorts[1].ranges[0].p90 = f32::NAN, "from a finite number to one not below it");
        let stored = Stored::from(learn(101, 101).cohorts[1].clone());
        assert_eq!((stored.p10.as_str(), stored.p90.as_str()), ("10 10", "90 90"));
        assert!(CohortReach::try_from(Stored { p10: "1".to_owned(), ..stored }).is_err());
    }
}
