//! A simulated book as a folder.

use std::ffi::OsStr;
use std::path::Path;

use bellwether_book::{Table, TableWriter};
use bellwether_core::{Date, Progress};

use crate::hidden;
use crate::interventions::{self, HIGH_HAZARD, TREATMENT_DAYS, TREATMENT_EASES};
use crate::tables::{Chunk, TABLE_NAMES, World};
use crate::{Leak, SimulateConfig, SimulateError, expected_auc};

const CONFIG_NAME: &str = "book.toml";
const DATASHEET_NAME: &str = "README.md";
const CONFIG: &str = include_str!("text/book.toml");
const DATASHEET: &str = include_str!("text/README.md");

const INTERVENTIONS: &str = interventions::SCHEMA.name;
const INTERVENTIONS_SOURCE: &str = include_str!("text/interventions.toml");
const INTERVENTIONS_SHEET: &str = include_str!("text/interventions.md");
const HIDDEN: &str = hidden::SCHEMA.name;
const HIDDEN_SOURCE: &str = include_str!("text/hidden.toml");
const HIDDEN_SHEET: &str = include_str!("text/hidden.md");
const LEAKS_SHEET: &str = "\n## Planted leaks\n\n**This book is wrong on purpose**, to try an audit on:\n\n";

/// Days of history that the longest window of `book.toml` wants before the first snapshot.
const HISTORY_DAYS: i32 = 90;

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedBook {
    /// Each written table's name and how many rows it has, in the order of [`TABLE_NAMES`].
    pub rows: Vec<(&'static str, usize)>,
    /// Accounts that left within the book.
    pub n_churned: usize,
    /// Accounts that paid for more seats at least once within the book.
    pub n_expanded: usize,
    /// The last day of the book.
    pub last_day: Date,
    /// What the best possible model reaches.
    pub bayes_auc: BayesAuc,
}

/// What the true probabilities reach as scores, by [`expected_auc`] over all month ends whose 90 days lie within the
/// book; `None` where there are none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BayesAuc {
    /// Of churn.
    pub churn: Option<f64>,
    /// Of expansion.
    pub expansion: Option<f64>,
}

/// Simulates a book into the folder `into`, which is made where it is absent: a Parquet file a table, `book.toml` and
/// the datasheet `README.md`. Makes `chunk_accounts` accounts in memory while it writes as many others, and keeps 16
/// bytes an account and month beside them; every table has a row group for each such chunk. `book.toml` is written last,
/// so an interrupted simulation is no book. The tables `interventions` and `hidden_states` are
/// written only where `config` asks for them.
///
/// # Errors
/// [`SimulateError::Setting`] if `config` is out of its ranges, [`SimulateError::Occupied`] if the folder holds
/// anything but a simulated book, [`SimulateError::Write`] and [`SimulateError::Table`] if a file cannot be written.
pub fn simulate(config: &SimulateConfig, into: &Path, progress: &dyn Progress) -> Result<SimulatedBook, SimulateError> {
    config.check()?;
    claim(into, config)?;
    let book = write_tables(config, into, progress)?;
    write_text(&into.join(DATASHEET_NAME), &filled(DATASHEET, config, &book))?;
    write_text(&into.join(CONFIG_NAME), &declared(&filled(CONFIG, config, &book), config))?;
    Ok(book)
}

/// Makes the folder and removes what would make a half-written book look whole.
fn claim(into: &Path, config: &SimulateConfig) -> Result<(), SimulateError> {
    std::fs::create_dir_all(into).map_err(cannot_write(into))?;
    let entries = std::fs::read_dir(into).map_err(cannot_write(into))?;
    let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    let mut names = names.map_err(cannot_write(into))?;
    names.sort();
    if let Some(entry) = names.iter().find(|name| !is_ours(name)) {
        let (folder, entry) = (into.display().to_string(), entry.to_string_lossy().into_owned());
        return Err(SimulateError::Occupied { folder, entry });
    }
    let written: Vec<String> = written(config).map(|(_, table)| file_name(table)).collect();
    let stays = |name: &OsStr| name == DATASHEET_NAME || written.iter().any(|table| name == table.as_str());
    for name in names.iter().filter(|name| !stays(name)) {
        let path = into.join(name);
        std::fs::remove_file(&path).map_err(cannot_write(&path))?;
    }
    Ok(())
}

