//! `bellwether scorecard`: the scorecard of a book and what is wrong with it, and the ready frameworks.

use std::fmt::Write as _;
use std::path::Path;

use bellwether_book::{BookFile, Catalogue};
use bellwether_core::{Bands, Direction, FeatureSchema};
use bellwether_health::{
    CategoryDescription, IndicatorSpec, LintFinding, PresetDescription, RoleDescription, ScorecardSpec, Severity,
    WeightsFrom, describe_presets, lint_readiness, lint_spec, resolve,
};
use serde::Serialize;

use crate::args::Scorecard;
use crate::failure::{Failure, INVALID};
use crate::output::{print_json, print_text};

#[derive(Serialize)]
struct Shown {
    indicators: Vec<ShownIndicator>,
    bands: Bands,
    weights: &'static str,
    findings: Vec<ShownFinding>,
}

#[derive(Serialize)]
struct ShownIndicator {
    feature: String,
    category: Option<String>,
    /// Of 100.
    weight: f64,
}

#[derive(Serialize)]
struct ShownFinding {
    id: &'static str,
    severity: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Listed {
    presets: Vec<PresetDescription>,
    /// What plays each role in a book, and what is missing; without book there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    played: Vec<PlayedRole>,
}

/// How a book plays a role of a preset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PlayedRole {
    preset: &'static str,
    role: String,
    /// A feature of the book, or an entry of the catalogue that it can build.
    feature: Option<String>,
    /// Whether the catalogue builds it.
    from_catalogue: bool,
    /// What the first entry needs, where nothing plays the role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

pub(crate) fn run(arguments: &Scorecard) -> Result<(), Failure> {
    let file = arguments.book.as_deref().map(BookFile::read).transpose()?;
    if let (Some(file), false) = (&file, arguments.list) {
        return lint(file, arguments.json);
    }
    let listed = listed(file.as_ref());
    if arguments.json { print_json(&listed) } else { print_text(list_text(&listed).trim_end()) }
}

/// Prints the card of a book, and what it and the readiness break; an error of the linter is one of the command.
fn lint(file: &BookFile, json: bool) -> Result<(), Failure> {
    let spec = file.config.scorecard.clone().unwrap_or_default();
    let schema = file.scorecard_schema();
    let mut findings = lint_spec(&spec, &schema);
    findings.extend(file.config.readiness.iter().flat_map(|readiness| lint_readiness(readiness, &schema)));
    let n_errors = findings.iter().filter(|of| of.rule.severity == Severity::Error).count();
    let shown = shown(&resolve(&spec, &schema).unwrap_or(spec), &schema, findings);
    if json {
        print_json(&shown)?;
    } else {
        print_text(shown_text(&shown, &file.path).trim_end())?;
    }
    if n_errors == 0 {
        return Ok(());
    }
    let rules = if n_errors == 1 { "a rule".to_owned() } else { format!("{n_errors} rules") };
    let error = anyhow::anyhow!("the scorecard of {} breaks {rules}", file.path.display());
    Err(Failure::new(
        INVALID,
        error,
        Some("correct [scorecard] or [readiness] in book.toml; docs/SCORECARD.md has an example of each part"),
    ))
}

fn shown(spec: &ScorecardSpec, schema: &FeatureSchema, findings: Vec<LintFinding>) -> Shown {
    let category_of = |of: &IndicatorSpec| {
        let own = || schema.index_of(&of.feature).and_then(|at| schema.features()[at].category.clone());
        of.category.clone().or_else(own)
    };
    // Points are of a category's maximum.
    let weight = |of: &IndicatorSpec| {
        let category = category_of(of).and_then(|name| spec.categories.get(&name));
        category.map_or(of.weight, |category| category.weight * of.weight / category.maximum)
    };
    let indicator = |of: &IndicatorSpec| ShownIndicator {
        feature: of.feature.clone(),
        category: category_of(of),
        weight: weight(of),
    };
    let finding = |of: LintFinding| ShownFinding {
        id: of.rule.id,
        severity: if of.rule.severity == Severity::Error { "error" } else { "warning" },
        message: of.message,
    };
    Shown {
        indicators: spec.indicators.iter().map(indicator).collect(),
        bands: spec.bands.as_ref().and_then(|bands| bands.edges().ok()).unwrap_or_default(),
        weights: spec.weights.unwrap_or_default().name(),
        findings: findings.into_iter().map(finding).collect(),
    }
}

fn shown_text(shown: &Shown, path: &Path) -> String {
    let mut text = String::new();
    let is_learnt = ![WeightsFrom::Declared, WeightsFrom::Equal].map(WeightsFrom::name).contains(&shown.weights);
    let learnt = if is_learnt { " (learnt by `train` in place of these)" } else { "" };
    let _ = writeln!(text, "{}: weights {}{learnt}, {}", path.display(), shown.weights, bands(&shown.bands));
    if shown.indicators.is_empty() {
        let _ = writeln!(
            text,
            "  no indicators: the first seven features with `good` that vary are taken, equally weighted"
        );
    }
    for of in &shown.indicators {
        let ShownIndicator { feature, category, weight } = of;
        let category = category.as_deref().unwrap_or("-");
        let _ = writeln!(text, "  {weight:>6.2}  {category:<14} {feature}");
    }
    for ShownFinding { id, severity, message } in &shown.findings {
        let _ = writeln!(text, "{severity} {id}: {message}");
    }
    let n_of = |severity: &str| shown.findings.iter().filter(|of| of.severity == severity).count();
    let many = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let _ = writeln!(text, "{}, {}", many(n_of("error"), "error"), many(n_of("warning"), "warning"));
    text
}

fn bands(bands: &Bands) -> String {
    let (yellow, green) = (bands.yellow_from(), bands.green_from());
    // T-A's green begins just above 75.
    let green = if *bands == Bands::T_A { "above 75".to_owned() } else { format!("from {green}") };
    format!("yellow from {yellow}, green {green}")
}

fn listed(file: Option<&BookFile>) -> Listed {
    let presets = describe_presets();
    let declared: Vec<String> = file
        .map(|file| file.declared().into_iter().filter(|of| !of.helper).map(|of| of.name).collect())
        .unwrap_or_default();
    let roles = presets.iter().flat_map(|preset| {
        let roles = preset.categories.iter().flat_map(|category| &category.roles);
        roles.map(move |role| (preset.name, role))
    });
    let played = roles.filter_map(|(preset, role)| file.map(|file| played(preset, role, file, &declared))).collect();
    Listed { presets, played }
}

fn played(preset: &'static str, role: &RoleDescription, file: &BookFile, declared: &[String]) -> PlayedRole {
    let is_declared = |name: &&String| declared.contains(name);
    let missing = |name: &String| Catalogue::standard().entry(name).map(|entry| file.missing_for(entry));
    let there = role.features.iter().find(is_declared);
    let built = || role.features.iter().find(|name| missing(name).is_some_and(|missing| missing.is_empty()));
    let feature = there.or_else(built).cloned();
    let lacks = || role.features.first().and_then(missing).unwrap_or_default();
    PlayedRole {
        preset,
        role: role.what.clone(),
        from_catalogue: there.is_none() && feature.is_some(),
        missing: if feature.is_none() { lacks() } else { Vec::new() },
        feature,
    }
}

fn list_text(listed: &Listed) -> String {
    let mut text = String::new();
    for preset in &listed.presets {
        let edges = preset.bands.edges().unwrap_or_default();
        let _ = writeln!(text, "{}: weights {}, {}", preset.name, preset.weights.name(), bands(&edges));
        for category in &preset.categories {
            let _ = writeln!(text, "  {}", category_text(category));
            for role in &category.roles {
                let good = if role.good == Direction::Up { "up" } else { "down" };
                let points = role.points.map_or_else(String::new, |points| format!(", {points} points"));
                let _ = writeln!(text, "    {} ({good}{points}): {}", role.what, role.features.join(" or "));
                let of_role = |of: &&PlayedRole| of.preset == preset.name && of.role == role.what;
                if let Some(played) = listed.played.iter().find(of_role) {
                    let _ = writeln!(text, "      {}", played_text(played));
                }
            }
        }
    }
    let _ = write!(text, "\nIn book.toml: [scorecard] preset = \"w-b\"");
    text
}

fn category_text(category: &CategoryDescription) -> String {
    let CategoryDescription { name, weight, maximum, take, .. } = category;
    match (name, take) {
        (None, _) => "one mean:".to_owned(),
        (Some(name), Some(take)) => format!("{name} {weight}: the first {take} that the book has, equally weighted"),
        (Some(name), None) => format!("{name} {weight}: points of {maximum}"),
    }
}

fn played_text(played: &PlayedRole) -> String {
    match (&played.feature, played.from_catalogue) {
        (Some(feature), false) => format!("yes: {feature}"),
        (Some(feature), true) => format!("yes: {feature}, which the catalogue builds"),
        (None, _) => format!("no: missing {}", played.missing.join(", ")),
    }
}
