//! `bellwether models`: what stands in a models folder.

mod list;
mod verify;

use std::path::{Path, PathBuf};

use crate::args::{Models, ModelsCommand};
use crate::failure::Failure;

pub(crate) fn run(arguments: &Models) -> Result<(), Failure> {
    match &arguments.command {
        ModelsCommand::List(of) => list::run(of),
        ModelsCommand::Verify(of) => verify::run(of),
    }
}

/// The folder of the bundle that someone means by `bundle`: a path, or a name in the models folder.
fn folder_of(models: &Path, bundle: &Path) -> Result<PathBuf, Failure> {
    let is_name = bundle.components().count() == 1 && !bundle.exists();
    Ok(bellwether_registry::resolve(&if is_name { models.join(bundle) } else { bundle.to_owned() })?)
}
