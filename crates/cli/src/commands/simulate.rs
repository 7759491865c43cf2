//! `bellwether simulate`

use std::collections::BTreeSet;

use bellwether_simulate::{Leak, SimulateConfig, simulate};
use serde::Serialize;

use crate::args::{ALL_LEAKS, Simulate};
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
    /// What the true probabilities reach as scores.
    bayes_auc: BayesAuc,
    leaks: Vec<&'static str>,
}

#[derive(Serialize)]
struct BayesAuc {
    churn: Option<f64>,
    expansion: Option<f64>,
}

pub(crate) fn run(arguments: &Simulate) -> Result<(), Failure> {
    let config = SimulateConfig {
        n_accounts: arguments.accounts,
        n_months: arguments.months,
        seed: arguments.seed,
        interventions: arguments.interventions,
        reveal: arguments.reveal,
        leaks: leaks(&arguments.leaks),
        ..SimulateConfig::default()
    };
    let book = simulate(&config, &arguments.out, &Bars::default())?;
    let simulated = Simulated {
        accounts: arguments.accounts,
        months: arguments.months,
        seed: arguments.seed,
        churned: book.n_churned,
        expanded: book.n_expanded,
        last_day: book.last_day,
        bayes_auc: BayesAuc { churn: book.bayes_auc.churn, expansion: book.bayes_auc.expansion },
        leaks: config.leaks.iter().map(|leak| leak.name()).collect(),
    };
    if arguments.json {
        return print_json(&simulated);
    }
    print_text(&simulated.text(&arguments.out.display().to_string()))
}

/// The kinds of these names.
fn leaks(names: &[String]) -> BTreeSet<Leak> {
    let is_named = |leak: &Leak| names.iter().any(|name| name == leak.name() || name == ALL_LEAKS);
    Leak::ALL.into_iter().filter(is_named).collect()
}

impl Simulated {
    fn text(&self, out: &str) -> String {
        let auc = |auc: Option<f64>| auc.map_or_else(|| "undefined".to_owned(), |auc| format!("{auc:.3}"));
        let leaks = if self.leaks.is_empty() { String::new() } else { format!("\nplanted: {}", self.leaks.join(", ")) };
        format!(
            "{out}: {} accounts over {} months to {}; {} churned, {} expanded\n\
             the best possible model's ROC AUC: churn {}, expansion {}{leaks}\n\
             next: bellwether train --book {out}/book.toml --models models",
            grouped(self.accounts),
            self.months,
            self.last_day,
            grouped(self.churned),
            grouped(self.expanded),
            auc(self.bayes_auc.churn),
            auc(self.bayes_auc.expansion),
        )
    }
}
