//! What a ranking is worth in money: retained recurring revenue against the cost of contacting accounts.
//!
//! Rows are accounts at one date, each once. Costs and success are inputs, not findings: nothing here shows that contacting an
//! account keeps it.

mod capacity;
mod ranked;
mod threshold;

pub use capacity::{CapacityValue, GainPoint, ValueReport, value_at_capacity};
pub use threshold::{CostCurve, CostPoint, cost_curve};

use serde::{Deserialize, Serialize};

use crate::input::{EvaluateError, check_confidence, check_lengths, check_numbers};

/// Accounts at one date, one value each in each column.
#[derive(Debug, Clone, Copy)]
pub struct Valued<'a> {
    /// Predicted probability of churn, in `0.0..=1.0`.
    pub probability: &'a [f64],
    /// Whether the account churned.
    pub churned: &'a [bool],
    /// Annual recurring revenue, from 0, in any one currency.
    pub arr: &'a [f64],
}

/// Money in the currency of the revenue. The defaults are the guides' example figures (requirements P-10 and V-04), which are
/// inputs to replace, not facts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValueOptions {
    /// Cost of contacting one account; 500.
    pub contact_cost: f64,
    /// Share of contacted churners that stay because of it; 0.4, the lower end of what V-04 calls good.
    pub success_rate: f64,
    /// What is lost with an account, in years of its revenue; 1.
    pub years_lost: f64,
    /// What to rank by.
    pub ranking: Ranking,
    /// Confidence of every interval, inside `0.0..1.0`.
    pub confidence: f64,
    /// Bootstrap replicates; 0 leaves out the intervals.
    pub n_bootstrap: usize,
    /// Seeds the bootstrap.
    pub seed: u64,
    /// The fewest churned accounts on which an interval is given.
    pub min_events: usize,
}

/// What accounts are ranked by. Ties are cut by the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ranking {
    /// Probability alone.
    Probability,
    /// Probability times revenue: the money at risk.
    ArrAtRisk,
}

impl Default for ValueOptions {
    fn default() -> Self {
        Self {
            contact_cost: 500.0,
            success_rate: 0.4,
            years_lost: 1.0,
            ranking: Ranking::ArrAtRisk,
            confidence: 0.95,
            n_bootstrap: 500,
            seed: 0,
            min_events: 10,
        }
    }
}

impl Valued<'_> {
    fn check(&self, options: &ValueOptions) -> Result<(), EvaluateError> {
        check_confidence(options.confidence)?;
        let lengths = [("churned", self.churned.len()), ("arr", self.arr.len())];
        check_lengths("probability", self.probability.len(), &lengths)?;
        if let Some(row) = self.probability.iter().position(|p| !(0.0..=1.0).contains(p)) {
            return Err(EvaluateError::Probability { row, value: self.probability[row] });
        }
        check_numbers("arr", self.arr)?;
        let settings = [
            ("contact_cost", options.contact_cost, f64::INFINITY),
            ("success_rate", options.success_rate, 1.0),
            ("years_lost", options.years_lost, f64::INFINITY),
        ];
        let wrong =
            settings.into_iter().find(|&(_, value, most)| !(value >= 0.0 && value <= most && value.is_finite()));
        match (wrong, self.arr.iter().position(|&arr| arr < 0.0)) {
            (Some((name, value, most)), _) => {
                let rule = if most == 1.0 { "from 0 to 1" } else { "0 or more" };
                Err(EvaluateError::Setting { name, value, rule })
            }
            (None, Some(row)) => {
                Err(EvaluateError::Number { what: "arr", row, value: self.arr[row], rule: "0 or more" })
            }
            (None, None) => Ok(()),
        }
    }
}
