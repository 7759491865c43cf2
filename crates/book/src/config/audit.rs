//! `[check]`: what the audit is told: states that must agree with outcomes, and findings that someone accepts.

use bellwether_core::Outcome;
use serde::Deserialize;
use toml::Spanned;

/// What the audit is told.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckConfig {
    /// Columns that say at the end of the data what the outcomes say too.
    #[serde(default)]
    pub agree: Vec<Agreement>,
    /// Findings that are known and accepted.
    #[serde(default)]
    pub waive: Vec<Waiver>,
}

/// `[[check.agree]]`: an account's last value in a column is one of `positive` where it has had the outcome by the end
/// of the data, and only there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The source.
    pub source: Spanned<String>,
    /// Its column; read as a text.
    pub column: Spanned<String>,
    /// The texts that mean that the outcome came.
    pub positive: Vec<String>,
    /// The outcome; its target's rule is `event` or `no_subscription`.
    pub with: Spanned<Outcome>,
}

/// `[[check.waive]]`: a finding that someone accepts, and why.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The finding's id, such as `rows-before-start/usage`.
    pub id: Spanned<String>,
    /// Why it is accepted; not empty.
    pub reason: String,
}
