//! `bellwether models`: what stands in a models folder.

mod import;
mod witness;

use std::path::Path;

use crate::args::{Models, ModelsCommand};
use crate::failure::{Failure, INVALID};

pub(crate) fn run(arguments: &Models) -> Result<(), Failure> {
    match &arguments.command {
        ModelsCommand::Import(of) => import::run(of),
    }
}

/// The bytes of a file that the command line names.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| {
        let error = anyhow::Error::from(error).context(format!("reading {}", file.display()));
        Failure::new(INVALID, error, None)
    })
}
