//! What drives an account of each segment: the same hidden state means another thing for another size of customer.

use crate::account::Segment;

/// How the hidden state of an account becomes hazards and traces. Ratios are logarithms for one standard deviation.
pub(crate) struct Drivers {
    /// Hazards a year in the middle of health and of appetite.
    pub(crate) churn_a_year: f64,
    pub(crate) expansion_a_year: f64,
    pub(crate) contraction_a_year: f64,
    /// Hazard ratios.
    pub(crate) churn_by_health: f64,
    pub(crate) expansion_by_appetite: f64,
    /// How many times likelier a churn is without champion; a whole number, so that one survival gives the other.
    pub(crate) without_champion: i32,
    /// What health does to the share of seats that come.
    pub(crate) usage_by_health: f64,
    /// What health does to the breadth of use.
    pub(crate) breadth_by_health: f64,
    /// What health does to the number of tickets.
    pub(crate) tickets_by_health: f64,
    /// What health does to the days of delay of a payment.
    pub(crate) delay_by_health: f64,
}

/// Small customers show health by coming at all, by few tickets and by paying in time, and hardly need a champion.
const SMB: Drivers = Drivers {
    churn_a_year: 0.055,
    expansion_a_year: 0.180,
    contraction_a_year: 0.030,
    churn_by_health: -1.8,
    expansion_by_appetite: 1.35,
    without_champion: 2,
    usage_by_health: 0.62,
    breadth_by_health: 0.06,
    tickets_by_health: -0.32,
    delay_by_health: -0.7,
};

const MID_MARKET: Drivers = Drivers {
    churn_a_year: 0.026,
    expansion_a_year: 0.168,
    contraction_a_year: 0.024,
    churn_by_health: -1.9,
    expansion_by_appetite: 1.5,
    without_champion: 3,
    usage_by_health: 0.55,
    breadth_by_health: 0.10,
    tickets_by_health: -0.22,
    delay_by_health: -0.5,
};

/// Large customers use what they have bought in good days and bad: breadth tells more than volume, the healthy ones ask
/// more, accounting pays as always, and all hangs by the champion.
const ENTERPRISE: Drivers = Drivers {
    churn_a_year: 0.0115,
    expansion_a_year: 0.145,
    contraction_a_year: 0.016,
    churn_by_health: -2.05,
    expansion_by_appetite: 1.7,
    without_champion: 5,
    usage_by_health: 0.34,
    breadth_by_health: 0.18,
    tickets_by_health: 0.08,
    delay_by_health: -0.15,
};

impl Segment {
    pub(crate) const fn drivers(self) -> &'static Drivers {
        match self {
            Self::Smb => &SMB,
            Self::MidMarket => &MID_MARKET,
            Self::Enterprise => &ENTERPRISE,
        }
    }
}
