//! What `benches/peers/score_speed.py` runs as Bellwether: a model, scored over and over.
//!
//! ```text
//! score_speed MODEL.json ROWS.f32 [--layout rows|columns] [--path portable|avx2|avx512] [--threads N]
//!             [--seconds S] [--out LOGITS.f64]
//! score_speed MODEL.json ROWS.f32 --open EVALUATION.json
//! score_speed --bundle DIR
//! ```
//! `MODEL.json` is `bellwether_core::Model` as serde writes it; trees are put on the grid of exact sums first.
//! `ROWS.f32` has little-endian f32, one row after the other. Prints one JSON object: how long the graph takes to load
//! (median of 25, and the mean in processor time), to score all rows once (wall and processor seconds, the mean of
//! `--seconds`, 0.5 unless told), and one row alone (`Kernel::logit_row`, median and 99th percentile of microseconds).
//! `--bundle` prints how long `Scorer::open` takes: every digest checked, rows of the certificate replayed. `--open` does so of a
//! bundle of this model alone, which it writes with a certificate, with covers, and with the evaluation of another bundle.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_bundle::{BundleContents, Provenance, TargetModel};
use bellwether_core::{
    Calibration, Digest, Direction, EncodedInput, Encoding, Feature, FeatureMatrix, FeatureSchema, InputKind, Model,
    Outcome as Predicted, Target, Trees,
};
use bellwether_score::{Kernel, Rows, Scorer, ScorerParts, ScorerTarget, SimdPath};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Default)]
struct Arguments {
    files: Vec<String>,
    bundle: Option<String>,
    open: Option<String>,
    layout: Option<String>,
    path: Option<String>,
    threads: Option<usize>,
    seconds: Option<f64>,
    out: Option<String>,
}

