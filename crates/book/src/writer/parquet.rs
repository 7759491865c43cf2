//! Row groups of Parquet: columns encoded and compressed side by side.

use std::io::Write;
use std::mem::discriminant;

use polars::prelude::{PolarsResult, polars_bail};
use polars_arrow::array::{Array, BooleanArray, Int32Array, Int64Array};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field};
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter, Page, ParquetType,
    StatisticsOptions, Version, WriteOptions, array_to_columns, fallible_streaming_iterator, get_dtype_encoding,
};
use rayon::prelude::*;

use super::compress::compressed;
use super::distinct::Distinct;
use super::page::{self, Bounds, Dictionary, Float};
use crate::numbering::Numbering;
use crate::table::{Column, Table};

const OPTIONS: WriteOptions = WriteOptions {
    statistics: StatisticsOptions {
        min_value: true,
        max_value: true,
        distinct_count: false,
        null_count: true,
        binary_statistics_truncate_length: None,
    },
    version: Version::V1,
    // Which codec; `compress` has the level.
    compression: CompressionOptions::Zstd(None),
    data_page_size: None,
};
/// The least and the greatest of more texts than this that repeat, such as sentences, help no reader to skip rows; nor do
/// those of single-precision numbers, which tell about a row's reasons.
const MOST_COMPARED: usize = 1000;
/// More distinct numbers are not few.
const MOST_FEW: u32 = 255;

/// A file in the making. Its bytes depend on the values alone, not on how a column holds them.
pub(super) struct ParquetSink<W: Write> {
    writer: FileWriter<W>,
    types: Vec<PrimitiveType>,
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
        let primitive = |of: &ParquetType| match of {
            ParquetType::PrimitiveType(of) => of.clone(),
            ParquetType::GroupType { .. } => unreachable!("columns are not nested"),
        };
        let types = writer.parquet_schema().fields().iter().map(primitive).collect();
        Ok(Self { writer, types })
    }

    /// Adds the rows of `tables` as one row group; nothing where there are none.
    pub(super) fn append(&mut self, tables: &[Table]) -> PolarsResult<()> {
        tables.iter().try_for_each(|table| self.check(table, &tables[0]))?;
        let n_rows: usize = tables.iter().map(Table::n_rows).sum();
        if n_rows == 0 {
            return Ok(());
        }
        let columns = self.types.par_iter().enumerate().map(|(at, of)| {
            let parts: Vec<&Column> = tables.iter().map(|table| &table.columns[at].1).collect();
            pages(&parts, of)
        });
        let columns: Vec<Vec<CompressedPage>> = columns.collect::<PolarsResult<_>>()?;
        let row_group = DynIter::new(columns.iter().map(|pages| {
            let pages = fallible_streaming_iterator::convert(pages.iter().map(PolarsResult::Ok));
            Ok(DynStreamingIterator::new(pages))
        }));
        self.writer.write(n_rows as u64, row_group)
    }

    pub(super) fn finish(mut self) -> PolarsResult<()> {
        self.writer.end(None)?;
        Ok(self.writer.into_inner().flush()?)
    }

    /// Whether `table` has the columns of the file, held as those of `first` are.
    fn check(&self, table: &Table, first: &Table) -> PolarsResult<()> {
        let fields = self.writer.schema();
        let is_same = |((name, column), field): (&(String, Column), &Field)| {
            name.as_str() == field.name.as_str() && type_of(column) == field.dtype
        };
        let is_alike = |((_, a), (_, b)): (&(String, Column), &(String, Column))| discriminant(a) == discriminant(b);
        let columns = &table.columns;
        if columns.len() != fields.len()
            || !columns.iter().zip(fields.iter_values()).all(is_same)
            || !columns.iter().zip(&first.columns).all(is_alike)
        {
            polars_bail!(SchemaMismatch: "the columns differ from those of the first table");
        }
        Ok(())
    }
}

fn type_of(column: &Column) -> ArrowDataType {
    match column {
        Column::Text(_) | Column::Coded(_) | Column::Keyed(_) => ArrowDataType::Utf8View,
        Column::Int(_) => ArrowDataType::Int64,
        Column::Float(_) => ArrowDataType::Float64,
        Column::Float32(_) => ArrowDataType::Float32,
        Column::Date(_) => ArrowDataType::Date32,
        Column::Bool(_) => ArrowDataType::Boolean,
    }
}

