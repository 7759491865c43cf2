//! What a feature file holds is what the book builds; a file that can't be scored honestly is refused.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bellwether_book::{
    Book, BookError, BookFile, Column, FeatureFile, FeatureFileError, FeatureFileNeeds, FileRows, RowChoice,
    RowGroupWriter, ScoringRows, Shard, Table, write_table,
};
use bellwether_core::{AccountId, Date, Encoding, Quiet, RowKey, RowStatus};
use expect_test::{Expect, expect};
use tempfile::TempDir;

use crate::common::{date, open};

const TOML: &str = r#"
name = "small"
[sources.accounts]
kind = "attribute"
path = "accounts.csv"
account = "id"
date = "start"
[sources.plans]
kind = "subscription"
path = "plans.csv"
account = "id"
date = "start"
end = "end"
[accounts]
from = "accounts"
active = { rule = "subscription", source = "plans" }
[targets]
churn = { rule = "no_subscription", source = "plans" }
[[features]]
from = "accounts"
column = "tier"
type = "text"
[[features]]
name = "mrr"
from = "plans"
column = "mrr"
aggregate = "sum"
[[features]]
name = "seats"
from = "accounts"
column = "seats"
helper = true
[[segments]]
name = "tier"
feature = "tier"
[cohort]
by = ["tier"]
features = ["seats"]
min_accounts = 1
[value]
feature = "mrr"
times = 12
"#;
const AS_OF: &str = "2024-03-31";

/// 40 accounts: some have left by the day, some have not come yet, some lack a tier or seats.
fn small_book() -> (TempDir, Book) {
    let mut accounts = "id,start,tier,seats\n".to_owned();
    let mut plans = "id,start,end,mrr\n".to_owned();
    for n in 0..40 {
        let start = if n % 9 == 8 { "2024-05-01" } else { "2024-01-15" };
        let end = if n % 7 == 6 { "2024-02-20" } else { "" };
        let tier = ["pro", "\"a, b\"", ""][n % 3];
        let seats = if n % 5 == 0 { String::new() } else { (n * n % 17).to_string() };
        let _ = writeln!(accounts, "c-{n:02},{start},{tier},{seats}");
        let _ = writeln!(plans, "c-{n:02},{start},{end},{}", n as f64 / 3.0);
    }
    open(TOML, &[("accounts.csv", &accounts), ("plans.csv", &plans)]).expect("opens")
}

/// A file of the book's features, and what a model reads of it.
struct Written {
    folder: TempDir,
    table: Table,
    built: ScoringRows,
    encoding: Encoding,
}

fn written() -> Written {
    let (folder, book) = small_book();
    let built = book.as_of(date(AS_OF), &Quiet).expect("builds");
    let rows: Vec<usize> = (0..built.n_rows()).collect();
    let encoding = book.learn_encoding(&built, &rows).expect("learns");
    Written { folder, table: built.clone().into_file(FileRows::OneDay), built: built.into(), encoding }
}

impl Written {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, path: &Path, choice: RowChoice) -> Result<Vec<ScoringRows>, FeatureFileError> {
        let file = FeatureFile::open(path, FeatureFileNeeds::of(&self.encoding, Some("tier")), choice)?;
        let mut read = Vec::new();
        file.each(0, |rows| {
            read.push(rows);
            Ok::<_, FeatureFileError>(())
        })?;
        Ok(read)
    }

    /// The file `table` is refused, in these words.
    #[track_caller]
    fn check_refused(&self, table: &Table, told: &Expect) {
        self.check_path_refused("features.csv", |path| write_table(table, path).expect("writes"), told);
    }

    #[track_caller]
    fn check_path_refused(&self, name: &str, write: impl FnOnce(&Path), told: &Expect) {
        let path = self.path(name);
        write(&path);
        let error = self.read(&path, RowChoice::default()).expect_err("it is refused");
        let hint = error.hint().map_or_else(String::new, |hint| format!("hint: {hint}\n"));
        told.assert_eq(&format!("{error}\n{hint}").replace(&format!("{}/", self.folder.path().display()), ""));
    }
}

/// The matrix that a model reads, by its bits, beside what is known without it.
fn essence(encoding: &Encoding, rows: &ScoringRows) -> impl PartialEq + std::fmt::Debug + use<> {
    let x = encoding.encode(&rows.raw).expect("encodes");
    let bits: Vec<Vec<u32>> =
        (0..x.n_cols()).map(|column| x.column(column).iter().map(|value| value.to_bits()).collect()).collect();
    let arr: Vec<u64> = rows.arr.iter().flatten().map(|arr| arr.to_bits()).collect();
    let (_, tiers) = &rows.segments[0];
    let tiers: Vec<Option<String>> = (0..rows.n_rows()).map(|row| tiers.get(row).map(str::to_owned)).collect();
    (rows.keys.clone(), rows.status.clone(), bits, arr, tiers)
}

