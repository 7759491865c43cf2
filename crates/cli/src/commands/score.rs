//! `bellwether score`

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use bellwether_book::{Column, FeatureTable, Table, check_output, write_table};
use bellwether_core::{Assessment, Band, Date, FeatureMatrix, Outcome, RowStatus, Target};
use bellwether_score::{Scorer, Scores};
use serde::Serialize;

use crate::args::Score;
use crate::failure::Failure;
use crate::output::{grouped, print_json, print_text};
use crate::pipeline::opened::Opened;
use crate::pipeline::revenue;
use crate::progress::{Bars, say};

/// What a scoring run did.
#[derive(Serialize)]
pub(crate) struct Scored {
    model: String,
    digest: String,
    as_of: Date,
    rows: usize,
    by_status: BTreeMap<&'static str, usize>,
    by_band: BTreeMap<&'static str, usize>,
    seconds: f64,
    out: String,
}

pub(crate) fn run(arguments: &Score) -> Result<(), Failure> {
    let scored = score(&arguments.book, &arguments.model, arguments.as_of, &arguments.out)?;
    if arguments.json { print_json(&scored) } else { print_text(&scored.text()) }
}

/// Scores every account of a book and writes the file.
pub(crate) fn score(book: &Path, model: &Path, as_of: Date, out: &Path) -> Result<Scored, Failure> {
    let began = Instant::now();
    let bars = Bars::default();
    check_output(out)?;
    say(&format!("scoring {} as of {as_of}", book.display()));
    let opened = Opened::open(book, model, &bars)?;
    let table = opened.book.as_of(as_of, &bars)?;
    let scores = opened.scorer.score(&opened.encode(&table)?)?;
    let status: Vec<RowStatus> =
        table.status.iter().zip(&scores.status).map(|(&book, &row)| worse(book, row)).collect();
    let readiness = readiness(&opened, &opened.encode(&table)?);
    write_table(&output(&opened, &table, &scores, readiness.as_deref(), &status), out)?;
    let mut scored = Scored {
        model: opened.bundle.name().to_owned(),
        digest: opened.bundle.digest().to_string(),
        as_of,
        rows: status.len(),
        by_status: BTreeMap::new(),
        by_band: BTreeMap::new(),
        seconds: began.elapsed().as_secs_f64(),
        out: out.display().to_string(),
    };
    for (row, status) in status.iter().enumerate() {
        *scored.by_status.entry(status.name()).or_default() += 1;
        if let Some(band) = scores.band[row].filter(|_| *status == RowStatus::Scored) {
            *scored.by_band.entry(band.name()).or_default() += 1;
        }
    }
    Ok(scored)
}

/// An account that is no customer has no numbers, whatever its features say.
const fn worse(of_book: RowStatus, of_row: RowStatus) -> RowStatus {
    match of_book {
        RowStatus::Scored => of_row,
        other => other,
    }
}

/// The expansion readiness of each row; `None` where the bundle has none.
fn readiness(opened: &Opened, x: &FeatureMatrix) -> Option<Vec<Option<f64>>> {
    let card = opened.bundle.readiness()?;
    let rows: Vec<usize> = (0..x.n_rows()).collect();
    let shown = |found: &Assessment| (!found.is_refused).then_some(found.score);
    Some(card.assess(x, &rows).iter().map(shown).collect())
}

fn output(
    opened: &Opened,
    table: &FeatureTable,
    scores: &Scores,
    readiness: Option<&[Option<f64>]>,
    status: &[RowStatus],
) -> Table {
    let n_rows = status.len();
    let numbers = |value: &dyn Fn(usize) -> Option<f64>| -> Column {
        Column::Float((0..n_rows).map(|row| value(row).filter(|_| status[row].has_probabilities())).collect())
    };
    let shares = |shares: &[f64]| Column::Float(shares.iter().copied().map(Some).collect());
    let is_scored = |row: usize| status[row] == RowStatus::Scored;
    let text = |value: &dyn Fn(usize) -> Option<String>| Column::Text((0..n_rows).map(value).collect());
    let probability = |outcome: Outcome| {
        let main = opened.scorer.main_target(outcome).and_then(|target| scores.probability.get(&target));
        move |row: usize| main.and_then(|values| values[row])
    };
    let churn = probability(Outcome::Churn);
    let arr = |row: usize| table.arr.as_ref().map(|arr| arr[row]).filter(|arr| !arr.is_nan());
    let digest = opened.bundle.digest().to_string();
    let mut out = Table::default()
        .with("account_id", text(&|row| Some(table.keys[row].account.to_string())))
        .with("as_of", Column::Date(table.keys.iter().map(|key| Some(key.as_of)).collect()))
        .with("status", text(&|row| Some(status[row].name().to_owned())))
        .with("coverage", shares(&scores.coverage))
        .with("health_coverage", shares(&scores.health_coverage))
        .with("health_score", numbers(&|row| scores.health_score[row]))
        .with("band", text(&|row| scores.band[row].filter(|_| is_scored(row)).map(Band::name).map(str::to_owned)))
        .with("churn_probability", numbers(&churn))
        .with("expansion_probability", numbers(&probability(Outcome::Expansion)));
    for (target, values) in &scores.probability {
        if let Some(column) = further_column(&opened.scorer, *target) {
            out = out.with(&column, numbers(&|row| values[row]));
        }
    }
    if let Some(readiness) = readiness {
        out = out.with("expansion_readiness", numbers(&|row| readiness[row]));
    }
    out = out.with("arr", numbers(&arr)).with("arr_at_risk", numbers(&|row| Some(arr(row)? * churn(row)?)));
    if let Some(gains) = revenue::expected_gains(opened, table, &scores.probability) {
        out = out.with("expected_expansion_arr", numbers(&|row| Some(arr(row)? * gains[row]?)));
    }
    out.with("model", text(&|_| Some(opened.bundle.name().to_owned())))
        .with("model_digest", text(&|_| Some(digest.clone())))
}

/// The column of a probability that not every model version has: of another outcome, or another horizon than the main.
fn further_column(scorer: &Scorer, target: Target) -> Option<String> {
    let outcome = target.outcome;
    let is_main = scorer.main_target(outcome) == Some(target);
    let (name, days) = (outcome.name(), target.horizon_days);
    match outcome {
        _ if !is_main => Some(format!("{name}_probability_{days}d")),
        Outcome::Churn | Outcome::Expansion => None,
        Outcome::Contraction => Some(format!("{name}_probability")),
    }
}

impl Scored {
    pub(crate) fn text(&self) -> String {
        let counts = |of: &BTreeMap<&'static str, usize>| {
            of.iter().map(|(name, n)| format!("{} {name}", grouped(*n))).collect::<Vec<_>>().join(", ")
        };
        format!(
            "{}: {} accounts as of {} in {:.1} s ({})\nbands: {}",
            self.out,
            grouped(self.rows),
            self.as_of,
            self.seconds,
            counts(&self.by_status),
            counts(&self.by_band),
        )
    }
}
