//! The median's interval.

use bellwether_core::quantile;
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::results::Estimate;

/// The median of independent values, and its interval between order statistics, weighed so that it holds the median
/// about as often as `confidence` says. Plain order statistics hold it more often. No interval where even the smallest and
/// the largest of `n` values hold the median less often than that, `1 - 2 / 2^n < confidence`: fewer than 6 at 95 %.
/// Source: Hettmansperger and Sheather (1986), Stat. Probab. Lett. 4.
pub(crate) fn median(sorted: &[f64], confidence: f64) -> Estimate {
    Estimate::new(quantile(sorted, 0.5), median_interval(sorted, confidence))
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

    fn check(values: &[f64], confidence: f64, expected: Option<(f64, f64)>, tolerance: f64) {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let estimate = median(&sorted, confidence);
        let found = estimate.low.zip(estimate.high);
        let near = |(found, expected): (f64, f64)| (found - expected).abs() <= tolerance;
        let are_near = match (found, expected) {
            (Some(found), Some(expected)) => near((found.0, expected.0)) && near((found.1, expected.1)),
            _ => found == expected,
        };
        assert!(are_near, "{} values at {confidence}: {found:?} is not {expected:?}", sorted.len());
    }

    /// Of ten values, the second from either end hold the median with 1 - 2 (1 + 10) / 1024, the third with
    /// 1 - 2 (1 + 10 + 45) / 1024; 0.95 lies a share of 0.3244 between, 8 * 0.3244 / (2 + 6 * 0.3244) = 0.6577 of the way.
    #[test]
    fn the_medians_interval_lies_between_order_statistics() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        check(&ten, 0.95, Some((2.657_657_657_657_657, 8.342_342_342_342_342)), 1e-12);
    }

    /// `scipy.stats.mstats.median_cihs(x, 1 - confidence)` of scipy 1.17.1,
    /// `x = (np.arange(n) * 37 % 101 + 1.0) ** 2 / 103`.
    #[test]
    fn the_medians_interval_equals_scipys() {
        for (n, confidence, expected) in [
            (5, 0.90, (0.420_902_341_519_131_9, 43.231_867_504_283_26)),
            (6, 0.95, (0.425_797_503_467_406_4, 64.597_780_859_916_78)),
            (6, 0.90, (0.875_623_196_011_545_6, 58.600_104_959_328_26)),
            (7, 0.95, (0.864_077_669_902_912_6, 58.754_045_307_443_36)),
            (8, 0.95, (1.099_778_909_929_827_6, 55.611_362_107_084_49)),
            (8, 0.90, (2.169_630_195_265_627, 47.582_251_554_488_93)),
            (25, 0.95, (9.705_179_809_469_033, 48.139_647_597_883_78)),
            (25, 0.90, (11.108_883_906_314_187, 45.137_880_375_399_52)),
            (120, 0.95, (16.320_388_349_514_563, 34.008_141_368_338_17)),
            (120, 0.90, (17.571_315_997_459_493, 32.660_194_174_757_28)),
        ] {
            let values: Vec<f64> = (0..n).map(|i| f64::from(i * 37 % 101 + 1).powi(2) / 103.0).collect();
            check(&values, confidence, Some(expected), 1e-9);
        }
    }

    /// Minitab's help, "Key results for 1-Sample Sign": chromium of 12 samples, whose 3rd, 4th, 9th and 10th values are
    /// 17.4, 17.5, 18.1 and 19 (it prints the intervals between these) and whose median is 17.7; four digits are printed.
    #[test]
    fn the_medians_interval_equals_minitabs() {
        let chromium = [17.0, 17.0, 17.4, 17.5, 17.6, 17.7, 17.7, 17.8, 18.1, 19.0, 20.0, 20.0];
        check(&chromium, 0.95, Some((17.4263, 18.7632)), 5e-5);
    }

    /// Both ends of `n` values hold the median with 1 - 2 / 2^n: 0.9375 of five, 0.96875 of six.
    #[test]
    fn a_median_of_fewer_than_six_values_has_no_interval_at_95_percent() {
        let values: Vec<f64> = (1..=6).map(f64::from).collect();
        for n in 0..=5 {
            check(&values[..n], 0.95, None, 0.0);
        }
        let estimate = median(&values, 0.95);
        assert!(estimate.low > Some(1.0) && estimate.high < Some(6.0), "{estimate:?}");
        assert_eq!(median(&values[..5], 0.95), Estimate::new(Some(3.0), None));
        assert_eq!(median(&[], 0.95), Estimate::new(None, None));
    }
}
