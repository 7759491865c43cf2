//! A weighted sum, one column of a block of rows after the other.

#![expect(clippy::inline_always, reason = "the SIMD paths make these anew with their instructions")]

use bellwether_core::{Linear, LinearTerm};

use super::path::{Instructions, SimdPath};
use super::rows::Rows;

/// Writes the logits of the rows from `first_row`. Every row adds its terms in schema order, as `Model::logit` does.
pub(super) fn logits(linear: &Linear, path: SimdPath, rows: &Rows<'_>, first_row: usize, logits: &mut [f64]) {
    let mut buffer = Vec::new();
    let mut from = first_row;
    for logits in logits.chunks_mut(rows.block_rows()) {
        let block = rows.block(from..from + logits.len(), &mut buffer);
        logits.fill(f64::from(linear.intercept));
        for (feature, term) in linear.terms.iter().enumerate() {
            let values = block.values(feature);
            match path.instructions() {
                Instructions::Portable => add(term, values, logits),
                // SAFETY: the path is one of this processor.
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => unsafe { add_avx2(term, values, logits) },
                // SAFETY: the path is one of this processor.
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => unsafe { add_avx512(term, values, logits) },
            }
        }
        from += logits.len();
    }
}

/// The logit of one row.
pub(super) fn logit_row(linear: &Linear, row: &[f32]) -> f64 {
    let add = |sum: f64, (term, &value): (&LinearTerm, &f32)| sum + logits_of(term, value);
    linear.terms.iter().zip(row).fold(f64::from(linear.intercept), add)
}

#[inline(always)]
fn add(term: &LinearTerm, values: &[f32], logits: &mut [f64]) {
    for (logit, &value) in logits.iter_mut().zip(values) {
        *logit += logits_of(term, value);
    }
}

/// [`add`], which compilers vectorise; products and sums stay apart, so the bits are the same.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_avx2(term: &LinearTerm, values: &[f32], logits: &mut [f64]) {
    add(term, values, logits);
}

/// [`add`], on wider registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn add_avx512(term: &LinearTerm, values: &[f32], logits: &mut [f64]) {
    add(term, values, logits);
}

#[inline(always)]
fn logits_of(term: &LinearTerm, value: f32) -> f64 {
    let known = f64::from(term.weight) * f64::from(value.clamp(term.lower, term.upper) - term.center);
    if value.is_nan() { f64::from(term.missing_weight) } else { known }
}
