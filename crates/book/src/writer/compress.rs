//! Pages of Parquet, compressed.

use std::cell::RefCell;
use std::io;

use polars::prelude::PolarsResult;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::page::CompressedDictPage;
use polars_parquet::write::{CompressedDataPage, CompressedPage, Page};
use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

/// The quickest of the usual levels: of scores, files are hardly larger than at zstd's own choice, 3.
const LEVEL: i32 = 1;

/// A page of version 1, compressed with zstd.
pub(super) fn compressed(page: Page) -> PolarsResult<CompressedPage> {
    Ok(match page {
        Page::Data(page) => {
            let bytes = packed(page.buffer())?;
            let (header, n_bytes) = (page.header().clone(), page.buffer().len());
            let n_rows = page.num_rows().unwrap_or_default();
            let page = CompressedDataPage::new(
                header,
                CowBuffer::Owned(bytes),
                Compression::Zstd,
                n_bytes,
                page.descriptor,
                n_rows,
            );
            CompressedPage::Data(page)
        }
        Page::Dict(page) => {
            let bytes = packed(&page.buffer)?;
            let (n_bytes, n_values) = (page.buffer.len(), page.num_values);
            let page =
                CompressedDictPage::new(CowBuffer::Owned(bytes), Compression::Zstd, n_bytes, n_values, page.is_sorted);
            CompressedPage::Dict(page)
        }
    })
}

/// What a thread compresses with: kept, because a new one costs as much as a small page.
struct Packer {
    compressor: Compressor<'static>,
    /// Where a page is compressed to before its size is known.
    room: Vec<u8>,
}

thread_local! {
    static PACKER: RefCell<Option<Packer>> = const { RefCell::new(None) };
}

fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|kept| {
        let packer = match kept {
            Some(packer) => packer,
            none => none.insert(Packer { compressor: Compressor::new(LEVEL)?, room: Vec::new() }),
        };
        let bound = compress_bound(bytes.len());
        if packer.room.len() < bound {
            packer.room.resize(bound, 0);
        }
        let n_bytes = packer.compressor.compress_to_buffer(bytes, packer.room.as_mut_slice())?;
        Ok(packer.room[..n_bytes].to_vec())
    })
}
