//! Probabilities never fall as the horizon grows, and the main horizon's is its own model's, bit for bit.

use bellwether_core::{
    Bands, Calibration, Digest, EncodedInput, Encoding, FeatureMatrix, Indicator, InputKind, Link, Model, Node,
    Outcome, RowStatus, ScorecardModel, Target, Tree, Trees,
};
use bellwether_score::{Scorer, ScorerParts, ScorerTarget};
use proptest::prelude::*;

const N_FEATURES: usize = 3;
const DAYS: [u32; 4] = [7, 30, 60, 90];

fn encoding() -> Encoding {
    let input =
        |name: &str| EncodedInput { name: name.to_owned(), category: None, good: None, kind: InputKind::Number };
    Encoding { inputs: ["logins", "seats", "tickets"].map(input).to_vec() }
}

/// A feature, a threshold, the logits of both sides, and a calibration's slope and intercept.
type Stump = (u32, f32, (f32, f32), (f64, f64));

fn stump() -> impl Strategy<Value = Stump> {
    (0..N_FEATURES as u32, -3.0_f32..3.0, (-4.0_f32..4.0, -4.0_f32..4.0), (0.1..3.0, -2.0..2.0))
}

fn target(outcome: Outcome, horizon_days: u32, of: Stump) -> ScorerTarget {
    let (feature, threshold, (left, right), (slope, intercept)) = of;
    let nodes = vec![
        Node::Split { feature, threshold, missing_left: true, left: 1, right: 2 },
        Node::Leaf { value: left },
        Node::Leaf { value: right },
    ];
    let trees = Trees::new(N_FEATURES, 0.0, Link::Logit, vec![Tree { nodes }]).expect("a stump is a tree");
    let target = Target { outcome, horizon_days };
    let schema = encoding().schema().expect("names differ");
    let onnx = bellwether_onnx::encode(&Model::Trees(trees), &schema, &target.to_string()).expect("can be written");
    ScorerTarget { target, onnx, calibration: Calibration::Platt { slope, intercept } }
}

fn scorer(targets: Vec<ScorerTarget>) -> Scorer {
    let logins = Indicator { feature: 0, weight: 100.0, at_zero: 0.0, at_full: 20.0 };
    Scorer::from_parts(ScorerParts {
        schema: encoding().schema().expect("names differ"),
        encoding: encoding(),
        scorecard: ScorecardModel { n_features: N_FEATURES, indicators: vec![logins], slope: -0.1, intercept: 5.0 },
        bands: Bands::default(),
        rules: None,
        targets,
        min_coverage: 0.5,
        digest: Digest::of(b"version"),
    })
    .expect("the parts fit")
}

fn rows() -> impl Strategy<Value = Vec<[f32; N_FEATURES]>> {
    let value = prop_oneof![1 => Just(f32::NAN), 6 => -4.0_f32..4.0];
    prop::collection::vec([value.clone(), value.clone(), value], 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn longer_horizons_are_at_least_as_likely_on_every_row(
        churn in prop::array::uniform4(stump()),
        contraction in prop::array::uniform4(stump()),
        mains in (0..DAYS.len(), 0..DAYS.len()),
        rows in rows(),
    ) {
        let outcomes = [(Outcome::Churn, churn, mains.0), (Outcome::Contraction, contraction, mains.1)];
        let mut targets = Vec::new();
        for (outcome, stumps, main) in outcomes {
            let mut of_outcome: Vec<_> = DAYS.into_iter().zip(stumps).map(|(days, of)| target(outcome, days, of)).collect();
            // The first is the main one; the order of the others does not matter.
            of_outcome.swap(0, main);
            targets.extend(of_outcome);
        }
        let column = |feature: usize| rows.iter().map(|row| row[feature]).collect();
        let x = FeatureMatrix::from_columns(&[column(0), column(1), column(2)]).expect("finite or missing");
        let whole = scorer(targets.clone());
        let ordered = whole.probabilities(&x).expect("scores");
        let scores = whole.score(&x).expect("scores");
        let parity = whole.parity_vectors(&x).expect("runs");
        for (outcome, _, main) in outcomes {
            let targets_of: Vec<&ScorerTarget> = targets.iter().filter(|of| of.target.outcome == outcome).collect();
            let own = |days: u32, row: usize| {
                let alone = targets_of.iter().find(|of| of.target.horizon_days == days).expect("one a horizon");
                let target = alone.target;
                scorer(vec![(*alone).clone()]).probabilities(&x).expect("scores")[&target][row]
            };
            prop_assert_eq!(whole.main_target(outcome), Some(targets_of[0].target));
            let together = |row: usize| DAYS.map(|horizon_days| ordered[&Target { outcome, horizon_days }][row]);
            for row in 0..x.n_rows() {
                let of_row = together(row);
                let alone = DAYS.map(|days| own(days, row));
                prop_assert!(of_row.is_sorted(), "{:?} of {:?}", of_row, alone);
                prop_assert_eq!(of_row[main].to_bits(), alone[main].to_bits());
                if alone.is_sorted() {
                    prop_assert_eq!(of_row, alone);
                }
                // Stepping outwards, each takes the nearest value in order: in the end the least (shorter horizons) or
                // greatest (longer) of what the models from the main one to it say alone.
                for place in 0..DAYS.len() {
                    let between = if place < main { &alone[place..=main] } else { &alone[main..=place] };
                    let nearest = if place < main {
                        between.iter().copied().fold(f64::INFINITY, f64::min)
                    } else {
                        between.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                    };
                    prop_assert_eq!(of_row[place].to_bits(), nearest.to_bits());
                    let target = Target { outcome, horizon_days: DAYS[place] };
                    let expected = (scores.status[row] == RowStatus::Scored).then_some(of_row[place]);
                    prop_assert_eq!(scores.probability[&target][row], expected);
                    prop_assert_eq!(parity.targets[&target].probability_bits[row], of_row[place].to_bits());
                }
            }
        }
    }
}
