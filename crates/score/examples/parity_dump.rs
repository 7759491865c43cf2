//! Writes what `benches/peers/parity.py` compares with ONNX Runtime: a graph, rows, and our logits and leaves.
//!
//! ```text
//! parity_dump SOURCE [--rows N] [--seed N] [--tract-rows N] --out DIR
//! SOURCE: a bundle's folder, a .onnx file, or random:KIND with KIND trees, probability_trees, linear or scorecard
//! ```
//! Rows are those of `parity_rows`: N random ones, and every threshold with its neighbours. Compares with tract on the
//! way: leaves in every row, logits of an ensemble in `--tract-rows` rows spread over all (20,000 unless told), because
//! tract 0.23 steps over all leaves of the trees before, for each tree of each row. Prints one line a model, and exits
//! with 1 if a leaf differs. Where `RUST_BACKTRACE` is set, set `RUST_LIB_BACKTRACE=0` too (see `Reference::logits`).

#[path = "../tests/models/mod.rs"]
mod models;

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use bellwether_bundle::Bundle;
use bellwether_core::FeatureMatrix;
use bellwether_score::{Kernel, Reference, parity_rows};

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Arguments {
    source: String,
    n_random: usize,
    seed: u64,
    n_tract: usize,
    out: PathBuf,
}

fn main() -> Outcome<()> {
    let arguments = arguments()?;
    fs::create_dir_all(&arguments.out)?;
    let mut n_differing = 0;
    for (name, bytes) in graphs(&arguments)? {
        n_differing += dump(&name, &bytes, &arguments)?;
    }
    if n_differing > 0 { Err(format!("{n_differing} leaves differ between native and tract").into()) } else { Ok(()) }
}

fn arguments() -> Outcome<Arguments> {
    let mut all = std::env::args().skip(1);
    let (mut source, mut n_random, mut seed, mut n_tract, mut out) = (None, 1_000_000, 1, 20_000, None);
    while let Some(argument) = all.next() {
        let mut value = || all.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--rows" => n_random = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--tract-rows" => n_tract = value()?.parse()?,
            "--out" => out = Some(PathBuf::from(value()?)),
            _ => source = Some(argument),
        }
    }
    let usage = "parity_dump SOURCE [--rows N] [--seed N] [--tract-rows N] --out DIR";
    Ok(Arguments { source: source.ok_or(usage)?, n_random, seed, n_tract, out: out.ok_or(usage)? })
}

/// Name and bytes of each graph of the source.
fn graphs(arguments: &Arguments) -> Outcome<Vec<(String, Vec<u8>)>> {
    let source = arguments.source.as_str();
    if let Some(kind) = source.strip_prefix("random:") {
        let model = models::model(kind, models::BENCHMARK, arguments.seed).ok_or("no such kind of model")?;
        return Ok(vec![(kind.to_owned(), models::bytes_of(&model))]);
    }
    if Path::new(source).is_file() {
        let stem = Path::new(source).file_stem().ok_or("the file has no name")?;
        return Ok(vec![(stem.to_string_lossy().into_owned(), fs::read(source)?)]);
    }
    let bundle = Bundle::open(Path::new(source))?;
    Ok(bundle.targets().iter().map(|of| (of.target.to_string(), of.onnx.clone())).collect())
}

/// Writes one model's files; returns how many leaves differ from tract's.
fn dump(name: &str, bytes: &[u8], arguments: &Arguments) -> Outcome<usize> {
    let model = bellwether_onnx::decode(bytes)?.model;
    let rows = parity_rows(&model, arguments.seed, arguments.n_random);
    let (kernel, reference) = (Kernel::compile(bytes)?, Reference::new(bytes)?);
    let began = Instant::now();
    let logits = kernel.logits(&rows)?;
    let seconds = began.elapsed().as_secs_f64();
    let leaves = kernel.leaves(&rows)?;
    let of_tract = reference.leaves(&rows)?;
    let n_differing = leaves.iter().zip(&of_tract).filter(|(ours, theirs)| ours != theirs).count();
    let step = if leaves.is_empty() { 1 } else { rows.n_rows().div_ceil(arguments.n_tract.max(1)) };
    let sample: Vec<usize> = (0..rows.n_rows()).step_by(step).collect();
    let logits_of_tract = reference.logits(&rows.select(&sample))?;
    let relative =
        |(&row, &theirs): (&usize, &f32)| (logits[row] - f64::from(theirs)).abs() / logits[row].abs().max(1.0);
    let largest = sample.iter().zip(&logits_of_tract).map(relative).fold(0.0, f64::max);
    let file = |extension: &str| arguments.out.join(format!("{name}.{extension}"));
    fs::write(file("onnx"), bytes)?;
    write_rows(&file("rows.f32"), &rows)?;
    write_all(&file("logits.f64"), logits.iter().map(|logit| logit.to_le_bytes()))?;
    if !leaves.is_empty() {
        write_all(&file("leaves.u32"), leaves.iter().map(|leaf| leaf.to_le_bytes()))?;
    }
    let n_rows = rows.n_rows();
    println!(
        "{name}: {n_rows} rows; native {:.0} rows/s; tract: largest relative logit difference {largest:e} in {} rows, \
         {n_differing} of {} leaves differ",
        n_rows as f64 / seconds,
        sample.len(),
        leaves.len(),
    );
    Ok(n_differing)
}

fn write_rows(path: &Path, rows: &FeatureMatrix) -> Outcome<()> {
    let mut row = vec![0.0; rows.n_cols()];
    let mut file = BufWriter::new(File::create(path)?);
    for at in 0..rows.n_rows() {
        rows.read_row(at, &mut row);
        for value in &row {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(file.flush()?)
}

fn write_all<const N: usize>(path: &Path, values: impl Iterator<Item = [u8; N]>) -> Outcome<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for value in values {
        file.write_all(&value)?;
    }
    Ok(file.flush()?)
}
