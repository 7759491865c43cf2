//! A `book.toml` of any text is read or refused with a place and a message. The fuzz target `book` does the same with
//! coverage to guide it; this runs on every commit.

use std::fs;
use std::path::Path;

use bellwether_book::{BookFile, ConfigError};
use proptest::prelude::*;

/// The committed corpus of the fuzz target.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/book");
    let entries = fs::read_dir(folder).expect("the corpus is committed").map(|entry| entry.expect("lists").path());
    let mut paths: Vec<_> = entries.collect();
    paths.sort();
    // A text that is none is no matter of the parser.
    let texts: Vec<String> = paths.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    assert!(!texts.is_empty());
    texts
}

fn parse(text: String) -> Result<BookFile, ConfigError> {
    BookFile::parse(text, Path::new("book.toml"))
}

/// Reads the text and everything that follows from it.
fn read(text: &str) {
    match parse(text.to_owned()) {
        Err(error) => assert!(!error.rendered().is_empty()),
        Ok(file) => {
            assert!(file.difference_to(text).is_none(), "a book declares what it declares");
            drop(file.scorecard_schema());
        }
    }
}

#[test]
fn the_corpus_is_read_or_refused() {
    for text in corpus() {
        read(&text);
    }
}

const TOKENS: [&str; 24] = [
    "",
    "0",
    "-1",
    "1e308",
    "nan",
    "inf",
    "9223372036854775807",
    "2024-02-30",
    "\"\"",
    "[]",
    "{}",
    "[",
    "]",
    "{",
    "}",
    "=",
    "\"",
    "'''",
    "\n",
    "[[features]]\n",
    "from = ",
    "\"0d\"",
    "\"99999999999d\"",
    "\u{0}\u{feff}\u{1F411}",
];

/// A line, a word in it, the token for it, and what is done.
fn edit() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, usize, u8)> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..TOKENS.len(), 0..5_u8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// A line goes, stands twice, or has a token in another one's place.
    #[test]
    fn altered_texts_are_read_or_refused(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec(edit(), 1..4),
    ) {
        let corpus = corpus();
        let mut lines: Vec<String> = which.get(&corpus).lines().map(str::to_owned).collect();
        for (line, word, token, kind) in edits {
            if lines.is_empty() {
                break;
            }
            let at = line.index(lines.len());
            match kind {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => {
                    let other = line.index(lines.len() / 2 + 1);
                    lines.swap(at, other);
                }
                _ => {
                    let mut words: Vec<&str> = lines[at].split(' ').collect();
                    let place = word.index(words.len());
                    words[place] = TOKENS[token];
                    lines[at] = words.join(" ");
                }
            }
        }
        read(&lines.join("\n"));
    }
}

#[test]
fn brackets_do_not_nest_without_end() {
    for (text, told) in [
        (format!("name = {}1{}", "[".repeat(100_000), "]".repeat(100_000)), "max recursion depth"),
        (format!("name = {}1{}", "{a=".repeat(100_000), "}".repeat(100_000)), "max recursion depth"),
        (format!("{}name = 1", "a.".repeat(100_000)), "recursion limit"),
    ] {
        let refused = parse(text).expect_err("it is too deep").to_string();
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn a_file_is_not_read_without_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("book.toml");
    // A hole, which takes no space on the disk.
    fs::File::create(&path).and_then(|file| file.set_len((4 << 20) + 1)).expect("writes");
    let refused = BookFile::read(&path).expect_err("it is too large");
    let cause = std::error::Error::source(&refused).expect("it has a cause").to_string();
    assert_eq!(cause, "it has more than 4194304 bytes");
}
