//! Folders to run in, the small book, and what a run gave.

mod book;
pub(crate) mod csv;
mod folder;
mod run;

pub(crate) use folder::Folder;
pub(crate) use run::Run;
