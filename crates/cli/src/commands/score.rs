//! `bellwether score`

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use bellwether_book::{
    BookFile, FeatureFile, FeatureFileNeeds, FinishedParts, RowChoice, RowGroupWriter, ScoringRows, Shard, Table,
    check_output,
};
use bellwether_core::{Date, Digest, Progress as _};
use serde::Serialize;

use crate::args::Score;
use crate::failure::Failure;
use crate::output::{grouped, print_json, print_text};
use crate::pipeline::actions::AccountActions;
use crate::pipeline::opened::{Opened, OpenedModel};
use crate::pipeline::reasons::RowReasons;
use crate::pipeline::scores::ScoredRows;
use crate::pipeline::stream::in_steps;
use crate::progress::{Bars, say};

/// Rows of a row group of a Parquet file, and of a record batch of an Arrow file.
const ROWS_A_GROUP: usize = 1 << 17;

/// What a scoring run did.
#[derive(Serialize)]
pub(crate) struct Scored {
    model: String,
    digest: String,
    /// The first day, where a feature file holds several.
    as_of: Date,
    /// The last day, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    rows: usize,
    by_status: BTreeMap<String, usize>,
    by_band: BTreeMap<String, usize>,
    seconds: f64,
    out: String,
}

pub(crate) fn run(arguments: &Score) -> Result<(), Failure> {
    let Score { shard, reasons, actions, .. } = *arguments;
    let if_killed = if arguments.resume { IfKilled::Resume } else { IfKilled::Restart };
    let how = How { shard, reasons, actions, if_killed };
    let scored = match (&arguments.book, &arguments.features, arguments.as_of) {
        (Some(book), None, Some(as_of)) => score_book(book, &arguments.model, as_of, how, &arguments.out)?,
        (None, Some(file), as_of) => score_features(file, &arguments.model, as_of, how, &arguments.out)?,
        _ => unreachable!("the command line has a book and a day, or a feature file"),
    };
    if arguments.json { print_json(&scored) } else { print_text(&scored.text()) }
}

/// Of whom, and what becomes of a run that is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    shard: Option<Shard>,
    /// Of each row and outcome, at most; where not said, as many as usual, or none where the bundle allows none.
    reasons: Option<usize>,
    /// Whether it is said what brings accounts to green.
    actions: bool,
    if_killed: IfKilled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfKilled {
    /// The next run begins anew.
    Restart,
    /// The next run continues.
    Resume,
}

impl Default for How {
    fn default() -> Self {
        Self { shard: None, reasons: None, actions: false, if_killed: IfKilled::Restart }
    }
}

/// Scores every account of a book, or of a share of its accounts, and writes the file.
pub(crate) fn score_book(book: &Path, model: &Path, as_of: Date, how: How, out: &Path) -> Result<Scored, Failure> {
    let began = Instant::now();
    check_output(out)?;
    say(&format!("scoring {} as of {as_of}", book.display()));
    let bars = Bars::default();
    let Opened { bundle, scorer, book } = Opened::open(book, model, &bars)?;
    let model = OpenedModel { bundle, scorer };
    let said = Said::of(&model, book.file(), how)?;
    let output = Output::begin(&model, said, Some(as_of), how, out, || Ok(book.input_digest()?))?;
    let skip = output.n_finished();
    let counts =
        output.score(|give| book.each_as_of(as_of, how.shard, skip, &bars, |table| give(ScoringRows::from(table))))?;
    Ok(Scored::new(&model, (as_of, as_of), how.shard, counts, out, began))
}

/// Scores the rows of a feature file, or those of one day, and writes the file.
fn score_features(file: &Path, model: &Path, as_of: Option<Date>, how: How, out: &Path) -> Result<Scored, Failure> {
    let began = Instant::now();
    check_output(out)?;
    say(&format!("scoring the rows of {}", file.display()));
    let model = OpenedModel::open(model)?;
    let choice = RowChoice { as_of, shard: how.shard };
    let words = BookFile::parse(model.bundle.book_toml().to_owned(), Path::new("book.toml"))?;
    let open = || FeatureFile::open(file, needs(&model), choice);
    let (file, said) = rayon::join(open, || Said::of(&model, &words, how));
    let (file, said) = (file?, said?);
    if !file.is_sorted() {
        say("its rows do not stand by account and day: they are sorted in memory, all at once");
    }
    let output = Output::begin(&model, said, as_of, how, out, || Ok(file.input_digest()?))?;
    let skip = output.n_finished();
    let bars = Bars::default();
    bars.begin("scoring", file.n_rows() as u64);
    bars.advance(skip as u64);
    let counts = output.score(|give| {
        file.each(skip, |rows| {
            let n_rows = rows.n_rows() as u64;
            give(rows)?;
            bars.advance(n_rows);
            Ok::<_, Failure>(())
        })
    })?;
    bars.end();
    Ok(Scored::new(&model, file.days(), how.shard, counts, out, began))
}

/// The columns that a model reads of a feature file.
fn needs(model: &OpenedModel) -> FeatureFileNeeds {
    let segment = model.bundle.revenue().and_then(|revenue| revenue.segment.as_deref());
    FeatureFileNeeds::of(model.bundle.encoding(), segment)
}

/// What is said of rows beside their scores.
struct Said {
    reasons: Option<RowReasons>,
    actions: Option<AccountActions>,
}

