//! Few rows that meet many wishes.

use super::cells::{Cell, Wish};

/// Rows that a wish is tried on: with more, a large ensemble takes long and few wishes find a better place.
const OPEN_ROWS: usize = 512;

/// A row that is not settled: the values that each feature may still have.
#[derive(Debug, Clone)]
pub(super) struct OpenRow {
    pub(super) cells: Vec<Cell>,
    /// Wishes that every row of these cells meets.
    n_met: usize,
}

/// Rows such that each of `wishes` is met by one; those that meet many come first. First fit: a wish goes to the first of
/// the last [`OPEN_ROWS`] rows that can still meet it. Wishes of many features are hard to place and come first.
pub(super) fn pack(mut wishes: Vec<Wish>, n_features: usize) -> Vec<OpenRow> {
    wishes.sort_by_key(|of| std::cmp::Reverse(of.len()));
    let mut rows: Vec<OpenRow> = Vec::new();
    for of in wishes {
        let first = rows.len().saturating_sub(OPEN_ROWS);
        if !rows[first..].iter_mut().any(|row| row.narrow(&of)) {
            let mut row = OpenRow { cells: vec![Cell::ANY; n_features], n_met: 0 };
            row.narrow(&of);
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.n_met));
    rows
}

impl OpenRow {
    /// Takes on a wish, where it can.
    fn narrow(&mut self, of: &Wish) -> bool {
        let fits = |&(feature, cell): &(u32, Cell)| self.cells[feature as usize].and(cell).is_some();
        if !of.iter().all(fits) {
            return false;
        }
        for &(feature, cell) in of {
            let place = &mut self.cells[feature as usize];
            *place = place.and(cell).expect("it was tried");
        }
        self.n_met += 1;
        true
    }
}
