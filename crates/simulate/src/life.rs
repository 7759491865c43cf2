//! An account's hidden life, day by day, and what became of it.

use crate::account::Account;
use crate::calendar::Calendar;
use crate::chain::{Chain, LEVELS};
use crate::hazard::{
    APPETITE_CORRELATION, CHAMPION_LEAVES, CHAMPION_REPLACED, CONTRACTION_FREES, DayHazards, EXPANSION_SATES,
    HEALTH_CORRELATION, Hazards,
};
use crate::interventions::{Intervention, TREATMENT_DAYS, TREATMENT_EASES};
use crate::random::Random;

/// Days between two moves of the hidden levels.
pub(crate) const WEEK: usize = 7;

/// Fewer seats than this are not given up.
const FEWEST_SEATS: u32 = 3;

/// How the hidden levels wander.
pub(crate) struct Chains {
    pub(crate) health: Chain,
    pub(crate) appetite: Chain,
}

/// An account's hidden life. Days are counted from its first day within the book.
pub(crate) struct Life {
    /// One state for each day on which it is a customer.
    pub(crate) days: Vec<State>,
    /// Changes of its seats, by day.
    pub(crate) changes: Vec<SeatChange>,
    /// What was done about a high hazard of churn, by day; nothing where the book has no interventions.
    pub(crate) interventions: Vec<Intervention>,
    /// Whether it left on the day after the last one; otherwise the book ends there.
    pub(crate) churned: bool,
}

/// Where an account stands at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// Level of health.
    pub(crate) health: u8,
    /// Level of appetite for more seats.
    pub(crate) appetite: u8,
    /// Whether somebody there speaks for the product.
    pub(crate) champion: bool,
    /// Seats paid for.
    pub(crate) seats: u32,
}

/// More or fewer seats from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeatChange {
    pub(crate) day: usize,
    pub(crate) before: u32,
    pub(crate) after: u32,
}

/// The hazard that is left before each event.
struct Clocks {
    churn: f64,
    expansion: f64,
    contraction: f64,
}

impl Chains {
    pub(crate) fn new() -> Self {
        Self { health: Chain::new(HEALTH_CORRELATION), appetite: Chain::new(APPETITE_CORRELATION) }
    }
}

impl Life {
    /// Lives an account's life until it leaves or the book ends. Interventions draw from their own stream, where there
    /// is one.
    pub(crate) fn live(
        account: &Account,
        calendar: &Calendar,
        chains: &Chains,
        hazards: &Hazards,
        random: &mut Random,
        mut interventions: Option<Random>,
    ) -> Self {
        let n_days = calendar.n_book_days() - account.first;
        let mut life =
            Self { days: Vec::with_capacity(n_days), changes: Vec::new(), interventions: Vec::new(), churned: false };
        let mut state = State {
            health: Chain::settled(random) as u8,
            appetite: Chain::settled(random) as u8,
            champion: true,
            seats: account.seats_at_first,
        };
        let mut clocks =
            Clocks { churn: random.exponential(), expansion: random.exponential(), contraction: random.exponential() };
        for day in 0..n_days {
            if day > 0 && day % WEEK == 0 {
                state.week_passes(chains, random);
            }
            let hazard = hazards.on(day, state.health.into(), state.champion, state.appetite.into());
            if let Some(random) = interventions.as_mut().filter(|_| day % WEEK == 0) {
                life.interventions.extend(Intervention::due(day, hazard.churn, &life.interventions, random));
            }
            clocks.churn -= hazard.churn * life.eased(day);
            if clocks.churn <= 0.0 {
                life.churned = true;
                break;
            }
            if let Some(after) = state.new_seats(hazard, &mut clocks, random) {
                life.changes.push(SeatChange { day, before: state.seats, after });
                state.seats = after;
            }
            life.days.push(state);
        }
        life
    }

    /// What a treatment that runs on this day multiplies the hazard of churn by; 1 where none does.
    pub(crate) fn eased(&self, day: usize) -> f64 {
        if day < self.eased_until(day) { TREATMENT_EASES } else { 1.0 }
    }

    /// The first day after the last treatment that began by `day`; 0 where there was none.
    pub(crate) fn eased_until(&self, day: usize) -> usize {
        let begun = self.interventions.iter().rev().find(|intervention| intervention.day <= day);
        begun.filter(|intervention| intervention.treated).map_or(0, |intervention| intervention.day + TREATMENT_DAYS)
    }

    /// Whether it ever paid for more seats.
    pub(crate) fn expanded(&self) -> bool {
        self.changes.iter().any(SeatChange::is_expansion)
    }
}

impl SeatChange {
    pub(crate) const fn is_expansion(&self) -> bool {
        self.after > self.before
    }
}

impl State {
    fn week_passes(&mut self, chains: &Chains, random: &mut Random) {
        self.health = chains.health.step(self.health.into(), random) as u8;
        self.appetite = chains.appetite.step(self.appetite.into(), random) as u8;
        let changes = random.chance(if self.champion { CHAMPION_LEAVES } else { CHAMPION_REPLACED });
        self.champion ^= changes;
    }

    /// The seats after an expansion or a contraction of this day, with appetite moved as it follows.
    fn new_seats(&mut self, hazard: DayHazards, clocks: &mut Clocks, random: &mut Random) -> Option<u32> {
        clocks.expansion -= hazard.expansion;
        clocks.contraction -= hazard.contraction;
        let seats = f64::from(self.seats);
        if clocks.expansion <= 0.0 {
            clocks.expansion = random.exponential();
            self.appetite = sated(self.appetite.into()) as u8;
            Some(self.seats + (seats * (0.1 + 0.3 * random.uniform())).ceil() as u32)
        } else if clocks.contraction <= 0.0 {
            clocks.contraction = random.exponential();
            self.appetite = freed(self.appetite.into()) as u8;
            let fewer = self.seats - (seats * (0.1 + 0.2 * random.uniform())).ceil() as u32;
            (fewer >= FEWEST_SEATS).then_some(fewer)
        } else {
            None
        }
    }
}

/// The level of appetite after an expansion.
pub(crate) const fn sated(appetite: usize) -> usize {
    appetite.saturating_sub(EXPANSION_SATES)
}

/// The level of appetite after a contraction.
pub(crate) const fn freed(appetite: usize) -> usize {
    if appetite + CONTRACTION_FREES < LEVELS { appetite + CONTRACTION_FREES } else { LEVELS - 1 }
}
