//! A weighted sum as a graph.

use bellwether_core::{Linear, LinearTerm};

use crate::OnnxError;
use crate::graph::{Body, FEATURES, LOGIT, floats, scalar};
use crate::proto::GraphProto;

pub(crate) const OPERATORS: &[&str] =
    &["IsNaN", "Max", "Min", "Sub", "Where", "MatMul", "Where", "MatMul", "Add", "Add"];

/// `logit = (missing ? 0 : clamp(x) - center) @ weight + (missing ? 1 : 0) @ missing_weight + intercept`.
pub(crate) fn write(linear: &Linear) -> Body {
    let of_terms = |value: fn(&LinearTerm) -> f32| linear.terms.iter().map(value);
    let mut body = Body::default();
    body.row("lower", of_terms(|term| term.lower));
    body.row("upper", of_terms(|term| term.upper));
    body.row("center", of_terms(|term| term.center));
    body.column("weight", of_terms(|term| term.weight));
    body.column("missing_weight", of_terms(|term| term.missing_weight));
    body.scalar("intercept", linear.intercept);
    body.scalar("zero", 0.0);
    body.scalar("one", 1.0);
    body.node("IsNaN", &[FEATURES], "missing");
    body.node("Max", &[FEATURES, "lower"], "above_lower");
    body.node("Min", &["above_lower", "upper"], "clamped");
    body.node("Sub", &["clamped", "center"], "centered");
    // A product with NaN is NaN, even where the weight is 0: missing values leave before the sums.
    body.node("Where", &["missing", "zero", "centered"], "known");
    body.node("MatMul", &["known", "weight"], "of_known");
    body.node("Where", &["missing", "one", "zero"], "unknown");
    body.node("MatMul", &["unknown", "missing_weight"], "of_unknown");
    body.node("Add", &["of_known", "of_unknown"], "sum");
    body.node("Add", &["sum", "intercept"], LOGIT);
    body
}

/// The model that [`write`] wrote.
pub(crate) fn read(graph: &GraphProto, n_features: usize) -> Result<Linear, OnnxError> {
    let of_terms = |name| floats(graph, name, n_features);
    let (lower, upper, center) = (of_terms("lower")?, of_terms("upper")?, of_terms("center")?);
    let (weight, missing_weight) = (of_terms("weight")?, of_terms("missing_weight")?);
    let term = |j: usize| LinearTerm {
        lower: lower[j],
        upper: upper[j],
        center: center[j],
        weight: weight[j],
        missing_weight: missing_weight[j],
    };
    Ok(Linear { intercept: scalar(graph, "intercept")?, terms: (0..n_features).map(term).collect() })
}
