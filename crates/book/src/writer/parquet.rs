//! Row groups of Parquet: columns encoded and compressed side by side.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write;

use polars::prelude::{InitHashMaps as _, PlHashMap, PolarsError, PolarsResult, polars_bail};
use polars_arrow::array::{
    Array, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt32Array, Utf8Array,
    Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, IntegerType};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter, ParquetType,
    StatisticsOptions, Version, WriteOptions, array_to_columns, compress, fallible_streaming_iterator,
    get_dtype_encoding,
};
use rayon::prelude::*;

use crate::table::{CodedText, Column, Table};

const OPTIONS: WriteOptions = WriteOptions {
    statistics: StatisticsOptions {
        min_value: true,
        max_value: true,
        distinct_count: false,
        null_count: true,
        binary_statistics_truncate_length: None,
    },
    version: Version::V1,
    compression: CompressionOptions::Zstd(None),
    data_page_size: None,
};
/// The least and the greatest of more texts than this that repeat, such as sentences, help no reader to skip rows.
const MOST_COMPARED: usize = 1000;
/// Numbers are looked at for repetitions where so many first ones have few distinct values.
const LOOKED_AT: usize = 1000;
const FEW: usize = 100;

/// A file in the making. Its bytes depend on the values alone, not on how a column holds them.
pub(super) struct ParquetSink<W: Write> {
    writer: FileWriter<W>,
    types: Vec<ParquetType>,
}

impl<W: Write> ParquetSink<W> {
    /// Starts a file of the columns of `table`.
    pub(super) fn create(out: W, table: &Table) -> PolarsResult<Self> {
        let field = |(name, column): &(String, Column)| Field::new(name.as_str().into(), type_of(column), true);
        let schema: ArrowSchema = table.columns.iter().map(field).map(|field| (field.name.clone(), field)).collect();
        if schema.len() != table.columns.len() {
            polars_bail!(Duplicate: "two columns have one name");
        }
        let writer = FileWriter::try_new(out, schema, OPTIONS)?;
        let types = writer.parquet_schema().fields().to_vec();
        Ok(Self { writer, types })
    }

    /// Adds the rows of `tables` as one row group; nothing where there are none.
    pub(super) fn append(&mut self, tables: &[Table]) -> PolarsResult<()> {
        let Some((first, others)) = tables.split_first() else { return Ok(()) };
        tables.iter().try_for_each(|table| self.check(table))?;
        let mut whole = Cow::Borrowed(first);
        for table in others {
            whole.to_mut().append(table.clone());
        }
        if whole.n_rows() == 0 {
            return Ok(());
        }
        let columns = whole.columns.par_iter().zip(&self.types).map(|((_, column), of)| pages(column, of));
        let columns: Vec<Vec<CompressedPage>> = columns.collect::<PolarsResult<_>>()?;
        let row_group = DynIter::new(columns.iter().map(|pages| {
            let pages = fallible_streaming_iterator::convert(pages.iter().map(PolarsResult::Ok));
            Ok(DynStreamingIterator::new(pages))
        }));
        self.writer.write(whole.n_rows() as u64, row_group)
    }

    pub(super) fn finish(mut self) -> PolarsResult<()> {
        self.writer.end(None)?;
        Ok(self.writer.into_inner().flush()?)
    }

    fn check(&self, table: &Table) -> PolarsResult<()> {
        let fields = self.writer.schema();
        let is_same = |((name, column), field): (&(String, Column), &Field)| {
            name.as_str() == field.name.as_str() && type_of(column) == field.dtype
        };
        if table.columns.len() != fields.len() || !table.columns.iter().zip(fields.iter_values()).all(is_same) {
            polars_bail!(SchemaMismatch: "the columns differ from those of the first table");
        }
        Ok(())
    }
}

fn type_of(column: &Column) -> ArrowDataType {
    match column {
        Column::Text(_) | Column::Coded(_) => ArrowDataType::Utf8View,
        Column::Int(_) => ArrowDataType::Int64,
        Column::Float(_) => ArrowDataType::Float64,
        Column::Float32(_) => ArrowDataType::Float32,
        Column::Date(_) => ArrowDataType::Date32,
        Column::Bool(_) => ArrowDataType::Boolean,
    }
}

fn pages(column: &Column, of: &ParquetType) -> PolarsResult<Vec<CompressedPage>> {
    let (array, encoding) = encoded(column)?;
    let mut options = OPTIONS;
    if let Some(coded) = array.as_any().downcast_ref::<DictionaryArray<u32>>()
        && coded.values().len() > MOST_COMPARED
    {
        (options.statistics.min_value, options.statistics.max_value) = (false, false);
    }
    let mut pages = Vec::new();
    for of_leaf in array_to_columns(array, of.clone(), options, &[encoding])? {
        for page in of_leaf {
            pages.push(compress(page?, Vec::new(), options.compression).map_err(PolarsError::from)?);
        }
    }
    Ok(pages)
}

