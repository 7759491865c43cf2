//! Parts the rows of a leaf in place, keeping their order.

use rayon::prelude::*;

/// Rows that one thread parts at a time.
const ROWS_A_CHUNK: usize = 16_384;

/// Moves the rows that go left before the others, both in their order; how many go left. `buffer` is as long as `rows`.
pub(crate) fn part(rows: &mut [u32], buffer: &mut [u32], goes_left: impl Fn(u32) -> bool + Sync) -> usize {
    let part_chunk = |(rows, buffer): (&[u32], &mut [u32])| part_chunk(rows, buffer, &goes_left);
    let n_left: Vec<usize> = if rows.len() <= ROWS_A_CHUNK {
        vec![part_chunk((rows, buffer))]
    } else {
        rows.par_chunks(ROWS_A_CHUNK).zip(buffer.par_chunks_mut(ROWS_A_CHUNK)).map(part_chunk).collect()
    };
    let all_left = n_left.iter().sum();
    let (mut left, mut right) = rows.split_at_mut(all_left);
    for (chunk, n_left) in buffer.chunks(ROWS_A_CHUNK).zip(n_left) {
        let (to_left, to_right) = chunk.split_at(n_left);
        let (place, rest) = left.split_at_mut(to_left.len());
        place.copy_from_slice(to_left);
        left = rest;
        let (place, rest) = right.split_at_mut(to_right.len());
        place.iter_mut().zip(to_right.iter().rev()).for_each(|(place, &row)| *place = row);
        right = rest;
    }
    all_left
}

/// Writes the rows that go left to the front of `into` and the others to its end, the last first; how many go left.
fn part_chunk(rows: &[u32], into: &mut [u32], goes_left: impl Fn(u32) -> bool) -> usize {
    let into = &mut into[..rows.len()];
    let (mut n_left, mut n_unset) = (0, rows.len());
    for &row in rows {
        // Both places are free: writing both spares a branch that no processor can guess.
        into[n_left] = row;
        into[n_unset - 1] = row;
        let left = usize::from(goes_left(row));
        n_left += left;
        n_unset -= 1 - left;
    }
    n_left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_order_on_both_sides() {
        for n in [0, 1, 5, 16_384, 16_385, 100_001] {
            for goes_left in [|row: u32| row.wrapping_mul(2_654_435_769) % 7 < 3, |_| true, |_| false] {
                let mut rows: Vec<u32> = (0..n).map(|row| row * 2).collect();
                let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&row| goes_left(row));
                let n_left = part(&mut rows, &mut vec![0; n as usize], goes_left);
                assert_eq!(n_left, left.len());
                assert!(rows == [left, right].concat(), "{n}");
            }
        }
    }
}
