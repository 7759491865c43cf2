//! Feature tables in files: raw features, one row an account and day.
//!
//! | column | what it holds |
//! |---|---|
//! | `account_id`, `as_of` | who and when |
//! | `label:TARGET` | an outcome, where history is written; not read |
//! | `segment:NAME` | the level of a segment |
//! | `book:status` | what the book says of the account, where one day is written; `scored` where absent |
//! | `book:arr` | annual recurring revenue, where the book declares a value; unknown where absent |
//! | a feature's name | its value; also of helpers whose percentile is an input |

mod error;
mod needs;
mod read;

use bellwether_core::{RawColumn, RawValues, TextColumn};

use crate::FeatureTable;
use crate::table::{CodedText, Column, Table};

pub use error::FeatureFileError;
pub use needs::FeatureFileNeeds;
pub use read::{FeatureFile, RowChoice};

const ACCOUNT: &str = "account_id";
const AS_OF: &str = "as_of";
const LABEL: &str = "label:";
const SEGMENT: &str = "segment:";
const STATUS: &str = "book:status";
const ARR: &str = "book:arr";

/// What a feature file has beside keys, segments and features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRows {
    /// Customers on snapshot days, with labels.
    History,
    /// All accounts on one day, with their status.
    OneDay,
}

impl FeatureTable {
    /// The rows as a feature file has them.
    #[must_use]
    pub fn into_file(self, rows: FileRows) -> Table {
        let mut out = match rows {
            FileRows::History => self.keys_and_labels(),
            FileRows::OneDay => {
                let status = self.status.iter().map(|status| Some(status.name().to_owned())).collect();
                self.keys().with(STATUS, Column::Text(status))
            }
        };
        out = with_segments(out, &self.segments);
        if let Some(arr) = self.arr {
            out = out.with(ARR, Column::Float(arr.into_iter().map(Some).collect()));
        }
        let features = self.raw.columns.into_iter().chain(self.raw.helpers);
        features.fold(out, |out, RawColumn { name, values }| match values {
            RawValues::Number(values) => out.with(&name, Column::Float32(values)),
            RawValues::Text(texts) => out.with(&name, coded(&texts)),
        })
    }

    /// Keys, labels and segments of the rows.
    pub fn described(&self) -> Table {
        with_segments(self.keys_and_labels(), &self.segments)
    }

    fn keys(&self) -> Table {
        Table::default()
            .with(ACCOUNT, Column::Text(self.keys.iter().map(|key| Some(key.account.to_string())).collect()))
            .with(AS_OF, Column::Date(self.keys.iter().map(|key| Some(key.as_of)).collect()))
    }

    fn keys_and_labels(&self) -> Table {
        let label = |out: Table, (target, labels): (&bellwether_core::Target, &Vec<Option<bool>>)| {
            out.with(&format!("{LABEL}{target}"), Column::Bool(labels.clone()))
        };
        self.labels.iter().fold(self.keys(), label)
    }
}

fn with_segments(out: Table, segments: &[(String, TextColumn)]) -> Table {
    segments.iter().fold(out, |out, (name, texts)| out.with(&format!("{SEGMENT}{name}"), coded(texts)))
}

fn coded(texts: &TextColumn) -> Column {
    let code = |&code: &u32| (code != TextColumn::MISSING).then_some(code);
    Column::Coded(CodedText::from_codes(texts.codes.iter().map(code), texts.levels.iter().collect()))
}
