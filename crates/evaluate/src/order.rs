//! Order statistics: quantiles, and the median's interval.

use statrs::distribution::{Binomial, DiscreteCDF};

use crate::results::Estimate;

/// Straight between neighbours of `sorted`; `None` when empty. Source: Hyndman and Fan (1996), type 7.
pub(crate) fn quantile_of(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

/// The median of independent values, and the order statistics that hold it with at least `confidence`; no interval where there
/// are too few. Source: Thompson (1936), Ann. Math. Stat. 7.
pub(crate) fn median(sorted: &[f64], confidence: f64) -> Estimate {
    let (n, tail) = (sorted.len(), f64::midpoint(1.0, -confidence));
    // The largest `below` of which P(at most `below - 1` values lie under the median) is at most `tail`.
    let below = Binomial::new(0.5, n as u64)
        .map_or(0, |binomial| (0..n / 2).take_while(|&at| binomial.cdf(at as u64) <= tail).count());
    let interval = below.checked_sub(1).map(|at| (sorted[at], sorted[n - 1 - at]));
    Estimate::new(quantile_of(sorted, 0.5), interval)
}
