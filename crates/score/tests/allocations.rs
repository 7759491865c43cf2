//! One row is scored without allocation.

mod models;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bellwether_core::{
    Bands, Calibration, Digest, EncodedInput, Encoding, Indicator, InputKind, Model, Outcome, RowStatus,
    ScorecardModel, Target,
};
use bellwether_score::{Kernel, Scorer, ScorerParts, ScorerTarget};
use models::{BENCHMARK, bytes_of, model};

thread_local! {
    static N_ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which counts.
struct Counting;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.set(N_ALLOCATIONS.get() + 1);
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: `alloc` gave it.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = N_ALLOCATIONS.get();
    work();
    N_ALLOCATIONS.get() - before
}

fn row() -> Vec<f32> {
    (0..60).map(|feature| if feature % 9 == 0 { f32::NAN } else { feature as f32 / 7.0 - 3.0 }).collect()
}

#[test]
fn the_logit_of_a_row_needs_no_allocation() {
    assert_eq!(allocations(|| drop(Vec::<u8>::with_capacity(1))), 1);
    for kind in ["trees", "probability_trees", "linear", "scorecard"] {
        let kernel = Kernel::compile(&bytes_of(&model(kind, BENCHMARK, 1).expect("a kind"))).expect("compiles");
        let row = row();
        let n = allocations(|| assert!(kernel.logit_row(&row).expect("runs").is_finite()));
        assert_eq!(n, 0, "{kind}");
    }
}

/// Trees for three horizons of churn and one of expansion.
fn scorer() -> Scorer {
    let input =
        |feature| EncodedInput { name: format!("f{feature}"), category: None, good: None, kind: InputKind::Number };
    let encoding = Encoding { inputs: (0..60).map(input).collect() };
    let schema = encoding.schema().expect("names differ");
    let target = |(seed, outcome, horizon_days)| {
        let target = Target { outcome, horizon_days };
        let model = model("trees", BENCHMARK, seed).expect("a kind");
        let onnx = bellwether_onnx::encode(&model, &schema, &target.to_string()).expect("the model can be written");
        ScorerTarget { target, onnx, calibration: Calibration::Platt { slope: 1.5, intercept: 0.25 } }
    };
    let targets =
        [(1, Outcome::Churn, 90), (2, Outcome::Churn, 30), (3, Outcome::Churn, 180), (4, Outcome::Expansion, 90)];
    let indicators = vec![Indicator { feature: 3, weight: 2.0, at_zero: -3.0, at_full: 5.0 }];
    Scorer::from_parts(ScorerParts {
        encoding,
        schema: schema.clone(),
        scorecard: ScorecardModel { n_features: 60, indicators, slope: -0.1, intercept: 5.0 },
        bands: Bands::default(),
        rules: None,
        targets: targets.into_iter().map(target).collect(),
        min_coverage: 0.5,
        digest: Digest::of(b"version"),
    })
    .expect("the parts fit")
}

#[test]
fn a_row_alone_has_the_scores_that_it_has_among_others_and_needs_no_allocation() {
    let scorer = scorer();
    let n_targets = scorer.targets().count();
    let Model::Trees(trees) = model("trees", BENCHMARK, 1).expect("a kind") else { unreachable!("these are trees") };
    let rows = bellwether_score::parity_rows(&Model::Trees(trees), 1, 500);
    let all = scorer.score(&rows).expect("scores");
    let mut row = vec![0.0; 60];
    let mut probability = vec![None; n_targets];
    for at in 0..rows.n_rows() {
        rows.read_row(at, &mut row);
        let mut found = None;
        let n = allocations(|| found = scorer.score_one(&row, &mut probability).ok());
        assert_eq!(n, 0, "row {at}");
        let found = found.expect("scores");
        assert_eq!((found.status, found.coverage), (all.status[at], all.coverage[at]), "row {at}");
        assert_eq!((found.health_score, found.band), (all.health_score[at], all.band[at]), "row {at}");
        assert_eq!(found.health_coverage, all.health_coverage[at], "row {at}");
        let among: Vec<Option<f64>> = all.probability.values().map(|of| of[at]).collect();
        assert_eq!(probability, among, "row {at}");
    }
    assert!(all.status.contains(&RowStatus::InsufficientData) && all.status.contains(&RowStatus::Scored));
}
