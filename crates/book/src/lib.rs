//! Reads a book of accounts and builds point-in-time features, labels and splits.
//!
//! Only this crate names polars. The way in is [`BookFile`] (what `book.toml` declares), then [`Book::open`] (the
//! sources, read and checked), then [`Book::history`] to train or [`Book::as_of`] to score.

mod arr;
mod audit;
mod backtest;
mod beside;
mod book;
mod catalogue;
mod config;
mod error;
mod facts;
mod feature_file;
mod feature_table;
mod features;
mod finished_parts;
mod inputs;
mod keyed;
mod labels;
mod levels;
mod needs;
mod numbering;
mod partial;
mod parts;
mod row_groups;
mod scoring_rows;
mod sentiment;
mod shard;
mod source;
mod split;
mod table;
mod writer;

pub use audit::{Audit, FeatureDay, FeatureDays, Finding, RULES, Replay, Rule, Severity, SourceMonths};
pub use backtest::BacktestPlan;
pub use book::{Book, History, SourceSummary};
pub use catalogue::{Catalogue, Entry, Role, RoleColumn};
pub use config::{
    AccountVia, Accounts, Active, Aggregate, Agreement, BookConfig, BookFile, BoostedConfig, CalibrationRows,
    CatalogueConfig, Change, CheckConfig, ClassWeight, CohortConfig, Condition, ConfigError, CostsConfig,
    DeclaredFeature, Derived, EvaluationConfig, FeatureDeclaration, FeatureWords, ForestConfig, InterventionsConfig,
    LogisticConfig, MarginsConfig, Numbers, Paths, RankBy, ReasonsConfig, RenewalsConfig, RoleMapping, ScoreUseConfig,
    Segment, Snapshots, Source, SourceKind, Span, SplitConfig, SplitKind, TargetRule, Targets, TrainConfig, TreeConfig,
    Value, ValueType, Waiver, Window,
};
pub use error::BookError;
pub use facts::{Facts, Interaction, Intervention, Renewal};
pub use feature_file::{FeatureFile, FeatureFileError, FeatureFileNeeds, FileRows, RowChoice};
pub use feature_table::FeatureTable;
pub use finished_parts::FinishedParts;
pub use keyed::{KeyedText, TextKey, Words};
pub use levels::Levels;
pub use partial::PartialLabels;
pub use row_groups::RowGroupWriter;
pub use scoring_rows::ScoringRows;
pub use shard::{NoShard, Shard};
pub use split::{Split, SplitPlan};
pub use table::{CodedText, Column, Table};
pub use writer::{TableError, TableWriter, check_output, check_text_output, write_table, write_text};
