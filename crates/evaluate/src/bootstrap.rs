//! Drawing accounts with replacement, and percentiles of what comes out.

use bellwether_core::{Progress, quantile};
use rand::{RngExt, SeedableRng, distr::Uniform};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::input::EvaluateOptions;
use crate::linear::student_quantile;
use crate::sample::{Counts, Sample};
use crate::scale::Scale;

/// The least share of replicates in which a value must be defined for its interval to mean something.
const LEAST_DEFINED: f64 = 0.9;

/// `measure` on each replicate, in their order. It is given how often each account was drawn, and the counts by group.
///
/// Replicate `i` draws from stream `i` of the seed's generator, so its bits do not depend on threads.
/// Source: Field and Welsh (2007), the cluster bootstrap.
pub(crate) fn replicates<T: Send>(
    sample: &Sample,
    options: &EvaluateOptions,
    progress: &dyn Progress,
    measure: impl Fn(&[u32], &Counts) -> T + Sync,
) -> Vec<T> {
    let buffers = || (Vec::new(), Counts::default());
    let replicate = |(times, counts): &mut (Vec<u32>, Counts), stream: usize| {
        draw(options.seed, stream as u64, sample.n_accounts(), times);
        sample.count(times, counts);
        progress.advance(1);
        measure(times, counts)
    };
    (0..options.n_bootstrap).into_par_iter().map_init(buffers, replicate).collect()
}

pub(crate) fn draw(seed: u64, stream: u64, n_accounts: usize, times: &mut Vec<u32>) {
    times.clear();
    times.resize(n_accounts, 0);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    let account = Uniform::new(0, n_accounts as u32).expect("a sample that is drawn from has accounts");
    for _ in 0..n_accounts {
        times[random.sample(account) as usize] += 1;
    }
}

/// The middle `confidence` of the defined values; `None` where too few are.
pub(crate) fn percentiles(values: impl Iterator<Item = Option<f64>>, confidence: f64) -> Option<(f64, f64)> {
    let mut sorted = defined(values)?;
    sorted.sort_unstable_by(f64::total_cmp);
    let tail = f64::midpoint(1.0, -confidence);
    quantile(&sorted, tail).zip(quantile(&sorted, 1.0 - tail))
}

/// The values; `None` where too few are defined.
pub(crate) fn defined(values: impl Iterator<Item = Option<f64>>) -> Option<Vec<f64>> {
    let all: Vec<Option<f64>> = values.collect();
    let defined: Vec<f64> = all.iter().copied().flatten().collect();
    (!defined.is_empty() && defined.len() as f64 >= LEAST_DEFINED * all.len() as f64).then_some(defined)
}

/// Mean and standard deviation; `None` with fewer than two values.
pub(crate) fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() > 1).then(|| (mean, (squares / (n - 1.0)).sqrt()))
}

/// How a bootstrap interval is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking {
    pub(crate) scale: Scale,
    /// Independent cases that say as much as the accounts do.
    pub(crate) n_effective: f64,
    /// Accounts.
    pub(crate) n_accounts: usize,
    pub(crate) confidence: f64,
}

/// Student's interval on a scale, around the value less its bootstrap bias, with the replicates' deviation.
///
/// Percentiles of replicates are too narrow with few events and carry a bias twice; measured by `examples/coverage`.
/// Source: Efron and Tibshirani (1993), 10.6 and 12.4; Hesterberg (2015), Am. Stat. 69.
pub(crate) fn student_interval(
    value: f64,
    replicates: impl Iterator<Item = Option<f64>>,
    taking: &Taking,
) -> Option<(f64, f64)> {
    let Taking { scale, n_effective, n_accounts, confidence } = *taking;
    let (least, most) = scale.inner_range(value, n_accounts);
    let replicates = defined(replicates.map(|value| value.map(|value| scale.to(value.clamp(least, most)))))?;
    let centre = Some(scale.to(value)).filter(|centre| centre.is_finite())?;
    let (mean, deviation) = moments(&replicates).filter(|_| n_effective > 1.0)?;
    let half = (n_effective / (n_effective - 1.0)).sqrt() * deviation * student_quantile(n_effective - 1.0, confidence);
    let centre = 2.0 * centre - mean;
    Some((scale.from(centre - half), scale.from(centre + half)))
}
