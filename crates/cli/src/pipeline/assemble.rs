//! Everything learnt, as the contents of a bundle.

use std::collections::BTreeMap;

use bellwether_book::Audit;
use bellwether_bundle::{BundleContents, ImportedModel, ParityVectors, Provenance, SourceProvenance, TargetModel};
use bellwether_core::{Background, Digest, Model, Progress, Target};
use bellwether_evaluate::Practice;
use bellwether_report::{FeatureRow, Rendered, ScorecardReport, SourceRow, TargetReport, TrainingReport};
use bellwether_score::{Scorer, ScorerParts, ScorerTarget};

use crate::failure::{Failure, Unexpected as _};
use crate::output::grouped;
use crate::pipeline::audit::{waivers, warnings};
use crate::pipeline::background;
use crate::pipeline::fit::Candidates;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::revenue;
use crate::pipeline::weights;

/// Draws the rows of the certificate where there is a choice; another seed of a training should not make others.
const PARITY_SEED: u64 = 0;
/// The lock file tells which releases of the libraries are in the binary.
const LOCK: &str = include_str!("../../../../Cargo.lock");
/// The crates whose arithmetic reaches the models.
const ARITHMETIC: [&str; 6] = ["polars", "linfa-logistic", "linfa-trees", "smartcore", "tract-onnx", "ndarray"];

/// The chosen models as they will score.
pub(crate) fn scorer(prepared: &Prepared, candidates: &[Candidates]) -> Result<Scorer, Failure> {
    Ok(Scorer::from_parts(ScorerParts {
        schema: prepared.schema.clone(),
        encoding: prepared.encoding.clone(),
        scorecard: prepared.scorecard.model.clone(),
        bands: prepared.scorecard.bands,
        rules: prepared.scorecard.rules.clone(),
        targets: candidates.iter().map(scorer_target).collect(),
        min_coverage: prepared.book.file().config.train.min_coverage,
        digest: Digest::of(b""),
    })?)
}

/// What the test rows show.
pub(crate) struct Evidence {
    pub(crate) targets: Vec<TargetReport>,
    pub(crate) practice: Practice,
}

/// Puts a bundle together.
pub(crate) fn contents(
    prepared: &Prepared,
    audit: &Audit,
    candidates: &[Candidates],
    scorer: &Scorer,
    evidence: Evidence,
    seed: u64,
    progress: &dyn Progress,
) -> Result<BundleContents, Failure> {
    let file = prepared.book.file();
    let provenance = provenance(prepared, audit, candidates, seed)?;
    let evaluation = evaluation(&evidence)?;
    let report = report(prepared, audit, &provenance, evidence)?;
    let rendered = bellwether_report::render(&report).unexpected("drawing the report")?;
    let background = background::learn(prepared, candidates);
    Ok(BundleContents {
        name: file.config.name.get_ref().clone(),
        encoding: prepared.encoding.clone(),
        scorecard: prepared.scorecard.clone(),
        readiness: prepared.readiness.clone(),
        revenue: revenue::learn(prepared, scorer, progress)?,
        targets: candidates.iter().map(target_model).collect(),
        min_coverage: file.config.train.min_coverage,
        book_toml: file.text.clone(),
        evaluation,
        provenance,
        parity: parity(candidates, scorer, background.as_ref())?,
        background,
        extra_files: files(rendered).chain(imported_files(candidates)).collect(),
    })
}

/// By target, and under `practice` the score in use.
fn evaluation(evidence: &Evidence) -> Result<serde_json::Value, Failure> {
    let json = |of: serde_json::Result<serde_json::Value>| of.unexpected("writing the evaluation");
    let mut evaluation = serde_json::Map::new();
    for report in &evidence.targets {
        evaluation.insert(report.target.to_string(), json(serde_json::to_value(&report.evaluation))?);
    }
    evaluation.insert("practice".to_owned(), json(serde_json::to_value(&evidence.practice))?);
    Ok(evaluation.into())
}

fn target_model(candidates: &Candidates) -> TargetModel {
    let chosen = candidates.chosen();
    TargetModel {
        target: candidates.target,
        learner: chosen.learner.to_string(),
        onnx: chosen.onnx.clone(),
        calibration: chosen.calibration.clone(),
    }
}

