//! Red, yellow, green.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A health score's band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Critical.
    Red,
    /// At risk.
    Yellow,
    /// Healthy.
    Green,
}

impl Band {
    /// `red`, `yellow` or `green`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
        }
    }
}

/// Two edges on the unrounded 0-100 score: red `[0, yellow_from)`, yellow `[yellow_from, green_from)`,
/// green `[green_from, 100]`. The default is 50 and 80 (requirements.md T-B).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BandEdges", into = "BandEdges")]
pub struct Bands {
    yellow_from: f64,
    green_from: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BandEdges {
    yellow_from: f64,
    green_from: f64,
}

/// Why band edges were refused.
#[derive(Debug, Error)]
#[error("bands need 0 < yellow_from < green_from < 100; got {yellow_from} and {green_from}")]
pub struct BandsError {
    yellow_from: f64,
    green_from: f64,
}

impl Bands {
    /// Red below 50, yellow from 50, green from 80 (requirements.md T-B, without its gaps at 49-50 and 79-80).
    pub const T_B: Self = Self { yellow_from: 50.0, green_from: 80.0 };

    /// Red below 50, yellow 50 to 75, green above 75: 75 itself is yellow (requirements.md T-A).
    pub const T_A: Self = Self { yellow_from: 50.0, green_from: 75.0_f64.next_up() };

    /// Bands with these edges.
    ///
    /// # Errors
    /// [`BandsError`] unless `0 < yellow_from < green_from < 100`.
    pub fn new(yellow_from: f64, green_from: f64) -> Result<Self, BandsError> {
        if 0.0 < yellow_from && yellow_from < green_from && green_from < 100.0 {
            Ok(Self { yellow_from, green_from })
        } else {
            Err(BandsError { yellow_from, green_from })
        }
    }

    /// The band of an unrounded score.
    pub fn band(&self, health_score: f64) -> Band {
        if health_score >= self.green_from {
            Band::Green
        } else if health_score >= self.yellow_from {
            Band::Yellow
        } else {
            Band::Red
        }
    }

    /// Where yellow begins.
    pub const fn yellow_from(&self) -> f64 {
        self.yellow_from
    }

    /// Where green begins.
    pub const fn green_from(&self) -> f64 {
        self.green_from
    }
}

impl Default for Bands {
    fn default() -> Self {
        Self::T_B
    }
}

impl TryFrom<BandEdges> for Bands {
    type Error = BandsError;

    fn try_from(edges: BandEdges) -> Result<Self, Self::Error> {
        Self::new(edges.yellow_from, edges.green_from)
    }
}

impl From<Bands> for BandEdges {
    fn from(bands: Bands) -> Self {
        Self { yellow_from: bands.yellow_from, green_from: bands.green_from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// requirements.md T-B, read as half-open intervals on the unrounded score.
    #[test]
    fn edges_belong_to_the_upper_band() {
        for (score, band) in [
            (0.0, Band::Red),
            (49.999_999, Band::Red),
            (50.0, Band::Yellow),
            (79.999_999, Band::Yellow),
            (80.0, Band::Green),
            (100.0, Band::Green),
        ] {
            assert_eq!(Bands::default().band(score), band, "{score}");
        }
    }

    #[test]
    fn edges_out_of_order_are_refused() {
        assert!(Bands::new(80.0, 50.0).is_err());
        assert!(Bands::new(0.0, 50.0).is_err());
        assert!(Bands::new(50.0, f64::NAN).is_err());
    }
}
