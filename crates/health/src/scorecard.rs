//! A fitted scorecard.

use std::collections::BTreeSet;

use bellwether_core::{Bands, FeatureSchema, Model, ScorecardModel};
use serde::{Deserialize, Serialize};

use crate::HealthError;

/// A fitted scorecard: the model, and what people call its parts. Checked when read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredScorecard")]
pub struct Scorecard {
    /// The indicators and their weights, which total 100; its logit falls as health rises (churn).
    pub model: ScorecardModel,
    /// Where yellow and green begin.
    pub bands: Bands,
    /// The feature name of each indicator, in the model's order.
    pub names: Vec<String>,
    /// The category of each indicator, in the model's order.
    pub categories: Vec<Option<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredScorecard {
    model: ScorecardModel,
    bands: Bands,
    names: Vec<String>,
    categories: Vec<Option<String>>,
}

impl Scorecard {
    /// Checks the rules of the model and that each indicator has one name and one category.
    ///
    /// # Errors
    /// [`HealthError::Model`], [`HealthError::Lengths`] or [`HealthError::Duplicate`].
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
        Ok(Model::Scorecard(self.model.clone()).validate()?)
    }

    /// Checks that the scorecard reads rows of `schema` and calls its features by their names.
    ///
    /// # Errors
    /// [`HealthError::Columns`] or [`HealthError::Schema`].
    pub fn check_schema(&self, schema: &FeatureSchema) -> Result<(), HealthError> {
        if self.model.n_features != schema.len() {
            return Err(HealthError::Columns { found: self.model.n_features, expected: schema.len() });
        }
        for (place, (indicator, found)) in self.model.indicators.iter().zip(&self.names).enumerate() {
            let expected = schema.features().get(indicator.feature as usize).map_or("(none)", |of| of.name.as_str());
            if found != expected {
                return Err(HealthError::Schema { place, found: found.clone(), expected: expected.to_owned() });
            }
        }
        Ok(())
    }
}

impl TryFrom<StoredScorecard> for Scorecard {
    type Error = HealthError;

    fn try_from(stored: StoredScorecard) -> Result<Self, Self::Error> {
        let StoredScorecard { model, bands, names, categories } = stored;
        let scorecard = Self { model, bands, names, categories };
        scorecard.validate().map(|()| scorecard)
    }
}
