//! Rows that several tests share.

#![expect(dead_code, reason = "each test binary uses a part")]

use bellwether_core::Quiet;
use bellwether_evaluate::{Cohort, EvaluateOptions, Evaluation, Scored, evaluate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Two probabilities, outcomes and accounts of the same rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) p: Vec<f64>,
    pub(crate) q: Vec<f64>,
    pub(crate) y: Vec<bool>,
    pub(crate) account: Vec<u32>,
}

impl Rows {
    pub(crate) fn scored(&self) -> Scored<'_> {
        Scored { probability: &self.p, outcome: &self.y, account: &self.account }
    }

    pub(crate) fn evaluate(&self, cohorts: &[Cohort], options: &EvaluateOptions) -> Evaluation {
        evaluate(&self.scored(), None, cohorts, options, &Quiet).expect("the rows are sound")
    }

    /// The rows at `places`, in that order.
    pub(crate) fn at(&self, places: &[usize]) -> Self {
        Self {
            p: places.iter().map(|&at| self.p[at]).collect(),
            q: places.iter().map(|&at| self.q[at]).collect(),
            y: places.iter().map(|&at| self.y[at]).collect(),
            account: places.iter().map(|&at| self.account[at]).collect(),
        }
    }
}

/// The rows of `reference.rs`, see there.
pub(crate) fn reference() -> Rows {
    let mut rows = Rows::default();
    for i in 0..120_u32 {
        let p = f64::from((i * 37) % 101 + 1) / 103.0;
        rows.p.push(p);
        rows.q.push(f64::from((i * 53) % 97 + 1) / 99.0);
        rows.y.push(f64::from((i * 29) % 83) < 83.0 * p * 0.8);
        rows.account.push((i * 7) % 30 / (1 + i % 2));
    }
    rows
}

/// A calibrated score `p` and a noisier, calibrated-no-more `q`, several rows an account, accounts unlike each other.
pub(crate) fn book(seed: u64, n_accounts: u32, rows_each: u32) -> Rows {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = || random.random::<f64>() - 0.5;
    let mut rows = Rows::default();
    for account in 0..n_accounts {
        let of_account = 4.0 * uniform();
        for _ in 0..rows_each {
            let logit = of_account + 2.0 * uniform() - 1.5;
            let p = 1.0 / (1.0 + (-logit).exp());
            rows.p.push(p);
            rows.q.push(1.0 / (1.0 + (-logit - 3.0 * uniform()).exp()));
            rows.y.push(uniform() + 0.5 < p);
            rows.account.push(account);
        }
    }
    rows
}

/// Equal to 1e-12, relative above 1.
#[track_caller]
pub(crate) fn near(found: Option<f64>, expected: f64) {
    let found = found.expect("the value is defined");
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{found} is not {expected}");
}
