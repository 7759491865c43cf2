//! A verified bundle beside a book whose features are the bundle's.

use std::path::Path;

use bellwether_book::{Book, BookError, BookFile, FeatureTable};
use bellwether_bundle::Bundle;
use bellwether_core::{FeatureMatrix, Progress, RawTable};
use bellwether_score::Scorer;

use crate::failure::Failure;

/// A verified bundle, ready to score.
pub(crate) struct OpenedModel {
    pub(crate) bundle: Bundle,
    pub(crate) scorer: Scorer,
}

impl OpenedModel {
    /// Opens the bundle in a folder, or the newest version of a model.
    pub(crate) fn open(model: &Path) -> Result<Self, Failure> {
        let bundle = Bundle::open(&bellwether_registry::resolve(model)?)?;
        let scorer = Scorer::from_bundle(&bundle)?;
        Ok(Self { bundle, scorer })
    }

    /// The matrix that the bundle's models read.
    pub(crate) fn encode(&self, raw: &RawTable) -> Result<FeatureMatrix, Failure> {
        encode(&self.bundle, raw)
    }
}

/// A verified bundle, ready to score, and a book that builds its features.
pub(crate) struct Opened {
    pub(crate) bundle: Bundle,
    pub(crate) scorer: Scorer,
    pub(crate) book: Book,
}

impl Opened {
    /// Opens both and refuses a book that declares other features than the bundle was trained with.
    pub(crate) fn open(book: &Path, model: &Path, progress: &dyn Progress) -> Result<Self, Failure> {
        let OpenedModel { bundle, scorer } = OpenedModel::open(model)?;
        let file = BookFile::read(book)?;
        if let Some(difference) = file.difference_to(bundle.book_toml()) {
            return Err(Failure::refused(
                format!("{} declares other features than the bundle was trained with: {difference}", book.display()),
                "score with the book.toml that the bundle holds (its book.toml), or train again",
            ));
        }
        Ok(Self { bundle, scorer, book: Book::open(file, progress)? })
    }

    /// The matrix that the bundle's models read.
    pub(crate) fn encode(&self, table: &FeatureTable) -> Result<FeatureMatrix, Failure> {
        encode(&self.bundle, &table.raw)
    }
}

/// The matrix that a bundle's models read.
pub(crate) fn encode(bundle: &Bundle, raw: &RawTable) -> Result<FeatureMatrix, Failure> {
    Ok(bundle.encoding().encode(raw).map_err(BookError::from)?)
}
