//! What may become of one account within each horizon.

use bellwether_core::{HorizonChanges, Outcome, RelativeChanges, Target};

use super::draws::BookAccounts;
use super::movement::Movement;

/// Odds stay finite.
const MOST_CERTAIN: f64 = 1.0 - 1e-15;

/// One account at one horizon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chances<'a> {
    churn: f64,
    expansion: Change<'a>,
    contraction: Change<'a>,
    steady: &'a [f64],
}

/// An outcome that changes revenue.
#[derive(Debug, Clone, Copy)]
struct Change<'a> {
    odds: f64,
    /// The share of those that have it which count.
    kept: f64,
    slices: &'a [f64],
}

/// What all accounts have in common in a draw, by horizon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    /// Odds are multiplied by these.
    pub(super) churn: f64,
    pub(super) expansion: f64,
    pub(super) contraction: f64,
    /// Changes are multiplied by these.
    pub(super) gain: f64,
    pub(super) loss: f64,
}

impl Common {
    /// As the models say.
    pub(super) const NONE: Self = Self { churn: 1.0, expansion: 1.0, contraction: 1.0, gain: 1.0, loss: 1.0 };
}

/// Probabilities of the fates at one horizon; what they leave is steady.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fates {
    pub(super) churned: f64,
    pub(super) expanded: f64,
    pub(super) contracted: f64,
}

impl<'a> Chances<'a> {
    /// Of the account in place `row`.
    pub(super) fn new(accounts: &BookAccounts<'a>, row: usize, of: &'a HorizonChanges) -> Self {
        let odds = |outcome| {
            let target = Target { outcome, horizon_days: of.horizon_days };
            accounts.probability.get(&target).map_or(0.0, |p| {
                let p = p[row].min(MOST_CERTAIN);
                p / (1.0 - p)
            })
        };
        let level = accounts.level[row];
        let change = |changes: &'a Option<RelativeChanges>, outcome| match changes {
            Some(changes) => Change { odds: odds(outcome), kept: changes.kept, slices: changes.of_level(level) },
            None => Change { odds: 0.0, kept: 1.0, slices: &[] },
        };
        Self {
            churn: odds(Outcome::Churn),
            expansion: change(&of.expanded, Outcome::Expansion),
            contraction: change(&of.contracted, Outcome::Contraction),
            steady: of.steady.of_level(level),
        }
    }

    /// The relative change of an account whose rank among its like is `rank`, in `0.0..1.0`.
    pub(super) fn change(&self, fate: super::Fate, rank: f64, common: &Common) -> f64 {
        let at = |slices: &[f64]| slices[(rank * slices.len() as f64) as usize];
        match fate {
            super::Fate::Churned => -1.0,
            super::Fate::Expanded => (at(self.expansion.slices) * common.gain).max(-1.0),
            super::Fate::Contracted => (at(self.contraction.slices) * common.loss).max(-1.0),
            super::Fate::Steady => at(self.steady),
        }
    }

    /// What is to be expected of 1 of revenue, with these fates.
    fn expected(&self, fates: Fates) -> Movement {
        let mut sums = Movement { start: 1.0, churned: fates.churned, ..Movement::default() };
        let steady = 1.0 - fates.churned - fates.expanded - fates.contracted;
        let parts = [
            (fates.expanded, self.expansion.slices),
            (fates.contracted, self.contraction.slices),
            (steady, self.steady),
        ];
        for (probability, slices) in parts.into_iter().filter(|part| part.0 > 0.0) {
            for change in slices {
                sums.add_change(probability * change / slices.len() as f64);
            }
        }
        sums
    }
}

/// The fates at each horizon, in `fates`. An account has one fate, and has it from its first horizon on: what has
/// happened within a horizon has happened within a longer one.
pub(super) fn fates(chances: &[Chances<'_>], common: &[Common], fates: &mut [Fates]) {
    let mut before = Fates::default();
    for ((of, common), fates) in chances.iter().zip(common).zip(fates.iter_mut()) {
        let p = |odds: f64, times: f64| {
            let odds = odds * times;
            odds / (1.0 + odds)
        };
        *fates = Fates {
            churned: p(of.churn, common.churn).max(before.churned),
            expanded: (of.expansion.kept * p(of.expansion.odds, common.expansion)).max(before.expanded),
            contracted: (of.contraction.kept * p(of.contraction.odds, common.contraction)).max(before.contracted),
        };
        before = *fates;
    }
    // Who churns by the last horizon is steady until then: the other fates are left with the rest.
    let others = before.expanded + before.contracted;
    if before.churned + others > 1.0 {
        let times = (1.0 - before.churned) / others;
        for fates in fates.iter_mut() {
            fates.expanded *= times;
            fates.contracted *= times;
        }
    }
}

/// What each account is expected to do, by horizon, with 1 of revenue.
pub(super) fn expected(chances: &[Chances<'_>], scratch: &mut [Fates]) -> Vec<Movement> {
    fates(chances, &vec![Common::NONE; chances.len()], scratch);
    chances.iter().zip(scratch.iter()).map(|(of, &fates)| of.expected(fates)).collect()
}

/// The gain that expansions are expected to bring accounts of a level at one horizon, as a share of the account's revenue: the
/// probability of an expansion, times the share of such accounts that stay, times their mean change where it is a gain.
pub fn expected_gain(expanded: &RelativeChanges, level: Option<&str>) -> impl Fn(f64) -> f64 + use<> {
    let (slices, kept) = (expanded.of_level(level), expanded.kept);
    let mean_gain = slices.iter().map(|change| change.max(0.0)).sum::<f64>() / slices.len() as f64;
    move |probability| probability * kept * mean_gain
}
