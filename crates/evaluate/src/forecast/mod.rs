//! What the recurring revenue of a book will be, from probabilities and sizes of change, and how well such forecasts did.
//!
//! Accounts churn, expand or contract as their models say. How much those gain or lose that do is drawn from what
//! others did on training rows ([`relative_changes`]). Beside the luck of the draw an interval holds two doubts that
//! accounts share ([`doubt`]): the calibration may be off, and days differ beyond chance. Customers who may sign up
//! are not in a forecast.

mod backtest;
mod chances;
mod changes;
mod doubt;
mod draws;
mod movement;

pub use backtest::{BacktestSummary, ForecastCase, Quantity, summarise};
pub use changes::{PastMoves, relative_changes};
pub use doubt::{ScoredOnDays, doubt};
pub use draws::{
    BookAccounts, ForecastOptions, GroupForecast, Outlook, RevenueForecast, StepForecast, forecast_revenue,
};
pub use movement::{Fate, Movement};

pub use chances::expected_gain;
