//! How often each interval of an evaluation holds the truth.

use bellwether_core::Quiet;
use bellwether_evaluate::{Estimate, EvaluateOptions, Evaluation, Scored, evaluate};
use rayon::prelude::*;

use crate::books::{Rows, Source};

/// Simulations that held the truth, lay above it, lay below it, and had no interval.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) held: u32,
    pub(crate) above: u32,
    pub(crate) below: u32,
    pub(crate) none: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, estimate: &Estimate, truth: f64) {
        match estimate.low.zip(estimate.high) {
            None => self.none += 1,
            Some((low, _)) if low > truth => self.above += 1,
            Some((_, high)) if high < truth => self.below += 1,
            Some(_) => self.held += 1,
        }
    }

    /// How often the estimates held `truth`.
    pub(crate) fn of<'a>(estimates: impl Iterator<Item = &'a Estimate>, truth: f64) -> Self {
        let mut tally = Self::default();
        estimates.for_each(|estimate| tally.add(estimate, truth));
        tally
    }

    /// Share of the intervals that held; `None` where there was none.
    pub(crate) fn coverage(&self) -> Option<f64> {
        let n = self.held + self.above + self.below;
        (n > 0).then(|| f64::from(self.held) / f64::from(n))
    }
}

type Pick = (&'static str, fn(&Evaluation) -> Estimate);

const PICKS: [Pick; 15] = [
    ("base rate (Wilson)", |of| of.overall.base_rate),
    ("ROC AUC (DeLong)", |of| of.overall.roc_auc),
    ("PR AUC", |of| of.overall.pr_auc),
    ("log loss", |of| of.overall.log_loss),
    ("Brier", |of| of.overall.brier),
    ("calibration slope", |of| of.overall.calibration_slope),
    ("calibration intercept", |of| of.overall.calibration_intercept),
    ("ECE", |of| of.overall.ece),
    ("precision at 10 %", |of| of.overall.at_k[0].precision),
    ("recall at 10 %", |of| of.overall.at_k[0].recall),
    ("lift at 10 %", |of| of.overall.at_k[0].lift),
    ("red event rate (Wilson)", |of| of.by_band[0].event_rate),
    ("red recall", |of| of.by_band[0].recall),
    ("red lift", |of| of.by_band[0].lift),
    ("green recall", |of| of.by_band[2].recall),
];

/// Coverage by interval kind over `n` draws, the truth taken from `n_truth` accounts.
pub(crate) fn coverage(
    source: &Source,
    seed: u64,
    n: u64,
    n_bootstrap: usize,
    n_truth: u32,
) -> Vec<(&'static str, Tally)> {
    let evaluated = |rows: &Rows, n_bootstrap: usize, seed: u64| {
        let options = EvaluateOptions { seed, n_bootstrap, k_shares: vec![0.1], ..EvaluateOptions::default() };
        let scored = Scored { probability: &rows.p, outcome: &rows.y, account: &rows.account };
        evaluate(&scored, Some(&rows.bands), &[], &options, &Quiet).expect("the rows are sound")
    };
    let truth = evaluated(&source.draw(seed, 0, n_truth), 0, 0);
    let all: Vec<Evaluation> = (1..=n)
        .into_par_iter()
        .map(|stream| evaluated(&source.draw(seed, stream, source.n_accounts), n_bootstrap, stream))
        .collect();
    let tally = |&(name, pick): &Pick| {
        let mut tally = Tally::default();
        let truth = pick(&truth).value.expect("a large book has every value");
        for of in &all {
            tally.add(&pick(of), truth);
        }
        (name, tally)
    };
    PICKS.iter().map(tally).collect()
}
