#![no_main]

#[path = "../src/bundle.rs"]
mod bundle;

use std::cell::OnceCell;

use bundle::{Forged, any_file};

thread_local! {
    static FORGED: OnceCell<Forged> = const { OnceCell::new() };
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| FORGED.with(|forged| any_file(forged.get_or_init(Forged::new), bytes)));
