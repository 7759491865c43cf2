//! The kernels in plain Rust, written so that compilers vectorise them.

#![expect(clippy::inline_always, reason = "the SIMD paths make these anew with their instructions")]

use super::program::{MAX_LEAVES, Select};
use super::ranks::{Column, LANES, LAST_IN_WINDOW, Lanes, level_start};

/// Writes the codes of one feature's `values` into its `columns`.
#[inline(always)]
pub(super) fn encode(values: &[f32; LANES], n_levels: usize, table: &[f32], columns: &[Column], codes: &mut [Lanes]) {
    let mut ranks = [0_i32; LANES];
    for level in 0..n_levels {
        let table = &table[level_start(level)..][..1 << level];
        for (rank, value) in ranks.iter_mut().zip(values) {
            *rank = *rank << 1 | i32::from(table[*rank as usize] < *value);
        }
    }
    write_codes(values, &ranks, columns, codes);
}

/// Writes the codes of values whose ranks are known.
#[inline(always)]
pub(super) fn write_codes(values: &[f32; LANES], ranks: &[i32; LANES], columns: &[Column], codes: &mut [Lanes]) {
    let is_missing: [u8; LANES] = std::array::from_fn(|lane| u8::from(values[lane].is_nan()).wrapping_neg());
    for (column, codes) in columns.iter().zip(codes) {
        for lane in 0..LANES {
            let rank = ranks[lane].wrapping_sub(column.first_rank);
            let known = (rank.clamp(0, LAST_IN_WINDOW) + 1) as u8;
            codes.0[lane] = (known & !is_missing[lane]) | (column.missing & is_missing[lane]);
        }
    }
}

/// Runs the selects of one tree.
#[inline(always)]
pub(super) fn select(selects: &[Select], codes: &[Lanes], slots: &mut [Lanes]) {
    for select in selects {
        let at_most = select.at_most as u8;
        let codes = &codes[select.column as usize / LANES].0;
        let (left, right) = (slots[usize::from(select.left) / LANES].0, slots[usize::from(select.right) / LANES].0);
        let into = &mut slots[usize::from(select.into) / LANES].0;
        for lane in 0..LANES {
            let goes_left = u8::from(codes[lane] <= at_most).wrapping_neg();
            into[lane] = right[lane] ^ ((left[lane] ^ right[lane]) & goes_left);
        }
    }
}

/// The leaves of an oblivious tree.
#[inline(always)]
pub(super) fn bits(selects: &[Select], codes: &[Lanes], slots: &mut [Lanes]) {
    let mut leaves = [0_u8; LANES];
    for (level, select) in selects.iter().enumerate() {
        let at_most = select.at_most as u8;
        let codes = &codes[select.column as usize / LANES].0;
        for lane in 0..LANES {
            leaves[lane] |= u8::from(codes[lane] > at_most) << level;
        }
    }
    slots[MAX_LEAVES].0 = leaves;
}

/// Adds the values of the `leaves` to `sums`.
#[inline(always)]
pub(super) fn add(leaves: &Lanes, values: &[f32], sums: &mut [f64; LANES]) {
    for (sum, &leaf) in sums.iter_mut().zip(&leaves.0) {
        *sum += f64::from(values[usize::from(leaf)]);
    }
}
