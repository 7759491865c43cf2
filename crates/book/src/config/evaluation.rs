//! `[evaluation]`: what evidence needs beside labels: interventions, renewals, how the score is used, and costs.
//!
//! Nothing here reaches a feature, a label or a score: a book may declare it after a bundle was trained.

use serde::Deserialize;
use toml::Spanned;

use super::rules::Condition;

/// What evidence is drawn from, and at what prices.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// What was done about accounts.
    #[serde(default)]
    pub interventions: Option<Spanned<InterventionsConfig>>,
    /// Which contracts came to their end, and whether they were renewed.
    #[serde(default)]
    pub renewals: Option<Spanned<RenewalsConfig>>,
    /// Interactions with customers, and what the score had to do with them.
    #[serde(default)]
    pub score_use: Option<Spanned<ScoreUseConfig>>,
    /// What contacting accounts costs and saves.
    #[serde(default)]
    pub costs: Option<Spanned<CostsConfig>>,
    /// What a model may lose against another and still be not worse.
    #[serde(default)]
    pub margins: Option<Spanned<MarginsConfig>>,
}

impl EvaluationConfig {
    /// What contacting accounts costs and saves, by default where nothing is said.
    pub fn costs(&self) -> CostsConfig {
        self.costs.as_ref().map(|costs| costs.get_ref().clone()).unwrap_or_default()
    }

    /// What a model may lose against another, by default where nothing is said.
    pub fn margins(&self) -> MarginsConfig {
        self.margins.as_ref().map(|margins| *margins.get_ref()).unwrap_or_default()
    }
}

/// An event source with a row an intervention.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterventionsConfig {
    /// The source.
    pub source: String,
    /// Rows that are interventions; all where empty.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// Rows of accounts that were chosen and left alone, to compare with; needs `filter`, which goes first where a row
    /// meets both.
    #[serde(default)]
    pub control: Vec<Condition>,
    /// A text column: which intervention it was.
    #[serde(default)]
    pub kind: Option<String>,
    /// Days for which one lasts, its own among them; 1.
    #[serde(default = "one_day")]
    pub lasts_days: u32,
    /// Days after which is asked what became of the account; the main horizon where not given.
    #[serde(default)]
    pub follow_days: Option<u32>,
}

/// Renewals: dates on which contracts end, or an event source with a row a decision. One of `due` and `renewed`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalsConfig {
    /// The source.
    pub source: String,
    /// Only rows for which these hold.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// A date column: the day on which a row's contract is to be renewed. It was renewed where the account did not churn
    /// by then.
    #[serde(default)]
    pub due: Option<String>,
    /// With `due`: so many days after it count as by then; 0.
    #[serde(default)]
    pub grace_days: u32,
    /// Rows whose account renewed on the row's date; the others did not.
    #[serde(default)]
    pub renewed: Vec<Condition>,
    /// Days before the renewal whose score is held against it; 30.
    #[serde(default = "thirty_days")]
    pub lead_days: u32,
}

/// An event source with a row an interaction with a customer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreUseConfig {
    /// The source.
    pub source: String,
    /// Only rows for which these hold.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// Rows in which the score was looked at.
    pub referenced: Vec<Condition>,
    /// Rows that an alert or the worklist led to.
    pub score_driven: Vec<Condition>,
}

/// What contacting accounts costs and saves. The defaults are the guides' examples (requirements.md P-10, V-04): inputs to
/// replace, not facts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostsConfig {
    /// Cost of contacting one account, in the currency of `[value]`; 500.
    pub contact: f64,
    /// Share of contacted churners that stay because of it; 0.4.
    pub success_rate: f64,
    /// What is lost with an account, in years of its revenue; 1.
    pub years_lost: f64,
    /// What accounts are ranked by.
    pub rank_by: RankBy,
    /// Accounts that can be contacted; a twentieth, a tenth and a fifth of the book where empty.
    pub capacity: Vec<usize>,
}

/// What a model may lose against another and still be not worse. Fix it before looking.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarginsConfig {
    /// Of ROC AUC; 0.01.
    pub auc: f64,
    /// Of log loss, nats; 0.005.
    pub log_loss: f64,
    /// Of the Brier score; 0.002.
    pub brier: f64,
}

/// What accounts are ranked by, to be contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankBy {
    /// Probability times revenue.
    #[default]
    ArrAtRisk,
    /// Probability alone.
    Probability,
}

impl Default for CostsConfig {
    fn default() -> Self {
        let (contact, success_rate, years_lost) = (500.0, 0.4, 1.0);
        Self { contact, success_rate, years_lost, rank_by: RankBy::default(), capacity: Vec::new() }
    }
}

impl Default for MarginsConfig {
    fn default() -> Self {
        Self { auc: 0.01, log_loss: 0.005, brier: 0.002 }
    }
}

const fn one_day() -> u32 {
    1
}

const fn thirty_days() -> u32 {
    30
}