impl Said {
    /// In the words of `file`.
    fn of(model: &OpenedModel, file: &BookFile, how: How) -> Result<Self, Failure> {
        let reasons = RowReasons::of(model, file, how.reasons)?;
        let actions = how.actions.then(|| AccountActions::of(&model.bundle, file)).transpose()?;
        Ok(Self { reasons, actions })
    }

    /// The columns of a score file with the scores of `rows`.
    fn table(&self, model: &OpenedModel, rows: ScoringRows) -> Result<Table, Failure> {
        Ok(ScoredRows::of(model, self.reasons.as_ref(), self.actions.as_ref(), rows)?.into_table(model))
    }
}

/// A score file in the making.
struct Output<'a> {
    model: &'a OpenedModel,
    said: Said,
    path: &'a Path,
    /// What is kept for the next run, where this one may be resumed.
    finished: Option<FinishedParts>,
}

impl<'a> Output<'a> {
    /// Takes up what an earlier run had finished, where it is to be resumed.
    fn begin(
        model: &'a OpenedModel,
        said: Said,
        as_of: Option<Date>,
        how: How,
        path: &'a Path,
        input_digest: impl FnOnce() -> Result<Digest, Failure>,
    ) -> Result<Self, Failure> {
        let finished = match how.if_killed {
            IfKilled::Restart => None,
            IfKilled::Resume => {
                let inputs = made_from(model, &said, as_of, how, &input_digest()?);
                let columns = said.table(model, needs(model).no_rows())?;
                Some(FinishedParts::open(path, &inputs, &columns)?)
            }
        };
        let output = Self { model, said, path, finished };
        if output.n_finished() > 0 {
            say(&format!("an earlier run finished {} rows; it is continued", grouped(output.n_finished())));
        }
        Ok(output)
    }

    /// Rows that need not be given again.
    fn n_finished(&self) -> usize {
        self.finished.as_ref().map_or(0, FinishedParts::n_rows)
    }

    /// Scores the rows that `read` gives and writes the file: reading, scoring and writing overlap.
    fn score(
        self,
        read: impl FnOnce(&mut dyn FnMut(ScoringRows) -> Result<(), Failure>) -> Result<(), Failure> + Send,
    ) -> Result<Counts, Failure> {
        let (model, said) = (self.model, &self.said);
        let score = |rows| said.table(model, rows);
        let mut counts = Counts::default();
        let mut writer = RowGroupWriter::create(self.path, ROWS_A_GROUP)?;
        let mut write = |table: Table| {
            counts.add(&table);
            writer.append(table).map_err(Failure::from)
        };
        match self.finished {
            None => {
                in_steps(read, score, write)?;
                writer.finish()?;
                FinishedParts::discard(self.path);
            }
            Some(mut finished) => {
                in_steps(read, score, |table| Ok(finished.add(&table)?))?;
                finished.each(&mut write)?;
                writer.finish()?;
                finished.remove();
            }
        }
        Ok(counts)
    }
}

/// Names all that the bytes of a score file depend on.
fn made_from(model: &OpenedModel, said: &Said, as_of: Option<Date>, how: How, input: &Digest) -> Digest {
    let version = env!("CARGO_PKG_VERSION");
    let (as_of, shard) = (as_of.map(|day| day.to_string()), how.shard.map(|shard| shard.to_string()));
    let (model, reasons) = (model.bundle.digest(), said.reasons.as_ref().map_or(0, RowReasons::most));
    let actions = how.actions;
    Digest::of(format!("{version} {model} {as_of:?} {shard:?} {reasons} {actions} {input}").as_bytes())
}

/// How many rows came to what.
#[derive(Default)]
struct Counts {
    rows: usize,
    by_status: BTreeMap<String, usize>,
    by_band: BTreeMap<String, usize>,
}

impl Counts {
    fn add(&mut self, scores: &Table) {
        self.rows += scores.n_rows();
        for (column, counts) in [("status", &mut self.by_status), ("band", &mut self.by_band)] {
            for (text, n) in scores.text_counts(column) {
                *counts.entry(text.to_owned()).or_default() += n;
            }
        }
    }
}

impl Scored {
    fn new(
        model: &OpenedModel,
        (as_of, to): (Date, Date),
        shard: Option<Shard>,
        Counts { rows, by_status, by_band }: Counts,
        out: &Path,
        began: Instant,
    ) -> Self {
        Self {
            model: model.bundle.name().to_owned(),
            digest: model.bundle.digest().to_string(),
            as_of,
            to: (to != as_of).then_some(to),
            shard: shard.map(|shard| shard.to_string()),
            rows,
            by_status,
            by_band,
            seconds: began.elapsed().as_secs_f64(),
            out: out.display().to_string(),
        }
    }

    pub(crate) fn text(&self) -> String {
        let counts = |of: &BTreeMap<String, usize>| {
            of.iter().map(|(name, n)| format!("{} {name}", grouped(*n))).collect::<Vec<_>>().join(", ")
        };
        let until = self.to.map_or_else(String::new, |to| format!(" to {to}"));
        format!(
            "{}: {} {} as of {}{until} in {:.1} s ({})\nbands: {}",
            self.out,
            grouped(self.rows),
            if self.to.is_some() { "rows" } else { "accounts" },
            self.as_of,
            self.seconds,
            counts(&self.by_status),
            counts(&self.by_band),
        )
    }
}
