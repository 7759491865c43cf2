//! What a scorecard learns from the training rows: the values that earn nothing and everything.

use bellwether_core::{Direction, FeatureMatrix, FeatureSchema, Indicator, ScorecardModel};

use crate::plan::{self, Plan, in_order};
use crate::{HealthError, MANY_INDICATORS, Scorecard, ScorecardSpec, TOTAL_WEIGHT};

/// Logits a point of health, of the uncalibrated churn logit `(50 - health) / 10`.
pub const CHURN_SLOPE: f32 = -0.1;

/// The uncalibrated churn logit at a health of 0.
pub const CHURN_INTERCEPT: f32 = 5.0;

/// The quantiles of the known training values that earn nothing and everything where higher is healthier.
const ENDS: (f64, f64) = (0.05, 0.95);

/// Learns what `spec` leaves open from the rows `training_rows` of `x` alone.
///
/// An end that is not declared is the 5 % or 95 % quantile of the known training values (linear interpolation,
/// Hyndman and Fan's type 7), whichever is the unhealthy one for `at_zero`; where these coincide, the minimum and
/// maximum; where these do too, the indicator is dropped and its weight goes to the others in proportion.
/// Without declared indicators it takes the first 7 features, in schema order, that have a declared direction and
/// vary, with equal weights (requirements.md W-D, Z-03). `training_rows` may stand in any order.
///
/// # Errors
/// [`HealthError`] for a declaration that breaks a rule, if there is no direction to start from, or if no indicator
/// varies.
///
/// # Panics
/// If a row of `training_rows` is outside `x`.
pub fn learn(
    spec: Option<&ScorecardSpec>,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
) -> Result<Scorecard, HealthError> {
    learn_and_lint(spec, schema, x, training_rows).map(|(scorecard, _)| scorecard)
}

/// What [`learn`] would do with the same arguments that a person should know, one sentence each: more than 7
/// indicators, an indicator dropped, features left out.
///
/// # Errors
/// As [`learn`].
///
/// # Panics
/// As [`learn`].
pub fn lint(
    spec: Option<&ScorecardSpec>,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
) -> Result<Vec<String>, HealthError> {
    learn_and_lint(spec, schema, x, training_rows).map(|(_, warnings)| warnings)
}

fn learn_and_lint(
    spec: Option<&ScorecardSpec>,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
) -> Result<(Scorecard, Vec<String>), HealthError> {
    if x.n_cols() != schema.len() {
        return Err(HealthError::Columns { found: x.n_cols(), expected: schema.len() });
    }
    let mut warnings = Vec::new();
    let declared = spec.map_or(&[][..], |spec| &spec.indicators);
    let mut varying = if declared.is_empty() {
        let plans = with_ends(plan::from_directions(schema)?, x, training_rows, &mut Vec::new())?;
        keep_first(plans, &mut warnings)
    } else {
        let plans = plan::declared(declared, schema)?;
        warn_if_many(plans.len(), &mut warnings);
        with_ends(plans, x, training_rows, &mut warnings)?
    };
    if varying.is_empty() {
        return Err(HealthError::NoneVaries { n_rows: training_rows.len() });
    }
    // Declared weights total 100 unless one was dropped; scaling them would only blur their last digits.
    if varying.len() != declared.len() {
        share_out(&mut varying);
    }
    let scorecard = assemble(varying, spec.map(|spec| spec.bands).unwrap_or_default(), schema.len());
    scorecard.validate().map(|()| (scorecard, warnings))
}

/// A plan with the value that earns nothing and the value that earns everything.
type WithEnds = (Plan, f32, f32);

fn with_ends(
    plans: Vec<Plan>,
    x: &FeatureMatrix,
    training_rows: &[usize],
    warnings: &mut Vec<String>,
) -> Result<Vec<WithEnds>, HealthError> {
    let mut varying = Vec::with_capacity(plans.len());
    for plan in plans {
        let known = sorted_known(x.column(plan.feature), training_rows);
        match ends(&plan, &known)? {
            Some((at_zero, at_full)) => varying.push((plan, at_zero, at_full)),
            None => warnings.push(dropped(&plan, &known)),
        }
    }
    Ok(varying)
}

