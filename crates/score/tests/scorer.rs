//! What a scorer gives, and what it refuses.

use std::collections::BTreeMap;

use bellwether_bundle::{BundleContents, Provenance, TargetModel};
use bellwether_core::{
    Band, Bands, Calibration, Digest, EncodedInput, Encoding, FeatureCondition, FeatureMatrix, FeatureRange,
    HealthCard, HealthCategory, HealthIndicator, HealthRules, Indicator, InputKind, Link, MissingPolicy, Model, Node,
    Outcome, RowStatus, Scale, ScorecardModel, Target, Tree, Trees, Veto,
};
use bellwether_health::Scorecard;
use bellwether_score::{ScoreError, Scorer, ScorerParts, ScorerTarget, parity_rows_for};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };
const EXPANSION: Target = Target { outcome: Outcome::Expansion, horizon_days: 90 };
const NAN: f32 = f32::NAN;

/// `logins`, `plan=free`, `plan=pro`, `plan=(other)`, `idle`; no model reads `idle`.
fn encoding() -> Encoding {
    let input = |name: &str, kind| EncodedInput { name: name.to_owned(), category: None, good: None, kind };
    let levels = vec!["free".to_owned(), "pro".to_owned()];
    Encoding {
        inputs: vec![
            input("logins", InputKind::Number),
            input("plan", InputKind::Levels { levels, other: true }),
            input("idle", InputKind::Number),
        ],
    }
}

/// Splits on `feature` at `threshold`: -1 to the left, 1 to the right.
fn stump(feature: u32, threshold: f32) -> Model {
    let nodes = vec![
        Node::Split { feature, threshold, missing_left: true, left: 1, right: 2 },
        Node::Leaf { value: -1.0 },
        Node::Leaf { value: 1.0 },
    ];
    Model::Trees(Trees::new(5, 0.0, Link::Logit, vec![Tree { nodes }]).expect("a stump is a tree"))
}

fn scorecard() -> ScorecardModel {
    let logins = Indicator { feature: 0, weight: 100.0, at_zero: 0.0, at_full: 20.0 };
    ScorecardModel { n_features: 5, indicators: vec![logins], slope: -0.1, intercept: 5.0 }
}

fn target(target: Target, model: &Model) -> ScorerTarget {
    let schema = encoding().schema().expect("names differ");
    let onnx = bellwether_onnx::encode(model, &schema, &target.to_string()).expect("the model can be written");
    ScorerTarget { target, onnx, calibration: Calibration::Platt { slope: 2.0, intercept: 0.5 } }
}

fn parts() -> ScorerParts {
    ScorerParts {
        schema: encoding().schema().expect("names differ"),
        encoding: encoding(),
        scorecard: scorecard(),
        bands: Bands::default(),
        rules: None,
        targets: vec![target(EXPANSION, &stump(3, 0.5)), target(CHURN, &stump(0, 8.0))],
        min_coverage: 0.5,
        digest: Digest::of(b"version"),
    }
}

fn matrix(rows: &[[f32; 5]]) -> FeatureMatrix {
    let column = |j: usize| rows.iter().map(|row| row[j]).collect();
    FeatureMatrix::from_columns(&(0..5).map(column).collect::<Vec<Vec<f32>>>()).expect("finite or missing")
}

#[test]
fn a_row_has_all_numbers_or_none() {
    let scorer = Scorer::from_parts(parts()).expect("the parts fit");
    assert_eq!(scorer.targets().collect::<Vec<_>>(), [CHURN, EXPANSION]);
    let rows = matrix(&[
        [18.0, 0.0, 0.0, 1.0, 7.0],
        [2.0, NAN, NAN, NAN, NAN],
        [NAN, 1.0, 0.0, 0.0, NAN],
        [NAN, NAN, NAN, NAN, 7.0],
    ]);
    let scores = scorer.score(&rows).expect("scores");
    let (scored, insufficient) = (RowStatus::Scored, RowStatus::InsufficientData);
    assert_eq!(scores.status, [scored, scored, scored, insufficient]);
    // Two inputs are read, `logins` and `plan`; a plan counts once, `idle` not at all.
    assert_eq!(scores.coverage, [1.0, 0.5, 0.5, 0.0]);
    assert_eq!(scores.health_score, [Some(90.0), Some(10.0), Some(50.0), None]);
    assert_eq!(scores.band, [Some(Band::Green), Some(Band::Red), Some(Band::Yellow), None]);
    let (low, high) = (bellwether_core::sigmoid(-1.5), bellwether_core::sigmoid(2.5));
    assert_eq!(scores.probability[&CHURN], [Some(high), Some(low), Some(low), None]);
    assert_eq!(scores.probability[&EXPANSION], [Some(high), Some(low), Some(low), None]);
}

