//! Many texts in one place of memory.

/// Texts, numbered from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels {
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl Levels {
    /// Adds what `write` writes at the end of the string that it is given.
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// The text of a number.
    ///
    /// # Panics
    /// Where there is none.
    pub fn get(&self, number: usize) -> &str {
        let first = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[first..self.ends[number]]
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut first = 0;
        self.ends.iter().map(move |&end| &self.text[std::mem::replace(&mut first, end)..end])
    }

    /// How long they are together.
    pub(crate) const fn n_bytes(&self) -> usize {
        self.text.len()
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
