//! The lock, and files that are replaced or appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::RegistryError;

const LOCK: &str = ".lock";

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> RegistryError {
    move |source| RegistryError::Io { action, path: path.to_owned(), source }
}

/// Waits until no one else changes the models folder. Held until dropped; the system frees it if the process dies.
pub(crate) fn lock(models: &Path) -> Result<File, RegistryError> {
    let path = models.join(LOCK);
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(io_error("opening", &path))?;
    file.lock().map_err(io_error("locking", &path))?;
    Ok(file)
}

/// Waits until no one changes the models folder; `None` where nobody ever did.
pub(crate) fn lock_to_read(models: &Path) -> Result<Option<File>, RegistryError> {
    let path = models.join(LOCK);
    match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => {
            let file = opened.map_err(io_error("opening", &path))?;
            file.lock_shared().map_err(io_error("locking", &path))?;
            Ok(Some(file))
        }
    }
}

/// The bytes of `path`, none where there is no such file.
pub(crate) fn read_or_empty(path: &Path) -> Result<Vec<u8>, RegistryError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(io_error("reading", path)),
    }
}

/// Puts `bytes` in the place of `path`; a reader sees the old file or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let folder = path.parent().expect("a file of a models folder has a parent");
    let mut builder = tempfile::Builder::new();
    builder.prefix(".index-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask still applies; tempfile's own choice would keep every other user from reading.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(io_error("creating a file in", folder))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(io_error("writing", file.path()))?;
    file.persist(path).map_err(|error| io_error("replacing", path)(error.error))?;
    sync_folder(folder)
}

/// Appends `line` to `path`, on the disk before this returns; a line that cannot be written whole is taken back.
pub(crate) fn append_line(path: &Path, line: &str) -> Result<(), RegistryError> {
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(io_error("opening", path))?;
    let length = file.metadata().map_err(io_error("opening", path))?.len();
    if let Err(error) = file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()) {
        file.set_len(length).map_err(io_error("taking back a line of", path))?;
        return Err(io_error("appending to", path)(error));
    }
    sync_folder(path.parent().expect("a file of a models folder has a parent"))
}

/// Brings a folder's entries to the disk, where the platform can open a folder.
fn sync_folder(folder: &Path) -> Result<(), RegistryError> {
    if cfg!(unix) {
        File::open(folder).and_then(|opened| opened.sync_all()).map_err(io_error("syncing", folder))?;
    }
    Ok(())
}
