//! What presets are made of, to be shown.

use bellwether_core::Direction;
use serde::Serialize;

use crate::preset::{Preset, PresetCategory, Role, parse};
use crate::{BandsSpec, PRESETS, WeightsFrom};

/// What a preset is made of, to be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PresetDescription {
    /// Its name.
    pub name: &'static str,
    /// Its bands.
    pub bands: BandsSpec,
    /// Where its weights come from.
    pub weights: WeightsFrom,
    /// Its categories, by name; one without a name where it has none.
    pub categories: Vec<CategoryDescription>,
}

/// A category of a [`PresetDescription`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CategoryDescription {
    /// None where the preset has no categories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its share of 100.
    pub weight: f64,
    /// What the points of its roles total; 100 where they have none.
    pub maximum: f64,
    /// Where roles have no points: so many of them play, equally weighted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub take: Option<usize>,
    /// Its roles, the first to play first.
    pub roles: Vec<RoleDescription>,
}

/// A role of a preset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleDescription {
    /// What it is.
    pub what: String,
    /// Its points of the category's maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<f64>,
    /// Which way is healthy.
    pub good: Direction,
    /// What can play it, the best first.
    pub features: Vec<String>,
}

/// Every preset, in the order of [`PRESETS`].
pub fn describe_presets() -> Vec<PresetDescription> {
    PRESETS.iter().map(|(name, text)| describe(name, parse(text))).collect()
}

fn describe(name: &'static str, preset: Preset) -> PresetDescription {
    let roles = |category: Option<&String>| -> Vec<RoleDescription> {
        let of_category = preset.indicators.iter().filter(|role| role.category.as_ref() == category);
        let role = |role: &Role| RoleDescription {
            what: role.what.clone(),
            points: role.points,
            good: role.good,
            features: role.features.clone(),
        };
        of_category.map(role).collect()
    };
    let category = |(name, of): (&String, &PresetCategory)| CategoryDescription {
        name: Some(name.clone()),
        weight: of.weight,
        maximum: of.maximum.unwrap_or(crate::TOTAL_WEIGHT),
        take: of.take,
        roles: roles(Some(name)),
    };
    let (weight, maximum) = (crate::TOTAL_WEIGHT, crate::TOTAL_WEIGHT);
    let categories = if preset.categories.is_empty() {
        vec![CategoryDescription { name: None, weight, maximum, take: None, roles: roles(None) }]
    } else {
        preset.categories.iter().map(category).collect()
    };
    PresetDescription { name, bands: preset.bands, weights: preset.weights.unwrap_or_default(), categories }
}
