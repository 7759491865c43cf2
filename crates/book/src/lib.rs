//! Reads a book of accounts and builds point-in-time features, labels and splits.
//!
//! Only this crate names polars. The way in is [`BookFile`] (what `book.toml` declares), then [`Book::open`] (the
//! sources, read and checked), then [`Book::history`] to train or [`Book::as_of`] to score.

mod book;
mod catalogue;
mod config;
mod error;
mod features;
mod labels;
mod sentiment;
mod source;
mod split;
mod table;
mod writer;

pub use book::{Book, FeatureTable, SourceSummary};
pub use catalogue::{Catalogue, Entry, Role, RoleColumn};
pub use config::{
    AccountVia, Accounts, Active, Aggregate, BookConfig, BookFile, CalibrationRows, CatalogueConfig, Change, Condition,
    ConfigError, DeclaredFeature, Derived, FeatureDeclaration, Paths, RoleMapping, Segment, Snapshots, Source,
    SourceKind, Span, SplitConfig, SplitKind, TargetRule, Targets, TrainConfig, Value, ValueType, Window,
};
pub use error::BookError;
pub use split::{Split, SplitPlan};
pub use table::{CodedText, Column, Table};
pub use writer::{TableError, TableWriter, check_output, write_table};
