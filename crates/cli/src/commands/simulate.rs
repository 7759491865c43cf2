//! `bellwether simulate`

use serde::Serialize;

use crate::args::Simulate;
use crate::failure::Failure;
use crate::output::{grouped, print_json, print_text};
use crate::progress::Bars;

#[derive(Serialize)]
struct Simulated {
    accounts: usize,
    months: usize,
    seed: u64,
    churned: usize,
    expanded: usize,
    last_day: bellwether_core::Date,
}

pub(crate) fn run(arguments: &Simulate) -> Result<(), Failure> {
    let config = bellwether_simulate::SimulateConfig {
        n_accounts: arguments.accounts,
        n_months: arguments.months,
        seed: arguments.seed,
        ..bellwether_simulate::SimulateConfig::default()
    };
    let book = bellwether_simulate::simulate(&config, &arguments.out, &Bars::default())?;
    let simulated = Simulated {
        accounts: arguments.accounts,
        months: arguments.months,
        seed: arguments.seed,
        churned: book.n_churned,
        expanded: book.n_expanded,
        last_day: book.last_day,
    };
    if arguments.json {
        return print_json(&simulated);
    }
    let out = arguments.out.display();
    print_text(&format!(
        "{out}: {} accounts over {} months to {}; {} churned, {} expanded\nnext: bellwether train --book {out}/book.toml --models models",
        grouped(simulated.accounts),
        simulated.months,
        simulated.last_day,
        grouped(simulated.churned),
        grouped(simulated.expanded),
    ))
}
