//! How long work tells how far it is.

/// Told by long work how far it is; the binary draws it, a library call may ignore it.
pub trait Progress: Sync {
    /// A step called `what` begins; it has `total` units (rows, trees ...), 0 where that is unknown.
    fn begin(&self, what: &str, total: u64);
    /// `units` more are done.
    fn advance(&self, units: u64);
    /// The step is over.
    fn end(&self);
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _what: &str, _total: u64) {}
    fn advance(&self, _units: u64) {}
    fn end(&self) {}
}
