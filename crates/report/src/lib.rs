//! Reports as Markdown with SVG figures, and the same as one HTML page that needs nothing beside it.
//!
//! [`render()`] turns a [`TrainingReport`] into texts; it reads no file, no clock and no font, so equal reports are equal bytes.
//! Whatever a report holds that people have named (features, segments, sources) is text and never markup.

mod audit;
mod backtest;
mod backtest_tables;
mod coefficients;
mod drawn;
mod error;
mod figures;
mod markdown;
mod number;
mod page;
mod render;
mod scorecard;
mod sections;
mod summary;
mod table;
mod tables;
mod target;
mod text;
mod training;
mod tree_lines;
mod weights;
mod words;

pub use audit::{AuditReport, DayCell, DaysRow, FindingRow, MonthsRow, render_audit};
pub use backtest::{backtest_text, render_backtest};
pub use coefficients::{Coefficient, CoefficientReport};
pub use drawn::{DrawnKind, DrawnNode, DrawnTree, Question};
pub use error::ReportError;
pub use figures::tree_figure;
pub use render::{Rendered, render};
pub use scorecard::ScorecardReport;
pub use text::{evaluation_text, learner_table_text};
pub use training::{FeatureRow, LearnerRow, SourceRow, TargetReport, TrainingReport};
pub use tree_lines::tree_text;
pub use weights::{LookBackRow, WeightsReport, WeightsTest, WeightsWay};
