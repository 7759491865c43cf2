//! A model version on disk: a folder that never changes, named by the digest of its manifest.
//!
//! [`write()`] makes the folder beside its place and renames it there; [`Bundle::open`] reads it back and refuses a
//! folder in which any file was cut, altered, added or removed. Equal contents give equal bytes: nothing in a bundle
//! comes from a clock, a host, a path or a number of threads.
//!
//! | file | what |
//! |---|---|
//! | `manifest.json` | format, name, targets, calibrations, and size and SHA-256 of every other file |
//! | `manifest.sha256` | the bundle's digest, as `sha256sum --check` reads it |
//! | `<target>.onnx` | raw features (f32, NaN = missing) to a logit, one graph a target |
//! | `features.json`, `scorecard.json`, `book.toml` | encoding, health score, and the configuration as it was |
//! | `readiness.json` | the expansion readiness, a second scorecard, where one is declared |
//! | `revenue.json` | how revenue changes with what happens, where the book tells it |
//! | `evaluation.json`, `provenance.json` | evidence and origin |
//! | `parity.bin` | the parity certificate: rows with the numbers they must give |
//! | anything else | reports and figures |

mod certificate;
mod contents;
mod error;
mod folder;
mod json;
mod manifest;
mod names;
mod open;
mod parity;
mod provenance;
mod rules;
mod write;

pub use certificate::MAX_PARITY_BYTES;
pub use contents::{BundleContents, TargetModel};
pub use error::BundleError;
pub use folder::{MAX_FILE_BYTES, MAX_FILES, MAX_JSON_BYTES};
pub use manifest::{BundleFormat, FileEntry, MAX_MANIFEST_BYTES, Manifest, TargetEntry};
pub use names::check_name;
pub use open::Bundle;
pub use parity::{InputRole, InputValues, ParityInput, ParityInputs, ParityReasons, ParityTarget, ParityVectors};
pub use provenance::{ImportedModel, Provenance, SourceProvenance};
pub use rules::background_digest;
pub use write::{UNFINISHED_PREFIX, write};
