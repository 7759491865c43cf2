//! How recurring revenue changes with what happens to an account, as learnt in training; plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Outcome, Target};

/// What a forecast of revenue needs beside probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevenueChanges {
    /// The segment whose levels have changes of their own; `None` where all accounts have the same.
    pub segment: Option<String>,
    /// One for each horizon that every outcome has a model for, by rising days; at least one.
    pub horizons: Vec<HorizonChanges>,
}

/// What was found for one horizon. An account that churned counts as churned, one that expanded and did not churn as
/// expanded, one that contracted and did neither as contracted, every other one as steady.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HorizonChanges {
    /// Days after the snapshot.
    pub horizon_days: u32,
    /// Of accounts that expanded; `None` where no model tells of them, or none was seen.
    pub expanded: Option<RelativeChanges>,
    /// Of accounts that contracted; `None` where no model tells of them, or none was seen.
    pub contracted: Option<RelativeChanges>,
    /// Of accounts to which nothing that has a model happened.
    pub steady: RelativeChanges,
    /// How far the probabilities of each outcome can be off together.
    pub doubt: BTreeMap<Outcome, Doubt>,
}

/// Revenue at the end of the horizon over that at its beginning, less 1, as drawn with the weight of the revenue at its
/// beginning: 0.2 is a fifth more, -1 is nothing left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelativeChanges {
    /// The share of the rows with the outcome that count here, above 0 to 1: the others also churned, or expanded.
    pub kept: f64,
    /// Accounts seen.
    pub n_accounts: usize,
    /// Standard deviation of the mean change over what other accounts might have shown, 0 or more.
    pub deviation: f64,
    /// Means of [`RelativeChanges::POINTS`] slices of equal weight, rising; each -1 or more.
    pub all: Vec<f64>,
    /// The same for levels of the segment, drawn towards all as far as few accounts were seen.
    pub by_level: BTreeMap<String, Vec<f64>>,
}

/// How far the log-odds of all accounts can be off together: independent normal deviations, each 0 or more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubt {
    /// Because the calibration was learnt on few events.
    pub of_calibration: f64,
    /// From one day to another, beyond chance.
    pub between_days: f64,
    /// What `between_days` was told from: snapshot days that do not overlap, less 1; 1 or more.
    pub freedom: f64,
}

/// Why changes were refused.
#[derive(Debug, Error)]
#[error("revenue after {horizon_days} days: {rule}")]
pub struct RevenueChangesError {
    horizon_days: u32,
    rule: &'static str,
}

impl RelativeChanges {
    /// Slices of a distribution.
    pub const POINTS: usize = 100;

    /// Nothing changes.
    pub fn none() -> Self {
        Self { kept: 1.0, n_accounts: 0, deviation: 0.0, all: vec![0.0; Self::POINTS], by_level: BTreeMap::new() }
    }

    /// The slices of accounts of a level; those of all where the level has none.
    pub fn of_level(&self, level: Option<&str>) -> &[f64] {
        level.and_then(|level| self.by_level.get(level)).unwrap_or(&self.all)
    }

    fn is_valid(&self) -> bool {
        let are_slices = |slices: &Vec<f64>| {
            slices.len() == Self::POINTS
                && slices.windows(2).all(|pair| pair[0] <= pair[1])
                && slices.iter().all(|change| change.is_finite() && *change >= -1.0)
        };
        (0.0..=1.0).contains(&self.kept)
            && self.kept > 0.0
            && is_deviation(self.deviation)
            && are_slices(&self.all)
            && self.by_level.values().all(are_slices)
    }
}

impl RevenueChanges {
    /// Checks the rules that the types' docs state, and that `targets` have every horizon.
    ///
    /// # Errors
    /// [`RevenueChangesError`] for the first rule that is broken.
    pub fn validate(&self, targets: &[Target]) -> Result<(), RevenueChangesError> {
        let broken = |of: &HorizonChanges, rule| Err(RevenueChangesError { horizon_days: of.horizon_days, rule });
        if self.horizons.is_empty() {
            return Err(RevenueChangesError { horizon_days: 0, rule: "there must be a horizon" });
        }
        let falls = |pair: &&[HorizonChanges]| pair[0].horizon_days >= pair[1].horizon_days;
        if let Some([_, later]) = self.horizons.windows(2).find(falls) {
            return broken(later, "horizons must rise");
        }
        for of in &self.horizons {
            if !of.expanded.iter().chain(&of.contracted).chain([&of.steady]).all(RelativeChanges::is_valid) {
                return broken(of, "changes need 100 rising slices of -1 or more, a share above 0 to 1, a deviation");
            }
            let is_valid = |doubt: &Doubt| {
                is_deviation(doubt.of_calibration) && is_deviation(doubt.between_days) && doubt.freedom >= 1.0
            };
            if !of.doubt.values().all(is_valid) {
                return broken(of, "a doubt is two deviations of 0 or more with a freedom of 1 or more");
            }
            let has_model =
                |outcome: &Outcome| targets.contains(&Target { outcome: *outcome, horizon_days: of.horizon_days });
            if !of.doubt.contains_key(&Outcome::Churn) || !of.doubt.keys().all(has_model) {
                return broken(of, "churn must have a doubt, and every outcome with one a model");
            }
            let needs = [(&of.expanded, Outcome::Expansion), (&of.contracted, Outcome::Contraction)];
            if needs.iter().any(|(changes, outcome)| changes.is_some() && !of.doubt.contains_key(outcome)) {
                return broken(of, "an outcome that has changes needs a doubt");
            }
        }
        Ok(())
    }
}

fn is_deviation(x: f64) -> bool {
    x >= 0.0 && x.is_finite()
}
