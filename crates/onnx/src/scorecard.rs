//! A scorecard as a graph.

use bellwether_core::{Indicator, ScorecardModel};

use crate::OnnxError;
use crate::graph::{Body, FEATURES, LOGIT, constant, floats, scalar};
use crate::proto::GraphProto;

pub(crate) const OPERATORS: &[&str] = &[
    "Gather", "IsNaN", "Sub", "Sub", "Div", "Max", "Min", "Where", "Where", "MatMul", "MatMul", "Mul", "Div",
    "Greater", "Where", "Mul", "Add",
];

/// `logit = intercept + slope * health`, `health = weights known > 0 ? 100 * points / weights : 50`.
///
/// The range `at_full - at_zero` is taken in the graph, so that both ends can be read back.
pub(crate) fn write(card: &ScorecardModel) -> Result<Body, OnnxError> {
    check_range(card)?;
    let of_indicators = |value: fn(&Indicator) -> f32| card.indicators.iter().map(value);
    let mut body = Body::default();
    body.indices("indicator", card.indicators.iter().map(|indicator| i64::from(indicator.feature)).collect());
    body.row("at_zero", of_indicators(|indicator| indicator.at_zero));
    body.row("at_full", of_indicators(|indicator| indicator.at_full));
    body.column("weight", of_indicators(|indicator| indicator.weight));
    body.scalar("slope", card.slope);
    body.scalar("intercept", card.intercept);
    body.scalar("zero", 0.0);
    body.scalar("one", 1.0);
    body.scalar("hundred", 100.0);
    body.scalar("unknown_health", 50.0);
    body.gather_columns(FEATURES, "indicator", "value");
    body.node("IsNaN", &["value"], "missing");
    body.node("Sub", &["value", "at_zero"], "gained");
    body.node("Sub", &["at_full", "at_zero"], "range");
    body.node("Div", &["gained", "range"], "share");
    body.node("Max", &["share", "zero"], "share_above_0");
    body.node("Min", &["share_above_0", "one"], "share_0_to_1");
    body.node("Where", &["missing", "zero", "share_0_to_1"], "points");
    body.node("Where", &["missing", "zero", "one"], "known");
    body.node("MatMul", &["points", "weight"], "sum_of_points");
    body.node("MatMul", &["known", "weight"], "sum_of_weights");
    body.node("Mul", &["sum_of_points", "hundred"], "hundredfold");
    // 0 / 0 where nothing is known; the next two nodes replace it.
    body.node("Div", &["hundredfold", "sum_of_weights"], "known_health");
    body.node("Greater", &["sum_of_weights", "zero"], "any_known");
    body.node("Where", &["any_known", "known_health", "unknown_health"], "health");
    body.node("Mul", &["health", "slope"], "sloped");
    body.node("Add", &["sloped", "intercept"], LOGIT);
    Ok(body)
}

/// The model that [`write`] wrote.
pub(crate) fn read(graph: &GraphProto, n_features: usize) -> Result<ScorecardModel, OnnxError> {
    let features = &constant(graph, "indicator")?.int64_data;
    let n = features.len();
    let (weight, at_zero, at_full) =
        (floats(graph, "weight", n)?, floats(graph, "at_zero", n)?, floats(graph, "at_full", n)?);
    let indicator = |(place, &feature): (usize, &i64)| {
        let feature = u32::try_from(feature)
            .map_err(|_| OnnxError::graph(format!("indicator {place}"), "its feature must be a place in the schema"))?;
        Ok(Indicator { feature, weight: weight[place], at_zero: at_zero[place], at_full: at_full[place] })
    };
    Ok(ScorecardModel {
        n_features,
        indicators: features.iter().enumerate().map(indicator).collect::<Result<_, OnnxError>>()?,
        slope: scalar(graph, "slope")?,
        intercept: scalar(graph, "intercept")?,
    })
}

/// Sums and differences stay finite in f32, as they do in the f64 of the definition.
fn check_range(card: &ScorecardModel) -> Result<(), OnnxError> {
    let widest = card.indicators.iter().map(|of| (f64::from(of.at_full) - f64::from(of.at_zero)).abs());
    let hundredfold = 100.0 * card.indicators.iter().map(|of| f64::from(of.weight)).sum::<f64>();
    let logit = 100.0 * f64::from(card.slope).abs() + f64::from(card.intercept).abs();
    for (place, value) in [
        ("a scorecard's at_full - at_zero", widest.fold(0.0, f64::max)),
        ("a scorecard's weighted points", hundredfold),
        ("a scorecard's logit", logit),
    ] {
        if value > f64::from(f32::MAX) {
            return Err(OnnxError::Range { place, value, rule: "graphs are in f32, which ends at 3.4e38" });
        }
    }
    Ok(())
}
