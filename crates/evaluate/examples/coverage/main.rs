//! How often intervals hold the truth, and how often a difference is claimed where there is none.
//!
//! `cargo run -p bellwether-evaluate --example coverage -- [SEED] [SIMULATIONS] [REPLICATES]`; 1, 1000 and 500 by default.

mod alarms;
mod books;
mod metrics;
mod others;
mod pooled;

use books::{CLUSTERED, INDEPENDENT, LARGE, SMALL, Source};
use metrics::Tally;

/// Accounts of the draw that stands for the truth.
const N_TRUTH: u32 = 600_000;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a whole number"));
    let seed = arguments.next().unwrap_or(1);
    let n = arguments.next().unwrap_or(1_000);
    let n_bootstrap = arguments.next().unwrap_or(500) as usize;

    println!("nominal 95 %, {n} simulations, {n_bootstrap} replicates, seed {seed}\n");
    print("shares and medians", &others::rates_and_medians(seed, n));
    for source in [&INDEPENDENT, &CLUSTERED, &SMALL] {
        let mut tallies = metrics::coverage(source, seed, n, n_bootstrap, N_TRUTH);
        tallies.extend(others::correlations_and_differences(source, seed, n, N_TRUTH));
        tallies.extend(pooled::coverage(source, seed, n, N_TRUTH));
        if source.rows_each == 1 {
            tallies.extend(others::values(source, seed, n, n_bootstrap, N_TRUTH));
        }
        print(source.name, &tallies);
    }
    for source in [&INDEPENDENT, &CLUSTERED, &LARGE] {
        print_alarms(source, &alarms::alarms(source, seed, n));
    }
}

fn print(name: &str, tallies: &[(&'static str, Tally)]) {
    println!("{name}");
    for (kind, tally) in tallies {
        let Tally { above, below, none, .. } = tally;
        let coverage = tally.coverage().map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        println!("  {kind:<36} {coverage:>7}   too high {above:3}, too low {below:3}, none {none}");
    }
    println!();
}

fn print_alarms(source: &Source, alarms: &alarms::Alarms) {
    let percent =
        |shares: &[f64]| shares.iter().map(|share| format!("{:.1} %", 100.0 * share)).collect::<Vec<_>>().join(", ");
    println!("{}: where nothing differs", source.name);
    println!("  called superior by AUC, log loss, Brier   {}", percent(&alarms.superior));
    println!("  any of 14 cohorts superior or worse       {}", percent(&[alarms.any_cohort]));
    println!("  any bias alarm, {:4.1} gaps tested          {}", alarms.n_tested, percent(&[alarms.any_bias]));
    println!("  p <= 0.05 before correction, AUC, calibration, FPR, FNR   {}\n", percent(&alarms.uncorrected));
}
