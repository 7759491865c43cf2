//! Schemas and matrices in a line.

use bellwether_core::{Assessment, Direction, Feature, FeatureMatrix, FeatureSchema};
use bellwether_health::{HealthError, History, Scorecard, ScorecardSpec, learn_on_history};

pub(crate) const NAN: f32 = f32::NAN;

/// Features `a ^`, `b v support`, `c -`: after a name its declared direction, then its category.
pub(crate) fn schema(features: &[&str]) -> FeatureSchema {
    let feature = |text: &&str| {
        let mut words = text.split(' ');
        let name = words.next().expect("a name").to_owned();
        let good = match words.next() {
            Some("^") => Some(Direction::Up),
            Some("v") => Some(Direction::Down),
            _ => None,
        };
        Feature { name, good, category: words.next().map(str::to_owned) }
    };
    FeatureSchema::new(features.iter().map(feature).collect()).expect("names differ")
}

/// One row after the other.
pub(crate) fn matrix(rows: &[&[f32]]) -> FeatureMatrix {
    let column = |column: usize| rows.iter().map(|row| row[column]).collect();
    FeatureMatrix::from_columns(&(0..rows[0].len()).map(column).collect::<Vec<Vec<f32>>>()).expect("finite")
}

pub(crate) fn spec(text: &str) -> ScorecardSpec {
    toml::from_str(text).expect("a spec of the test")
}

/// Learns from all rows; each is an account of its own of which nothing is known.
pub(crate) fn learn_rows(text: &str, features: &[&str], rows: &[&[f32]]) -> Result<Scorecard, HealthError> {
    learn_warned(text, features, rows).map(|(card, _)| card)
}

/// [`learn_rows`] with its warnings.
pub(crate) fn learn_warned(
    text: &str,
    features: &[&str],
    rows: &[&[f32]],
) -> Result<(Scorecard, Vec<String>), HealthError> {
    let account: Vec<u32> = (0..rows.len() as u32).collect();
    let history =
        History { account: &account, day: &vec![0; rows.len()], churned: &vec![None; rows.len()], regression: None };
    let training: Vec<usize> = (0..rows.len()).collect();
    learn_on_history(Some(&spec(text)), &schema(features), &matrix(rows), &training, &history)
}

pub(crate) fn assess(card: &Scorecard, row: &[f32]) -> Assessment {
    card.health_model().assess(|feature| row[feature])
}

#[track_caller]
pub(crate) fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}
