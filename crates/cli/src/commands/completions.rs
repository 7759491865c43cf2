//! `bellwether completions`

use clap::CommandFactory as _;

use crate::args::{Arguments, Completions};
pub(crate) fn run(arguments: &Completions) {
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "bellwether", &mut std::io::stdout());
}
