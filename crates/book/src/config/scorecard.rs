//! `[scorecard]`: what its preset takes from the catalogue, and what it can read.

use std::collections::BTreeSet;

use bellwether_core::{Feature, FeatureSchema, OTHER_LEVEL, PERCENTILE_SUFFIX};
use bellwether_health::{HealthError, ScorecardSpec, preset_features};
use serde::Deserialize;
use toml::Spanned;

use super::{BookFile, ConfigError, DeclaredFeature, Span, ValueType};
use crate::catalogue::Catalogue;

/// The line of the preset, which the specification of a scorecard does not keep.
#[derive(Deserialize)]
struct Lines {
    #[serde(default)]
    scorecard: ScorecardLines,
}

#[derive(Default, Deserialize)]
struct ScorecardLines {
    #[serde(default)]
    preset: Option<Spanned<String>>,
}

/// The entries that play roles of the preset which no feature of the book plays, and the preset's line.
///
/// `declared` and `taken` are features that are there; an entry that is skipped is not taken.
///
/// # Errors
/// [`ConfigError::Rule`] for a preset that is not there or whose roles nothing can play.
pub(super) fn entries(
    file: &BookFile,
    declared: &[DeclaredFeature],
    taken: &BTreeSet<&str>,
    skipped: &BTreeSet<&str>,
) -> Result<Vec<(&'static str, Span)>, ConfigError> {
    let Some(spec) = file.config.scorecard.as_ref().filter(|spec| spec.preset.is_some()) else {
        return Ok(Vec::new());
    };
    let catalogue = Catalogue::standard();
    let numbers = || declared.iter().filter(|of| !of.helper && of.r#type == ValueType::Number);
    let find = |name: &str| numbers().find(|of| of.name == name);
    let category_of = |name: &str| match find(name) {
        Some(declared) => declared.category.clone(),
        None => catalogue.entry(name).map(|entry| entry.category.to_owned()),
    };
    let is_there = |name: &str| taken.contains(name) || find(name).is_some();
    let is_free = |name: &str| !skipped.contains(name) && declared.iter().all(|of| of.name != name);
    let can_be_built = |name: &str| catalogue.entry(name).is_some_and(|of| is_free(name) && file.lacks(of).is_empty());
    let at = line(&file.text);
    let wanted = preset_features(spec, category_of, is_there, can_be_built)
        .map_err(|error| file.error(at.clone(), error.to_string(), what_to_do(file, &error)))?;
    let entry = |name: String| (catalogue.entry(&name).expect("it can be built").name.as_str(), at.clone());
    Ok(wanted.into_iter().map(entry).collect())
}

fn line(text: &str) -> Span {
    let lines: Result<Lines, toml::de::Error> = toml::from_str(text);
    lines.ok().and_then(|lines| lines.scorecard.preset).map_or(0..0, |preset| preset.span())
}

/// What the catalogue's entries for the missing roles need.
fn what_to_do(file: &BookFile, error: &HealthError) -> Option<String> {
    let HealthError::PresetMissing { entries, .. } = error else {
        return Some("`bellwether scorecard --list` prints the presets".to_owned());
    };
    let catalogue = Catalogue::standard();
    let needs = entries.iter().filter_map(|name| {
        let entry = catalogue.entry(name)?;
        let help = file.what_it_lacks(entry)?;
        Some(format!("for `{name}`, {help}"))
    });
    let needs: Vec<String> = needs.collect();
    let sentence = format!("let the catalogue build them: {}", needs.join("; "));
    (!needs.is_empty()).then_some(sentence)
}

impl BookFile {
    /// The features that a scorecard of this book can read, as far as `book.toml` tells them: numbers, percentiles, and
    /// of each text `(other)` and the levels that `[scorecard]` or `[readiness]` names. The data may have more levels.
    #[expect(clippy::missing_panics_doc, reason = "reading the file refused names that are not different")]
    pub fn scorecard_schema(&self) -> FeatureSchema {
        let declared = self.declared();
        let feature =
            |name: String, of: &DeclaredFeature| Feature { name, good: of.good, category: of.category.clone() };
        let mut features = Vec::new();
        for of in declared.iter().filter(|of| !of.helper) {
            match of.r#type {
                ValueType::Number => features.push(feature(of.name.clone(), of)),
                ValueType::Text => {
                    let specs = [&self.config.scorecard, &self.config.readiness].into_iter().flatten();
                    let mut levels: BTreeSet<String> = specs.flat_map(|spec| levels_of(spec, &of.name)).collect();
                    levels.insert(format!("{}={OTHER_LEVEL}", of.name));
                    // A feature may be called as a level is; training refuses that once the data has the level.
                    levels.retain(|level| declared.iter().all(|other| other.name != *level));
                    // A level has no direction of its own, whatever its text says.
                    features.extend(levels.into_iter().map(|level| Feature { good: None, ..feature(level, of) }));
                }
            }
        }
        for name in self.cohort().iter().flat_map(|cohort| &cohort.features) {
            let of = declared.iter().find(|of| of.name == *name.get_ref());
            features.extend(of.map(|of| feature(format!("{}{PERCENTILE_SUFFIX}", of.name), of)));
        }
        FeatureSchema::new(features).expect("names were found to differ")
    }
}

/// The columns `name=level` of a text that a scorecard names in indicators, conditions or dimensions, sorted.
fn levels_of(spec: &ScorecardSpec, name: &str) -> BTreeSet<String> {
    let prefix = format!("{name}=");
    let indicators = spec.indicators.iter().chain(spec.variants.iter().flat_map(|of| &of.indicators));
    let when = || spec.variants.iter().flat_map(|of| &of.when).chain(spec.vetoes.iter().flat_map(|of| &of.when));
    let dimensions = spec.thresholds.iter().flat_map(|of| &of.by);
    let read = indicators.map(|of| &of.feature).chain(when().map(|of| &of.feature));
    let read = read.chain(dimensions.map(|of| &of.feature));
    let named = read.filter(|feature| feature.starts_with(&prefix)).cloned();
    let levels = when().filter(|of| of.feature == name).flat_map(|of| &of.is_in);
    named.chain(levels.map(|level| format!("{prefix}{level}"))).collect()
}
