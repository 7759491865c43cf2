//! Intervals of shares, of independent rows and of rows by account.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::results::Estimate;

/// Wilson's interval of `n_events / n`. Source: Wilson (1927), J. Am. Stat. Assoc. 22.
///
/// `None` if `n` is 0, `n_events > n`, or `confidence` is not inside `0.0..1.0`.
pub fn wilson_interval(n_events: usize, n: usize, confidence: f64) -> Option<(f64, f64)> {
    let defined = n > 0 && n_events <= n && confidence > 0.0 && confidence < 1.0;
    defined.then(|| wilson(n_events as f64 / n as f64, n as f64, confidence))
}

/// The standard normal's two-sided quantile: 1.96 for 0.95.
pub(crate) fn normal_quantile(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(f64::midpoint(1.0, confidence))
}

/// A share of `size` that is `hits`, both summed over accounts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    pub(crate) hits: u32,
    pub(crate) size: u32,
}

/// The share of all hits, with its interval by account; accounts of size 0 do not count.
pub(crate) fn share(accounts: &[Part], confidence: f64) -> Estimate {
    let accounts = || accounts.iter().filter(|account| account.size > 0);
    let (hits, size) = accounts()
        .fold((0.0, 0.0), |(hits, size), account| (hits + f64::from(account.hits), size + f64::from(account.size)));
    if size == 0.0 {
        return Estimate::default();
    }
    let share = hits / size;
    let n_accounts = accounts().count() as f64;
    let squares: f64 =
        accounts().map(|account| (f64::from(account.hits) - share * f64::from(account.size)).powi(2)).sum();
    let n_effective = if n_accounts == size {
        size
    } else if squares > 0.0 && n_accounts > 1.0 {
        effective_size(share, squares, n_accounts, size, confidence)
    } else {
        n_accounts
    };
    Estimate::new(Some(share), Some(wilson(share, n_effective, confidence)))
}

/// How many independent rows would say as much: the variance of a ratio over accounts, then Student's quantile for the few
/// accounts that it was estimated from. Never more than there are rows.
/// Source: Korn and Graubard (1998), Survey Methodology 24; in Wilson's interval: Franco et al. (2019), JSSAM 7.
fn effective_size(share: f64, squares: f64, n_accounts: f64, size: f64, confidence: f64) -> f64 {
    let variance = n_accounts / (n_accounts - 1.0) * squares / (size * size);
    let student = StudentsT::new(0.0, 1.0, n_accounts - 1.0).expect("at least one degree of freedom");
    let widening = student.inverse_cdf(f64::midpoint(1.0, confidence)) / normal_quantile(confidence);
    (share * (1.0 - share) / variance / (widening * widening)).min(size)
}

fn wilson(share: f64, n: f64, confidence: f64) -> (f64, f64) {
    let z = normal_quantile(confidence);
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // At 0 and 1 the formula ends there exactly; rounding must not move it.
    ((centre - half).clamp(0.0, share), (centre + half).clamp(share, 1.0))
}
