//! Which columns of a feature file a model reads.

use std::collections::BTreeSet;

use bellwether_core::{Encoding, InputKind, RawColumn, RawTable, RawValues, TextColumn};

use crate::scoring_rows::ScoringRows;

/// Which columns of a feature file a model reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureFileNeeds {
    /// The features in the encoding's order, helpers after them.
    pub(super) features: Vec<(String, FeatureUse)>,
    /// How many of `features` are helpers, whose percentiles alone are inputs.
    pub(super) n_helpers: usize,
    /// The dimensions of cohorts, coarse to fine.
    pub(super) cohort: Vec<String>,
    /// Further segments, read where they are there.
    pub(super) segments: Vec<String>,
}

/// What a feature is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeatureUse {
    Number,
    Text,
}

impl FeatureFileNeeds {
    /// What `encoding` reads, and `segment` where the file has it.
    pub fn of(encoding: &Encoding, segment: Option<&str>) -> Self {
        let mut features = Vec::new();
        let mut percentiles = Vec::new();
        for input in &encoding.inputs {
            match &input.kind {
                InputKind::Number => features.push((input.name.clone(), FeatureUse::Number)),
                InputKind::Levels { .. } => features.push((input.name.clone(), FeatureUse::Text)),
                InputKind::Percentile(percentile) => percentiles.push(percentile),
            }
        }
        let n_inputs = features.len();
        for percentile in &percentiles {
            if !features.iter().any(|(name, _)| name == percentile.of()) {
                features.push((percentile.of().to_owned(), FeatureUse::Number));
            }
        }
        let cohort = percentiles.first().map(|percentile| percentile.by().to_vec()).unwrap_or_default();
        let is_further = |segment: &&str| !cohort.iter().any(|name| name == segment);
        let segments = segment.filter(is_further).map(str::to_owned).into_iter().collect();
        Self { n_helpers: features.len() - n_inputs, features, cohort, segments }
    }

    /// Rows with these columns, none of them.
    pub fn no_rows(&self) -> ScoringRows {
        let column = |(name, wanted): &(String, FeatureUse)| {
            let values = match wanted {
                FeatureUse::Number => RawValues::Number(Vec::new()),
                FeatureUse::Text => RawValues::Text(TextColumn::default()),
            };
            RawColumn { name: name.clone(), values }
        };
        let (inputs, helpers) = self.features.split_at(self.features.len() - self.n_helpers);
        let no_texts = |name: &String| (name.clone(), TextColumn::default());
        let raw = RawTable {
            n_rows: 0,
            columns: inputs.iter().map(column).collect(),
            helpers: helpers.iter().map(column).collect(),
            cohort: self.cohort.iter().map(no_texts).collect(),
        };
        let segments = self.cohort.iter().chain(&self.segments).map(no_texts).collect();
        ScoringRows { raw, segments, ..ScoringRows::default() }
    }

    /// The columns that a file must have, beside its keys.
    pub(super) fn required(&self) -> impl Iterator<Item = (String, &'static str)> {
        let features = self.features.iter().map(|(name, _)| (name.clone(), "a feature of the model"));
        let cohort = self.cohort.iter().map(|name| (format!("{}{name}", super::SEGMENT), "by which cohorts are told"));
        features.chain(cohort)
    }

    /// The first of `columns` that a feature file of this model does not have.
    pub(super) fn unknown<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        let known: BTreeSet<&str> = self.features.iter().map(|(name, _)| name.as_str()).collect();
        let is_known = |column: &str| {
            [super::ACCOUNT, super::AS_OF, super::STATUS, super::ARR].contains(&column)
                || column.starts_with(super::LABEL)
                || column.starts_with(super::SEGMENT)
                || known.contains(column)
        };
        columns.into_iter().find(|column| !is_known(column))
    }
}
