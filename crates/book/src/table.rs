//! Tables of plain columns, written as Parquet, CSV, JSON Lines or Arrow IPC by the file's ending.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_core::Date;

use crate::keyed::KeyedText;
use crate::levels::Levels;

/// Named columns of one length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The columns in file order.
    pub columns: Vec<(String, Column)>,
}

/// One column; `None` is a null.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Texts.
    Text(Vec<Option<String>>),
    /// Texts that repeat, as codes.
    Coded(CodedText),
    /// Texts that are made where they are written.
    Keyed(KeyedText),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Numbers; a NaN is written as a null.
    Float(Vec<Option<f64>>),
    /// Single-precision numbers; NaN is written as a null.
    Float32(Vec<f32>),
    /// Days.
    Date(Vec<Option<Date>>),
    /// True or false.
    Bool(Vec<Option<bool>>),
}

/// Texts that repeat: each value is a code of a level. Written as the texts that they stand for; equal where these are.
#[derive(Debug, Clone, Default)]
pub struct CodedText {
    codes: Vec<u32>,
    /// Shared by the parts of a column.
    levels: Arc<Levels>,
}

impl Table {
    /// Adds a column.
    #[must_use]
    pub fn with(mut self, name: &str, column: Column) -> Self {
        self.columns.push((name.to_owned(), column));
        self
    }

    /// How many rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// How often each text stands in a column; none where it is no column of plain or coded texts.
    pub fn text_counts(&self, name: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        match self.columns.iter().find(|(column, _)| column == name) {
            Some((_, Column::Coded(values))) => {
                let mut of_level = vec![0; values.levels.len()];
                values.codes().flatten().for_each(|code| of_level[code as usize] += 1);
                let used = values.levels.iter().zip(of_level).filter(|&(_, n)| n > 0);
                used.for_each(|(text, n)| *counts.entry(text).or_default() += n);
            }
            Some((_, Column::Text(values))) => {
                values.iter().flatten().for_each(|text| *counts.entry(text.as_str()).or_default() += 1);
            }
            _ => {}
        }
        counts
    }

    /// The columns without their rows.
    pub(crate) fn without_rows(&self) -> Self {
        Self { columns: self.columns.iter().map(|(name, column)| (name.clone(), column.without_values())).collect() }
    }

    /// Takes away the rows from `at` on and gives them.
    ///
    /// # Panics
    /// Where there are fewer rows.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        let split = |(name, column): &mut (String, Column)| (name.clone(), column.split_off(at));
        Self { columns: self.columns.iter_mut().map(split).collect() }
    }
}

impl Column {
    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Coded(values) => values.len(),
            Self::Keyed(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Float32(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn without_values(&self) -> Self {
        match self {
            Self::Text(_) => Self::Text(Vec::new()),
            Self::Coded(_) => Self::Coded(CodedText::default()),
            Self::Keyed(values) => Self::Keyed(values.without_values()),
            Self::Int(_) => Self::Int(Vec::new()),
            Self::Float(_) => Self::Float(Vec::new()),
            Self::Float32(_) => Self::Float32(Vec::new()),
            Self::Date(_) => Self::Date(Vec::new()),
            Self::Bool(_) => Self::Bool(Vec::new()),
        }
    }

    fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Text(values) => Self::Text(values.split_off(at)),
            Self::Coded(values) => Self::Coded(values.split_off(at)),
            Self::Keyed(values) => Self::Keyed(values.split_off(at)),
            Self::Int(values) => Self::Int(values.split_off(at)),
            Self::Float(values) => Self::Float(values.split_off(at)),
            Self::Float32(values) => Self::Float32(values.split_off(at)),
            Self::Date(values) => Self::Date(values.split_off(at)),
            Self::Bool(values) => Self::Bool(values.split_off(at)),
        }
    }
}

impl CodedText {
    const NULL: u32 = u32::MAX;
    /// So many first levels are searched for a text.
    const SEARCHED: usize = 32;

    /// Adds a value.
    pub fn push(&mut self, text: Option<&str>) {
        let code = text.map_or(Self::NULL, |text| self.code(text));
        self.codes.push(code);
    }

    /// Adds the value of a row again.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn push_copy(&mut self, row: usize) {
        self.codes.push(self.codes[row]);
    }

    /// The text of a row; `None` is a null.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.text(self.codes[row])
    }

    /// The texts in row order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.codes.iter().map(|&code| self.text(code))
    }

    /// The place of each value among the levels, in row order.
    pub(crate) fn codes(&self) -> impl ExactSizeIterator<Item = Option<u32>> {
        self.codes.iter().map(|&code| (code != Self::NULL).then_some(code))
    }

    /// What codes stand for.
    pub(crate) fn levels(&self) -> &Levels {
        &self.levels
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The value of each of `codes`, a place in `levels`; a null where there is no such place.
    pub fn from_codes(codes: impl IntoIterator<Item = Option<u32>>, levels: Levels) -> Self {
        let is_there = |&code: &u32| (code as usize) < levels.len();
        let code = |code: Option<u32>| code.filter(is_there).unwrap_or(Self::NULL);
        Self { codes: codes.into_iter().map(code).collect(), levels: Arc::new(levels) }
    }

    /// Adds the values of another column.
    pub fn append(&mut self, other: Self) {
        if self.codes.is_empty() {
            *self = other;
            return;
        }
        if self.levels == other.levels {
            self.codes.extend(other.codes);
            return;
        }
        let base = self.levels.len() as u32;
        Arc::make_mut(&mut self.levels).extend(other.levels.iter());
        self.codes.extend(other.codes.into_iter().map(|code| if code == Self::NULL { code } else { base + code }));
    }

    /// Takes away the values from `at` on and gives them.
    ///
    /// # Panics
    /// Where there are fewer.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        Self { codes: self.codes.split_off(at), ..self.without_values() }
    }

    /// No value, and the same levels.
    fn without_values(&self) -> Self {
        Self { codes: Vec::new(), levels: Arc::clone(&self.levels) }
    }

    /// Keeps the rows whose place in `kept` is true.
    pub fn keep(&mut self, kept: &[bool]) {
        let mut rows = kept.iter();
        self.codes.retain(|_| rows.next().is_some_and(|&kept| kept));
    }

    fn text(&self, code: u32) -> Option<&str> {
        (code != Self::NULL).then(|| self.levels.get(code as usize))
    }

    fn code(&mut self, text: &str) -> u32 {
        // Rows mostly stand by account: the last value is mostly the next one.
        if let Some(&last) = self.codes.last().filter(|&&last| self.text(last) == Some(text)) {
            return last;
        }
        let found = self.levels.iter().take(Self::SEARCHED).position(|level| level == text);
        found.unwrap_or_else(|| {
            Arc::make_mut(&mut self.levels).push_with(|end| end.push_str(text));
            self.levels.len() - 1
        }) as u32
    }
}

impl PartialEq for CodedText {
    fn eq(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }
}
