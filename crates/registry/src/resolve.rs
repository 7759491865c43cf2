//! From what a user gives to a bundle's folder.

use std::path::{Path, PathBuf};

use bellwether_core::Digest;

use crate::RegistryError;
use crate::files::{self, io_error};
use crate::index::{Index, VersionEntry};

const MANIFEST: &str = "manifest.json";

/// The folder of the bundle that `path` means: a bundle's folder itself, `<models>/<name>` for its newest registered
/// version, or `<models>/<name>@<version>`.
///
/// # Errors
/// [`RegistryError::NotFound`] if `path` is neither, and [`RegistryError::Replaced`] if a registered version's folder
/// holds another bundle than was registered.
pub fn resolve(path: &Path) -> Result<PathBuf, RegistryError> {
    let version = with_version(path);
    let path = version.as_deref().unwrap_or(path);
    // A version that lost its manifest is a bundle still: one that was tampered with.
    let is_registered = || path.canonicalize().is_ok_and(|absolute| registered_digest(&absolute).is_some());
    let is_bundle = path.join(MANIFEST).is_file() || is_registered();
    let folder = if is_bundle { path.to_owned() } else { newest(path)? };
    check_registered(&folder)?;
    Ok(folder)
}

/// The folder that `<models>/<name>@<version>` means; `None` where `path` has no version.
fn with_version(path: &Path) -> Option<PathBuf> {
    let (name, version) = path.file_name()?.to_str()?.rsplit_once('@')?;
    let version: u32 = version.parse().ok()?;
    (!path.exists()).then(|| path.with_file_name(name).join(version.to_string()))
}

fn newest(path: &Path) -> Result<PathBuf, RegistryError> {
    let not_found = |known: String| RegistryError::NotFound { path: path.to_owned(), known };
    let absolute = path.canonicalize().map_err(|_| not_found("there is no such folder".to_owned()))?;
    let (Some(models), Some(name)) = (absolute.parent(), absolute.file_name().and_then(|name| name.to_str())) else {
        return Err(not_found("it has no name".to_owned()));
    };
    if let Some(index) = Index::read(models)? {
        return match index.bundles.get(name).and_then(|versions| versions.last()) {
            Some(VersionEntry { version, .. }) => Ok(path.join(version.to_string())),
            None => Err(not_found(names_in(&index))),
        };
    }
    let here = Index::read(&absolute)?;
    Err(not_found(here.map_or_else(|| "there is no index.json above it".to_owned(), |index| names_in(&index))))
}

fn names_in(index: &Index) -> String {
    let names: Vec<String> = index.bundles.keys().map(|name| format!("`{name}`")).collect();
    format!("the models folder has {}", if names.is_empty() { "no bundles".to_owned() } else { names.join(", ") })
}

/// Checks the bundle's digest against the index of the models folder, where `folder` stands in one.
fn check_registered(folder: &Path) -> Result<(), RegistryError> {
    let absolute = folder.canonicalize().map_err(io_error("opening", folder))?;
    let Some(expected) = registered_digest(&absolute) else { return Ok(()) };
    let found = Digest::of(&files::read_or_empty(&folder.join(MANIFEST))?);
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(RegistryError::Replaced { path: folder.to_owned(), expected, found })
}

fn registered_digest(absolute: &Path) -> Option<Digest> {
    let version: u32 = absolute.file_name()?.to_str()?.parse().ok()?;
    let name = absolute.parent()?.file_name()?.to_str()?;
    // A bundle may stand beside an index.json of another kind.
    let index = Index::read(absolute.parent()?.parent()?).ok()??;
    let entry = index.bundles.get(name)?.iter().find(|entry| entry.version == version)?;
    Some(entry.digest.clone())
}
