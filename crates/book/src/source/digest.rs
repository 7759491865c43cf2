//! The digest of a source's content: the same for files that hold the same rows in any order, read in any number of
//! parts.

use bellwether_core::{AccountId, Digest, TextColumn};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::SourceRows;

/// A digest that takes the rows of one stretch of accounts after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceDigest(Sha256);

impl SourceDigest {
    /// Takes the rows of the accounts `ids`, which follow those that were taken before.
    pub(crate) fn take(&mut self, rows: &SourceRows, ids: &[AccountId]) {
        let of_account = |(account, id): (usize, &AccountId)| {
            (!rows.rows_of(account).is_empty()).then(|| digest_of_account(rows, account, id))
        };
        let digests: Vec<Option<[u8; 32]>> = ids.par_iter().enumerate().map(of_account).collect();
        for digest in digests.into_iter().flatten() {
            self.0.update(digest);
        }
    }

    pub(crate) fn finish(self) -> Digest {
        Digest::of(&self.0.finalize())
    }
}

fn digest_of_account(rows: &SourceRows, account: usize, id: &AccountId) -> [u8; 32] {
    let mut hash = Sha256::new();
    let range = rows.rows_of(account);
    hash.update(format!("{}:{}:{}\n", range.len(), id.0.len(), id.0));
    let mut bytes = Vec::with_capacity(8 * range.len());
    for days in [&rows.day, &rows.known, &rows.end] {
        bytes.clear();
        bytes.extend(days.get(range.clone()).unwrap_or_default().iter().flat_map(|day| day.to_le_bytes()));
        hash.update(&bytes);
    }
    for (name, values) in &rows.numbers {
        hash.update(name);
        bytes.clear();
        bytes.extend(values[range.clone()].iter().flat_map(|value| value.to_bits().to_le_bytes()));
        hash.update(&bytes);
    }
    for (name, texts) in &rows.texts {
        hash.update(name);
        for &code in &texts.codes[range.clone()] {
            if let Some(level) = texts.levels.get(code as usize) {
                hash.update(format!("{}:{level}\n", level.len()));
            } else {
                debug_assert_eq!(code, TextColumn::MISSING);
                hash.update("-\n");
            }
        }
    }
    hash.finalize().into()
}
