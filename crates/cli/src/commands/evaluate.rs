//! `bellwether evaluate`

use std::collections::BTreeMap;

use bellwether_book::FeatureTable;
use bellwether_core::{Date, Outcome, Target};
use bellwether_evaluate::{Evaluation, Practice};
use serde::Serialize;

use crate::args::Evaluate;
use crate::failure::{Failure, Unexpected as _};
use crate::output::{print_json, print_text};
use crate::pipeline::evidence;
use crate::pipeline::opened::Opened;
use crate::pipeline::practice::{self, Unseen};
use crate::pipeline::prepare::LabelledRows;
use crate::progress::Bars;

#[derive(Serialize)]
struct Evaluated<'a> {
    model: &'a str,
    digest: &'a bellwether_core::Digest,
    targets: BTreeMap<String, &'a Evaluation>,
    practice: &'a Practice,
}

pub(crate) fn run(arguments: &Evaluate) -> Result<(), Failure> {
    let bars = Bars::default();
    let opened = Opened::open(&arguments.book, &arguments.model, &bars)?;
    let table = opened.book.history(&opened.book.snapshot_days(), &bars)?.table;
    let x = opened.encode(&table)?;
    let seed = opened.bundle.provenance().seed;
    let (first_day, test_rows) = test_rows(&opened, &table)?;
    let mut evaluations = Vec::new();
    for target in opened.scorer.targets() {
        let rows = labelled(&table, target, &test_rows)?;
        // Every labelled row is evaluated, however little is known of it: leaving rows out would flatter the model.
        let probability = &opened.scorer.probabilities(&x.select(&rows.rows))?[&target];
        let scorecard = opened.bundle.scorecard();
        let options = evidence::options(seed);
        let evaluation = evidence::evaluate_rows(&table, &x, scorecard, &rows, probability, &options, &bars)?;
        evaluations.push((target, evaluation));
    }
    let facts = opened.book.facts(&bars)?;
    let practice = practice::of(&Unseen {
        book: &opened.book,
        facts: &facts,
        table: &table,
        x: &x,
        scorecard: opened.bundle.scorecard(),
        scorer: &opened.scorer,
        test: &test_rows,
        first_day,
        seed,
    })?;
    if arguments.json {
        return print_json(&Evaluated {
            model: opened.bundle.name(),
            digest: opened.bundle.digest(),
            targets: evaluations.iter().map(|(target, evaluation)| (target.to_string(), evaluation)).collect(),
            practice: &practice,
        });
    }
    let texts = evaluations.iter().map(|(target, evaluation)| bellwether_report::evaluation_text(*target, evaluation));
    let practice = bellwether_report::practice_text(&practice);
    print_text(&texts.chain([practice]).collect::<Vec<_>>().join("\n\n"))
}

/// The rows that the bundle's training did not touch: from the first test day on, or the same accounts by hash; those
/// of which a main horizon knows the outcome, so that all horizons are measured on the same rows. By time with that day.
fn test_rows(opened: &Opened, table: &FeatureTable) -> Result<(Option<Date>, Vec<usize>), Failure> {
    let provenance = opened.bundle.provenance();
    if let Some(first_day) = provenance.split.get("test").and_then(|test| test.get(0)).and_then(|day| day.as_str()) {
        let first_day: Date = first_day.parse().unexpected("reading the bundle's split")?;
        let main = Outcome::ALL.into_iter().filter_map(|outcome| opened.scorer.main_target(outcome));
        let main: Vec<_> = main.filter_map(|target| table.labels.get(&target)).collect();
        let is_test =
            |&row: &usize| table.keys[row].as_of >= first_day && main.iter().any(|labels| labels[row].is_some());
        return Ok((Some(first_day), (0..table.n_rows()).filter(is_test).collect()));
    }
    Ok((None, opened.book.split(table, provenance.seed)?.test))
}

fn labelled(table: &FeatureTable, target: Target, rows: &[usize]) -> Result<LabelledRows, Failure> {
    let Some(labels) = table.labels.get(&target) else {
        let message = format!("the book declares no target {target}, which the bundle predicts");
        return Err(Failure::refused(message, "see [targets] in book.toml"));
    };
    let (rows, y): (Vec<usize>, Vec<bool>) = rows.iter().filter_map(|&row| Some((row, labels[row]?))).unzip();
    if rows.is_empty() {
        let message = format!("no test row has a label for {target} yet");
        return Err(Failure::refused(message, "deliver data until at least the horizon after the first test day"));
    }
    Ok(LabelledRows { rows, y })
}
