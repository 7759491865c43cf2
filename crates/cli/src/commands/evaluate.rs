//! `bellwether evaluate`

use std::collections::BTreeMap;

use bellwether_book::FeatureTable;
use bellwether_core::Date;
use bellwether_evaluate::{Evaluation, Practice};
use serde::Serialize;

use crate::args::Evaluate;
use crate::failure::Failure;
use crate::output::{print_json, print_text};
use crate::pipeline::evidence;
use crate::pipeline::opened::Opened;
use crate::pipeline::practice::{self, Unseen};
use crate::pipeline::test_rows;
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
    let (first_day, unseen) = test_rows(&opened, &table)?;
    let mut evaluations = Vec::new();
    for target in opened.scorer.targets() {
        let rows = test_rows::labelled(&table, target, &unseen)?;
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
        test: &unseen,
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

/// The rows that the bundle's training did not touch: from the first test day on, or the same accounts by hash. By time with
/// that day.
fn test_rows(opened: &Opened, table: &FeatureTable) -> Result<(Option<Date>, Vec<usize>), Failure> {
    let first_day = test_rows::first_day(&opened.bundle)?;
    let rows = match first_day {
        Some(day) => test_rows::from_day(table, &opened.scorer, day),
        None => opened.book.split(table, opened.bundle.provenance().seed)?.test,
    };
    Ok((first_day, rows))
}
