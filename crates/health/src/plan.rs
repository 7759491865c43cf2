//! From what is declared to indicators with a feature, a weight and a direction.

use std::collections::BTreeSet;

use bellwether_core::{Direction, FeatureSchema};

use crate::{HealthError, IndicatorSpec};

/// What the weights of a scorecard total.
pub const TOTAL_WEIGHT: f64 = 100.0;

/// How far from [`TOTAL_WEIGHT`] a declared total may lie: less than any weight that someone would write,
/// more than f64 loses in adding shares such as 33.3.
pub const WEIGHT_SLACK: f64 = 1e-9;

/// Above this many indicators [`crate::lint`] warns (requirements.md I-03: start with 5 to 7).
pub const MANY_INDICATORS: usize = 7;

/// From this many indicators a scorecard is refused (requirements.md I-03: 20 or more are a pitfall).
pub const TOO_MANY_INDICATORS: usize = 20;

/// An indicator whose ends may still have to be learnt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) feature: usize,
    pub(crate) name: String,
    pub(crate) category: Option<String>,
    pub(crate) weight: f64,
    pub(crate) good: Direction,
    pub(crate) at_zero: Option<f32>,
    pub(crate) at_full: Option<f32>,
}

/// The declared indicators, each rule of the declaration checked.
pub(crate) fn declared(indicators: &[IndicatorSpec], schema: &FeatureSchema) -> Result<Vec<Plan>, HealthError> {
    if indicators.len() >= TOO_MANY_INDICATORS {
        return Err(HealthError::TooMany { n_indicators: indicators.len() });
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = indicators.iter().find(|indicator| !seen.insert(indicator.feature.as_str())) {
        return Err(HealthError::Duplicate(twice.feature.clone()));
    }
    let plans: Vec<Plan> = indicators.iter().map(|spec| plan(spec, schema)).collect::<Result<_, _>>()?;
    let total: f64 = plans.iter().map(|plan| plan.weight).sum();
    if (total - TOTAL_WEIGHT).abs() > WEIGHT_SLACK {
        return Err(HealthError::WeightsTotal { total });
    }
    Ok(plans)
}

/// One equally weighted indicator for each feature with a declared direction, in schema order.
pub(crate) fn from_directions(schema: &FeatureSchema) -> Result<Vec<Plan>, HealthError> {
    let plans: Vec<Plan> = (schema.features().iter().enumerate())
        .filter_map(|(feature, described)| {
            let (name, category) = (described.name.clone(), described.category.clone());
            described.good.map(|good| Plan { feature, name, category, weight: 1.0, good, at_zero: None, at_full: None })
        })
        .collect();
    if plans.is_empty() { Err(HealthError::NothingDeclared) } else { Ok(plans) }
}

fn plan(spec: &IndicatorSpec, schema: &FeatureSchema) -> Result<Plan, HealthError> {
    let name = spec.feature.clone();
    let Some(feature) = schema.index_of(&name) else {
        return Err(HealthError::UnknownFeature { near: near_matches(&name, schema), name });
    };
    let described = &schema.features()[feature];
    let weight = spec.weight;
    // The narrowed weight is what the model holds, so it is what must be above 0 and finite.
    if !(weight.is_finite() && (weight as f32).is_normal() && weight > 0.0) {
        return Err(HealthError::Weight { name, weight });
    }
    let at_zero = spec.at_zero.map(|value| narrow(&name, value)).transpose()?;
    let at_full = spec.at_full.map(|value| narrow(&name, value)).transpose()?;
    let good = spec.good.or(described.good);
    let good = match (good, at_zero, at_full) {
        (_, Some(zero), Some(full)) if zero == full => return Err(HealthError::End { name, value: f64::from(zero) }),
        (Some(good), Some(zero), Some(full)) if !in_order(good, zero, full) => {
            return Err(HealthError::Ends { name, at_zero: zero.into(), at_full: full.into(), good });
        }
        (Some(good), ..) => good,
        (None, Some(zero), Some(full)) => {
            if zero < full {
                Direction::Up
            } else {
                Direction::Down
            }
        }
        (None, ..) => return Err(HealthError::NoDirection(name)),
    };
    let category = spec.category.clone().or_else(|| described.category.clone());
    Ok(Plan { feature, name, category, weight, good, at_zero, at_full })
}

fn narrow(name: &str, value: f64) -> Result<f32, HealthError> {
    let narrowed = value as f32;
    if narrowed.is_finite() { Ok(narrowed) } else { Err(HealthError::End { name: name.to_owned(), value }) }
}

/// Whether `at_full` lies on the good side of `at_zero`.
pub(crate) fn in_order(good: Direction, at_zero: f32, at_full: f32) -> bool {
    match good {
        Direction::Up => at_zero < at_full,
        Direction::Down => at_zero > at_full,
    }
}

/// Up to three features whose names are like `name`, nearest first, as a fragment of a message.
fn near_matches(name: &str, schema: &FeatureSchema) -> String {
    const ALIKE: f64 = 0.8;
    let mut alike: Vec<(f64, &str)> = (schema.features().iter())
        .map(|feature| (strsim::jaro_winkler(name, &feature.name), feature.name.as_str()))
        .filter(|&(likeness, _)| likeness >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let names: Vec<String> = alike.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    if names.is_empty() {
        format!("none of its {} features has a name like it", schema.len())
    } else {
        format!("near matches: {}", names.join(", "))
    }
}
