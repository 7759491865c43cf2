//! An altered cover or background shows in the reasons of the certificate, whatever digests someone puts right.

mod models;

use std::path::Path;

use bellwether_bundle::{Bundle, BundleContents, ParityVectors, Provenance, TargetModel, background_digest, write};
use bellwether_core::{
    Background, Bands, Calibration, Digest, EncodedInput, Encoding, Indicator, InputKind, Model, Outcome, Reach,
    ScorecardModel, Target, Trees, UsualRange,
};
use bellwether_health::Scorecard;
use bellwether_score::{Explainer, ScoreError, Scorer, ScorerParts, ScorerTarget, Verification};
use models::{BENCHMARK, Size, bytes_of, model, schema};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };
const LATER: Target = Target { outcome: Outcome::Churn, horizon_days: 180 };
const SIZE: Size = Size { n_features: 9, n_trees: 6, n_leaves: 20 };

/// A bundle of one model, with its certificate.
struct Written {
    model: Model,
    background: Option<Background>,
    parity: ParityVectors,
}

impl Written {
    fn of(kind: &str) -> Self {
        let model = match model(kind, SIZE, 3).expect("a kind of model") {
            Model::Trees(trees) => Model::Trees(with_covers(&trees, 0)),
            other => other,
        };
        let usual = vec![UsualRange { p10: 0.0, p90: 1.0 }; SIZE.n_features];
        let expected = [(CHURN, (0..SIZE.n_features).map(|at| at as f64 / 16.0).collect())].into();
        let background = Some(Background { usual, expected, sample: None, reach: Reach::default() });
        let parity = scorer(&model).certify(&[(CHURN, &model)], background.as_ref(), 7).expect("runs");
        Self { model, background, parity }
    }

    /// Writes it as someone does who alters what scores are explained against: every digest follows.
    fn write(mut self, into: &Path) -> Bundle {
        let of_target = self.parity.targets.get_mut(&CHURN).expect("there is a model");
        of_target.graph = Digest::of(&bytes_of(&self.model));
        self.parity.background = background_digest(self.background.as_ref()).expect("it can be written");
        let n_features = SIZE.n_features;
        let target = TargetModel {
            target: CHURN,
            learner: "some".to_owned(),
            onnx: bytes_of(&self.model),
            calibration: Calibration::None,
        };
        let contents = BundleContents {
            name: "sample".to_owned(),
            encoding: encoding(n_features),
            scorecard: Scorecard {
                model: card(n_features),
                bands: Bands::default(),
                names: vec!["f0".to_owned()],
                categories: vec![None],
                rules: None,
            },
            readiness: None,
            revenue: None,
            background: self.background,
            targets: vec![target],
            min_coverage: 0.0,
            book_toml: String::new(),
            evaluation: serde_json::Value::Null,
            provenance: Provenance {
                bellwether_version: "0".to_owned(),
                crate_versions: [].into(),
                seed: 1,
                config_digest: Digest::of(b""),
                sources: [].into(),
                split: serde_json::Value::Null,
                waivers: Vec::new(),
                imported: [].into(),
            },
            parity: self.parity,
            extra_files: [].into(),
        };
        write(&contents, into).expect("it obeys every rule that needs no reasons");
        Bundle::open(into).expect("it opens")
    }
}

fn encoding(n_features: usize) -> Encoding {
    let input = |j| EncodedInput { name: format!("f{j}"), category: None, good: None, kind: InputKind::Number };
    Encoding { inputs: (0..n_features).map(input).collect() }
}

fn card(n_features: usize) -> ScorecardModel {
    let indicators = vec![Indicator { feature: 0, weight: 1.0, at_zero: 0.0, at_full: 1.0 }];
    ScorecardModel { n_features, indicators, slope: -0.1, intercept: 5.0 }
}

fn scorer(model: &Model) -> Scorer {
    let n_features = model.n_features();
    Scorer::from_parts(ScorerParts {
        schema: schema(n_features),
        encoding: encoding(n_features),
        scorecard: card(n_features),
        bands: Bands::default(),
        rules: None,
        targets: vec![ScorerTarget { target: CHURN, onnx: bytes_of(model), calibration: Calibration::None }],
        min_coverage: 0.0,
        digest: Digest::of(b"version"),
    })
    .expect("the parts fit")
}

/// Some covers; other ones in the tree `altered - 1`, of which one leaf has another row.
fn with_covers(trees: &Trees, altered: usize) -> Trees {
    let cover = |tree: usize, at: usize| (at % 7 + 1) as f32 + f32::from(u8::from(tree + 1 == altered && at % 7 == 3));
    let covers = trees.trees().iter().enumerate().map(|(tree, of)| of.covers(|at| cover(tree, at)));
    trees.clone().with_covers(covers.collect()).expect("covers add up")
}

