//! Texts that are made where they are written.

use std::sync::Arc;

use crate::levels::Levels;
use crate::numbering::Numbering;

/// Of a sentence, in bytes.
const USUAL_LENGTH: usize = 90;

/// What tells a text.
pub type TextKey = [u32; 3];

/// Makes texts of keys.
pub trait Words: Send + Sync {
    /// Writes the text of a key at the end of `said`: another one for another key, or a file holds it twice.
    fn write(&self, key: TextKey, said: &mut String);
}

/// Texts that are told by a key each: equal ones are made once for all rows that are written together.
#[derive(Clone)]
pub struct KeyedText {
    keys: Vec<TextKey>,
    /// Shared by the parts of a column.
    words: Arc<dyn Words>,
}

impl KeyedText {
    /// No text has this key.
    const NULL: TextKey = [u32::MAX; 3];

    /// So many nulls.
    pub fn nulls(n_values: usize, words: Arc<dyn Words>) -> Self {
        Self { keys: vec![Self::NULL; n_values], words }
    }

    /// Makes the value of a row the text of a key.
    ///
    /// # Panics
    /// If all bits of the key are set: that is the null. Where there is no such row.
    #[inline]
    pub fn set(&mut self, row: usize, key: TextKey) {
        assert_ne!(key, Self::NULL, "a key of a text");
        self.keys[row] = key;
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The text of a row; `None` is a null.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn get(&self, row: usize) -> Option<String> {
        let key = self.keys[row];
        (key != Self::NULL).then(|| {
            let mut said = String::new();
            self.words.write(key, &mut said);
            said
        })
    }

    /// The place of each value among texts that are made once each, in the order of their first use, as of any column of
    /// texts; `parts` have the same words.
    ///
    /// # Panics
    /// Where they have others.
    pub(crate) fn made(parts: &[&Self]) -> (Vec<Option<u32>>, Levels) {
        let n_rows = parts.iter().map(|part| part.len()).sum();
        // Of many rows fewer than three of eight say something of their own, so that the tables seldom grow.
        let n_distinct = n_rows * 3 / 8;
        let (mut places, mut numbering) = (Vec::with_capacity(n_rows), Numbering::with_capacity(n_distinct));
        let mut texts = Levels::with_capacity(n_distinct, n_distinct * USUAL_LENGTH);
        for part in parts {
            assert!(Arc::ptr_eq(&part.words, &parts[0].words), "parts of one column");
            places.extend(part.keys.iter().map(|&key| {
                let first = || texts.push_with(|end| part.words.write(key, end));
                (key != Self::NULL).then(|| numbering.number(Hashed(key), first))
            }));
        }
        (places, texts)
    }

    /// Takes away the values from `at` on and gives them.
    #[must_use]
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        Self { keys: self.keys.split_off(at), words: Arc::clone(&self.words) }
    }

    /// No value, and the same words.
    pub(crate) fn without_values(&self) -> Self {
        Self { keys: Vec::new(), words: Arc::clone(&self.words) }
    }
}

impl PartialEq for KeyedText {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|row| self.get(row) == other.get(row))
    }
}

impl std::fmt::Debug for KeyedText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..self.len()).map(|row| self.get(row))).finish()
    }
}

/// A key that is hashed as two numbers.
#[derive(PartialEq, Eq)]
struct Hashed(TextKey);

impl std::hash::Hash for Hashed {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let [a, b, c] = self.0;
        state.write_u64(u64::from(a) << 32 | u64::from(c));
        state.write_u32(b);
    }
}
