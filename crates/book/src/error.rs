//! Why a book can't be used: file, column, row, value, rule, and what to do.

use thiserror::Error;

/// Why a book can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BookError {
    /// `book.toml` is wrong.
    #[error(transparent)]
    Config(#[from] crate::ConfigError),
    /// A file is absent.
    #[error("source `{source_name}`: there is no file {path}")]
    NoFile {
        /// The source.
        source_name: String,
        /// The file.
        path: String,
    },
    /// The ending names no known form.
    #[error("source `{source_name}`: {path} is of no known form; known are .parquet, .csv, .csv.gz, .arrow and .ipc")]
    UnknownForm {
        /// The source.
        source_name: String,
        /// The file.
        path: String,
    },
    /// A file lacks a column.
    #[error("{path}: there is no column `{column}` (source `{source_name}`)")]
    NoColumn {
        /// The source.
        source_name: String,
        /// The file.
        path: String,
        /// The column.
        column: String,
        /// What the file has, the nearest name first.
        known: Vec<String>,
    },
    /// A column's type can't serve.
    #[error("{path}: column `{column}` is {found}; {wanted} is needed")]
    WrongType {
        /// The file.
        path: String,
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
        path: String,
        /// The column.
        column: String,
        /// From 1, without header.
        row: u64,
        /// The value.
        value: String,
        /// The rule.
        rule: String,
    },
    /// Two rows of one account and date where one is allowed.
    #[error("{path}: account `{account}` has {n_rows} rows{on}; a source of kind {kind} has one (rows {rows})")]
    Duplicate {
        /// The file.
        path: String,
        /// The account.
        account: String,
        /// ` on DATE`, or nothing where the source has no dates.
        on: String,
        /// How many.
        n_rows: usize,
        /// The kind of source.
        kind: &'static str,
        /// Their numbers, from 1.
        rows: Box<str>,
    },
    /// No row at all.
    #[error("{path}: source `{source_name}` has no row{why}")]
    Empty {
        /// The source.
        source_name: String,
        /// The file.
        path: String,
        /// Such as ` that meets its filter`.
        why: &'static str,
    },
    /// No row early enough to learn from.
    #[error(
        "{path}: source `{source_name}` has no row up to {last_training_day}, the last training day; its first is on {first_day}"
    )]
    NothingBeforeSplit {
        /// The source.
        source_name: String,
        /// The file.
        path: String,
        /// The last training day.
        last_training_day: bellwether_core::Date,
        /// The source's first day.
        first_day: bellwether_core::Date,
    },
    /// A part of the split, or the whole table, has no row.
    #[error("{what}: 0 rows; {rule}")]
    NoRows {
        /// Which rows.
        what: String,
        /// The rule.
        rule: String,
    },
    /// Scores are wanted for a day that the sources do not reach.
    #[error("as of {as_of}: the data ends on {data_end}; a score of days that nobody saw is no honest score")]
    Stale {
        /// The day that was asked for.
        as_of: bellwether_core::Date,
        /// The last day of the data.
        data_end: bellwether_core::Date,
    },
    /// Not enough accounts to learn from.
    #[error("target {target}: {n_accounts} accounts {which}; at least {minimum} are needed ({setting})")]
    TooFew {
        /// The target.
        target: bellwether_core::Target,
        /// How many there are.
        n_accounts: usize,
        /// Such as `with the outcome`.
        which: &'static str,
        /// How many are needed.
        minimum: usize,
        /// The setting's name.
        setting: &'static str,
    },
    /// A backtest asks for more than the history holds.
    #[error("the history is too short for {asked} {what}: {why}")]
    TooFewOrigins {
        /// How many were asked for.
        asked: usize,
        /// `origins` or `folds`.
        what: &'static str,
        /// The part that fails.
        why: String,
        /// The most that fit, below `asked` where there are any; 0 where none do.
        fit: usize,
    },
    /// All rows of a part have one class.
    #[error("target {target}: all {n_rows} {part} rows have outcome {only}; both classes are needed")]
    SingleClass {
        /// The target.
        target: bellwether_core::Target,
        /// How many rows.
        n_rows: usize,
        /// The part of the split.
        part: &'static str,
        /// The one outcome.
        only: bool,
    },
    /// A feature that no training row knows.
    #[error("{path}: feature `{feature}`{column} is missing in all {n_rows} training rows")]
    NeverKnown {
        /// The source's file.
        path: String,
        /// The feature.
        feature: String,
        /// Such as ` of column nps`; nothing where it reads none.
        column: String,
        /// Training rows.
        n_rows: usize,
    },
    /// Features could not be encoded.
    #[error(transparent)]
    Encoding(#[from] bellwether_core::EncodingError),
    /// polars failed in another way.
    #[error("source `{source_name}`: {path} can't be read")]
    Read {
        /// The source.
        source_name: String,
        /// The file.
        path: String,
        /// polars' words.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table could not be written.
    #[error("{path} can't be written")]
    Write {
        /// The file.
        path: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Names that a hint lists.
const MAX_NAMES: usize = 8;

impl BookError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFile { .. } => "paths are relative to book.toml's folder; see `path` of the source".into(),
            Self::UnknownForm { .. } => "convert the file, or rename it so that its ending tells its form".into(),
            Self::NoColumn { known, .. } => match known.split_first() {
                Some((nearest, others)) => {
                    let shown = others.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
                    let more = others.len().saturating_sub(MAX_NAMES);
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    format!("did you mean `{nearest}`? the file also has {shown}{more}")
                }
                None => "the file has no columns".into(),
            },
            Self::WrongType { .. } => "convert the column, or name another one in book.toml".into(),
            Self::Value { .. } => "correct the value; a text that means missing goes into the source's `null_values`, \
                 a date's form into `date_format`"
                .into(),
            Self::Duplicate { .. } => {
                "keep one row a key; if a later row corrects an earlier one, name its `known_at` column; \
                 if rows are events, use kind = \"event\""
                    .into()
            }
            Self::Empty { .. } => "check the export; a feed without rows can't be told from a feed that failed".into(),
            Self::NothingBeforeSplit { .. } => {
                "leave the source out until it has history, or move `split.test_from` to a later day".into()
            }
            Self::Stale { data_end, .. } => format!(
                "deliver the missing days, score as of {data_end}, or say in `snapshots.data_end` until when the sources are complete"
            ),
            Self::NoRows { .. } => "check `snapshots`, `split` and the dates of the sources".into(),
            Self::TooFew { setting, .. } => {
                format!(
                    "add history or accounts; `{setting}` in [train] lowers the minimum, at the price of wide intervals"
                )
            }
            Self::TooFewOrigins { fit: 0, .. } => {
                "add history or accounts, shorten the horizons, or calibrate by accounts (`calibration_rows` in [split])"
                    .into()
            }
            Self::TooFewOrigins { what, fit, .. } => format!("{fit} {what} fit: --origins {fit}"),
            Self::SingleClass { .. } => "check the target's rule and filter, and the split's dates".into(),
            Self::NeverKnown { .. } => "take the feature out, or check its column, window and filter".into(),
            Self::Encoding(bellwether_core::EncodingError::Infinite { .. }) => {
                "an infinite or too large value stands in the source; correct it or filter it out".into()
            }
            Self::Encoding(_) => "build the features with the book.toml of the bundle".into(),
            Self::Read { .. } => "the file may be cut, or of another form than its ending says; export it again".into(),
            Self::Config(_) | Self::Write { .. } => return None,
        })
    }
}
