//! One table in each form that a source may have, and the forms that are written.

use std::fmt::Write as _;
use std::sync::Arc;

use bellwether_book::{Book, BookFile, CodedText, Column, KeyedText, Table, TableWriter, TextKey, Words, write_table};
use bellwether_core::Quiet;
use polars::prelude::{LazyFrame, PlRefPath, ScanArgsParquet, col, lit};

use crate::common::{date, numbers};

fn toml(path: &str, format: &str) -> String {
    format!(
        r#"
        name = "forms"
        [sources.events]
        kind = "event"
        path = "{path}"
        account = "id"
        date = "day"
        date_format = "{format}"
        null_values = ["NA"]
        derived = [{{ name = "amount", multiply = ["n", "price"] }}]
        filter = [{{ column = "kind", not_in = ["test"] }}]
        [accounts]
        from = "events"
        [[features]]
        from = "events"
        column = "amount"
        aggregate = "sum"
        [[features]]
        name = "rows"
        from = "events"
        aggregate = "count"
    "#
    )
}

fn table() -> Table {
    let day = |text: &str| Some(date(text));
    Table::default()
        // An id that went through a float column, as pandas writes it where another row has none.
        .with("id", Column::Float(vec![Some(17.0), Some(17.0), Some(4.0), Some(4.0)]))
        .with("day", Column::Date(vec![day("2024-01-02"), day("2024-01-03"), day("2024-01-02"), day("2024-01-04")]))
        .with("n", Column::Int(vec![Some(2), Some(3), Some(1), Some(9)]))
        .with("price", Column::Float(vec![Some(0.5), Some(2.0), None, Some(1.0)]))
        .with("kind", Column::Text(vec![Some("a".into()), None, Some("b".into()), Some("test".into())]))
}

fn check(folder: &std::path::Path, path: &str, format: &str) {
    let file = BookFile::parse(toml(path, format), &folder.join("book.toml")).expect("a valid book");
    let book = Book::open(file, &Quiet).expect(path);
    let table = book.history(&[date("2024-01-31")], &Quiet).expect("rows are in memory").table;
    let ids: Vec<&str> = table.keys.iter().map(|key| key.account.0.as_str()).collect();
    // A null meets no condition, so the row without kind is left out.
    assert_eq!(ids, ["17", "4"], "{path}");
    assert_eq!(numbers(&table, "amount"), [1.0, 0.0], "{path}");
    assert_eq!(numbers(&table, "rows"), [1.0, 1.0], "{path}");
}

/// Texts as codes, in two tables: the file is that of one table of plain texts.
#[test]
fn coded_texts_are_written_as_their_texts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let texts = [Some("ann"), None, Some("bob"), Some("bob"), Some("a name of more than twelve letters"), Some("ann")];
    let coded = |texts: &[Option<&str>]| {
        let mut values = CodedText::default();
        for text in texts {
            values.push(*text);
        }
        values
    };
    let mut joined = coded(&texts[..2]);
    joined.append(coded(&texts[2..]));
    assert_eq!(joined, coded(&texts));
    joined.keep(&[true, false, false, true, true, true]);
    joined.push_copy(0);
    assert_eq!(joined, coded(&[texts[0], texts[3], texts[4], texts[5], texts[0]]));

    let plain = Column::Text(texts.iter().map(|text| text.map(str::to_owned)).collect());
    for ending in ["parquet", "csv", "jsonl"] {
        let [one, two] = ["one", "two"].map(|name| folder.path().join(format!("{name}.{ending}")));
        write_table(&Table::default().with("name", plain.clone()), &one).expect("writes");
        let parts = [&texts[..2], &texts[2..]].map(|part| Table::default().with("name", Column::Coded(coded(part))));
        let mut writer = TableWriter::create(&two).expect("creates");
        writer.append_all(&parts).expect("writes");
        writer.finish().expect("finishes");
        let read = |path| std::fs::read(path).expect("a file");
        assert!(read(one) == read(two), "{ending}");
    }
}

/// What is said of keys of one number, with a null and keys that come again.
#[test]
fn keyed_texts_are_written_as_their_texts() {
    struct Numbered;
    impl Words for Numbered {
        fn write(&self, [number, ..]: TextKey, said: &mut String) {
            let _ = write!(said, "number {number}");
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let numbers = [Some(3), None, Some(1), Some(3), Some(3), Some(1), None, Some(2)];
    let words: Arc<dyn Words> = Arc::new(Numbered);
    let keyed = |numbers: &[Option<u32>]| {
        let mut values = KeyedText::nulls(numbers.len(), Arc::clone(&words));
        for (row, number) in numbers.iter().enumerate() {
            if let Some(number) = number {
                values.set(row, [*number, 0, 9 - number]);
            }
        }
        Table::default().with("said", Column::Keyed(values))
    };
    let texts = numbers.iter().map(|number| number.map(|number| format!("number {number}")));
    let plain = Table::default().with("said", Column::Text(texts.collect()));
    let mut first = keyed(&numbers);
    let rest = first.split_off(2);
    assert_eq!((first, rest), (keyed(&numbers[..2]), keyed(&numbers[2..])));
    for ending in ["parquet", "csv", "jsonl", "arrow"] {
        let [one, two] = ["one", "two"].map(|name| folder.path().join(format!("{name}.{ending}")));
        write_table(&plain, &one).expect("writes");
        let mut writer = TableWriter::create(&two).expect("creates");
        writer.append_all(&[keyed(&numbers[..3]), keyed(&[]), keyed(&numbers[3..])]).expect("writes");
        writer.finish().expect("finishes");
        let read = |path| std::fs::read(path).expect("a file");
        assert!(read(one) == read(two), "{ending}");
    }
}

#[test]
fn every_form_reads_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for ending in ["parquet", "arrow", "ipc"] {
        let name = format!("events.{ending}");
        write_table(&table(), &folder.path().join(&name)).expect("writes");
        check(folder.path(), &name, "%Y-%m-%d");
    }
    let csv = "id,day,n,price,kind\n17, 02/01/2024 ,2,0.5,a\n17,03/01/2024,3,2.0,\n4,02/01/2024,1,NA,b\n4,04/01/2024,9,1,test\n";
    std::fs::write(folder.path().join("events.csv"), csv).expect("writes");
    check(folder.path(), "events.csv", "%d/%m/%Y");
    // Two files are one table.
    let (head, rows) = csv.split_once('\n').expect("a header");
    for (part, rows) in rows.lines().collect::<Vec<_>>().chunks(2).enumerate() {
        let text = format!("{head}\n{}\n", rows.join("\n"));
        std::fs::write(folder.path().join(format!("part_{part}.csv")), text).expect("writes");
    }
    check(folder.path(), "part_*.csv", "%d/%m/%Y");
}

#[test]
fn an_unfinished_file_is_not_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("events.parquet");
    let mut writer = bellwether_book::TableWriter::create(&path).expect("creates");
    writer.append(&table()).expect("appends");
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
    assert!(bellwether_book::TableWriter::create(&folder.path().join("events.xlsx")).is_err());
}

