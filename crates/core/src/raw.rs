//! Features before encoding: numbers and texts.

use std::collections::BTreeMap;

/// Features as built from the sources: numbers, and texts that still need levels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawTable {
    /// How many rows each column has.
    pub n_rows: usize,
    /// The columns, in declared order.
    pub columns: Vec<RawColumn>,
    /// Columns that are no input of a model, but whose percentile is one.
    pub helpers: Vec<RawColumn>,
    /// The dimensions of cohorts by name, coarse to fine; the levels of a dimension are not sorted.
    pub cohort: Vec<(String, TextColumn)>,
}

impl RawTable {
    /// The column called `name`, a helper or not.
    pub fn column(&self, name: &str) -> Option<&RawColumn> {
        self.columns.iter().chain(&self.helpers).find(|column| column.name == name)
    }

    /// The rows `rows`, in that order.
    ///
    /// # Panics
    /// If one of `rows` is outside.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let texts = |texts: &TextColumn| TextColumn {
            codes: rows.iter().map(|&row| texts.codes[row]).collect(),
            levels: texts.levels.clone(),
        };
        let column = |column: &RawColumn| RawColumn {
            name: column.name.clone(),
            values: match &column.values {
                RawValues::Number(values) => RawValues::Number(rows.iter().map(|&row| values[row]).collect()),
                RawValues::Text(of) => RawValues::Text(texts(of)),
            },
        };
        Self {
            n_rows: rows.len(),
            columns: self.columns.iter().map(column).collect(),
            helpers: self.helpers.iter().map(column).collect(),
            cohort: self.cohort.iter().map(|(name, of)| (name.clone(), texts(of))).collect(),
        }
    }
}

/// One declared feature with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct RawColumn {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: RawValues,
}

/// One value a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RawValues {
    /// Numbers; NaN is missing.
    Number(Vec<f32>),
    /// Texts.
    Text(TextColumn),
}

/// Texts as codes into a sorted list of distinct levels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextColumn {
    /// One code a row; [`TextColumn::MISSING`] is missing.
    pub codes: Vec<u32>,
    /// Distinct texts, sorted.
    pub levels: Vec<String>,
}

impl TextColumn {
    /// The code of a missing text.
    pub const MISSING: u32 = u32::MAX;

    /// Codes for `texts`.
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let texts: Vec<Option<&str>> = texts.into_iter().collect();
        let mut code_of: BTreeMap<&str, u32> = texts.iter().flatten().map(|&text| (text, 0)).collect();
        for (code, of_text) in (0_u32..).zip(code_of.values_mut()) {
            *of_text = code;
        }
        Self {
            codes: texts.iter().map(|text| text.map_or(Self::MISSING, |text| code_of[text])).collect(),
            levels: code_of.into_keys().map(str::to_owned).collect(),
        }
    }

    /// The text of row `row`.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.levels.get(self.codes[row] as usize).map(String::as_str)
    }
}
