//! The difference of two values, from the interval of each.

use crate::linear::Linear;
use crate::proportion::{Part, Share};
use crate::results::Estimate;
use crate::scale::Scale;

const N_STEPS: usize = 40;

/// One of the two.
#[derive(Debug)]
pub(crate) enum Side {
    Share(Share),
    Auc(Linear),
}

/// A difference with the p-value of "there is none", two-sided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference {
    pub(crate) estimate: Estimate,
    pub(crate) p_value: Option<f64>,
}

impl Side {
    /// `None` where there is no row.
    pub(crate) fn share(accounts: &[Part]) -> Option<Self> {
        Share::of(accounts).map(Self::Share)
    }

    pub(crate) fn value(&self) -> f64 {
        match self {
            Self::Share(share) => share.value,
            Self::Auc(auc) => auc.value,
        }
    }

    fn interval(&self, confidence: f64) -> Option<(f64, f64)> {
        match self {
            Self::Share(share) => Some(share.interval(confidence)),
            Self::Auc(auc) => {
                let estimate = auc.estimate(Scale::Logit, confidence);
                estimate.low.zip(estimate.high)
            }
        }
    }
}

/// `a - b`, taken as independent; the p-value is that of the interval which ends at 0.
/// Source: Newcombe (1998), Stat. Med. 17, method 10; Zou and Donner (2008), Stat. Med. 27.
pub(crate) fn difference(a: &Side, b: &Side, confidence: f64) -> Difference {
    let value = a.value() - b.value();
    let interval = |confidence: f64| {
        let ((low_a, high_a), (low_b, high_b)) = a.interval(confidence).zip(b.interval(confidence))?;
        let below = (a.value() - low_a).hypot(high_b - b.value());
        let above = (high_a - a.value()).hypot(b.value() - low_b);
        Some((value - below, value + above))
    };
    let holds_0 = |p: f64| interval(1.0 - p).is_some_and(|(low, high)| low <= 0.0 && high >= 0.0);
    let found = interval(confidence);
    Difference { estimate: Estimate::new(Some(value), found), p_value: found.map(|_| largest_p(holds_0)) }
}

/// The largest p at which 0 is held, by halving its logarithm; the interval narrows as p grows.
fn largest_p(holds_0: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (1e-12_f64.ln(), 0.0);
    for _ in 0..N_STEPS {
        let middle = f64::midpoint(low, high);
        if holds_0(middle.exp()) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::exp(high)
}