fn provenance(prepared: &Prepared, audit: &Audit, candidates: &[Candidates], seed: u64) -> Result<Provenance, Failure> {
    let file = prepared.book.file();
    let source = |summary: bellwether_book::SourceSummary| {
        let digest = prepared.digests[&summary.name].clone();
        (summary.name, SourceProvenance { n_rows: summary.n_rows as u64, digest })
    };
    // What features are built from has the digest of what they read of it.
    let of_evidence =
        prepared.facts.sources.iter().filter(|(summary, _)| !prepared.digests.contains_key(&summary.name));
    let of_evidence = of_evidence.map(|(summary, digest)| {
        (summary.name.clone(), SourceProvenance { n_rows: summary.n_rows as u64, digest: digest.clone() })
    });
    Ok(Provenance {
        bellwether_version: env!("CARGO_PKG_VERSION").to_owned(),
        crate_versions: crate_versions(),
        seed,
        config_digest: Digest::of(file.text.as_bytes()),
        sources: prepared.book.summaries().into_iter().map(source).chain(of_evidence).collect(),
        split: serde_json::to_value(&prepared.split.plan).unexpected("writing the split")?,
        waivers: waivers(audit),
        imported: candidates
            .iter()
            .filter_map(|of| Some((of.target, of.chosen().imported.as_ref()?.provenance.clone())))
            .collect(),
    })
}

/// The versions that the lock file names.
fn crate_versions() -> BTreeMap<String, String> {
    let version_of = |name: &str| {
        let (_, after) = LOCK.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        Some((name.to_owned(), after.split_once('"')?.0.to_owned()))
    };
    ARITHMETIC.iter().filter_map(|name| version_of(name)).collect()
}

fn parity(
    candidates: &[Candidates],
    scorer: &Scorer,
    background: Option<&Background>,
) -> Result<ParityVectors, Failure> {
    let models: Vec<(Target, &Model)> = candidates.iter().map(|of| (of.target, &of.chosen().model)).collect();
    Ok(scorer.certify(&models, background, PARITY_SEED)?)
}

fn scorer_target(candidates: &Candidates) -> ScorerTarget {
    let TargetModel { target, onnx, calibration, .. } = target_model(candidates);
    ScorerTarget { target, onnx, calibration }
}

/// The files of models that other software made, as they were.
fn imported_files(candidates: &[Candidates]) -> impl Iterator<Item = (String, Vec<u8>)> {
    candidates
        .iter()
        .filter_map(|of| Some((ImportedModel::path(of.target), of.chosen().imported.as_ref()?.bytes.clone())))
}

fn files(rendered: Rendered) -> impl Iterator<Item = (String, Vec<u8>)> {
    let figures = rendered.figures.into_iter().map(|(path, svg)| (path, svg.into_bytes()));
    let pages = [("report.md", rendered.markdown), ("report.html", rendered.html)];
    figures.chain(pages.map(|(path, text)| (path.to_owned(), text.into_bytes())))
}

fn report(
    prepared: &Prepared,
    audit: &Audit,
    provenance: &Provenance,
    evidence: Evidence,
) -> Result<TrainingReport, Failure> {
    let (book, table) = (&prepared.book, &prepared.table);
    let name = book.file().config.name.get_ref();
    let fact = |what: &str, value: String| (what.to_owned(), value);
    Ok(TrainingReport {
        title: format!("{name}: training report"),
        facts: vec![
            fact("Accounts", grouped(book.n_accounts())),
            fact("Rows (a customer on a snapshot day)", grouped(table.n_rows())),
            fact(
                "Features",
                format!("{} columns from {} inputs", prepared.schema.len(), prepared.encoding.inputs.len()),
            ),
            fact("Data until", if book.has_time() { book.data_end().to_string() } else { "(no dates)".into() }),
        ],
        split: split_facts(prepared),
        sources: book
            .summaries()
            .into_iter()
            .map(|of| SourceRow { name: of.name, n_rows: of.n_rows, n_orphans: of.n_orphans, days: of.days })
            .collect(),
        targets: evidence.targets,
        practice: evidence.practice,
        scorecard: scorecard_report(prepared)?,
        features: feature_rows(prepared),
        notes: notes(prepared, audit),
        provenance: provenance_facts(provenance),
    })
}

