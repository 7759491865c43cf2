//! A quick form of `examples/coverage`: 120 simulations, so that 95 % is met within four deviations of 2 %.

#[path = "../examples/coverage/alarms.rs"]
mod alarms;
#[path = "../examples/coverage/books.rs"]
#[expect(dead_code, reason = "the quick form leaves some books out")]
mod books;
#[path = "../examples/coverage/metrics.rs"]
mod metrics;
#[path = "../examples/coverage/others.rs"]
mod others;
#[path = "../examples/coverage/pooled.rs"]
mod pooled;

use books::{CLUSTERED, INDEPENDENT};

const SEED: u64 = 1;
const N: u64 = 120;
const N_TRUTH: u32 = 100_000;

fn check(tallies: &[(&'static str, metrics::Tally)]) {
    for (kind, tally) in tallies {
        let coverage = tally.coverage().expect("there are intervals");
        assert!((0.87..=1.0).contains(&coverage) && tally.none == 0, "{kind}: {coverage} {tally:?}");
    }
}

#[test]
fn intervals_hold_the_truth() {
    check(&others::rates_and_medians(SEED, N));
    check(&metrics::coverage(&CLUSTERED, SEED, N, 100, N_TRUTH));
    check(&others::correlations_and_differences(&CLUSTERED, SEED, N, N_TRUTH));
    check(&pooled::coverage(&CLUSTERED, SEED, N, N_TRUTH));
    check(&others::values(&INDEPENDENT, SEED, N, 100, N_TRUTH));
}

/// 2.5 % and 5 % are meant; 120 draws leave up to 8 % and 13 %.
#[test]
fn nothing_is_claimed_where_nothing_differs() {
    let alarms = alarms::alarms(&INDEPENDENT, SEED, N);
    assert!(alarms.superior.iter().all(|&share| share <= 0.08), "{:?}", alarms.superior);
    assert!(alarms.any_cohort <= 0.1 && alarms.any_bias <= 0.1, "{} {}", alarms.any_cohort, alarms.any_bias);
    assert!(alarms.n_tested > 20.0 && alarms.uncorrected.iter().all(|&share| share < 0.1), "{:?}", alarms.uncorrected);
}
