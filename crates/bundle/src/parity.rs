//! The parity certificate: rows with the numbers that they must give, on every machine and in every release.

use std::collections::BTreeMap;

use bellwether_core::{
    Band, Digest, FeatureMatrix, MatrixError, RawColumn, RawTable, RawValues, RowStatus, Target, TextColumn,
};

/// Rows, and what each must give, bit for bit. The first rows are encoded from [`ParityVectors::inputs`].
#[derive(Debug, Clone, PartialEq)]
pub struct ParityVectors {
    /// Rows before they are encoded: row `i` of them must become row `i` of `columns`.
    pub inputs: ParityInputs,
    /// `f32::to_bits` of the feature values, column after column in schema order, one value a row; at least one row.
    /// [`ParityVectors::MISSING`] is missing.
    pub columns: Vec<Vec<u32>>,
    /// What each target of the bundle must give.
    pub targets: BTreeMap<Target, ParityTarget>,
    /// `f64::to_bits` of the health score, one a row.
    pub health_bits: Vec<u64>,
    /// The band of the health score, one a row.
    pub band: Vec<Band>,
    /// What becomes of each row.
    pub status: Vec<RowStatus>,
    /// See [`crate::background_digest`].
    pub background: Digest,
}

/// What the rows must give for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParityTarget {
    /// The graph whose numbers these are.
    pub graph: Digest,
    /// `f64::to_bits` of the logit, one a row.
    pub logit_bits: Vec<u64>,
    /// `f64::to_bits` of the calibrated probability, after horizons were put in order, one a row.
    pub probability_bits: Vec<u64>,
    /// For each tree the SHA-256 of every row's leaf in it, as little-endian u32; a leaf is named by its place among
    /// the nodes of its tree. Empty for models without trees.
    pub leaf_digests: Vec<Digest>,
    /// Why some rows have their logits; `None` where the model can't be explained, or is none of a main horizon.
    pub reasons: Option<ParityReasons>,
}

/// Exact Shapley values of some rows, against the training rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParityReasons {
    /// Places of the rows among those of the certificate, rising; at least one.
    pub rows: Vec<u32>,
    /// `f64::to_bits` of the sum that is expected of a row of which nothing is known.
    pub expected_bits: u64,
    /// `f64::to_bits` of what each feature adds to a row's sum: row after row, in schema order.
    pub contribution_bits: Vec<u64>,
}

/// Rows as they are before they are encoded; none where there are no columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParityInputs {
    /// How many rows each column has.
    pub n_rows: usize,
    /// Inputs in the order of the encoding, helpers of percentiles, and dimensions of cohorts.
    pub columns: Vec<ParityInput>,
}

/// One column of [`ParityInputs`].
#[derive(Debug, Clone, PartialEq)]
pub struct ParityInput {
    /// What it is to the encoding.
    pub role: InputRole,
    /// Its name.
    pub name: String,
    /// One value a row.
    pub values: InputValues,
}

/// What a column is to the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputRole {
    /// An input of its own.
    Input,
    /// A number that only a percentile is read off.
    Helper,
    /// A dimension of the cohorts of percentiles.
    Cohort,
}

/// One value a row.
#[derive(Debug, Clone, PartialEq)]
pub enum InputValues {
    /// `f32::to_bits`; [`ParityVectors::MISSING`] is missing.
    Number(Vec<u32>),
    /// Texts; every level stands in some row.
    Text(TextColumn),
}

impl ParityVectors {
    /// The bits of a missing value: a quiet NaN.
    pub const MISSING: u32 = f32::NAN.to_bits();

    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.health_bits.len()
    }

    /// The feature values, NaN where missing.
    ///
    /// # Errors
    /// [`MatrixError`] if columns have different lengths or a value is infinite.
    pub fn matrix(&self) -> Result<FeatureMatrix, MatrixError> {
        FeatureMatrix::from_columns(&self.columns.iter().map(|bits| floats(bits)).collect::<Vec<_>>())
    }

    /// The values of `x` as `columns` holds them.
    pub fn bits_of(x: &FeatureMatrix) -> Vec<Vec<u32>> {
        (0..x.n_cols()).map(|column| bits(x.column(column))).collect()
    }
}

impl ParityInputs {
    /// The rows of `raw`.
    pub fn of(raw: &RawTable) -> Self {
        let column = |role: InputRole, of: &RawColumn| {
            let values = match &of.values {
                RawValues::Number(values) => InputValues::Number(bits(values)),
                RawValues::Text(texts) => InputValues::Text(texts.clone()),
            };
            ParityInput { role, name: of.name.clone(), values }
        };
        let inputs = raw.columns.iter().map(|of| column(InputRole::Input, of));
        let helpers = raw.helpers.iter().map(|of| column(InputRole::Helper, of));
        let cohorts = raw.cohort.iter().map(|(name, texts)| ParityInput {
            role: InputRole::Cohort,
            name: name.clone(),
            values: InputValues::Text(texts.clone()),
        });
        Self { n_rows: raw.n_rows, columns: inputs.chain(helpers).chain(cohorts).collect() }
    }

    /// The rows, as an encoding takes them.
    pub fn table(&self) -> RawTable {
        let mut table = RawTable { n_rows: self.n_rows, ..RawTable::default() };
        for ParityInput { role, name, values } in &self.columns {
            let (name, raw) = (
                name.clone(),
                match values {
                    InputValues::Number(bits) => RawValues::Number(floats(bits)),
                    InputValues::Text(texts) => RawValues::Text(texts.clone()),
                },
            );
            match (role, raw) {
                (InputRole::Input, values) => table.columns.push(RawColumn { name, values }),
                (InputRole::Cohort, RawValues::Text(texts)) => table.cohort.push((name, texts)),
                (InputRole::Helper | InputRole::Cohort, values) => table.helpers.push(RawColumn { name, values }),
            }
        }
        table
    }
}

/// One bit pattern a value: whatever NaN says missing in memory, a file says it in one way.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { ParityVectors::MISSING } else { value.to_bits() }).collect()
}

fn floats(bits: &[u32]) -> Vec<f32> {
    bits.iter().map(|&bits| f32::from_bits(bits)).collect()
}
