//! The kernels on registers of 32 bytes (AVX2): compilers make them from the plain ones, apart from the search.

use std::arch::x86_64::{
    __m256i, _CMP_LT_OQ, _mm256_add_epi32, _mm256_castps_si256, _mm256_cmp_ps, _mm256_i32gather_ps, _mm256_loadu_ps,
    _mm256_setzero_si256, _mm256_storeu_si256, _mm256_sub_epi32,
};

use super::portable;
use super::program::Select;
use super::ranks::{Column, LANES, Lanes, level_start};

/// Values of four bytes a register.
const WORDS: usize = 8;

/// See `portable::encode`.
#[target_feature(enable = "avx2")]
pub(super) fn encode(values: &[f32; LANES], n_levels: usize, table: &[f32], columns: &[Column], codes: &mut [Lanes]) {
    let mut ranks = [0_i32; LANES];
    // Four registers at a time, so that the wait for one's look-up is filled with the others'.
    for (values, into) in values.chunks_exact(4 * WORDS).zip(ranks.chunks_exact_mut(4 * WORDS)) {
        let mut ranks: [__m256i; 4] = [_mm256_setzero_si256(); 4];
        for level in 0..n_levels {
            let table = &table[level_start(level)..][..1 << level];
            for (rank, values) in ranks.iter_mut().zip(values.chunks_exact(WORDS)) {
                // SAFETY: `values` has 8 values, and a rank has as many bits as there are levels above.
                let (value, threshold) =
                    unsafe { (_mm256_loadu_ps(values.as_ptr()), _mm256_i32gather_ps::<4>(table.as_ptr(), *rank)) };
                let is_above = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_LT_OQ>(threshold, value));
                *rank = _mm256_sub_epi32(_mm256_add_epi32(*rank, *rank), is_above);
            }
        }
        for (rank, into) in ranks.into_iter().zip(into.chunks_exact_mut(WORDS)) {
            // SAFETY: `into` has 8 places.
            unsafe { _mm256_storeu_si256(into.as_mut_ptr().cast(), rank) };
        }
    }
    portable::write_codes(values, &ranks, columns, codes);
}

/// See `portable::select`.
#[target_feature(enable = "avx2")]
pub(super) fn select(selects: &[Select], codes: &[Lanes], slots: &mut [Lanes]) {
    portable::select(selects, codes, slots);
}

/// See `portable::bits`.
#[target_feature(enable = "avx2")]
pub(super) fn bits(selects: &[Select], codes: &[Lanes], slots: &mut [Lanes]) {
    portable::bits(selects, codes, slots);
}

/// See `portable::add`.
#[target_feature(enable = "avx2")]
pub(super) fn add(leaves: &Lanes, values: &[f32], sums: &mut [f64; LANES]) {
    portable::add(leaves, values, sums);
}
