//! Why a bundle was refused.

use std::path::PathBuf;

use bellwether_onnx::OnnxError;
use thiserror::Error;

use crate::BundleFormat;

/// Why a bundle was not written, or was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file system refused.
    #[error("{action} `{path}` failed", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A bundle never changes, so nothing is written over.
    #[error("`{path}` exists; a bundle is written to a new folder", path = .0.display())]
    Exists(PathBuf),
    /// There is no bundle.
    #[error("`{path}` is not a bundle: it has no manifest.json", path = .0.display())]
    NotABundle(PathBuf),
    /// A layout of another release.
    #[error(
        "manifest.json has bundle format {}; this release reads format {} only, {}",
        found.0, BundleFormat::CURRENT.0, advice(*found, readable_from)
    )]
    Format {
        /// The format found.
        found: BundleFormat,
        /// The first release that reads it, as the manifest says.
        readable_from: String,
    },
    /// A bundle's name breaks the rule.
    #[error(
        "`{0}` is no name for a bundle; it takes 1 to 64 ASCII letters, digits, `-` or `_`, beginning with a letter or digit"
    )]
    Name(String),
    /// A file's path could leave the bundle, be hidden, or clash with another.
    #[error("`{0}` is no path for a file of a bundle; it must be relative, plain ASCII, not hidden and unique")]
    Path(String),
    /// A file is larger than any that is read.
    #[error("file `{file}` has {found} bytes; at most {limit} are read")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// More files than any bundle has.
    #[error("the bundle has more than {limit} files and folders")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A file that the manifest names, or that every bundle has, is not there.
    #[error("file `{0}` is missing")]
    Missing(String),
    /// Something that the manifest does not name.
    #[error("`{0}` is not in the manifest; a bundle has no other files or folders")]
    Unexpected(String),
    /// A link, pipe or device.
    #[error("`{0}` is neither a file nor a folder; a bundle has no links")]
    NotAFile(String),
    /// Another size than the manifest says.
    #[error("file `{file}` has {found} bytes where {expected} were written")]
    Size {
        /// The file.
        file: String,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// Other bytes than those that were written.
    #[error("file `{file}` has SHA-256 {found} where {expected} was written")]
    Digest {
        /// The file.
        file: String,
        /// The digest by the manifest, or by `manifest.sha256` for the manifest itself.
        expected: String,
        /// The digest found.
        found: String,
    },
    /// Not the JSON that belongs there.
    #[error("file `{file}` cannot be read or written as JSON of this format")]
    Json {
        /// The file.
        file: String,
        /// Where and why.
        source: serde_json::Error,
    },
    /// JSON in another spelling than this release writes.
    #[error(
        "file `{file}` differs from its canonical JSON at line {line}: an unknown or repeated key, or another spelling"
    )]
    Spelling {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A graph that is not one of ours.
    #[error("graph `{file}` cannot be read")]
    Graph {
        /// The file.
        file: String,
        /// Why.
        source: OnnxError,
    },
    /// Two files contradict each other.
    #[error("file `{file}`: {what} is {found} where {expected} is expected")]
    Mismatch {
        /// The file.
        file: String,
        /// What differs.
        what: &'static str,
        /// What the rest of the bundle says.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// A rule of the contents is broken.
    #[error("file `{file}`: {rule}")]
    Rule {
        /// The file that holds, or would hold, the value.
        file: String,
        /// The value and the rule.
        rule: String,
    },
}

fn advice(found: BundleFormat, readable_from: &str) -> String {
    if found < BundleFormat::CURRENT {
        "so the model has to be trained again".to_owned()
    } else {
        format!("release {readable_from} or later reads it")
    }
}
