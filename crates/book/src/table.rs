//! Tables of plain columns, written as Parquet, CSV, JSON Lines or Arrow IPC by the file's ending.

use bellwether_core::Date;

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
    /// The same text may have several codes.
    levels: Vec<String>,
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
}

impl Column {
    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Coded(values) => values.len(),
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

    /// How many values.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Adds the values of another column.
    pub fn append(&mut self, other: Self) {
        let base = self.levels.len() as u32;
        self.levels.extend(other.levels);
        self.codes.extend(other.codes.into_iter().map(|code| if code == Self::NULL { code } else { base + code }));
    }

    /// Keeps the rows whose place in `kept` is true.
    pub fn keep(&mut self, kept: &[bool]) {
        let mut rows = kept.iter();
        self.codes.retain(|_| rows.next().is_some_and(|&kept| kept));
    }

    fn text(&self, code: u32) -> Option<&str> {
        (code != Self::NULL).then(|| self.levels[code as usize].as_str())
    }

    fn code(&mut self, text: &str) -> u32 {
        // Rows mostly stand by account: the last value is mostly the next one.
        if let Some(&last) = self.codes.last().filter(|&&last| self.text(last) == Some(text)) {
            return last;
        }
        let found = self.levels.iter().take(Self::SEARCHED).position(|level| level == text);
        found.unwrap_or_else(|| {
            self.levels.push(text.to_owned());
            self.levels.len() - 1
        }) as u32
    }
}

impl PartialEq for CodedText {
    fn eq(&self, other: &Self) -> bool {
        self.values().eq(other.values())
    }
}
