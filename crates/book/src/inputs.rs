//! What scores are made from, named by the bytes of the files.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bellwether_core::Digest;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use crate::config::{BookFile, Paths};
use crate::{Book, BookError, FeatureFile, FeatureFileError};

const BYTES_AT_ONCE: usize = 1 << 20;

impl Book {
    /// Names `book.toml` and the bytes of every file of every source.
    ///
    /// # Errors
    /// [`BookError::Read`] where a file can't be read.
    pub fn input_digest(&self) -> Result<Digest, BookError> {
        let mut text = format!("book.toml {}\n", Digest::of(self.file().text.as_bytes()));
        for name in self.file().config.sources.keys().map(Spanned::get_ref) {
            for path in files_of(self.file(), name) {
                let shown = path.display().to_string();
                let digest = digest_of(&path).map_err(|cause| BookError::Read {
                    source_name: name.clone(),
                    path: shown.clone(),
                    cause: Box::new(cause),
                })?;
                let _ = writeln!(text, "{name} {shown} {digest}");
            }
        }
        Ok(Digest::of(text.as_bytes()))
    }
}

impl FeatureFile {
    /// Names the bytes of the file.
    ///
    /// # Errors
    /// [`FeatureFileError::Read`] where it can't be read.
    pub fn input_digest(&self) -> Result<Digest, FeatureFileError> {
        let path = self.path();
        let digest = digest_of(path);
        let digest =
            digest.map_err(|cause| FeatureFileError::Read { path: path.to_owned(), cause: Box::new(cause) })?;
        Ok(Digest::of(digest.as_bytes()))
    }
}

/// The files of a source, globs resolved, in order of names.
fn files_of(file: &BookFile, source: &str) -> Vec<PathBuf> {
    let folder = file.path.parent().unwrap_or_else(|| Path::new("."));
    let listed = match file.config.sources[source].path.get_ref() {
        Paths::One(path) => std::slice::from_ref(path),
        Paths::Many(paths) => &paths[..],
    };
    let resolved = |path: &String| {
        let path = folder.join(path);
        match glob::glob(&path.to_string_lossy()) {
            Ok(found) if !path.is_file() => found.flatten().collect(),
            _ => vec![path],
        }
    };
    listed.iter().flat_map(resolved).collect()
}

/// SHA-256 of a file's bytes, as 64 digits.
fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut bytes = vec![0; BYTES_AT_ONCE];
    loop {
        match file.read(&mut bytes)? {
            0 => break,
            n => hasher.update(&bytes[..n]),
        }
    }
    Ok(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
