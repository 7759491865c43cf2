//! Ready frameworks: the guides' example weights (requirements.md 1.6).

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::{Direction, FeatureSchema};
use serde::Deserialize;

use crate::{BandsSpec, CategorySpec, HealthError, IndicatorSpec, ScorecardSpec, WeightsFrom};

/// The names of the presets, each with its file.
pub const PRESETS: [(&str, &str); 6] = [
    ("w-a", include_str!("presets/w-a.toml")),
    ("w-b", include_str!("presets/w-b.toml")),
    ("w-c", include_str!("presets/w-c.toml")),
    ("w-d", include_str!("presets/w-d.toml")),
    ("w-e", include_str!("presets/w-e.toml")),
    ("mvp", include_str!("presets/w-d.toml")),
];

/// A framework whose indicators are roles, each with the features that can play it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preset {
    bands: BandsSpec,
    #[serde(default)]
    weights: Option<WeightsFrom>,
    #[serde(default)]
    categories: BTreeMap<String, PresetCategory>,
    indicators: Vec<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetCategory {
    weight: f64,
    /// What the points of its roles total; 100 where roles have none.
    #[serde(default)]
    maximum: Option<f64>,
    /// Where roles have no points: the first so many that the book can play, equally weighted.
    #[serde(default)]
    take: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    #[serde(rename = "role")]
    what: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    points: Option<f64>,
    good: Direction,
    /// The best first.
    features: Vec<String>,
}

/// `spec` without its preset: categories and indicators of the preset in terms of the features of `schema`, with the
/// indicators of `spec` in place of the preset's in their categories. `spec` itself where it has no preset.
///
/// # Errors
/// [`HealthError::UnknownPreset`], [`HealthError::PresetMissing`] for roles that no feature of the book plays,
/// [`HealthError::PresetOverride`] for categories beside a preset or indicators beside one that has no categories.
pub fn resolve(spec: &ScorecardSpec, schema: &FeatureSchema) -> Result<ScorecardSpec, HealthError> {
    let Some(name) = &spec.preset else { return Ok(spec.clone()) };
    let Some((_, text)) = PRESETS.iter().find(|(known, _)| known == name) else {
        return Err(HealthError::UnknownPreset(name.clone()));
    };
    let preset = parse(text);
    let clashes = !spec.categories.is_empty() || (preset.categories.is_empty() && !spec.indicators.is_empty());
    if clashes {
        return Err(HealthError::PresetOverride(name.clone()));
    }
    let categories = preset.categories.iter().map(|(name, of)| {
        (name.clone(), CategorySpec { weight: of.weight, maximum: of.maximum.unwrap_or(crate::TOTAL_WEIGHT) })
    });
    Ok(ScorecardSpec {
        preset: None,
        bands: Some(spec.bands.clone().unwrap_or_else(|| preset.bands.clone())),
        categories: categories.collect(),
        indicators: indicators(name, &preset, spec, schema)?,
        weights: spec.weights.or(preset.weights),
        ..spec.clone()
    })
}

fn parse(text: &str) -> Preset {
    toml::from_str(text).expect("a test reads every preset")
}

fn indicators(
    name: &str,
    preset: &Preset,
    spec: &ScorecardSpec,
    schema: &FeatureSchema,
) -> Result<Vec<IndicatorSpec>, HealthError> {
    let category_of = |own: &IndicatorSpec| {
        let of_feature = || schema.index_of(&own.feature).and_then(|at| schema.features()[at].category.clone());
        own.category.clone().or_else(of_feature)
    };
    let replaced: BTreeSet<Option<String>> = spec.indicators.iter().map(category_of).collect();
    let mut used: BTreeSet<String> = spec.indicators.iter().map(|own| own.feature.clone()).collect();
    let mut resolved = Vec::new();
    let mut missing: Vec<&Role> = Vec::new();
    let categories = preset.categories.keys().map(|name| Some(name.clone()));
    let categories = if preset.categories.is_empty() { vec![None] } else { categories.collect() };
    for category in categories.iter().filter(|category| !replaced.contains(*category)) {
        let roles: Vec<&Role> = preset.indicators.iter().filter(|role| role.category == *category).collect();
        let take = category.as_ref().and_then(|name| preset.categories[name].take);
        let mut played = Vec::new();
        let mut unplayed = Vec::new();
        for role in roles {
            if take.is_some_and(|take| played.len() == take) {
                break;
            }
            let feature = role.features.iter().find(|name| !used.contains(*name) && schema.index_of(name).is_some());
            match feature {
                Some(feature) => {
                    used.insert(feature.clone());
                    played.push((role, feature.clone()));
                }
                None => unplayed.push(role),
            }
        }
        // Roles without points stand in for each other.
        if take.is_none() || played.is_empty() {
            missing.extend(unplayed);
        }
        let equal = crate::TOTAL_WEIGHT / played.len() as f64;
        resolved.extend(played.into_iter().map(|(role, feature)| indicator(role, feature, equal)));
    }
    if missing.is_empty() {
        resolved.extend(spec.indicators.iter().cloned());
        return Ok(resolved);
    }
    Err(HealthError::PresetMissing { preset: name.to_owned(), missing: told(&missing), entries: entries(&missing) })
}

fn indicator(role: &Role, feature: String, equal: f64) -> IndicatorSpec {
    IndicatorSpec {
        feature,
        weight: role.points.unwrap_or(equal),
        category: role.category.clone(),
        good: Some(role.good),
        scale: None,
        at_zero: None,
        at_full: None,
        steps: Vec::new(),
        missing: None,
    }
}

/// `trainings (category engagement): trainings_180d; ...`.
fn told(missing: &[&Role]) -> String {
    let role = |role: &&Role| {
        let category = role.category.as_ref().map_or(String::new(), |name| format!(" (category {name})"));
        format!("{}{category}: {}", role.what, role.features.join(" or "))
    };
    missing.iter().map(role).collect::<Vec<_>>().join("; ")
}

/// The first feature of each role, which is the catalogue's, as a list of TOML.
fn entries(missing: &[&Role]) -> String {
    let name = |role: &&Role| role.features.first().map(|name| format!("\"{name}\""));
    missing.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}
