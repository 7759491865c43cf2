//! Reports as Markdown with SVG figures, and the same as one HTML page that needs nothing beside it.
//!
//! [`render()`] turns a [`TrainingReport`] into texts; it reads no file, no clock and no font, so equal reports are equal bytes.
//! Whatever a report holds that people have named (features, segments, sources) is text and never markup.

mod audit;
mod compare;
mod error;
mod figures;
mod guide;
mod markdown;
mod number;
mod page;
mod practice;
mod render;
mod sections;
mod summary;
mod table;
mod tables;
mod target;
mod text;
mod training;
mod words;

pub use audit::{AuditReport, DayCell, DaysRow, FindingRow, MonthsRow, render_audit};
pub use compare::{TargetComparison, comparison_text};
pub use error::ReportError;
pub use render::{Rendered, render};
pub use text::{evaluation_text, guide_text, learner_table_text, practice_text};
pub use training::{FeatureRow, IndicatorRow, LearnerRow, SourceRow, TargetReport, TrainingReport};
