//! Hidden levels that wander from week to week and return to the middle.

use crate::random::Random;

/// How many levels a hidden state has; an odd number, so that there is a middle.
pub(crate) const LEVELS: usize = 17;

/// One weight a level.
pub(crate) type Weights = [f64; LEVELS];

const STEPS: usize = LEVELS - 1;

/// A weekly AR(1) with mean 0 and standard deviation 1 on [`LEVELS`] levels. The level is the number of successes among
/// independent switches, so its mean, variance and autocorrelation are exactly those of the AR(1).
/// Source: Rouwenhorst (1995).
pub(crate) struct Chain {
    transition: [Weights; LEVELS],
}

/// The value of a level, in standard deviations.
pub(crate) fn value(level: usize) -> f64 {
    (level as f64 - STEPS as f64 / 2.0) / (STEPS as f64).sqrt() * 2.0
}

impl Chain {
    /// A chain whose levels of two weeks in a row have this correlation.
    pub(crate) fn new(weekly_correlation: f64) -> Self {
        let stay = f64::midpoint(1.0, weekly_correlation);
        let row = |level: usize| {
            let mut row = [0.0; LEVELS];
            for (kept, p) in binomial(level, stay).into_iter().enumerate() {
                for (won, q) in binomial(STEPS - level, 1.0 - stay).into_iter().enumerate() {
                    row[kept + won] += p * q;
                }
            }
            row
        };
        Self { transition: std::array::from_fn(row) }
    }

    /// The level one week later.
    pub(crate) fn step(&self, level: usize, random: &mut Random) -> usize {
        draw(&self.transition[level], random)
    }

    /// The weights of the levels one week later.
    pub(crate) fn spread(&self, weights: &Weights) -> Weights {
        let mut next = [0.0; LEVELS];
        for (weight, row) in weights.iter().zip(&self.transition) {
            for (next, share) in next.iter_mut().zip(row) {
                *next += weight * share;
            }
        }
        next
    }

    /// A level as it is after a long time.
    pub(crate) fn settled(random: &mut Random) -> usize {
        (0..STEPS).filter(|_| random.chance(0.5)).count()
    }
}

fn draw(weights: &Weights, random: &mut Random) -> usize {
    let mut left = random.uniform();
    for (level, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return level;
        }
    }
    STEPS
}

fn binomial(n: usize, p: f64) -> Vec<f64> {
    let mut weights = vec![1.0];
    for _ in 0..n {
        let mut next = vec![0.0; weights.len() + 1];
        for (k, weight) in weights.iter().enumerate() {
            next[k] += weight * (1.0 - p);
            next[k + 1] += weight * p;
        }
        weights = next;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_the_next_week_is_the_correlation_times_this_week() {
        for correlation in [0.0, 0.9, 0.97] {
            let chain = Chain::new(correlation);
            for level in 0..LEVELS {
                let mut now = [0.0; LEVELS];
                now[level] = 1.0;
                let next = chain.spread(&now);
                let mean: f64 = next.iter().enumerate().map(|(to, weight)| weight * value(to)).sum();
                assert!((next.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                assert!((mean - correlation * value(level)).abs() < 1e-12, "{correlation}, level {level}: {mean}");
            }
        }
    }

    #[test]
    fn the_settled_levels_have_variance_one_and_stay_settled() {
        let settled: Weights = binomial(STEPS, 0.5).try_into().expect("there is a weight a level");
        let variance: f64 = settled.iter().enumerate().map(|(level, weight)| weight * value(level).powi(2)).sum();
        assert!((variance - 1.0).abs() < 1e-12);
        for (now, next) in settled.iter().zip(Chain::new(0.97).spread(&settled)) {
            assert!((now - next).abs() < 1e-12);
        }
    }
}
