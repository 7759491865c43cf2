//! Texts of Parquet: each distinct one once, where they repeat.

use polars_arrow::array::{Array, Utf8ViewArray};

use crate::keyed::KeyedText;
use crate::levels::Levels;
use crate::numbering::Numbering;
use crate::table::CodedText;

/// The distinct texts of a column in the order of their first use, and the place of each value among them.
pub(super) struct Distinct {
    pub(super) texts: Levels,
    pub(super) places: Vec<Option<u32>>,
}

impl Distinct {
    /// Whether codes would save nothing: more than three of four values are distinct, or all are null.
    pub(super) fn is_plain(&self) -> bool {
        4 * self.texts.len() > 3 * self.places.len() || self.texts.is_empty()
    }

    pub(super) fn of_texts<'a, I: Iterator<Item = Option<&'a str>>>(n_rows: usize, values: impl Fn() -> I) -> Self {
        // Such as account ids, which need not be looked up.
        if values().next().is_some_and(|first| first.is_some()) && values().is_sorted_by(|a, b| a < b) {
            return Self { texts: values().flatten().collect(), places: (0..n_rows as u32).map(Some).collect() };
        }
        let mut known = Known::none();
        let places = values().map(|text| text.map(|text| known.place(text))).collect();
        Self { texts: known.texts, places }
    }

    /// Of a column's parts.
    pub(super) fn of_codes<'a>(n_rows: usize, parts: impl Iterator<Item = &'a CodedText>) -> Self {
        let (mut known, mut places) = (Known::none(), Vec::with_capacity(n_rows));
        for part in parts {
            let levels = part.levels();
            let mut place_of: Vec<Option<u32>> = vec![None; levels.len()];
            let mut place =
                |code: u32| *place_of[code as usize].get_or_insert_with(|| known.place(levels.get(code as usize)));
            places.extend(part.codes().map(|code| code.map(&mut place)));
        }
        Self { texts: known.texts, places }
    }

    /// Of a column's parts.
    pub(super) fn of_keys(parts: &[&KeyedText]) -> Self {
        let (places, texts) = KeyedText::made(parts);
        Self { texts, places }
    }

    /// Each value as it is.
    pub(super) fn plain(&self) -> Box<dyn Array> {
        let value = |place: &Option<u32>| place.map(|place| self.texts.get(place as usize));
        Utf8ViewArray::from_slice(self.places.iter().map(value).collect::<Vec<_>>()).boxed()
    }
}

/// Texts that were seen.
struct Known<'a> {
    texts: Levels,
    numbering: Numbering<&'a str>,
}

impl<'a> Known<'a> {
    fn none() -> Self {
        Self { texts: Levels::default(), numbering: Numbering::with_capacity(0) }
    }

    fn place(&mut self, text: &'a str) -> u32 {
        self.numbering.number(text, || self.texts.push_with(|end| end.push_str(text)))
    }
}
