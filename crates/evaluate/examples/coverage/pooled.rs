//! Coverage of what is pooled over strata, such as the test windows of a backtest, that share accounts.

use bellwether_evaluate::{Estimate, Paired, Scored, pooled_auc, pooled_auc_difference, pooled_log_loss_difference};
use rayon::prelude::*;

use crate::books::{Rows, Source};
use crate::metrics::Tally;
use crate::others::Tallies;

const N_STRATA: usize = 3;

/// Rows of each account in turn, so that every account with as many rows is in each stratum.
fn strata(rows: &Rows) -> Vec<Rows> {
    let mut strata = vec![Rows::default(); N_STRATA];
    for (row, &account) in rows.account.iter().enumerate() {
        let stratum = &mut strata[row % N_STRATA];
        stratum.p.push(rows.p[row]);
        stratum.q.push(rows.q[row]);
        stratum.y.push(rows.y[row]);
        stratum.account.push(account);
    }
    strata
}

/// The pooled AUC against that of a large draw; differences of two equal scores against 0.
pub(crate) fn coverage(source: &Source, seed: u64, n: u64, n_truth: u32) -> Tallies {
    let measured = |stream: u64, n_accounts: u32| -> [Estimate; 3] {
        let strata = strata(&source.draw(seed, stream, n_accounts));
        let scored: Vec<Scored<'_>> =
            strata.iter().map(|of| Scored { probability: &of.p, outcome: &of.y, account: &of.account }).collect();
        let paired: Vec<Paired<'_>> =
            scored.iter().zip(&strata).map(|(&scored, of)| Paired { scored, other: &of.q }).collect();
        [
            pooled_auc(&scored, 0.95).expect("sound"),
            pooled_auc_difference(&paired, 0.95).expect("sound").difference,
            pooled_log_loss_difference(&paired, 0.95).expect("sound").difference,
        ]
    };
    let truth = [measured(0, n_truth)[0].value.expect("a large draw has both classes"), 0.0, 0.0];
    let all: Vec<[Estimate; 3]> = (1..=n).into_par_iter().map(|stream| measured(stream, source.n_accounts)).collect();
    let names = ["pooled AUC, 3 strata", "pooled AUC difference", "pooled log loss difference"];
    let tally = |(at, name)| (name, Tally::of(all.iter().map(|estimates| &estimates[at]), truth[at]));
    names.into_iter().enumerate().map(tally).collect()
}
