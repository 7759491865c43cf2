//! Statistics that several crates need, each in one form.

/// The quantile of `share` of sorted values, straight between neighbours; `None` of no value.
/// Source: Hyndman and Fan (1996), type 7, numpy's default.
///
/// # Panics
/// If `share` is outside `0.0..=1.0`.
pub fn quantile<T: Copy + Into<f64>>(sorted: &[T], share: f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&share), "{share} is no share");
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[place.floor() as usize].into(), sorted[place.ceil() as usize].into());
    Some(below + (above - below) * place.fract())
}

/// Pearson's correlation, `-1.0..=1.0`; `None` where either side does not vary.
pub fn pearson(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    let start = (0.0, 0.0, 0.0);
    let (n, sum_a, sum_b) = pairs.clone().fold(start, |(n, sum_a, sum_b), (a, b)| (n + 1.0, sum_a + a, sum_b + b));
    let (mean_a, mean_b) = (sum_a / n, sum_b / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.quantile` of numpy 2.4.6.
    #[test]
    fn quantiles_equal_numpys() {
        let values = [-1.5, 0.25, 2.0, 3.75, 10.0, 11.5];
        for (share, expected) in
            [(0.0, -1.5), (0.1, -0.625), (0.25, 0.6875), (0.5, 2.875), (0.9, 10.75), (0.95, 11.125), (1.0, 11.5)]
        {
            let found = quantile(&values, share).expect("there are values");
            assert!((found - expected).abs() < 1e-14, "{share}: {found}");
        }
        assert_eq!(quantile(&[7.0_f32], 0.3), Some(7.0));
        assert_eq!(quantile::<f64>(&[], 0.5), None);
    }

    /// `numpy.corrcoef` of numpy 2.4.6.
    #[test]
    fn correlations_equal_numpys() {
        let pairs = |b: [f64; 5]| [1.0, 2.5, -3.0, 4.0, 0.5].into_iter().zip(b);
        for (b, expected) in [
            ([2.0, 1.0, -1.0, 3.5, 0.0], Some(0.873_521_744_692_182_6)),
            ([-2.0, -5.0, 6.0, -8.0, -1.0], Some(-1.0)),
            ([4.0; 5], None),
        ] {
            let found = pearson(pairs(b));
            let is_near = found.zip(expected).is_some_and(|(found, expected)| (found - expected).abs() < 1e-14);
            assert!(is_near || found == expected, "{found:?} is not {expected:?}");
        }
        assert_eq!(pearson(std::iter::empty()), None);
    }
}
