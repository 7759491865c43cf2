//! What a scorecard can be declared as, what it learns and how it scores.

mod bands;
mod common;
mod history;
mod linter;
mod presets;
mod readiness;
mod rules;
