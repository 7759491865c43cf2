//! A file is written beside its place and renamed: it is there whole or not at all.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use tempfile::NamedTempFile;

/// What the name of a file begins with that is not finished yet; its place's name follows, then six random letters.
const PREFIX: &str = ".bellwether-";
const RANDOM_LETTERS: usize = 6;

/// A file that is not in its place yet; it is removed when dropped. What a killed process left behind for the same place
/// is removed when the next one begins: a file of a process that is at work is locked.
#[derive(Debug)]
pub(crate) struct Beside {
    path: PathBuf,
    file: NamedTempFile,
    /// Brings to the disk what was written before it began.
    syncing: Option<JoinHandle<io::Result<()>>>,
}

impl Beside {
    /// Begins the file at `path`, whose folder exists.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let folder = folder_of(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!("{PREFIX}{name}-");
        remove_left_behind(folder, &prefix);
        loop {
            let mut builder = tempfile::Builder::new();
            let file = builder.prefix(&prefix).rand_bytes(RANDOM_LETTERS).tempfile_in(folder)?;
            // Where a file system has no locks, nobody removes what it can't lock either.
            let _ = file.as_file().lock();
            // Another process may have taken it for left behind before it was locked.
            if file.path().exists() {
                return Ok(Self { path: path.to_owned(), file, syncing: None });
            }
        }
    }

    /// The file, to write to.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Begins to bring to the disk what was written, unless that is under way, so that less is left to wait for in the end.
    pub(crate) fn begin_sync(&mut self) -> io::Result<()> {
        if self.syncing.as_ref().is_none_or(JoinHandle::is_finished) {
            self.end_sync()?;
            let file = self.file.as_file().try_clone()?;
            self.syncing = Some(std::thread::spawn(move || file.sync_data()));
        }
        Ok(())
    }

    /// A disk that fails says so once: whoever asks first must pass it on.
    fn end_sync(&mut self) -> io::Result<()> {
        let ended = self.syncing.take().map(JoinHandle::join);
        ended.map_or(Ok(()), |result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    /// Brings the file to the disk and puts it in its place, readable by all as a new file would be.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        make_readable(self.file.as_file())?;
        self.end_sync()?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map_err(|failed| failed.error)?;
        sync_folder(folder_of(&self.path))
    }
}

/// Writes a whole file beside its place and puts it there.
pub(crate) fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = Beside::create(path)?;
    beside.file().write_all(bytes)?;
    beside.finish()
}

/// The folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// What can't be removed stays: it is in nobody's way.
fn remove_left_behind(folder: &Path, prefix: &str) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let letters = name.to_str().and_then(|name| name.strip_prefix(prefix));
        if letters.is_some_and(|letters| letters.len() == RANDOM_LETTERS)
            && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A temporary file is its owner's alone; a finished one is as readable as any new file.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// After a crash of the machine, too, the name stands for the new file.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().expect("a name")).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_others_write_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scores.csv");
        for name in [".bellwether-scores.csv-abcdef", ".bellwether-other.csv-abcdef", ".bellwether-scores.csv-1-abcdef"]
        {
            std::fs::write(folder.path().join(name), "left").expect("writes");
        }
        let at_work = Beside::create(&path).expect("begins");
        let mine = Beside::create(&path).expect("begins beside it");
        assert_eq!(names(folder.path()).len(), 4, "the first is gone");
        mine.finish().expect("finishes");
        at_work.finish().expect("it is still there");
        assert_eq!(
            names(folder.path()),
            [".bellwether-other.csv-abcdef", ".bellwether-scores.csv-1-abcdef", "scores.csv"]
        );
    }

    #[test]
    fn a_dropped_file_is_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Beside::create(&folder.path().join("scores.csv")).expect("begins"));
        assert!(names(folder.path()).is_empty());
    }
}
