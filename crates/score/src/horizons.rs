//! Probabilities of one outcome within several horizons, in the order that they must have.

use std::collections::BTreeMap;

use bellwether_core::{Outcome, Target};

/// Each outcome's targets in order of their horizon, and which of them is the main one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Horizons {
    outcomes: BTreeMap<Outcome, OfOutcome>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OfOutcome {
    /// Rising.
    days: Vec<u32>,
    /// The place of the main one.
    main: usize,
}

impl Horizons {
    /// The first target of each outcome is its main one.
    pub(crate) fn new(targets: &[Target]) -> Self {
        let mut outcomes = BTreeMap::new();
        for outcome in Outcome::ALL {
            let listed = || targets.iter().filter(|target| target.outcome == outcome).map(|target| target.horizon_days);
            let mut days: Vec<u32> = listed().collect();
            days.sort_unstable();
            if let Some(main) = listed().next().and_then(|main| days.iter().position(|&of| of == main)) {
                outcomes.insert(outcome, OfOutcome { days, main });
            }
        }
        Self { outcomes }
    }

    /// The main target of an outcome.
    pub(crate) fn main(&self, outcome: Outcome) -> Option<Target> {
        let of_outcome = self.outcomes.get(&outcome)?;
        Some(Target { outcome, horizon_days: of_outcome.days[of_outcome.main] })
    }

    /// Puts the probabilities of each row in order: what happens within 30 days happens within 90 days too, so no
    /// probability may be above that of a longer horizon.
    ///
    /// The main horizon's stays as it is, bit for bit: it was chosen, and thresholds and revenue at risk hang on it.
    /// From there outwards, a shorter horizon's is at most the next longer one's, a longer one's at least the next
    /// shorter one's. That is the nearest value in order for each in its turn, so a row is moved only where its models
    /// contradict each other, and then towards the better settled number.
    pub(crate) fn order(&self, probability: &mut BTreeMap<Target, Vec<f64>>) {
        for Step { target, neighbour, nearest } in self.steps() {
            let Some(mut moved) = probability.remove(&target) else { continue };
            let settled = probability.get(&neighbour).into_iter().flatten();
            moved.iter_mut().zip(settled).for_each(|(p, &bound)| *p = nearest(*p, bound));
            probability.insert(target, moved);
        }
    }

    /// What [`Horizons::order`] does, in its order.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step> {
        self.outcomes.iter().flat_map(|(&outcome, OfOutcome { days, main })| {
            let target = move |place: usize| Target { outcome, horizon_days: days[place] };
            let step = move |place, neighbour, nearest: fn(f64, f64) -> f64| Step {
                target: target(place),
                neighbour: target(neighbour),
                nearest,
            };
            let shorter = (0..*main).rev().map(move |place| step(place, place + 1, f64::min));
            let longer = (main + 1..days.len()).map(move |place| step(place, place - 1, f64::max));
            shorter.chain(longer)
        })
    }
}

/// Moves the probability of `target` to `nearest(itself, that of neighbour)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) target: Target,
    pub(crate) neighbour: Target,
    pub(crate) nearest: fn(f64, f64) -> f64,
}
