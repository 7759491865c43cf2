//! The files of a bundle's folder: listed, read within limits, written and synced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bellwether_core::Digest;

use crate::{BundleError, FileEntry};

/// The largest file of a bundle, in bytes.
pub const MAX_FILE_BYTES: u64 = 128 << 20;

/// The largest JSON file or configuration of a bundle, in bytes. Reading one takes at most about fifty times its size in
/// memory.
pub const MAX_JSON_BYTES: u64 = 32 << 20;

/// The most files and folders in a bundle.
pub const MAX_FILES: usize = 1024;

/// What stands in a bundle's folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: BTreeSet<String>,
    pub(crate) folders: BTreeSet<String>,
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BundleError {
    move |source| BundleError::Io { action, path: path.to_owned(), source }
}

/// Every file and folder below `root`, following no link.
pub(crate) fn list(root: &Path) -> Result<Listing, BundleError> {
    let mut listing = Listing::default();
    let mut to_visit: Vec<(PathBuf, String)> = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = to_visit.pop() {
        for entry in fs::read_dir(&folder).map_err(io_error("listing", &folder))? {
            let entry = entry.map_err(io_error("listing", &folder))?;
            let kind = entry.file_type().map_err(io_error("listing", &folder))?;
            // A name that is no text is in no manifest, however its replacement characters read.
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if kind.is_dir() {
                to_visit.push((entry.path(), format!("{name}/")));
                listing.folders.insert(name);
            } else if kind.is_file() {
                listing.files.insert(name);
            } else {
                return Err(BundleError::NotAFile(name));
            }
            if listing.files.len() + listing.folders.len() > MAX_FILES {
                return Err(BundleError::TooMany { limit: MAX_FILES });
            }
        }
    }
    Ok(listing)
}

/// The bytes of `file` below `root`, at most `limit`, which must have the size and digest of `entry`.
pub(crate) fn read_checked(root: &Path, file: &str, entry: &FileEntry, limit: u64) -> Result<Vec<u8>, BundleError> {
    let bytes = read_limited(root, file, limit)?;
    let found = bytes.len() as u64;
    if found != entry.bytes {
        return Err(BundleError::Size { file: file.to_owned(), expected: entry.bytes, found });
    }
    check_digest(file, &bytes, entry.sha256.as_str())?;
    Ok(bytes)
}

/// Whether `bytes` have the digest `expected`.
pub(crate) fn check_digest(file: &str, bytes: &[u8], expected: &str) -> Result<Digest, BundleError> {
    let found = Digest::of(bytes);
    if found.as_str() == expected {
        return Ok(found);
    }
    Err(BundleError::Digest { file: file.to_owned(), expected: expected.to_owned(), found: found.to_string() })
}

/// The bytes of `file` below `root`, at most `limit`.
pub(crate) fn read_limited(root: &Path, file: &str, limit: u64) -> Result<Vec<u8>, BundleError> {
    let path = root.join(file);
    let opened = match File::open(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(BundleError::Missing(file.to_owned()));
        }
        other => other.map_err(io_error("opening", &path))?,
    };
    let found = opened.metadata().map_err(io_error("opening", &path))?.len();
    if found > limit {
        return Err(BundleError::TooLarge { file: file.to_owned(), found, limit });
    }
    // The limit holds for a file that grows while it is read, too.
    let mut bytes = Vec::with_capacity(found as usize);
    opened.take(limit).read_to_end(&mut bytes).map_err(io_error("reading", &path))?;
    Ok(bytes)
}

/// Writes `files` below `root`, each on the disk before this returns.
pub(crate) fn write_all(root: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), BundleError> {
    let mut folders = BTreeSet::from([root.to_owned()]);
    for (file, bytes) in files {
        let path = root.join(file);
        let folder = path.parent().expect("a file below a root has a parent");
        fs::create_dir_all(folder).map_err(io_error("creating", folder))?;
        folders.extend(folder.ancestors().take_while(|above| above.starts_with(root)).map(Path::to_owned));
        let mut created = File::create_new(&path).map_err(io_error("creating", &path))?;
        created.write_all(bytes).and_then(|()| created.sync_all()).map_err(io_error("writing", &path))?;
    }
    folders.iter().rev().try_for_each(|folder| sync_folder(folder))
}

/// Brings a folder's entries to the disk, where the platform can open a folder.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), BundleError> {
    if cfg!(unix) {
        File::open(folder).and_then(|opened| opened.sync_all()).map_err(io_error("syncing", folder))?;
    }
    Ok(())
}