#[test]
fn every_form_reads_as_the_book_builds() {
    let written = written();
    let status = |status: RowStatus| written.built.status.iter().filter(|of_row| **of_row == status).count();
    assert_eq!([RowStatus::Churned, RowStatus::NotStarted].map(status), [5, 4]);
    for ending in ["parquet", "csv", "arrow"] {
        let path = written.path(&format!("features.{ending}"));
        write_table(&written.table, &path).expect("writes");
        let read = written.read(&path, RowChoice::default()).expect("reads");
        assert_eq!(read.len(), 1);
        assert_eq!(essence(&written.encoding, &read[0]), essence(&written.encoding, &written.built), "{ending}");
    }
}

#[test]
fn rows_in_any_order_are_read_by_account_and_day() {
    let written = written();
    let path = written.path("features.csv");
    write_table(&written.table, &path).expect("writes");
    let text = std::fs::read_to_string(&path).expect("reads");
    let (header, rows) = text.split_once('\n').expect("a header");
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.sort_by_key(|row| row.bytes().rev().collect::<Vec<u8>>());
    std::fs::write(&path, format!("{header}\n{}\n", rows.join("\n"))).expect("writes");
    let needs = || FeatureFileNeeds::of(&written.encoding, None);
    assert!(!FeatureFile::open(&path, needs(), RowChoice::default()).expect("opens").is_sorted());
    let read = written.read(&path, RowChoice::default()).expect("reads");
    assert_eq!(essence(&written.encoding, &read[0]), essence(&written.encoding, &written.built));
}

#[test]
fn shards_are_the_whole() {
    let written = written();
    let path = written.path("features.parquet");
    write_table(&written.table, &path).expect("writes");
    let mut accounts: Vec<AccountId> = Vec::new();
    for number in 1..=3 {
        let shard: Shard = format!("{number}/3").parse().expect("a shard");
        let read = written.read(&path, RowChoice { shard: Some(shard), as_of: None }).expect("reads");
        assert!(read.iter().flat_map(|rows| &rows.keys).all(|key| shard.has(&key.account.0)));
        accounts.extend(ids(&read));
    }
    accounts.sort();
    assert_eq!(accounts, written.built.keys.iter().map(|key| key.account.clone()).collect::<Vec<_>>());
    // No account of this book is in it: it is read all the same, with columns and without rows.
    let empty: Shard = "77/9999".parse().expect("a shard");
    let read = written.read(&path, RowChoice { shard: Some(empty), as_of: None }).expect("reads");
    assert_eq!(read.iter().map(ScoringRows::n_rows).collect::<Vec<_>>(), [0]);
    assert_eq!(written.encoding.encode(&read[0].raw).expect("encodes").n_rows(), 0);
}

/// The ids of the accounts whose rows are given.
fn ids(read: &[ScoringRows]) -> Vec<AccountId> {
    read.iter().flat_map(|rows| rows.keys.iter().map(|key| key.account.clone())).collect()
}

#[test]
fn rows_that_are_finished_are_skipped() {
    let written = written();
    let path = written.path("features.parquet");
    write_table(&written.table, &path).expect("writes");
    let book = |max_cells: usize| {
        let file = BookFile::parse(TOML.to_owned(), &written.path("book.toml")).expect("parses");
        Book::open_within(file, max_cells, &Quiet).expect("opens")
    };
    // All in memory, and some accounts at a time.
    let books = [book(usize::MAX), book(60)];
    for shard in [None, Some("2/3".parse::<Shard>().expect("a shard"))] {
        let is_in = |key: &&RowKey| shard.is_none_or(|shard| shard.has(&key.account.0));
        let all: Vec<AccountId> = written.built.keys.iter().filter(is_in).map(|key| key.account.clone()).collect();
        for skip in [0, 1, 5, all.len() - 1, all.len(), all.len() + 9] {
            let expected = &all[skip.min(all.len())..];
            for book in &books {
                let mut read = Vec::new();
                book.each_as_of(date(AS_OF), shard, skip, &Quiet, |table| {
                    read.push(ScoringRows::from(table));
                    Ok::<_, BookError>(())
                })
                .expect("builds");
                assert_eq!(ids(&read), expected, "{shard:?}, {skip} skipped");
            }
            let choice = RowChoice { shard, as_of: None };
            let file = FeatureFile::open(&path, FeatureFileNeeds::of(&written.encoding, None), choice).expect("opens");
            let mut read = Vec::new();
            file.each(skip, |rows| {
                read.push(rows);
                Ok::<_, FeatureFileError>(())
            })
            .expect("reads");
            assert_eq!(ids(&read), expected, "{shard:?}, {skip} skipped");
        }
    }
}

