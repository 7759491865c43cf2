//! What holds of every simulated book.

mod folder;
mod leaks;
mod lives;
mod support;
mod traces;
