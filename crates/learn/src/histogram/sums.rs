//! Histograms: the gradients and hessians of a leaf's rows, summed by feature and bin.

use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::sync::Mutex;

use rayon::prelude::*;

use super::bins::{Binned, LANES, MISSING};
use super::gradient::{Quantised, widened};

/// Summed gradients and hessians in steps: whole numbers below 2^53, so sums and differences are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) gradient: f64,
    pub(crate) hessian: f64,
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.hessian += other.hessian;
    }
}

impl SubAssign for Sum {
    fn sub_assign(&mut self, other: Self) {
        self.gradient -= other.gradient;
        self.hessian -= other.hessian;
    }
}

impl Add for Sum {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sub for Sum {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        self -= other;
        self
    }
}

/// The sums of one feature by bin.
pub(crate) type FeatureSums = [Sum; 256];

/// The sums of features that stand side by side.
pub(crate) type GroupSums = [FeatureSums; LANES];

/// The sums of all features of a leaf.
pub(crate) type Histogram = Vec<GroupSums>;

/// [`widened`] numbers of a block of rows, added up.
type Packed = [[u64; 256]; LANES];

/// As many rows as [`Packed`] can add up without overflow.
const ROWS_A_BLOCK: usize = 65_536;

/// Rows whose bins are copied side by side, group after group, before they are summed. A tile stays in the second
/// cache; copying asks the memory for many rows at once where summing would wait for each.
const ROWS_A_TILE: usize = 1_024;

/// From this many rows on, threads share them; below, they share the groups.
const ROWS_TO_SHARE: usize = 32_768;

/// An empty histogram.
#[expect(clippy::large_stack_arrays, reason = "a group's sums are written to the heap at once")]
fn empty(n_groups: usize) -> Histogram {
    vec![[[Sum::default(); 256]; LANES]; n_groups]
}

/// Rows of a leaf with their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeafRows<'a> {
    pub(crate) binned: &'a Binned,
    pub(crate) rows: &'a [u32],
    /// Of all rows of `binned`.
    pub(crate) quantised: &'a [Quantised],
}

impl LeafRows<'_> {
    /// Whether threads should share the rows, by [`Self::sum_shared`].
    pub(crate) fn are_many(&self) -> bool {
        self.rows.len() >= ROWS_TO_SHARE
    }

    /// The sums of all groups, in `into`, which is empty; threads share the rows.
    pub(crate) fn sum_shared(&self, into: &mut Histogram, pool: &Pool) {
        let a_thread = self.rows.len().div_ceil(rayon::current_num_threads()).max(ROWS_TO_SHARE / 2);
        let (first, others) = self.rows.split_at(self.rows.len().min(a_thread));
        let of_part = |rows| {
            let mut sums = pool.histogram(self.binned);
            Self { rows, ..*self }.sum(0, &mut sums, pool);
            sums
        };
        let (parts, ()) = rayon::join(
            || others.par_chunks(a_thread).map(of_part).collect::<Vec<_>>(),
            || Self { rows: first, ..*self }.sum(0, into, pool),
        );
        for part in parts {
            // Whole numbers: whatever the parts, they add up to the same.
            for ((sums, part), n_bins) in into.iter_mut().zip(&part).zip(self.binned.n_bins()) {
                change(sums, part, n_bins, |sum, part| *sum += part);
            }
            pool.put_back(part);
        }
    }

    /// Adds the sums of the groups from `first_group` on to `into`.
    pub(crate) fn sum(&self, first_group: usize, into: &mut [GroupSums], pool: &Pool) {
        let mut scratch = pool.scratch();
        let Scratch { packed, bins, numbers } = &mut scratch;
        packed.resize(into.len(), [[0; 256]; LANES]);
        bins.resize(into.len() * ROWS_A_TILE, [0; LANES]);
        for block in self.rows.chunks(ROWS_A_BLOCK) {
            for rows in block.chunks(ROWS_A_TILE) {
                numbers.clear();
                numbers.extend(rows.iter().map(|&row| widened(self.quantised[row as usize])));
                self.copy(rows, first_group, bins);
                for (packed, bins) in packed.iter_mut().zip(bins.chunks_exact(ROWS_A_TILE)) {
                    add(&bins[..rows.len()], numbers, packed);
                }
            }
            let of_groups = packed.iter_mut().zip(into.iter_mut()).zip(&self.binned.n_bins()[first_group..]);
            of_groups.for_each(|((packed, sums), n_bins)| flush(packed, sums, n_bins));
        }
        pool.scratch.lock().expect("no thread panics with the pool").push(scratch);
    }

    /// Copies the groups from `first_group` on of `rows`, one after the other.
    fn copy(&self, rows: &[u32], first_group: usize, into: &mut [[u8; LANES]]) {
        let (groups, n_groups) = (self.binned.groups(), self.binned.n_groups());
        let n_copied = into.len() / ROWS_A_TILE;
        for (at, &row) in rows.iter().enumerate() {
            let of_row = row as usize * n_groups + first_group;
            for (tile, &bins) in into.chunks_exact_mut(ROWS_A_TILE).zip(&groups[of_row..of_row + n_copied]) {
                tile[at] = bins;
            }
        }
    }
}

