//! From a folder to a verified bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bellwether_core::{Background, Digest, Encoding, FeatureSchema, Model, RevenueChanges};
use bellwether_health::Scorecard;
use serde::{Serialize, de::DeserializeOwned};

use crate::folder::{self, Listing};
use crate::manifest::MANIFEST;
use crate::rules::{
    self, BACKGROUND, BOOK, Checked, EVALUATION, FEATURES, FIXED, OPTIONAL, PARITY, PROVENANCE, READINESS, REVENUE,
    SCORECARD, graph_file,
};
use crate::{
    BundleContents, BundleError, FileEntry, MAX_FILE_BYTES, MAX_FILES, MAX_JSON_BYTES, MAX_MANIFEST_BYTES,
    MAX_PARITY_BYTES, Manifest, ParityVectors, Provenance, TargetModel, certificate, json, names,
};

/// The file with the bundle's digest; without it a change in the manifest alone would go unseen.
pub(crate) const DIGEST: &str = "manifest.sha256";

/// A bundle whose every byte was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    digest: Digest,
    manifest: Manifest,
    contents: BundleContents,
    checked: Checked,
}

impl Bundle {
    /// Opens the bundle in folder `path`: limit, parse, validate.
    ///
    /// # Errors
    /// [`BundleError`] for a folder that is no bundle, for a format of another release, and if any file was cut,
    /// altered, added or removed, is a link, is too large, breaks a rule or contradicts another.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let (digest, manifest) = read_manifest(path)?;
        check_listing(&folder::list(path)?, &manifest)?;
        let mut files = Files::read(path, &manifest)?;
        let targets = targets_of(&manifest, &mut files)?;
        let (graphs, contents) = rules::read_graphs(&targets, || contents_of(&manifest, &mut files));
        let contents = BundleContents { targets, ..contents? };
        let checked = rules::check(&contents, graphs)?;
        let expected = checked.schema.digest();
        if manifest.schema_digest != expected {
            return Err(BundleError::Mismatch {
                file: MANIFEST.to_owned(),
                what: "the schema digest",
                expected: expected.to_string(),
                found: manifest.schema_digest.to_string(),
            });
        }
        Ok(Self { digest, manifest, contents, checked })
    }

    /// The SHA-256 of the manifest, which names the bundle.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The manifest.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bundle's name.
    pub fn name(&self) -> &str {
        &self.contents.name
    }

    /// The features of the graphs in their order.
    pub const fn schema(&self) -> &FeatureSchema {
        &self.checked.schema
    }

    /// From raw features to the matrix that the graphs read.
    pub const fn encoding(&self) -> &Encoding {
        &self.contents.encoding
    }

    /// The health score, over [`Bundle::schema`].
    pub const fn scorecard(&self) -> &Scorecard {
        &self.contents.scorecard
    }

    /// The expansion readiness, over [`Bundle::schema`]; `None` where none was declared.
    pub const fn readiness(&self) -> Option<&Scorecard> {
        self.contents.readiness.as_ref()
    }

    /// What a forecast of revenue needs; `None` where the book told no revenue by day.
    pub const fn revenue(&self) -> Option<&RevenueChanges> {
        self.contents.revenue.as_ref()
    }

    /// What scores are explained against; `None` in a bundle of a release that stored none.
    pub const fn background(&self) -> Option<&Background> {
        self.contents.background.as_ref()
    }

    /// The targets, at least one, in the order in which they were written.
    pub fn targets(&self) -> &[TargetModel] {
        &self.contents.targets
    }

    /// What each target's graph says, in the order of [`Bundle::targets`].
    pub fn models(&self) -> &[Model] {
        &self.checked.models
    }

    /// The share of features, in `0.0..=1.0`, that must be known for a row to be scored.
    pub const fn min_coverage(&self) -> f64 {
        self.contents.min_coverage
    }

    /// Rows and the numbers that they must give.
    pub const fn parity(&self) -> &ParityVectors {
        &self.contents.parity
    }

    /// Where the models come from.
    pub const fn provenance(&self) -> &Provenance {
        &self.contents.provenance
    }

    /// The evidence.
    pub const fn evaluation(&self) -> &serde_json::Value {
        &self.contents.evaluation
    }

    /// The configuration that the models were trained with.
    pub fn book_toml(&self) -> &str {
        &self.contents.book_toml
    }
}

/// The line of `manifest.sha256`, in the form of `sha256sum`.
pub(crate) fn digest_line(digest: &Digest) -> String {
    format!("{digest}  {MANIFEST}\n")
}

fn read_manifest(path: &Path) -> Result<(Digest, Manifest), BundleError> {
    let bytes = folder::read_limited(path, MANIFEST, MAX_MANIFEST_BYTES).map_err(|error| match error {
        BundleError::Missing(_) => BundleError::NotABundle(path.to_owned()),
        other => other,
    })?;
    let digest = Digest::of(&bytes);
    let expected = digest_line(&digest);
    let found = folder::read_limited(path, DIGEST, expected.len() as u64)?;
    if found != expected.as_bytes() {
        return Err(BundleError::Digest {
            file: MANIFEST.to_owned(),
            expected: String::from_utf8_lossy(&found).split(' ').next().unwrap_or_default().to_owned(),
            found: digest.to_string(),
        });
    }
    Ok((digest, Manifest::parse(&bytes)?))
}

