//! Memory of a process that asks for megabytes and frees them again, thousands of times.

use std::ffi::c_long;

use libmimalloc_sys::{mi_option_set_default, mi_option_t};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` of `mimalloc.h`, which the crate does not name: how long what was freed is kept for the next one who
/// asks, before the system gets it back.
const PURGE_DELAY: mi_option_t = 15;
/// Longer than from one batch of rows, or one row group, to the next; mimalloc's own 10 ms are not, and the system would
/// clear the same pages for us again and again.
const KEPT_MS: c_long = 1000;

/// Sets how long freed memory is kept, where `MIMALLOC_PURGE_DELAY` does not say; before there is a second thread.
pub(crate) fn keep_freed() {
    // SAFETY: it writes one number of a table of options, of which `PURGE_DELAY` is one; no other thread reads it meanwhile.
    unsafe { mi_option_set_default(PURGE_DELAY, KEPT_MS) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_the_one_that_is_meant() {
        // Two options are 10 unless set, and the other one has number 24.
        // SAFETY: it reads one number of a table of options.
        let found = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(found, 10, "mimalloc keeps what was freed for 10 ms");
    }
}
