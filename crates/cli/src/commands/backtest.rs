//! `bellwether backtest`

use std::time::Instant;

use bellwether_book::{BacktestPlan, Book, BookFile, check_text_output, write_text};
use bellwether_learn::{LearnError, LearnerName};

use crate::args;
use crate::failure::{Failure, USAGE, Unexpected as _};
use crate::output::{print_json, print_text};
use crate::pipeline::backtest::{self, Plan};
use crate::pipeline::prepare::Built;
use crate::pipeline::{audit, fit};
use crate::progress::{Bars, say};
use crate::threads;

pub(crate) fn run(arguments: &args::Backtest) -> Result<(), Failure> {
    let began = Instant::now();
    threads::start(arguments.threads)?;
    let bars = Bars::default();
    arguments.html.as_ref().map_or(Ok(()), |path| check_text_output(path))?;
    say(&format!("reading {}", arguments.book.display()));
    let book = Book::open(BookFile::read(&arguments.book)?, &bars)?;
    let plan = plan(arguments, &book)?;
    let built = Built::of(book, &bars)?;
    let audit = audit::of(&built, arguments.seed, &bars)?;
    audit::require(&audit)?;
    let backtest = backtest::run(&built, &plan, &bars)?;
    if let Some(path) = &arguments.html {
        write_text(&bellwether_report::render_backtest(&backtest).unexpected("drawing the backtest")?.html, path)?;
    }
    say(&format!("made in {:.1} s", began.elapsed().as_secs_f64()));
    if arguments.json { print_json(&backtest) } else { print_text(&bellwether_report::backtest_text(&backtest)) }
}

fn plan(arguments: &args::Backtest, book: &Book) -> Result<Plan, Failure> {
    let named = if arguments.learners.is_empty() { fit::declared(book)? } else { named(&arguments.learners)? };
    Ok(Plan {
        splits: BacktestPlan {
            n_origins: usize::from(arguments.origins),
            n_repeats: usize::from(arguments.repeats),
            seed: arguments.seed,
        },
        learners: fit::learners(&named),
        ablation: arguments.ablation,
        learning_curve: arguments.learning_curve,
    })
}

fn named(names: &[String]) -> Result<Vec<LearnerName>, Failure> {
    let parsed: Result<Vec<LearnerName>, LearnError> = names.iter().map(|name| name.parse()).collect();
    parsed.map_err(|error| Failure::new(USAGE, error, None))
}
