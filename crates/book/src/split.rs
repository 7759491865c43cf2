//! Which rows train, calibrate and test; decided before any statistic is learnt.

use std::collections::BTreeSet;

use bellwether_core::Date;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::BookError;
use crate::config::{CalibrationRows, SplitConfig, SplitKind};

/// Row numbers of the three parts, each rising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to fit on.
    pub training: Vec<usize>,
    /// Rows to choose the calibration and the learner on.
    pub calibration: Vec<usize>,
    /// Rows that nothing is learnt from.
    pub test: Vec<usize>,
    /// By time: rows of the days of purge before the test part, whose labels the first test day may not know in full. Not
    /// those of accounts whose outcomes of these days the training rows' labels tell.
    pub before_test: Vec<usize>,
    /// How they were drawn.
    pub plan: SplitPlan,
}

/// How a split was drawn, for reports and provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SplitPlan {
    /// By day.
    Time {
        /// The last day of training rows.
        training_to: Date,
        /// The first and last day of calibration rows.
        calibration: (Date, Date),
        /// The first and last day of test rows.
        test: (Date, Date),
        /// Days between the parts.
        purge_days: u32,
        /// What calibration rows are held out by.
        calibration_by: &'static str,
    },
    /// By a hash of the account or of its group.
    Hashed {
        /// `account`, or the feature whose levels stay together.
        by: String,
        /// The hash's seed.
        seed: u64,
    },
}

/// What a split is drawn from, one entry a row.
pub(crate) struct SplitRows<'a> {
    pub(crate) days: Vec<Date>,
    /// Whether any outcome's label of the main horizon is known.
    pub(crate) is_labelled: Vec<bool>,
    /// What stays together: the account, or its group.
    pub(crate) groups: Vec<&'a str>,
    pub(crate) has_time: bool,
}

const TEST_SHARE: f64 = 0.25;
pub(crate) const CALIBRATION_SHARE: f64 = 0.2;

pub(crate) fn split(
    rows: &SplitRows<'_>,
    config: &SplitConfig,
    reach_days: u32,
    seed: u64,
) -> Result<Split, BookError> {
    match rows.kind(config) {
        SplitKind::Time => {
            let days = LabelledDays::new(rows, config, reach_days, seed);
            let test = days.test(config)?;
            days.split(test)
        }
        SplitKind::Random | SplitKind::Grouped => {
            let test_share = config.test_share.unwrap_or(TEST_SHARE);
            let calibration_share = config.calibration_share.unwrap_or(CALIBRATION_SHARE);
            by_group(rows, config, seed, |group| {
                if share_of(seed, "test", group) < test_share {
                    GroupPart::Test
                } else if share_of(seed, "calibration", group) < calibration_share {
                    GroupPart::Calibration
                } else {
                    GroupPart::Training
                }
            })
        }
    }
}

impl SplitRows<'_> {
    /// How the rows are split: as declared, else by time where they have dates.
    pub(crate) fn kind(&self, config: &SplitConfig) -> SplitKind {
        config.kind.unwrap_or(if self.has_time { SplitKind::Time } else { SplitKind::Random })
    }
}

impl Split {
    /// The same, if each part has a row.
    fn checked(self) -> Result<Self, BookError> {
        for (part, rows) in [("training", &self.training), ("calibration", &self.calibration), ("test", &self.test)] {
            if rows.is_empty() {
                return Err(BookError::NoRows {
                    what: format!("the {part} part of the split"),
                    rule: "each part needs labelled rows".into(),
                });
            }
        }
        Ok(self)
    }
}

/// The days with labels, to be cut by time.
pub(crate) struct LabelledDays<'a> {
    rows: &'a SplitRows<'a>,
    /// Rising.
    pub(crate) days: Vec<Date>,
    /// Days between two parts.
    pub(crate) purge_days: u32,
    calibration_share: f64,
    /// Whether a row's account calibrates, where accounts do and not days.
    held_out: Option<Vec<bool>>,
}

impl<'a> LabelledDays<'a> {
    pub(crate) fn new(rows: &'a SplitRows<'a>, config: &SplitConfig, reach_days: u32, seed: u64) -> Self {
        let labelled = rows.days.iter().zip(&rows.is_labelled).filter(|&(_, &is)| is).map(|(&day, _)| day);
        let share = config.calibration_share.unwrap_or(CALIBRATION_SHARE);
        let held_out = |group: &&str| share_of(seed, "calibration", group) < share;
        let by_accounts = config.calibration_rows == CalibrationRows::Accounts;
        Self {
            rows,
            days: labelled.collect::<BTreeSet<_>>().into_iter().collect(),
            purge_days: config.purge_days.unwrap_or(reach_days).max(reach_days),
            calibration_share: share,
            held_out: by_accounts.then(|| rows.groups.iter().map(held_out).collect()),
        }
    }