#[test]
fn a_source_has_another_digest_when_a_file_changes() {
    let (folder, book) = small_book();
    let (_same_folder, same) = small_book();
    let digest = |book: &Book| book.input_digest().expect("reads");
    let before = digest(&book);
    assert_eq!(digest(&book), before);
    // Paths are part of it: the same bytes elsewhere are another input.
    assert_ne!(digest(&same), before);
    let plans = folder.path().join("plans.csv");
    let text = std::fs::read_to_string(&plans).expect("reads");
    std::fs::write(&plans, text.replacen(",39", ",40", 1).replacen("2024-02-20", "2024-02-21", 1)).expect("writes");
    assert_ne!(digest(&book), before);
}

#[test]
fn a_day_is_chosen() {
    let (folder, book) = small_book();
    let days: Vec<Date> = ["2024-01-31", "2024-02-29", AS_OF].map(date).to_vec();
    let history = book.history(&days, &Quiet).expect("builds").table;
    let rows: Vec<usize> = (0..history.n_rows()).collect();
    let encoding = book.learn_encoding(&history, &rows).expect("learns");
    let path = folder.path().join("features.parquet");
    write_table(&history.clone().into_file(FileRows::History), &path).expect("writes");
    let open = |as_of: Option<Date>| {
        let choice = RowChoice { as_of, shard: None };
        FeatureFile::open(&path, FeatureFileNeeds::of(&encoding, None), choice)
    };
    let all = open(None).expect("opens");
    assert_eq!((all.n_rows(), all.days()), (history.n_rows(), (days[0], days[2])));
    let one = open(Some(days[1])).expect("opens");
    let n_of_day = history.keys.iter().filter(|key| key.as_of == days[1]).count();
    assert_eq!((one.n_rows(), one.days()), (n_of_day, (days[1], days[1])));
    one.each(0, |rows| {
        assert!(rows.keys.iter().all(|key| key.as_of == days[1]) && rows.n_rows() == n_of_day);
        assert_eq!(rows.status, vec![RowStatus::Scored; n_of_day]);
        Ok::<_, FeatureFileError>(())
    })
    .expect("reads");
    let none = open(Some(date("2024-02-01"))).expect_err("there is no such row");
    assert!(none.to_string().ends_with("has no row of 2024-02-01"), "{none}");
}

