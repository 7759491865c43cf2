//! The 0-100 health score of a row, its band and what was known: the one place where it is computed.

mod card;
mod condition;
mod thresholds;

use serde::{Deserialize, Serialize};

use crate::{Band, Bands, Model, ModelError, ScorecardModel};

pub(crate) use thresholds::{OfCohort, finest, validate_cohorts};

pub use card::{HealthCard, HealthCategory, HealthIndicator, MissingPolicy, Scale};
pub use condition::{FeatureCondition, FeatureRange};
pub use thresholds::{CohortBands, CohortEdges, Dimension};

/// A whole health score: a weighted sum of bounded indicators, and what goes beyond one.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthModel {
    /// The score where there are no rules; else the straight-line reading of their last card, which a graph can hold.
    pub card: ScorecardModel,
    /// The bands where there are no rules; else those of the last card.
    pub bands: Bands,
    /// What a weighted sum of straight lines can't say.
    pub rules: Option<HealthRules>,
}

/// Cards, vetoes and thresholds: what a [`ScorecardModel`] can't say.
///
/// The score is that of the first card whose conditions hold, at most what each veto that holds leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthRules {
    /// In order; the last has no conditions, the others have some.
    pub cards: Vec<HealthCard>,
    /// What caps the score whatever the card says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vetoes: Vec<Veto>,
    /// Bands by cohort, in place of the card's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<CohortBands>,
}

/// A fact that caps the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// What people call it.
    pub name: String,
    /// It holds where all of these do; at least one.
    pub when: Vec<FeatureCondition>,
    /// The most that the score can be where it holds, in `0.0..100.0`.
    pub at_most: f64,
}

/// The health of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assessment {
    /// Unrounded, `0.0..=100.0`; 50 where nothing is known.
    pub score: f64,
    /// The edges that hold for the row.
    pub bands: Bands,
    /// The share of the weight whose indicators are known, `0.0..=1.0`.
    pub coverage: f64,
    /// Whether an indicator is missing that must not be; the score is then not to be shown.
    pub is_refused: bool,
    /// The place of the card that scored the row; 0 where there are no rules.
    pub card: usize,
    /// The place of the veto with the lowest cap among those that lowered the score.
    pub veto: Option<usize>,
}

impl Assessment {
    /// The band of the unrounded score.
    pub fn band(&self) -> Band {
        self.bands.band(self.score)
    }

    /// The band, where the score is to be shown.
    pub fn shown_band(&self) -> Option<Band> {
        (!self.is_refused).then(|| self.band())
    }
}

impl HealthModel {
    /// The health of the row whose feature `i` is `value(i)`, NaN = missing.
    ///
    /// # Panics
    /// If `value` does for a feature that [`HealthModel::features`] names.
    pub fn assess(&self, value: impl Fn(usize) -> f32) -> Assessment {
        let value: &dyn Fn(usize) -> f32 = &value;
        match &self.rules {
            Some(rules) => rules.assess(value),
            None => self.assess_plain(value),
        }
    }

    fn assess_plain(&self, value: &dyn Fn(usize) -> f32) -> Assessment {
        let (mut known, mut total) = (0.0, 0.0);
        for indicator in &self.card.indicators {
            let weight = f64::from(indicator.weight);
            total += weight;
            known += if value(indicator.feature as usize).is_nan() { 0.0 } else { weight };
        }
        let score = self.card.health_of(value);
        let coverage = known / total;
        Assessment { score, bands: self.bands, coverage, is_refused: false, card: 0, veto: None }
    }

    /// The places of the features that the score or the band reads, rising, each once.
    pub fn features(&self) -> Vec<usize> {
        let mut features: Vec<usize> = match &self.rules {
            Some(rules) => rules.features(),
            None => self.card.indicators.iter().map(|indicator| indicator.feature as usize).collect(),
        };
        features.sort_unstable();
        features.dedup();
        features
    }

    /// Checks every rule that the types' docs state.
    ///
    /// # Errors
    /// [`ModelError`] for the first rule that is broken.
    pub fn validate(&self) -> Result<(), ModelError> {
        Model::Scorecard(self.card.clone()).validate()?;
        self.rules.as_ref().map_or(Ok(()), |rules| rules.validate(self.card.n_features))
    }
}

impl HealthRules {
    fn assess(&self, value: &dyn Fn(usize) -> f32) -> Assessment {
        let holds = |card: &HealthCard| condition::all_hold(&card.when, value);
        // The last card has no conditions, so that one holds.
        let place = self.cards.iter().position(holds).unwrap_or(self.cards.len() - 1);
        let card = &self.cards[place];
        let found = card.read(value);
        let mut score = found.score;
        let mut veto = None;
        for (place, of) in self.vetoes.iter().enumerate() {
            if of.at_most < score && condition::all_hold(&of.when, value) {
                (score, veto) = (of.at_most, Some(place));
            }
        }
        let bands = self.thresholds.as_ref().map_or(card.bands, |thresholds| thresholds.of_row(value));
        Assessment { score, bands, coverage: found.coverage, is_refused: found.is_refused, card: place, veto }
    }

    fn features(&self) -> Vec<usize> {
        let conditions =
            self.cards.iter().flat_map(|card| &card.when).chain(self.vetoes.iter().flat_map(|veto| &veto.when));
        let of_conditions = conditions.flat_map(|of| of.any.iter().map(|range| range.feature as usize));
        let of_cards = self.cards.iter().flat_map(HealthCard::indicators).map(|of| of.feature as usize);
        let of_thresholds = self.thresholds.iter().flat_map(CohortBands::features);
        of_cards.chain(of_conditions).chain(of_thresholds).collect()
    }

    fn validate(&self, n_features: usize) -> Result<(), ModelError> {
        let Some((last, others)) = self.cards.split_last() else {
            return broken("the health score", "there must be a card");
        };
        if !last.when.is_empty() || others.iter().any(|card| card.when.is_empty()) {
            return broken("the health score", "its last card has no conditions and every other one has some");
        }
        for card in &self.cards {
            card.validate(n_features)?;
        }
        for veto in &self.vetoes {
            let place = format!("veto `{}`", veto.name);
            if veto.when.is_empty() {
                return broken(&place, "a veto has a condition");
            }
            if !(0.0..100.0).contains(&veto.at_most) {
                return broken(&place, "at_most lies in 0..100");
            }
            condition::validate(&veto.when, &place, n_features)?;
        }
        self.thresholds.as_ref().map_or(Ok(()), |thresholds| thresholds.validate(n_features))
    }
}

fn broken(place: &str, rule: &'static str) -> Result<(), ModelError> {
    Err(ModelError::Rule { place: place.to_owned(), rule })
}

pub(crate) fn in_schema(feature: u32, place: &str, n_features: usize) -> Result<(), ModelError> {
    let feature = feature as usize;
    if feature < n_features {
        return Ok(());
    }
    Err(ModelError::Feature { place: place.to_owned(), feature, n_features })
}
