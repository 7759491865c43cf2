//! Each kind of planted leak is found, and none is where none was planted. `benches/leaks.py` does the same on many books.

use bellwether_book::{Book, BookFile, Finding, Severity};
use bellwether_core::Quiet;
use bellwether_simulate::{Leak, SimulateConfig, simulate};

/// The finding by which a leak is known.
const fn found_as(leak: Leak) -> &'static str {
    match leak {
        Leak::UpdatedInPlace => "knows-outcome/status/churn_90d",
        Leak::FinalValue => "knows-outcome/seats_now/churn_90d",
        Leak::MissingAfterChurn => "missing-knows-outcome/onboarding_score/churn_90d",
        Leak::ConstantColumn => "constant/currency_rate",
        Leak::DuplicateColumn => "duplicate/staff_per_seat",
        Leak::LooksAhead => "too-good/renewal_risk/churn_90d",
        Leak::FromOutcomes => "from-outcomes/outcome_rows/churn_90d",
        Leak::LeadLabels => "outcome-repeats/churn_90d",
        Leak::Backfilled => "backfilled/usage",
        Leak::UnitChange => "unit-change/usage.sessions_minutes",
        Leak::RowsAfterChurn => "rows-after-end/usage",
        Leak::RowsBeforeStart => "rows-before-start/usage",
        Leak::Gap => "gap/usage",
        Leak::FeedStops => "feed-stops/usage",
        Leak::FutureRows => "rows-after-data-end/usage",
        Leak::DuplicateRows => "duplicate-rows/usage",
        Leak::SharedCustomer => "shared-rows/usage",
        Leak::OrphanRows => "orphan-rows/usage",
        _ => "a kind that this test does not know",
    }
}

/// The errors and warnings of a simulated book, but for its size.
fn found(n_accounts: usize, seed: u64, leak: Option<Leak>) -> Vec<Finding> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = SimulateConfig {
        n_accounts,
        n_months: 24,
        seed,
        leaks: leak.into_iter().collect(),
        ..SimulateConfig::default()
    };
    simulate(&config, folder.path(), &Quiet).expect("the book is simulated");
    let file = BookFile::read(&folder.path().join("book.toml")).expect("its book.toml is valid");
    let book = Book::open(file, &Quiet).expect("the book opens");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("it is built").table;
    let split = book.split(&table, 0).expect("the book is split");
    let audit = book.audit(&table, Some(&split), 0, &Quiet).expect("the book is audited");
    let told = |found: &Finding| found.severity != Severity::Note && !found.id.starts_with("few-events/");
    audit.findings.into_iter().filter(told).collect()
}

#[test]
fn each_planted_leak_is_found() {
    for leak in Leak::ALL {
        let found = found(600, 4, Some(leak));
        let ids: Vec<&str> = found.iter().map(|found| found.id.as_str()).collect();
        assert!(ids.contains(&found_as(leak)), "{}: {ids:?}", leak.name());
    }
}

#[test]
fn no_leak_is_found_where_none_was_planted() {
    for (n_accounts, seed) in [(300, 21), (400, 22), (600, 23), (800, 24), (1200, 25), (300, 26)] {
        let found = found(n_accounts, seed, None);
        assert!(found.is_empty(), "{n_accounts} accounts, seed {seed}: {found:?}");
    }
}
