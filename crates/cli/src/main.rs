//! The binary `bellwether`: arguments, calls, progress, exit codes; nothing else.

mod args;
mod commands;
mod failure;
mod output;
mod pipeline;
mod progress;
mod threads;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};
use failure::Failure;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout and are no failure.
            let code = if error.use_stderr() { failure::USAGE } else { failure::DONE };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(&arguments.command) {
        Ok(()) => ExitCode::from(failure::DONE),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Init(of) => commands::init::run(of),
        Command::Check(of) => commands::check::run(of),
        Command::Simulate(of) => commands::simulate::run(of),
        Command::Features(of) => commands::features::run(of),
        Command::Scorecard(of) => commands::scorecard::run(of),
        Command::Train(of) => commands::train::run(of),
        Command::Evaluate(of) => commands::evaluate::run(of),
        Command::Backtest(of) => commands::backtest::run(of),
        Command::Compare(of) => commands::compare::run(of),
        Command::Score(of) => commands::score::run(of),
        Command::Explain(of) => commands::explain::run(of),
        Command::Why(of) => commands::why::run(of),
        Command::Forecast(of) => commands::forecast::run(of),
        Command::Models(of) => commands::models::run(of),
        Command::Demo(of) => commands::demo::run(of),
        Command::Completions(of) => {
            commands::completions::run(of);
            Ok(())
        }
    }
}
