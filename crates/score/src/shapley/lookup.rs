//! Looking the states of a block's rows up in tables and adding what is found.

use crate::kernel::trees::ranks::LANES;

/// Tables are as long as one of these; states are below their table's length.
pub(super) const TABLE_LENGTHS: [usize; 5] = [16, 32, 64, 128, 256];

/// One table a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a> {
    /// One table after the other.
    pub(super) values: &'a [i32],
    pub(super) length: usize,
    pub(super) slots: &'a [u16],
}

/// Adds what each table has at `states[row]` to the sum of its slot and row.
#[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
#[inline(always)]
pub(super) fn add_all(tables: &Tables<'_>, states: &[u8; LANES], sums: &mut [[i32; LANES]]) {
    match tables.length {
        16 => add_masked::<16>(tables, states, sums),
        32 => add_masked::<32>(tables, states, sums),
        64 => add_masked::<64>(tables, states, sums),
        128 => add_masked::<128>(tables, states, sums),
        _ => add_masked::<256>(tables, states, sums),
    }
}

#[expect(clippy::inline_always, reason = "it is compiled anew for each instruction set that calls it")]
#[inline(always)]
fn add_masked<const N: usize>(tables: &Tables<'_>, states: &[u8; LANES], sums: &mut [[i32; LANES]]) {
    for (table, &slot) in tables.values.as_chunks::<N>().0.iter().zip(tables.slots) {
        for (sum, &state) in sums[usize::from(slot)].iter_mut().zip(states) {
            // The mask saves the check of each place. A chunk's sums fit; the check would cost more than the sum.
            *sum = sum.wrapping_add(table[state as usize & (N - 1)]);
        }
    }
}

/// [`add_all`] in registers: a permutation of 32 numbers at a time.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn add_all_avx512(tables: &Tables<'_>, states: &[u8; LANES], sums: &mut [[i32; LANES]]) {
    match tables.length {
        16 => permute::<16, 1>(tables, states, sums),
        32 => permute::<32, 2>(tables, states, sums),
        64 => permute::<64, 4>(tables, states, sums),
        128 => permute::<128, 8>(tables, states, sums),
        _ => permute::<256, 16>(tables, states, sums),
    }
}

/// Tables of `LENGTH` numbers in `N` registers of 16.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn permute<const LENGTH: usize, const N: usize>(tables: &Tables<'_>, states: &[u8; LANES], sums: &mut [[i32; LANES]]) {
    use std::arch::x86_64::{
        __m512i, _mm_loadu_si128, _mm512_add_epi32, _mm512_cvtepu8_epi32, _mm512_loadu_si512, _mm512_mask_blend_epi32,
        _mm512_permutex2var_epi32, _mm512_permutexvar_epi32, _mm512_set1_epi32, _mm512_setzero_si512,
        _mm512_storeu_si512, _mm512_test_epi32_mask,
    };
    const WORDS: usize = 16;
    let states = states.as_chunks::<WORDS>().0;
    // SAFETY: a part of the states has 16 bytes, which is what the instruction reads; it needs no alignment.
    let places: [__m512i; LANES / WORDS] =
        std::array::from_fn(|part| _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(states[part].as_ptr().cast()) }));
    for (table, &slot) in tables.values.as_chunks::<LENGTH>().0.iter().zip(tables.slots) {
        let parts = table.as_chunks::<WORDS>().0;
        // SAFETY: a part has 16 numbers of 4 bytes, which is what the instruction reads; it needs no alignment.
        let registers: [__m512i; N] =
            std::array::from_fn(|part| unsafe { _mm512_loadu_si512(parts[part].as_ptr().cast()) });
        for (sums, &places) in sums[usize::from(slot)].as_chunks_mut::<WORDS>().0.iter_mut().zip(&places) {
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
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::SimdPath;

    #[test]
    fn permutations_find_what_tables_hold() {
        if SimdPath::fastest().name() != "avx512" {
            return;
        }
        for length in TABLE_LENGTHS {
            let values: Vec<i32> = (0..2 * length as i32).map(|place| place * 7919 - 100_000).collect();
            let tables = Tables { values: &values, length, slots: &[2, 0] };
            for first in 0..length {
                let states: [u8; LANES] = std::array::from_fn(|lane| ((first + lane * 37) % length) as u8);
                let (mut plain, mut permuted) = ([[5_i32; LANES]; 3], [[5_i32; LANES]; 3]);
                add_all(&tables, &states, &mut plain);
                // SAFETY: the processor was just found to have these instructions.
                unsafe { add_all_avx512(&tables, &states, &mut permuted) };
                assert_eq!(plain, permuted, "{length} states");
            }
        }
    }
}
