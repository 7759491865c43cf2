//! The rows of a logistic fit as the solver sees them: loss, gradient and curvature at a point.
//!
//! Sums go over blocks of rows whose bounds depend on nothing but the number of rows, and the blocks are added up in
//! order; in a block each sum has a fixed order too. So every result has the same bits on any number of threads.

use std::ops::Range;

use rayon::prelude::*;

use super::quadratic::Matrix;

/// What one thread does at a time. The sums of a block take as long as its columns, so they stay in the cache.
const BLOCK_ROWS: usize = 2048;

/// Logits and residuals of so many rows lie in the first-level cache.
const TILE_ROWS: usize = 512;

/// So many rows of 64 columns lie in the second-level cache, as f64.
const PACKED_ROWS: usize = 256;

/// Rows and columns of the part of the curvature that stays in registers.
const SIDE: usize = 4;

/// A table longer than this has its curvature estimated on some of its blocks.
const LONGEST_WITHOUT_SAMPLE: usize = 40_000;

/// The sample has about this many rows.
const SAMPLE_ROWS: usize = 25_000;

/// A sample has at least this many rows a column.
const SAMPLE_ROWS_A_COLUMN: usize = 100;

/// Columns, labels and weights, all of one length; no value is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Design<'a> {
    pub(super) columns: &'a [Vec<f32>],
    /// What the values of each column are multiplied by.
    pub(super) scales: &'a [f64],
    pub(super) y: &'a [bool],
    /// `None` is 1 everywhere.
    pub(super) weights: Option<&'a [f64]>,
}

/// The blocks that a sum goes over: each, or each `n`-th, which then stands for `n` blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EveryBlock(pub(super) usize);

impl EveryBlock {
    pub(super) const ALL: Self = Self(1);
}

/// Loss and gradient at a point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slope {
    /// The weighted sum of the log losses.
    pub(super) loss: f64,
    /// By coefficient, then by intercept.
    pub(super) gradient: Vec<f64>,
}

