//! The kernels on registers of 64 bytes (AVX-512 F and BW).

use std::arch::x86_64::{
    __m512, __m512d, __m512i, __mmask16, _CMP_LT_OQ, _CMP_UNORD_Q, _mm_loadu_si128, _mm_storeu_si128, _mm256_castpd_ps,
    _mm512_add_epi32, _mm512_add_pd, _mm512_castps_pd, _mm512_castps512_ps256, _mm512_cmp_ps_mask,
    _mm512_cmpgt_epu8_mask, _mm512_cmple_epu8_mask, _mm512_cvtepi32_epi8, _mm512_cvtepu8_epi32, _mm512_cvtps_pd,
    _mm512_extractf64x4_pd, _mm512_i32gather_ps, _mm512_load_si512, _mm512_loadu_pd, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_mask_add_epi8, _mm512_mask_add_epi32, _mm512_mask_blend_epi8, _mm512_mask_blend_ps,
    _mm512_mask_mov_epi32, _mm512_max_epi32, _mm512_min_epi32, _mm512_permutex2var_ps, _mm512_permutexvar_ps,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_store_si512, _mm512_storeu_pd,
    _mm512_storeu_si512, _mm512_sub_epi32, _mm512_test_epi32_mask,
};

use super::program::{MAX_LEAVES, Select};
use super::ranks::{Column, LANES, LAST_IN_WINDOW, Lanes, level_start};

/// Values of four bytes a register.
const WORDS: usize = 16;
/// Bytes a register, and registers of them for a block of rows.
const BYTES: usize = 64;
const REGISTERS: usize = LANES / BYTES;
/// Registers of words for a block of rows.
const QUARTERS: usize = LANES / WORDS;

/// See `portable::encode`.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn encode(values: &[f32; LANES], n_levels: usize, table: &[f32], columns: &[Column], codes: &mut [Lanes]) {
    let values: [__m512; QUARTERS] = std::array::from_fn(|quarter| words(&values[quarter * WORDS..]));
    let mut ranks = [_mm512_setzero_si512(); QUARTERS];
    // The uppermost two bits of the ranks, which say in which quarter of a long level a value is looked up.
    let mut upper: [[__mmask16; QUARTERS]; 2] = [[0; QUARTERS]; 2];
    for level in 0..n_levels {
        let table = &table[level_start(level)..];
        for quarter in 0..QUARTERS {
            let rank = ranks[quarter];
            let threshold = match level {
                0..=4 => _mm512_permutexvar_ps(rank, words(table)),
                5 => look_up_32(table, rank),
                6 => _mm512_mask_blend_ps(upper[0][quarter], look_up_32(table, rank), look_up_32(&table[32..], rank)),
                7 => {
                    let half = |from: usize| {
                        let (low, high) = (look_up_32(&table[from..], rank), look_up_32(&table[from + 32..], rank));
                        _mm512_mask_blend_ps(upper[1][quarter], low, high)
                    };
                    _mm512_mask_blend_ps(upper[0][quarter], half(0), half(64))
                }
                _ => gather(&table[..1 << level], rank),
            };
            let above = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(threshold, values[quarter]);
            if level < 2 {
                upper[level][quarter] = above;
            }
            let doubled = _mm512_add_epi32(rank, rank);
            ranks[quarter] = _mm512_mask_add_epi32(doubled, above, doubled, _mm512_set1_epi32(1));
        }
    }
    for (column, codes) in columns.iter().zip(codes) {
        let (first, last) = (_mm512_set1_epi32(column.first_rank), _mm512_set1_epi32(LAST_IN_WINDOW));
        for quarter in 0..QUARTERS {
            let rank = _mm512_sub_epi32(ranks[quarter], first);
            let rank = _mm512_max_epi32(_mm512_min_epi32(rank, last), _mm512_setzero_si512());
            let code = _mm512_add_epi32(rank, _mm512_set1_epi32(1));
            let is_missing = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(values[quarter], values[quarter]);
            let code = _mm512_mask_mov_epi32(code, is_missing, _mm512_set1_epi32(i32::from(column.missing)));
            let into = &mut codes.0[quarter * WORDS..][..WORDS];
            // SAFETY: `into` has 16 bytes.
            unsafe { _mm_storeu_si128(into.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(code)) };
        }
    }
}

