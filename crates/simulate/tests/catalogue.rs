//! The simulated book plays every role of the catalogue: each entry has values, and they are such as it promises.

use std::collections::BTreeSet;

use bellwether_book::{Book, BookFile, Catalogue, Entry};
use bellwether_core::{Quiet, RawValues};
use bellwether_simulate::{SimulateConfig, simulate};

/// The values that an entry may have, by its unit and name.
fn range(entry: &Entry) -> (f32, f32) {
    const ANY: f32 = f32::INFINITY;
    let unit = entry.unit.as_str();
    match entry.name.as_str() {
        "login_anomaly" | "seats_added_90d" | "ticket_trend" | "goal_trend" | "market_growth" => (-ANY, ANY),
        "last_payment_delay" | "mean_payment_delay" => (-30.0, 400.0),
        "nps_trend" => (-10.0, 10.0),
        "csat_trend" => (-4.0, 4.0),
        "nps" => (0.0, 10.0),
        "csat" | "ticket_csat" | "csm_sentiment" => (1.0, 5.0),
        "handoff_quality" => (1.0, 10.0),
        "mau_share" | "entitlement_use" => (0.0, 1.0),
        "time_to_value" | "onboarding_days" => (1.0, 400.0),
        _ if unit.starts_with("share of") && entry.name != "goal_attainment" => (0.0, 1.0),
        _ if unit == "0 or 1" => (0.0, 1.0),
        _ if unit == "-1 to 1" => (-1.0, 1.0),
        _ if unit == "-2 to 2" => (-2.0, 2.0),
        _ => (0.0, ANY),
    }
}

#[test]
fn every_entry_has_sane_values_on_400_accounts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = SimulateConfig { n_accounts: 400, n_months: 24, ..SimulateConfig::default() };
    simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let path = folder.path().join("book.toml");
    let plain = BookFile::read(&path).expect("the declaration is in order");
    let n_own = plain.declared().len();
    let text = plain.text.replacen("[catalogue]\nuse = []", "[catalogue]\nuse = [\"all\"]", 1);
    let file = BookFile::parse(text, &path).expect("the declaration is in order");
    let n_entries = Catalogue::standard().entries().len();
    let n_taken = file.declared()[n_own..].iter().filter(|feature| !feature.helper).count();
    assert_eq!(n_taken, n_entries, "the book can build every entry");
    let book = Book::open(file, &Quiet).expect("the tables are as declared");
    let table = book.history(&book.snapshot_days(), &Quiet).expect("it is built").table;
    for entry in Catalogue::standard().entries() {
        let column = table.raw.columns.iter().find(|column| column.name == entry.name);
        let Some(RawValues::Number(values)) = column.map(|column| &column.values) else {
            panic!("`{}` is no number of the table", entry.name)
        };
        let known: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        // The rarest is the age of the oldest open ticket: most accounts have none open.
        assert!(known.len() * 20 > values.len(), "`{}` is known in {} of {}", entry.name, known.len(), values.len());
        let distinct: BTreeSet<u32> = known.iter().map(|value| value.to_bits()).collect();
        assert!(distinct.len() > 1, "`{}` is constant", entry.name);
        let (least, most) = range(entry);
        let out = known.iter().find(|&&value| !(least..=most).contains(&value));
        assert_eq!(out, None, "`{}` ({}) is outside {least} to {most}", entry.name, entry.unit);
    }
    let split = book.split(&table, 1).expect("the book is long enough");
    book.learn_encoding(&table, &split.training).expect("each is known in training rows");
}