impl Design<'_> {
    pub(super) fn n_rows(&self) -> usize {
        self.y.len()
    }

    pub(super) fn n_columns(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The weights of the rows without and with the outcome.
    pub(super) fn weight_by_class(&self) -> (f64, f64) {
        (0..self.n_rows()).fold((0.0, 0.0), |(without, with), row| {
            if self.y[row] { (without, with + self.weight(row)) } else { (without + self.weight(row), with) }
        })
    }

    /// The blocks to estimate the curvature on; all where the table is short.
    pub(super) fn sample(&self) -> EveryBlock {
        let wanted = SAMPLE_ROWS.max(SAMPLE_ROWS_A_COLUMN * self.n_columns());
        let longest = LONGEST_WITHOUT_SAMPLE.max(2 * wanted - 1);
        if self.n_rows() <= longest { EveryBlock::ALL } else { EveryBlock(self.n_rows() / wanted) }
    }

    /// Loss and gradient at `parameters` (the coefficients of scaled columns, then the intercept).
    pub(super) fn slope(&self, parameters: &[f64], of: EveryBlock) -> Slope {
        let weights = self.weights_of_raw(parameters);
        let blocks: Vec<Slope> =
            self.blocks(of).into_par_iter().map(|rows| self.slope_of_block(&weights, rows)).collect();
        let stands_for = self.stands_for(of);
        let mut sum = Slope { loss: 0.0, gradient: vec![0.0; parameters.len()] };
        for block in &blocks {
            sum.loss += block.loss;
            add(&mut sum.gradient, &block.gradient);
        }
        sum.loss *= stands_for;
        let scales = self.scales.iter().chain([&1.0]);
        sum.gradient.iter_mut().zip(scales).for_each(|(gradient, scale)| *gradient *= scale * stands_for);
        sum
    }

    /// The weighted sum of the log losses at `parameters`.
    pub(super) fn loss(&self, parameters: &[f64]) -> f64 {
        self.slope(parameters, EveryBlock::ALL).loss
    }

    /// The matrix of second derivatives of the loss at `parameters`.
    pub(super) fn curvature(&self, parameters: &[f64], of: EveryBlock) -> Matrix {
        let weights = self.weights_of_raw(parameters);
        let n = parameters.len();
        let blocks = self.blocks(of);
        // A sum a block would not fit memory where there are many columns.
        let parts: Vec<Vec<f64>> = blocks
            .par_chunks(blocks.len().div_ceil(32))
            .map(|blocks| {
                let mut packed = Packed::new(n);
                for rows in blocks {
                    self.add_curvature(&weights, rows.clone(), &mut packed);
                }
                packed.sums
            })
            .collect();
        let side = Packed::side(n);
        let mut sum = vec![0.0; side * side];
        for part in &parts {
            add(&mut sum, part);
        }
        let stands_for = self.stands_for(of);
        let scale = |place: usize| self.scales.get(place).copied().unwrap_or(1.0);
        Matrix::symmetric(n, |i, j| sum[i.min(j) * side + i.max(j)] * scale(i) * scale(j) * stands_for)
    }

    /// The logits of all rows.
    pub(super) fn logits(&self, parameters: &[f64]) -> Vec<f64> {
        let weights = self.weights_of_raw(parameters);
        let blocks: Vec<Vec<f64>> = self
            .blocks(EveryBlock::ALL)
            .into_par_iter()
            .map(|rows| {
                let mut logits = vec![0.0; rows.len()];
                self.logits_of(&weights, rows.start, &mut logits);
                logits
            })
            .collect();
        blocks.concat()
    }

    /// The coefficients of the values before scaling, then the intercept.
    fn weights_of_raw(&self, parameters: &[f64]) -> Vec<f64> {
        let scales = self.scales.iter().chain([&1.0]);
        parameters.iter().zip(scales).map(|(parameter, scale)| parameter * scale).collect()
    }

    fn blocks(&self, of: EveryBlock) -> Vec<Range<usize>> {
        let starts = (0..self.n_rows()).step_by(BLOCK_ROWS).step_by(of.0);
        starts.map(|start| start..self.n_rows().min(start + BLOCK_ROWS)).collect()
    }

    /// How many rows each row of the blocks stands for.
    fn stands_for(&self, of: EveryBlock) -> f64 {
        if of == EveryBlock::ALL {
            return 1.0;
        }
        let in_blocks: usize = self.blocks(of).iter().map(Range::len).sum();
        self.n_rows() as f64 / in_blocks as f64
    }

    fn slope_of_block(&self, weights: &[f64], rows: Range<usize>) -> Slope {
        let mut slope = Slope { loss: 0.0, gradient: vec![0.0; weights.len()] };
        let mut residuals = [0.0; TILE_ROWS];
        for start in rows.clone().step_by(TILE_ROWS) {
            let residuals = &mut residuals[..TILE_ROWS.min(rows.end - start)];
            self.logits_of(weights, start, residuals);
            slope.loss += self.logits_to_residuals(start, residuals);
            self.add_gradient(start, residuals, &mut slope.gradient);
        }
        slope
    }

    /// Writes the logits of the rows from `start`.
    fn logits_of(&self, weights: &[f64], start: usize, logits: &mut [f64]) {
        let (intercept, weights) = weights.split_last().expect("the intercept is there");
        logits.fill(*intercept);
        let rows = start..start + logits.len();
        let mut fours = self.columns.chunks_exact(4);
        let mut weights_of_fours = weights.chunks_exact(4);
        for (four, weights) in fours.by_ref().zip(weights_of_fours.by_ref()) {
            let [a, b, c, d] = [0, 1, 2, 3].map(|place| &four[place][rows.clone()]);
            for ((((logit, &a), &b), &c), &d) in logits.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                let first = weights[0] * f64::from(a) + weights[1] * f64::from(b);
                *logit += first + (weights[2] * f64::from(c) + weights[3] * f64::from(d));
            }
        }
        for (column, weight) in fours.remainder().iter().zip(weights_of_fours.remainder()) {
            logits.iter_mut().zip(&column[rows.clone()]).for_each(|(logit, &x)| *logit += weight * f64::from(x));
        }
    }

    /// Turns logits into `weight * (probability - label)`; returns the sum of the log losses.
    fn logits_to_residuals(&self, start: usize, logits: &mut [f64]) -> f64 {
        // The logarithm of a product of numbers in 1..=2 in place of a sum of logarithms: 512 of them stay finite.
        let mut product = 1.0;
        let mut loss = 0.0;
        for (place, value) in logits.iter_mut().enumerate() {
            let (z, row) = (*value, start + place);
            let (odds, y) = ((-z.abs()).exp(), self.y[row]);
            let probability = if z >= 0.0 { 1.0 / (1.0 + odds) } else { odds / (1.0 + odds) };
            let linear = if y { (-z).max(0.0) } else { z.max(0.0) };
            let weight = self.weight(row);
            if self.weights.is_none() {
                product *= 1.0 + odds;
                loss += linear;
            } else {
                loss += weight * (linear + odds.ln_1p());
            }
            *value = weight * (probability - f64::from(u8::from(y)));
        }
        loss + f64::ln(product)
    }

    fn add_gradient(&self, start: usize, residuals: &[f64], gradient: &mut [f64]) {
        let rows = start..start + residuals.len();
        for (sum, column) in gradient.iter_mut().zip(self.columns) {
            *sum += dot(residuals, &column[rows.clone()]);
        }
        *gradient.last_mut().expect("the intercept is there") += residuals.iter().sum::<f64>();
    }

    fn add_curvature(&self, weights: &[f64], rows: Range<usize>, packed: &mut Packed) {
        let mut logits = [0.0; PACKED_ROWS];
        for start in rows.clone().step_by(PACKED_ROWS) {
            let logits = &mut logits[..PACKED_ROWS.min(rows.end - start)];
            self.logits_of(weights, start, logits);
            for (place, value) in logits.iter_mut().enumerate() {
                let odds = (-value.abs()).exp();
                *value = self.weight(start + place) * odds / ((1.0 + odds) * (1.0 + odds));
            }
            packed.add(self.columns, start, logits);
        }
    }
}