/// See `portable::select`.
///
/// # Safety
/// `codes` has the columns and `slots` the slots that the selects' program was made for.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn select(selects: &[Select], codes: &[Lanes], slots: &mut [Lanes]) {
    let codes = codes.as_ptr().cast::<u8>();
    let slots = slots.as_mut_ptr().cast::<u8>();
    for select in selects {
        let at_most = _mm512_set1_epi32(select.at_most as i32);
        // SAFETY: the caller's columns and slots, which are aligned to 128 bytes and have as many.
        unsafe {
            let codes = codes.add(select.column as usize);
            let (left, right) = (slots.add(usize::from(select.left)), slots.add(usize::from(select.right)));
            let into = slots.add(usize::from(select.into));
            for register in 0..REGISTERS {
                let goes_left = _mm512_cmple_epu8_mask(_mm512_load_si512(codes.add(BYTES * register).cast()), at_most);
                let left = _mm512_load_si512(left.add(BYTES * register).cast());
                let right = _mm512_load_si512(right.add(BYTES * register).cast());
                _mm512_store_si512(into.add(BYTES * register).cast(), _mm512_mask_blend_epi8(goes_left, right, left));
            }
        }
    }
}

/// See `portable::bits`.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn bits(selects: &[Select], codes: &[Lanes], slots: &mut [Lanes]) {
    let mut leaves = [_mm512_setzero_si512(); REGISTERS];
    for (level, select) in selects.iter().enumerate() {
        let (at_most, bit) = (_mm512_set1_epi32(select.at_most as i32), _mm512_set1_epi8(1 << level));
        let codes = &codes[select.column as usize / LANES];
        for (register, leaves) in leaves.iter_mut().enumerate() {
            let goes_right = _mm512_cmpgt_epu8_mask(bytes(codes, register), at_most);
            *leaves = _mm512_mask_add_epi8(*leaves, goes_right, *leaves, bit);
        }
    }
    for (register, leaves) in leaves.into_iter().enumerate() {
        let into = &mut slots[MAX_LEAVES].0[register * BYTES..][..BYTES];
        // SAFETY: `into` has 64 bytes.
        unsafe { _mm512_storeu_si512(into.as_mut_ptr().cast(), leaves) };
    }
}

/// See `portable::add`.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn add(leaves: &Lanes, values: &[f32], sums: &mut [f64; LANES]) {
    for (leaves, sums) in leaves.0.chunks_exact(WORDS).zip(sums.chunks_exact_mut(WORDS)) {
        // SAFETY: `leaves` has 16 bytes.
        let leaf = _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(leaves.as_ptr().cast()) });
        let value = match values.len() {
            16 => _mm512_permutexvar_ps(leaf, words(values)),
            32 => look_up_32(values, leaf),
            64 => {
                let is_upper = _mm512_test_epi32_mask(leaf, _mm512_set1_epi32(32));
                _mm512_mask_blend_ps(is_upper, look_up_32(values, leaf), look_up_32(&values[32..], leaf))
            }
            _ => gather(values, leaf),
        };
        let (lower, upper) = (_mm512_castps512_ps256(value), _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(value)));
        add_to(&mut sums[..8], _mm512_cvtps_pd(lower));
        add_to(&mut sums[8..], _mm512_cvtps_pd(_mm256_castpd_ps(upper)));
    }
}

/// The first 16 values.
#[target_feature(enable = "avx512f")]
#[inline]
fn words(values: &[f32]) -> __m512 {
    // SAFETY: the slice has as many.
    unsafe { _mm512_loadu_ps(values[..WORDS].as_ptr()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn bytes(lanes: &Lanes, register: usize) -> __m512i {
    let bytes = &lanes.0[register * BYTES..][..BYTES];
    // SAFETY: `bytes` has 64.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// `values[place]` of the lower five bits of each place; there are at least 32 values.
#[target_feature(enable = "avx512f")]
#[inline]
fn look_up_32(values: &[f32], place: __m512i) -> __m512 {
    _mm512_permutex2var_ps(words(values), place, words(&values[WORDS..]))
}

/// `values[place]`.
#[target_feature(enable = "avx512f")]
#[inline]
fn gather(values: &[f32], place: __m512i) -> __m512 {
    // SAFETY: the callers' places are ranks below the length of their level, or leaves below the number of values.
    unsafe { _mm512_i32gather_ps::<4>(place, values.as_ptr()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add_to(sums: &mut [f64], values: __m512d) {
    let sums = &mut sums[..8];
    // SAFETY: the slice has 8 places.
    unsafe { _mm512_storeu_pd(sums.as_mut_ptr(), _mm512_add_pd(_mm512_loadu_pd(sums.as_ptr()), values)) };
}
