//! Row groups of Parquet: columns encoded and compressed side by side.

use std::collections::HashSet;
use std::io::Write;
use std::mem::discriminant;

use polars::prelude::{PolarsResult, polars_bail};
use polars_arrow::array::{Array, BooleanArray, DictionaryArray, PrimitiveArray};
use polars_arrow::bitmap::BitmapBuilder;
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field};
use polars_arrow::types::NativeType;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter, ParquetType,
    StatisticsOptions, Version, WriteOptions, array_to_columns, fallible_streaming_iterator, get_dtype_encoding,
};
use rayon::prelude::*;

use super::compress::compressed;
use super::distinct::Distinct;
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
fn pages(parts: &[&Column], of: &ParquetType) -> PolarsResult<Vec<CompressedPage>> {
    let (array, encoding) = encoded(parts)?;
    let mut options = OPTIONS;
    let coded = array.as_any().downcast_ref::<DictionaryArray<u32>>();
    if coded.is_some_and(|coded| coded.values().len() > MOST_COMPARED) || matches!(parts[0], Column::Float32(_)) {
        (options.statistics.min_value, options.statistics.max_value) = (false, false);
    }
    let mut pages = Vec::new();
    for of_leaf in array_to_columns(array, of.clone(), options, &[encoding])? {
        for page in of_leaf {
            pages.push(compressed(page?)?);
        }
    }
    Ok(pages)
}

/// The values and how they are written.
fn encoded(parts: &[&Column]) -> PolarsResult<(Box<dyn Array>, Encoding)> {
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
    let usual = |of: &Column| get_dtype_encoding(&type_of(of)).first().copied().unwrap_or(Encoding::Plain);
    Ok(match parts[0] {
        Column::Text(_) => Distinct::of_texts(n_rows, || values!(Text).map(Option::as_deref)).encoded()?,
        Column::Coded(_) => Distinct::of_codes(n_rows, held!(Coded)).encoded()?,
        Column::Keyed(_) => Distinct::of_keys(&held!(Keyed).collect::<Vec<_>>()).encoded()?,
        of @ Column::Int(_) => (numbers(n_rows, values!(Int).copied()).boxed(), usual(of)),
        Column::Float(_) => {
            let known = || values!(Float).map(|value| value.filter(|x| !x.is_nan()));
            let encoding = of_numbers(known().map(|value| value.map_or(u64::MAX, f64::to_bits)));
            (numbers(n_rows, known()).boxed(), encoding)
        }
        Column::Float32(_) => {
            let known = || values!(Float32).map(|&x| (!x.is_nan()).then_some(x));
            let encoding = of_numbers(known().map(|value| value.map_or(u64::MAX, |x| u64::from(x.to_bits()))));
            (numbers(n_rows, known()).boxed(), encoding)
        }
        of @ Column::Date(_) => {
            let days = values!(Date).map(|date| date.map(bellwether_core::Date::days));
            (numbers(n_rows, days).to(ArrowDataType::Date32).boxed(), usual(of))
        }
        of @ Column::Bool(_) => (values!(Bool).copied().collect::<BooleanArray>().boxed(), usual(of)),
    })
}

/// Numbers, and which of them are there.
fn numbers<T: NativeType>(n_rows: usize, values: impl Iterator<Item = Option<T>>) -> PrimitiveArray<T> {
    let (mut numbers, mut is_known) = (Vec::with_capacity(n_rows), BitmapBuilder::with_capacity(n_rows));
    for value in values {
        numbers.push(value.unwrap_or_default());
        is_known.push(value.is_some());
    }
    PrimitiveArray::new(T::PRIMITIVE.into(), numbers.into(), is_known.into_opt_validity())
}

/// Numbers seldom repeat, and to count how often takes longer than to write them.
fn of_numbers(bits: impl Iterator<Item = u64>) -> Encoding {
    let distinct: HashSet<u64> = bits.take(LOOKED_AT).collect();
    if distinct.len() <= FEW { Encoding::RleDictionary } else { Encoding::Plain }
}