/// Rows laid out beside each other, so that each entry of the curvature is summed row after row.
struct Packed {
    n_columns: usize,
    side: usize,
    /// `PACKED_ROWS` x `side` values: the columns, then 1 for the intercept, then 0.
    values: Vec<f64>,
    /// The same times the weight of the row.
    weighted: Vec<f64>,
    /// `side` x `side`, filled on and above the diagonal.
    sums: Vec<f64>,
}

impl Packed {
    fn new(n: usize) -> Self {
        let side = Self::side(n);
        let mut values = vec![0.0; PACKED_ROWS * side];
        values.chunks_exact_mut(side).for_each(|row| row[n - 1] = 1.0);
        Self { n_columns: n - 1, side, weighted: values.clone(), values, sums: vec![0.0; side * side] }
    }

    fn side(n: usize) -> usize {
        n.next_multiple_of(SIDE)
    }

    fn add(&mut self, columns: &[Vec<f32>], start: usize, weights: &[f64]) {
        let side = self.side;
        for (place, column) in columns.iter().enumerate() {
            for (row, &x) in column[start..start + weights.len()].iter().enumerate() {
                self.values[row * side + place] = f64::from(x);
            }
        }
        let values = self.values.chunks_exact(side).zip(self.weighted.chunks_exact_mut(side));
        for ((values, weighted), weight) in values.zip(weights) {
            let used = 0..=self.n_columns;
            weighted[used.clone()].iter_mut().zip(&values[used]).for_each(|(to, value)| *to = weight * value);
        }
        for i in (0..side).step_by(SIDE) {
            for j in (i..side).step_by(SIDE) {
                self.add_square(i, j, weights.len());
            }
        }
    }

    /// Adds the products of four columns with four.
    fn add_square(&mut self, i: usize, j: usize, n_rows: usize) {
        let mut square = [[0.0; SIDE]; SIDE];
        let rows = self.weighted.chunks_exact(self.side).zip(self.values.chunks_exact(self.side));
        for (weighted, values) in rows.take(n_rows) {
            let a: &[f64; SIDE] = weighted[i..i + SIDE].first_chunk().expect("the side is a multiple");
            let b: &[f64; SIDE] = values[j..j + SIDE].first_chunk().expect("the side is a multiple");
            for (sums, a) in square.iter_mut().zip(a) {
                sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
            }
        }
        for (row, sums) in square.iter().enumerate() {
            let at = (i + row) * self.side + j;
            add(&mut self.sums[at..at + SIDE], sums);
        }
    }
}

fn add(sums: &mut [f64], values: &[f64]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// Eight sums side by side, because one would wait for itself.
fn dot(a: &[f64], b: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_eights, b_eights) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_eights.remainder().iter().zip(b_eights.remainder()).map(|(a, &b)| a * f64::from(b)).sum();
    for (a, b) in a_eights.zip(b_eights) {
        for ((sum, a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * f64::from(b);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + rest
}
