//! What book is simulated.

use std::collections::BTreeSet;

use bellwether_core::Date;

use crate::{Leak, SimulateError};

/// What book is simulated. Its content follows from all but two of the settings: `n_accounts` only says how many
/// accounts of it are made and `chunk_accounts` only how they are cut into row groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulateConfig {
    /// How many accounts, `1..=10_000_000`.
    pub n_accounts: usize,
    /// How many calendar months the book covers, `1..=240`.
    pub n_months: usize,
    /// Names the book: another seed, other accounts.
    pub seed: u64,
    /// The first day of the book.
    pub first_day: Date,
    /// Accounts that are held in memory at once, and make a row group: `1..`.
    pub chunk_accounts: usize,
    /// Whether something is done about every other account with a high hazard of churn, so that fewer leave.
    pub interventions: bool,
    /// Whether the hidden state is a table, so that nothing is hidden from a model.
    pub reveal: bool,
    /// Accidents that are planted in it.
    pub leaks: BTreeSet<Leak>,
}

impl Default for SimulateConfig {
    /// 2,000 accounts over 2023 and 2024, without interventions, revealed state and leaks.
    fn default() -> Self {
        Self {
            n_accounts: 2_000,
            n_months: 24,
            seed: 1,
            first_day: Date::from_ymd(2023, 1, 1).expect("a year begins on January 1"),
            chunk_accounts: 1_000,
            interventions: false,
            reveal: false,
            leaks: BTreeSet::new(),
        }
    }
}

impl SimulateConfig {
    /// The last day of the book.
    pub fn last_day(&self) -> Date {
        self.first_day.plus_months(self.n_months as i32).plus_days(-1)
    }

    pub(crate) fn check(&self) -> Result<(), SimulateError> {
        for (setting, value, range, rule) in [
            ("n_accounts", self.n_accounts, 1..=10_000_000, "1 to 10,000,000"),
            ("n_months", self.n_months, 1..=240, "1 to 240"),
            ("chunk_accounts", self.chunk_accounts, 1..=usize::MAX, "at least 1"),
        ] {
            if !range.contains(&value) {
                return Err(SimulateError::Setting { setting, value, rule });
            }
        }
        Ok(())
    }
}
