//! From what is declared to indicators with a feature, a weight and a direction.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_core::{Direction, FeatureSchema, MissingPolicy, PERCENTILE_SUFFIX, Scale};

use crate::error::first_of;
use crate::steps::scale_of_steps;
use crate::{CategorySpec, HealthError, IndicatorSpec, ScaleName};

/// What the weights of a scorecard total.
pub const TOTAL_WEIGHT: f64 = 100.0;

/// How far from [`TOTAL_WEIGHT`] a declared total may lie: less than any weight that someone would write,
/// more than f64 loses in adding shares such as 33.3.
pub const WEIGHT_SLACK: f64 = 1e-9;

/// Above this many indicators [`crate::lint`] warns (requirements.md I-03: start with 5 to 7).
pub const MANY_INDICATORS: usize = 7;

/// From this many indicators a scorecard is refused (requirements.md I-03: 20 or more are a pitfall).
pub const TOO_MANY_INDICATORS: usize = 20;

/// The quantiles of the known training values that earn nothing and everything where higher is healthier.
const OUTER: (f64, f64) = (0.05, 0.95);

/// An indicator whose ends may still have to be learnt.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) feature: usize,
    pub(crate) name: String,
    pub(crate) category: Option<String>,
    pub(crate) weight: f64,
    pub(crate) good: Direction,
    pub(crate) missing: MissingPolicy,
    pub(crate) shape: Shape,
}

/// From a value to points, as far as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A straight line; an end that is not declared is the quantile of that place.
    Line { at_zero: Option<f32>, at_full: Option<f32>, quantiles: (f64, f64) },
    /// Whole.
    Steps(Scale),
}

/// Who says what the categories of a card are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CategoriesFrom {
    /// The book, which can declare another maximum.
    Book,
    /// A preset, beside which no category can stand.
    Preset,
}

/// What is declared of one card.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<'a> {
    pub(crate) indicators: &'a [IndicatorSpec],
    pub(crate) categories: &'a BTreeMap<String, CategorySpec>,
    pub(crate) categories_from: CategoriesFrom,
    pub(crate) missing: MissingPolicy,
    pub(crate) has_ablation: bool,
}

impl Declared<'_> {
    /// The indicators, each rule of the declaration checked.
    pub(crate) fn plans(&self, schema: &FeatureSchema) -> Result<Vec<Plan>, HealthError> {
        first_of(self.check(schema))
    }

    /// The indicators that have none, and every error.
    pub(crate) fn check(&self, schema: &FeatureSchema) -> (Vec<Plan>, Vec<HealthError>) {
        let (indicators, mut errors, mut plans) = (self.indicators, Vec::new(), Vec::new());
        if indicators.len() >= TOO_MANY_INDICATORS && !self.has_ablation {
            errors.push(HealthError::TooMany { n_indicators: indicators.len() });
        }
        let mut seen = BTreeSet::new();
        let twice = indicators.iter().filter(|indicator| !seen.insert(name_of(indicator)));
        errors.extend(twice.map(|indicator| HealthError::Duplicate(name_of(indicator))));
        for indicator in indicators {
            match plan(indicator, self.missing, schema) {
                Ok(plan) => plans.push(plan),
                Err(error) => errors.push(error),
            }
        }
        // What is wrong with an indicator changes the totals.
        if errors.is_empty() {
            errors = if self.categories.is_empty() { check_total(&plans) } else { self.check_categories(&plans) };
        }
        (plans, errors)
    }

    fn check_categories(&self, plans: &[Plan]) -> Vec<HealthError> {
        let mut errors = Vec::new();
        let (mut all, mut reach) = (0.0, 0.0);
        let mut points_of = BTreeMap::new();
        for (name, of) in self.categories {
            let is_share = |value: f64| value > 0.0 && (value as f32).is_normal();
            if !(is_share(of.weight) && is_share(of.maximum)) {
                let (name, weight, maximum) = (name.clone(), of.weight, of.maximum);
                errors.push(HealthError::Category { name, weight, maximum });
            }
            let within = plans.iter().filter(|plan| plan.category.as_ref() == Some(name));
            let points: f64 = within.map(|plan| plan.weight).sum();
            all += points;
            reach += of.weight * points / of.maximum;
            points_of.insert(name, points);
        }
        for plan in plans {
            if !plan.category.as_ref().is_some_and(|name| self.categories.contains_key(name)) {
                let category = plan.category.clone().unwrap_or_else(|| "(none)".to_owned());
                let known = self.categories.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                errors.push(HealthError::UnknownCategory { name: plan.name.clone(), category, known });
            }
        }
        for (name, &points) in &points_of {
            let maximum = self.categories[*name].maximum;
            if points == 0.0 {
                errors.push(HealthError::EmptyCategory((*name).clone()));
            } else if (points - maximum).abs() > WEIGHT_SLACK {
                let category = (*name).clone();
                // Told to a millionth, so that a sum of tenths reads as it was written.
                let reach = (reach * 1e6).round() / 1e6;
                let correction = match self.categories_from {
                    CategoriesFrom::Book => format!("declare maximum = {points}"),
                    CategoriesFrom::Preset => format!("make its points total {maximum}, as the preset's do"),
                };
                errors.push(HealthError::CategoryPoints { category, points, maximum, all, reach, correction });
            }
        }
        let total: f64 = self.categories.values().map(|of| of.weight).sum();
        if (total - TOTAL_WEIGHT).abs() > WEIGHT_SLACK {
            errors.push(HealthError::CategoriesTotal { total });
        }
        errors
    }
}

