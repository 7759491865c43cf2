//! Rows with every column of the file, of some accounts.

use polars::prelude::*;

use crate::BookError;
use crate::config::BookFile;
use crate::split::hash;

use super::load::ColumnUse;
use super::scan::{Rows, scan};

const KEY: &str = "\u{1}key";

/// Of the rows of `accounts` that meet the source's filter: how many equal another in every column of the file, the
/// first of equal ones not counted, and how many there are.
///
/// # Errors
/// [`BookError`] where the file can't be read, or its source has no account column.
pub(crate) fn whole_rows(file: &BookFile, name: &str, accounts: &[&str]) -> Result<(usize, usize), BookError> {
    let source = &file.config.sources[name];
    let scan = scan(file, name, source, &Rows::All)?;
    let mut frame = scan.frame.clone();
    for condition in &source.filter {
        frame = frame.filter(scan.condition(condition, source)?);
    }
    let account = source.account.as_ref().map_or("", |column| column.get_ref());
    let key = scan.column(account, ColumnUse::Key, source)?;
    let ids = DataFrame::new_infer_height(vec![Series::new(KEY.into(), accounts).into_column()]);
    let ids = ids.map_err(|cause| scan.read_error(cause))?.lazy();
    let columns: Vec<Expr> = scan
        .schema
        .iter()
        .map(|(column, dtype)| match dtype {
            dtype if dtype.is_temporal() => col(column.clone()).cast(DataType::Int64).cast(DataType::String),
            _ => col(column.clone()).cast(DataType::String),
        })
        .collect();
    let found = frame
        .join(ids, [key], [col(KEY)], JoinArgs::new(JoinType::Inner))
        .select(columns)
        .collect()
        .map_err(|cause| scan.read_error(cause))?;
    let mut hashes = vec![0_u64; found.height()];
    for column in found.columns() {
        let texts = column.str().map_err(|cause| scan.read_error(cause))?;
        for (of_row, text) in hashes.iter_mut().zip(texts.iter()) {
            *of_row = of_row.rotate_left(7) ^ text.map_or(1, hash);
        }
    }
    hashes.sort_unstable();
    let n_repeats = hashes.windows(2).filter(|pair| pair[0] == pair[1]).count();
    Ok((n_repeats, hashes.len()))
}
