//! Many texts in one place of memory.

/// Texts, numbered from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels {
    /// One after another, each with room for its length before it, so that a page of Parquet needs no copy.
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

/// What stands before a text until its length does.
const ROOM: &str = "\0\0\0\0";

impl Levels {
    /// With room for so many texts of together so many bytes.
    pub(crate) fn with_capacity(n_texts: usize, n_bytes: usize) -> Self {
        let text = String::with_capacity(n_bytes + n_texts * ROOM.len());
        Self { text, ends: Vec::with_capacity(n_texts) }
    }

    /// Adds what `write` writes at the end of the string that it is given.
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        self.text.push_str(ROOM);
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// The text of a number.
    ///
    /// # Panics
    /// Where there is none.
    pub fn get(&self, number: usize) -> &str {
        let first = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[first + ROOM.len()..self.ends[number]]
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut first = 0;
        self.ends.iter().map(move |&end| &self.text[std::mem::replace(&mut first, end) + ROOM.len()..end])
    }

    /// The texts in order, each with its length before it (Parquet's encoding `PLAIN`).
    pub(crate) fn into_plain(self) -> Vec<u8> {
        let mut bytes = self.text.into_bytes();
        let mut first = 0;
        for end in self.ends {
            let text = first + ROOM.len();
            bytes[first..text].copy_from_slice(&((end - text) as u32).to_le_bytes());
            first = end;
        }
        bytes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl<S: AsRef<str>> Extend<S> for Levels {
    fn extend<T: IntoIterator<Item = S>>(&mut self, texts: T) {
        texts.into_iter().for_each(|text| self.push_with(|end| end.push_str(text.as_ref())));
    }
}

impl<S: AsRef<str>> FromIterator<S> for Levels {
    fn from_iter<T: IntoIterator<Item = S>>(texts: T) -> Self {
        let mut levels = Self::default();
        levels.extend(texts);
        levels
    }
}
