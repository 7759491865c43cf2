//! Every way in which a file can lie.

mod fixture;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bellwether_bundle::{Bundle, BundleError, MAX_FILE_BYTES, MAX_FILES, MAX_JSON_BYTES, MAX_PARITY_BYTES, write};
use bellwether_core::Digest;
use fixture::contents;
use proptest::prelude::*;
use serde_json::{Value, json};

const FILES: [&str; 14] = [
    "background.json",
    "book.toml",
    "churn_90d.onnx",
    "evaluation.json",
    "expansion_90d.onnx",
    "features.json",
    "figures/empty.svg",
    "figures/roc.svg",
    "manifest.json",
    "manifest.sha256",
    "parity.bin",
    "provenance.json",
    "report.md",
    "scorecard.json",
];

/// A bundle in a folder that goes when this does.
struct Written {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("bundle");
        write(&contents(), &path).expect("writes");
        Self { _folder: folder, path }
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.path.join(file)).expect("reads")
    }

    fn put(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path.join(file), bytes).expect("writes");
    }

    fn refused(&self) -> String {
        Bundle::open(&self.path).expect_err("was altered").to_string()
    }

    /// Alters the manifest as someone would who knows the format: the digest follows.
    fn put_manifest(&self, text: &[u8]) {
        self.put("manifest.json", text);
        self.put("manifest.sha256", format!("{}  manifest.json\n", Digest::of(text)).as_bytes());
    }

    fn alter_manifest(&self, change: impl FnOnce(&mut Value)) {
        let mut manifest = serde_json::from_slice(&self.bytes("manifest.json")).expect("JSON");
        change(&mut manifest);
        let mut text = serde_json::to_vec_pretty(&manifest).expect("JSON");
        text.push(b'\n');
        self.put_manifest(&text);
    }

    /// Puts `bytes` in the place of `file` and makes the manifest say so.
    fn replace(&self, file: &str, bytes: &[u8]) {
        self.put(file, bytes);
        let entry = json!({ "bytes": bytes.len(), "sha256": Digest::of(bytes) });
        self.alter_manifest(|manifest| manifest["files"][file] = entry);
    }
}

/// Changes bytes in place: a file system may flush each file that is cut and written anew.
#[test]
fn every_altered_byte_is_found() {
    let bundle = Written::new();
    for file in FILES {
        let open_file = File::options().write(true).open(bundle.path.join(file)).expect("opens");
        for (at, byte) in (0..).zip(bundle.bytes(file)) {
            let put = |byte: u8| {
                (&open_file).seek(SeekFrom::Start(at)).expect("seeks");
                (&open_file).write_all(&[byte]).expect("writes");
            };
            put(byte ^ (1 << (at % 8)));
            assert!(Bundle::open(&bundle.path).is_err(), "{file}, byte {at}");
            put(byte);
        }
    }
    assert!(Bundle::open(&bundle.path).is_ok());
}