/// The tables that this book has, each with its place in [`TABLE_NAMES`].
fn written(config: &SimulateConfig) -> impl Iterator<Item = (usize, &'static str)> {
    let has = |table: &str| match table {
        INTERVENTIONS => config.interventions,
        HIDDEN => config.reveal,
        _ => true,
    };
    TABLE_NAMES.into_iter().enumerate().filter(move |(_, table)| has(table))
}

fn file_name(table: &str) -> String {
    format!("{table}.parquet")
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
    let mut files = Files::create(config, into)?;
    progress.begin("simulating accounts", config.n_accounts as u64);
    let mut from = 0;
    let mut chunks = Vec::new();
    while from < config.n_accounts {
        let to = config.n_accounts.min(from.saturating_add(config.chunk_accounts));
        let (next, written) = rayon::join(|| world.chunks(from..to), || files.append(chunks));
        written?;
        chunks = next;
        progress.advance((to - from) as u64);
        from = to;
    }
    files.append(chunks)?;
    progress.end();
    files.finish(config.last_day())
}

/// The tables that are being written, and what is known of them so far.
struct Files {
    tables: Vec<File>,
    n_churned: usize,
    n_expanded: usize,
    churn: Vec<f64>,
    expansion: Vec<f64>,
}

struct File {
    table: &'static str,
    /// In [`TABLE_NAMES`].
    place: usize,
    writer: TableWriter,
    n_rows: usize,
}

impl Files {
    fn create(config: &SimulateConfig, into: &Path) -> Result<Self, SimulateError> {
        let create = |(place, table): (usize, &'static str)| {
            let writer = TableWriter::create(&into.join(file_name(table)))
                .map_err(|cause| SimulateError::Table { table, cause })?;
            Ok(File { table, place, writer, n_rows: 0 })
        };
        let tables = written(config).map(create).collect::<Result<_, SimulateError>>()?;
        Ok(Self { tables, n_churned: 0, n_expanded: 0, churn: Vec::new(), expansion: Vec::new() })
    }

    /// Writes the rows of some accounts and counts them.
    fn append(&mut self, chunks: Vec<Chunk>) -> Result<(), SimulateError> {
        let mut tables: Vec<Vec<Table>> = TABLE_NAMES.map(|_| Vec::with_capacity(chunks.len())).into();
        for chunk in chunks {
            for (parts, rows) in tables.iter_mut().zip(chunk.tables) {
                parts.push(rows.into_table());
            }
            self.n_churned += chunk.n_churned;
            self.n_expanded += chunk.n_expanded;
            self.churn.extend(chunk.outlooks.iter().map(|outlook| outlook.churn));
            self.expansion.extend(chunk.outlooks.iter().map(|outlook| outlook.expansion));
        }
        for File { table, place, writer, n_rows } in &mut self.tables {
            let parts = std::mem::take(&mut tables[*place]);
            *n_rows += parts.iter().map(Table::n_rows).sum::<usize>();
            writer.append_all(&parts).map_err(|cause| SimulateError::Table { table, cause })?;
        }
        Ok(())
    }

    fn finish(self, last_day: Date) -> Result<SimulatedBook, SimulateError> {
        let mut rows = Vec::with_capacity(self.tables.len());
        for File { table, writer, n_rows, .. } in self.tables {
            writer.finish().map_err(|cause| SimulateError::Table { table, cause })?;
            rows.push((table, n_rows));
        }
        Ok(SimulatedBook {
            rows,
            n_churned: self.n_churned,
            n_expanded: self.n_expanded,
            last_day,
            bayes_auc: BayesAuc { churn: expected_auc(&self.churn), expansion: expected_auc(&self.expansion) },
        })
    }
}