fn main() -> Outcome<()> {
    let arguments = arguments()?;
    if let Some(bundle) = &arguments.bundle {
        return print_open(Path::new(bundle));
    }
    let [model, rows] = arguments.files.as_slice() else {
        return Err("score_speed MODEL.json ROWS.f32, or score_speed --bundle DIR".into());
    };
    let model: Model = serde_json::from_slice(&fs::read(model)?)?;
    if let Some(evaluation) = &arguments.open {
        let folder = tempfile::tempdir()?;
        let bundle = folder.path().join("bundle");
        bellwether_bundle::write(&contents(model, &values(rows)?, &fs::read(evaluation)?)?, &bundle)?;
        return print_open(&bundle);
    }
    let graph = graph(&model)?;
    let kernel = Kernel::compile(&graph)?;
    let (load_ms, load_processor_ms) = load_ms(|| Kernel::compile(&graph).map(black_box))?;
    let values = values(rows)?;
    let n_features = kernel.n_features();
    let columns: Vec<Vec<f32>> =
        (0..n_features).map(|feature| values.iter().skip(feature).step_by(n_features).copied().collect()).collect();
    let columns: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
    let rows = match arguments.layout.as_deref() {
        Some("columns") => Rows::columns(&columns)?,
        _ => Rows::row_major(&values, n_features)?,
    };
    let path = match &arguments.path {
        None => SimdPath::fastest(),
        Some(name) => {
            let named = SimdPath::available().into_iter().find(|path| path.name() == name);
            named.ok_or_else(|| format!("this processor has no {name}"))?
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(1)).build()?;
    let logits = pool.install(|| kernel.logits_on(path, &rows))?;
    if let Some(out) = &arguments.out {
        fs::write(out, logits.iter().flat_map(|logit| logit.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    let (wall, processor) = pool.install(|| seconds_a_run(&kernel, path, &rows, arguments.seconds.unwrap_or(0.5)))?;
    let (median_us, p99_us) = one_row_us(&kernel, &values)?;
    println!(
        "{}",
        serde_json::json!({
            "path": path.name(), "rows": rows.n_rows(), "load_ms": load_ms,
            "load_processor_ms": load_processor_ms, "seconds": wall,
            "processor_seconds": processor, "one_row_us": median_us, "one_row_p99_us": p99_us,
        })
    );
    Ok(())
}

fn arguments() -> Outcome<Arguments> {
    let mut all = std::env::args().skip(1);
    let mut found = Arguments::default();
    while let Some(argument) = all.next() {
        let mut value = || all.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--bundle" => found.bundle = Some(value()?),
            "--open" => found.open = Some(value()?),
            "--layout" => found.layout = Some(value()?),
            "--path" => found.path = Some(value()?),
            "--threads" => found.threads = Some(value()?.parse()?),
            "--seconds" => found.seconds = Some(value()?.parse()?),
            "--out" => found.out = Some(value()?),
            _ => found.files.push(argument),
        }
    }
    Ok(found)
}

/// Prints how long it takes to open a bundle.
fn print_open(bundle: &Path) -> Outcome<()> {
    let (load_ms, load_processor_ms) = load_ms(|| Scorer::open(bundle).map(black_box))?;
    println!("{}", serde_json::json!({ "load_ms": load_ms, "load_processor_ms": load_processor_ms }));
    Ok(())
}

/// A bundle of one model, whose health score is learnt on the first of `rows`.
fn contents(model: Model, rows: &[f32], evaluation: &[u8]) -> Outcome<BundleContents> {
    let n_features = model.n_features();
    let input = |j| {
        let good = (j == 0).then_some(Direction::Up);
        EncodedInput { name: format!("f{j}"), category: None, good, kind: InputKind::Number }
    };
    let encoding = Encoding { inputs: (0..n_features).map(input).collect() };
    let schema = encoding.schema()?;
    let model = match model {
        Model::Trees(of) => {
            let covers = of.trees().iter().map(|tree| tree.covers(|at| (at % 7 + 1) as f32)).collect();
            let trees = Trees::new(of.n_features(), of.base(), of.link(), of.trees().to_vec())?;
            Model::Trees(trees.with_covers(covers)?)
        }
        other => other,
    };
    let target = Target { outcome: Predicted::Churn, horizon_days: 90 };
    let onnx = bellwether_onnx::encode(&model, &schema, &target.to_string())?;
    let n_rows = (rows.len() / n_features).min(1_000);
    let columns: Vec<Vec<f32>> =
        (0..n_features).map(|j| (0..n_rows).map(|row| rows[row * n_features + j]).collect()).collect();
    let all: Vec<usize> = (0..n_rows).collect();
    let scorecard = bellwether_health::learn(None, &schema, &FeatureMatrix::from_columns(&columns)?, &all)?;
    let parts = ScorerParts {
        schema,
        encoding: encoding.clone(),
        scorecard: scorecard.model.clone(),
        bands: scorecard.bands,
        rules: scorecard.rules.clone(),
        targets: vec![ScorerTarget { target, onnx: onnx.clone(), calibration: Calibration::None }],
        min_coverage: 0.5,
        digest: Digest::of(b"not written yet"),
    };
    Ok(BundleContents {
        name: "speed".to_owned(),
        encoding,
        scorecard,
        readiness: None,
        revenue: None,
        background: None,
        targets: vec![TargetModel { target, learner: "boosted".to_owned(), onnx, calibration: Calibration::None }],
        min_coverage: parts.min_coverage,
        book_toml: String::new(),
        evaluation: serde_json::from_slice(evaluation)?,
        provenance: Provenance {
            bellwether_version: env!("CARGO_PKG_VERSION").to_owned(),
            crate_versions: BTreeMap::new(),
            seed: 1,
            config_digest: Digest::of(b""),
            sources: BTreeMap::new(),
            split: serde_json::Value::Null,
            waivers: Vec::new(),
            imported: BTreeMap::new(),
        },
        parity: Scorer::from_parts(parts)?.certify(&[(target, &model)], None, 1)?,
        extra_files: BTreeMap::new(),
    })
}

/// The ONNX graph of a model.
fn graph(model: &Model) -> Outcome<Vec<u8>> {
    let model = match model {
        Model::Trees(of) => Model::Trees(Trees::new(of.n_features(), of.base(), of.link(), of.trees().to_vec())?),
        other => other.clone(),
    };
    let feature = |place| Feature { name: format!("f{place}"), category: None, good: None };
    let schema = FeatureSchema::new((0..model.n_features()).map(feature).collect())?;
    Ok(bellwether_onnx::encode(&model, &schema, "churn_90d")?)
}

fn values(path: &str) -> Outcome<Vec<f32>> {
    let bytes = fs::read(path)?;
    Ok(bytes.chunks_exact(4).map(|of| f32::from_le_bytes([of[0], of[1], of[2], of[3]])).collect())
}

/// Wall and processor seconds of one run, the mean of as many as fill `seconds` after one to warm up.
fn seconds_a_run(kernel: &Kernel, path: SimdPath, rows: &Rows<'_>, seconds: f64) -> Outcome<(f64, f64)> {
    let (began, before) = (Instant::now(), processor_seconds()?);
    let mut n_runs = 0;
    while n_runs == 0 || began.elapsed() < Duration::from_secs_f64(seconds) {
        black_box(kernel.logits_on(path, rows)?);
        n_runs += 1;
    }
    let (wall, processor) = (began.elapsed().as_secs_f64(), processor_seconds()? - before);
    Ok((wall / f64::from(n_runs), processor / f64::from(n_runs)))
}

/// What this process has run so far on all its threads, as Linux counts it: in steps of some milliseconds.
fn processor_seconds() -> Outcome<f64> {
    let mut nanoseconds = 0.0;
    for task in fs::read_dir("/proc/self/task")? {
        let of_task = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += of_task.split(' ').next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds * 1e-9)
}

/// Median and 99th percentile over 20,000 calls, after as many to warm up.
fn one_row_us(kernel: &Kernel, values: &[f32]) -> Outcome<(f64, f64)> {
    let mut seconds = Vec::new();
    for row in values.chunks_exact(kernel.n_features()).cycle().take(40_000) {
        let began = Instant::now();
        black_box(kernel.logit_row(black_box(row))?);
        seconds.push(began.elapsed().as_secs_f64());
    }
    let mut seconds = seconds.split_off(20_000);
    seconds.sort_by(f64::total_cmp);
    Ok((seconds[10_000] * 1e6, seconds[19_800] * 1e6))
}

/// Median milliseconds of 25 calls, and the mean of their processor time.
fn load_ms<T, E: Error + Send + Sync + 'static>(load: impl Fn() -> Result<T, E>) -> Outcome<(f64, f64)> {
    let mut times = Vec::new();
    let before = processor_seconds()?;
    for _ in 0..25 {
        let began = Instant::now();
        load()?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let processor_ms = (processor_seconds()? - before) * 1e3 / 25.0;
    times.sort_by(f64::total_cmp);
    Ok((times[12], processor_ms))
}
