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

/// The median of independent values, and its interval between order statistics, weighed so that it holds the median about as
/// often as `confidence` says; no interval where there are too few. Plain order statistics hold it more often.
/// Source: Hettmansperger and Sheather (1986), Stat. Probab. Lett. 4.
pub(crate) fn median(sorted: &[f64], confidence: f64) -> Estimate {
    Estimate::new(quantile_of(sorted, 0.5), median_interval(sorted, confidence))
}

fn median_interval(sorted: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let n = sorted.len();
    let binomial = Binomial::new(0.5, n as u64).ok()?;
    // How often the `depth`th values from both ends hold the median.
    let held = |depth: usize| 1.0 - 2.0 * binomial.cdf(depth as u64 - 1);
    let depth = (1..=n / 2).take_while(|&depth| held(depth) >= confidence).last()?;
    let deeper = depth + 1;
    let share = (held(depth) - confidence) / (held(depth) - held(deeper));
    let (below, above) = (depth as f64, (n - depth) as f64);
    let inwards = above * share / (below + (above - below) * share);
    let between = |outer: usize, inner: usize| sorted[outer] + (sorted[inner] - sorted[outer]) * inwards;
    Some((between(depth - 1, deeper - 1), between(n - depth, n - deeper)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of ten values, the second from either end hold the median with 1 - 2 (1 + 10) / 1024, the third with
    /// 1 - 2 (1 + 10 + 45) / 1024; 0.95 lies a share of 0.3244 between, at 8 * 0.3244 / (2 + 6 * 0.3244) = 0.6577 of the way.
    #[test]
    fn the_medians_interval_lies_between_order_statistics() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        let (low, high) = median(&ten, 0.95).low.zip(median(&ten, 0.95).high).expect("ten are enough");
        assert!(
            (low - 2.657_657_657_657_657).abs() < 1e-9 && (high - 8.342_342_342_342_342).abs() < 1e-9,
            "{low} {high}"
        );
        assert_eq!(median(&ten[..5], 0.95), Estimate::new(Some(3.0), None));
    }
}