#[test]
fn every_truncation_is_found() {
    let bundle = Written::new();
    for file in FILES {
        let bytes = bundle.bytes(file);
        let open_file = File::options().write(true).open(bundle.path.join(file)).expect("opens");
        for length in (0..bytes.len()).rev() {
            open_file.set_len(length as u64).expect("cuts");
            assert!(Bundle::open(&bundle.path).is_err(), "{file} cut to {length}");
        }
        bundle.put(file, &bytes);
    }
    assert!(Bundle::open(&bundle.path).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn every_splice_is_found(
        file in prop::sample::select(&FILES[..]),
        at in any::<prop::sample::Index>(),
        n_removed in 0_usize..40,
        put in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let bundle = Written::new();
        let bytes = bundle.bytes(file);
        let start = at.index(bytes.len() + 1);
        let end = (start + n_removed).min(bytes.len());
        let spliced = [&bytes[..start], &put, &bytes[end..]].concat();
        bundle.put(file, &spliced);
        prop_assert_eq!(Bundle::open(&bundle.path).is_ok(), spliced == bytes);
    }
}

#[test]
fn a_change_names_the_file_and_both_values() {
    let bundle = Written::new();
    bundle.put("report.md", b"# emod\n");
    let (written, found) = (Digest::of(b"# demo\n"), Digest::of(b"# emod\n"));
    assert_eq!(bundle.refused(), format!("file `report.md` has SHA-256 {found} where {written} was written"));
    bundle.put("report.md", b"# dem");
    assert_eq!(bundle.refused(), "file `report.md` has 5 bytes where 7 were written");
}

#[test]
fn a_missing_file_is_named() {
    for file in FILES {
        let bundle = Written::new();
        fs::remove_file(bundle.path.join(file)).expect("removes");
        let expected = match file {
            "manifest.json" => format!("`{}` is not a bundle: it has no manifest.json", bundle.path.display()),
            file => format!("file `{file}` is missing"),
        };
        assert_eq!(bundle.refused(), expected);
    }
}

#[test]
fn what_the_manifest_does_not_name_is_refused() {
    for added in ["notes.txt", "figures/notes.txt", "figures/.hidden", "deep/er/notes.txt"] {
        let bundle = Written::new();
        let path = bundle.path.join(added);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
        fs::write(&path, b"").expect("writes");
        assert_eq!(
            bundle.refused(),
            format!("`{added}` is not in the manifest; a bundle has no other files or folders")
        );
    }
    let bundle = Written::new();
    fs::create_dir(bundle.path.join("empty")).expect("makes");
    assert_eq!(bundle.refused(), "`empty` is not in the manifest; a bundle has no other files or folders");
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_refused() {
    use std::os::unix::fs::symlink;
    let replace_by_link = |bundle: &Written, name: &str| {
        let (path, elsewhere) = (bundle.path.join(name), bundle.path.with_extension("elsewhere"));
        fs::rename(&path, &elsewhere).expect("moves");
        symlink(&elsewhere, &path).expect("links");
    };
    for name in ["report.md", "figures", "manifest.json"] {
        let bundle = Written::new();
        replace_by_link(&bundle, name);
        assert_eq!(bundle.refused(), format!("`{name}` is neither a file nor a folder; a bundle has no links"));
    }
    let bundle = Written::new();
    let _socket = std::os::unix::net::UnixListener::bind(bundle.path.join("socket")).expect("binds");
    assert_eq!(bundle.refused(), "`socket` is neither a file nor a folder; a bundle has no links");
}

#[test]
fn sizes_are_limited_before_anything_is_read() {
    let bundle = Written::new();
    // A hole, which takes no space on the disk.
    let hole = |file: &str, n_bytes| {
        File::options().write(true).open(bundle.path.join(file)).and_then(|file| file.set_len(n_bytes)).expect("grows");
    };
    hole("report.md", MAX_FILE_BYTES + 1);
    assert_eq!(bundle.refused(), "file `report.md` has 134217729 bytes; at most 134217728 are read");
    hole("parity.bin", MAX_PARITY_BYTES + 1);
    assert_eq!(bundle.refused(), "file `parity.bin` has 67108865 bytes; at most 67108864 are read");
    hole("features.json", MAX_JSON_BYTES + 1);
    assert_eq!(bundle.refused(), "file `features.json` has 33554433 bytes; at most 33554432 are read");
    hole("manifest.json", 1 << 40);
    assert_eq!(bundle.refused(), "file `manifest.json` has 1099511627776 bytes; at most 16777216 are read");
    let bundle = Written::new();
    (0..=MAX_FILES).for_each(|at| bundle.put(&format!("extra{at}"), b""));
    assert_eq!(bundle.refused(), "the bundle has more than 1024 files and folders");
}

#[test]
fn another_format_says_what_to_do() {
    let bundle = Written::new();
    bundle.put_manifest(b"{\"format\": 4, \"readable_from\": \"0.3.0\", \"new\": {}}");
    assert_eq!(
        bundle.refused(),
        "manifest.json has bundle format 4; this release reads format 3 only, release 0.3.0 or later reads it"
    );
    bundle.put_manifest(b"{\"format\": 2, \"readable_from\": \"0.1.0\", \"old\": {}}");
    assert_eq!(
        bundle.refused(),
        "manifest.json has bundle format 2; this release reads format 3 only, so the model has to be trained again"
    );
}

/// With every digest put right, what the files say still has to fit together.
#[test]
fn consistent_lies_are_found() {
    type Lie = fn(&Written);
    let cases: [(Lie, &str); 15] = [
        (|b| b.alter_manifest(|m| m["extra"] = json!(1)), "file `manifest.json` cannot be read"),
        (|b| b.alter_manifest(|m| m["name"] = json!("a/b")), "`a/b` is no name"),
        (|b| b.alter_manifest(|m| m["min_coverage"] = json!(-0.5)), "min_coverage is -0.5"),
        (
            |b| b.alter_manifest(|m| m["schema_digest"] = json!(Digest::of(b"other"))),
            "file `manifest.json`: the schema digest is",
        ),
        (
            |b| b.alter_manifest(|m| m["targets"][0]["graph"] = json!("expansion_90d.onnx")),
            "a graph's file is `expansion_90d.onnx` where `churn_90d.onnx` is expected",
        ),
        (|b| b.alter_manifest(|m| m["targets"][0]["calibration"]["slope"] = json!(-1.0)), "a Platt slope"),
        // serde reads this one in silence.
        (
            |b| b.alter_manifest(|m| m["targets"][0]["calibration"]["slop"] = json!(1.0)),
            "file `manifest.json` differs from its canonical JSON at line",
        ),
        (
            |b| b.alter_manifest(|m| m["files"]["../outside"] = json!({ "bytes": 0, "sha256": Digest::of(b"") })),
            "`../outside` is no path",
        ),
        (
            |b| b.alter_manifest(|m| m["files"]["/etc/passwd"] = json!({ "bytes": 0, "sha256": Digest::of(b"") })),
            "`/etc/passwd` is no path",
        ),
        (
            |b| {
                b.alter_manifest(|m| drop(m["files"].as_object_mut().expect("a map").remove("parity.bin")));
                fs::remove_file(b.path.join("parity.bin")).expect("removes");
            },
            "file `parity.bin` is missing",
        ),
        (|b| b.replace("churn_90d.onnx", &b.bytes("expansion_90d.onnx")), "the target is `expansion_90d`"),
        (|b| b.replace("book.toml", b"\xff"), "file `book.toml`: invalid utf-8"),
        (
            |b| {
                let text = String::from_utf8(b.bytes("features.json")).expect("text");
                let turned = text.replace("\"free\"", "\"zzz\"");
                b.replace("features.json", turned.as_bytes());
            },
            "level `pro` of `plan` stands after `zzz`; levels must be sorted",
        ),
        // A percentile whose knots fall.
        (
            |b| {
                let values = json!({ "knots": "2 1", "equal": "1 1", "between": "0" });
                let everybody = json!({ "levels": [], "n_accounts": 2, "values": values });
                let kind = json!({ "of": "tickets", "by": ["plan"], "shrinkage": 50.0, "cohorts": [everybody] });
                let mut encoding: Value = serde_json::from_slice(&b.bytes("features.json")).expect("JSON");
                encoding["inputs"][1]["kind"] = json!({ "percentile": kind });
                b.replace("features.json", encoding.to_string().as_bytes());
            },
            "file `features.json` cannot be read",
        ),
        (
            |b| {
                let text = String::from_utf8(b.bytes("provenance.json")).expect("text");
                b.replace("provenance.json", text.replace("\"seed\"", "\"seed\": 1,\n  \"seed\"").as_bytes());
            },
            "file `provenance.json` cannot be read",
        ),
    ];
    for (lie, message) in cases {
        let bundle = Written::new();
        lie(&bundle);
        let refused = bundle.refused();
        assert!(refused.contains(message), "`{refused}` lacks `{message}`");
    }
}

/// A parser that recurses would run out of stack.
#[test]
fn brackets_do_not_nest_without_end() {
    for file in ["manifest.json", "features.json", "evaluation.json", "provenance.json", "scorecard.json"] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let bundle = Written::new();
            let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            match file {
                "manifest.json" => bundle.put_manifest(text.as_bytes()),
                _ => bundle.replace(file, text.as_bytes()),
            }
            assert_eq!(bundle.refused(), format!("file `{file}` cannot be read or written as JSON of this format"));
        }
    }
}

#[test]
fn a_folder_or_file_that_is_no_bundle_is_refused() {
    let bundle = Written::new();
    let not_a_bundle = |path: &Path| matches!(Bundle::open(path), Err(BundleError::NotABundle(_)));
    assert!(not_a_bundle(&bundle.path.join("figures")));
    assert!(not_a_bundle(&bundle.path.join("none")));
    assert!(not_a_bundle(&bundle.path.join("report.md")));
}
