//! A simulated book as a folder.

use std::ffi::OsStr;
use std::path::Path;

use bellwether_book::TableWriter;
use bellwether_core::{Date, Progress};

use crate::rows::Rows;
use crate::tables::{Chunk, TABLE_NAMES, World};
use crate::{SimulateConfig, SimulateError};

const CONFIG_NAME: &str = "book.toml";
const DATASHEET_NAME: &str = "README.md";
const CONFIG: &str = include_str!("text/book.toml");
const DATASHEET: &str = include_str!("text/README.md");

/// Days of history that the longest window of `book.toml` wants before the first snapshot.
const HISTORY_DAYS: i32 = 90;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedBook {
    /// Each table's name and how many rows it has, in the order of [`TABLE_NAMES`].
    pub rows: Vec<(&'static str, usize)>,
    /// Accounts that left within the book.
    pub n_churned: usize,
    /// Accounts that paid for more seats at least once within the book.
    pub n_expanded: usize,
    /// The last day of the book.
    pub last_day: Date,
}

/// Simulates a book into the folder `into`, which is made where it is absent: a Parquet file a table, `book.toml` and
/// the datasheet `README.md`. Makes `chunk_accounts` accounts in memory while it writes as many others; every table has
/// a row group for each such chunk. `book.toml` is written last, so an interrupted simulation is no book.
///
/// # Errors
/// [`SimulateError::Setting`] if `config` is out of its ranges, [`SimulateError::Occupied`] if the folder holds
/// anything but a simulated book, [`SimulateError::Write`] and [`SimulateError::Table`] if a file cannot be written.
pub fn simulate(config: &SimulateConfig, into: &Path, progress: &dyn Progress) -> Result<SimulatedBook, SimulateError> {
    config.check()?;
    claim(into)?;
    let book = write_tables(config, into, progress)?;
    write_text(&into.join(DATASHEET_NAME), &filled(DATASHEET, config, &book))?;
    write_text(&into.join(CONFIG_NAME), &filled(CONFIG, config, &book))?;
    Ok(book)
}

/// Makes the folder and removes what would make a half-written book look whole.
fn claim(into: &Path) -> Result<(), SimulateError> {
    std::fs::create_dir_all(into).map_err(cannot_write(into))?;
    let entries = std::fs::read_dir(into).map_err(cannot_write(into))?;
    let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    let mut names = names.map_err(cannot_write(into))?;
    names.sort();
    if let Some(entry) = names.iter().find(|name| !is_ours(name)) {
        let (folder, entry) = (into.display().to_string(), entry.to_string_lossy().into_owned());
        return Err(SimulateError::Occupied { folder, entry });
    }
    for name in names.iter().filter(|name| *name == CONFIG_NAME || is_unfinished(name)) {
        let path = into.join(name);
        std::fs::remove_file(&path).map_err(cannot_write(&path))?;
    }
    Ok(())
}

fn is_ours(name: &OsStr) -> bool {
    let table = name.to_str().and_then(|name| name.strip_suffix(".parquet"));
    let is_table = table.is_some_and(|table| TABLE_NAMES.contains(&table));
    is_table || name == CONFIG_NAME || name == DATASHEET_NAME || is_unfinished(name)
}

/// Whether a simulation that was killed left it behind: [`TableWriter`] writes beside the file and renames.
fn is_unfinished(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".bellwether-"))
}

fn write_tables(config: &SimulateConfig, into: &Path, progress: &dyn Progress) -> Result<SimulatedBook, SimulateError> {
    let world = World::new(config);
    let mut book = SimulatedBook {
        rows: TABLE_NAMES.map(|name| (name, 0)).into(),
        n_churned: 0,
        n_expanded: 0,
        last_day: config.last_day(),
    };
    let mut writers = Vec::with_capacity(TABLE_NAMES.len());
    for table in TABLE_NAMES {
        let path = into.join(format!("{table}.parquet"));
        writers.push(TableWriter::create(&path).map_err(|cause| SimulateError::Table { table, cause })?);
    }
    progress.begin("simulating accounts", config.n_accounts as u64);
    let mut from = 0;
    let mut chunk = None;
    while from < config.n_accounts {
        let to = config.n_accounts.min(from.saturating_add(config.chunk_accounts));
        let (next, written) = rayon::join(|| world.chunk(from..to), || append(chunk, &mut writers, &mut book));
        written?;
        chunk = Some(next);
        progress.advance((to - from) as u64);
        from = to;
    }
    append(chunk, &mut writers, &mut book)?;
    for (writer, table) in writers.into_iter().zip(TABLE_NAMES) {
        writer.finish().map_err(|cause| SimulateError::Table { table, cause })?;
    }
    progress.end();
    Ok(book)
}

/// Writes a chunk, where there is one, and counts it in `book`.
fn append(chunk: Option<Chunk>, writers: &mut [TableWriter], book: &mut SimulatedBook) -> Result<(), SimulateError> {
    let Some(chunk) = chunk else { return Ok(()) };
    for ((rows, writer), (table, n_rows)) in chunk.tables.into_iter().zip(writers).zip(&mut book.rows) {
        let rows = Rows::into_table(rows);
        *n_rows += rows.n_rows();
        writer.append(&rows).map_err(|cause| SimulateError::Table { table, cause })?;
    }
    book.n_churned += chunk.n_churned;
    book.n_expanded += chunk.n_expanded;
    Ok(())
}

/// The text with what is known of this book in its places.
fn filled(text: &str, config: &SimulateConfig, book: &SimulatedBook) -> String {
    let rows = book
        .rows
        .iter()
        .fold(text.to_owned(), |text, (table, n_rows)| text.replace(&format!("{{rows:{table}}}"), &n_rows.to_string()));
    [
        ("{accounts}", config.n_accounts.to_string()),
        ("{months}", config.n_months.to_string()),
        ("{seed}", config.seed.to_string()),
        ("{first_day}", config.first_day.to_string()),
        ("{last_day}", book.last_day.to_string()),
        ("{first_snapshot}", config.first_day.plus_days(HISTORY_DAYS - 1).min(book.last_day).to_string()),
        ("{churned}", book.n_churned.to_string()),
        ("{expanded}", book.n_expanded.to_string()),
    ]
    .into_iter()
    .fold(rows, |text, (place, value)| text.replace(place, &value))
}

fn write_text(path: &Path, text: &str) -> Result<(), SimulateError> {
    std::fs::write(path, text).map_err(cannot_write(path))
}

fn cannot_write(path: &Path) -> impl Fn(std::io::Error) -> SimulateError {
    let path = path.display().to_string();
    move |cause| SimulateError::Write { path: path.clone(), cause }
}
