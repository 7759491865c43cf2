//! `bellwether models list`

use std::fmt::Write as _;

use bellwether_registry::{Registry, VersionEntry};

use crate::args::ListModels;
use crate::failure::Failure;
use crate::output::{print_json, print_text};

pub(crate) fn run(arguments: &ListModels) -> Result<(), Failure> {
    let bundles = Registry::existing(&arguments.models)?.bundles()?;
    if arguments.json {
        return print_json(&bundles);
    }
    let mut text = String::new();
    for (name, versions) in bundles {
        for VersionEntry { version, digest, registered_at, registered_by } in versions {
            let _ = writeln!(text, "{name}@{version}  {}  {registered_at} by {registered_by}", digest.short());
        }
    }
    print_text(text.trim_end())
}
