//! The command line.

use std::path::PathBuf;

use bellwether_core::Date;
use bellwether_simulate::Leak;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand};

/// Tells where a book of accounts is going: who churns in the next 90 days, who expands, how healthy each one is.
///
/// Exit codes: 0 done, 1 unexpected, 2 usage, 3 input or configuration invalid, 4 refused (no honest result can be
/// had), 5 verification failed (a bundle is not what was written).
#[derive(Debug, Parser)]
#[command(name = "bellwether", version, max_term_width = 100)]
#[command(
    after_help = "Try it: `bellwether demo --out demo` makes a book, trains, scores and reports in about a minute."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(Init),
    Check(Check),
    Simulate(Simulate),
    Features(Features),
    Scorecard(Scorecard),
    Train(Train),
    Evaluate(Evaluate),
    Backtest(Backtest),
    Compare(Compare),
    Score(Score),
    Explain(Explain),
    Why(Why),
    Forecast(Forecast),
    Demo(Demo),
    Completions(Completions),
}

/// Write a commented book.toml to start from.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bellwether init mybook      # writes mybook/book.toml")]
pub(crate) struct Init {
    /// The folder that gets book.toml; it is made where it does not exist, and an existing file is kept.
    pub(crate) folder: PathBuf,
}

/// Audit a book: what it holds, what is wrong with its data, and what a model could know that it must not.
///
/// Findings are errors, warnings and notes. An error that book.toml does not waive ends with exit code 4, and `train`
/// refuses it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether check --book mybook/book.toml\n  bellwether check --book mybook/book.toml --html audit.html\n  bellwether check --book mybook/book.toml --json | jq .findings\n  bellwether check --rules"
)]
pub(crate) struct Check {
    /// The book's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "rules")]
    pub(crate) book: Option<PathBuf>,
    /// Print every rule with its limits and their reasons instead.
    #[arg(long, conflicts_with_all = ["book", "html"])]
    pub(crate) rules: bool,
    /// Write the audit with plots as one page too.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draws the parts of the split, and what is drawn to be looked at.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// Write a simulated B2B software book with known true probabilities.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether simulate --accounts 2000 --months 24 --seed 1 --out book\n  bellwether simulate --leak looks_ahead --leak gap --out leaking"
)]
pub(crate) struct Simulate {
    /// How many accounts; the accounts of a smaller book are the first of a larger one.
    #[arg(long, default_value_t = 2000)]
    pub(crate) accounts: usize,
    /// How many calendar months of history.
    #[arg(long, default_value_t = 24)]
    pub(crate) months: usize,
    /// Another seed, other accounts.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Do something about every other account with a high hazard of churn, at random; README.md tells the effect.
    #[arg(long)]
    pub(crate) interventions: bool,
    /// Write the hidden state as a table too: then the truth is the best that a model can reach that sees the tables.
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Plant an accident for an audit to find; may be given several times.
    #[arg(long = "leak", value_name = "KIND", value_parser = leak_kinds())]
    pub(crate) leaks: Vec<String>,
    /// The folder that gets book.toml, the tables and truth.parquet.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Build the feature table of every customer on every snapshot day, with labels; or list the catalogue of ready features.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether features --book mybook/book.toml --out features.parquet\n  bellwether features --book mybook/book.toml --model models/mybook --out matrix.parquet\n  bellwether features --list --book mybook/book.toml"
)]
pub(crate) struct Features {
    /// The book's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) book: Option<PathBuf>,
    /// The table: .parquet, .csv, .jsonl or .arrow.
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) out: Option<PathBuf>,
    /// Write the encoded matrix that this bundle reads instead, with the part of each row in its split and its probabilities.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: Option<PathBuf>,
    /// Print the catalogue instead: each entry's metrics, unit, direction, formula and needs, and whether the book can build it.
    #[arg(long, conflicts_with_all = ["out", "model"])]
    pub(crate) list: bool,
    /// Print the catalogue as a page.
    #[arg(long, requires = "list", conflicts_with_all = ["json", "book"])]
    pub(crate) markdown: bool,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the scorecard of a book and which rules it breaks, without its data; or list the ready frameworks.
