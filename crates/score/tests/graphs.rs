//! Graphs of other software, which tract computes.
#![cfg(feature = "tract")]

mod foreign;

use bellwether_core::{
    Bands, Calibration, Digest, EncodedInput, Encoding, FeatureMatrix, Indicator, InputKind, Model, Outcome,
    ScorecardModel, Target, sigmoid,
};
use bellwether_onnx::{Imported, import};
use bellwether_score::{Against, Explainer, Kernel, Rows, ScoreError, Scorer, ScorerParts, ScorerTarget};
use foreign::Attribute::{Float, Int, Ints};
use foreign::{Matrix, Operator, file};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

const CHURN: Target = Target { outcome: Outcome::Churn, horizon_days: 90 };
/// Columns of the matrices; no file reads the last one.
const N_FEATURES: usize = 4;

fn encoding() -> Encoding {
    let input =
        |place: usize| EncodedInput { name: format!("f{place}"), category: None, good: None, kind: InputKind::Number };
    Encoding { inputs: (0..N_FEATURES).map(input).collect() }
}

/// Three inputs as features 2, 0 and 1; `fills` in the place of missing ones.
fn model(bytes: &[u8], fills: [Option<f32>; 3]) -> Model {
    let imported: Imported = import(bytes).expect("it is understood");
    let model = imported.convert(&[2, 0, 1], N_FEATURES, &fills).expect("a model").model;
    assert!(matches!(model, Model::Graph(_)), "no kernel of ours computes it");
    model
}

fn graph(model: &Model) -> Vec<u8> {
    bellwether_onnx::encode(model, &encoding().schema().expect("names differ"), "churn_90d").expect("it can be written")
}

fn kernel(bytes: &[u8], fills: [Option<f32>; 3]) -> Kernel {
    Kernel::compile(&graph(&model(bytes, fills))).expect("it compiles")
}

const W1: [f32; 6] = [0.5, -1.0, 0.25, 2.0, -0.75, 1.5];
const B1: [f32; 2] = [0.1, -0.2];
const W2: [f32; 2] = [1.25, -0.5];

/// `sigmoid(relu(x W1 + b1) W2 + 0.3)`.
fn layers() -> Vec<u8> {
    let operators = [
        Operator("Gemm", &["x", "w1", "b1"], "h", &[]),
        Operator("Relu", &["h"], "a", &[]),
        Operator("Gemm", &["a", "w2", "b2"], "z", &[]),
        Operator("Sigmoid", &["z"], "p", &[]),
    ];
    let matrices =
        [Matrix("w1", 3, 2, &W1), Matrix("b1", 1, 2, &B1), Matrix("w2", 2, 1, &W2), Matrix("b2", 1, 1, &[0.3])];
    file(&operators, &matrices, 3, 1)
}

/// As many kinds of operators as there are, on 3 and on 67 columns.
fn many_operators() -> Vec<u8> {
    let wide: Vec<f32> = (0..3 * 67).map(|at| ((at * 37 % 101) as f32 - 50.0) / 40.0).collect();
    let narrow: Vec<f32> = (0..67 * 2).map(|at| ((at * 53 % 97) as f32 - 48.0) / 70.0).collect();
    let operators = [
        Operator("MatMul", &["x", "wide"], "h", &[]),
        Operator("Tanh", &["h"], "tanh", &[]),
        Operator("Sigmoid", &["h"], "sigmoid", &[]),
        Operator("Elu", &["h"], "elu", &[Float("alpha", 0.5)]),
        Operator("LeakyRelu", &["elu"], "leaky", &[]),
        Operator("Softplus", &["leaky"], "softplus", &[]),
        Operator("Erf", &["tanh"], "erf", &[]),
        Operator("Mul", &["sigmoid", "softplus"], "product", &[]),
        Operator("Add", &["product", "erf"], "sum", &[]),
        Operator("Clip", &["sum", "", "four"], "clipped", &[]),
        Operator("MatMul", &["clipped", "narrow"], "z", &[]),
        Operator("Softmax", &["z"], "of_layers", &[Int("axis", 1)]),
        Operator("Exp", &["z"], "exp", &[]),
        Operator("MatMul", &["exp", "ones"], "all", &[]),
        Operator("Div", &["exp", "all"], "shares", &[]),
        Operator("Sum", &["of_layers", "shares"], "both", &[]),
        Operator("Mul", &["both", "half"], "p", &[]),
    ];
    let matrices = [
        Matrix("wide", 3, 67, &wide),
        Matrix("narrow", 67, 2, &narrow),
        Matrix("four", 1, 1, &[4.0]),
        Matrix("ones", 2, 1, &[1.0, 1.0]),
        Matrix("half", 1, 1, &[0.5]),
    ];
    file(&operators, &matrices, 3, 2)
}

