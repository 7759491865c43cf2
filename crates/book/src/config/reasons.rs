//! `[reasons]`: how explanations speak of features, and which of them somebody can do something about.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::check::choose_from;
use super::{Aggregate, BookFile, Change, ConfigError, DeclaredFeature};
use crate::catalogue::Catalogue;

/// Changes no feature, model or score, and may be changed after training.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReasonsConfig {
    /// What people call a feature; its name with blanks where not given.
    pub labels: BTreeMap<Spanned<String>, String>,
    /// What a feature's numbers count, such as `logins a week`.
    pub units: BTreeMap<Spanned<String>, String>,
    /// The features that somebody can do something about. Where not given, those that declare which way is `good`, but for the
    /// categories `business` and `expansion`: what an account is or pays is no action.
    pub actionable: Option<Vec<Spanned<String>>>,
}

/// How an explanation speaks of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureWords {
    /// What people call it.
    pub label: String,
    /// What its numbers count, where anybody said so.
    pub unit: Option<String>,
    /// What its numbers are.
    pub numbers: Numbers,
    /// Whether somebody can do something about it.
    pub is_actionable: bool,
}

/// What the numbers of a feature are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// As they are.
    Plain,
    /// Shares, `0..=1`.
    Shares,
    /// Against an earlier time, where 1 is no change.
    Ratios,
    /// Against an earlier time, where 0 is no change.
    Differences,
}

/// Categories of what an account is or pays.
const GIVEN: [&str; 2] = ["business", "expansion"];

impl BookFile {
    /// How explanations speak of the feature called `name`; `None` where the book has none.
    pub fn words(&self, name: &str) -> Option<FeatureWords> {
        let feature = self.declared().into_iter().find(|feature| feature.name == name)?;
        let reasons = &self.config.reasons;
        let said = |of: &BTreeMap<Spanned<String>, String>| {
            of.iter().find(|(key, _)| key.get_ref() == name).map(|(_, text)| text.clone())
        };
        // An entry's meaning never changes, so its unit holds wherever its name is taken from the catalogue.
        let of_catalogue = self.from_catalogue.iter().any(|feature| feature.name == name);
        let entry = Catalogue::standard().entry(name).filter(|_| of_catalogue);
        let unit = said(&self.config.reasons.units).or_else(|| entry.map(|entry| entry.unit.clone()));
        let is_actionable = match &reasons.actionable {
            Some(listed) => listed.iter().any(|of| of.get_ref() == name),
            None => feature.good.is_some() && !feature.category.as_deref().is_some_and(|of| GIVEN.contains(&of)),
        };
        Some(FeatureWords {
            label: said(&reasons.labels).unwrap_or_else(|| name.replace('_', " ")),
            numbers: numbers(&feature, unit.as_deref()),
            unit,
            is_actionable,
        })
    }
}

fn numbers(feature: &DeclaredFeature, unit: Option<&str>) -> Numbers {
    let is_share = matches!(
        feature.aggregate,
        Aggregate::ShareOfDaysActive | Aggregate::ShareOfWeeksActive | Aggregate::LargestShare
    ) || unit.is_some_and(|unit| unit.starts_with("share of"));
    match feature.change {
        Some(Change::Ratio) => Numbers::Ratios,
        Some(Change::Difference) => Numbers::Differences,
        None if is_share => Numbers::Shares,
        Some(Change::ZScore) | None => Numbers::Plain,
    }
}

/// Checks that features of these names are there.
pub(super) fn check(file: &BookFile) -> Result<(), ConfigError> {
    let reasons = &file.config.reasons;
    let known: Vec<String> = file.declared().into_iter().map(|feature| feature.name).collect();
    let named = reasons.labels.keys().chain(reasons.units.keys()).chain(reasons.actionable.iter().flatten());
    match named.into_iter().find(|name| !known.contains(name.get_ref())) {
        Some(name) => {
            let message = format!("reasons: there is no feature `{}`", name.get_ref());
            Err(file.error(name.span(), message, choose_from(name.get_ref(), known.iter().map(String::as_str))))
        }
        None => Ok(()),
    }
}
