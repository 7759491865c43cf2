//! From logits to probabilities, once, in f64.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A probability in `0.0..=1.0`.
pub type Probability = f64;

/// How a model's logit becomes a probability. Learnt on rows that the model was not fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Calibration {
    /// `sigmoid(logit)`.
    None,
    /// `sigmoid(intercept + slope * logit)`. Source: Platt (1999).
    Platt {
        /// Above 0, so that the ranking stays.
        slope: f64,
        /// Logits.
        intercept: f64,
    },
    /// Straight lines between points, level outside them. Source: Zadrozny and Elkan (2002).
    Isotonic {
        /// Rising logits.
        logits: Vec<f64>,
        /// Probabilities at these logits, never falling.
        probabilities: Vec<Probability>,
    },
}

/// Why a calibration was refused.
#[derive(Debug, Error)]
#[error("calibration: {0}")]
pub struct CalibrationError(&'static str);

/// `1 / (1 + exp(-logit))`, without overflow.
pub fn sigmoid(logit: f64) -> Probability {
    if logit >= 0.0 {
        1.0 / (1.0 + (-logit).exp())
    } else {
        let e = logit.exp();
        e / (1.0 + e)
    }
}

impl Calibration {
    /// The probability for a logit; never falls as the logit rises.
    pub fn probability(&self, logit: f64) -> Probability {
        match self {
            Self::None => sigmoid(logit),
            Self::Platt { slope, intercept } => sigmoid(intercept + slope * logit),
            Self::Isotonic { logits, probabilities } => interpolate(logits, probabilities, logit),
        }
    }

    /// The log odds of [`Self::probability`]; finite.
    pub fn log_odds(&self, logit: f64) -> f64 {
        match self {
            Self::None => logit,
            Self::Platt { slope, intercept } => intercept + slope * logit,
            Self::Isotonic { .. } => log_odds(self.probability(logit)),
        }
    }

    /// The same with `by` added to all log odds; finite. Between the points of [`Self::Isotonic`] that is nearly so.
    #[must_use]
    pub fn shifted(&self, by: f64) -> Self {
        match self {
            Self::None => Self::Platt { slope: 1.0, intercept: by },
            Self::Platt { slope, intercept } => Self::Platt { slope: *slope, intercept: intercept + by },
            Self::Isotonic { logits, probabilities } => Self::Isotonic {
                logits: logits.clone(),
                probabilities: probabilities.iter().map(|&p| sigmoid(log_odds(p) + by)).collect(),
            },
        }
    }

    /// `none`, `platt` or `isotonic`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Platt { .. } => "platt",
            Self::Isotonic { .. } => "isotonic",
        }
    }

    /// Checks the rules that the variants' docs state.
    ///
    /// # Errors
    /// [`CalibrationError`] for the first rule that is broken.
    pub fn validate(&self) -> Result<(), CalibrationError> {
        let broken = match self {
            Self::None => return Ok(()),
            Self::Platt { slope, intercept } => (!(slope.is_finite() && intercept.is_finite() && *slope > 0.0))
                .then_some("a Platt slope must be finite and above 0, its intercept finite"),
            Self::Isotonic { logits, probabilities } => {
                let rising = logits.windows(2).all(|pair| pair[0] < pair[1]);
                let never_falling = probabilities.windows(2).all(|pair| pair[0] <= pair[1]);
                let in_range = probabilities.iter().all(|p| (0.0..=1.0).contains(p));
                let finite = logits.iter().all(|logit| logit.is_finite());
                (logits.is_empty()
                    || logits.len() != probabilities.len()
                    || !(rising && never_falling && in_range && finite))
                    .then_some("isotonic points need rising finite logits and never falling probabilities in 0..=1")
            }
        };
        broken.map_or(Ok(()), |rule| Err(CalibrationError(rule)))
    }
}

/// Finite for 0 and 1 too.
fn log_odds(p: Probability) -> f64 {
    const LEAST: f64 = 1e-12;
    let p = p.clamp(LEAST, 1.0 - LEAST);
    (p / (1.0 - p)).ln()
}

fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    match xs.partition_point(|&at| at <= x) {
        0 => ys[0],
        after if after == xs.len() => ys[after - 1],
        after => {
            let (x0, x1, y0, y1) = (xs[after - 1], xs[after], ys[after - 1], ys[after]);
            (y0 + (y1 - y0) * ((x - x0) / (x1 - x0))).clamp(y0, y1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_is_finite_and_symmetric() {
        for logit in [0.0, 1.0, 30.0, 800.0] {
            let (up, down) = (sigmoid(logit), sigmoid(-logit));
            assert!((up + down - 1.0).abs() < 1e-15 && (0.0..=1.0).contains(&down), "{logit}");
        }
    }

    #[test]
    fn isotonic_is_level_outside_and_straight_inside() {
        let isotonic = Calibration::Isotonic { logits: vec![-1.0, 1.0], probabilities: vec![0.2, 0.6] };
        for (logit, p) in [(-9.0, 0.2), (-1.0, 0.2), (0.0, 0.4), (1.0, 0.6), (9.0, 0.6)] {
            assert!((isotonic.probability(logit) - p).abs() < 1e-15, "{logit}");
        }
    }

    #[test]
    fn a_shift_moves_log_odds() {
        for calibration in [
            Calibration::None,
            Calibration::Platt { slope: 2.0, intercept: -1.0 },
            Calibration::Isotonic { logits: vec![-1.0, 1.0], probabilities: vec![0.2, 0.6] },
        ] {
            let shifted = calibration.shifted(0.5);
            assert!(shifted.validate().is_ok());
            for logit in [-3.0, -1.0, 1.0, 3.0] {
                let moved = shifted.log_odds(logit) - calibration.log_odds(logit);
                assert!((moved - 0.5).abs() < 1e-9, "{calibration:?} at {logit}: {moved}");
                let p = calibration.probability(logit);
                assert!((sigmoid(calibration.log_odds(logit)) - p).abs() < 1e-12, "{calibration:?} at {logit}");
            }
        }
        let certain = Calibration::Isotonic { logits: vec![0.0, 1.0], probabilities: vec![0.0, 1.0] };
        assert!(certain.shifted(-2.0).validate().is_ok());
    }

    #[test]
    fn calibrations_that_would_turn_the_ranking_are_refused() {
        for refused in [
            Calibration::Platt { slope: -1.0, intercept: 0.0 },
            Calibration::Platt { slope: f64::NAN, intercept: 0.0 },
            Calibration::Isotonic { logits: vec![], probabilities: vec![] },
            Calibration::Isotonic { logits: vec![0.0, 1.0], probabilities: vec![0.6, 0.5] },
            Calibration::Isotonic { logits: vec![1.0, 0.0], probabilities: vec![0.1, 0.5] },
        ] {
            assert!(refused.validate().is_err(), "{refused:?}");
        }
    }
}