    /// The first and last test day that `config` asks for.
    fn test(&self, config: &SplitConfig) -> Result<(Date, Date), BookError> {
        let n_test = ((self.days.len() as f64 * config.test_share.unwrap_or(TEST_SHARE)).round() as usize).max(1);
        let first_test = self.days.len().checked_sub(n_test).map(|at| self.days[at]);
        let test_from = config.test_from.or(first_test).ok_or_else(|| self.too_short("snapshot days"))?;
        let last = self.days.last().copied().filter(|&last| last >= test_from);
        Ok((test_from, last.ok_or_else(|| self.too_short("the test part"))?))
    }

    /// The rows of the test days, and what may be learnt from as of the first of them.
    pub(crate) fn split(&self, test: (Date, Date)) -> Result<Split, BookError> {
        let before = |day: Date| -> Vec<Date> {
            self.days.iter().copied().filter(|&t| t.plus_days(self.purge_days as i32) <= day).collect()
        };
        let candidates = before(test.0);
        let ends = candidates.first().zip(candidates.last());
        let (&first, &last) = ends.ok_or_else(|| self.too_short("the calibration part"))?;
        let (training_to, calibration) = if self.held_out.is_some() {
            (last, (first, last))
        } else {
            let n_calibration = ((candidates.len() as f64 * self.calibration_share).round() as usize).max(1);
            let from = candidates[candidates.len() - n_calibration];
            let training_to = before(from).last().copied().ok_or_else(|| self.too_short("the training part"))?;
            (training_to, (from, last))
        };
        let is_held_out = |row: usize| self.held_out.as_ref().is_some_and(|held_out| held_out[row]);
        let by_accounts = self.held_out.is_some();
        Split {
            training: self.pick(|row, day| day <= training_to && !is_held_out(row)),
            calibration: self
                .pick(|row, day| (calibration.0..=calibration.1).contains(&day) && (!by_accounts || is_held_out(row))),
            test: self.pick(|_, day| (test.0..=test.1).contains(&day)),
            before_test: self.pick(|row, day| last < day && day < test.0 && (!by_accounts || is_held_out(row))),
            plan: SplitPlan::Time {
                training_to,
                calibration,
                test,
                purge_days: self.purge_days,
                calibration_by: if by_accounts { "accounts" } else { "time" },
            },
        }
        .checked()
    }

    /// Labelled rows for which `is_in` says so of row and day.
    fn pick(&self, is_in: impl Fn(usize, Date) -> bool) -> Vec<usize> {
        let rows = self.rows;
        (0..rows.days.len()).filter(|&row| rows.is_labelled[row] && is_in(row, rows.days[row])).collect()
    }

    fn too_short(&self, what: &str) -> BookError {
        BookError::NoRows {
            what: what.to_owned(),
            rule: format!(
                "{} snapshot days have labels; with {} days of purge between the parts that is too short a history",
                self.days.len(),
                self.purge_days
            ),
        }
    }
}

/// What a group of rows is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupPart {
    Training,
    Calibration,
    Test,
}

/// Rows by the part of their group.
pub(crate) fn by_group(
    rows: &SplitRows<'_>,
    config: &SplitConfig,
    seed: u64,
    part_of: impl Fn(&str) -> GroupPart,
) -> Result<Split, BookError> {
    let by = config.group.as_ref().map_or_else(|| "account".to_owned(), |group| group.get_ref().clone());
    let mut split = Split {
        training: Vec::new(),
        calibration: Vec::new(),
        test: Vec::new(),
        before_test: Vec::new(),
        plan: SplitPlan::Hashed { by, seed },
    };
    for (row, group) in rows.groups.iter().enumerate().filter(|&(row, _)| rows.is_labelled[row]) {
        let part = match part_of(group) {
            GroupPart::Training => &mut split.training,
            GroupPart::Calibration => &mut split.calibration,
            GroupPart::Test => &mut split.test,
        };
        part.push(row);
    }
    split.checked()
}

/// A number in `[0, 1)` that depends on the seed, the use and the text alone.
pub(crate) fn share_of(seed: u64, what: &str, text: &str) -> f64 {
    (hash(&format!("{seed}/{what}/{text}")) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The first 8 bytes of SHA-256, which no release changes.
pub(crate) fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}