/// What `explain` and `models verify` say of a bundle that opens and scores.
fn check(altered: Written, message: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = altered.write(&folder.path().join("1"));
    let scorer = Scorer::from_bundle(&bundle).expect("its scores are the same");
    let explained = Explainer::of_bundle(&bundle, &scorer, CHURN).map(|_| ());
    let verified = Verification::of(&bundle).expect("it compiles").reasons();
    for refused in [explained, verified.map(|_| ())] {
        let told = refused.expect_err(message).to_string();
        assert!(told.contains(message), "`{told}` lacks `{message}`");
    }
}

#[test]
fn what_was_written_is_explained() {
    for kind in ["trees", "probability_trees", "linear", "scorecard"] {
        let folder = tempfile::tempdir().expect("a folder");
        let bundle = Written::of(kind).write(&folder.path().join("1"));
        let scorer = Scorer::from_bundle(&bundle).expect("opens");
        assert!(Explainer::of_bundle(&bundle, &scorer, CHURN).is_ok(), "{kind}");
        let n_rows = Verification::of(&bundle).expect("it compiles").reasons().expect("every instruction set agrees");
        assert!((17..=33).contains(&n_rows), "{kind}: {n_rows} rows");
        let none = Explainer::of_bundle(&bundle, &scorer, LATER).map(|_| ());
        assert!(matches!(none, Err(ScoreError::Target { .. })));
    }
}

#[test]
fn few_rows_of_a_usual_ensemble_have_reasons() {
    let Some(Model::Trees(trees)) = model("trees", BENCHMARK, 5) else { panic!("they are trees") };
    let model = Model::Trees(with_covers(&trees, 0));
    let parity = scorer(&model).certify(&[(CHURN, &model)], None, 7).expect("runs");
    let reasons = parity.targets[&CHURN].reasons.as_ref().expect("they can be explained");
    assert_eq!(reasons.contribution_bits.len(), reasons.rows.len() * BENCHMARK.n_features);
    assert!((17..=33).contains(&reasons.rows.len()), "{} of {} rows", reasons.rows.len(), parity.n_rows());
}

#[test]
fn another_cover_of_any_tree_is_refused() {
    for kind in ["trees", "probability_trees"] {
        for tree in 1..=SIZE.n_trees {
            let written = Written::of(kind);
            let Model::Trees(trees) = &written.model else { panic!("{kind} has trees") };
            let model = Model::Trees(with_covers(trees, tree));
            assert_ne!(model, written.model);
            check(Written { model, ..written }, "the sum that `churn_90d` expects is");
        }
    }
}

#[test]
fn another_background_is_refused() {
    for kind in ["linear", "scorecard"] {
        for feature in 0..SIZE.n_features {
            let mut written = Written::of(kind);
            let before = written.parity.clone();
            let background = written.background.as_mut().expect("there is one");
            background.expected.get_mut(&CHURN).expect("of the model")[feature] += 1e-9;
            // A feature that is no indicator has no part in a scorecard.
            if scorer(&written.model)
                .certify(&[(CHURN, &written.model)], written.background.as_ref(), 7)
                .expect("runs")
                .targets
                == before.targets
            {
                assert_eq!(kind, "scorecard");
                continue;
            }
            check(written, "`churn_90d`");
        }
    }
}

#[test]
fn reasons_stand_in_the_certificate_where_there_can_be_some() {
    let mut without = Written::of("trees");
    without.parity.targets.get_mut(&CHURN).expect("there is a model").reasons = None;
    check(without, "what it holds of reasons is `none` where `some` is expected");
    let linear = Written { background: None, ..Written::of("linear") };
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = linear.write(&folder.path().join("1"));
    let verified = Verification::of(&bundle).expect("it compiles").reasons();
    let told = verified.expect_err("nothing tells what is expected").to_string();
    assert!(told.contains("what it holds of reasons is `some` where `none` is expected"), "{told}");
}

#[test]
fn a_reason_that_is_off_by_a_bit_is_named() {
    let mut written = Written::of("linear");
    let reasons = written.parity.targets.get_mut(&CHURN).and_then(|of| of.reasons.as_mut()).expect("it has some");
    let row = reasons.rows[1];
    reasons.contribution_bits[SIZE.n_features + 4] ^= 1;
    check(written, &format!("parity row {row}: what `f4` adds to `churn_90d` is"));
}
