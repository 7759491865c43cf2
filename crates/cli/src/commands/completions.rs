//! `bellwether completions`

use clap::CommandFactory as _;

use crate::args::{Arguments, Completions};
use crate::failure::Failure;

pub(crate) fn run(arguments: &Completions) -> Result<(), Failure> {
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "bellwether", &mut std::io::stdout());
    Ok(())
}
