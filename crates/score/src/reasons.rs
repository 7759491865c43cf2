//! From contributions to what people read: reasons by indicator, in points and in sentences.

mod actions;
mod health;
mod indicators;
mod levers;
mod moved;
mod strongest;
mod top;
mod wording;

pub use actions::{Lever, TopActions};
pub use health::{HealthShare, HealthShares};
pub use indicators::{IndicatorValue, Indicators};
pub use levers::Levers;
pub use moved::{ExplainedMove, ExplainedRow, Moved};
pub use top::{Reason, Reasons};
pub use wording::{Measure, ReasonKey, ReasonWords, Wording};