/// One card: `logins` must be known and earns all from 10; idle accounts have 40 at most.
fn rules() -> HealthRules {
    let logins = HealthIndicator {
        feature: 0,
        name: "logins".to_owned(),
        weight: 3.0,
        scale: Scale::Banded { edges: vec![10.0], points: vec![25.0, 100.0] },
        missing: MissingPolicy::Refuse,
    };
    let is_idle = FeatureCondition { any: vec![FeatureRange { feature: 4, at_least: Some(5.0), below: None }] };
    HealthRules {
        cards: vec![HealthCard {
            name: "base".to_owned(),
            when: Vec::new(),
            bands: Bands::T_A,
            categories: vec![HealthCategory { name: None, weight: 100.0, indicators: vec![logins] }],
        }],
        vetoes: vec![Veto { name: "idle".to_owned(), when: vec![is_idle], at_most: 40.0 }],
        thresholds: None,
    }
}

#[test]
fn health_is_by_all_rules_and_counts_what_they_read() {
    let scorer = Scorer::from_parts(ScorerParts { rules: Some(rules()), ..parts() }).expect("the parts fit");
    let rows = matrix(&[
        [18.0, 0.0, 0.0, 1.0, 0.0],
        [18.0, 0.0, 0.0, 1.0, 7.0],
        [2.0, NAN, NAN, NAN, 0.0],
        [NAN, 1.0, 0.0, 0.0, 0.0],
    ]);
    let scores = scorer.score(&rows).expect("scores");
    // A third input is read: `idle`, by the veto.
    assert_eq!(scores.coverage, [1.0, 1.0, 2.0 / 3.0, 2.0 / 3.0]);
    assert_eq!(scores.health_coverage, [1.0, 1.0, 1.0, 0.0]);
    assert_eq!(scores.health_score, [Some(100.0), Some(40.0), Some(25.0), None]);
    assert_eq!(scores.band, [Some(Band::Green), Some(Band::Red), Some(Band::Red), None]);
    let (scored, refused) = (RowStatus::Scored, RowStatus::HealthRefused);
    assert_eq!(scores.status, [scored, scored, scored, refused]);
    assert!(scores.probability[&CHURN].iter().all(Option::is_some));
    // A number is replayed all the same.
    let parity = scorer.parity_vectors(&rows).expect("scores");
    assert_eq!(parity.health_bits[3], 50.0_f64.to_bits());
    assert!(scorer.replay(&parity, parity.n_rows()).is_ok());
    assert_eq!(parity.status[3], refused);
}

#[test]
fn the_least_share_is_enough() {
    for (min_coverage, status) in [(0.5, RowStatus::Scored), (0.500_001, RowStatus::InsufficientData)] {
        let scorer = Scorer::from_parts(ScorerParts { min_coverage, ..parts() }).expect("the parts fit");
        let scores = scorer.score(&matrix(&[[1.0, NAN, NAN, NAN, NAN]])).expect("scores");
        assert_eq!(scores.status, [status], "{min_coverage}");
    }
}

#[test]
fn a_row_scores_the_same_alone() {
    let scorer = Scorer::from_parts(parts()).expect("the parts fit");
    let rows = parity_rows_for(&[&stump(0, 8.0), &stump(3, 0.5)], 1, 5_000);
    let all = scorer.score(&rows).expect("scores");
    for row in (0..rows.n_rows()).step_by(7) {
        let alone = scorer.score(&rows.select(&[row])).expect("scores");
        assert_eq!(alone.status, [all.status[row]]);
        assert_eq!(alone.health_score, [all.health_score[row]]);
        assert_eq!(alone.band, [all.band[row]]);
        for target in scorer.targets() {
            assert_eq!(alone.probability[&target], [all.probability[&target][row]]);
        }
    }
}

#[test]
fn rows_of_another_width_are_refused() {
    let scorer = Scorer::from_parts(parts()).expect("the parts fit");
    let narrow = FeatureMatrix::from_columns(&[vec![1.0]]).expect("a matrix");
    assert!(matches!(scorer.score(&narrow), Err(ScoreError::Features { found: 1, expected: 5 })));
    let kernel = scorer.kernel(CHURN).expect("there is a model");
    assert!(matches!(kernel.logit_row(&[0.0]), Err(ScoreError::Features { .. })));
    let infinite = kernel.logit_row(&[0.0, 0.0, f32::INFINITY, 0.0, 0.0]);
    assert!(matches!(infinite, Err(ScoreError::Infinite { feature: 2, .. })));
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let check = |alter: fn(&mut ScorerParts), message: &str| {
        let mut parts = parts();
        alter(&mut parts);
        let refused = Scorer::from_parts(parts).expect_err(message);
        assert!(refused.to_string().contains(message), "`{refused}` should contain `{message}`");
    };
    check(|parts| parts.min_coverage = 1.5, "min_coverage is 1.5");
    check(|parts| parts.min_coverage = f64::NAN, "min_coverage is NaN");
    check(|parts| parts.encoding.inputs.swap(0, 2), "the encoding: the schema digest");
    check(|parts| parts.scorecard.n_features = 6, "the scorecard: the number of features is `6`");
    check(|parts| parts.scorecard.indicators[0].weight = -1.0, "its weight must be above 0");
    check(|parts| parts.targets[0].target = CHURN, "the graph of `churn_90d`: the target is `expansion_90d`");
    check(|parts| parts.targets.push(parts.targets[0].clone()), "2 models for target `expansion_90d`");
    check(|parts| parts.targets[0].calibration = Calibration::Platt { slope: -1.0, intercept: 0.0 }, "Platt");
    check(|parts| parts.targets[0].onnx.truncate(100), "not an ONNX file");
    let other_schema = |parts: &mut ScorerParts| {
        parts.encoding.inputs[2].name = "other".to_owned();
        parts.schema = parts.encoding.schema().expect("names differ");
    };
    check(other_schema, "the graph of `expansion_90d`: the schema digest");
}

