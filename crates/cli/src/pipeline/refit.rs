//! The same rows with less to learn from: without some columns, or with fewer training accounts.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_book::{FeatureTable, Split};
use bellwether_core::{EncodedInput, FeatureMatrix, FeatureSchema, Indicator, ScorecardModel};

use crate::pipeline::fit::{PartRows, PartialPart, TargetRows};

/// What features without a category are called together.
const NO_CATEGORY: &str = "(no category)";

/// The features of one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeatureGroup {
    category: Option<String>,
    /// Features as the book declares them; a text is one, however many columns it becomes.
    pub(crate) n_features: usize,
}

impl FeatureGroup {
    /// One for each category, sorted by name.
    pub(crate) fn all(inputs: &[EncodedInput]) -> Vec<Self> {
        let mut counts: BTreeMap<&Option<String>, usize> = BTreeMap::new();
        for input in inputs {
            *counts.entry(&input.category).or_default() += 1;
        }
        let group = |(category, n_features): (&Option<String>, usize)| Self { category: category.clone(), n_features };
        counts.into_iter().map(group).collect()
    }

    pub(crate) fn name(&self) -> &str {
        self.category.as_deref().unwrap_or(NO_CATEGORY)
    }
}

impl TargetRows {
    /// The same without the columns of `group`; `None` where no column is left.
    pub(crate) fn without(&self, group: &FeatureGroup) -> Option<Self> {
        let features = self.schema.features();
        let kept: Vec<usize> =
            (0..features.len()).filter(|&column| features[column].category != group.category).collect();
        let schema = FeatureSchema::new(kept.iter().map(|&column| features[column].clone()).collect()).ok()?;
        let part = |part: &PartRows| PartRows { x: columns(&part.x, &kept), ..part.clone() };
        Some(Self {
            target: self.target,
            settings: self.settings.clone(),
            schema,
            scorecard: reading(&self.scorecard, &kept),
            training: part(&self.training),
            calibration: part(&self.calibration),
            test: part(&self.test),
            partial: PartialPart { part: part(&self.partial.part), share: self.partial.share.clone() },
        })
    }

    /// Whether the scorecard reads any column.
    pub(crate) fn has_indicators(&self) -> bool {
        !self.scorecard.indicators.is_empty()
    }
}

fn columns(x: &FeatureMatrix, kept: &[usize]) -> FeatureMatrix {
    let columns: Vec<Vec<f32>> = kept.iter().map(|&column| x.column(column).to_vec()).collect();
    FeatureMatrix::from_columns(&columns).expect("the values stood in a matrix")
}

/// The scorecard on the columns `kept`: a lost indicator's weight goes to the others in proportion.
fn reading(scorecard: &ScorecardModel, kept: &[usize]) -> ScorecardModel {
    let moved = |indicator: &Indicator| {
        let feature = kept.binary_search(&(indicator.feature as usize)).ok()? as u32;
        Some(Indicator { feature, ..*indicator })
    };
    let indicators = scorecard.indicators.iter().filter_map(moved).collect();
    ScorecardModel { n_features: kept.len(), indicators, ..scorecard.clone() }
}

/// `split` with the training rows of a share of the training accounts, at least one; a smaller share's accounts are among
/// a larger one's, as their hash says.
pub(crate) fn thinned(split: &Split, table: &FeatureTable, share: f64) -> Split {
    let key = |row: usize| (table.group[row], table.account[row]);
    let accounts: BTreeSet<(u64, u32)> = split.training.iter().map(|&row| key(row)).collect();
    let n_kept = (share * accounts.len() as f64).ceil().max(1.0) as usize;
    let kept: BTreeSet<(u64, u32)> = accounts.into_iter().take(n_kept).collect();
    let training = split.training.iter().copied().filter(|&row| kept.contains(&key(row))).collect();
    Split { training, ..split.clone() }
}