/// The values and how they are written.
fn encoded(column: &Column) -> PolarsResult<(Box<dyn Array>, Encoding)> {
    let usual = || get_dtype_encoding(&type_of(column)).first().copied().unwrap_or(Encoding::Plain);
    Ok(match column {
        Column::Text(values) => Distinct::of_texts(values).encoded()?,
        Column::Coded(values) => Distinct::of_codes(values).encoded()?,
        Column::Int(values) => (Int64Array::from(values.as_slice()).boxed(), usual()),
        Column::Float(values) => {
            let known: Vec<Option<f64>> = values.iter().map(|value| value.filter(|x| !x.is_nan())).collect();
            let encoding = of_numbers(known.iter().map(|value| value.map_or(u64::MAX, f64::to_bits)));
            (Float64Array::from(known).boxed(), encoding)
        }
        Column::Float32(values) => {
            let known: Vec<Option<f32>> = values.iter().map(|&x| (!x.is_nan()).then_some(x)).collect();
            let encoding = of_numbers(known.iter().map(|value| value.map_or(u64::MAX, |x| u64::from(x.to_bits()))));
            (Float32Array::from(known).boxed(), encoding)
        }
        Column::Date(values) => {
            let days: Vec<Option<i32>> = values.iter().map(|date| date.map(bellwether_core::Date::days)).collect();
            (Int32Array::from(days).to(ArrowDataType::Date32).boxed(), usual())
        }
        Column::Bool(values) => (BooleanArray::from(values.as_slice()).boxed(), usual()),
    })
}

/// Numbers seldom repeat, and to count how often takes longer than to write them.
fn of_numbers(bits: impl Iterator<Item = u64>) -> Encoding {
    let distinct: HashSet<u64> = bits.take(LOOKED_AT).collect();
    if distinct.len() <= FEW { Encoding::RleDictionary } else { Encoding::Plain }
}

/// The distinct texts of a column in the order of their first use, and the place of each value among them.
struct Distinct<'a> {
    texts: Vec<&'a str>,
    places: Vec<Option<u32>>,
}

impl<'a> Distinct<'a> {
    fn of_texts(values: &'a [Option<String>]) -> Self {
        // Such as account ids, which need not be looked up.
        if values.first().is_some_and(Option::is_some) && values.is_sorted_by(|a, b| a < b) {
            let texts = values.iter().flatten().map(String::as_str).collect();
            return Self { texts, places: (0..values.len() as u32).map(Some).collect() };
        }
        let mut known = Known::with_capacity(values.len());
        let places = values.iter().map(|text| text.as_deref().map(|text| known.place(text))).collect();
        Self { texts: known.texts, places }
    }

    fn of_codes(values: &'a CodedText) -> Self {
        let levels = values.levels();
        let mut place_of: Vec<Option<u32>> = vec![None; levels.len()];
        if values.has_repeated_levels() {
            let mut known = Known::with_capacity(levels.len());
            let mut place =
                |code: u32| *place_of[code as usize].get_or_insert_with(|| known.place(levels.get(code as usize)));
            let places = values.codes().map(|code| code.map(&mut place)).collect();
            return Self { texts: known.texts, places };
        }
        let mut texts = Vec::with_capacity(levels.len());
        let mut place = |code: u32| {
            *place_of[code as usize].get_or_insert_with(|| {
                texts.push(levels.get(code as usize));
                texts.len() as u32 - 1
            })
        };
        let places = values.codes().map(|code| code.map(&mut place)).collect();
        Self { texts, places }
    }

    /// As codes, or as they are where more than three of four values are distinct.
    fn encoded(self) -> PolarsResult<(Box<dyn Array>, Encoding)> {
        let Self { texts, places } = self;
        if 4 * texts.len() > 3 * places.len() {
            let values: Vec<Option<&str>> = places.iter().map(|of| of.map(|place| texts[place as usize])).collect();
            return Ok((Utf8ViewArray::from_slice(values).boxed(), Encoding::Plain));
        }
        let of = ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(ArrowDataType::LargeUtf8), false);
        let texts = Utf8Array::<i64>::from_iter_values(texts.into_iter()).boxed();
        Ok((DictionaryArray::try_new(of, UInt32Array::from(places), texts)?.boxed(), Encoding::RleDictionary))
    }
}

/// Texts that were seen.
struct Known<'a> {
    texts: Vec<&'a str>,
    places: PlHashMap<&'a str, u32>,
}

impl<'a> Known<'a> {
    /// For so many texts at most.
    fn with_capacity(n: usize) -> Self {
        Self { texts: Vec::with_capacity(n), places: PlHashMap::with_capacity(n) }
    }

    fn place(&mut self, text: &'a str) -> u32 {
        *self.places.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u32 - 1
        })
    }
}
