//! Pages of Parquet that are put together here: plain numbers, and codes with what they stand for.
//!
//! polars-parquet writes such pages too, but looks for runs value by value, which many distinct values seldom have, and
//! copies and checks texts: that takes longer than to compress them.

use polars_arrow::types::NativeType;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::encoding::hybrid_rle::Encoder;
use polars_parquet::parquet::encoding::uleb128;
use polars_parquet::parquet::error::ParquetResult;
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::page::{DataPage, DataPageHeader, DataPageHeaderV1, DictPage};
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::parquet::statistics::ParquetStatistics;
use polars_parquet::write::{Encoding, Page};

/// So many values are packed in a run, as other writers do; a multiple of 64.
const VALUES_A_RUN: usize = 1 << 13;

/// The least and the greatest value, as they are written.
pub(super) type Bounds = [Vec<u8>; 2];

/// Distinct values, as they are written one after another.
pub(super) struct Dictionary {
    pub(super) bytes: Vec<u8>,
    pub(super) n_values: usize,
    pub(super) bounds: Option<Bounds>,
}

/// A number that is a null where it is NaN.
pub(super) trait Float: NativeType {
    fn is_known(self) -> bool;
    /// What tells it from others.
    fn bits(self) -> u64;
}

impl Float for f32 {
    fn is_known(self) -> bool {
        !self.is_nan()
    }

    fn bits(self) -> u64 {
        self.to_bits().into()
    }
}

impl Float for f64 {
    fn is_known(self) -> bool {
        !self.is_nan()
    }

    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// Numbers as they are.
pub(super) fn plain<T: Float>(values: &[T], bounds: Option<Bounds>, of: &PrimitiveType) -> DataPage {
    let levels = DefinitionLevels::of(values, |value| value.is_known());
    // Each overwrites the one before it that is not known; one more place for those at the end.
    let mut known = vec![T::default(); levels.n_known + 1];
    let mut next = 0;
    for &value in values {
        known[next] = value;
        next += usize::from(value.is_known());
    }
    let n_bytes = levels.n_known * size_of::<T>();
    let mut bytes = levels.written(n_bytes);
    let first = bytes.len();
    bytes.resize(first + n_bytes, 0);
    for (place, value) in bytes[first..].chunks_exact_mut(size_of::<T>()).zip(known) {
        place.copy_from_slice(value.to_le_bytes().as_ref());
    }
    data(bytes, &levels, Encoding::Plain, bounds, of)
}

/// Places in a dictionary of at least one value; `None` is a null.
pub(super) fn coded(places: &[Option<u32>], dictionary: Dictionary, of: &PrimitiveType) -> ParquetResult<[Page; 2]> {
    let Dictionary { bytes, n_values, bounds } = dictionary;
    let dictionary = DictPage::new(CowBuffer::Owned(bytes), n_values, false);
    let levels = DefinitionLevels::of(places, Option::is_some);
    let n_bits = usize::BITS - (n_values - 1).leading_zeros();
    let mut bytes = levels.written(1 + levels.n_known * n_bits as usize / 8);
    bytes.push(n_bits as u8);
    let mut codes: Vec<u32> = Vec::with_capacity(levels.n_known);
    places.iter().flatten().for_each(|&code| codes.push(code));
    match codes.first() {
        Some(&code) if n_values == 1 => u32::run_length_encode(&mut bytes, codes.len(), code, n_bits)?,
        _ => {
            for codes in codes.chunks(VALUES_A_RUN) {
                u32::bitpacked_encode(&mut bytes, codes.iter().copied(), n_bits as usize)?;
            }
        }
    }
    Ok([Page::Dict(dictionary), Page::Data(data(bytes, &levels, Encoding::RleDictionary, bounds, of))])
}

fn data(
    bytes: Vec<u8>,
    levels: &DefinitionLevels,
    encoding: Encoding,
    bounds: Option<Bounds>,
    of: &PrimitiveType,
) -> DataPage {
    let (min_value, max_value) = bounds.map(|[least, greatest]| (least, greatest)).unzip();
    let statistics = ParquetStatistics {
        null_count: Some((levels.n_rows - levels.n_known) as i64),
        distinct_count: None,
        min_value,
        max_value,
        min: None,
        max: None,
        is_min_value_exact: None,
        is_max_value_exact: None,
    };
    let header = DataPageHeaderV1 {
        num_values: levels.n_rows as i32,
        encoding: encoding.into(),
        definition_level_encoding: Encoding::Rle.into(),
        repetition_level_encoding: Encoding::Rle.into(),
        statistics: Some(statistics),
    };
    let descriptor = Descriptor { primitive_type: of.clone(), max_def_level: 0, max_rep_level: 0 };
    DataPage::new(DataPageHeader::V1(header), CowBuffer::Owned(bytes), descriptor, levels.n_rows)
}

/// Which values of a nullable column are known: its definition levels.
struct DefinitionLevels {
    n_rows: usize,
    n_known: usize,
    /// A bit a row, the lowest of a byte first.
    bits: Vec<u8>,
}

impl DefinitionLevels {
    fn of<T>(values: &[T], is_known: impl Fn(&T) -> bool) -> Self {
        let mut bits = Vec::with_capacity(values.len() / 8 + 1);
        let mut n_known = 0;
        for values in values.chunks(u64::BITS as usize) {
            let word = values.iter().enumerate().fold(0, |word, (at, value)| word | u64::from(is_known(value)) << at);
            n_known += word.count_ones() as usize;
            bits.extend_from_slice(&word.to_le_bytes()[..values.len().div_ceil(8)]);
        }
        Self { n_rows: values.len(), n_known, bits }
    }

    /// As a page begins with them, with room for so many more bytes.
    fn written(&self, n_further: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bits.len() + self.bits.len() / 512 + 16 + n_further);
        bytes.extend_from_slice(&[0; 4]);
        if self.n_known == self.n_rows {
            header(self.n_rows << 1, &mut bytes);
            bytes.push(1);
        } else {
            for run in self.bits.chunks(VALUES_A_RUN / 8) {
                header(run.len() << 1 | 1, &mut bytes);
                bytes.extend_from_slice(run);
            }
        }
        let n_bytes = bytes.len() as u32 - 4;
        bytes[..4].copy_from_slice(&n_bytes.to_le_bytes());
        bytes
    }
}

/// Of a run.
fn header(of: usize, bytes: &mut Vec<u8>) {
    let mut room = [0; 10];
    let n_bytes = uleb128::encode(of as u64, &mut room);
    bytes.extend_from_slice(&room[..n_bytes]);
}
