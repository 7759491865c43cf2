//! A fitted scorecard.

use std::collections::BTreeSet;

use bellwether_core::{
    Assessment, Bands, FeatureMatrix, FeatureSchema, HealthCard, HealthCategory, HealthModel, HealthRules, Indicator,
    ScorecardModel,
};
use serde::{Deserialize, Serialize};

use crate::{HealthError, TOTAL_WEIGHT};

/// A fitted scorecard: the model, and what people call its parts. Checked when read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredScorecard")]
pub struct Scorecard {
    /// The indicators and their weights, which total 100; its logit falls as health rises (churn). With `rules`, the
    /// straight-line reading of their last card, which is what a graph holds.
    pub model: ScorecardModel,
    /// Where yellow and green begin; with `rules`, in their last card.
    pub bands: Bands,
    /// The feature name of each indicator, in the model's order.
    pub names: Vec<String>,
    /// The category of each indicator, in the model's order.
    pub categories: Vec<Option<String>>,
    /// What a weighted sum of straight lines can't say. The indicators of the last card are the model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<HealthRules>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredScorecard {
    model: ScorecardModel,
    bands: Bands,
    names: Vec<String>,
    categories: Vec<Option<String>>,
    #[serde(default)]
    rules: Option<HealthRules>,
}

impl Scorecard {
    /// What computes health and bands.
    pub fn health_model(&self) -> HealthModel {
        HealthModel { card: self.model.clone(), bands: self.bands, rules: self.rules.clone() }
    }

    /// The health of each row of `rows` of `x`.
    ///
    /// # Panics
    /// If a row is outside `x`, or `x` has other columns than the scorecard was learnt on.
    pub fn assess(&self, x: &FeatureMatrix, rows: &[usize]) -> Vec<Assessment> {
        let model = self.health_model();
        rows.iter().map(|&row| model.assess(|feature| x.value(row, feature))).collect()
    }

    /// The points, `0.0..=100.0`, that value `x` of indicator `indicator` earns; `None` where it is missing. With rules,
    /// in their last card.
    ///
    /// # Panics
    /// If there is no such indicator.
    pub fn points(&self, indicator: usize, x: f32) -> Option<f64> {
        match self.rules.as_ref().and_then(|rules| rules.cards.last()) {
            Some(card) => {
                card.indicators().nth(indicator).expect("the card has the model's indicators").scale.points(x)
            }
            None => self.model.indicators[indicator].points(x).map(|share| 100.0 * share),
        }
    }

    /// The scorecard with other weights, in the order of `names`; they are scaled to total 100, and an indicator whose
    /// weight is 0 is left out. With rules, those of the last card; bands by cohort, which would be stale, are dropped.
    ///
    /// # Errors
    /// [`HealthError::History`] if there is not one weight an indicator, one is negative or not finite, or all are 0.
    pub fn with_weights(&self, weights: &[f64]) -> Result<Self, HealthError> {
        let total: f64 = weights.iter().sum();
        let is_usable = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
        if weights.len() != self.names.len() || !is_usable || !(total.is_finite() && total > 0.0) {
            let rule = format!("weights are {weights:?}; they must be at least 0, not all 0, and one an indicator");
            return Err(HealthError::History(rule));
        }
        let shares: Vec<f64> = weights.iter().map(|weight| TOTAL_WEIGHT * (weight / total)).collect();
        // What f32 can't hold as a weight is none.
        let kept: Vec<usize> = (0..shares.len()).filter(|&at| (shares[at] as f32).is_normal()).collect();
        let indicator = |&at: &usize| Indicator { weight: shares[at] as f32, ..self.model.indicators[at] };
        let model = ScorecardModel { indicators: kept.iter().map(indicator).collect(), ..self.model.clone() };
        let reweighted = Self {
            model,
            bands: self.bands,
            names: kept.iter().map(|&at| self.names[at].clone()).collect(),
            categories: kept.iter().map(|&at| self.categories[at].clone()).collect(),
            rules: self.rules.as_ref().map(|rules| reweigh(rules, &shares)),
        };
        reweighted.validate().map(|()| reweighted)
    }

    /// Checks the rules of the model, that each indicator has one name and one category, and that the rules' last card
    /// has the model's indicators.
    ///
    /// # Errors
    /// [`HealthError::Model`], [`HealthError::Lengths`], [`HealthError::Duplicate`] or [`HealthError::Rule`].
    pub fn validate(&self) -> Result<(), HealthError> {
        let (n_indicators, n_names, n_categories) =
            (self.model.indicators.len(), self.names.len(), self.categories.len());
        if n_indicators != n_names || n_indicators != n_categories {
            return Err(HealthError::Lengths { n_indicators, n_names, n_categories });
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(HealthError::Duplicate(twice.clone()));
        }
        self.health_model().validate()?;
        let Some(card) = self.rules.as_ref().and_then(|rules| rules.cards.last()) else { return Ok(()) };
        let of_card = card.indicators().map(|of| (of.feature, of.name.as_str()));
        let of_model = self.model.indicators.iter().zip(&self.names).map(|(of, name)| (of.feature, name.as_str()));
        if of_card.eq(of_model) {
            return Ok(());
        }
        let rule = "it has other indicators than the model".to_owned();
        Err(HealthError::Rule { place: format!("card `{}`", card.name), rule })
    }

    /// Checks that the scorecard reads rows of `schema` and calls its features by their names.
    ///
    /// # Errors
    /// [`HealthError::Columns`] or [`HealthError::Schema`].
    pub fn check_schema(&self, schema: &FeatureSchema) -> Result<(), HealthError> {
        if self.model.n_features != schema.len() {
            return Err(HealthError::Columns { found: self.model.n_features, expected: schema.len() });
        }
        let of_model = self.model.indicators.iter().zip(&self.names).map(|(of, name)| (of.feature, name));
        let cards = self.rules.iter().flat_map(|rules| &rules.cards);
        let of_cards = cards.flat_map(HealthCard::indicators).map(|of| (of.feature, &of.name));
        for (place, (feature, found)) in of_model.chain(of_cards).enumerate() {
            let expected = schema.features().get(feature as usize).map_or("(none)", |of| of.name.as_str());
            if found != expected {
                return Err(HealthError::Schema { place, found: found.clone(), expected: expected.to_owned() });
            }
        }
        Ok(())
    }
}

/// The last card with these shares of its score.
fn reweigh(rules: &HealthRules, shares: &[f64]) -> HealthRules {
    let mut rules = HealthRules { thresholds: None, ..rules.clone() };
    if let Some(card) = rules.cards.last_mut() {
        let mut shares = shares.iter();
        for category in &mut card.categories {
            for indicator in &mut category.indicators {
                indicator.weight = *shares.next().expect("one share an indicator");
            }
            category.indicators.retain(|indicator| (indicator.weight as f32).is_normal());
            category.weight = category.indicators.iter().map(|indicator| indicator.weight).sum();
        }
        card.categories.retain(|category: &HealthCategory| !category.indicators.is_empty());
    }
    rules
}

impl TryFrom<StoredScorecard> for Scorecard {
    type Error = HealthError;

    fn try_from(stored: StoredScorecard) -> Result<Self, Self::Error> {
        let StoredScorecard { model, bands, names, categories, rules } = stored;
        let scorecard = Self { model, bands, names, categories, rules };
        scorecard.validate().map(|()| scorecard)
    }
}