fn scorecard_report(prepared: &Prepared) -> Result<ScorecardReport, Failure> {
    let spec = prepared.book.file().config.scorecard.as_ref();
    Ok(ScorecardReport {
        scorecard: prepared.scorecard.clone(),
        features: prepared.schema.features().iter().map(|feature| feature.name.clone()).collect(),
        thresholds: spec.and_then(|spec| spec.thresholds.clone()),
        weights: weights::report(prepared)?,
    })
}

/// Warnings, then waivers.
fn notes(prepared: &Prepared, audit: &Audit) -> Vec<String> {
    let waived = waivers(audit).into_iter().map(|waiver| format!("waived: {waiver}"));
    prepared.warnings.iter().cloned().chain(refused(prepared)).chain(warnings(audit)).chain(waived).collect()
}

/// How many test rows the scorecard refuses, which are in no band; `None` where there are none.
fn refused(prepared: &Prepared) -> Option<String> {
    let test = &prepared.split.test;
    let n_refused = prepared.scorecard.assess(&prepared.x, test).iter().filter(|found| found.is_refused).count();
    (n_refused > 0).then(|| {
        format!(
            "{} of {} test rows have no health score, as an indicator is missing that must not be: tables by band and \
             what is said of the score leave them out",
            grouped(n_refused),
            grouped(test.len())
        )
    })
}

fn split_facts(prepared: &Prepared) -> Vec<(String, String)> {
    let split = &prepared.split;
    let rows = |rows: &[usize]| format!("{} rows", grouped(rows.len()));
    let (training, calibration, test) = match &split.plan {
        bellwether_book::SplitPlan::Time { training_to, calibration, test, purge_days, calibration_by } => (
            format!("up to {training_to}"),
            format!("{} to {}, held out by {calibration_by}", calibration.0, calibration.1),
            format!("{} to {}, {purge_days} days of purge before", test.0, test.1),
        ),
        bellwether_book::SplitPlan::Hashed { by, seed } => {
            let how = format!("by a hash of the {by}, seed {seed}");
            (how.clone(), how.clone(), how)
        }
    };
    [
        ("Training", training, &split.training),
        ("Calibration", calibration, &split.calibration),
        ("Test", test, &split.test),
    ]
    .map(|(part, how, of)| (part.to_owned(), format!("{}, {how}", rows(of))))
    .to_vec()
}

fn feature_rows(prepared: &Prepared) -> Vec<FeatureRow> {
    let rows = &prepared.split.training;
    let mut first = 0;
    let row = |input: &bellwether_core::EncodedInput| {
        // What is missing of an input is missing in all its columns.
        let values = prepared.x.column(first);
        first += input.n_columns();
        FeatureRow {
            name: input.name.clone(),
            category: input.category.clone(),
            good: input.good,
            missing_share: rows.iter().filter(|&&row| values[row].is_nan()).count() as f64 / rows.len() as f64,
        }
    };
    prepared.encoding.inputs.iter().map(row).collect()
}

fn provenance_facts(provenance: &Provenance) -> Vec<(String, String)> {
    let mut facts = vec![
        ("bellwether".to_owned(), provenance.bellwether_version.clone()),
        ("seed".to_owned(), provenance.seed.to_string()),
        ("book.toml".to_owned(), provenance.config_digest.to_string()),
    ];
    facts.extend(provenance.crate_versions.iter().map(|(name, version)| (name.clone(), version.clone())));
    let source = |(name, of): (&String, &SourceProvenance)| (format!("source `{name}`"), of.digest.to_string());
    facts.extend(provenance.sources.iter().map(source));
    let imported =
        |(target, of): (&Target, &ImportedModel)| (format!("{target}, of {}", of.producer), of.file.to_string());
    facts.extend(provenance.imported.iter().map(imported));
    facts
}
