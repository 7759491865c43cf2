//! Times a learner on a table that `benches/peers/train_speed.py` wrote; prints one line of JSON.
//!
//! Usage: `train_speed FOLDER N_FEATURES N_TRAIN N_TEST THREADS LEARNER SETTINGS`. The folder holds `x_train.f32` and
//! `x_test.f32` (little-endian, column after column) and `y_train.u8`; `SETTINGS` is [`Settings`] as JSON. The logits of
//! the test rows go to `logits.f64`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use bellwether_core::{Feature, FeatureMatrix, FeatureSchema, Model, Progress};
use bellwether_learn::{LearnerName, Settings, TrainingRows, learner};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, n_features, n_train, n_test, threads, name, settings] = &arguments[..] else {
        return Err("usage: train_speed FOLDER N_FEATURES N_TRAIN N_TEST THREADS LEARNER SETTINGS".into());
    };
    let (folder, n_features) = (PathBuf::from(folder), n_features.parse()?);
    let (name, settings): (LearnerName, Settings) = (name.parse()?, serde_json::from_str(settings)?);
    let x = matrix(&folder.join("x_train.f32"), n_train.parse()?, n_features)?;
    let y: Vec<bool> = std::fs::read(folder.join("y_train.u8"))?.into_iter().map(|label| label == 1).collect();
    let feature = |place| Feature { name: format!("f{place}"), category: None, good: None };
    let schema = FeatureSchema::new((0..n_features).map(feature).collect())?;
    let day = vec![0; y.len()];
    let group: Vec<u64> = (0..y.len() as u64).collect();
    let rows = TrainingRows { schema: &schema, x: &x, y: &y, weights: None, day: &day, group: &group };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?;
    let watch = Watch::default();
    let (began, cpu_before) = (Instant::now(), cpu_seconds());
    let model = pool.install(|| learner(name, &settings)?.fit(&rows, &watch))?;
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    let x_test = matrix(&folder.join("x_test.f32"), n_test.parse()?, n_features)?;
    let mut row = vec![0.0; n_features];
    let logits = (0..x_test.n_rows()).flat_map(|at| {
        x_test.read_row(at, &mut row);
        model.logit(&row).to_le_bytes()
    });
    std::fs::write(folder.join("logits.f64"), logits.collect::<Vec<u8>>())?;
    let last_step = watch.seconds.lock().map_err(|error| error.to_string())?.1;
    let (n_trees, n_nodes) = size(&model);
    println!(
        "{{\"seconds\": {seconds:.4}, \"cpu_seconds\": {cpu:.3}, \"last_step_seconds\": {last_step:.4}, \
         \"trees\": {n_trees}, \"nodes\": {n_nodes}}}"
    );
    Ok(())
}

fn matrix(path: &Path, n_rows: usize, n_features: usize) -> Result<FeatureMatrix, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let value = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let columns: Vec<Vec<f32>> =
        bytes.chunks_exact(n_rows * 4).map(|column| column.chunks_exact(4).map(value).collect()).collect();
    if columns.len() != n_features {
        return Err(format!("{} has {} columns of {n_rows}, not {n_features}", path.display(), columns.len()).into());
    }
    Ok(FeatureMatrix::from_columns(&columns)?)
}

/// Trees and nodes of a model that has them.
fn size(model: &Model) -> (usize, usize) {
    match model {
        Model::Trees(trees) => (trees.trees().len(), trees.trees().iter().map(|tree| tree.nodes.len()).sum()),
        _ => (0, 0),
    }
}

/// User and system seconds of this process on Linux, 0 elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// When the last step began and how long it took: fitting, without ordering rows and choosing settings.
#[derive(Default)]
struct Watch {
    seconds: Mutex<(Option<Instant>, f64)>,
}

impl Progress for Watch {
    fn begin(&self, _what: &str, _total: u64) {
        if let Ok(mut seconds) = self.seconds.lock() {
            seconds.0 = Some(Instant::now());
        }
    }
    fn advance(&self, _units: u64) {}
    fn end(&self) {
        if let Ok(mut seconds) = self.seconds.lock() {
            seconds.1 = seconds.0.map_or(0.0, |began| began.elapsed().as_secs_f64());
        }
    }
}