/// Adds one number a row.
fn add(bins: &[[u8; LANES]], numbers: &[u64], into: &mut Packed) {
    for (bins, &number) in bins.iter().zip(numbers) {
        for (sums, &bin) in into.iter_mut().zip(bins) {
            let sum = &mut sums[usize::from(bin)];
            *sum = sum.wrapping_add(number);
        }
    }
}

/// Memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    histograms: Mutex<Vec<Histogram>>,
    scratch: Mutex<Vec<Scratch>>,
}

#[derive(Debug, Default)]
struct Scratch {
    /// All 0 between uses.
    packed: Vec<Packed>,
    bins: Vec<[u8; LANES]>,
    numbers: Vec<u64>,
}

impl Pool {
    /// An empty histogram; a pool is of use for one `binned` only.
    pub(crate) fn histogram(&self, binned: &Binned) -> Histogram {
        let used = self.histograms.lock().expect("no thread panics with the pool").pop();
        let Some(mut histogram) = used else { return empty(binned.n_groups()) };
        for (sums, n_bins) in histogram.iter_mut().zip(binned.n_bins()) {
            for (sums, &n_bins) in sums.iter_mut().zip(n_bins) {
                sums[..n_bins].fill(Sum::default());
                sums[usize::from(MISSING)] = Sum::default();
            }
        }
        histogram
    }

    /// Keeps `histogram` for another leaf.
    pub(crate) fn put_back(&self, histogram: Histogram) {
        self.histograms.lock().expect("no thread panics with the pool").push(histogram);
    }

    fn scratch(&self) -> Scratch {
        self.scratch.lock().expect("no thread panics with the pool").pop().unwrap_or_default()
    }
}

/// Moves `packed` into `sums`.
fn flush(packed: &mut Packed, sums: &mut GroupSums, n_bins: &[usize; LANES]) {
    let flush = |(packed, sum): (&mut u64, &mut Sum)| {
        *sum += Sum { gradient: f64::from((*packed >> 32) as u32 as i32), hessian: f64::from(*packed as u32) };
        *packed = 0;
    };
    for ((packed, sums), &n_bins) in packed.iter_mut().zip(sums).zip(n_bins) {
        packed[..n_bins].iter_mut().zip(&mut sums[..n_bins]).for_each(flush);
        flush((&mut packed[usize::from(MISSING)], &mut sums[usize::from(MISSING)]));
    }
}

/// Changes the sums of a group by `other`, bin by bin; bins that no row can have are left out.
pub(crate) fn change(
    sums: &mut GroupSums,
    other: &GroupSums,
    n_bins: &[usize; LANES],
    change: impl Fn(&mut Sum, Sum) + Copy,
) {
    for ((sums, other), &n_bins) in sums.iter_mut().zip(other).zip(n_bins) {
        sums[..n_bins].iter_mut().zip(&other[..n_bins]).for_each(|(sum, &other)| change(sum, other));
        change(&mut sums[usize::from(MISSING)], other[usize::from(MISSING)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::bins::Bins;

    #[test]
    fn every_way_of_summing_gives_what_adding_row_by_row_gives() {
        let n = 100_000_usize;
        let columns: Vec<Vec<f32>> = (1..=9)
            .map(|f| (0..n).map(|row| if (row * f) % 11 == 0 { f32::NAN } else { ((row * f) % 701) as f32 }).collect())
            .collect();
        let binned = Binned::new(&columns, &Bins::of(&columns));
        let most = (((-32_000_i32) << 16) | 0xfa00) as u32;
        let quantised: Vec<u32> =
            (0..n as u32).map(|row| if row < 70_000 { most } else { row.wrapping_mul(7919) }).collect();
        let rows: Vec<u32> = (0..n as u32).filter(|row| row % 10 != 0).collect();
        let of_leaf = LeafRows { binned: &binned, rows: &rows, quantised: &quantised };
        let mut naive = empty(binned.n_groups());
        for &row in &rows {
            let number = quantised[row as usize];
            let sum = Sum { gradient: f64::from(number as i32 >> 16), hessian: f64::from(number & 0xffff) };
            let of_row = &binned.groups()[row as usize * binned.n_groups()..];
            for (sums, bins) in naive.iter_mut().zip(of_row) {
                for (sums, &bin) in sums.iter_mut().zip(bins) {
                    sums[usize::from(bin)] += sum;
                }
            }
        }
        let pool = Pool::default();
        // Twice, so that memory is used again.
        for _ in 0..2 {
            let mut shared = pool.histogram(&binned);
            of_leaf.sum_shared(&mut shared, &pool);
            assert!(shared == naive);
            pool.put_back(shared);
            let mut by_group = pool.histogram(&binned);
            for (group, sums) in by_group.iter_mut().enumerate() {
                of_leaf.sum(group, std::slice::from_mut(sums), &pool);
            }
            assert!(by_group == naive);
            pool.put_back(by_group);
        }
    }
}
