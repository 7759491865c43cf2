//! Hidden levels that wander from week to week and return to the middle.

use crate::random::Random;

/// How many levels a hidden state has; an odd number, so that there is a middle.
pub(crate) const LEVELS: usize = 17;

/// One weight a level.
pub(crate) type Weights = [f64; LEVELS];

const STEPS: usize = LEVELS - 1;

/// A weekly AR(1) with mean 0 and standard deviation 1 on [`LEVELS`] levels. The level is how many of [`STEPS`]
/// switches are on; each week at most one of them, chosen at random, flips. Mean, variance and autocorrelation are
/// exactly those of the AR(1). Source: the urn of Ehrenfest and Ehrenfest (1907).
pub(crate) struct Chain {
    /// Probability a week that a given switch flips.
    flips: f64,
}

/// The value of a level, in standard deviations.
pub(crate) fn value(level: usize) -> f64 {
    (level as f64 - STEPS as f64 / 2.0) / (STEPS as f64).sqrt() * 2.0
}

impl Chain {
    /// A chain whose levels of two weeks in a row have this correlation, from `1 - 2 / STEPS` to 1.
    pub(crate) const fn new(weekly_correlation: f64) -> Self {
        Self { flips: (1.0 - weekly_correlation) / 2.0 }
    }

    /// Probability that the level is one higher a week later.
    fn up(&self, level: usize) -> f64 {
        self.flips * (STEPS - level) as f64
    }

    /// Probability that the level is one lower a week later.
    fn down(&self, level: usize) -> f64 {
        self.flips * level as f64
    }

    /// The level one week later.
    pub(crate) fn step(&self, level: usize, random: &mut Random) -> usize {
        let drawn = random.uniform();
        if drawn < self.up(level) {
            level + 1
        } else if drawn < self.up(level) + self.down(level) {
            level - 1
        } else {
            level
        }
    }

    /// The weights of the levels one week later.
    pub(crate) fn spread(&self, weights: &Weights) -> Weights {
        let mut next = [0.0; LEVELS];
        for (level, &weight) in weights.iter().enumerate() {
            let (up, down) = (weight * self.up(level), weight * self.down(level));
            next[level] += weight - up - down;
            if level < STEPS {
                next[level + 1] += up;
            }
            if level > 0 {
                next[level - 1] += down;
            }
        }
        next
    }

    /// A level as it is after a long time.
    pub(crate) fn settled(random: &mut Random) -> usize {
        (0..STEPS).filter(|_| random.chance(0.5)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_the_next_week_is_the_correlation_times_this_week() {
        for correlation in [0.9, 0.97, 1.0] {
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
        let ways = |level: usize| (0..level).map(|k| (STEPS - k) as f64 / (level - k) as f64).product::<f64>();
        let settled: Weights = std::array::from_fn(|level| ways(level) / 2_f64.powi(STEPS as i32));
        let variance: f64 = settled.iter().enumerate().map(|(level, weight)| weight * value(level).powi(2)).sum();
        assert!((variance - 1.0).abs() < 1e-12);
        for (now, next) in settled.iter().zip(Chain::new(0.97).spread(&settled)) {
            assert!((now - next).abs() < 1e-12);
        }
    }
}
