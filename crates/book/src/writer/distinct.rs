//! Texts of Parquet: each distinct one once, where they repeat.

use polars::prelude::{PlHashMap, PolarsResult};
use polars_arrow::array::{Array, DictionaryArray, UInt32Array, Utf8Array, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, IntegerType};
use polars_arrow::offset::Offsets;
use polars_parquet::write::Encoding;

use crate::keyed::KeyedText;
use crate::levels::Levels;
use crate::table::CodedText;

/// The distinct texts of a column in the order of their first use, and the place of each value among them.
pub(super) struct Distinct {
    texts: Levels,
    places: Vec<Option<u32>>,
}

impl Distinct {
    pub(super) fn of_texts<'a, I: Iterator<Item = Option<&'a str>>>(n_rows: usize, values: impl Fn() -> I) -> Self {
        // Such as account ids, which need not be looked up.
        if values().next().is_some_and(|first| first.is_some()) && values().is_sorted_by(|a, b| a < b) {
            return Self { texts: values().flatten().collect(), places: (0..n_rows as u32).map(Some).collect() };
        }
        let mut known = Known::default();
        let places = values().map(|text| text.map(|text| known.place(text))).collect();
        Self { texts: known.texts, places }
    }

    /// Of a column's parts.
    pub(super) fn of_codes<'a>(n_rows: usize, parts: impl Iterator<Item = &'a CodedText>) -> Self {
        let (mut known, mut places) = (Known::default(), Vec::with_capacity(n_rows));
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

    /// As codes, or as they are where more than three of four values are distinct.
    pub(super) fn encoded(self) -> PolarsResult<(Box<dyn Array>, Encoding)> {
        let Self { texts, places } = self;
        if 4 * texts.len() > 3 * places.len() {
            let values: Vec<Option<&str>> = places.iter().map(|of| of.map(|place| texts.get(place as usize))).collect();
            return Ok((Utf8ViewArray::from_slice(values).boxed(), Encoding::Plain));
        }
        let of = ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(ArrowDataType::LargeUtf8), false);
        let (text, ends) = texts.into_parts();
        let offsets: Vec<i64> = std::iter::once(0).chain(ends.into_iter().map(|end| end as i64)).collect();
        let offsets = Offsets::try_from(offsets)?.into();
        let texts = Utf8Array::<i64>::try_new(ArrowDataType::LargeUtf8, offsets, text.into_bytes().into(), None)?;
        let codes = UInt32Array::from(places);
        Ok((DictionaryArray::try_new(of, codes, texts.boxed())?.boxed(), Encoding::RleDictionary))
    }
}

/// Texts that were seen.
#[derive(Default)]
struct Known<'a> {
    texts: Levels,
    places: PlHashMap<&'a str, u32>,
}

impl<'a> Known<'a> {
    fn place(&mut self, text: &'a str) -> u32 {
        *self.places.entry(text).or_insert_with(|| {
            self.texts.push_with(|end| end.push_str(text));
            self.texts.len() as u32 - 1
        })
    }
}
