//! The models folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bellwether_bundle::{BundleContents, UNFINISHED_PREFIX, check_name, write};
use bellwether_core::Digest;

use crate::audit::{AuditEvent, AuditLog};
use crate::files::{self, io_error};
use crate::index::Index;
use crate::{RegistryError, VersionEntry};

const MAX_ACTOR_CHARS: usize = 256;

/// A models folder.
#[derive(Debug, Clone)]
pub struct Registry {
    models: PathBuf,
}

/// A bundle that became a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The bundle's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its folder, `<models>/<name>/<version>`.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
}

impl Registry {
    /// The models folder `models`, which is made where it does not exist.
    ///
    /// # Errors
    /// [`RegistryError::Io`] if it can't be made.
    pub fn open(models: &Path) -> Result<Self, RegistryError> {
        fs::create_dir_all(models).map_err(io_error("creating", models))?;
        Ok(Self { models: models.to_owned() })
    }

    /// Writes `contents` as the next version of its name. Versions count up from 1; one that failed half way may be
    /// left out, none is used twice. Registrations at the same time, in this process or another, wait for each other.
    /// What a killed process left unfinished in the name's folder is removed.
    ///
    /// `now` is the time to note, RFC 3339; `actor` is who to note.
    ///
    /// # Errors
    /// [`RegistryError`] for contents that [`bellwether_bundle::write`] refuses, a bad `now` or `actor`, a log or index
    /// that verification would refuse, or if the file system refuses.
    pub fn register(&self, contents: &BundleContents, now: &str, actor: &str) -> Result<Registered, RegistryError> {
        check_name(&contents.name)?;
        check_now(now)?;
        check_actor(actor)?;
        let _held = files::lock(&self.models)?;
        let mut log = self.checked_log()?;
        let name = contents.name.clone();
        let version = self.next_version(&name, &log)?;
        let (path, digest) = self.write_version(contents, version)?;
        let event = AuditEvent::Registered { name: name.clone(), version, digest: digest.clone() };
        if let Err(error) = log.append(&self.models, now, actor, event) {
            fs::remove_dir_all(&path).map_err(io_error("removing", &path))?;
            return Err(error);
        }
        Index::of(&log, log.lines.len()).replace(&self.models)?;
        Ok(Registered { name, version, path, digest })
    }

    /// The models folder `models`, which must be one: it has an index.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] if it has none, another [`RegistryError`] if that can't be read.
    pub fn existing(models: &Path) -> Result<Self, RegistryError> {
        match Index::read(models)? {
            Some(_) => Ok(Self { models: models.to_owned() }),
            None => Err(RegistryError::NotFound { path: models.to_owned(), known: "it has no index.json".to_owned() }),
        }
    }

    /// Every registered version, rising in each name.
    ///
    /// # Errors
    /// [`RegistryError`] if the index can't be read.
    pub fn bundles(&self) -> Result<BTreeMap<String, Vec<VersionEntry>>, RegistryError> {
        Ok(Index::read(&self.models)?.map(|index| index.bundles).unwrap_or_default())
    }

    /// The versions of `name`, rising; none where nothing of that name was registered.
    ///
    /// # Errors
    /// [`RegistryError`] if the index can't be read.
    pub fn versions(&self, name: &str) -> Result<Vec<VersionEntry>, RegistryError> {
        Ok(self.bundles()?.remove(name).unwrap_or_default())
    }

    /// Checks that each line of the audit log has the SHA-256 of the line before, and that the index is what the log
    /// amounts to; returns the number of lines. A log that goes on where the index ends is what a crash leaves: good.
    ///
    /// # Errors
    /// [`RegistryError::Audit`] with the first line that does not follow from the one before,
    /// [`RegistryError::Disagree`] if the log's end was altered or cut, or the index was altered or removed.
    pub fn verify_audit(&self) -> Result<usize, RegistryError> {
        let _held = files::lock_to_read(&self.models)?;
        Ok(self.checked_log()?.lines.len())
    }

    fn checked_log(&self) -> Result<AuditLog, RegistryError> {
        let log = AuditLog::read(&self.models)?;
        match (Index::read(&self.models)?, log.lines.len()) {
            (Some(index), _) => index.check(&log)?,
            // The first registration of all may have died before it made an index; the second makes one.
            (None, 0 | 1) => {}
            (None, n_lines) => {
                return Err(RegistryError::Disagree(format!("there are {n_lines} lines in the log and no index")));
            }
        }
        Ok(log)
    }

    fn next_version(&self, name: &str, log: &AuditLog) -> Result<u32, RegistryError> {
        let logged = log.lines.iter().filter_map(|line| match &line.event {
            AuditEvent::Registered { name: of, version, .. } => (of == name).then_some(*version),
        });
        let newest = logged.chain(self.folder_numbers(name)?).max().unwrap_or(0);
        newest
            .checked_add(1)
            .ok_or_else(|| RegistryError::Disagree(format!("`{name}` has version {newest}, the last one")))
    }

    /// The numbers that stand in a name's folder, be they in the log or left by a crash.
    fn folder_numbers(&self, name: &str) -> Result<Vec<u32>, RegistryError> {
        let folder = self.models.join(name);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(io_error("listing", &folder))?,
        };
        let names: Vec<_> = entries.collect::<Result<_, _>>().map_err(io_error("listing", &folder))?;
        Ok(names.iter().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }

    fn write_version(&self, contents: &BundleContents, version: u32) -> Result<(PathBuf, Digest), RegistryError> {
        let folder = self.models.join(&contents.name);
        fs::create_dir_all(&folder).map_err(io_error("creating", &folder))?;
        remove_unfinished(&folder)?;
        let path = folder.join(version.to_string());
        match write(contents, &path) {
            Ok(digest) => Ok((path, digest)),
            Err(error) => {
                // Fails, and should, unless the folder is empty.
                let _ = fs::remove_dir(&folder);
                Err(error.into())
            }
        }
    }
}

/// Whoever holds the lock is the only one to write here, so what is unfinished will stay so.
fn remove_unfinished(folder: &Path) -> Result<(), RegistryError> {
    for entry in fs::read_dir(folder).map_err(io_error("listing", folder))? {
        let entry = entry.map_err(io_error("listing", folder))?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED_PREFIX)) {
            fs::remove_dir_all(entry.path()).map_err(io_error("removing", &entry.path()))?;
        }
    }
    Ok(())
}

fn check_now(now: &str) -> Result<(), RegistryError> {
    let plain = now.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | '+' | '.' | 'T' | 'Z'));
    if plain && now.parse::<jiff::Timestamp>().is_ok() { Ok(()) } else { Err(RegistryError::Now(now.to_owned())) }
}

fn check_actor(actor: &str) -> Result<(), RegistryError> {
    let named = !actor.trim().is_empty() && actor.chars().count() <= MAX_ACTOR_CHARS;
    if named && !actor.chars().any(char::is_control) { Ok(()) } else { Err(RegistryError::Actor(actor.to_owned())) }
}
