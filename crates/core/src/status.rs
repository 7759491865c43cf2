//! What became of a row that was to be scored.

use serde::{Deserialize, Serialize};

/// Whether a row has numbers, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// All numbers are there.
    Scored,
    /// An indicator is missing that the scorecard refuses to do without: there is neither health score nor band, all else
    /// is there.
    HealthRefused,
    /// Too few of the model's features are known for an honest number.
    InsufficientData,
    /// The account had churned by the date.
    Churned,
    /// The account had not started by the date.
    NotStarted,
}

impl RowStatus {
    /// Whether the row has probabilities.
    pub const fn has_probabilities(self) -> bool {
        matches!(self, Self::Scored | Self::HealthRefused)
    }

    /// The name in score files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::HealthRefused => "health_refused",
            Self::InsufficientData => "insufficient_data",
            Self::Churned => "churned",
            Self::NotStarted => "not_started",
        }
    }
}
