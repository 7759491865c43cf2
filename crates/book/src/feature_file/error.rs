//! Why a feature file can't be scored.

use std::path::PathBuf;

use bellwether_core::Date;
use thiserror::Error;

use crate::BookError;

/// Why a feature file can't be scored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FeatureFileError {
    /// It is absent.
    #[error("there is no file {0}")]
    NoFile(PathBuf),
    /// Its ending names no known form.
    #[error("{0} is of no known form; known are .parquet, .csv, .csv.gz, .arrow and .ipc")]
    UnknownForm(PathBuf),
    /// It lacks a column.
    #[error("{path}: there is no column `{column}`, {what}")]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it is needed for.
        what: &'static str,
        /// The nearest name that the file has.
        nearest: Option<String>,
    },
    /// It has a column that the model does not know.
    #[error("{path}: column `{column}` is no feature of the model")]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A column's type can't serve.
    #[error("{path}: column `{column}` is {found}; {wanted} is needed")]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What is needed.
        wanted: &'static str,
    },
    /// One value breaks a rule.
    #[error("{path}: column `{column}`, row {row} is `{value}`; {rule}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// From 1, without header.
        row: u64,
        /// The value.
        value: String,
        /// The rule.
        rule: String,
    },
    /// A status that a book does not give.
    #[error("{path}: `book:status` of account `{account}` is `{value}`; it is scored, churned or not_started")]
    Status {
        /// The file.
        path: PathBuf,
        /// The account.
        account: String,
        /// The value.
        value: String,
    },
    /// Two rows of one account and day.
    #[error("{path}: account `{account}` has more than one row on {as_of}; it can have one score a day")]
    Repeated {
        /// The file.
        path: PathBuf,
        /// The account.
        account: String,
        /// The day.
        as_of: Date,
    },
    /// Nothing to score.
    #[error("{path} has no row{on}")]
    Empty {
        /// The file.
        path: PathBuf,
        /// ` of DAY`, or nothing.
        on: String,
    },
    /// It is another file than a moment ago.
    #[error("{0} was changed while it was read")]
    Changed(PathBuf),
    /// polars failed in another way.
    #[error("{path} can't be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// polars' words.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FeatureFileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        const WRITE: &str = "`bellwether features --book BOOK --as-of DATE --out FILE` writes such a table";
        Some(match self {
            Self::NoFile(_) | Self::Changed(_) => return None,
            Self::UnknownForm(_) => "convert the file, or rename it so that its ending tells its form".to_owned(),
            Self::NoColumn { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`? {WRITE}"),
            Self::NoColumn { nearest: None, .. } | Self::WrongType { .. } => WRITE.to_owned(),
            Self::UnknownColumn { .. } => format!("leave the column out; {WRITE}"),
            Self::Value { .. } | Self::Status { .. } => "correct the value; a missing one is null or empty".to_owned(),
            Self::Repeated { .. } => "keep one row an account and day".to_owned(),
            Self::Empty { .. } => "a table without rows can't be told from an export that failed".to_owned(),
            Self::Read { .. } => {
                "the file may be cut, or of another form than its ending says; export it again".to_owned()
            }
        })
    }

    /// What the reader of sources says, of a feature file.
    pub(super) fn of_source(error: BookError, path: &std::path::Path) -> Self {
        let path = path.to_owned();
        match error {
            BookError::UnknownForm { .. } => Self::UnknownForm(path),
            BookError::WrongType { column, found, wanted, .. } => Self::WrongType { path, column, found, wanted },
            BookError::Value { column, row, value, rule, .. } => {
                let rule = if column == super::ACCOUNT { "every row needs an account".to_owned() } else { rule };
                Self::Value { path, column, row, value, rule }
            }
            BookError::Read { cause, .. } => Self::Read { path, cause },
            other => Self::Read { path, cause: Box::new(other) },
        }
    }
}
