//! The command line.

use std::path::PathBuf;

use bellwether_book::Shard;
use bellwether_core::{Date, Target, TargetError};
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
    Models(Models),
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

/// Build the feature table of every customer on every snapshot day, with labels, or of every account on one day; or list
/// the catalogue of ready features.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether features --book mybook/book.toml --out features.parquet\n  bellwether features --book mybook/book.toml --as-of 2026-09-30 --out today.parquet      # for score --features\n  bellwether features --book mybook/book.toml --model models/mybook --out matrix.parquet\n  bellwether features --list --book mybook/book.toml"
)]
pub(crate) struct Features {
    /// The book's configuration.
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) book: Option<PathBuf>,
    /// The table: .parquet, .csv, .jsonl or .arrow.
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) out: Option<PathBuf>,
    /// Every account on this day instead, customers or not, with what the book says of its status and revenue.
    #[arg(long, value_name = "DATE", conflicts_with = "model")]
    pub(crate) as_of: Option<Date>,
    /// Write the encoded matrix that this bundle reads instead, with the part of each row in its split and its probabilities.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: Option<PathBuf>,
    /// Print the catalogue instead: each entry's metrics, unit, direction, formula and needs, and whether the book can build it.
    #[arg(long, conflicts_with_all = ["out", "model", "as_of"])]
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

/// Score every account as of a day, from the sources of a book or from a table of its features.
///
/// Reading, scoring and writing overlap, and memory stays bounded whatever the size. The output stands by account and day,
/// has the same bytes on any number of threads, and is there whole or not at all.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether score --book mybook/book.toml --model models/mybook --as-of 2026-09-30 --out scores.parquet\n  bellwether score --features features.parquet --model models/mybook --out scores.parquet\n  bellwether score --features features.parquet --model models/mybook --shard 2/8 --out scores-2.parquet"
)]
pub(crate) struct Score {
    /// The book's configuration; its features must be those of the bundle.
    #[arg(long, value_name = "FILE", required_unless_present = "features", requires = "as_of")]
    pub(crate) book: Option<PathBuf>,
    /// A table as `bellwether features` writes it, in place of a book: .parquet, .csv, .csv.gz or .arrow. What only the book
    /// knows (`book:arr`, `book:status`) is null, or that of a customer, where the table has no such column.
    #[arg(long, value_name = "FILE", conflicts_with = "book")]
    pub(crate) features: Option<PathBuf>,
    /// A bundle's folder, or MODELS/NAME for the newest version.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) model: PathBuf,
    /// The last day that scores may know; of a table of features, the one day whose rows are scored.
    #[arg(long, value_name = "DATE", required_unless_present = "features")]
    pub(crate) as_of: Option<Date>,
    /// Score share I of N of the accounts: those of whose id's SHA-256 the first 8 bytes, little-endian, are I - 1 modulo N.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// How many reasons a row has of each outcome: the indicators that move its probability most; 0 for none. Three where not
    /// given, or none for a bundle of a release that did not store what they need.
    #[arg(long, value_name = "K")]
    pub(crate) reasons: Option<usize>,
    /// Say what brings an account to green: at most two indicators that somebody can do something about (`[reasons]
    /// actionable` in book.toml), what they are, what the best tenth of like accounts has, and the health score with them.
    /// An effect on the score, not a promise.
    #[arg(long)]
    pub(crate) actions: bool,
    /// Keep what is finished beside the output until it is whole, and continue where a run on the same files, model and day
    /// was killed. The output is the same.
    #[arg(long)]
    pub(crate) resume: bool,
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

/// Look after the models of a models folder: list and verify them, and take in those of other software.
#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    List(ListModels),
    Verify(VerifyModels),
    Import(ImportModel),
}

/// List the versions that were registered.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bellwether models list --models models")]
pub(crate) struct ListModels {
    /// The models folder.
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub(crate) models: PathBuf,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Verify bundles: every byte, and every number of the parity certificate in each runtime.
///
/// A certificate has rows at both sides of every split of every tree, with missing values, unseen levels and more, and what
/// each must give. The native kernels and tract compute them anew; `docs/MODEL_FORMAT.md` tells how to check them in another
/// language. A difference ends with exit code 5.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether models verify                      # the audit log and every version below models\n  bellwether models verify mybook@3\n  bellwether models verify models/mybook --json # the newest version"
)]
pub(crate) struct VerifyModels {
    /// NAME@VERSION, NAME or MODELS/NAME for the newest version, or a bundle's folder; all versions where not given.
    #[arg(value_name = "BUNDLE")]
    pub(crate) bundle: Option<PathBuf>,
    /// The models folder.
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub(crate) models: PathBuf,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Take a model that other software made, as the next version of a bundle.
///
/// FILE is an ONNX file of `skl2onnx`, `onnxmltools` (`LightGBM`, `XGBoost`), `CatBoost` or `PyTorch`: a classifier with labels 0
/// and 1. Trees and straight lines, behind imputers and scalers where there are any, become a model of ours. Neural networks and
/// other operators that compute row by row, in f32, are computed by tract; such a model has no reasons in `score`. Any other
/// operator is refused by its name. The model reads the columns `feature:...` of the matrix that `bellwether features --book BOOK --model BUNDLE`
/// writes; fit it to the rows whose `part` is `training` alone. It is calibrated, evaluated, compared and scored as a model of
/// ours; the other targets keep the bundle's models.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bellwether features --book mybook/book.toml --model models/mybook --out matrix.parquet\n  bellwether models import churn.onnx --book mybook/book.toml --like models/mybook --target churn_90d\n  bellwether compare --book mybook/book.toml --model models/mybook/2 --model models/mybook/1"
)]
pub(crate) struct ImportModel {
    /// The model.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The book's configuration; its features must be those of the bundle.
    #[arg(long, value_name = "FILE")]
    pub(crate) book: PathBuf,
    /// The bundle whose matrix the model reads: its folder, or MODELS/NAME for the newest version.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) like: PathBuf,
    /// What the model predicts, such as `churn_90d`.
    #[arg(long, value_parser = target)]
    pub(crate) target: Target,
    /// A file with the names of the features that the model reads, one a line, in the model's order; where not given, the
    /// file's own names, or all features in the bundle's order.
    #[arg(long, value_name = "FILE")]
    pub(crate) features: Option<PathBuf>,
    /// What a missing value counts as where the file does not say; without it, a feature of which the book misses values is
    /// refused then.
    #[arg(long, value_enum)]
    pub(crate) missing: Option<MissingRule>,
    /// The maker's own probabilities, one a line for each row of the matrix: a row on which the file says another is refused.
    ///
    /// Software that writes ONNX files sometimes changes a model, and the file does not show it.
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
    /// The models folder.
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub(crate) models: PathBuf,
    /// The bundle's name; the book's where not given.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Who imports, for the audit log; $USER where not given.
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// Print JSON to stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a missing value counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MissingRule {
    /// The feature's mean over training rows.
    Mean,
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

fn target(text: &str) -> Result<Target, TargetError> {
    Target::try_from(text.to_owned())
}

/// The name that stands for every kind of leak.
pub(crate) const ALL_LEAKS: &str = "all";

fn leak_kinds() -> PossibleValuesParser {
    let kinds = Leak::ALL.map(|leak| PossibleValue::new(leak.name()).help(leak.summary()));
    kinds.into_iter().chain([PossibleValue::new(ALL_LEAKS).help("every kind")]).collect::<Vec<_>>().into()
}
