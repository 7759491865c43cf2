//! A bundle that is not what was written is never used: the exit code is 5 and there is no output.

use std::fs;

use expect_test::{Expect, expect};

use crate::support::{Folder, Run};

const VERIFICATION: i32 = 5;
const BUNDLE: &str = "models/small/1";

/// What becomes of a file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    /// Its last byte is gone.
    Cut,
    /// A bit in its middle is another.
    Altered,
    /// It is gone.
    Removed,
    /// It is there twice, once under another name.
    Added,
}

const HARMS: [Harm; 4] = [Harm::Cut, Harm::Altered, Harm::Removed, Harm::Added];

impl Harm {
    fn to(self, folder: &Folder, file: &str) {
        let name = format!("{BUNDLE}/{file}");
        let mut bytes = fs::read(folder.path(&name)).expect("a file of the bundle");
        let middle = bytes.len() / 2;
        match self {
            Self::Cut => folder.write(&name, &bytes[..bytes.len() - 1]),
            Self::Altered => {
                bytes[middle] ^= 1;
                folder.write(&name, bytes);
            }
            Self::Removed => fs::remove_file(folder.path(&name)).expect("a file of the bundle"),
            Self::Added => folder.write(&format!("{name}.bak"), bytes),
        }
    }
}

/// `score` and `evaluate` with the bundle, which is named in `way`.
fn uses(folder: &Folder, way: &str) -> [Run; 2] {
    [
        format!("score --book book/book.toml --model {way} --as-of 2024-06-30 --out scores.csv"),
        format!("evaluate --book book/book.toml --model {way} --json"),
    ]
    .map(|arguments| folder.run(&arguments))
}

#[test]
fn every_file_of_a_bundle_is_verified_before_it_is_used() {
    for file in Folder::trained().files(BUNDLE).keys() {
        for harm in HARMS {
            let folder = Folder::trained().copy();
            harm.to(&folder, file);
            let before = folder.files(".");
            for way in ["models/small", BUNDLE] {
                for run in uses(&folder, way) {
                    let place = format!("{file} {harm:?}, as {way}: {}", run.stderr);
                    assert_eq!((run.code, run.stdout.as_str()), (Some(VERIFICATION), ""), "{place}");
                }
            }
            assert_eq!(folder.files("."), before, "{file} {harm:?}: something was written");
        }
    }
}

/// What `evaluate` says of the trained bundle after `harm`.
#[track_caller]
fn check_told(file: &str, harm: Harm, stderr: &Expect) {
    let folder = Folder::trained().copy();
    harm.to(&folder, file);
    let [_, evaluated] = uses(&folder, "models/small");
    stderr.assert_eq(&without_digests(&evaluated.stderr));
}

/// Digests follow from the release of every library that took part; the words do not.
fn without_digests(text: &str) -> String {
    let is_digest = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digests = text.split(|c: char| !c.is_alphanumeric()).filter(|word| is_digest(word));
    digests.fold(text.to_owned(), |text, digest| text.replace(digest, "[DIGEST]"))
}

#[test]
fn a_file_that_was_cut_is_named() {
    check_told(
        "book.toml",
        Harm::Cut,
        &expect![[r#"
            error: file `book.toml` has 1980 bytes where 1981 were written
            hint: the bundle is not what was written; restore it from a copy, or train again
        "#]],
    );
}

#[test]
fn a_graph_that_was_altered_is_named() {
    check_told(
        "churn_90d.onnx",
        Harm::Altered,
        &expect![[r#"
            error: file `churn_90d.onnx` has SHA-256 [DIGEST] where [DIGEST] was written
            hint: the bundle is not what was written; restore it from a copy, or train again
        "#]],
    );
}

#[test]
fn a_graph_that_is_gone_is_named() {
    check_told(
        "churn_90d.onnx",
        Harm::Removed,
        &expect![[r#"
            error: file `churn_90d.onnx` is missing
            hint: the bundle is not what was written; restore it from a copy, or train again
        "#]],
    );
}

#[test]
fn a_file_that_was_added_is_named() {
    check_told(
        "churn_90d.onnx",
        Harm::Added,
        &expect![[r#"
            error: `churn_90d.onnx.bak` is not in the manifest; a bundle has no other files or folders
            hint: the bundle is not what was written; restore it from a copy, or train again
        "#]],
    );
}

#[test]
fn a_manifest_that_was_altered_is_named() {
    check_told(
        "manifest.json",
        Harm::Altered,
        &expect![[r#"
            error: `models/small/1` holds bundle [DIGEST]; bundle [DIGEST] was registered there
            hint: the models folder was changed by other hands; restore it from a copy
        "#]],
    );
}

#[test]
fn a_manifest_that_is_gone_is_named() {
    check_told(
        "manifest.json",
        Harm::Removed,
        &expect![[r#"
            error: `models/small/1` holds bundle [DIGEST]; bundle [DIGEST] was registered there
            hint: the models folder was changed by other hands; restore it from a copy
        "#]],
    );
}

#[test]
fn an_index_that_was_cut_is_not_followed() {
    let folder = Folder::trained().copy();
    let index = folder.read("models/index.json");
    folder.write("models/index.json", &index[..index.len() / 2]);
    let [scored, evaluated] = uses(&folder, "models/small");
    assert_eq!((scored.code, evaluated.code), (Some(VERIFICATION), Some(VERIFICATION)));
    let here = folder.path("models").canonicalize().expect("it is there");
    expect![[r#"
        error: `models/index.json` is no index of a models folder: EOF while parsing a value at line 9 column 8
        hint: the models folder was changed by other hands; restore it from a copy
    "#]]
    .assert_eq(&evaluated.stderr.replace(&here.display().to_string(), "models"));
    assert!(!folder.path("scores.csv").exists());
}
