//! Looking the states of 64 rows up in a table and adding what is found.

/// Rows that are looked up together.
pub(super) const LANES: usize = 64;

/// The ways to look up; all give the same whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isa {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The best that this processor has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq");
            if has_avx512 {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// Those that this processor has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        match Self::detect() {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => vec![Self::Portable, Self::Avx2, Self::Avx512],
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => vec![Self::Portable, Self::Avx2],
            Self::Portable => vec![Self::Portable],
        }
    }
}

/// Tables are as long as one of these; states are below their table's length.
pub(super) const TABLE_LENGTHS: [usize; 5] = [16, 32, 64, 128, 256];

/// Adds `table[states[row]]` to `sums[row]`.
#[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
#[inline(always)]
pub(super) fn add(table: &[i32], states: &[u8; LANES], sums: &mut [i32; LANES]) {
    match table.len() {
        16 => add_masked::<16>(table, states, sums),
        32 => add_masked::<32>(table, states, sums),
        64 => add_masked::<64>(table, states, sums),
        128 => add_masked::<128>(table, states, sums),
        _ => add_masked::<256>(table, states, sums),
    }
}

#[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
#[inline(always)]
fn add_masked<const N: usize>(table: &[i32], states: &[u8; LANES], sums: &mut [i32; LANES]) {
    // The mask saves the check of each place.
    let table: &[i32; N] = table.try_into().expect("tables have one of five lengths");
    for (sum, &state) in sums.iter_mut().zip(states) {
        // A chunk's sums fit; the check would cost more than the sum.
        *sum = sum.wrapping_add(table[state as usize & (N - 1)]);
    }
}

/// [`add`] in registers: a permutation of 32 numbers at a time.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) fn add_avx512(table: &[i32], states: &[u8; LANES], sums: &mut [i32; LANES]) {
    match table.len() {
        16 => permute::<1>(table, states, sums),
        32 => permute::<2>(table, states, sums),
        64 => permute::<4>(table, states, sums),
        128 => permute::<8>(table, states, sums),
        _ => permute::<16>(table, states, sums),
    }
}

/// `N` registers of 16 numbers.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn permute<const N: usize>(table: &[i32], states: &[u8; LANES], sums: &mut [i32; LANES]) {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm512_add_epi32, _mm512_cvtepu8_epi32, _mm512_loadu_si512, _mm512_mask_blend_epi32,
        _mm512_permutex2var_epi32, _mm512_permutexvar_epi32, _mm512_set1_epi32, _mm512_setzero_si512,
        _mm512_storeu_si512, _mm512_test_epi32_mask,
    };
    assert_eq!(table.len(), 16 * N, "tables have one of five lengths");
    let mut registers = [_mm512_setzero_si512(); N];
    for (part, register) in table.chunks_exact(16).zip(&mut registers) {
        // SAFETY: a part has 16 numbers of 4 bytes, which is what the instruction reads; it needs no alignment.
        *register = unsafe { _mm512_loadu_si512(part.as_ptr().cast()) };
    }
    for (states, sums) in states.chunks_exact(16).zip(sums.chunks_exact_mut(16)) {
        // SAFETY: a part of the states has 16 bytes, which is what the instruction reads; it needs no alignment.
        let places = _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(states.as_ptr().cast()) });
        // Pairs of registers hold 32 numbers, told apart by the 5 lower bits; each bit above halves what is left.
        let mut found = [_mm512_setzero_si512(); N];
        if N == 1 {
            found[0] = _mm512_permutexvar_epi32(places, registers[0]);
        } else {
            for pair in 0..N / 2 {
                found[pair] = _mm512_permutex2var_epi32(registers[2 * pair], places, registers[2 * pair + 1]);
            }
            let (mut left, mut bit) = (N / 2, 32);
            while left > 1 {
                let is_upper = _mm512_test_epi32_mask(places, _mm512_set1_epi32(bit));
                for pair in 0..left / 2 {
                    found[pair] = _mm512_mask_blend_epi32(is_upper, found[2 * pair], found[2 * pair + 1]);
                }
                (left, bit) = (left / 2, bit * 2);
            }
        }
        // SAFETY: a part of the sums has 16 numbers of 4 bytes, which is what is read and then written in place.
        unsafe {
            let sum = _mm512_add_epi32(_mm512_loadu_si512(sums.as_ptr().cast()), found[0]);
            _mm512_storeu_si512(sums.as_mut_ptr().cast(), sum);
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn permutations_find_what_a_table_holds() {
        if Isa::detect() != Isa::Avx512 {
            return;
        }
        for length in TABLE_LENGTHS {
            let table: Vec<i32> = (0..length as i32).map(|place| place * 7919 - 100_000).collect();
            for first in (0..length).step_by(LANES.min(length)) {
                let states: [u8; LANES] = std::array::from_fn(|lane| ((first + lane * 37) % length) as u8);
                let (mut plain, mut permuted) = ([5_i32; LANES], [5_i32; LANES]);
                add(&table, &states, &mut plain);
                // SAFETY: the processor was just found to have these instructions.
                unsafe { add_avx512(&table, &states, &mut permuted) };
                assert_eq!(plain, permuted, "{length} states");
            }
        }
    }
}
