//! How much of a row is known.

use bellwether_core::{Encoding, FeatureMatrix};

/// The first column of each raw input that any model reads. A text is missing in all its columns or in none, so one
/// column tells; a text with twenty levels counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coverage {
    columns: Vec<usize>,
}

impl Coverage {
    /// Counts the inputs of `encoding` that have a used column.
    pub(crate) fn new(encoding: &Encoding, used: &[bool]) -> Self {
        let mut first = 0;
        let mut columns = Vec::new();
        for input in &encoding.inputs {
            let n_columns = input.n_columns();
            if used[first..first + n_columns].contains(&true) {
                columns.push(first);
            }
            first += n_columns;
        }
        Self { columns }
    }

    /// The share of these inputs that is known in each row, `0.0..=1.0`; 1 where no input is read.
    pub(crate) fn of(&self, x: &FeatureMatrix) -> Vec<f64> {
        let mut n_known = vec![0_u32; x.n_rows()];
        for &column in &self.columns {
            for (n_known, value) in n_known.iter_mut().zip(x.column(column)) {
                // Fewer columns than would overflow; a check keeps the processor from counting many rows at once.
                *n_known = n_known.wrapping_add(u32::from(!value.is_nan()));
            }
        }
        n_known.into_iter().map(|n_known| self.share(n_known)).collect()
    }

    /// [`Coverage::of`] one row.
    pub(crate) fn of_row(&self, row: &[f32]) -> f64 {
        self.share(self.columns.iter().map(|&column| u32::from(!row[column].is_nan())).sum())
    }

    fn share(&self, n_known: u32) -> f64 {
        let n = self.columns.len() as f64;
        if n > 0.0 { f64::from(n_known) / n } else { 1.0 }
    }
}
