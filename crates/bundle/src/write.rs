//! From contents to a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bellwether_core::Digest;

use crate::folder::{self, io_error};
use crate::manifest::MANIFEST;
use crate::open::{DIGEST, digest_line};
use crate::rules::{
    self, BACKGROUND, BOOK, EVALUATION, FEATURES, PARITY, PROVENANCE, READINESS, REVENUE, SCORECARD, graph_file,
};
use crate::{
    Bundle, BundleContents, BundleError, BundleFormat, FileEntry, Manifest, TargetEntry, certificate, json, names,
};

/// What the name of a folder begins with that is not a bundle yet. A killed process leaves it beside the bundles.
pub const UNFINISHED_PREFIX: &str = ".bundle-";

/// Writes `contents` as the new folder `into`, whose parent exists, and returns the bundle's digest.
///
/// The folder is made under another name in the same parent, brought to the disk, opened as [`Bundle::open`] does,
/// and renamed: `into` is a whole bundle or does not exist. Equal contents give equal bytes.
///
/// # Errors
/// [`BundleError::Exists`] if there is anything at `into`; another [`BundleError`] if the contents break a rule of
/// [`BundleContents`] or the file system refuses. Nothing is left behind then.
pub fn write(contents: &BundleContents, into: &Path) -> Result<Digest, BundleError> {
    let files = files_of(contents)?;
    if fs::symlink_metadata(into).is_ok() {
        return Err(BundleError::Exists(into.to_owned()));
    }
    let parent = match into.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = folder_in(parent)?;
    folder::write_all(folder.path(), &files)?;
    let written = Bundle::open(folder.path())?;
    fs::rename(folder.path(), into).map_err(|source| match source.kind() {
        std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::AlreadyExists => {
            BundleError::Exists(into.to_owned())
        }
        _ => io_error("renaming to", into)(source),
    })?;
    // There is nothing at its path any more that dropping it should remove.
    let _ = folder.keep();
    folder::sync_folder(parent)?;
    Ok(written.digest().clone())
}

/// A folder that is removed when dropped, with the permissions that any new folder gets.
fn folder_in(parent: &Path) -> Result<tempfile::TempDir, BundleError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED_PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask still applies; tempfile's own choice would keep every other user out of the bundle.
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(parent).map_err(io_error("creating a folder in", parent))
}

/// Every file of the bundle, the manifest included.
fn files_of(contents: &BundleContents) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let checked = rules::check(contents, rules::read_graphs(&contents.targets, || ()).0)?;
    let mut files = BTreeMap::from([
        (BOOK.to_owned(), contents.book_toml.clone().into_bytes()),
        (EVALUATION.to_owned(), json::canonical(EVALUATION, &contents.evaluation)?),
        (FEATURES.to_owned(), json::canonical(FEATURES, &contents.encoding)?),
        (PARITY.to_owned(), certificate::encode(&contents.parity)?),
        (PROVENANCE.to_owned(), json::canonical(PROVENANCE, &contents.provenance)?),
        (SCORECARD.to_owned(), json::canonical(SCORECARD, &contents.scorecard)?),
    ]);
    if let Some(readiness) = &contents.readiness {
        files.insert(READINESS.to_owned(), json::canonical(READINESS, readiness)?);
    }
    if let Some(revenue) = &contents.revenue {
        files.insert(REVENUE.to_owned(), json::canonical(REVENUE, revenue)?);
    }
    if let Some(background) = &contents.background {
        files.insert(BACKGROUND.to_owned(), json::canonical(BACKGROUND, background)?);
    }
    files.extend(contents.targets.iter().map(|target| (graph_file(target), target.onnx.clone())));
    let extra = contents.extra_files.iter().map(|(path, bytes)| (path.clone(), bytes.clone()));
    let own = files.keys().map(String::as_str).chain([MANIFEST, DIGEST]);
    names::check_paths(own.chain(contents.extra_files.keys().map(String::as_str)))?;
    files.extend(extra);
    let manifest = Manifest {
        format: BundleFormat::CURRENT,
        readable_from: BundleFormat::CURRENT_READABLE_FROM.to_owned(),
        name: contents.name.clone(),
        schema_digest: checked.schema.digest(),
        targets: contents.targets.iter().map(entry_of).collect(),
        min_coverage: contents.min_coverage,
        files: files.iter().map(|(file, bytes)| (file.clone(), file_entry(bytes))).collect(),
    };
    let manifest = json::canonical(MANIFEST, &manifest)?;
    files.insert(DIGEST.to_owned(), digest_line(&Digest::of(&manifest)).into_bytes());
    files.insert(MANIFEST.to_owned(), manifest);
    Ok(files)
}

fn entry_of(target: &crate::TargetModel) -> TargetEntry {
    TargetEntry {
        target: target.target,
        learner: target.learner.clone(),
        graph: graph_file(target),
        calibration: target.calibration.clone(),
    }
}

fn file_entry(bytes: &[u8]) -> FileEntry {
    FileEntry { sha256: Digest::of(bytes), bytes: bytes.len() as u64 }
}
