//! A folder that commands run in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use super::{Run, book, run};

const TARGET: &str = env!("CARGO_TARGET_TMPDIR");
const SHARED: &str = "cli-shared-";
const HOUR: Duration = Duration::from_hours(1);

/// A folder that commands run in; it is removed when dropped.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    /// An empty one, in the target folder.
    pub(crate) fn new() -> Self {
        Self::with_prefix("cli-")
    }

    /// One for a static, which is never dropped: those of earlier runs are removed.
    pub(crate) fn shared() -> Self {
        for entry in fs::read_dir(TARGET).into_iter().flatten().flatten() {
            let is_shared = entry.file_name().to_string_lossy().starts_with(SHARED);
            let modified = entry.metadata().and_then(|of| of.modified()).ok();
            // A younger one may be in use by another run.
            if is_shared && modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > HOUR) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Self::with_prefix(SHARED)
    }

    fn with_prefix(prefix: &str) -> Self {
        let made = tempfile::Builder::new().prefix(prefix).tempdir_in(TARGET);
        Self(made.expect("a folder for tests"))
    }

    /// One with the small book in `book/`.
    pub(crate) fn with_book() -> Self {
        let folder = Self::new();
        folder.write_book();
        folder
    }

    fn write_book(&self) {
        for (name, text) in book::files() {
            self.write(&format!("book/{name}"), &text);
        }
    }

    /// The small book in `book/` and its bundle in `models/small/1`, trained with seed 7. Not to be written to.
    pub(crate) fn trained() -> &'static Self {
        static TRAINED: OnceLock<Folder> = OnceLock::new();
        TRAINED.get_or_init(|| {
            let folder = Self::shared();
            folder.write_book();
            folder.run("train --book book/book.toml --models models --seed 7").done();
            folder
        })
    }

    /// Another folder with the same files.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        for (name, bytes) in self.files(".") {
            copy.write(&name, bytes);
        }
        copy
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a file, and the folders above it where there are none.
    #[track_caller]
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder for a file");
        fs::write(path, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Changes the text of a file.
    #[track_caller]
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        self.write(name, change(self.read(name)));
    }

    /// Puts `with` in the place of the first `text` of a file, which must have it.
    #[track_caller]
    pub(crate) fn replace(&self, name: &str, text: &str, with: &str) {
        self.edit(name, |whole| {
            assert!(whole.contains(text), "{name} has no `{text}`");
            whole.replacen(text, with, 1)
        });
    }

    /// Every file below `within`, hidden ones too, by its path from there.
    pub(crate) fn files(&self, within: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(within);
        let mut files = BTreeMap::new();
        let mut to_visit = vec![root.clone()];
        while let Some(folder) = to_visit.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.expect("an entry of a test's folder").path();
                if path.is_dir() {
                    to_visit.push(path);
                } else {
                    files.insert(relative(&path, &root), fs::read(&path).expect("a file of a test's folder"));
                }
            }
        }
        files
    }

    /// The binary with `arguments`, which are parted by blanks, to be run here.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        run::command(self.0.path(), arguments)
    }

    /// Runs the binary here.
    pub(crate) fn run(&self, arguments: &str) -> Run {
        Run::of(self.command(arguments))
    }
}

fn relative(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).expect("it stands below the root");
    relative.to_str().expect("tests make plain names").to_owned()
}
