//! Books whose truth is known.

use bellwether_core::Band;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

/// How rows come about. Event and score share what the account and the row show; `hidden` moves the outcome alone, for all
/// rows of an account, so that even a good score leaves rows of one account dependent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) n_accounts: u32,
    pub(crate) rows_each: u32,
    pub(crate) intercept: f64,
    pub(crate) account: f64,
    pub(crate) row: f64,
    pub(crate) hidden: f64,
    /// What the score's logit is multiplied by: 1 is the truth but for what is hidden.
    pub(crate) sharpness: f64,
}

/// Rows of one draw: two scores of equal quality, outcomes, accounts, and a band by each score.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) p: Vec<f64>,
    pub(crate) q: Vec<f64>,
    pub(crate) y: Vec<bool>,
    pub(crate) account: Vec<u32>,
    pub(crate) bands: Vec<Option<Band>>,
}

impl Source {
    /// Accounts of `rows_each` rows from stream `stream` of `seed`.
    pub(crate) fn draw(&self, seed: u64, stream: u64, n_accounts: u32) -> Rows {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        let normal = Normal::standard();
        let mut noise = |sd: f64| sd * normal.inverse_cdf(random.random::<f64>().clamp(1e-12, 1.0 - 1e-12));
        let mut rows = Rows::default();
        for account in 0..n_accounts {
            let (seen, hidden) = (noise(self.account), noise(self.hidden));
            for _ in 0..self.rows_each {
                let seen = self.intercept + seen + noise(self.row);
                let event = normal.cdf(noise(1.0)) < sigmoid(seen + hidden);
                let p = sigmoid(self.sharpness * (seen + noise(0.7)));
                rows.q.push(sigmoid(self.sharpness * (seen + noise(0.7))));
                rows.bands.push(Some(band_of(p)));
                rows.p.push(p);
                rows.y.push(event);
                rows.account.push(account);
            }
        }
        rows
    }
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

fn band_of(p: f64) -> Band {
    match p {
        p if p > 0.25 => Band::Red,
        p if p > 0.1 => Band::Yellow,
        _ => Band::Green,
    }
}

pub(crate) const INDEPENDENT: Source = Source {
    name: "1,000 accounts x 1 snapshot",
    n_accounts: 1_000,
    rows_each: 1,
    intercept: -2.6,
    account: 0.0,
    row: 1.5,
    hidden: 0.0,
    sharpness: 0.8,
};

/// Some 30 events: as few as a verdict may rest on.
pub(crate) const SMALL: Source = Source { name: "300 accounts x 1 snapshot", n_accounts: 300, ..INDEPENDENT };

pub(crate) const CLUSTERED: Source = Source {
    name: "200 accounts x 6 snapshots",
    n_accounts: 200,
    rows_each: 6,
    account: 1.2,
    row: 0.8,
    hidden: 0.8,
    ..INDEPENDENT
};

pub(crate) const LARGE: Source =
    Source { name: "2,000 accounts x 3 snapshots", n_accounts: 2_000, rows_each: 3, ..CLUSTERED };
