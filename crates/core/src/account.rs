//! Who a row is about.

use serde::{Deserialize, Serialize};

use crate::Date;

/// An account's key, as text, exactly as the source writes it (an integral number has no decimals).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

impl std::fmt::Display for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One row of a feature table: an account as of the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// The account.
    pub account: AccountId,
    /// The last day whose events the row may know.
    pub as_of: Date,
}
