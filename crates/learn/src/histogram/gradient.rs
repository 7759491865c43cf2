//! Gradients and hessians of the log loss as whole numbers.

use rayon::prelude::*;

use crate::holdout::mixed;

/// The gradient (upper half, signed) and the hessian (lower half) of a row, in steps of a [`Steps`].
pub(crate) type Quantised = u32;

/// Largest gradient, in steps. 65,536 of them sum to less than 2^31.
const MOST_GRADIENT: f32 = 32_000.0;

/// Largest hessian, in steps. 65,536 of them sum to less than 2^32.
const MOST_HESSIAN: f32 = 64_000.0;

/// Rows that are worked on at a time.
const ROWS_A_CHUNK: usize = 16_384;

/// What a step is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Steps {
    pub(crate) gradient: f64,
    pub(crate) hessian: f64,
}

impl Steps {
    /// Steps so fine that rows of weight `largest_weight` have the largest numbers.
    pub(crate) fn of(largest_weight: f32) -> Self {
        let of = |most: f32, steps: f32| f64::from(most) * f64::from(largest_weight) / f64::from(steps);
        // A probability is at most 1 off, and p (1 - p) at most 1/4.
        Self { gradient: of(1.0, MOST_GRADIENT), hessian: of(0.25, MOST_HESSIAN) }
    }
}

/// The rows of a tree that are seen, and where numbers between two steps are rounded up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    pub(crate) seed: u64,
    pub(crate) tree: usize,
    /// In `0.0..=1.0`.
    pub(crate) share_of_rows: f32,
}

/// What rows are labelled and weigh.
#[derive(Debug)]
pub(crate) struct Labels {
    /// 1 or 0.
    pub(crate) target: Vec<f32>,
    /// `None` where all are 1.
    pub(crate) weight: Option<Vec<f32>>,
}

impl Labels {
    pub(crate) fn largest_weight(&self) -> f32 {
        self.weight.as_ref().map_or(1.0, |weight| weight.iter().copied().fold(0.0, f32::max))
    }

    pub(crate) fn weight(&self, row: usize) -> f32 {
        self.weight.as_ref().map_or(1.0, |weight| weight[row])
    }
}

