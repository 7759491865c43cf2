//! Versions of bundles under a models folder, and their audit log.
//!
//! ```text
//! models/
//!   <name>/<version>/   a bundle, versions counting up from 1; never changes
//!   audit.jsonl         one line an event, each with the digest of the line before; only ever appended to
//!   index.json          what the log amounts to, and how far it went; replaced whole
//!   .lock               held while something is registered
//! ```
//!
//! The log is the record, the index is made from it. A crash between the two leaves an index that is behind, which
//! the next registration brings up to date.

mod audit;
mod error;
mod files;
mod index;
mod registry;
mod resolve;

pub use error::RegistryError;
pub use index::VersionEntry;
pub use registry::{Registered, Registry};
pub use resolve::resolve;
