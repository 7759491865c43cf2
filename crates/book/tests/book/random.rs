//! Random books: every kind of source, with ties, gaps, duplicate rows, late and restated rows, month ends, leap days,
//! year ends, and accounts without rows.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use bellwether_book::{Book, BookError, BookFile, Column as Values, SourceKind, Table, write_table};
use bellwether_core::{Date, Quiet};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::common::date;

/// Accounts that the accounts' source lists; rows of later ones are orphans.
pub(crate) const N_ACCOUNTS: usize = 12;

/// A row of any source; a source without `end`, `known` or `day` does not write them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) account: usize,
    pub(crate) day: Date,
    pub(crate) known: Date,
    pub(crate) end: Option<Date>,
    pub(crate) x: Option<f64>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) flag: Option<bool>,
    pub(crate) due: Option<Date>,
}

/// What a source declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) kind: SourceKind,
    pub(crate) is_dated: bool,
    pub(crate) has_known: bool,
}

const fn form(name: &'static str, kind: SourceKind, is_dated: bool, has_known: bool) -> Form {
    Form { name, kind, is_dated, has_known }
}

/// The sources of every book; the first lists the accounts, and only some books date it.
pub(crate) const FORMS: [Form; 9] = [
    form("accounts", SourceKind::Attribute, true, false),
    form("events", SourceKind::Event, true, false),
    form("late", SourceKind::Event, true, true),
    form("health", SourceKind::Snapshot, true, true),
    form("state", SourceKind::Snapshot, true, false),
    form("moves", SourceKind::Attribute, true, true),
    form("facts", SourceKind::Attribute, false, true),
    form("subs", SourceKind::Subscription, true, false),
    form("deals", SourceKind::Subscription, true, true),
];

#[derive(Debug, Clone)]
pub(crate) struct RandomSource {
    pub(crate) form: Form,
    pub(crate) rows: Vec<Row>,
}

/// The files of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    Parquet,
    Csv,
}

#[derive(Debug, Clone)]
pub(crate) struct RandomBook {
    pub(crate) files: Files,
    pub(crate) sources: Vec<RandomSource>,
}

