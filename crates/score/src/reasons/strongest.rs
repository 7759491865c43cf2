//! The indicators that add most to each row of a block.

use super::Indicators;
use crate::SimdPath;
use crate::kernel::Instructions;
use crate::kernel::trees::ranks::LANES;

/// The strongest indicators of the rows of a block: the first `most` places of each row.
pub(super) struct Strongest {
    most: usize,
    path: SimdPath,
    /// The features of each indicator.
    features: Vec<Vec<usize>>,
    /// By place: what the indicator adds, and which it is. 0 where there is none.
    contributions: Vec<[f64; LANES]>,
    indicators: Vec<[usize; LANES]>,
}

impl Strongest {
    pub(super) fn new(indicators: &Indicators, most: usize, path: SimdPath) -> Self {
        let mut features = vec![Vec::new(); indicators.len()];
        for (feature, &indicator) in indicators.of_columns().iter().enumerate() {
            features[indicator].push(feature);
        }
        Self { most, path, features, contributions: vec![[0.0; LANES]; most], indicators: vec![[0; LANES]; most] }
    }

    /// Of the rows of a block.
    pub(super) fn find(&mut self, by_feature: &[[f64; LANES]]) {
        match self.path.instructions() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the path is one of this processor.
            Instructions::Avx512 => unsafe { self.find_avx512(by_feature) },
            _ => self.find_with(by_feature, Self::put_in),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn find_avx512(&mut self, by_feature: &[[f64; LANES]]) {
        self.find_with(by_feature, |found, indicator, sums| found.put_in_avx512(indicator, sums));
    }

    #[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
    #[inline(always)]
    fn find_with(&mut self, by_feature: &[[f64; LANES]], put_in: impl Fn(&mut Self, usize, &[f64; LANES])) {
        self.contributions.fill([0.0; LANES]);
        let features = std::mem::take(&mut self.features);
        for (indicator, features) in features.iter().enumerate() {
            let Some((&first, others)) = features.split_first() else { continue };
            if others.is_empty() {
                put_in(self, indicator, &by_feature[first]);
                continue;
            }
            let mut sums = by_feature[first];
            for &feature in others {
                for (sum, value) in sums.iter_mut().zip(&by_feature[feature]) {
                    *sum += value;
                }
            }
            put_in(self, indicator, &sums);
        }
        self.features = features;
    }

    /// Puts what an indicator adds to each row into its place; later indicators stand behind equal ones.
    fn put_in(&mut self, indicator: usize, sums: &[f64; LANES]) {
        let Some(last) = self.most.checked_sub(1) else { return };
        let mut is_above = [0_u8; LANES];
        for ((is_above, sum), least) in is_above.iter_mut().zip(sums).zip(&self.contributions[last]) {
            // NaN is above nothing.
            *is_above = u8::from(sum.abs() > least.abs());
        }
        // Most are not: eight rows are passed over at a time.
        for (eight, is_above) in is_above.as_chunks::<8>().0.iter().enumerate() {
            let mut left = u64::from_le_bytes(*is_above);
            while left != 0 {
                let row = 8 * eight + left.trailing_zeros() as usize / 8;
                left &= left - 1;
                let mut place = last;
                while place > 0 && sums[row].abs() > self.contributions[place - 1][row].abs() {
                    self.contributions[place][row] = self.contributions[place - 1][row];
                    self.indicators[place][row] = self.indicators[place - 1][row];
                    place -= 1;
                }
                self.contributions[place][row] = sums[row];
                self.indicators[place][row] = indicator;
            }
        }
    }

    /// The same for eight rows at once. A place that the indicator is above is above those behind it, so what it pushes away
    /// moves one place on, whatever stands there.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn put_in_avx512(&mut self, indicator: usize, sums: &[f64; LANES]) {
        use std::arch::x86_64::{
            _CMP_GT_OQ, _mm512_abs_pd, _mm512_cmp_pd_mask, _mm512_loadu_pd, _mm512_loadu_si512,
            _mm512_mask_blend_epi64, _mm512_mask_blend_pd, _mm512_mask_storeu_epi64, _mm512_mask_storeu_pd,
            _mm512_set1_epi64,
        };
        let Some(last) = self.most.checked_sub(1) else { return };
        let sums = sums.as_chunks::<8>().0;
        for (eight, sums) in sums.iter().enumerate() {
            // SAFETY: eight numbers are read, and there are as many from each of these places on; no alignment is needed.
            let (mut adds, least) = unsafe {
                (_mm512_loadu_pd(sums.as_ptr()), _mm512_loadu_pd(self.contributions[last].as_ptr().add(8 * eight)))
            };
            let size = _mm512_abs_pd(adds);
            // NaN is above nothing.
            if _mm512_cmp_pd_mask::<_CMP_GT_OQ>(size, _mm512_abs_pd(least)) == 0 {
                continue;
            }
            let mut of = _mm512_set1_epi64(indicator as i64);
            for (contributions, indicators) in self.contributions.iter_mut().zip(&mut self.indicators) {
                let (contributions, indicators) =
                    (&mut contributions.as_chunks_mut::<8>().0[eight], &mut indicators.as_chunks_mut::<8>().0[eight]);
                // SAFETY: each has eight values of 8 bytes, which are read and then written in part; no alignment is needed.
                unsafe {
                    let (there, of_there) =
                        (_mm512_loadu_pd(contributions.as_ptr()), _mm512_loadu_si512(indicators.as_ptr().cast()));
                    let is_above = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(size, _mm512_abs_pd(there));
                    _mm512_mask_storeu_pd(contributions.as_mut_ptr(), is_above, adds);
                    _mm512_mask_storeu_epi64(indicators.as_mut_ptr().cast(), is_above, of);
                    adds = _mm512_mask_blend_pd(is_above, adds, there);
                    of = _mm512_mask_blend_epi64(is_above, of, of_there);
                }
            }
        }
    }