fn column_of(table: &Table, name: &str) -> usize {
    table.columns.iter().position(|(column, _)| column == name).expect("a column of the table")
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let written = written();
    let mut lacking = written.table.clone();
    let mrr = column_of(&lacking, "mrr");
    lacking.columns[mrr].0 = "mmr".to_owned();
    written.check_refused(
        &lacking,
        &expect![[r#"
            features.csv: there is no column `mrr`, a feature of the model
            hint: did you mean `mmr`? `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
        "#]],
    );
    lacking.columns.remove(column_of(&lacking, "segment:tier"));
    lacking.columns[mrr - 1].0 = "mrr".to_owned();
    written.check_refused(
        &lacking,
        &expect![[r#"
            features.csv: there is no column `segment:tier`, by which cohorts are told
            hint: `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
        "#]],
    );
    let further = written.table.clone().with("note", Column::Float(vec![None; 40]));
    written.check_refused(
        &further,
        &expect![[r#"
            features.csv: column `note` is no feature of the model
            hint: leave the column out; `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
        "#]],
    );
    let mut typed = written.table.clone();
    let tier = column_of(&typed, "tier");
    typed.columns[tier].1 = Column::Float(vec![Some(1.0); 40]);
    written.check_path_refused(
        "features.parquet",
        |path| write_table(&typed, path).expect("writes"),
        &expect![[r#"
            features.parquet: column `tier` is f64; a text is needed
            hint: `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
        "#]],
    );
    let mut typed = written.table.clone();
    typed.columns[mrr].1 = Column::Date(vec![Some(date(AS_OF)); 40]);
    written.check_path_refused(
        "features.parquet",
        |path| write_table(&typed, path).expect("writes"),
        &expect![[r#"
            features.parquet: column `mrr` is date; a number or a truth value is needed
            hint: `bellwether features --book BOOK --as-of DATE --out FILE` writes such a table
        "#]],
    );
}

#[test]
fn values_that_can_not_serve_are_named() {
    let written = written();
    let spoilt = |name: &str, spoil: &dyn Fn(&mut Column)| {
        let mut table = written.table.clone();
        let at = column_of(&table, name);
        spoil(&mut table.columns[at].1);
        table
    };
    let set_text = |row: usize, text: Option<&str>| {
        let text = text.map(str::to_owned);
        move |column: &mut Column| match column {
            Column::Text(values) => values[row] = text.clone(),
            _ => unreachable!("a column of texts"),
        }
    };
    written.check_refused(
        &spoilt("account_id", &set_text(3, None)),
        &expect![[r#"
            features.csv: column `account_id`, row 4 is `(missing)`; every row needs an account
            hint: correct the value; a missing one is null or empty
        "#]],
    );
    written.check_refused(
        &spoilt("account_id", &set_text(3, Some("c-02"))),
        &expect![[r#"
            features.csv: account `c-02` has more than one row on 2024-03-31; it can have one score a day
            hint: keep one row an account and day
        "#]],
    );
    written.check_refused(
        &spoilt("book:status", &set_text(5, Some("gone"))),
        &expect![[r#"
            features.csv: `book:status` of account `c-05` is `gone`; it is scored, churned or not_started
            hint: correct the value; a missing one is null or empty
        "#]],
    );
    let infinite = |column: &mut Column| match column {
        Column::Float32(values) => values[7] = f32::INFINITY,
        _ => unreachable!("a column of numbers"),
    };
    written.check_refused(
        &spoilt("mrr", &infinite),
        &expect![[r#"
            features.csv: column `mrr`, row 8 is `inf`; a finite number is needed, at most 3.4e38 in size
            hint: correct the value; a missing one is null or empty
        "#]],
    );
    let many = |column: &mut Column| *column = Column::Text(vec![Some("many".to_owned()); 40]);
    written.check_refused(
        &spoilt("mrr", &many),
        &expect![[r#"
            features.csv: column `mrr`, row 1 is `many`; a finite number is needed, at most 3.4e38 in size
            hint: correct the value; a missing one is null or empty
        "#]],
    );
    let yesterday = |column: &mut Column| *column = Column::Text(vec![Some("31/03/2024".to_owned()); 40]);
    written.check_refused(
        &spoilt("as_of", &yesterday),
        &expect![[r#"
            features.csv: column `as_of`, row 1 is `31/03/2024`; a date of the form `%Y-%m-%d` is needed
            hint: correct the value; a missing one is null or empty
        "#]],
    );
}

#[test]
fn files_that_can_not_be_read_are_named() {
    let written = written();
    let mut no_rows = written.table.clone();
    drop(no_rows.split_off(0));
    written.check_refused(
        &no_rows,
        &expect![[r#"
            features.csv has no row
            hint: a table without rows can't be told from an export that failed
        "#]],
    );
    written.check_path_refused(
        "none.parquet",
        |_| (),
        &expect![[r#"
            there is no file none.parquet
        "#]],
    );
    written.check_path_refused(
        "features.xlsx",
        |path| std::fs::write(path, "x").expect("writes"),
        &expect![[r#"
            features.xlsx is of no known form; known are .parquet, .csv, .csv.gz, .arrow and .ipc
            hint: convert the file, or rename it so that its ending tells its form
        "#]],
    );
    written.check_path_refused(
        "cut.parquet",
        |path| std::fs::write(path, "PAR1").expect("writes"),
        &expect![[r#"
            cut.parquet can't be read
            hint: the file may be cut, or of another form than its ending says; export it again
        "#]],
    );
}

#[test]
fn a_file_in_row_groups_does_not_depend_on_how_rows_came() {
    let written = written();
    for ending in ["parquet", "csv", "jsonl", "arrow"] {
        let bytes = |cut: usize| {
            let path = written.path(&format!("groups.{ending}"));
            let mut writer = RowGroupWriter::create(&path, 16).expect("creates");
            let mut rest = written.table.clone();
            while rest.n_rows() > cut {
                let later = rest.split_off(cut);
                writer.append(std::mem::replace(&mut rest, later)).expect("writes");
            }
            writer.append(rest).expect("writes");
            writer.finish().expect("finishes");
            std::fs::read(path).expect("a file")
        };
        let whole = bytes(40);
        for cut in [1, 7, 16, 33] {
            assert!(bytes(cut) == whole, "{ending}, cut at {cut}");
        }
    }
}