fn sorted_known(column: &[f32], rows: &[usize]) -> Vec<f32> {
    let mut known: Vec<f32> = rows.iter().map(|&row| column[row]).filter(|value| !value.is_nan()).collect();
    known.sort_by(f32::total_cmp);
    known
}

/// `(at_zero, at_full)`, or `None` where the known values leave them equal.
fn ends(plan: &Plan, known: &[f32]) -> Result<Option<(f32, f32)>, HealthError> {
    if let (Some(at_zero), Some(at_full)) = (plan.at_zero, plan.at_full) {
        return Ok(Some((at_zero, at_full)));
    }
    if known.is_empty() {
        return Ok(None);
    }
    for (low, high) in [ENDS, (0.0, 1.0)] {
        let (low, high) = (quantile(known, low), quantile(known, high));
        let (unhealthy, healthy) = match plan.good {
            Direction::Up => (low, high),
            Direction::Down => (high, low),
        };
        let (at_zero, at_full) = (plan.at_zero.unwrap_or(unhealthy), plan.at_full.unwrap_or(healthy));
        if at_zero == at_full {
            continue;
        }
        if in_order(plan.good, at_zero, at_full) {
            return Ok(Some((at_zero, at_full)));
        }
        let (at_zero, at_full) = (at_zero.into(), at_full.into());
        return Err(HealthError::Ends { name: plan.name.clone(), at_zero, at_full, good: plan.good });
    }
    Ok(None)
}

/// Type 7 of Hyndman and Fan (1996), numpy's default, of sorted values.
fn quantile(sorted: &[f32], q: f64) -> f32 {
    let place = q * (sorted.len() - 1) as f64;
    let below = f64::from(sorted[place.floor() as usize]);
    let above = f64::from(sorted[place.ceil() as usize]);
    (below + (above - below) * place.fract()) as f32
}

fn dropped(plan: &Plan, known: &[f32]) -> String {
    let Plan { name, weight, .. } = plan;
    let why = match known.first() {
        None => "it is missing in all training rows".to_owned(),
        Some(value) => format!("it is {value} in all {} training rows where it is known", known.len()),
    };
    format!("indicator `{name}` is dropped: {why}; its weight {weight} goes to the other indicators")
}

fn warn_if_many(n_indicators: usize, warnings: &mut Vec<String>) {
    if n_indicators > MANY_INDICATORS {
        warnings.push(format!(
            "the scorecard has {n_indicators} indicators; more than {MANY_INDICATORS} are hard to explain and to act on"
        ));
    }
}

fn keep_first(mut plans: Vec<WithEnds>, warnings: &mut Vec<String>) -> Vec<WithEnds> {
    let n_usable = plans.len();
    if n_usable > MANY_INDICATORS {
        let left_out: Vec<String> =
            plans.drain(MANY_INDICATORS..).map(|(plan, ..)| format!("`{}`", plan.name)).collect();
        warnings.push(format!(
            "no indicators are declared: the scorecard takes the first {MANY_INDICATORS} of {n_usable} features with a \
             direction, equally weighted, and leaves out {}",
            left_out.join(", ")
        ));
    }
    plans
}

/// Scales the weights so that they total 100.
fn share_out(plans: &mut [WithEnds]) {
    let total: f64 = plans.iter().map(|(plan, ..)| plan.weight).sum();
    for (plan, ..) in plans {
        plan.weight *= TOTAL_WEIGHT / total;
    }
}

fn assemble(plans: Vec<WithEnds>, bands: bellwether_core::Bands, n_features: usize) -> Scorecard {
    let indicators = (plans.iter())
        .map(|(plan, at_zero, at_full)| Indicator {
            feature: u32::try_from(plan.feature).expect("a schema has fewer than 2^32 features"),
            weight: plan.weight as f32,
            at_zero: *at_zero,
            at_full: *at_full,
        })
        .collect();
    let (names, categories) = plans.into_iter().map(|(plan, ..)| (plan.name, plan.category)).unzip();
    let model = ScorecardModel { n_features, indicators, slope: CHURN_SLOPE, intercept: CHURN_INTERCEPT };
    Scorecard { model, bands, names, categories }
}
