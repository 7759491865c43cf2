//! Bellwether in another program: opens a bundle, scores a batch and one row.
//!
//! ```text
//! embed BUNDLE
//! ```

use bellwether_core::FeatureMatrix;
use bellwether_score::{ScoreError, Scorer};

fn main() -> Result<(), ScoreError> {
    let bundle = std::env::args().nth(1).unwrap_or_else(|| "models/simulated/1".to_owned());
    let scorer = Scorer::open(bundle.as_ref())?;
    let n_features = scorer.schema().len();

    // One column a feature, in the order of `scorer.schema()`; NaN is missing.
    let rows = FeatureMatrix::from_columns(&vec![vec![0.0, 1.0, f32::NAN]; n_features])?;
    let scores = scorer.score(&rows)?;
    for row in 0..rows.n_rows() {
        println!("{}: health {:?}, {:?}", scores.status[row].name(), scores.health_score[row], scores.band[row]);
    }

    // One row, without allocation: what a service does a request.
    let mut probability = vec![None; scorer.targets().count()];
    let one = scorer.score_one(&vec![1.0; n_features], &mut probability)?;
    for (target, probability) in scorer.targets().zip(&probability) {
        println!("{}: {target} {probability:?}", one.status.name());
    }
    Ok(())
}