/// The text with what is known of this book in its places.
fn filled(text: &str, config: &SimulateConfig, book: &SimulatedBook) -> String {
    let whole = text.replace("{peculiar}", &peculiar(config));
    let rows = book
        .rows
        .iter()
        .fold(whole, |text, (table, n_rows)| text.replace(&format!("{{rows:{table}}}"), &n_rows.to_string()));
    [
        ("{accounts}", config.n_accounts.to_string()),
        ("{months}", config.n_months.to_string()),
        ("{seed}", config.seed.to_string()),
        ("{first_day}", config.first_day.to_string()),
        ("{last_day}", book.last_day.to_string()),
        ("{first_snapshot}", config.first_day.plus_days(HISTORY_DAYS - 1).min(book.last_day).to_string()),
        ("{churned}", book.n_churned.to_string()),
        ("{expanded}", book.n_expanded.to_string()),
        ("{auc:churn}", auc_text(book.bayes_auc.churn)),
        ("{auc:expansion}", auc_text(book.bayes_auc.expansion)),
        ("{options}", options(config)),
    ]
    .into_iter()
    .fold(rows, |text, (place, value)| text.replace(place, &value))
}

fn auc_text(auc: Option<f64>) -> String {
    auc.map_or_else(|| "undefined (no month end has 90 days after it)".to_owned(), |auc| format!("{auc:.4}"))
}

/// What the command line has beside accounts, months and seed.
fn options(config: &SimulateConfig) -> String {
    let interventions = config.interventions.then_some("--interventions".to_owned());
    let reveal = config.reveal.then_some("--reveal".to_owned());
    let leaks = config.leaks.iter().map(|leak| format!("--leak {}", leak.name()));
    interventions.into_iter().chain(reveal).chain(leaks).flat_map(|option| [" ".to_owned(), option]).collect()
}

/// What the datasheet says of interventions, the revealed state and leaks where there are any.
fn peculiar(config: &SimulateConfig) -> String {
    let mut text = String::new();
    if config.interventions {
        let filled = INTERVENTIONS_SHEET
            .replace("{eases}", &TREATMENT_EASES.to_string())
            .replace("{days}", &TREATMENT_DAYS.to_string())
            .replace("{hazard}", &HIGH_HAZARD.to_string());
        text.push_str(&filled);
    }
    if config.reveal {
        text.push_str(HIDDEN_SHEET);
    }
    if !config.leaks.is_empty() {
        text.push_str(LEAKS_SHEET);
        text.extend(config.leaks.iter().map(|leak| format!("- `{}`: {}\n", leak.name(), leak.summary())));
    }
    text
}

/// `book.toml` with what interventions, the revealed state and leaks declare.
fn declared(text: &str, config: &SimulateConfig) -> String {
    let mut text = text.to_owned();
    if config.interventions {
        text.push_str(INTERVENTIONS_SOURCE);
    }
    if config.reveal {
        text.push_str(HIDDEN_SOURCE);
    }
    if config.leaks.contains(&Leak::Backfilled) {
        let usage = "path = \"usage.parquet\"\n";
        text = text.replace(usage, &format!("{usage}known_at = \"known_at\"\n"));
    }
    for declaration in config.leaks.iter().map(|leak| leak.declaration()).filter(|text| !text.is_empty()) {
        text.push('\n');
        text.push_str(declaration);
    }
    text
}

fn write_text(path: &Path, text: &str) -> Result<(), SimulateError> {
    std::fs::write(path, text).map_err(cannot_write(path))
}

fn cannot_write(path: &Path) -> impl Fn(std::io::Error) -> SimulateError {
    let path = path.display().to_string();
    move |cause| SimulateError::Write { path: path.clone(), cause }
}
