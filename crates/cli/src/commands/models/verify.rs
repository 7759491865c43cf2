//! `bellwether models verify`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bellwether_bundle::Bundle;
use bellwether_core::Digest;
use bellwether_registry::Registry;
use bellwether_score::{Runtime, RuntimeCheck, Verification};
use serde::Serialize;

use crate::args::VerifyModels;
use crate::commands::models::folder_of;
use crate::failure::{Failure, VERIFICATION};
use crate::output::{grouped, print_json, print_text};
use crate::progress::say;

const HINT: &str = "this is not the model that was written: restore it from a copy, or train again";

#[derive(Serialize)]
struct Verified {
    /// Lines of the audit log, where all versions of a models folder were verified.
    audit_lines: Option<usize>,
    bundles: Vec<VerifiedBundle>,
}

#[derive(Serialize)]
struct VerifiedBundle {
    path: String,
    /// Why it is not the model that was written; nothing where it is.
    error: Option<String>,
    #[serde(flatten)]
    found: Option<Found>,
}

#[derive(Serialize)]
struct Found {
    name: String,
    digest: Digest,
    /// Rows of the certificate.
    rows: usize,
    /// How many of them opening the bundle replays.
    rows_on_open: usize,
    /// Rows, over all targets, that were explained again on each instruction set of this machine.
    rows_with_reasons: usize,
    /// Seconds to open the bundle as `score` does: every byte, and the rows on open.
    open_seconds: f64,
    graphs: Vec<CheckedGraph>,
}

#[derive(Serialize)]
struct CheckedGraph {
    target: String,
    runtime: &'static str,
    /// Rows whose logits were compared.
    rows: usize,
    differing_logits: usize,
    /// Relative to `max(1, |logit|)`.
    largest_difference: f64,
    limit: f64,
    leaves: usize,
    differing_trees: Vec<usize>,
    seconds: f64,
}

pub(crate) fn run(arguments: &VerifyModels) -> Result<(), Failure> {
    let (audit_lines, folders) = match &arguments.bundle {
        Some(bundle) => (None, vec![folder_of(&arguments.models, bundle)?]),
        None => every_version(&arguments.models)?,
    };
    let verified = Verified { audit_lines, bundles: folders.iter().map(|folder| verify(folder)).collect() };
    if arguments.json {
        print_json(&verified)?;
    } else {
        print_text(verified.text().trim_end())?;
    }
    verified.require()
}

/// How many lines the audit log of a models folder has, and the folders of its versions, in order.
fn every_version(models: &Path) -> Result<(Option<usize>, Vec<PathBuf>), Failure> {
    let registry = Registry::existing(models)?;
    let n_lines = registry.verify_audit()?;
    let mut folders = Vec::new();
    for (name, versions) in registry.bundles()? {
        let path = |version: u32| models.join(&name).join(version.to_string());
        folders.extend(versions.iter().map(|of| path(of.version)));
    }
    Ok((Some(n_lines), folders))
}

fn verify(folder: &Path) -> VerifiedBundle {
    say(&format!("verifying {}", folder.display()));
    let path = folder.display().to_string();
    match found(folder) {
        Ok(found) => VerifiedBundle { path, error: found.difference(), found: Some(found) },
        Err(failure) => VerifiedBundle { path, error: Some(failure.told()), found: None },
    }
}

fn found(folder: &Path) -> Result<Found, Failure> {
    let began = Instant::now();
    bellwether_score::Scorer::open(&bellwether_registry::resolve(folder)?)?;
    let open_seconds = began.elapsed().as_secs_f64();
    let bundle = Bundle::open(folder)?;
    let verification = Verification::of(&bundle)?;
    verification.scores()?;
    let rows_with_reasons = verification.reasons()?;
    let mut graphs = Vec::new();
    for model in bundle.targets() {
        for runtime in Runtime::available() {
            let began = Instant::now();
            let check = verification.runtime(model.target, runtime)?;
            let seconds = began.elapsed().as_secs_f64();
            graphs.push(CheckedGraph::of(model.target.to_string(), runtime, check, seconds));
        }
    }
    Ok(Found {
        name: bundle.name().to_owned(),
        digest: bundle.digest().clone(),
        rows: verification.n_rows(),
        rows_on_open: verification.n_sample_rows(),
        rows_with_reasons,
        open_seconds,
        graphs,
    })
}

impl Verified {
    fn text(&self) -> String {
        let mut text = String::new();
        for bundle in &self.bundles {
            bundle.write(&mut text);
        }
        let n_failed = self.bundles.iter().filter(|of| of.error.is_some()).count();
        let audit = self.audit_lines.map_or_else(String::new, |n| format!("; the audit log of {n} lines is whole"));
        let _ = writeln!(text, "{} of {} verified{audit}", self.bundles.len() - n_failed, self.bundles.len());
        text
    }

    fn require(&self) -> Result<(), Failure> {
        match self.bundles.iter().find_map(|of| Some((of, of.error.as_ref()?))) {
            None => Ok(()),
            Some((of, error)) => Err(Failure::new(VERIFICATION, anyhow::anyhow!("{}: {error}", of.path), Some(HINT))),
        }
    }
}

impl VerifiedBundle {
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "{}", self.path);
        if let Some(found) = &self.found {
            let Found { name, digest, rows, rows_on_open, rows_with_reasons, open_seconds, graphs } = found;
            let _ = writeln!(
                text,
                "  {name}, digest {}, a certificate of {} rows, of which opening replays {} in {:.0} ms in all",
                digest.short(),
                grouped(*rows),
                grouped(*rows_on_open),
                open_seconds * 1e3
            );
            let _ = writeln!(text, "  the reasons of {} rows, the same", grouped(*rows_with_reasons));
            for graph in graphs {
                graph.write(text);
            }
        }
        let _ = writeln!(text, "  {}", self.error.as_deref().unwrap_or("verified"));
    }
}

impl Found {
    /// The first graph that some runtime reads in another way.
    fn difference(&self) -> Option<String> {
        self.graphs.iter().find_map(CheckedGraph::difference)
    }
}

impl CheckedGraph {
    fn of(target: String, runtime: Runtime, check: RuntimeCheck, seconds: f64) -> Self {
        Self {
            target,
            runtime: runtime.name(),
            rows: check.n_rows,
            differing_logits: check.n_differing,
            largest_difference: check.largest_difference,
            limit: check.limit,
            leaves: check.n_leaves,
            differing_trees: check.differing_trees,
            seconds,
        }
    }

    fn difference(&self) -> Option<String> {
        let Self { target, runtime, differing_logits, largest_difference, limit, differing_trees, .. } = self;
        if let Some(tree) = differing_trees.first() {
            return Some(format!("`{target}` in {runtime}: rows end in other leaves of tree {tree}"));
        }
        (*differing_logits > 0).then(|| {
            format!(
                "`{target}` in {runtime}: {differing_logits} logits differ, by up to {largest_difference:.3e} where \
                 {limit:.0e} is allowed"
            )
        })
    }

    fn write(&self, text: &mut String) {
        let Self { target, runtime, rows, largest_difference, limit, leaves, seconds, .. } = self;
        let _ = writeln!(
            text,
            "  {target:<16} {runtime:<7} {:>9} logits, largest difference {largest_difference:.1e} of {limit:.0e}; {:>11} \
             leaves; {seconds:.3} s",
            grouped(*rows),
            grouped(*leaves),
        );
    }
}
