//! What a score is explained against, as learnt on training rows; plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::numbers::{joined, parted};
use crate::{FeatureMatrix, MatrixError, ModelError, Reach, Target};

/// What training rows look like, as far as explanations of a score need it. Trees carry their own part, see
/// [`crate::Trees::covers`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Background {
    /// For each feature of the schema the range of the middle four fifths of its known values.
    pub usual: Vec<UsualRange>,
    /// For each target whose model is linear or a scorecard one number a feature: of a linear model what its term adds
    /// in the mean, in logits; of a scorecard the mean share of full points, `0.0..=1.0`, that its indicator earns where
    /// it is known, and 0 for a feature that is no indicator.
    pub expected: BTreeMap<Target, Vec<f64>>,
    /// Training rows to compare with, where the book keeps some; NaN = missing.
    pub sample: Option<FeatureMatrix>,
    /// What like accounts reach of the features that the health score reads.
    pub reach: Reach,
}

/// Order statistics of a feature's known values in the training rows; finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UsualRange {
    /// Of rank `floor((n - 1) / 10)`, from 0.
    pub p10: f32,
    /// Of rank `ceil(9 (n - 1) / 10)`.
    pub p90: f32,
}

/// Why a background was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackgroundError {
    /// A word that is no number.
    #[error("`{0}` is not a number of a background")]
    Number(String),
    /// A list of another length than the schema.
    #[error("{what} has {found} numbers where there are {expected} features")]
    Length {
        /// Which list.
        what: String,
        /// Its length.
        found: usize,
        /// The features.
        expected: usize,
    },
    /// A number that can't be.
    #[error("{what} of feature {feature} is {value}; {rule}")]
    Value {
        /// Which list.
        what: String,
        /// The feature's place, from 0.
        feature: usize,
        /// The number.
        value: f64,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A target that the bundle does not have.
    #[error("it tells of target `{0}`, for which there is no model")]
    Target(Target),
    /// What like accounts reach names a feature, a dimension or a cohort that can't be.
    #[error(transparent)]
    Cohorts(#[from] ModelError),
    /// What like accounts reach breaks a rule.
    #[error("what like accounts reach: {0}")]
    Reach(&'static str),
    /// The sample is no matrix.
    #[error(transparent)]
    Sample(#[from] MatrixError),
}

impl UsualRange {
    /// Of `values` in any order, NaN = missing; `None` where none is known.
    pub fn of(values: impl IntoIterator<Item = f32>) -> Option<Self> {
        let mut known: Vec<f32> = values.into_iter().filter(|value| !value.is_nan()).collect();
        known.sort_unstable_by(f32::total_cmp);
        let last = known.len().checked_sub(1)?;
        Some(Self { p10: known[last / 10], p90: known[(9 * last).div_ceil(10)] })
    }

    pub(crate) fn is_valid(self) -> bool {
        self.p10.is_finite() && self.p90.is_finite() && self.p10 <= self.p90
    }
}

impl Background {
    /// Checks the rules that the fields' docs state, for a schema of `n_features` and the models of `targets`.
    ///
    /// # Errors
    /// [`BackgroundError`] for the first rule that is broken.
    pub fn validate(&self, targets: &[Target], n_features: usize) -> Result<(), BackgroundError> {
        let length = |what: &str, found: usize| {
            let what = what.to_owned();
            if found == n_features {
                Ok(())
            } else {
                Err(BackgroundError::Length { what, found, expected: n_features })
            }
        };
        length("usual", self.usual.len())?;
        for (feature, of) in self.usual.iter().enumerate() {
            if !of.is_valid() {
                let (what, value) = ("the usual range".to_owned(), f64::from(of.p10));
                let rule = "it is from a finite number to one not below it";
                return Err(BackgroundError::Value { what, feature, value, rule });
            }
        }
        for (target, expected) in &self.expected {
            if !targets.contains(target) {
                return Err(BackgroundError::Target(*target));
            }
            let what = format!("what is expected of `{target}`");
            length(&what, expected.len())?;
            if let Some(feature) = expected.iter().position(|value| !value.is_finite()) {
                let (value, rule) = (expected[feature], "it must be finite");
                return Err(BackgroundError::Value { what, feature, value, rule });
            }
        }
        self.sample.as_ref().map_or(Ok(()), |sample| length("a row of the sample", sample.n_cols()))?;
        self.reach.validate(n_features)
    }
}

/// As it is written: lists of numbers are texts, a missing value of the sample is `NaN`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    p10: String,
    p90: String,
    expected: BTreeMap<Target, String>,
    reach: Reach,
    /// One text a feature, with one number a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample: Option<Vec<String>>,
}

impl From<Background> for Stored {
    fn from(background: Background) -> Self {
        let Background { usual, expected, sample, reach } = background;
        let columns = |sample: FeatureMatrix| {
            (0..sample.n_cols()).map(|column| joined(sample.column(column).iter().copied())).collect()
        };
        Self {
            p10: joined(usual.iter().map(|of| of.p10)),
            p90: joined(usual.iter().map(|of| of.p90)),
            expected: expected.into_iter().map(|(target, of)| (target, joined(of))).collect(),
            sample: sample.map(columns),
            reach,
        }
    }
}

impl TryFrom<Stored> for Background {
    type Error = BackgroundError;

    fn try_from(stored: Stored) -> Result<Self, BackgroundError> {
        let (p10, p90) = (floats(&stored.p10)?, floats(&stored.p90)?);
        if p10.len() != p90.len() {
            return Err(BackgroundError::Length { what: "p90".to_owned(), found: p90.len(), expected: p10.len() });
        }
        let expected = stored.expected.into_iter().map(|(target, of)| Ok((target, parted(&of)?)));
        let sample = |columns: Vec<String>| -> Result<FeatureMatrix, BackgroundError> {
            let columns = columns.iter().map(|column| floats(column)).collect::<Result<Vec<_>, _>>()?;
            Ok(FeatureMatrix::from_columns(&columns)?)
        };
        Ok(Self {
            usual: p10.into_iter().zip(p90).map(|(p10, p90)| UsualRange { p10, p90 }).collect(),
            expected: expected.collect::<Result<_, String>>().map_err(BackgroundError::Number)?,
            sample: stored.sample.map(sample).transpose()?,
            reach: stored.reach,
        })
    }
}

fn floats(text: &str) -> Result<Vec<f32>, BackgroundError> {
    parted(text).map_err(BackgroundError::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };

    fn background() -> Background {
        let sample = FeatureMatrix::from_columns(&[vec![1.5, -0.1, f32::NAN], vec![0.0, 1.0, 1.0]]);
        Background {
            usual: vec![UsualRange { p10: -0.1, p90: 1.5 }, UsualRange { p10: 0.0, p90: 1.0 }],
            expected: BTreeMap::from([(CHURN, vec![0.1, -1e-300])]),
            sample: Some(sample.expect("columns of one length")),
            reach: Reach::default(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let stored = Stored::from(background());
        assert_eq!((stored.p10.as_str(), stored.p90.as_str()), ("-0.1 0", "1.5 1"));
        assert_eq!(stored.sample.as_deref(), Some(&["1.5 -0.1 NaN".to_owned(), "0 1 1".to_owned()][..]));
        let read = Background::try_from(stored).expect("reads");
        assert_eq!(format!("{read:?}"), format!("{:?}", background()));
        for p10 in ["-0.1 x", "-0.1"] {
            let stored = Stored { p10: p10.to_owned(), ..Stored::from(background()) };
            assert!(Background::try_from(stored).is_err(), "{p10}");
        }
    }

    #[test]
    fn the_usual_range_leaves_out_a_tenth_on_each_side() {
        let of = |values: Vec<f32>| UsualRange::of(values).map(|of| (of.p10, of.p90));
        assert_eq!(of((0..=100).map(|value| value as f32).collect()), Some((10.0, 90.0)));
        assert_eq!(of(vec![3.0, f32::NAN, 1.0]), Some((1.0, 3.0)));
        assert_eq!(of(vec![f32::NAN]), None);
    }

    #[test]
    fn backgrounds_that_break_a_rule_are_refused() {
        let targets = [CHURN];
        let check = |alter: fn(&mut Background), rule: &str| {
            let mut altered = background();
            alter(&mut altered);
            let refused = altered.validate(&targets, 2).expect_err(rule).to_string();
            assert!(refused.contains(rule), "{refused}: {rule}");
        };
        assert!(background().validate(&targets, 2).is_ok());
        check(|of| of.usual[0].p90 = -1.0, "not below it");
        check(|of| of.usual[1].p10 = f32::NAN, "the usual range of feature 1 is NaN");
        check(|of| of.usual.truncate(1), "usual has 1 numbers where there are 2 features");
        check(|of| of.expected.values_mut().for_each(|of| of[1] = f64::INFINITY), "of feature 1 is inf");
        check(|of| of.expected.values_mut().for_each(|of| of.push(0.0)), "has 3 numbers");
        check(|of| drop(of.expected.insert(Target { horizon_days: 30, ..CHURN }, vec![0.0; 2])), "churn_30d");
        check(|of| of.reach.cohorts.clear(), "everybody stands first");
        check(|of| of.sample = FeatureMatrix::from_columns(&[vec![1.0]]).ok(), "a row of the sample");
    }
}