fn check_total(plans: &[Plan]) -> Vec<HealthError> {
    let total: f64 = plans.iter().map(|plan| plan.weight).sum();
    if (total - TOTAL_WEIGHT).abs() > WEIGHT_SLACK { vec![HealthError::WeightsTotal { total }] } else { Vec::new() }
}

/// One equally weighted indicator for each feature with a declared direction, in schema order.
pub(crate) fn from_directions(schema: &FeatureSchema, missing: MissingPolicy) -> Result<Vec<Plan>, HealthError> {
    let plans: Vec<Plan> = (schema.features().iter().enumerate())
        .filter_map(|(feature, described)| {
            let (name, category) = (described.name.clone(), described.category.clone());
            let shape = Shape::Line { at_zero: None, at_full: None, quantiles: OUTER };
            described.good.map(|good| Plan { feature, name, category, weight: 1.0, good, missing, shape })
        })
        .collect();
    if plans.is_empty() { Err(HealthError::NothingDeclared) } else { Ok(plans) }
}

/// The feature that is read.
fn name_of(spec: &IndicatorSpec) -> String {
    let is_percentile = spec.scale == Some(ScaleName::Percentile) && !spec.feature.ends_with(PERCENTILE_SUFFIX);
    format!("{}{}", spec.feature, if is_percentile { PERCENTILE_SUFFIX } else { "" })
}

fn plan(spec: &IndicatorSpec, missing: MissingPolicy, schema: &FeatureSchema) -> Result<Plan, HealthError> {
    let name = name_of(spec);
    let Some(feature) = schema.index_of(&name) else {
        let rule = "there is no such percentile; name the feature in [cohort] features";
        return Err(if spec.scale == Some(ScaleName::Percentile) {
            HealthError::Scale { name, rule }
        } else {
            HealthError::UnknownFeature { near: near_matches(&name, schema), name }
        });
    };
    let described = &schema.features()[feature];
    let weight = spec.weight;
    // The narrowed weight is what the model holds, so it is what must be above 0 and finite.
    if !(weight.is_finite() && (weight as f32).is_normal() && weight > 0.0) {
        return Err(HealthError::Weight { name, weight });
    }
    let category = spec.category.clone().or_else(|| described.category.clone());
    let missing = spec.missing.unwrap_or(missing);
    let declared = spec.good.or(described.good);
    let (good, shape) = if spec.steps.is_empty() && spec.scale != Some(ScaleName::Banded) {
        line(spec, &name, declared)?
    } else {
        let (good, scale) = scale_of_steps(spec, &name, declared)?;
        (good, Shape::Steps(scale))
    };
    Ok(Plan { feature, name, category, weight, good, missing, shape })
}

fn line(spec: &IndicatorSpec, name: &str, declared: Option<Direction>) -> Result<(Direction, Shape), HealthError> {
    let at_zero = spec.at_zero.map(|value| narrow(name, value)).transpose()?;
    let at_full = spec.at_full.map(|value| narrow(name, value)).transpose()?;
    let name = || name.to_owned();
    let good = match (declared, at_zero, at_full) {
        (_, Some(zero), Some(full)) if zero == full => {
            return Err(HealthError::End { name: name(), value: f64::from(zero) });
        }
        (Some(good), Some(zero), Some(full)) if !in_order(good, zero, full) => {
            return Err(HealthError::Ends { name: name(), at_zero: zero.into(), at_full: full.into(), good });
        }
        (Some(good), ..) => good,
        (None, Some(zero), Some(full)) => {
            if zero < full {
                Direction::Up
            } else {
                Direction::Down
            }
        }
        (None, ..) => return Err(HealthError::NoDirection(name())),
    };
    let (worst, best) = if good == Direction::Up { (0.0, 1.0) } else { (1.0, 0.0) };
    let shape = match spec.scale {
        Some(ScaleName::Percentile) => {
            Shape::Line { at_zero: at_zero.or(Some(worst)), at_full: at_full.or(Some(best)), quantiles: OUTER }
        }
        Some(ScaleName::Linear) => Shape::Line { at_zero, at_full, quantiles: (0.0, 1.0) },
        Some(ScaleName::Bounded | ScaleName::Banded) | None => Shape::Line { at_zero, at_full, quantiles: OUTER },
    };
    Ok((good, shape))
}

pub(crate) fn narrow(name: &str, value: f64) -> Result<f32, HealthError> {
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
pub(crate) fn near_matches(name: &str, schema: &FeatureSchema) -> String {
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