    /// The indicators of a row with what they add, the strongest first.
    pub(super) fn of(&self, row: usize) -> impl Iterator<Item = (usize, f64)> {
        let places = self.indicators.iter().zip(&self.contributions).map(move |(of, adds)| (of[row], adds[row]));
        places.take_while(|&(_, adds)| adds != 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What each row has, by size; equal ones in the order of the indicators.
    fn sorted(by_feature: &[[f64; LANES]], most: usize) -> Vec<Vec<(usize, f64)>> {
        let of_row = |row: usize| {
            let all = by_feature.iter().map(|adds| adds[row]).enumerate();
            let mut all: Vec<(usize, f64)> = all.filter(|(_, adds)| adds.abs() > 0.0).collect();
            all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            all.truncate(most);
            all
        };
        (0..LANES).map(of_row).collect()
    }

    proptest! {
        /// Against a sort of all indicators by size: whole numbers tie often, and some are none.
        #[test]
        fn every_path_finds_the_strongest_in_their_order(
            n_indicators in 1_usize..24,
            most in 0_usize..6,
            adds in prop::collection::vec(prop_oneof![4 => (-4_i32..5).prop_map(f64::from), 1 => Just(f64::NAN), 4 => -1.0..1.0], 24 * LANES),
        ) {
            let by_feature = &adds.as_chunks::<LANES>().0[..n_indicators];
            for path in SimdPath::available() {
                let features = (0..n_indicators).map(|of| vec![of]).collect();
                let (contributions, indicators) = (vec![[0.0; LANES]; most], vec![[0; LANES]; most]);
                let mut found = Strongest { most, path, features, contributions, indicators };
                found.find(by_feature);
                let found: Vec<Vec<(usize, f64)>> = (0..LANES).map(|row| found.of(row).collect()).collect();
                prop_assert_eq!(found, sorted(by_feature, most), "{}", path.name());
            }
        }
    }
}
