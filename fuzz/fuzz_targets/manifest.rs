#![no_main]

#[expect(dead_code, reason = "another target uses the rest")]
#[path = "../src/bundle.rs"]
mod bundle;

use std::cell::OnceCell;

use bundle::Forged;

thread_local! {
    static FORGED: OnceCell<Forged> = const { OnceCell::new() };
}

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| FORGED.with(|forged| forged.get_or_init(Forged::new).try_file("manifest.json", bytes))
);
