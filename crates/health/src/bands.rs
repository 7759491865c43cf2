//! Bands as people declare them, and what each is expected to do (requirements.md 1.7).

use std::fmt;

use bellwether_core::{Band, Bands};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::HealthError;

/// Bands by name, by their two edges, or by three intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum BandsSpec {
    /// `t-a` or `t-b`.
    Named(String),
    /// Where yellow and green begin.
    Edges(Bands),
    /// Half-open intervals.
    Intervals(Vec<BandInterval>),
}

/// A band from `from`, below `to`; the highest holds 100 as well.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandInterval {
    /// Which.
    pub band: Band,
    /// Its lower edge, which is in it.
    pub from: f64,
    /// Its upper edge, which is not.
    pub to: f64,
}

impl BandsSpec {
    /// The two edges.
    ///
    /// # Errors
    /// [`HealthError::UnknownBands`] for a name, [`HealthError::BandGap`], [`HealthError::BandOverlap`] or
    /// [`HealthError::BandOrder`] for intervals that are not red, yellow and green from 0 to 100.
    pub fn edges(&self) -> Result<Bands, HealthError> {
        match self {
            Self::Named(name) => named(name).ok_or_else(|| HealthError::UnknownBands(name.clone())),
            Self::Edges(bands) => Ok(*bands),
            Self::Intervals(intervals) => of_intervals(intervals),
        }
    }
}

fn named(name: &str) -> Option<Bands> {
    match name {
        "t-a" => Some(Bands::T_A),
        "t-b" => Some(Bands::T_B),
        _ => None,
    }
}

fn of_intervals(intervals: &[BandInterval]) -> Result<Bands, HealthError> {
    let mut sorted = intervals.to_vec();
    sorted.sort_by(|a, b| a.from.total_cmp(&b.from));
    let is_whole = sorted.iter().map(|of| of.band).eq([Band::Red, Band::Yellow, Band::Green])
        && sorted.iter().all(|of| of.from < of.to)
        && sorted[0].from == 0.0
        && sorted[2].to == 100.0;
    if !is_whole {
        return Err(HealthError::BandOrder);
    }
    for pair in sorted.windows(2) {
        let (upper, lower) = (pair[1].from, pair[0].to);
        let (below, above) = (pair[0].band.name(), pair[1].band.name());
        if lower < upper {
            return Err(HealthError::BandGap { below, above, to: lower, from: upper });
        }
        if lower > upper {
            return Err(HealthError::BandOverlap { below, above, to: lower, from: upper });
        }
    }
    Bands::new(sorted[1].from, sorted[2].from).map_err(|_| HealthError::BandOrder)
}

impl<'de> Deserialize<'de> for BandsSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyBands)
    }
}

/// An untagged enum would say only that nothing matched.
struct AnyBands;

impl<'de> Visitor<'de> for AnyBands {
    type Value = BandsSpec;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("`t-a`, `t-b`, yellow_from and green_from, or a list of band, from and to")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<BandsSpec, E> {
        Ok(BandsSpec::Named(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BandsSpec, A::Error> {
        Bands::deserialize(MapAccessDeserializer::new(map)).map(BandsSpec::Edges)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, intervals: A) -> Result<BandsSpec, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(intervals)).map(BandsSpec::Intervals)
    }
}

/// What the guides expect of a band: the share of its renewals that are won (requirements.md T-F).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RenewalExpectation {
    /// The band.
    pub band: Band,
    /// The least share.
    pub at_least: f64,
    /// The greatest share.
    pub at_most: f64,
    /// Whether `at_most` itself is too much.
    pub is_open: bool,
}

/// T-F: green 85 % and more, yellow 50 to 70 %, red below 30 %; 30-50 % and 70-85 % are no band's.
pub const RENEWAL_EXPECTATIONS: [RenewalExpectation; 3] = [
    RenewalExpectation { band: Band::Green, at_least: 0.85, at_most: 1.0, is_open: false },
    RenewalExpectation { band: Band::Yellow, at_least: 0.5, at_most: 0.7, is_open: false },
    RenewalExpectation { band: Band::Red, at_least: 0.0, at_most: 0.3, is_open: true },
];

impl RenewalExpectation {
    /// Whether a renewal rate, `0.0..=1.0`, is what is expected of the band.
    pub fn is_met_by(&self, rate: f64) -> bool {
        rate >= self.at_least && if self.is_open { rate < self.at_most } else { rate <= self.at_most }
    }
}

/// What a low score sets off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreAlert {
    /// The account's manager is told.
    ManagerAlert,
    /// Manager, executive sponsor and a success plan together.
    CoordinatedIntervention,
}

/// T-E: the alert of each score below a limit, on the unrounded score.
pub const SCORE_ALERTS: [(f64, ScoreAlert); 2] =
    [(70.0, ScoreAlert::ManagerAlert), (50.0, ScoreAlert::CoordinatedIntervention)];

/// The alerts that a score sets off, mildest first.
pub fn score_alerts(score: f64) -> Vec<ScoreAlert> {
    SCORE_ALERTS.iter().filter(|(below, _)| score < *below).map(|&(_, alert)| alert).collect()
}

/// What a band means and what is to be done (requirements.md T-D).
pub const fn band_action(band: Band) -> (&'static str, &'static str) {
    match band {
        Band::Green => ("expanding or maintaining value", "proactive expansion plays"),
        Band::Yellow => ("declining engagement or unclear value", "intervention and re-engagement"),
        Band::Red => ("high churn risk", "immediate executive outreach"),
    }
}