/// What is on the disk is what the manifest names, no more and no less.
fn check_listing(listing: &Listing, manifest: &Manifest) -> Result<(), BundleError> {
    let named: BTreeSet<&str> = manifest.files.keys().map(String::as_str).chain([MANIFEST, DIGEST]).collect();
    if manifest.files.len() > MAX_FILES {
        return Err(BundleError::TooMany { limit: MAX_FILES });
    }
    names::check_paths(named.iter().copied())?;
    if let Some(unexpected) = listing.files.iter().find(|file| !named.contains(file.as_str())) {
        return Err(BundleError::Unexpected(unexpected.clone()));
    }
    let needed = |folder: &String| named.iter().any(|file| file.starts_with(&format!("{folder}/")));
    if let Some(unexpected) = listing.folders.iter().find(|folder| !needed(folder)) {
        return Err(BundleError::Unexpected(unexpected.clone()));
    }
    match named.into_iter().chain(FIXED).find(|file| !listing.files.contains(*file)) {
        Some(missing) => Err(BundleError::Missing(missing.to_owned())),
        None => Ok(()),
    }
}

/// Bytes whose size and digest were checked, so that what is parsed is what was verified.
struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Half of the bytes on a thread of its own: digests take time.
    fn read(path: &Path, manifest: &Manifest) -> Result<Self, BundleError> {
        let files: Vec<(&String, &FileEntry)> = manifest.files.iter().collect();
        let sizes = || files.iter().map(|(_, entry)| u128::from(entry.bytes));
        let half = sizes().sum::<u128>() / 2;
        let up_to = sizes().scan(0, |sum, bytes| {
            *sum += bytes;
            Some(*sum)
        });
        let (front, back) = files.split_at(up_to.take_while(|&sum| sum <= half).count());
        let (front, back) = beside(|| read_each(path, manifest, front), || read_each(path, manifest, back));
        let mut kept = front?;
        kept.append(&mut back?);
        Ok(Self(kept))
    }

    fn take(&mut self, file: &str) -> Result<Vec<u8>, BundleError> {
        self.0.remove(file).ok_or_else(|| BundleError::Missing(file.to_owned()))
    }

    fn json<T: Serialize + DeserializeOwned>(&mut self, file: &str) -> Result<T, BundleError> {
        json::parse_canonical(file, &self.take(file)?)
    }

    fn optional_json<T: Serialize + DeserializeOwned>(&mut self, file: &str) -> Result<Option<T>, BundleError> {
        if self.0.contains_key(file) { self.json(file).map(Some) } else { Ok(None) }
    }
}

/// Checks `files`, and keeps those that are parsed.
fn read_each(
    path: &Path,
    manifest: &Manifest,
    files: &[(&String, &FileEntry)],
) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let is_graph = |file: &str| manifest.targets.iter().any(|entry| entry.graph == file);
    let mut kept = BTreeMap::new();
    for &(file, entry) in files {
        let is_ours = FIXED.contains(&file.as_str()) || OPTIONAL.contains(&file.as_str());
        let limit = match file.as_str() {
            PARITY => MAX_PARITY_BYTES,
            _ if is_ours => MAX_JSON_BYTES,
            _ => MAX_FILE_BYTES,
        };
        let bytes = folder::read_checked(path, file, entry, limit)?;
        if is_ours || is_graph(file) {
            kept.insert(file.clone(), bytes);
        }
    }
    Ok(kept)
}

/// What both give, `first` on a thread of its own.
fn beside<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(first);
        let second = second();
        match thread.join() {
            Ok(first) => (first, second),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// What the files hold beside the targets.
fn contents_of(manifest: &Manifest, files: &mut Files) -> Result<BundleContents, BundleError> {
    let book_toml = String::from_utf8(files.take(BOOK)?)
        .map_err(|error| BundleError::Rule { file: BOOK.to_owned(), rule: error.to_string() })?;
    Ok(BundleContents {
        name: manifest.name.clone(),
        encoding: files.json(FEATURES)?,
        scorecard: files.json(SCORECARD)?,
        readiness: files.optional_json(READINESS)?,
        revenue: files.optional_json(REVENUE)?,
        background: files.optional_json(BACKGROUND)?,
        targets: Vec::new(),
        min_coverage: manifest.min_coverage,
        book_toml,
        evaluation: json::parse_canonical_value(EVALUATION, &files.take(EVALUATION)?)?,
        provenance: files.json(PROVENANCE)?,
        parity: certificate::decode(&files.take(PARITY)?)?,
        extra_files: BTreeMap::new(),
    })
}

fn targets_of(manifest: &Manifest, files: &mut Files) -> Result<Vec<TargetModel>, BundleError> {
    let mut targets = Vec::with_capacity(manifest.targets.len());
    for entry in &manifest.targets {
        let (target, learner, calibration) = (entry.target, entry.learner.clone(), entry.calibration.clone());
        let model = TargetModel { target, learner, onnx: Vec::new(), calibration };
        let expected = graph_file(&model);
        if entry.graph != expected {
            return Err(BundleError::Mismatch {
                file: MANIFEST.to_owned(),
                what: "a graph's file",
                expected: format!("`{expected}`"),
                found: format!("`{}`", entry.graph),
            });
        }
        targets.push(TargetModel { onnx: files.take(&entry.graph)?, ..model });
    }
    Ok(targets)
}
