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
pub(crate) struct Preset {
    pub(crate) bands: BandsSpec,
    #[serde(default)]
    pub(crate) weights: Option<WeightsFrom>,
    #[serde(default)]
    pub(crate) categories: BTreeMap<String, PresetCategory>,
    pub(crate) indicators: Vec<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresetCategory {
    pub(crate) weight: f64,
    /// What the points of its roles total; 100 where roles have none.
    #[serde(default)]
    pub(crate) maximum: Option<f64>,
    /// Where roles have no points: the first so many that the book can play, equally weighted.
    #[serde(default)]
    pub(crate) take: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    #[serde(rename = "role")]
    pub(crate) what: String,
    #[serde(default)]
    pub(crate) category: Option<String>,
    #[serde(default)]
    pub(crate) points: Option<f64>,
    pub(crate) good: Direction,
    /// The best first.
    pub(crate) features: Vec<String>,
}

/// `spec` without its preset: categories and indicators of the preset in terms of the features of `schema`, with the
/// indicators of `spec` in place of the preset's in their categories. `spec` itself where it has no preset.
///
/// # Errors
/// [`HealthError::UnknownPreset`], [`HealthError::PresetMissing`] for roles that no feature of the book plays,
/// [`HealthError::PresetOverride`] for categories beside a preset or indicators beside one that has no categories.
pub fn resolve(spec: &ScorecardSpec, schema: &FeatureSchema) -> Result<ScorecardSpec, HealthError> {
    Ok(ScorecardSpec { preset: None, ..filled_in(spec, schema)? })
}

/// As [`resolve`], with the name of the preset, by which an error can tell whose categories it is about.
pub(crate) fn filled_in(spec: &ScorecardSpec, schema: &FeatureSchema) -> Result<ScorecardSpec, HealthError> {
    let Some((name, preset)) = preset_of(spec)? else { return Ok(spec.clone()) };
    let categories = preset.categories.iter().map(|(name, of)| {
        (name.clone(), CategorySpec { weight: of.weight, maximum: of.maximum.unwrap_or(crate::TOTAL_WEIGHT) })
    });
    let category_of = |feature: &str| schema.index_of(feature).and_then(|at| schema.features()[at].category.clone());
    let cast = cast(name, &preset, spec, category_of, |feature| schema.index_of(feature).is_some(), |_| false)?;
    let mut indicators: Vec<IndicatorSpec> =
        cast.into_iter().map(|played| indicator(played.role, played.feature, played.equal)).collect();
    indicators.extend(spec.indicators.iter().cloned());
    Ok(ScorecardSpec {
        bands: Some(spec.bands.clone().unwrap_or_else(|| preset.bands.clone())),
        categories: categories.collect(),
        indicators,
        weights: spec.weights.or(preset.weights),
        ..spec.clone()
    })
}

/// The features that the preset of `spec` wants beside those that are there, in its order: what plays a role is a feature
/// that `is_there`, else the first that `can_be_built`. None where there is no preset.
///
/// `category_of` tells the category of a feature that is there, which indicators of `spec` take from it.
///
/// # Errors
/// As [`resolve`].
pub fn preset_features(
    spec: &ScorecardSpec,
    category_of: impl Fn(&str) -> Option<String>,
    is_there: impl Fn(&str) -> bool,
    can_be_built: impl Fn(&str) -> bool,
) -> Result<Vec<String>, HealthError> {
    let Some((name, preset)) = preset_of(spec)? else { return Ok(Vec::new()) };
    let cast = cast(name, &preset, spec, category_of, &is_there, can_be_built)?;
    Ok(cast.into_iter().map(|played| played.feature).filter(|feature| !is_there(feature)).collect())
}

/// The preset that `spec` names, if it may stand beside the rest of `spec`.
fn preset_of(spec: &ScorecardSpec) -> Result<Option<(&str, Preset)>, HealthError> {
    let Some(name) = spec.preset.as_deref() else { return Ok(None) };
    let Some((_, text)) = PRESETS.iter().find(|(known, _)| *known == name) else {
        return Err(HealthError::UnknownPreset(name.to_owned()));
    };
    let preset = parse(text);
    let clashes = !spec.categories.is_empty() || (preset.categories.is_empty() && !spec.indicators.is_empty());
    if clashes {
        return Err(HealthError::PresetOverride(name.to_owned()));
    }
    Ok(Some((name, preset)))
}

pub(crate) fn parse(text: &str) -> Preset {
    toml::from_str(text).expect("a test reads every preset")
}

/// A role with the feature that plays it.
struct Played<'a> {
    role: &'a Role,
    feature: String,
    /// Its points where roles have none.
    equal: f64,
}

/// The role of each indicator of the preset that `spec` does not replace, with the feature that plays it.
fn cast<'a>(
    name: &str,
    preset: &'a Preset,
    spec: &ScorecardSpec,
    category_of: impl Fn(&str) -> Option<String>,
    is_there: impl Fn(&str) -> bool,
    can_be_built: impl Fn(&str) -> bool,
) -> Result<Vec<Played<'a>>, HealthError> {
    let category = |own: &IndicatorSpec| own.category.clone().or_else(|| category_of(&own.feature));
    let replaced: BTreeSet<Option<String>> = spec.indicators.iter().map(category).collect();
    let mut used: BTreeSet<String> = spec.indicators.iter().map(|own| own.feature.clone()).collect();
    let (mut cast, mut missing): (Vec<Played<'a>>, Vec<&Role>) = Default::default();
    let categories = preset.categories.keys().map(|name| Some(name.clone()));
    let categories = if preset.categories.is_empty() { vec![None] } else { categories.collect() };
    for category in categories.iter().filter(|category| !replaced.contains(*category)) {
        let roles = preset.indicators.iter().filter(|role| role.category == *category);
        let take = category.as_ref().and_then(|name| preset.categories[name].take);
        let (mut played, mut unplayed) = (Vec::new(), Vec::new());
        for role in roles {
            if take.is_some_and(|take| played.len() == take) {
                break;
            }
            let free = || role.features.iter().filter(|name| !used.contains(*name));
            let feature = free().find(|name| is_there(name)).or_else(|| free().find(|name| can_be_built(name)));
            match feature.cloned() {
                Some(feature) => {
                    used.insert(feature.clone());
                    played.push((role, feature));
                }
                None => unplayed.push(role),
            }
        }
        // Roles without points stand in for each other.
        if take.is_none() || played.is_empty() {
            missing.extend(unplayed);
        }
        let equal = crate::TOTAL_WEIGHT / played.len() as f64;
        cast.extend(played.into_iter().map(|(role, feature)| Played { role, feature, equal }));
    }
    if missing.is_empty() {
        return Ok(cast);
    }
    // The first feature of a role is the catalogue's.
    let entries = missing.iter().filter_map(|role| role.features.first().cloned()).collect();
    Err(HealthError::PresetMissing { preset: name.to_owned(), missing: told(&missing), entries })
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
