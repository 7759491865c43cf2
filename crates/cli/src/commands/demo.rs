//! `bellwether demo`

use std::fs;

use bellwether_simulate::{SimulateConfig, simulate};

use crate::args::Demo;
use crate::commands::score::{self, How};
use crate::commands::train;
use crate::failure::{Failure, Unexpected as _};
use crate::output::print_text;
use crate::progress::{Bars, say};

const SEED: u64 = 1;

pub(crate) fn run(arguments: &Demo) -> Result<(), Failure> {
    let out = &arguments.out;
    fs::create_dir_all(out).unexpected("making the folder")?;
    let (folder, models) = (out.join("book"), out.join("models"));
    let config =
        SimulateConfig { n_accounts: 2000, n_months: 24, seed: SEED, interventions: true, ..SimulateConfig::default() };
    say("simulating 2,000 accounts over 24 months");
    let simulated = simulate(&config, &folder, &Bars::default())?;
    let book = folder.join("book.toml");
    let trained = train::train(&book, &models, SEED, "demo")?;
    let bundle = &trained.registered.path;
    let scored = score::score_book(&book, bundle, simulated.last_day, How::default(), &out.join("scores.parquet"))?;
    let report = out.join("report.html");
    fs::copy(bundle.join("report.html"), &report).unexpected("copying the report")?;
    let next = format!(
        "open {} in a browser; the book is in {}, the bundle in {}, the scores in {}",
        report.display(),
        folder.display(),
        bundle.display(),
        out.join("scores.parquet").display(),
    );
    print_text(&format!("{}\n\n{}\n\n{next}", trained.text(), scored.text()))
}
