//! `[sources]`: where rows come from.

use serde::Deserialize;
use toml::Spanned;

use super::rules::Condition;

/// One table, in one file or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What a row is.
    pub kind: SourceKind,
    /// A file, a glob, or a list of them, relative to `book.toml`; `.parquet`, `.csv`, `.csv.gz`, `.arrow`/`.ipc`.
    pub path: Spanned<Paths>,
    /// The account's column.
    #[serde(default)]
    pub account: Option<Spanned<String>>,
    /// The account is found by way of another source instead; a row is known from that source's date on, or from its
    /// known-at day where that is later, not before.
    #[serde(default)]
    pub account_via: Option<AccountVia>,
    /// The event's, snapshot's or first valid day; the start of a subscription.
    #[serde(default)]
    pub date: Option<Spanned<String>>,
    /// The first day on which a subscription is no longer active; empty while it runs.
    #[serde(default)]
    pub end: Option<Spanned<String>>,
    /// The day from which a row could be known, where that is later than its date.
    #[serde(default)]
    pub known_at: Option<Spanned<String>>,
    /// strptime form of dates in text columns.
    #[serde(default = "iso")]
    pub date_format: String,
    /// Texts that mean missing, beside the empty one.
    #[serde(default)]
    pub null_values: Vec<String>,
    /// CSV only.
    #[serde(default = "comma")]
    pub separator: char,
    /// Rows kept: those for which every condition holds.
    #[serde(default)]
    pub filter: Vec<Condition>,
    /// Columns computed from others.
    #[serde(default)]
    pub derived: Vec<Derived>,
    /// Files without rows are no error: for a part of a book that is cut by account. A feed that failed looks the same.
    #[serde(default)]
    pub may_be_empty: bool,
    /// Drop rows without account (guests) instead of refusing them.
    #[serde(default)]
    pub drop_missing_account: bool,
}

/// What a source's row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// An account's state on a date: one row an account and date.
    Snapshot,
    /// Something that happened on a date: any number of rows.
    Event,
    /// What an account is: one row an account, or one for each date from which it is valid.
    Attribute,
    /// What an account pays for, from `date` until before `end`.
    Subscription,
    /// A table that is already labelled: one row an account, no dates.
    Labelled,
}

/// One path or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Paths {
    /// One.
    One(String),
    /// Several, read as one table.
    Many(Vec<String>),
}

/// `account_via = { source = "subscriptions", on = "subscription_id" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountVia {
    /// The source that has both the key and the account.
    pub source: Spanned<String>,
    /// The key's column, in both sources.
    pub on: Spanned<String>,
}

/// A column computed from others, derived ones that stand before it too, by exactly one rule. It is missing where any of
/// them is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    /// Its name.
    pub name: Spanned<String>,
    /// The product of these.
    #[serde(default)]
    pub multiply: Option<Vec<Spanned<String>>>,
    /// The first by the second; missing where that is 0.
    #[serde(default)]
    pub divide: Option<[Spanned<String>; 2]>,
    /// The first without the second.
    #[serde(default)]
    pub subtract: Option<[Spanned<String>; 2]>,
    /// Days from the first date to the second; negative where the second is earlier.
    #[serde(default)]
    pub days_between: Option<[Spanned<String>; 2]>,
    /// How glad, up to 1, or angry, down to -1, this text is: VADER's compound score.
    #[serde(default)]
    pub sentiment_of: Option<Spanned<String>>,
}

/// What a derived column is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Derivation<'a> {
    Product(&'a [Spanned<String>]),
    Quotient(&'a [Spanned<String>; 2]),
    Difference(&'a [Spanned<String>; 2]),
    DaysBetween(&'a [Spanned<String>; 2]),
    Sentiment(&'a Spanned<String>),
}

impl Derived {
    /// Its rule; `None` where it states none or several.
    pub(crate) fn derivation(&self) -> Option<Derivation<'_>> {
        let product = self.multiply.as_deref().filter(|factors| !factors.is_empty()).map(Derivation::Product);
        let stated = [
            product,
            self.divide.as_ref().map(Derivation::Quotient),
            self.subtract.as_ref().map(Derivation::Difference),
            self.days_between.as_ref().map(Derivation::DaysBetween),
            self.sentiment_of.as_ref().map(Derivation::Sentiment),
        ];
        let mut stated = stated.into_iter().flatten();
        stated.next().filter(|_| stated.next().is_none())
    }
}

fn iso() -> String {
    "%Y-%m-%d".to_owned()
}

const fn comma() -> char {
    ','
}