fn rows(n: usize) -> FeatureMatrix {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut column = || (0..n).map(|_| rng.next_u32() as f32 / u32::MAX as f32 * 6.0 - 3.0).collect();
    FeatureMatrix::from_columns(&(0..N_FEATURES).map(|_| column()).collect::<Vec<Vec<f32>>>()).expect("finite")
}

#[test]
fn layers_compute_their_formula() {
    let (kernel, x) = (kernel(&layers(), [None; 3]), rows(300));
    for (row, logit) in kernel.logits(&x).expect("finite").into_iter().enumerate() {
        let inputs = [2, 0, 1].map(|feature| f64::from(x.value(row, feature)));
        let hidden = |unit: usize| {
            let sum: f64 = inputs.iter().enumerate().map(|(at, value)| value * f64::from(W1[2 * at + unit])).sum();
            (sum + f64::from(B1[unit])).max(0.0)
        };
        let expected = 0.3 + hidden(0) * f64::from(W2[0]) + hidden(1) * f64::from(W2[1]);
        assert!((logit - expected).abs() < 1e-5, "row {row}: {logit} for {expected}");
    }
}

/// A neural network of scikit-learn 1.9.1, written by skl2onnx 1.20.0, and what it predicts itself
/// (`benches/peers/imports.py --fixtures`).
#[test]
fn a_network_predicts_what_its_maker_did() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../onnx/tests/imports/sklearn_network");
    let bytes = std::fs::read(format!("{path}.onnx")).expect("a file of the repository");
    let kernel = kernel(&bytes, [None; 3]);
    let witnesses = std::fs::read_to_string(format!("{path}.txt")).expect("a file of the repository");
    for line in witnesses.lines() {
        let numbers: Vec<f64> = line.split(' ').map(|number| number.parse().expect("a number")).collect();
        let [a, b, c] = [0, 1, 2].map(|at| numbers[at] as f32);
        let found = sigmoid(kernel.logit_row(&[b, c, a, 7.0]).expect("finite"));
        assert!((found - numbers[3]).abs() <= 1e-6, "{line}: {found}");
    }
}

/// The logit of `h`, three columns that `operators` make of `x`, added with weights 1, 2 and -1.
#[track_caller]
fn check_operators(operators: &[Operator<'_>], matrices: &[Matrix<'_>], expected: impl Fn([f64; 3]) -> [f64; 3]) {
    let name = operators[0].0;
    // Some operators alone would be a model of ours.
    let last = [
        Operator("MatMul", &["h", "w"], "z", &[]),
        Operator("Max", &["z", "low"], "m", &[]),
        Operator("Sigmoid", &["m"], "p", &[]),
    ];
    let all: Vec<Operator<'_>> = operators.iter().chain(&last).copied().collect();
    let matrices: Vec<Matrix<'_>> =
        [&[Matrix("w", 3, 1, &[1.0, 2.0, -1.0]), Matrix("low", 1, 1, &[-1e9])], matrices].concat();
    let (kernel, x) = (kernel(&file(&all, &matrices, 3, 1), [None; 3]), rows(200));
    for (row, logit) in kernel.logits(&x).unwrap_or_else(|error| panic!("{name}: {error}")).into_iter().enumerate() {
        let [a, b, c] = expected([2, 0, 1].map(|feature| f64::from(x.value(row, feature))));
        let sum = a + 2.0 * b - c;
        assert!(
            (logit - sum).abs() <= 2e-6 * (a.abs() + b.abs() + c.abs()).max(1.0),
            "{name}, row {row}: {logit} for {sum}"
        );
    }
}

/// By Simpson's rule.
fn erf(x: f64) -> f64 {
    let (n, f) = (200, |t: f64| (-t * t).exp());
    let step = x / f64::from(n);
    let inner: f64 = (1..n).map(|at| f64::from(2 + 2 * (at % 2)) * f(f64::from(at) * step)).sum();
    (f(0.0) + inner + f(x)) * step / 3.0 * 2.0 / std::f64::consts::PI.sqrt()
}

