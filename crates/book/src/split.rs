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
    pub(crate) days: &'a [Date],
    /// Whether any outcome's label of the main horizon is known.
    pub(crate) is_labelled: &'a [bool],
    /// What stays together: the account, or its group.
    pub(crate) groups: &'a [&'a str],
    pub(crate) has_time: bool,
}

const TEST_SHARE: f64 = 0.25;
const CALIBRATION_SHARE: f64 = 0.2;

pub(crate) fn split(
    rows: &SplitRows<'_>,
    config: &SplitConfig,
    reach_days: u32,
    seed: u64,
) -> Result<Split, BookError> {
    let kind = config.kind.unwrap_or(if rows.has_time { SplitKind::Time } else { SplitKind::Random });
    let split = match kind {
        SplitKind::Time => by_time(rows, config, reach_days, seed)?,
        SplitKind::Random | SplitKind::Grouped => by_hash(rows, config, seed),
    };
    for (part, part_rows) in [("training", &split.training), ("calibration", &split.calibration), ("test", &split.test)]
    {
        if part_rows.is_empty() {
            return Err(BookError::NoRows {
                what: format!("the {part} part of the split"),
                rule: "each part needs labelled rows".into(),
            });
        }
    }
    Ok(split)
}

fn by_time(rows: &SplitRows<'_>, config: &SplitConfig, reach_days: u32, seed: u64) -> Result<Split, BookError> {
    let labelled = || rows.days.iter().zip(rows.is_labelled).filter(|&(_, &is)| is).map(|(&day, _)| day);
    let days: Vec<Date> = labelled().collect::<BTreeSet<_>>().into_iter().collect();
    let purge_days = config.purge_days.unwrap_or(reach_days).max(reach_days);
    let too_short = |what: &str| BookError::NoRows {
        what: what.to_owned(),
        rule: format!(
            "{} snapshot days have labels; with {purge_days} days of purge between the parts that is too short a history",
            days.len()
        ),
    };
    let n_test = ((days.len() as f64 * config.test_share.unwrap_or(TEST_SHARE)).round() as usize).max(1);
    let first_test = days.len().checked_sub(n_test).map(|at| days[at]);
    let test_from = config.test_from.or(first_test).ok_or_else(|| too_short("snapshot days"))?;
    let test_to = days.last().copied().filter(|&last| last >= test_from).ok_or_else(|| too_short("the test part"))?;
    let before =
        |day: Date| -> Vec<Date> { days.iter().copied().filter(|&t| t.plus_days(purge_days as i32) <= day).collect() };
    let candidates = before(test_from);
    let share = config.calibration_share.unwrap_or(CALIBRATION_SHARE);
    let (&first, &last) = candidates.first().zip(candidates.last()).ok_or_else(|| too_short("the calibration part"))?;
    let by_accounts = config.calibration_rows == CalibrationRows::Accounts;
    let (training_to, calibration) = if by_accounts {
        (last, (first, last))
    } else {
        let n_calibration = ((candidates.len() as f64 * share).round() as usize).max(1);
        let from = candidates[candidates.len() - n_calibration];
        (before(from).last().copied().ok_or_else(|| too_short("the training part"))?, (from, last))
    };
    let held_out: Vec<bool> =
        rows.groups.iter().map(|group| by_accounts && share_of(seed, "calibration", group) < share).collect();
    let pick = |is_in: &dyn Fn(usize, Date) -> bool| -> Vec<usize> {
        (0..rows.days.len()).filter(|&row| rows.is_labelled[row] && is_in(row, rows.days[row])).collect()
    };
    Ok(Split {
        training: pick(&|row, day| day <= training_to && !held_out[row]),
        calibration: pick(&|row, day| {
            (calibration.0..=calibration.1).contains(&day) && (!by_accounts || held_out[row])
        }),
        test: pick(&|_, day| day >= test_from),
        plan: SplitPlan::Time {
            training_to,
            calibration,
            test: (test_from, test_to),
            purge_days,
            calibration_by: if by_accounts { "accounts" } else { "time" },
        },
    })
}

fn by_hash(rows: &SplitRows<'_>, config: &SplitConfig, seed: u64) -> Split {
    let test_share = config.test_share.unwrap_or(TEST_SHARE);
    let calibration_share = config.calibration_share.unwrap_or(CALIBRATION_SHARE);
    let by = config.group.as_ref().map_or_else(|| "account".to_owned(), |group| group.get_ref().clone());
    let mut split =
        Split { training: Vec::new(), calibration: Vec::new(), test: Vec::new(), plan: SplitPlan::Hashed { by, seed } };
    for (row, group) in rows.groups.iter().enumerate().filter(|&(row, _)| rows.is_labelled[row]) {
        let part = if share_of(seed, "test", group) < test_share {
            &mut split.test
        } else if share_of(seed, "calibration", group) < calibration_share {
            &mut split.calibration
        } else {
            &mut split.training
        };
        part.push(row);
    }
    split
}

/// A number in `[0, 1)` that depends on the seed, the use and the text alone.
fn share_of(seed: u64, what: &str, text: &str) -> f64 {
    (hash(&format!("{seed}/{what}/{text}")) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The first 8 bytes of SHA-256, which no release changes.
pub(crate) fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}
