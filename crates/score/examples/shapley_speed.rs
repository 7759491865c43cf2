//! Times the contributions of a model that another program wrote, and writes them for it to compare.
//!
//! `shapley_speed FOLDER N_THREADS N_RUNS`: the folder holds `model.txt` (one line a node: `tree`, then `split FEATURE
//! THRESHOLD MISSING_LEFT LEFT RIGHT COVER` or `leaf VALUE COVER`) and `x.f32`, the columns of the matrix one after the other. It
//! gets `contributions.f64`, row after row, each row's sum before the model's link last. `benches/peers/shapley_speed.py` runs it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use bellwether_core::{Feature, FeatureMatrix, FeatureSchema, Link, Model, Node, Outcome, Target, Tree, Trees};
use bellwether_score::{Against, Explainer, Kernel};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, n_threads, n_runs] = &arguments[..] else { return Err("FOLDER N_THREADS N_RUNS".into()) };
    let folder = Path::new(folder);
    let x = matrix(&std::fs::read(folder.join("x.f32"))?, &std::fs::read_to_string(folder.join("n_features.txt"))?)?;
    let model = model(&std::fs::read_to_string(folder.join("model.txt"))?, x.n_cols())?;
    let feature = |j| Feature { name: format!("f{j}"), category: None, good: None };
    let schema = FeatureSchema::new((0..x.n_cols()).map(feature).collect())?;
    let kernel = Kernel::compile(&bellwether_onnx::encode(&model, &schema, "churn_90d")?)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads.parse()?).build()?;
    let began = Instant::now();
    let explainer = pool.install(|| Explainer::new(&kernel, &model, CHURN, Against::Training(None)))?;
    let mut told = format!("compile_seconds {}\n", began.elapsed().as_secs_f64());
    let mut found = explainer.contributions(&x)?;
    for _ in 0..n_runs.parse()? {
        let timed = pool.install(|| {
            let (began, busy) = (Instant::now(), busy_seconds());
            found = explainer.contributions(&x)?;
            Ok::<_, Box<dyn Error + Send + Sync>>((began.elapsed().as_secs_f64(), busy_seconds() - busy))
        });
        let (seconds, busy) = timed.map_err(|error| error.to_string())?;
        writeln!(told, "seconds {seconds} busy {busy}")?;
    }
    let mut bytes = Vec::new();
    for row in 0..x.n_rows() {
        let numbers = found.row(row).iter().copied().chain([found.expected]);
        bytes.extend(numbers.flat_map(f64::to_le_bytes));
    }
    std::fs::write(folder.join("contributions.f64"), bytes)?;
    print!("{told}");
    Ok(())
}

/// Seconds that this thread has run, where the system tells; with one thread in the pool all work is on it.
fn busy_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn matrix(bytes: &[u8], n_features: &str) -> Result<FeatureMatrix, Box<dyn Error>> {
    let values: Vec<f32> = bytes.chunks_exact(4).map(|of| f32::from_le_bytes([of[0], of[1], of[2], of[3]])).collect();
    let columns: Vec<Vec<f32>> =
        values.chunks_exact(values.len() / n_features.trim().parse::<usize>()?).map(<[f32]>::to_vec).collect();
    Ok(FeatureMatrix::from_columns(&columns)?)
}

fn model(text: &str, n_features: usize) -> Result<Model, Box<dyn Error>> {
    let (mut trees, mut covers): (Vec<Tree>, Vec<Vec<f32>>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (node, cover) = match words[..] {
            ["tree"] => {
                trees.push(Tree { nodes: Vec::new() });
                covers.push(Vec::new());
                continue;
            }
            ["split", feature, threshold, missing_left, left, right, cover] => {
                let (feature, threshold) = (feature.parse()?, threshold.parse()?);
                let (left, right) = (left.parse()?, right.parse()?);
                (Node::Split { feature, threshold, missing_left: missing_left == "1", left, right }, cover)
            }
            ["leaf", value, cover] => (Node::Leaf { value: value.parse()? }, cover),
            _ => return Err(format!("`{line}` is no node").into()),
        };
        trees.last_mut().ok_or("a tree comes first")?.nodes.push(node);
        covers.last_mut().ok_or("a tree comes first")?.push(cover.parse()?);
    }
    Ok(Model::Trees(Trees::new(n_features, 0.0, Link::Logit, trees)?.with_covers(covers)?))
}