/// Pages of each kind, with runs that end at odd places: few and many numbers, texts that repeat or not, one value, none.
#[test]
fn parquet_holds_what_was_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for n_rows in [1, 7, 64, 100, 8191, 8192, 8193, 20_000] {
        let is_null = |row: usize| row % 13 == 5;
        let column = |value: &dyn Fn(usize) -> f64| -> Vec<Option<f64>> {
            (0..n_rows).map(|row| (!is_null(row)).then(|| value(row))).collect()
        };
        let numbers = [
            ("few", column(&|row| [0.5, -0.0, 0.0, 1e300][row / 3 % 4])),
            ("many", column(&|row| (row as f64 * 0.37).sin())),
            ("known", (0..n_rows).map(|row| Some(row as f64 / 7.0)).collect()),
            ("one", (0..n_rows).map(|_| Some(2.5)).collect()),
            ("none", vec![None; n_rows]),
        ];
        let text = |n_distinct: usize, row: usize| (!is_null(row)).then(|| format!("text {}", row * 7919 % n_distinct));
        let texts = [("level", 3), ("level of one", 1), ("sentence", 4000), ("id", usize::MAX)]
            .map(|(name, n_distinct)| (name, (0..n_rows).map(|row| text(n_distinct, row)).collect::<Vec<_>>()));
        let mut table = Table::default().with("no text", Column::Text(vec![None; n_rows]));
        for (name, values) in &numbers {
            let singles = values.iter().map(|x| x.map_or(f32::NAN, |x| x as f32)).collect();
            // What is no number is null.
            let doubles = values.iter().map(|x| x.or(Some(f64::NAN).filter(|_| n_rows % 2 == 0))).collect();
            table = table.with(name, Column::Float(doubles)).with(&format!("{name} 32"), Column::Float32(singles));
        }
        for (name, values) in &texts {
            let mut coded = CodedText::default();
            for text in values {
                coded.push(text.as_deref());
            }
            table = table.with(name, Column::Text(values.clone())).with(&format!("{name} coded"), Column::Coded(coded));
        }
        let path = folder.path().join("table.parquet");
        write_table(&table, &path).expect("writes");

        let frame = LazyFrame::scan_parquet(PlRefPath::new(path.to_str().expect("a path")), ScanArgsParquet::default())
            .expect("a file");
        let read = frame.clone().collect().expect("reads");
        assert_eq!(read.column("no text").expect("there").null_count(), n_rows);
        for (name, values) in &numbers {
            let found: Vec<Option<f64>> =
                read.column(name).and_then(|column| column.f64()).expect("f64").iter().collect();
            let bits = |of: &[Option<f64>]| of.iter().map(|x| x.map(f64::to_bits)).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(values), "{name} of {n_rows}");
            let found = read.column(&format!("{name} 32")).and_then(|column| column.f32()).expect("f32");
            let found: Vec<Option<f32>> = found.iter().collect();
            assert_eq!(found, values.iter().map(|x| x.map(|x| x as f32)).collect::<Vec<_>>(), "{name} of {n_rows}");
            // Readers skip what bounds exclude.
            for bound in [-0.5, 0.0, 0.5, 2.5] {
                let kept = frame.clone().filter(col(*name).gt_eq(lit(bound))).collect().expect("reads").height();
                assert_eq!(kept, values.iter().flatten().filter(|&&x| x >= bound).count(), "{name} from {bound}");
            }
            let nulls = frame.clone().filter(col(*name).is_null()).collect().expect("reads").height();
            assert_eq!(nulls, values.iter().filter(|x| x.is_none()).count(), "{name} of {n_rows}");
        }
        for (name, values) in &texts {
            for name in [(*name).to_owned(), format!("{name} coded")] {
                let found = read.column(&name).and_then(|column| column.str()).expect("texts");
                assert!(found.iter().eq(values.iter().map(Option::as_deref)), "{name} of {n_rows}");
                let kept = frame.clone().filter(col(&name).eq(lit("text 0"))).collect().expect("reads").height();
                assert_eq!(kept, values.iter().flatten().filter(|text| *text == "text 0").count(), "{name}");
            }
        }
    }
}
