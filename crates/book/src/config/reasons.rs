//! `[reasons]`: how explanations speak of features, and which of them somebody can do something about.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::check::choose_from;
use super::{Aggregate, BookFile, Change, ConfigError, DeclaredFeature, SourceKind};
use crate::catalogue::Catalogue;

/// Changes no feature, model or score, and may be changed after training.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReasonsConfig {
    /// What people call a feature; its name with blanks where not given.
    pub labels: BTreeMap<Spanned<String>, String>,
    /// What a feature's numbers count, such as `logins a week`.
    pub units: BTreeMap<Spanned<String>, String>,
    /// The features that somebody can do something about. Where not given, those that declare which way is `good`,
    /// but for what an account is or pays, which is no action: the categories `business` and `expansion`,
    /// subscriptions, the feature of `[value]`, and the days since or until a date of an attribute source.
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
            None => feature.good.is_some() && !self.is_given(&feature),
        };
        Some(FeatureWords {
            label: said(&reasons.labels).unwrap_or_else(|| name.replace('_', " ")),
            numbers: numbers(&feature, unit.as_deref()),
            unit,
            is_actionable,
        })
    }

    /// Whether a feature says what an account is or pays.
    fn is_given(&self, feature: &DeclaredFeature) -> bool {
        let is_value = self.config.value.as_ref().is_some_and(|value| value.feature.get_ref() == &feature.name);
        let is_fact = match self.config.sources.get(feature.from.as_str()).map(|source| source.kind) {
            Some(SourceKind::Subscription) => true,
            Some(SourceKind::Attribute) => {
                matches!(feature.aggregate, Aggregate::DaysSince | Aggregate::DaysSinceFirst | Aggregate::DaysUntil)
            }
            Some(SourceKind::Snapshot | SourceKind::Event | SourceKind::Labelled) | None => false,
        };
        is_value || is_fact || feature.category.as_deref().is_some_and(|of| GIVEN.contains(&of))
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const BOOK: &str = r#"
        name = "some"
        accounts = { from = "accounts" }
        value = { feature = "seats" }
        sources.accounts = { kind = "attribute", path = "a.csv", account = "id", date = "start" }
        sources.plans = { kind = "subscription", path = "p.csv", account = "id", date = "from", end = "to" }
        sources.usage = { kind = "event", path = "u.csv", account = "id", date = "day" }
        targets.churn = { rule = "no_subscription", source = "plans" }
        features = [
            { name = "tenure", from = "accounts", aggregate = "days_since", good = "up" },
            { name = "setup_done", from = "accounts", column = "setup", good = "up" },
            { name = "mrr", from = "plans", column = "mrr", aggregate = "sum", good = "up" },
            { name = "paid", from = "usage", aggregate = "count", window = "9d", good = "up", category = "business" },
            { name = "seats", from = "usage", column = "seats", aggregate = "max", window = "30d", good = "up" },
            { name = "logins", from = "usage", aggregate = "count", window = "30d", good = "up" },
            { name = "exports", from = "usage", aggregate = "count", window = "90d" },
        ]
    "#;

    fn actionable(reasons: &str) -> Vec<String> {
        let file = BookFile::parse(format!("{BOOK}\n{reasons}"), Path::new("book.toml")).expect("a book");
        let names = file.declared().into_iter().map(|feature| feature.name);
        names.filter(|name| file.words(name).is_some_and(|words| words.is_actionable)).collect()
    }

    #[test]
    fn what_an_account_is_or_pays_is_no_action() {
        assert_eq!(actionable(""), ["setup_done", "logins"]);
    }

    #[test]
    fn what_is_listed_is_an_action() {
        assert_eq!(actionable("reasons.actionable = [\"exports\", \"tenure\"]"), ["tenure", "exports"]);
        assert_eq!(actionable("reasons.actionable = []"), Vec::<String>::new());
    }
}
