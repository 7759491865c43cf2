//! The one order of features.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Digest;

/// Which way an indicator is good for the account's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Higher is healthier.
    Up,
    /// Lower is healthier.
    Down,
}

/// One column of a feature matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Unique name; a level of a categorical input is `input=level`.
    pub name: String,
    /// The kind of indicator, such as `usage` or `support`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Which way is good, where that was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Direction>,
}

/// The features of a model in the one order that its graphs read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Feature>", into = "Vec<Feature>")]
pub struct FeatureSchema {
    features: Vec<Feature>,
}

/// Why a schema was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// Two features have one name.
    #[error("feature `{0}` is declared twice; names must be unique")]
    Duplicate(String),
    /// No feature at all.
    #[error("there is no feature; a model needs at least one")]
    Empty,
}

impl FeatureSchema {
    /// A schema of `features`, in this order.
    ///
    /// # Errors
    /// [`SchemaError`] if there is none or a name stands twice.
    pub fn new(features: Vec<Feature>) -> Result<Self, SchemaError> {
        if features.is_empty() {
            return Err(SchemaError::Empty);
        }
        let mut names = std::collections::BTreeSet::new();
        match features.iter().find(|feature| !names.insert(feature.name.as_str())) {
            Some(twice) => Err(SchemaError::Duplicate(twice.name.clone())),
            None => Ok(Self { features }),
        }
    }

    /// The features in order.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// How many features.
    #[expect(clippy::len_without_is_empty, reason = "a schema is never empty")]
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// The place of the feature called `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.features.iter().position(|feature| feature.name == name)
    }

    /// Names the order, the names and the directions; equal for equal schemas only.
    pub fn digest(&self) -> Digest {
        let text = self.features.iter().fold(String::new(), |text, feature| {
            let good = match feature.good {
                None => '-',
                Some(Direction::Up) => '^',
                Some(Direction::Down) => 'v',
            };
            format!("{text}{}:{}{good}\n", feature.name.len(), feature.name)
        });
        Digest::of(text.as_bytes())
    }
}

impl TryFrom<Vec<Feature>> for FeatureSchema {
    type Error = SchemaError;

    fn try_from(features: Vec<Feature>) -> Result<Self, Self::Error> {
        Self::new(features)
    }
}

impl From<FeatureSchema> for Vec<Feature> {
    fn from(schema: FeatureSchema) -> Self {
        schema.features
    }
}