/// The gradient and hessian of each row whose logit is `logits`; 0 for a row that is not drawn.
///
/// A number between two steps is rounded up as often as it is nearer the upper one, by a sequence that is even over the
/// rows (golden ratio), so that rounding adds up to nothing.
pub(crate) fn quantise(logits: &[f32], labels: &Labels, draw: Draw, into: &mut [Quantised]) {
    let scale = 1.0 / labels.largest_weight();
    let start = mixed(draw.seed ^ (draw.tree as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
    into.par_chunks_mut(ROWS_A_CHUNK).enumerate().for_each(|(chunk, into)| {
        let first = chunk * ROWS_A_CHUNK;
        let rows = first..first + into.len();
        let (logits, target) = (&logits[rows.clone()], &labels.target[rows.clone()]);
        let of_rows = into.iter_mut().zip((first as u32..).map(|row| even(start, row))).zip(logits.iter().zip(target));
        match &labels.weight {
            None => of_rows.for_each(|((into, round_up), (&logit, &target))| {
                *into = quantised(logit, target, 1.0, round_up);
            }),
            Some(weight) => of_rows.zip(&weight[rows]).for_each(|(((into, round_up), (&logit, &target)), weight)| {
                *into = quantised(logit, target, weight * scale, round_up);
            }),
        }
        if draw.share_of_rows < 1.0 {
            let most = (f64::from(draw.share_of_rows) * u64::MAX as f64) as u64;
            for (at, into) in into.iter_mut().enumerate() {
                *into = if mixed(start.wrapping_add((first + at) as u64)) <= most { *into } else { 0 };
            }
        }
    });
}

/// In `0.0..1.0`.
#[inline]
fn even(start: u64, row: u32) -> f32 {
    let bits = row.wrapping_mul(0x9e37_79b9).wrapping_add(start as u32);
    (bits >> 9) as f32 / 8_388_608.0
}

/// `weight` is in `0.0..=1.0`.
#[inline]
fn quantised(logit: f32, target: f32, weight: f32, round_up: f32) -> Quantised {
    let p = probability(logit);
    let gradient = (p - target) * weight * MOST_GRADIENT;
    let hessian = p * (1.0 - p) * weight * (4.0 * MOST_HESSIAN);
    // Cut towards 0, which is down for a number above 0.
    let gradient = (gradient + 32_768.0 + round_up) as i32 - 32_768;
    let hessian = (hessian + round_up) as i32;
    ((gradient << 16) | (hessian & 0xffff)) as u32
}

/// `1 / (1 + exp(-logit))` to 2e-7, by operations that every machine rounds alike.
///
/// exp is `2^k * exp(r)`, `|r| <= ln(2) / 2`, and a polynomial. Source: Cephes `expf`, Moshier.
#[inline]
pub(crate) fn probability(logit: f32) -> f32 {
    const TO_WHOLE: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to a whole number
    let x = -logit.clamp(-80.0, 80.0);
    let k = (x * std::f32::consts::LOG2_E + TO_WHOLE) - TO_WHOLE;
    let r = x - k * 0.693_359_4 + k * 2.121_944_4e-4;
    let p =
        ((((1.987_569_1e-4 * r + 1.398_2e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 0.166_666_66) * r + 0.5;
    let exp_r = p * r * r + r + 1.0;
    let power = f32::from_bits(((k as i32 + 127) << 23) as u32);
    1.0 / (1.0 + exp_r * power)
}

/// The two halves of `quantised` as one number to add up.
#[inline]
pub(crate) fn widened(quantised: Quantised) -> u64 {
    (u64::from((quantised as i32 >> 16) as u32) << 32) | u64::from(quantised & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probability_is_that_of_f64() {
        for k in -8_000..=8_000 {
            let logit = k as f32 * 0.01;
            let exact = 1.0 / (1.0 + (-f64::from(logit)).exp());
            let error = (f64::from(probability(logit)) - exact).abs();
            assert!(error < 2e-7 && error < exact * 1e-5 + 1e-30, "{logit}: {error}");
        }
        assert_eq!(probability(0.0), 0.5);
    }

    #[test]
    fn quantised_numbers_add_up_to_the_exact_ones() {
        let n = 20_000_usize;
        let logits: Vec<f32> = (0..n).map(|row| ((row * 37) % 101) as f32 * 0.05 - 6.0).collect();
        let target: Vec<f32> = (0..n).map(|row| f32::from(u8::from(row % 13 == 0))).collect();
        let weight: Vec<f32> = (0..n).map(|row| 0.5 + (row % 7) as f32).collect();
        for weight in [None, Some(weight)] {
            let labels = Labels { target: target.clone(), weight };
            let steps = Steps::of(labels.largest_weight());
            let mut quantised = vec![0; n];
            quantise(&logits, &labels, Draw { seed: 1, tree: 3, share_of_rows: 1.0 }, &mut quantised);
            let (mut exact, mut found) = ((0.0, 0.0), (0.0, 0.0));
            for row in 0..n {
                let (p, weight) = (f64::from(probability(logits[row])), f64::from(labels.weight(row)));
                exact = (exact.0 + (p - f64::from(target[row])) * weight, exact.1 + p * (1.0 - p) * weight);
                let (gradient, hessian) = (quantised[row] as i32 >> 16, quantised[row] & 0xffff);
                found = (found.0 + f64::from(gradient) * steps.gradient, found.1 + f64::from(hessian) * steps.hessian);
            }
            assert!((exact.0 - found.0).abs() < 0.02 && (exact.1 - found.1).abs() < 0.02, "{exact:?} {found:?}");
        }
    }

    #[test]
    fn the_largest_numbers_fit() {
        for (logit, target, gradient) in [(80.0, 0.0, 32_000), (-80.0, 1.0, -32_000)] {
            let found = quantised(logit, target, 1.0, 0.999_999);
            assert!((found as i32 >> 16).abs_diff(gradient) <= 1 && found & 0xffff <= 1);
        }
        assert!((quantised(0.0, 1.0, 1.0, 0.999_999) & 0xffff).abs_diff(64_000) <= 1);
    }

    #[test]
    fn about_the_share_of_rows_is_drawn() {
        let labels = Labels { target: vec![1.0; 50_000], weight: None };
        let mut quantised = vec![0; 50_000];
        quantise(&vec![0.0; 50_000], &labels, Draw { seed: 1, tree: 0, share_of_rows: 0.8 }, &mut quantised);
        let drawn = quantised.iter().filter(|&&row| row != 0).count();
        assert!((39_500..40_500).contains(&drawn), "{drawn}");
    }
}
