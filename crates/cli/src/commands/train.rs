//! `bellwether train`

use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_book::{Audit, Book, BookFile};
use bellwether_bundle::Bundle;
use bellwether_core::Digest;
use bellwether_evaluate::Practice;
use bellwether_registry::{Registered, Registry};
use bellwether_report::{CoefficientReport, TargetReport};
use bellwether_score::Scorer;
use serde::Serialize;

use crate::args::Train;
use crate::failure::Failure;
use crate::output::{print_json, print_text};
use crate::pipeline::assemble::{self, Evidence};
use crate::pipeline::fit::Candidates;
use crate::pipeline::prepare::{Built, Prepared};
use crate::pipeline::{audit, evidence, practice, scorecard};
use crate::progress::{Bars, say};
use crate::threads;

#[derive(Serialize)]
pub(crate) struct Trained<'a> {
    name: &'a str,
    version: u32,
    path: String,
    digest: &'a Digest,
    seconds: f64,
    targets: Vec<TrainedTarget<'a>>,
    practice: &'a Practice,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct TrainedTarget<'a> {
    target: String,
    chosen: &'a str,
    calibration: &'a str,
    learners: Vec<TrainedLearner<'a>>,
    test: &'a bellwether_evaluate::Metrics,
    /// What `logistic` weighs, where it was tried.
    coefficients: Option<&'a CoefficientReport>,
}

#[derive(Serialize)]
struct TrainedLearner<'a> {
    learner: &'a str,
    calibration: &'a str,
    selection_auc: Option<f64>,
    selection_log_loss: Option<f64>,
    test: &'a bellwether_evaluate::Metrics,
    auc_minus_chosen: Option<bellwether_evaluate::PairedDifference>,
}

pub(crate) fn run(arguments: &Train) -> Result<(), Failure> {
    threads::start(arguments.threads)?;
    let trained = train(&arguments.book, &arguments.models, arguments.seed, &actor(arguments.actor.as_deref()))?;
    if arguments.json { print_json(&trained.json()) } else { print_text(&trained.text()) }
}

/// Who does it, for the audit log.
pub(crate) fn actor(given: Option<&str>) -> String {
    given.map(str::to_owned).or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "unknown".to_owned())
}

/// A finished training.
pub(crate) struct Training {
    pub(crate) registered: Registered,
    targets: Vec<TargetReport>,
    practice: Practice,
    warnings: Vec<String>,
    took: Duration,
}

/// Book to bundle.
pub(crate) fn train(book: &Path, models: &Path, seed: u64, actor: &str) -> Result<Training, Failure> {
    let began = Instant::now();
    let bars = Bars::default();
    say(&format!("reading {}", book.display()));
    let file = BookFile::read(book)?;
    scorecard::require(&file)?;
    let book = Book::open(file, &bars)?;
    let built = Built::of(book, &bars)?;
    let audit = audit::of(&built, seed, &bars)?;
    audit::require(&audit)?;
    let prepared = Prepared::of(&built, seed)?;
    for warning in prepared.warnings.iter().chain(&audit::warnings(&audit)) {
        say(&format!("warning: {warning}"));
    }
    let fit = |target| Candidates::fit(&prepared, target, seed, &bars);
    let candidates: Vec<Candidates> = prepared.targets().into_iter().map(fit).collect::<Result<_, _>>()?;
    publish(&prepared, &audit, &candidates, &Publication { models, name: None, seed, actor, began }, &bars)
}

/// Where a bundle goes, and who made it of which seed.
pub(crate) struct Publication<'a> {
    pub(crate) models: &'a Path,
    /// The book's where there is none.
    pub(crate) name: Option<&'a str>,
    pub(crate) seed: u64,
    pub(crate) actor: &'a str,
    pub(crate) began: Instant,
}

/// Models to bundle: evaluates them on test rows, writes the next version and opens it.
pub(crate) fn publish(
    prepared: &Prepared,
    audit: &Audit,
    candidates: &[Candidates],
    to: &Publication<'_>,
    bars: &Bars,
) -> Result<Training, Failure> {
    // Horizons are put in order across models, so evidence waits for all of them.
    let scorer = assemble::scorer(prepared, candidates)?;
    let evidence = |of_target| evidence::of_candidates(prepared, of_target, &scorer, to.seed, bars);
    let targets: Vec<TargetReport> = candidates.iter().map(evidence).collect::<Result<_, _>>()?;
    let practice = practice::of(&prepared.unseen(&scorer, to.seed))?;
    let evidence = Evidence { targets: targets.clone(), practice: practice.clone() };
    let mut contents = assemble::contents(prepared, audit, candidates, &scorer, evidence, to.seed, bars)?;
    if let Some(name) = to.name {
        name.clone_into(&mut contents.name);
    }
    let now = jiff::Timestamp::now().to_string();
    let registered = Registry::open(to.models)?.register(&contents, &now, to.actor)?;
    // What was written is what will be opened each night: open it, and let it prove itself.
    Scorer::from_bundle(&Bundle::open(&registered.path)?)?;
    let warnings = prepared.warnings.iter().cloned().chain(audit::warnings(audit)).collect();
    Ok(Training { registered, targets, practice, warnings, took: to.began.elapsed() })
}

impl Training {
    pub(crate) fn json(&self) -> Trained<'_> {
        fn learner(row: &bellwether_report::LearnerRow) -> TrainedLearner<'_> {
            TrainedLearner {
                learner: &row.learner,
                calibration: &row.calibration,
                selection_auc: row.selection_auc,
                selection_log_loss: row.selection_log_loss,
                test: &row.test,
                auc_minus_chosen: row.difference,
            }
        }
        Trained {
            name: &self.registered.name,
            version: self.registered.version,
            path: self.registered.path.display().to_string(),
            digest: &self.registered.digest,
            seconds: self.took.as_secs_f64(),
            targets: self
                .targets
                .iter()
                .map(|of| TrainedTarget {
                    target: of.target.to_string(),
                    chosen: &of.chosen,
                    calibration: &of.calibration,
                    learners: of.learners.iter().map(learner).collect(),
                    test: &of.evaluation.overall,
                    coefficients: of.coefficients.as_ref(),
                })
                .collect(),
            practice: &self.practice,
            warnings: &self.warnings,
        }
    }

    pub(crate) fn text(&self) -> String {
        let tables = self.targets.iter().map(|of| {
            let table = bellwether_report::learner_table_text(&of.learners, &of.chosen);
            format!("{}\n{table}", of.target)
        });
        let practice = bellwether_report::guide_text(&self.practice);
        let registered = &self.registered;
        let path = registered.path.display();
        let (name, version) = (&registered.name, registered.version);
        let seconds = self.took.as_secs_f64();
        let digest = registered.digest.short();
        let written = format!(
            "{name} version {version} ({digest}) is in {path}, made in {seconds:.1} s\nreport: {path}/report.html"
        );
        tables.chain([practice, written]).collect::<Vec<_>>().join("\n\n")
    }
}
