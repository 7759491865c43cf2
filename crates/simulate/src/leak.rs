//! Accidents that a book may hold, so that an audit can be held against them.

/// An accident that is planted in a book on request. The book stays one that can be read and trained on; only an audit
/// tells that something is wrong. In the order in which they are planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Leak {
    /// `accounts.status` (`churned`, `active`) is overwritten in place at the end of the book, and is a feature.
    UpdatedInPlace,
    /// `accounts.seats_now` is the number of seats at the end of the book, 0 for who has left, and is a feature.
    FinalValue,
    /// `accounts.onboarding_score` is null for exactly those who leave within the book, and is a feature.
    MissingAfterChurn,
    /// `accounts.currency_rate` is 1 in every row, and is a feature.
    ConstantColumn,
    /// `accounts.staff` repeats `employee_count`, and `staff_per_seat` the feature made of it.
    DuplicateColumn,
    /// `account_snapshots.renewal_risk` tells of a churn in the 90 days after its date, with noise, and is a feature.
    LooksAhead,
    /// A feature counts the rows of `outcomes` that the targets are read off.
    FromOutcomes,
    /// Every churn has a second row in `outcomes`, 45 days earlier: the day of notice.
    LeadLabels,
    /// `usage.known_at` is months after the date for a stretch of the book: these rows came with a migration.
    Backfilled,
    /// `usage.sessions_minutes` holds seconds from the middle of the book on.
    UnitChange,
    /// `usage` goes on for 60 days after a churn.
    RowsAfterChurn,
    /// Half of the accounts that sign up within the book have usage, and a ticket, before.
    RowsBeforeStart,
    /// `usage` lacks 30 days in the middle of the book, of everybody.
    Gap,
    /// `usage` ends 75 days before the book does, for everybody.
    FeedStops,
    /// Some accounts have rows in `usage` that are dated after the last day of the book.
    FutureRows,
    /// Three rows in a hundred of `usage` stand there twice.
    DuplicateRows,
    /// One account in ten stands in every table under two ids, which `accounts.parent_id` joins; the split is at random.
    SharedCustomer,
    /// `usage` has rows of accounts that `accounts` does not list.
    OrphanRows,
}

impl Leak {
    /// Every kind, in the order in which they are planted.
    pub const ALL: [Self; 18] = [
        Self::UpdatedInPlace,
        Self::FinalValue,
        Self::MissingAfterChurn,
        Self::ConstantColumn,
        Self::DuplicateColumn,
        Self::LooksAhead,
        Self::FromOutcomes,
        Self::LeadLabels,
        Self::Backfilled,
        Self::UnitChange,
        Self::RowsAfterChurn,
        Self::RowsBeforeStart,
        Self::Gap,
        Self::FeedStops,
        Self::FutureRows,
        Self::DuplicateRows,
        Self::SharedCustomer,
        Self::OrphanRows,
    ];

    /// Its name, such as `rows_after_churn`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpdatedInPlace => "updated_in_place",
            Self::FinalValue => "final_value",
            Self::MissingAfterChurn => "missing_after_churn",
            Self::ConstantColumn => "constant_column",
            Self::DuplicateColumn => "duplicate_column",
            Self::LooksAhead => "looks_ahead",
            Self::FromOutcomes => "from_outcomes",
            Self::LeadLabels => "lead_labels",
            Self::Backfilled => "backfilled",
            Self::UnitChange => "unit_change",
            Self::RowsAfterChurn => "rows_after_churn",
            Self::RowsBeforeStart => "rows_before_start",
            Self::Gap => "gap",
            Self::FeedStops => "feed_stops",
            Self::FutureRows => "future_rows",
            Self::DuplicateRows => "duplicate_rows",
            Self::SharedCustomer => "shared_customer",
            Self::OrphanRows => "orphan_rows",
        }
    }

    /// What it is, in a line.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::UpdatedInPlace => "accounts.status says who has left in the end, undated, and is a feature",
            Self::FinalValue => "accounts.seats_now is the value at the end, 0 for who has left, and is a feature",
            Self::MissingAfterChurn => {
                "accounts.onboarding_score is null for exactly those who leave, and is a feature"
            }
            Self::ConstantColumn => "accounts.currency_rate is 1 everywhere, and is a feature",
            Self::DuplicateColumn => "accounts.staff repeats employee_count, and so does the feature made of it",
            Self::LooksAhead => "account_snapshots.renewal_risk knows the next 90 days, and is a feature",
            Self::FromOutcomes => "a feature counts the rows of outcomes that the targets are read off",
            Self::LeadLabels => "every churn has a second outcome, dated 45 days earlier",
            Self::Backfilled => "a stretch of usage became known months later, with a migration",
            Self::UnitChange => "usage.sessions_minutes holds seconds from the middle of the book on",
            Self::RowsAfterChurn => "usage goes on for 60 days after a churn",
            Self::RowsBeforeStart => "half of the new accounts have usage and a ticket before they sign up",
            Self::Gap => "usage lacks 30 days in the middle of the book",
            Self::FeedStops => "usage ends 75 days before the book does",
            Self::FutureRows => "usage has rows dated after the last day of the book",
            Self::DuplicateRows => "three rows in a hundred of usage stand there twice",
            Self::SharedCustomer => {
                "one account in ten stands in every table under two ids, and the split is at random"
            }
            Self::OrphanRows => "usage has rows of accounts that nobody lists",
        }
    }

    /// What it adds to `book.toml`.
    pub(crate) const fn declaration(self) -> &'static str {
        match self {
            Self::UpdatedInPlace => {
                "[[features]]\nname = \"status\"\nfrom = \"accounts\"\ncolumn = \"status\"\ntype = \"text\"\n"
            }
            Self::FinalValue => "[[features]]\nname = \"seats_now\"\nfrom = \"accounts\"\ncolumn = \"seats_now\"\n",
            Self::MissingAfterChurn => {
                "[[features]]\nname = \"onboarding_score\"\nfrom = \"accounts\"\ncolumn = \"onboarding_score\"\n"
            }
            Self::ConstantColumn => {
                "[[features]]\nname = \"currency_rate\"\nfrom = \"accounts\"\ncolumn = \"currency_rate\"\n"
            }
            Self::DuplicateColumn => {
                "[[features]]\nname = \"staff_per_seat\"\nfrom = \"accounts\"\ncolumn = \"staff\"\nper = \"seats\"\n"
            }
            Self::LooksAhead => {
                "[[features]]\nname = \"renewal_risk\"\nfrom = \"account_snapshots\"\ncolumn = \"renewal_risk\"\n"
            }
            Self::FromOutcomes => {
                "[[features]]\nname = \"outcome_rows\"\nfrom = \"outcomes\"\naggregate = \"count\"\nfilter = \
                 [{ column = \"outcome\", in = [\"churn\", \"expansion\"] }]\n"
            }
            Self::SharedCustomer => "[split]\nkind = \"random\"\n",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_stands_once_and_in_order() {
        assert!(Leak::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        let names: BTreeSet<&str> = Leak::ALL.map(Leak::name).into();
        assert_eq!(names.len(), Leak::ALL.len());
    }
}
