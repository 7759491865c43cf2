//! How many threads work.

use crate::failure::{Failure, USAGE, Unexpected as _};

/// Starts as many threads as asked for; all that the machine has where nothing is asked.
pub(crate) fn start(threads: Option<usize>) -> Result<(), Failure> {
    match threads {
        None => Ok(()),
        Some(0) => Err(Failure::new(USAGE, anyhow::anyhow!("--threads is 0; at least 1 is needed"), None)),
        Some(n) => rayon::ThreadPoolBuilder::new().num_threads(n).build_global().unexpected("starting threads"),
    }
}
