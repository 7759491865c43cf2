//! Intervals of shares, of independent rows and of rows by account.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::linear::student_quantile;
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
    Share::of(accounts)
        .map_or_else(Estimate::default, |share| Estimate::new(Some(share.value), Some(share.interval(confidence))))
}

/// The share of `first` less that of `second`, with the interval that squares and adds the sides of Wilson's by account: it
/// is not empty where all or none of one are hits. Accounts that are in both count as different ones.
/// Source: Newcombe (1998), Statistics in Medicine 17, method 10.
pub(crate) fn share_difference(first: &[Part], second: &[Part], confidence: f64) -> Estimate {
    let Some((first, second)) = Share::of(first).zip(Share::of(second)) else { return Estimate::default() };
    let [(low, high), (low_of_second, high_of_second)] = [first, second].map(|share| share.interval(confidence));
    let value = first.value - second.value;
    let below = (first.value - low).hypot(high_of_second - second.value);
    let above = (high - first.value).hypot(second.value - low_of_second);
    Estimate::new(Some(value), Some((value - below, value + above)))
}

/// A share of all hits, and how it differs over accounts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) value: f64,
    size: f64,
    n_accounts: f64,
    /// Squared hits beyond those expected, summed over accounts.
    squares: f64,
}

impl Share {
    /// `None` where all accounts have size 0.
    pub(crate) fn of(accounts: &[Part]) -> Option<Self> {
        let accounts = || accounts.iter().filter(|account| account.size > 0);
        let (hits, size) = accounts()
            .fold((0.0, 0.0), |(hits, size), account| (hits + f64::from(account.hits), size + f64::from(account.size)));
        let value = hits / size;
        let squares =
            accounts().map(|account| (f64::from(account.hits) - value * f64::from(account.size)).powi(2)).sum();
        (size > 0.0).then(|| Self { value, size, n_accounts: accounts().count() as f64, squares })
    }

    /// Wilson's, of the effective size.
    pub(crate) fn interval(&self, confidence: f64) -> (f64, f64) {
        let Self { value, size, n_accounts, squares } = *self;
        let n_effective = if n_accounts == size {
            size
        } else if squares > 0.0 && n_accounts > 1.0 {
            effective_size(value, squares, n_accounts, size, confidence)
        } else {
            n_accounts
        };
        wilson(value, n_effective, confidence)
    }
}

/// How many independent rows would say as much: the variance of a ratio over accounts, then Student's quantile for the few
/// accounts that it was estimated from. Never more than there are rows.
/// Source: Korn and Graubard (1998), Survey Methodology 24; in Wilson's interval: Franco et al. (2019), JSSAM 7.
fn effective_size(share: f64, squares: f64, n_accounts: f64, size: f64, confidence: f64) -> f64 {
    let variance = n_accounts / (n_accounts - 1.0) * squares / (size * size);
    let widening = student_quantile(n_accounts - 1.0, confidence) / normal_quantile(confidence);
    (share * (1.0 - share) / variance / (widening * widening)).min(size)
}

pub(crate) fn wilson(share: f64, n: f64, confidence: f64) -> (f64, f64) {
    let z = normal_quantile(confidence);
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // At 0 and 1 the formula ends there exactly; rounding must not move it.
    ((centre - half).clamp(0.0, share), (centre + half).clamp(share, 1.0))
}
