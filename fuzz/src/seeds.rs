//! Writes the first corpus of each target: `cargo run --bin seeds`, in this folder.

#[expect(dead_code, reason = "the targets use the rest")]
mod bundle;

use std::fs;
use std::path::Path;

use bellwether_core::Digest;

use bundle::{FILES, Forged};

fn main() {
    let forged = Forged::new();
    for (at, file) in FILES.iter().enumerate() {
        let bytes = forged.original(file);
        put("bundle", &[&[at as u8], bytes].concat());
        match Path::new(file).extension().and_then(|of| of.to_str()) {
            Some("onnx") => put("onnx", bytes),
            _ if *file == "manifest.json" => put("manifest", bytes),
            _ => {}
        }
    }
    for kind in 0..4_u8 {
        let bytes: Vec<u8> = (0..60_u8).map(|at| at.wrapping_mul(37).wrapping_add(kind * 11)).collect();
        put("model", &[&[kind, 3][..], &bytes].concat());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for book in ["crates/cli/tests/support/book.toml", "crates/cli/src/commands/init.toml"] {
        put("book", &fs::read(root.join(book)).expect("the repository has it"));
    }
}

/// A file of the corpus is named by its digest, as libFuzzer names what it finds.
fn put(target: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("the corpus can be written");
    fs::write(folder.join(Digest::of(bytes).short()), bytes).expect("the corpus can be written");
}
