//! `bellwether features`

use std::path::Path;

use bellwether_book::{Book, BookFile, Column, FileRows, Table, TableWriter, check_output, write_table};
use bellwether_core::{Date, FeatureMatrix};
use serde::Serialize;

use crate::args::Features;
use crate::commands::catalogue;
use crate::failure::Failure;
use crate::output::{grouped, print_json, print_text};
use crate::pipeline::opened::Opened;
use crate::progress::{Bars, say};

#[derive(Serialize)]
struct Built {
    rows: usize,
    columns: usize,
    out: String,
}

pub(crate) fn run(arguments: &Features) -> Result<(), Failure> {
    let (Some(book), Some(out)) = (&arguments.book, &arguments.out) else {
        return catalogue::run(arguments);
    };
    check_output(out)?;
    let (rows, columns) = match &arguments.model {
        None => write_declared(book, arguments.as_of, out)?,
        Some(model) => {
            let table = encoded(book, model)?;
            write_table(&table, out)?;
            (table.n_rows(), table.columns.len())
        }
    };
    let built = Built { rows, columns, out: out.display().to_string() };
    if arguments.json {
        return print_json(&built);
    }
    print_text(&format!("{}: {} rows x {} columns", built.out, grouped(built.rows), built.columns))
}

/// Writes the features as declared, of the whole history or of one day, some accounts at a time; gives rows and columns.
fn write_declared(book: &Path, as_of: Option<Date>, out: &Path) -> Result<(usize, usize), Failure> {
    let bars = Bars::default();
    say(&format!("building the features of {}", book.display()));
    let book = Book::open(BookFile::read(book)?, &bars)?;
    let mut writer = TableWriter::create(out)?;
    let (mut n_rows, mut n_columns) = (0, 0);
    let mut write = |table: Table| {
        n_rows += table.n_rows();
        n_columns = table.columns.len();
        writer.append(&table).map_err(Failure::from)
    };
    match as_of {
        None => book.each_history(&book.snapshot_days(), &bars, |rows| write(rows.into_file(FileRows::History)))?,
        Some(day) => book.each_as_of(day, None, 0, &bars, |rows| write(rows.into_file(FileRows::OneDay)))?,
    }
    writer.finish()?;
    Ok((n_rows, n_columns))
}

/// The matrix that a bundle's models read, with each row's part and probabilities: what a peer needs to be compared.
fn encoded(book: &Path, model: &Path) -> Result<Table, Failure> {
    let bars = Bars::default();
    let opened = Opened::open(book, model, &bars)?;
    let table = opened.book.history(&opened.book.snapshot_days(), &bars)?.table;
    let x = opened.encode(&table)?;
    let split = opened.book.split(&table, opened.bundle.provenance().seed)?;
    let mut part = vec![None; table.n_rows()];
    for (name, rows) in [("training", &split.training), ("calibration", &split.calibration), ("test", &split.test)] {
        for &row in rows {
            part[row] = Some(name.to_owned());
        }
    }
    let mut out = table.described().with("part", Column::Text(part));
    for (target, probability) in opened.scorer.probabilities(&x)? {
        let probability = probability.into_iter().map(Some).collect();
        out = out.with(&format!("probability:{target}"), Column::Float(probability));
    }
    Ok(with_matrix(out, &x, opened.scorer.schema().features().iter().map(|feature| feature.name.as_str())))
}

fn with_matrix<'a>(mut out: Table, x: &FeatureMatrix, names: impl Iterator<Item = &'a str>) -> Table {
    for (column, name) in names.enumerate() {
        out = out.with(&format!("feature:{name}"), Column::Float32(x.column(column).to_vec()));
    }
    out
}
