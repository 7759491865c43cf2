//! A book that is cut by account is built part by part, on any number of machines, as the whole is: to the bit.

use std::collections::BTreeMap;
use std::path::Path;

use bellwether_book::{Book, BookFile, CodedText, Column, FeatureTable, Table, write_table};
use bellwether_core::{Date, Quiet, RawValues};
use bellwether_simulate::{SimulateConfig, simulate, tables};

const N_ACCOUNTS: usize = 240;
const N_PARTS: usize = 8;

/// Three parts of one account, which lack rows of some sources, and five of many.
fn part_of(account: usize) -> usize {
    if account < 3 { account } else { 3 + account % 5 }
}

/// The rows of a column that are kept, last first: the order of rows does not matter.
fn kept(column: &Column, keep: &[bool]) -> Column {
    fn some<T: Clone>(values: &[T], keep: &[bool]) -> Vec<T> {
        values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| value.clone()).rev().collect()
    }
    match column {
        Column::Text(values) => Column::Text(some(values, keep)),
        Column::Coded(values) => Column::Text(some(&texts(values), keep)),
        Column::Keyed(_) => panic!("a simulated book has none"),
        Column::Int(values) => Column::Int(some(values, keep)),
        Column::Float(values) => Column::Float(some(values, keep)),
        Column::Float32(values) => Column::Float32(some(values, keep)),
        Column::Date(values) => Column::Date(some(values, keep)),
        Column::Bool(values) => Column::Bool(some(values, keep)),
    }
}

fn texts(coded: &CodedText) -> Vec<Option<String>> {
    coded.values().map(|text| text.map(str::to_owned)).collect()
}

/// Writes the tables of the accounts `ids` into a folder; gives how many are empty.
fn write_part(all: &[(&'static str, Table)], ids: &[&str], toml: &str, folder: &Path) -> usize {
    let mut n_empty = 0;
    for (name, table) in all {
        let accounts = &table.columns.iter().find(|(name, _)| name == "account_id").expect("every table has it").1;
        let accounts = match accounts {
            Column::Text(accounts) => accounts.clone(),
            Column::Coded(accounts) => texts(accounts),
            _ => panic!("an account's id is a text"),
        };
        let keep: Vec<bool> = accounts.iter().map(|id| id.as_deref().is_some_and(|id| ids.contains(&id))).collect();
        n_empty += usize::from(!keep.contains(&true));
        let columns = table.columns.iter().map(|(name, column)| (name.clone(), kept(column, &keep)));
        write_table(&Table { columns: columns.collect() }, &folder.join(format!("{name}.parquet"))).expect("writes");
    }
    std::fs::write(folder.join("book.toml"), toml.replace("\npath = ", "\nmay_be_empty = true\npath = "))
        .expect("writes");
    n_empty
}

type Built = BTreeMap<(String, Date), Vec<String>>;

/// Every cell of a table, by account and day, in words that tell every bit.
fn add_rows(table: &FeatureTable, into: &mut Built) {
    for (row, key) in table.keys.iter().enumerate() {
        let features = table.raw.columns.iter().map(|column| match &column.values {
            RawValues::Number(values) => format!("{} {:x}", column.name, values[row].to_bits()),
            RawValues::Text(texts) => format!("{} {:?}", column.name, texts.get(row)),
        });
        let labels = table.labels.iter().map(|(target, labels)| format!("{target} {:?}", labels[row]));
        let segments = table.segments.iter().map(|(name, texts)| format!("{name} {:?}", texts.get(row)));
        let arr = table.arr.iter().map(|arr| format!("arr {:x}", arr[row].to_bits()));
        let status = [format!("{:?} {}", table.status[row], table.group[row])];
        let cells = features.chain(labels).chain(segments).chain(arr).chain(status).collect();
        let known = into.insert((key.account.0.clone(), key.as_of), cells);
        assert!(known.is_none(), "{key:?} is built once");
    }
}

/// What is learnt from in history, and what is scored on the last day.
fn build(folder: &Path) -> [Built; 2] {
    let file = BookFile::read(&folder.join("book.toml")).expect("the declaration is in order");
    let book = Book::open(file, &Quiet).expect("the tables are as declared");
    let mut built = [Built::new(), Built::new()];
    add_rows(&book.history(&book.snapshot_days(), &Quiet).expect("rows are in memory").table, &mut built[0]);
    add_rows(&book.as_of(book.data_end(), &Quiet).expect("within the data"), &mut built[1]);
    built
}

#[test]
fn eight_parts_are_built_as_the_whole() {
    let config = SimulateConfig { n_accounts: N_ACCOUNTS, n_months: 15, ..SimulateConfig::default() };
    let folder = tempfile::tempdir().expect("a temporary folder");
    simulate(&config, folder.path(), &Quiet).expect("a new folder");
    let whole = build(folder.path());
    let toml = std::fs::read_to_string(folder.path().join("book.toml")).expect("it was written");
    let all = tables(&config, 0..N_ACCOUNTS);
    let ids: Vec<&str> = whole[1].keys().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids.len(), N_ACCOUNTS);
    let (mut parts, mut n_empty) = ([Built::new(), Built::new()], 0);
    for part in 0..N_PARTS {
        let own = (0..N_ACCOUNTS).filter(|&account| part_of(account) == part);
        let own: Vec<&str> = own.map(|account| ids[account]).collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        n_empty += write_part(&all, &own, &toml, folder.path());
        for (into, built) in parts.iter_mut().zip(build(folder.path())) {
            into.extend(built);
        }
    }
    assert!(n_empty > 0, "some part lacks rows of a source");
    for (whole, parts) in whole.iter().zip(&parts) {
        assert_eq!(whole.len(), parts.len());
        for (key, cells) in whole {
            assert_eq!(cells, &parts[key], "{key:?}");
        }
    }
}