/// Of a column's parts, which are held alike.
fn pages(parts: &[&Column], of: &PrimitiveType) -> PolarsResult<Vec<CompressedPage>> {
    macro_rules! held {
        ($kind:ident) => {
            parts.iter().map(|part| match part {
                Column::$kind(values) => values,
                _ => unreachable!("parts are held alike"),
            })
        };
    }
    macro_rules! values {
        ($kind:ident) => {
            held!($kind).flatten()
        };
    }
    let n_rows = parts.iter().map(|part| part.len()).sum();
    match parts[0] {
        Column::Text(_) => texts(Distinct::of_texts(n_rows, || values!(Text).map(Option::as_deref)), of),
        Column::Coded(_) => texts(Distinct::of_codes(n_rows, held!(Coded)), of),
        Column::Keyed(_) => texts(Distinct::of_keys(&held!(Keyed).collect::<Vec<_>>()), of),
        Column::Float(_) => {
            let numbers = held!(Float).flatten().map(|value| value.unwrap_or(f64::NAN));
            floats(&numbers.collect::<Vec<f64>>(), bounds_of, of)
        }
        Column::Float32(_) => floats(&held!(Float32).map(Vec::as_slice).collect::<Vec<_>>().concat(), |_| None, of),
        Column::Int(_) => by_polars(values!(Int).copied().collect::<Int64Array>().boxed(), of),
        Column::Date(_) => {
            let days = values!(Date).map(|date| date.map(bellwether_core::Date::days));
            by_polars(days.collect::<Int32Array>().to(ArrowDataType::Date32).boxed(), of)
        }
        Column::Bool(_) => by_polars(values!(Bool).copied().collect::<BooleanArray>().boxed(), of),
    }
}

fn by_polars(array: Box<dyn Array>, of: &PrimitiveType) -> PolarsResult<Vec<CompressedPage>> {
    let encoding = match array.dtype() {
        // Where they repeat, they are coded; these are mostly distinct.
        ArrowDataType::Utf8View => Encoding::Plain,
        other => get_dtype_encoding(other).first().copied().unwrap_or(Encoding::Plain),
    };
    let columns = array_to_columns(array, ParquetType::PrimitiveType(of.clone()), OPTIONS, &[encoding])?;
    columns.into_iter().flatten().map(|page| compressed(page?)).collect()
}

fn texts(distinct: Distinct, of: &PrimitiveType) -> PolarsResult<Vec<CompressedPage>> {
    if distinct.is_plain() {
        return by_polars(distinct.plain(), of);
    }
    let bounds = || Some([distinct.texts.iter().min()?, distinct.texts.iter().max()?]);
    let bounds = if distinct.texts.len() <= MOST_COMPARED { bounds() } else { None };
    let bounds = bounds.map(|bounds| bounds.map(|text| text.as_bytes().to_vec()));
    let dictionary = Dictionary { n_values: distinct.texts.len(), bounds, bytes: distinct.texts.into_plain() };
    page::coded(&distinct.places, dictionary, of)?.into_iter().map(compressed).collect()
}

/// As codes where there are few distinct numbers, such as shares of a few things.
fn floats<T: Float>(
    values: &[T],
    bounds: impl Fn(&[T]) -> Option<Bounds>,
    of: &PrimitiveType,
) -> PolarsResult<Vec<CompressedPage>> {
    let Some(Few { numbers, places }) = Few::of(values) else {
        return Ok(vec![compressed(Page::Data(page::plain(values, bounds(values), of)))?]);
    };
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes().as_ref().to_vec()).collect();
    let bounds = bounds(&numbers);
    let dictionary = Dictionary { bytes, n_values: numbers.len(), bounds };
    page::coded(&places, dictionary, of)?.into_iter().map(compressed).collect()
}

/// Of those that are no NaN. A zero is written as the one that is least, or greatest, as readers may tell the two apart.
fn bounds_of(numbers: &[f64]) -> Option<Bounds> {
    let least = numbers.iter().copied().reduce(f64::min).filter(|least| !least.is_nan())?;
    let greatest = numbers.iter().copied().fold(least, f64::max);
    let least = if least == 0.0 { -0.0 } else { least };
    Some([least, greatest + 0.0].map(|x| x.to_le_bytes().to_vec()))
}

/// Few distinct numbers, and the place of each value among them.
struct Few<T> {
    numbers: Vec<T>,
    places: Vec<Option<u32>>,
}

impl<T: Float> Few<T> {
    /// `None` where there is none, or are too many.
    fn of(values: &[T]) -> Option<Self> {
        let (mut numbers, mut numbering) = (Vec::new(), Numbering::with_capacity(0));
        let mut places = Vec::new();
        for &value in values {
            let place = value.is_known().then(|| numbering.number(value.bits(), || numbers.push(value)));
            if place == Some(MOST_FEW) {
                return None;
            }
            places.push(place);
        }
        (!numbers.is_empty()).then_some(Self { numbers, places })
    }
}
