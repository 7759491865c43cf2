//! Drawing accounts with replacement, and percentiles of what comes out.

use bellwether_core::Progress;
use rand::{RngExt, SeedableRng, distr::Uniform};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::input::EvaluateOptions;
use crate::sample::{Counts, Sample};

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

fn draw(seed: u64, stream: u64, n_accounts: usize, times: &mut Vec<u32>) {
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
    let all: Vec<Option<f64>> = values.collect();
    let mut sorted: Vec<f64> = all.iter().copied().flatten().collect();
    if sorted.is_empty() || (sorted.len() as f64) < LEAST_DEFINED * all.len() as f64 {
        return None;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let tail = f64::midpoint(1.0, -confidence);
    Some((quantile(&sorted, tail), quantile(&sorted, 1.0 - tail)))
}

/// Straight between neighbours. Source: Hyndman and Fan (1996), type 7.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
