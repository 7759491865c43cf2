//! Scales on which a value's error is about normal, so that an interval taken there keeps inside the value's range.

use bellwether_core::sigmoid;

/// Where an interval is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// As it is.
    Plain,
    /// The logit, for values in `0.0..=1.0`.
    Logit,
    /// The logarithm, for values from 0.
    Log,
    /// Fisher's z, for correlations.
    Fisher,
}

impl Scale {
    /// The value on this scale; infinite at the ends of its range.
    pub(crate) fn to(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Logit => value.ln() - (-value).ln_1p(),
            Self::Log => value.ln(),
            Self::Fisher => value.atanh(),
        }
    }

    /// Back from this scale.
    pub(crate) fn from(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Logit => sigmoid(value),
            Self::Log => value.exp(),
            Self::Fisher => value.tanh(),
        }
    }

    /// The range in which replicates of `value` are kept, about half of one of `n` cases away from the ends where the scale is
    /// infinite; it holds the value.
    pub(crate) fn inner_range(self, value: f64, n: usize) -> (f64, f64) {
        let away = |room: f64| (0.5 / n as f64).min(0.5 * room);
        match self {
            Self::Plain => (f64::NEG_INFINITY, f64::INFINITY),
            Self::Logit => (away(value), 1.0 - away(1.0 - value)),
            Self::Log => (away(value), f64::INFINITY),
            Self::Fisher => (away(1.0 + value) - 1.0, 1.0 - away(1.0 - value)),
        }
    }

    /// How much faster this scale moves than the value does.
    fn slope(self, value: f64) -> f64 {
        match self {
            Self::Plain => 1.0,
            Self::Logit => 1.0 / (value * (1.0 - value)),
            Self::Log => 1.0 / value,
            Self::Fisher => 1.0 / (1.0 - value * value),
        }
    }

    /// `value -+ quantile * deviation`, taken on this scale; `None` at an end of the range, where the scale is infinite.
    pub(crate) fn interval(self, value: f64, deviation: f64, quantile: f64) -> Option<(f64, f64)> {
        let (centre, half) = (self.to(value), quantile * deviation * self.slope(value));
        let ends = (self.from(centre - half), self.from(centre + half));
        (centre.is_finite() && half.is_finite()).then_some(ends)
    }
}
