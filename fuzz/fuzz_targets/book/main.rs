//! The parser of `book.toml`. The modules are links to those of crates/book, for the crate around them needs polars.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the rest of the crate uses them")]

mod catalogue;
mod config;

use std::path::Path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match config::BookFile::parse(text.to_owned(), Path::new("book.toml")) {
        Err(error) => drop((error.rendered(), error.hint())),
        Ok(file) => drop((file.scorecard_schema(), file.difference_to(text))),
    }
});