///
/// Rules are on weights, points, bands, steps, directions and how many indicators there are. A broken one that is no
/// warning ends with exit code 3, and `train` refuses it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether scorecard --book mybook/book.toml\n  bellwether scorecard --list\n  bellwether scorecard --list --book mybook/book.toml      # what of them this book can play"
)]
pub(crate) struct Scorecard {
    /// The book's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) book: Option<PathBuf>,
    /// Print the presets instead: categories, weights, points, and the features that can play each role.
    #[arg(long)]
    pub(crate) list: bool,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Fit every learner, calibrate, choose, evaluate, and write the next version of the bundle.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bellwether train --book mybook/book.toml --models models --seed 1\n\nThe bundle stands in MODELS/NAME/VERSION, its report in report.html there."
)]
pub(crate) struct Train {
    /// The book's configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// The models folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) models: PathBuf,
    /// Where every random choice comes from.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Threads; the bundle is the same on any number.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Who trains, for the audit log; $USER where not given.
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Evaluate a bundle on the test rows of a book.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bellwether evaluate --book mybook/book.toml --model models/mybook\n\nThe test rows are those of the split that the bundle was trained with, and every labelled row of a later day."
)]
pub(crate) struct Evaluate {
    /// The book's configuration; its features must be those of the bundle.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// A bundle's folder, or MODELS/NAME for the newest version.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: PathBuf,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Fit and test every learner as of several days of the past: is it as good each time, and which learner is?
///
/// Test windows follow each other; before each, all is learnt anew from what was known by then. Where the book is split
/// by account or group, or has no dates, accounts are dealt into folds instead. No bundle is written.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether backtest --book mybook/book.toml\n  bellwether backtest --book mybook/book.toml --learners logistic --ablation --learning-curve --html backtest.html\n  bellwether backtest --book mybook/book.toml --json | jq '.targets[].pooled.learners[] | {learner, auc_within}'"
)]
pub(crate) struct Backtest {
    /// The book's configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// Test windows; of a book that is split by account or group, folds.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) origins: u16,
    /// How often folds are drawn.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) repeats: u16,
    /// Learners, with commas between; the book's where not given. The scorecard is always there.
    #[arg(long, value_delimiter = ',', value_name = "LEARNERS")]
    pub(crate) learners: Vec<String>,
    /// Also fit the learner chosen at each origin without each category of features: what does it add?
    #[arg(long)]
    pub(crate) ablation: bool,
    /// Also fit it on an eighth, a quarter and a half of the training accounts: is more data worth it?
    #[arg(long)]
    pub(crate) learning_curve: bool,
    /// Where every random choice comes from.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Threads; the result is the same on any number.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Write the result with plots as one page too.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Compare two bundles on the same test rows, which neither of them has learnt from.
///
/// The first is judged against the second, for each target and within each segment: superior, not worse (by less than a
/// margin), worse, or not enough evidence. A bundle that was trained with other features than the book declares has them
/// built by its own book.toml, from the book's files.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bellwether compare --book mybook/book.toml --model models/mybook/2 --model models/mybook/1\n\nThe test rows are those of later days than both trainings saw; bundles that were tested on other accounts must have drawn them alike."
)]
pub(crate) struct Compare {
    /// The book's configuration; its targets must be those of the bundles.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// A bundle's folder, or MODELS/NAME for the newest version; given twice.
    #[arg(long = "model", value_name = "BUNDLE", required = true)]
    pub(crate) models: Vec<PathBuf>,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Score every account as of a day.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bellwether score --book mybook/book.toml --model models/mybook --as-of 2026-09-30 --out scores.parquet"
)]
pub(crate) struct Score {
    /// The book's configuration; its features must be those of the bundle.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// A bundle's folder, or MODELS/NAME for the newest version.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: PathBuf,
    /// The last day that scores may know.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Date,
    /// The scores: .parquet, .csv, .jsonl or .arrow.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say why an account has its scores: what each indicator adds to its probabilities, and costs of its health.
///
/// Exact Shapley values, against the training rows that reach each split. They say what a score is made of, not what would
/// change the account.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether explain --book mybook/book.toml --model models/mybook --account a17 --as-of 2026-09-30\n  bellwether explain --book mybook/book.toml --model models/mybook --account a17 --as-of 2026-09-30 --json | jq .targets"
)]
pub(crate) struct Explain {
    /// The book's configuration; its features must be those of the bundle.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// A bundle's folder, or MODELS/NAME for the newest version.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: PathBuf,
    /// The account's id.
    #[arg(long, value_name = "ID")]
    pub(crate) account: String,
    /// The last day that a score may know.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Date,
    /// Reasons of each probability that are told one by one.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) top: usize,
    /// Hold the account against the training rows that the bundle keeps, one by one (interventional).
    #[arg(long)]
    pub(crate) interventional: bool,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say why scores moved between two days: what the account's own values, its cohort and another model version did.
///
/// The parts total the change exactly. Of an account that is no customer on one of the days nothing is said.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether why --book mybook/book.toml --model models/mybook --account a17 --from 2026-08-31 --to 2026-09-30\n  bellwether why --book mybook/book.toml --model models/mybook/2 --model-before models/mybook/1 --from 2026-08-31 --to 2026-09-30 --out why.parquet"
)]
pub(crate) struct Why {
    /// The book's configuration; its features must be those of the bundles.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// A bundle's folder, or MODELS/NAME for the newest version.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: PathBuf,
    /// The bundle that scored the first day, where it was another.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model_before: Option<PathBuf>,
    /// The account's id; all accounts where not given.
    #[arg(long, value_name = "ID", required_unless_present = "out")]
    pub(crate) account: Option<String>,
    /// The last day that the first score may know.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Date,
    /// The last day that the second score may know.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Date,
    /// The parts as a table, one row an account, target and part: .parquet, .csv, .jsonl or .arrow.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Forecast recurring revenue from the churn and expansion models, month by month with intervals; or see how it did.
///
/// A step is a horizon that every outcome of the bundle has a model for: months only where the book was trained with
/// them. New customers are not in it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether forecast --book mybook/book.toml --model models/mybook --as-of 2026-09-30 --html forecast.html\n  bellwether forecast --book mybook/book.toml --model models/mybook --backtest"
)]
pub(crate) struct Forecast {
    /// The book's configuration; its features must be those of the bundle.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// A bundle's folder, or MODELS/NAME for the newest version.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: PathBuf,
    /// The last day that the forecast may know.
    #[arg(long, value_name = "DATE", required_unless_present = "backtest", conflicts_with = "backtest")]
    pub(crate) as_of: Option<Date>,
    /// Forecast as of each test day whose future is known, and compare.
    #[arg(long)]
    pub(crate) backtest: bool,
    /// Write the forecast with its chart, or the comparison, as one page too.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// The numbers as a table, one row a quantity and horizon: .parquet, .csv, .jsonl or .arrow.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Do everything on a simulated book of 2,000 accounts and 24 months.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bellwether demo --out demo      # then open demo/report.html")]
pub(crate) struct Demo {
    /// The folder that gets book/, models/, scores.parquet and report.html.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(crate) out: PathBuf,
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bellwether completions bash > ~/.local/share/bash-completion/completions/bellwether"
)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

/// The name that stands for every kind of leak.
pub(crate) const ALL_LEAKS: &str = "all";

fn leak_kinds() -> PossibleValuesParser {
    let kinds = Leak::ALL.map(|leak| PossibleValue::new(leak.name()).help(leak.summary()));
    kinds.into_iter().chain([PossibleValue::new(ALL_LEAKS).help("every kind")]).collect::<Vec<_>>().into()
}
