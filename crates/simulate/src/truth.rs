//! The probabilities that follow from the hidden life, for whoever could see it.

use crate::calendar::HORIZON_DAYS;
use crate::chain::{LEVELS, Weights};
use crate::hazard::{CHAMPION_LEAVES, CHAMPION_REPLACED, Hazards, Survival};
use crate::interventions::TREATMENT_EASES;
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

/// Follows every path from `state` at the end of `day` over the horizon and adds up what happens on it, where a
/// treatment runs until before day `eased_until` and no other follows.
///
/// The churn is exact. The expansion is so but for what happens within one week: it is held against the week's mean
/// survival, and a contraction comes after the week's expansions. That is less than 0.005 off, unless both are all but
/// certain.
pub(crate) fn outlook(state: State, day: usize, eased_until: usize, hazards: &Hazards, chains: &Chains) -> Outlook {
    let mut cloud = Cloud::at(state);
    let end = day + 1 + HORIZON_DAYS;
    let (mut from, mut expanded) = (day + 1, 0.0);
    while from < end {
        if from % WEEK == 0 {
            cloud.week_passes(chains);
        }
        let to = end.min((from / WEEK + 1) * WEEK);
        // A treatment begins and ends with a week.
        let eased = if from < eased_until { TREATMENT_EASES } else { 1.0 };
        let survival = hazards.survival(from, to, eased);
        let staying_meanwhile = cloud.churns(&survival.churn);
        expanded += staying_meanwhile * cloud.expands(&survival.expansion, &hazards.contracting(to - from));
        from = to;
    }
    Outlook { churn: 1.0 - cloud.churn.iter().flatten().sum::<f64>(), expansion: expanded }
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

    /// Takes out what leaves over some days; gives the mean share that has not left on these days.
    fn churns(&mut self, survivals: &[Survival; 2]) -> f64 {
        let mut meanwhile = 0.0;
        for (weights, survival) in self.churn.iter_mut().zip(survivals) {
            meanwhile += weights.iter().zip(&survival.on_mean_day).map(|(weight, share)| weight * share).sum::<f64>();
            times(weights, &survival.at_end);
        }
        meanwhile
    }

    /// Takes out what expands over some days and moves what contracts; gives the share that expanded.
    fn expands(&mut self, survival: &Weights, contracting: &Weights) -> f64 {
        let before: f64 = self.expansion.iter().sum();
        times(&mut self.expansion, survival);
        let after: f64 = self.expansion.iter().sum();
        let mut moved = [0.0; LEVELS];
        for (level, share) in contracting.iter().enumerate() {
            let weight = self.expansion[level];
            moved[level] += weight * (1.0 - share);
            moved[freed(level)] += weight * share;
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

#[cfg(test)]
mod tests {
    use bellwether_core::Date;

    use super::*;
    use crate::account::Account;
    use crate::calendar::Calendar;
    use crate::hazard::Hazards;
    use crate::random::Random;

    /// The same probabilities from the joint table of all hidden states, day by day, without any shortcut.
    fn by_joint_table(state: State, day: usize, eased_until: usize, hazards: &Hazards, chains: &Chains) -> Outlook {
        let mut joint = [[[0.0; LEVELS]; LEVELS]; 2]; // champion, health, appetite
        joint[usize::from(!state.champion)][usize::from(state.health)][usize::from(state.appetite)] = 1.0;
        let mut waiting = joint;
        let (mut churned, mut expanded) = (0.0, 0.0);
        for day in day + 1..=day + HORIZON_DAYS {
            if day % WEEK == 0 {
                week_passes(&mut joint, chains);
                week_passes(&mut waiting, chains);
            }
            for (champion, health) in [true, false].into_iter().flat_map(|c| (0..LEVELS).map(move |h| (c, h))) {
                let gone = usize::from(!champion);
                let mut moved = [0.0; LEVELS];
                for appetite in 0..LEVELS {
                    let mut hazard = hazards.on(day, health, champion, appetite);
                    hazard.churn *= if day < eased_until { TREATMENT_EASES } else { 1.0 };
                    let [stays, waits, keeps] =
                        [hazard.churn, hazard.expansion, hazard.contraction].map(|x| (-x).exp());
                    churned += joint[gone][health][appetite] * (1.0 - stays);
                    joint[gone][health][appetite] *= stays;
                    let still = waiting[gone][health][appetite] * stays;
                    expanded += still * (1.0 - waits);
                    moved[appetite] += still * waits * keeps;
                    moved[freed(appetite)] += still * waits * (1.0 - keeps);
                }
                waiting[gone][health] = moved;
            }
        }
        Outlook { churn: churned, expansion: expanded }
    }

    fn week_passes(joint: &mut [[Weights; LEVELS]; 2], chains: &Chains) {
        let mut next = [[[0.0; LEVELS]; LEVELS]; 2];
        for gone in 0..2 {
            let leaves = if gone == 0 { CHAMPION_LEAVES } else { CHAMPION_REPLACED };
            for (health, weights) in joint[gone].iter().enumerate() {
                let mut now = [0.0; LEVELS];
                now[health] = 1.0;
                let appetites = chains.appetite.spread(weights);
                for (to, share) in chains.health.spread(&now).into_iter().enumerate() {
                    for (level, weight) in appetites.iter().enumerate() {
                        next[gone][to][level] += share * weight * (1.0 - leaves);
                        next[1 - gone][to][level] += share * weight * leaves;
                    }
                }
            }
        }
        *joint = next;
    }

    #[test]
    fn the_factored_table_tells_what_the_joint_one_tells() {
        let first_day = Date::from_ymd(2023, 1, 1).expect("a day");
        let calendar = Calendar::new(first_day, first_day.plus_days(300));
        let chains = Chains::new();
        for number in 0..6 {
            let account = Account::new(number, &calendar, &mut Random::of_account(1, number));
            let hazards = Hazards::new(&account, &calendar);
            for (health, appetite, champion) in [(8, 8, true), (3, 13, false), (2, 14, true), (12, 5, false)] {
                let state = State { health, appetite, champion, seats: 10 };
                for day in [0, 6, 38].map(|day| day.min(calendar.n_book_days() - account.first - 1)) {
                    let eased_until = if health == 3 { (day / WEEK + 5) * WEEK } else { 0 };
                    let ours = outlook(state, day, eased_until, &hazards, &chains);
                    let joint = by_joint_table(state, day, eased_until, &hazards, &chains);
                    assert!((ours.churn - joint.churn).abs() < 1e-9, "{ours:?}, {joint:?}");
                    assert!((ours.expansion - joint.expansion).abs() < 5e-3, "{ours:?}, {joint:?}");
                }
            }
        }
    }
}