/// A bundle of [`parts`] with its parity vectors after `alter`.
fn bundle(alter: fn(&mut bellwether_bundle::ParityVectors)) -> (tempfile::TempDir, std::path::PathBuf) {
    let scorer = Scorer::from_parts(parts()).expect("the parts fit");
    let mut parity = scorer.certify(&[(EXPANSION, &stump(3, 0.5)), (CHURN, &stump(0, 8.0))], None, 1).expect("runs");
    alter(&mut parity);
    let model = |of: ScorerTarget| TargetModel {
        target: of.target,
        learner: "tree".to_owned(),
        onnx: of.onnx,
        calibration: of.calibration,
    };
    let contents = BundleContents {
        name: "sample".to_owned(),
        encoding: encoding(),
        scorecard: Scorecard {
            model: scorecard(),
            bands: Bands::default(),
            names: vec!["logins".to_owned()],
            categories: vec![None],
            rules: None,
        },
        readiness: None,
        revenue: None,
        background: None,
        targets: parts().targets.into_iter().map(model).collect(),
        min_coverage: 0.5,
        book_toml: String::new(),
        evaluation: serde_json::Value::Null,
        provenance: Provenance {
            bellwether_version: "0".to_owned(),
            crate_versions: BTreeMap::new(),
            seed: 1,
            config_digest: Digest::of(b""),
            sources: BTreeMap::new(),
            split: serde_json::Value::Null,
            waivers: Vec::new(),
            imported: BTreeMap::new(),
        },
        parity,
        extra_files: BTreeMap::new(),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("1");
    bellwether_bundle::write(&contents, &path).expect("writes");
    (folder, path)
}

#[test]
fn a_bundle_scores_as_its_parts_do() {
    let (_folder, path) = bundle(|_| ());
    let (opened, built) = (Scorer::open(&path).expect("opens"), Scorer::from_parts(parts()).expect("the parts fit"));
    let rows = parity_rows_for(&[&stump(0, 8.0)], 3, 100);
    assert_eq!(opened.score(&rows).expect("scores").health_score, built.score(&rows).expect("scores").health_score);
    assert_eq!(opened.score(&rows).expect("scores").probability, built.score(&rows).expect("scores").probability);
    assert_eq!(opened.schema(), built.schema());
    assert_ne!(opened.digest(), built.digest());
}

#[test]
fn a_number_that_this_machine_does_not_give_is_refused() {
    let check = |alter: fn(&mut bellwether_bundle::ParityVectors), message: &str| {
        let (_folder, path) = bundle(alter);
        let refused = Scorer::open(&path).expect_err(message).to_string();
        assert!(refused.contains(message), "`{refused}` should contain `{message}`");
    };
    check(
        |parity| parity.targets.get_mut(&CHURN).expect("there is a model").logit_bits[3] ^= 1,
        "parity row 3: the logit of `churn_90d` is",
    );
    check(
        |parity| parity.targets.get_mut(&EXPANSION).expect("there is a model").probability_bits[0] ^= 1,
        "parity row 0: the probability of `expansion_90d` is",
    );
    check(|parity| parity.health_bits[5] ^= 1, "parity row 5: the health score is");
    check(|parity| parity.columns[2][1] ^= 1, "parity row 1: feature `plan=pro` is");
    check(
        |parity| parity.status[0] = RowStatus::HealthRefused,
        "parity row 0: the status is scored where the bundle says health_refused",
    );
    check(
        |parity| parity.targets.get_mut(&CHURN).expect("there is a model").graph = Digest::of(b"other"),
        "the graph of `churn_90d`: the SHA-256 is",
    );
    check(|parity| parity.inputs.columns.swap(0, 2), "feature 0 is `idle` where the model expects `logins`");
}
