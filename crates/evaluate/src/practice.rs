//! What a score is in use, on one set of test rows: the guides' metrics, its value, and whom it treats unlike.

use bellwether_core::{Date, Target};
use serde::{Deserialize, Serialize};

use crate::bias::BiasGap;
use crate::guide::{BandOutcome, Finding, InterventionFindings, LeadTimeFindings, RenewalFindings, SnapshotFindings};
use crate::value::{CostCurve, ValueOptions, ValueReport};

/// A result, or what is missing for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured<T> {
    /// What was found.
    Found(T),
    /// What would have to be there, as a fragment for a report.
    Missing(String),
}

/// All that is said of a score in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Practice {
    /// The metrics of requirements 1.11 but V-12.
    pub guide: GuideFindings,
    /// What contacting accounts is worth.
    pub value: Measured<ValueFindings>,
    /// Parts of the book against the rest, one for each target.
    pub bias: Vec<TargetBias>,
}

/// The metrics of requirements 1.11 but V-12, which compares models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuideFindings {
    /// V-01, V-02, V-07 and V-11.
    pub snapshots: Measured<SnapshotFindings>,
    /// V-06: each band for churn, retention and the other outcomes.
    pub bands: Vec<BandOutcome>,
    /// V-06 by quarter of the snapshot, such as `2025 Q1`, rising.
    pub by_quarter: Vec<(String, Vec<BandOutcome>)>,
    /// V-03 and V-07.
    pub lead_times: Measured<LeadTimeFindings>,
    /// Days between scores: lead times are known no better.
    pub days_between_scores: Option<u32>,
    /// V-05 and V-08.
    pub renewals: Measured<RenewalFindings>,
    /// V-04 and V-09.
    pub interventions: Measured<InterventionFindings>,
    /// V-09: what interventions bring for what they cost.
    pub intervention_return: Measured<Finding>,
    /// What treated accounts are compared with, as a fragment for a report.
    pub compared_with: String,
    /// V-09 by kind of intervention, against all untreated accounts.
    pub by_kind: Vec<(String, InterventionFindings)>,
    /// V-10.
    pub score_use: Measured<[Finding; 3]>,
}

/// What contacting accounts is worth, on the accounts of one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueFindings {
    /// The day; `None` where rows have none.
    pub day: Option<Date>,
    /// Accounts of that day without a known revenue; left out.
    pub n_without_arr: usize,
    /// What was assumed.
    pub assumed: ValueOptions,
    /// Value by capacity.
    pub report: ValueReport,
    /// Cost by threshold.
    pub costs: CostCurve,
}

/// Gaps between the levels of segments and the rest of the book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetBias {
    /// Whose probabilities.
    pub target: Target,
    /// Which rows count as flagged, as a fragment for a report.
    pub flagged: String,
    /// The gaps, by segment, level and measure.
    pub gaps: Vec<BiasGap>,
}

impl<T> Measured<T> {
    /// What was found, if anything.
    pub const fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Missing(_) => None,
        }
    }
}