/// An operator beside its definition.
type OfOne = (&'static str, fn(f64) -> f64);
type OfTwo = (&'static str, fn(f64, f64) -> f64);
type OfColumns = (&'static str, fn([f64; 3]) -> f64);

#[test]
fn each_function_computes_its_definition() {
    let elu = |x: f64| if x < 0.0 { x.exp_m1() } else { x };
    let of_one: [OfOne; 13] = [
        ("Abs", f64::abs),
        ("Ceil", f64::ceil),
        ("Elu", elu),
        ("Erf", erf),
        ("Exp", f64::exp),
        ("Floor", f64::floor),
        ("LeakyRelu", |x| if x < 0.0 { f64::from(0.01_f32) * x } else { x }),
        ("Neg", |x| -x),
        ("Relu", |x| x.max(0.0)),
        ("Selu", |x| 1.050_700_987_355_480_5 * if x < 0.0 { 1.673_263_242_354_377_2 * x.exp_m1() } else { x }),
        ("Sigmoid", sigmoid),
        ("Softplus", |x| x.exp().ln_1p()),
        ("Tanh", f64::tanh),
    ];
    for (operator, definition) in of_one {
        check_operators(&[Operator(operator, &["x"], "h", &[])], &[], |x| x.map(definition));
    }
    for (operator, definition) in [("Log", f64::ln as fn(f64) -> f64), ("Sqrt", f64::sqrt)] {
        let operators = [Operator("Abs", &["x"], "a", &[]), Operator(operator, &["a"], "h", &[])];
        check_operators(&operators, &[], |x| x.map(|x| definition(x.abs())));
    }
}

#[test]
fn each_operator_of_two_computes_its_definition() {
    let of_two: [OfTwo; 12] = [
        ("Add", |x, y| x + y),
        ("Div", |x, y| x / y),
        ("Max", f64::max),
        ("Min", f64::min),
        ("Mul", |x, y| x * y),
        ("Pow", |x, y| x.powi(y as i32)),
        ("Sub", |x, y| x - y),
        ("Equal", |x, y| f64::from(u8::from(x == y))),
        ("Greater", |x, y| f64::from(u8::from(x > y))),
        ("GreaterOrEqual", |x, y| f64::from(u8::from(x >= y))),
        ("Less", |x, y| f64::from(u8::from(x < y))),
        ("LessOrEqual", |x, y| f64::from(u8::from(x <= y))),
    ];
    for (place, (operator, definition)) in of_two.into_iter().enumerate() {
        let truth = [Operator(operator, &["x", "y"], "t", &[]), Operator("Cast", &["t"], "h", &[Int("to", 1)])];
        let number = [Operator(operator, &["x", "y"], "h", &[])];
        let operators = if place < 7 { &number[..] } else { &truth };
        check_operators(operators, &[Matrix("y", 1, 3, &[2.0, 3.0, 1.0])], |[a, b, c]| {
            [definition(a, 2.0), definition(b, 3.0), definition(c, 1.0)]
        });
    }
}

#[test]
fn each_operator_over_columns_computes_its_definition() {
    let reductions: [OfColumns; 9] = [
        ("ReduceMax", |x| x[0].max(x[1]).max(x[2])),
        ("ReduceMean", |x| x.iter().sum::<f64>() / 3.0),
        ("ReduceLogSumExp", |x| x.iter().map(|x| x.exp()).sum::<f64>().ln()),
        ("ReduceMin", |x| x[0].min(x[1]).min(x[2])),
        ("ReduceProd", |x| x.iter().product()),
        ("ReduceL1", |x| x.iter().map(|x| x.abs()).sum()),
        ("ReduceL2", |x| x.iter().map(|x| x * x).sum::<f64>().sqrt()),
        ("ReduceSumSquare", |x| x.iter().map(|x| x * x).sum()),
        ("ReduceSum", |x| x.iter().sum()),
    ];
    for (operator, definition) in reductions {
        let reduced = Operator(operator, &["x"], "r", &[Ints("axes", &[1]), Int("keepdims", 1)]);
        let operators = [reduced, Operator("Concat", &["r", "r", "r"], "h", &[Int("axis", 1)])];
        check_operators(&operators, &[], |x| [definition(x); 3]);
    }
    let softmax = |x: [f64; 3]| x.map(|of| of.exp() / x.iter().map(|x| x.exp()).sum::<f64>());
    check_operators(&[Operator("Softmax", &["x"], "h", &[Int("axis", 1)])], &[], softmax);
}

#[test]
fn truths_choose() {
    let compared = [
        Operator("Greater", &["x", "y"], "above", &[]),
        Operator("Less", &["x", "z"], "below", &[]),
        Operator("Not", &["above"], "not_above", &[]),
        Operator("And", &["not_above", "below"], "both", &[]),
        Operator("Or", &["both", "above"], "any", &[]),
        Operator("Where", &["any", "x", "z"], "h", &[]),
    ];
    let matrices = [Matrix("y", 1, 3, &[1.0, 0.0, -1.0]), Matrix("z", 1, 1, &[-0.5])];
    let limits = [1.0, 0.0, -1.0];
    check_operators(&compared, &matrices, |x| {
        let chosen = |at: usize| if x[at] > limits[at] || x[at] < -0.5 { x[at] } else { -0.5 };
        [chosen(0), chosen(1), chosen(2)]
    });
}

/// Whatever a file says, it is refused or computed.
#[test]
fn altered_graphs_never_panic() {
    let written = graph(&model(&layers(), [Some(0.5); 3]));
    let x = rows(3);
    for at in (0..written.len()).step_by(2) {
        for flip in [0x01, 0x40, 0xff] {
            let mut altered = written.clone();
            altered[at] ^= flip;
            if let Ok(kernel) = Kernel::compile(&altered) {
                let _ = kernel.logits(&x);
            }
        }
    }
}

/// In every place of every batch, in every layout, alone, and on every number of threads.
#[test]
fn a_row_has_the_same_bits_wherever_it_stands() {
    for bytes in [layers(), many_operators()] {
        let (kernel, x) = (kernel(&bytes, [None; 3]), rows(150));
        let all = kernel.logits(&x).expect("finite");
        for first in 0..130 {
            let places: Vec<usize> = (first..150).collect();
            assert_eq!(kernel.logits(&x.select(&places)).expect("finite"), all[first..], "from row {first}");
        }
        let mut row = vec![0.0; N_FEATURES];
        for (at, logit) in all.iter().enumerate() {
            x.read_row(at, &mut row);
            assert_eq!(kernel.logit_row(&row).expect("finite"), *logit, "row {at} alone");
        }
        let many: Vec<usize> = (0..5000).map(|at| at % 150).collect();
        let row_major: Vec<f32> = many
            .iter()
            .flat_map(|&at| (0..N_FEATURES).map(move |of| (at, of)))
            .map(|(at, of)| x.value(at, of))
            .collect();
        let found = kernel.logits_of(&Rows::row_major(&row_major, N_FEATURES).expect("whole rows")).expect("finite");
        assert!(found.iter().zip(&many).all(|(found, &at)| *found == all[at]), "row after row");
    }
}

#[test]
fn a_missing_value_counts_as_its_fill_or_is_refused() {
    let (x, fills) = (rows(2), [1.5, -0.25, 0.75]);
    let filled = kernel(&layers(), fills.map(Some));
    let unfilled = kernel(&layers(), [None; 3]);
    for (feature, fill) in [2, 0, 1].into_iter().zip(fills) {
        let with = |value: f32| {
            let mut row: Vec<f32> = (0..N_FEATURES).map(|of| x.value(1, of)).collect();
            row[feature] = value;
            row
        };
        let known = filled.logit_row(&with(fill)).expect("finite");
        assert_eq!(filled.logit_row(&with(f32::NAN)).expect("filled"), known);
        let refused = unfilled.logit_row(&with(f32::NAN));
        assert!(matches!(refused, Err(ScoreError::GraphNotFinite { row: 0, .. })), "{refused:?}");
    }
    let infinite = filled.logit_row(&[0.0, f32::INFINITY, 0.0, 0.0]);
    assert!(matches!(infinite, Err(ScoreError::Infinite { feature: 1, .. })), "{infinite:?}");
}

/// A pair that is no probability has no logit.
#[test]
fn scores_that_are_no_probabilities_are_refused() {
    let operators = [
        Operator("MatMul", &["x", "w"], "z", &[]),
        Operator("Tanh", &["z"], "h", &[]),
        Operator("Mul", &["h", "three"], "p", &[]),
    ];
    let bytes = file(&operators, &[Matrix("w", 3, 2, &W1), Matrix("three", 1, 1, &[3.0])], 3, 2);
    let refused = kernel(&bytes, [None; 3]).logits(&rows(50));
    assert!(matches!(refused, Err(ScoreError::GraphNotFinite { .. })), "{refused:?}");
}

fn scorer(model: &Model, calibration: Calibration) -> Scorer {
    let card = Indicator { feature: 3, weight: 100.0, at_zero: 0.0, at_full: 1.0 };
    Scorer::from_parts(ScorerParts {
        schema: encoding().schema().expect("names differ"),
        encoding: encoding(),
        scorecard: ScorecardModel { n_features: N_FEATURES, indicators: vec![card], slope: -0.1, intercept: 5.0 },
        bands: Bands::default(),
        rules: None,
        targets: vec![ScorerTarget { target: CHURN, onnx: graph(model), calibration }],
        min_coverage: 0.5,
        digest: Digest::of(b"version"),
    })
    .expect("the parts fit")
}

#[test]
fn a_certificate_allows_for_the_last_digits_of_tract_and_for_no_more() {
    let isotonic = Calibration::Isotonic { logits: vec![-2.0, 0.0, 2.0], probabilities: vec![0.1, 0.3, 0.9] };
    for calibration in [Calibration::None, isotonic] {
        let model = model(&layers(), [Some(1.0), Some(20.0), Some(-0.5)]);
        let scorer = scorer(&model, calibration.clone());
        let certificate = scorer.certify(&[(CHURN, &model)], None, 1).expect("every row is finite");
        scorer.replay(&certificate, usize::MAX).expect("it gives its own numbers");
        for (off, is_good) in [(1e-4, true), (-1e-4, true), (1e-2, false), (-1e-2, false)] {
            let mut altered = certificate.clone();
            let of = altered.targets.get_mut(&CHURN).expect("it is there");
            for (logit, p) in of.logit_bits.iter_mut().zip(&mut of.probability_bits) {
                let moved = f64::from_bits(*logit) + off;
                (*logit, *p) = (moved.to_bits(), calibration.probability(moved).to_bits());
            }
            assert_eq!(scorer.replay(&altered, usize::MAX).is_ok(), is_good, "{off}");
        }
        let mut altered = certificate.clone();
        let of = altered.targets.get_mut(&CHURN).expect("it is there");
        of.probability_bits[0] = 0.999_f64.to_bits();
        assert!(scorer.replay(&altered, usize::MAX).is_err(), "a probability of another logit");
    }
}

/// By the mean over all orders in which the inputs become the row's.
#[test]
fn contributions_are_shapleys_definition() {
    let model = model(&layers(), [Some(0.0); 3]);
    let kernel = Kernel::compile(&graph(&model)).expect("it compiles");
    let (x, background) = (rows(4), rows(21).select(&(4..21).collect::<Vec<_>>()));
    let explainer =
        Explainer::new(&kernel, &model, CHURN, Against::Rows(&background)).expect("it reads three features");
    let found = explainer.contributions(&x).expect("they add up");
    let value = |row: usize, known: &[usize]| {
        let logit = |of: usize| {
            let at = |feature: usize| {
                if known.contains(&feature) { x.value(row, feature) } else { background.value(of, feature) }
            };
            kernel.logit_row(&(0..N_FEATURES).map(at).collect::<Vec<f32>>()).expect("finite")
        };
        (0..17).map(logit).sum::<f64>() / 17.0
    };
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for row in 0..4 {
        let mut expected = [0.0; N_FEATURES];
        for order in orders {
            for at in 0..3 {
                expected[order[at]] += (value(row, &order[..=at]) - value(row, &order[..at])) / 6.0;
            }
        }
        for (found, expected) in found.row(row).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "row {row}: {found} for {expected}");
        }
    }
}

#[test]
fn a_graph_gives_probabilities_and_has_reasons_against_rows_alone() {
    let model = model(&layers(), [Some(0.0); 3]);
    let (scorer, x) = (scorer(&model, Calibration::None), rows(10));
    let kernel = scorer.kernel(CHURN).expect("it is there");
    let logits = kernel.logits(&x).expect("finite");
    let scores = scorer.score(&x).expect("scores");
    let expected: Vec<Option<f64>> = logits.iter().map(|&logit| Some(sigmoid(logit))).collect();
    assert_eq!(scores.probability[&CHURN], expected);
    let refused = Explainer::new(kernel, &model, CHURN, Against::Training(None)).expect_err("it has no parts");
    assert!(matches!(refused, ScoreError::NotExplained { target: CHURN, .. }));
}
