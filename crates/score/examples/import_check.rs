//! Scores rows with a model of other software, for `benches/peers/imports.py` to compare with its maker's predictions.
//!
//! `import_check FILE.onnx N_FEATURES ROWS OUT`: `ROWS` holds little-endian f32, row after row, NaN = missing; `OUT` gets
//! a little-endian f64 a row, the probability. Prints `key=value` lines. Exit code 4 where the file is refused.

use std::error::Error;
use std::process::ExitCode;

use bellwether_core::{Feature, FeatureMatrix, FeatureSchema, Model};
use bellwether_onnx::Imported;
use bellwether_score::Kernel;

const REFUSED: u8 = 4;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let [file, n_features, rows, out] = arguments else { return Err("import_check FILE N_FEATURES ROWS OUT".into()) };
    let n_features: usize = n_features.parse()?;
    let imported = match bellwether_onnx::import(&std::fs::read(file)?) {
        Ok(imported) => imported,
        Err(refused) => {
            println!("refused={refused}");
            return Ok(ExitCode::from(REFUSED));
        }
    };
    let rows = matrix(&std::fs::read(rows)?, n_features)?;
    let probability = score(&imported, n_features, &rows)?;
    std::fs::write(out, probability.iter().flat_map(|p| p.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(ExitCode::SUCCESS)
}

fn score(imported: &Imported, n_features: usize, rows: &FeatureMatrix) -> Result<Vec<f64>, Box<dyn Error>> {
    let n_inputs = imported.n_inputs();
    let converted = imported.convert(&(0..n_inputs).collect::<Vec<_>>(), n_features, &vec![None; n_inputs])?;
    let feature = |place: usize| Feature { name: format!("f{place}"), category: None, good: None };
    let schema = FeatureSchema::new((0..n_features).map(feature).collect())?;
    let kernel = Kernel::compile(&bellwether_onnx::encode(&converted.model, &schema, "churn_90d")?)?;
    let kind = match &converted.model {
        Model::Linear(_) => "linear".to_owned(),
        Model::Trees(trees) => format!("{} trees", trees.trees().len()),
        Model::Scorecard(_) => "scorecard".to_owned(),
        Model::Graph(_) => "tract".to_owned(),
    };
    println!("producer={}\nkernel={kind}\nrounding={:e}", imported.producer(), converted.rounding);
    println!("unruled={}", imported.unruled().len());
    Ok(kernel.logits(rows)?.into_iter().map(|logit| converted.probability(logit)).collect())
}

fn matrix(bytes: &[u8], n_features: usize) -> Result<FeatureMatrix, Box<dyn Error>> {
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let column = |column: usize| values.iter().skip(column).step_by(n_features).copied().collect();
    Ok(FeatureMatrix::from_columns(&(0..n_features).map(column).collect::<Vec<Vec<f32>>>())?)
}
