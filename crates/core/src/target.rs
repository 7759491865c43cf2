//! What is predicted.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The kind of event that a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The account leaves.
    Churn,
    /// The account pays more.
    Expansion,
    /// The account pays less, and stays.
    Contraction,
}

impl Outcome {
    /// Every outcome, in order.
    pub const ALL: [Self; 3] = [Self::Churn, Self::Expansion, Self::Contraction];

    /// `churn`, `expansion` or `contraction`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Expansion => "expansion",
            Self::Contraction => "contraction",
        }
    }

    /// Whether a healthy account is likely to have it.
    pub const fn is_good(self) -> bool {
        match self {
            Self::Expansion => true,
            Self::Churn | Self::Contraction => false,
        }
    }
}

/// An outcome within `(t, t + horizon_days]`. Text form: `churn_90d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target {
    /// What happens.
    pub outcome: Outcome,
    /// Within how many days.
    pub horizon_days: u32,
}

/// Why a target's name was refused.
#[derive(Debug, Error)]
#[error("`{0}` is not a target; targets look like `churn_90d`, `expansion_90d` or `contraction_30d`")]
pub struct TargetError(String);

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}d", self.outcome.name(), self.horizon_days)
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parse = || {
            let (outcome, days) = text.rsplit_once('_')?;
            let outcome = Outcome::ALL.into_iter().find(|known| known.name() == outcome)?;
            let horizon_days = days.strip_suffix('d')?.parse().ok().filter(|&n| n > 0)?;
            Some(Self { outcome, horizon_days })
        };
        parse().ok_or(TargetError(text))
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}
