//! An account's own stream of random numbers.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Poisson, StandardNormal};

use crate::Leak;

/// An account's own stream of random numbers.
pub(crate) struct Random(ChaCha8Rng);

/// What draws beside an account's main stream, each from a stream of its own, so that none moves another's draws.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    Interventions,
    Tickets,
    Surveys,
    Invoices,
    Adoption,
    Engagement,
    Messages,
    Goals,
    External,
    Crm,
    Leak(Leak),
}

impl Topic {
    fn number(self) -> u64 {
        match self {
            Self::Interventions => 1,
            Self::Tickets => 2,
            Self::Surveys => 3,
            Self::Invoices => 4,
            Self::Adoption => 5,
            Self::Engagement => 6,
            Self::Messages => 7,
            Self::Goals => 8,
            Self::External => 9,
            Self::Crm => 10,
            Self::Leak(leak) => 0x100 + leak as u64,
        }
    }
}

impl Random {
    /// The stream of account `number` of the book `seed`.
    pub(crate) fn of_account(seed: u64, number: usize) -> Self {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        stream.set_stream(number as u64);
        Self(stream)
    }

    /// The stream of account `number` that only this topic draws from.
    pub(crate) fn of_topic(seed: u64, number: usize, topic: Topic) -> Self {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        // Numbers of accounts stay below this bit.
        stream.set_stream(number as u64 | (topic.number() << 40));
        Self(stream)
    }

    /// In `[0, 1)`.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// In `0..n`, for `n` above 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.0.random_range(0..n)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Mean 0, standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Mean 1: the hazard that is survived before an event.
    pub(crate) fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    /// A Poisson count with this mean.
    pub(crate) fn count(&mut self, mean: f64) -> u32 {
        Poisson::new(mean).map_or(0, |poisson| poisson.sample(&mut self.0) as u32)
    }

    /// How many of `n` meet a condition that each meets with this probability; by the normal approximation, in `0..=n`.
    pub(crate) fn share_of(&mut self, n: f64, probability: f64) -> f64 {
        let mean = n * probability;
        (mean + (mean * (1.0 - probability)).sqrt() * self.normal()).round().clamp(0.0, n)
    }

    /// One of `choices`, each as likely as another.
    pub(crate) fn one_of<T: Copy, const N: usize>(&mut self, choices: &[T; N]) -> T {
        choices[self.below(N as u32) as usize]
    }

    /// One of `choices`, each with its weight.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[(T, f64)]) -> T {
        let total: f64 = choices.iter().map(|(_, weight)| weight).sum();
        let mut left = self.uniform() * total;
        for &(choice, weight) in choices {
            left -= weight;
            if left < 0.0 {
                return choice;
            }
        }
        choices.last().expect("every list of choices is a constant with entries").0
    }
}
