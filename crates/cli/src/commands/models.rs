//! `bellwether models`: what stands in a models folder.

mod import;
mod list;
mod verify;
mod witness;

use std::path::{Path, PathBuf};

use crate::args::{Models, ModelsCommand};
use crate::failure::{Failure, INVALID};

pub(crate) fn run(arguments: &Models) -> Result<(), Failure> {
    match &arguments.command {
        ModelsCommand::List(of) => list::run(of),
        ModelsCommand::Verify(of) => verify::run(of),
        ModelsCommand::Import(of) => import::run(of),
    }
}

/// The folder of the bundle that someone means by `bundle`: a path, or a name in the models folder.
fn folder_of(models: &Path, bundle: &Path) -> Result<PathBuf, Failure> {
    let is_name = bundle.components().count() == 1 && !bundle.exists();
    Ok(bellwether_registry::resolve(&if is_name { models.join(bundle) } else { bundle.to_owned() })?)
}

/// The bytes of a file that the command line names.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| {
        let error = anyhow::Error::from(error).context(format!("reading {}", file.display()));
        Failure::new(INVALID, error, None)
    })
}
