//! The metrics that the guides ask for, requirements 1.11, with their targets and verdicts.

mod ablation;
mod finding;
mod interventions;
mod lead_time;
mod renewals;
mod score_use;
mod snapshots;

pub use ablation::{AblationFinding, AblationVerdict, LeftOut, ablation_finding, ablation_findings};
pub use finding::{Denominator, Finding, Goal, GuideId, Reading, Unit, Verdict};
pub use interventions::{InterventionFindings, Interventions, intervention_findings};
pub use lead_time::{BandsBefore, LeadTime, LeadTimeFindings, ScoreHistory, Warning, lead_time_findings};
pub use renewals::{RenewalFindings, Renewals, renewal_findings};
pub use score_use::{ScoreUse, score_use_findings};
pub use snapshots::{BandOutcome, BandedSnapshots, SnapshotFindings, band_outcomes, snapshot_findings};

/// How to judge.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GuideOptions {
    /// Confidence of every interval, inside `0.0..1.0`.
    pub confidence: f64,
    /// The fewest cases in a denominator on which a verdict is given.
    pub min_cases: usize,
}

impl Default for GuideOptions {
    fn default() -> Self {
        Self { confidence: 0.95, min_cases: 20 }
    }
}
