//! The probabilities that follow from the hidden life, for whoever could see it.

use crate::calendar::HORIZON_DAYS;
use crate::chain::{LEVELS, Weights};
use crate::hazard::{CHAMPION_LEAVES, CHAMPION_REPLACED, Hazards};
use crate::life::{Chains, State, WEEK, freed};

/// What a day's hidden state says of the days after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outlook {
    /// Probability of churn within the horizon.
    pub(crate) churn: f64,
    /// Probability of an expansion within the horizon, before any churn.
    pub(crate) expansion: f64,
}

/// Every hidden state with its probability, of accounts that have not left (`churn`) or not expanded (`expansion`).
/// Health with the champion moves independently of appetite, so the two need no joint table.
struct Cloud {
    /// Health, with and without champion.
    churn: [Weights; 2],
    /// Appetite.
    expansion: Weights,
}

/// Follows every path from `state` at the end of `day` over the horizon and adds up what happens on it.
///
/// Exact but for two things within a week: churn and expansion compete at the week's mean survival, and a contraction
/// comes after the week's expansions. Both are below 0.001.
pub(crate) fn outlook(state: State, day: usize, hazards: &Hazards, chains: &Chains) -> Outlook {
    let mut cloud = Cloud::at(state);
    let end = day + 1 + HORIZON_DAYS;
    let (mut from, mut staying, mut expanded) = (day + 1, 1.0, 0.0);
    while from < end {
        if from % WEEK == 0 {
            cloud.week_passes(chains);
        }
        let to = end.min((from / WEEK + 1) * WEEK);
        let still_staying = cloud.churns(hazards, from, to);
        expanded += f64::midpoint(staying, still_staying) * cloud.expands(hazards, from, to);
        staying = still_staying;
        from = to;
    }
    Outlook { churn: 1.0 - staying, expansion: expanded }
}

impl Cloud {
    fn at(state: State) -> Self {
        let mut cloud = Self { churn: [[0.0; LEVELS]; 2], expansion: [0.0; LEVELS] };
        cloud.churn[usize::from(!state.champion)][usize::from(state.health)] = 1.0;
        cloud.expansion[usize::from(state.appetite)] = 1.0;
        cloud
    }

    fn week_passes(&mut self, chains: &Chains) {
        let [with, without] = self.churn.each_ref().map(|weights| chains.health.spread(weights));
        let mix = |stayed: &Weights, stays: f64, came: &Weights, comes: f64| -> Weights {
            std::array::from_fn(|level| stayed[level] * stays + came[level] * comes)
        };
        self.churn = [
            mix(&with, 1.0 - CHAMPION_LEAVES, &without, CHAMPION_REPLACED),
            mix(&without, 1.0 - CHAMPION_REPLACED, &with, CHAMPION_LEAVES),
        ];
        self.expansion = chains.appetite.spread(&self.expansion);
    }

    /// Takes out what leaves over the days `from..to`; gives the share that has not left yet.
    fn churns(&mut self, hazards: &Hazards, from: usize, to: usize) -> f64 {
        for (weights, champion) in self.churn.iter_mut().zip([true, false]) {
            times(weights, &hazards.churn_survival(champion, from, to));
        }
        self.churn.iter().flatten().sum()
    }

    /// Takes out what expands over the days `from..to` and moves what contracts; gives the share that expanded.
    fn expands(&mut self, hazards: &Hazards, from: usize, to: usize) -> f64 {
        let before: f64 = self.expansion.iter().sum();
        times(&mut self.expansion, &hazards.expansion_survival(from, to));
        let after: f64 = self.expansion.iter().sum();
        let mut moved = [0.0; LEVELS];
        for (level, survival) in hazards.contraction_survival(from, to).into_iter().enumerate() {
            let weight = self.expansion[level];
            moved[level] += weight * survival;
            moved[freed(level)] += weight * (1.0 - survival);
        }
        self.expansion = moved;
        before - after
    }
}

fn times(weights: &mut Weights, shares: &Weights) {
    for (weight, share) in weights.iter_mut().zip(shares) {
        *weight *= share;
    }
}
