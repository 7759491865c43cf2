//! The `book.toml` that a simulation writes is one that bellwether reads.

use bellwether_book::{Book, BookFile};
use bellwether_core::{Quiet, RawValues};
use bellwether_simulate::{Leak, SimulateConfig, simulate};

#[test]
fn every_declared_feature_and_target_has_values() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = SimulateConfig { n_accounts: 200, n_months: 12, ..SimulateConfig::default() };
    simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let file = BookFile::read(&folder.path().join("book.toml")).expect("the declaration is in order");
    assert_eq!(file.targets().len(), 2);
    let book = Book::open(file, &Quiet).expect("the tables are as declared");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table;
    assert!(table.raw.columns.len() > 30, "{} features", table.raw.columns.len());
    for column in &table.raw.columns {
        let known = match &column.values {
            RawValues::Number(values) => values.iter().filter(|value| value.is_finite()).count(),
            RawValues::Text(texts) => (0..table.raw.n_rows).filter(|&row| texts.get(row).is_some()).count(),
        };
        assert!(known * 4 > table.raw.n_rows, "`{}` is known in {known} of {} rows", column.name, table.raw.n_rows);
    }
    for (target, labels) in &table.labels {
        assert!(labels.contains(&Some(true)) && labels.contains(&Some(false)), "{target}");
    }
}

/// The digest of a source is that of its rows, however they are cut into row groups.
#[test]
fn chunks_do_not_matter() {
    let digests = [7, 1_000].map(|chunk_accounts| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = SimulateConfig { n_accounts: 40, n_months: 12, chunk_accounts, ..SimulateConfig::default() };
        simulate(&config, folder.path(), &Quiet).expect("a new folder");
        let file = BookFile::read(&folder.path().join("book.toml")).expect("the declaration is in order");
        Book::open(file, &Quiet).expect("the tables are as declared").summaries()
    });
    assert_eq!(digests[0], digests[1]);
}

/// A feature of each source that the written features leave out.
const MORE: &str = r#"
[[features]]
name = "users_90d"
from = "feature_events"
column = "user_id"
aggregate = "distinct"
window = "90d"

[[features]]
name = "invites_90d"
from = "engagement"
aggregate = "count"
window = "90d"
filter = [{ column = "kind", in = ["invite_sent"] }]

[[features]]
name = "tickets_open"
from = "open_tickets"
aggregate = "count"

[[features]]
name = "messages_90d"
from = "messages"
aggregate = "count"
window = "90d"

[[features]]
name = "csm_sentiment"
from = "account_snapshots"
column = "csm_sentiment"

[[features]]
name = "goal_actual"
from = "goals"
column = "actual"

[[features]]
name = "headcount"
from = "external"
column = "value"
filter = [{ column = "indicator", in = ["headcount"] }]

[[features]]
name = "interventions_180d"
from = "interventions"
aggregate = "count"
window = "180d"
"#;

#[test]
fn every_source_can_be_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = SimulateConfig { n_accounts: 200, n_months: 12, interventions: true, ..SimulateConfig::default() };
    simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let path = folder.path().join("book.toml");
    let text = std::fs::read_to_string(&path).expect("the declaration");
    std::fs::write(&path, text + MORE).expect("the declaration is ours");
    let book = Book::open(BookFile::read(&path).expect("in order"), &Quiet).expect("the tables are as declared");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table;
    let added = MORE.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    for name in added {
        let column = table.raw.columns.iter().find(|column| column.name == name).expect("a declared feature");
        let RawValues::Number(values) = &column.values else { panic!("{name} is a number") };
        let above = values.iter().filter(|&&value| value > 0.0).count();
        assert!(above * 50 > values.len(), "{name} is above 0 in {above} of {}", values.len());
    }
}

/// A book with every leak is opened, and has labels and features to train on: only an audit finds them.
#[test]
fn a_leaking_book_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let leaks = Leak::ALL.into_iter().collect();
    let config = SimulateConfig { n_accounts: 200, n_months: 18, leaks, ..SimulateConfig::default() };
    simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let file = BookFile::read(&folder.path().join("book.toml")).expect("the declaration is in order");
    let book = Book::open(file, &Quiet).expect("the tables are as declared");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table;
    for name in ["status", "seats_now", "onboarding_score", "currency_rate", "staff_per_seat", "renewal_risk"] {
        assert!(table.raw.columns.iter().any(|column| column.name == name), "{name}");
    }
    for (target, labels) in &table.labels {
        assert!(labels.contains(&Some(true)) && labels.contains(&Some(false)), "{target}");
    }
}