/// Days close to the places where calendars go wrong, or anywhere near them.
pub(crate) fn any_day() -> impl Strategy<Value = Date> {
    let edges = ["2022-12-31", "2023-02-28", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"];
    let near = (prop::sample::select(edges.to_vec()), -2_i32..3).prop_map(|(edge, off)| date(edge).plus_days(off));
    let anywhere = (0_i32..150).prop_map(|off| date("2023-12-10").plus_days(off));
    prop_oneof![2 => near, 3 => anywhere]
}

/// Snapshot days, before all rows and after them too.
pub(crate) fn snapshot_days() -> impl Strategy<Value = Vec<Date>> {
    let t = prop_oneof![
        12 => any_day(),
        4 => prop::sample::select(vec![date("2024-02-29"), date("2024-03-31"), date("2023-12-31"), date("2024-04-30")]),
        1 => Just(date("2021-06-30")),
        1 => Just(date("2025-03-31")),
    ];
    prop::collection::btree_set(t, 3..8).prop_map(|days| days.into_iter().collect())
}

/// Quarters, whose sums are exact in any order; or tenths from 0 up, whose sums depend on the order.
fn number(tenths: bool) -> BoxedStrategy<Option<f64>> {
    if tenths {
        let tenth = (0_i32..40).prop_map(|n| Some(f64::from(n) / 10.0));
        prop_oneof![8 => tenth, 2 => Just(None)].boxed()
    } else {
        let quarter = (-12_i32..13).prop_map(|n| Some(f64::from(n) / 4.0));
        prop_oneof![12 => quarter, 1 => Just(Some(-0.0)), 1 => Just(Some(f64::NAN)), 3 => Just(None)].boxed()
    }
}

fn row(tenths: bool) -> impl Strategy<Value = (Row, bool)> {
    // Most rows are of few accounts, so that ties are common.
    let account = prop_oneof![5 => 0_usize..4, 2 => 0..N_ACCOUNTS + 2];
    let late = prop_oneof![3 => Just(0_i32), 3 => 0_i32..10, 1 => 10_i32..60];
    let lasts = prop_oneof![2 => Just(None), 3 => (0_i32..70).prop_map(Some)];
    let kind = prop::option::weighted(0.85, prop::sample::select(vec!["a", "b", "c", "Z"]));
    let flag = prop::option::weighted(0.9, any::<bool>());
    let due = prop::option::weighted(0.7, -40_i32..90);
    (account, any_day(), late, lasts, number(tenths), kind, flag, due, prop::bool::weighted(0.1)).prop_map(
        |(account, day, late, lasts, x, kind, flag, due, twice)| {
            let after = |days: i32| day.plus_days(days);
            let (end, due) = (lasts.map(after), due.map(after));
            (Row { account, day, known: after(late), end, x, kind, flag, due }, twice)
        },
    )
}

/// Rows of a source of this form: no account that the source leaves out, and one row a key where that is the rule.
fn rows(form: Form, place: usize, drawn: Vec<(Row, bool)>) -> Vec<Row> {
    let is_state = matches!(form.kind, SourceKind::Snapshot | SourceKind::Attribute);
    let mut keys = BTreeSet::new();
    let mut rows = Vec::new();
    for (row, twice) in drawn.into_iter().filter(|(row, _)| !(row.account + place).is_multiple_of(5)) {
        let key = (row.account, form.is_dated.then_some(row.day), form.has_known.then_some(row.known));
        if is_state && !keys.insert(key) {
            continue;
        }
        if twice && !is_state {
            rows.push(row.clone());
        }
        // A restated row: the same day, known later, with other values.
        let restated = Row { known: row.known.plus_days(5), x: row.x.map(|x| x + 1.0), kind: None, ..row.clone() };
        let key = (row.account, form.is_dated.then_some(row.day), Some(restated.known));
        if twice && is_state && form.has_known && keys.insert(key) {
            rows.push(restated);
        }
        rows.push(row);
    }
    rows
}

/// The accounts' source: each account is listed, some of them with later rows.
fn accounts(form: Form, drawn: Vec<Row>, more: Vec<(Row, bool)>) -> RandomSource {
    let mut first: Vec<Row> = drawn.into_iter().enumerate().map(|(account, row)| Row { account, ..row }).collect();
    if form.is_dated {
        let keys: BTreeSet<_> = first.iter().map(|row| (row.account, row.day)).collect();
        let more = rows(form, 1, more).into_iter().filter(|row| row.account < N_ACCOUNTS);
        first.extend(more.filter(|row| !keys.contains(&(row.account, row.day))));
    }
    RandomSource { form, rows: first }
}

pub(crate) fn book() -> impl Strategy<Value = RandomBook> {
    let files = prop_oneof![Just(Files::Parquet), Just(Files::Csv)];
    (files, any::<bool>(), any::<bool>(), any::<bool>()).prop_flat_map(|(files, tenths, is_dated, has_known)| {
        let table = || prop::collection::vec(row(tenths), 0..70);
        let listed = prop::collection::vec(row(tenths).prop_map(|(row, _)| row), N_ACCOUNTS);
        let others = prop::collection::vec(table(), FORMS.len() - 1);
        (listed, prop::collection::vec(row(tenths), 0..6), others).prop_map(move |(listed, more, others)| {
            let mut sources = vec![accounts(Form { is_dated, has_known, ..FORMS[0] }, listed, more)];
            for ((place, &form), drawn) in FORMS.iter().enumerate().skip(1).zip(others) {
                sources.push(RandomSource { form, rows: rows(form, place, drawn) });
            }
            if files == Files::Parquet {
                // A table's NaN is written as a null.
                let values = sources.iter_mut().flat_map(|source| &mut source.rows).map(|row| &mut row.x);
                values.for_each(|x| *x = x.filter(|x| !x.is_nan()));
            }
            RandomBook { files, sources }
        })
    })
}

impl RandomSource {
    /// The source's rows as a table.
    pub(crate) fn table(&self) -> Table {
        let rows = &self.rows;
        let dates = |of: fn(&Row) -> Option<Date>| Values::Date(rows.iter().map(of).collect());
        let mut table = Table::default()
            .with("account", Values::Text(rows.iter().map(|row| Some(account_id(row.account))).collect()))
            .with("x", Values::Float(rows.iter().map(|row| row.x).collect()))
            .with("kind", Values::Text(rows.iter().map(|row| row.kind.map(str::to_owned)).collect()))
            .with("flag", Values::Bool(rows.iter().map(|row| row.flag).collect()))
            .with("due", dates(|row| row.due));
        if self.form.is_dated {
            table = table.with("day", dates(|row| Some(row.day)));
        }
        if self.form.has_known {
            table = table.with("known", dates(|row| Some(row.known)));
        }
        if self.form.kind == SourceKind::Subscription {
            table = table.with("end", dates(|row| row.end));
        }
        table
    }

    fn csv(&self) -> String {
        fn shown<T: ToString>(value: Option<T>) -> String {
            value.map_or_else(String::new, |value| value.to_string())
        }
        let mut text = "account,day,known,end,x,kind,flag,due\n".to_owned();
        for Row { account, day, known, end, x, kind, flag, due } in &self.rows {
            let (x, end, due) = (shown(*x), shown(*end), shown(*due));
            let (kind, flag, id) = (shown(*kind), shown(*flag), account_id(*account));
            let _ = writeln!(text, "{id},{day},{known},{end},{x},{kind},{flag},{due}");
        }
        text
    }

    fn write(&self, files: Files, folder: &Path) {
        let name = self.form.name;
        match files {
            Files::Parquet => write_table(&self.table(), &folder.join(format!("{name}.parquet"))).expect("writes"),
            Files::Csv => std::fs::write(folder.join(format!("{name}.csv")), self.csv()).expect("writes"),
        }
    }

    fn toml(&self, files: Files) -> String {
        let Form { name, kind, is_dated, has_known } = self.form;
        let ending = if files == Files::Parquet { "parquet" } else { "csv" };
        let named = format!("{kind:?}").to_lowercase();
        let mut toml = format!(
            "[sources.{name}]\nkind = \"{named}\"\npath = \"{name}.{ending}\"\naccount = \"account\"\nmay_be_empty = true\n"
        );
        for (key, column, has) in [
            ("date", "day", is_dated),
            ("known_at", "known", has_known),
            ("end", "end", kind == SourceKind::Subscription),
        ] {
            if has {
                let _ = writeln!(toml, "{key} = \"{column}\"");
            }
        }
        toml
    }
}

pub(crate) fn account_id(account: usize) -> String {
    format!("a{account:02}")
}

impl RandomBook {
    /// The declaration, with these features.
    pub(crate) fn toml(&self, features: &str) -> String {
        let sources: String = self.sources.iter().map(|source| source.toml(self.files)).collect();
        format!(
            "name = \"random\"\nsnapshots = {{ data_end = 2026-01-31 }}\n{sources}\n[accounts]\nfrom = \"accounts\"\n{features}"
        )
    }

    /// Writes the sources into a folder.
    pub(crate) fn write(&self, folder: &Path) {
        for source in &self.sources {
            source.write(self.files, folder);
        }
    }

    /// The book in a folder of its own.
    pub(crate) fn open(&self, features: &str) -> Result<(TempDir, Book), BookError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.write(folder.path());
        let file = BookFile::parse(self.toml(features), &folder.path().join("book.toml"))?;
        let book = Book::open(file, &Quiet)?;
        Ok((folder, book))
    }
}
