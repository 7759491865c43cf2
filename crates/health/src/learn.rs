//! What a scorecard learns from the training rows.

use bellwether_core::{Bands, Direction, FeatureMatrix, FeatureSchema, Indicator, Scale, ScorecardModel, quantile};

use crate::error::first_of;
use crate::history::{self, History, IndicatorEvidence};
use crate::plan::{self, Declared, Plan, Shape, in_order};
use crate::{
    HealthError, MANY_INDICATORS, Scorecard, ScorecardSpec, TOTAL_WEIGHT, WeightsFrom, preset, rules, thresholds,
};

/// Logits a point of health, of the uncalibrated churn logit `(50 - health) / 10`.
pub const CHURN_SLOPE: f32 = -0.1;

/// The uncalibrated churn logit at a health of 0.
pub const CHURN_INTERCEPT: f32 = 5.0;

/// Learns what `spec` leaves open from the rows `training_rows` of `x` alone.
///
/// An end that is not declared is the 5 % or 95 % quantile of the known training values (linear interpolation,
/// Hyndman and Fan's type 7), whichever is the unhealthy one for `at_zero`; where these coincide, the minimum and
/// maximum; where these do too, the indicator is dropped and its weight goes to the others in proportion.
/// Without declared indicators it takes the first 7 features, in schema order, that have a declared direction and
/// vary, with equal weights (requirements.md W-D, Z-03). `training_rows` may stand in any order.
///
/// # Errors
/// [`HealthError`] for a declaration that breaks a rule, if there is no direction to start from, if no indicator
/// varies, and [`HealthError::NeedsHistory`] for thresholds or weights that read churn (see [`learn_on_history`]).
///
/// # Panics
/// If a row of `training_rows` is outside `x`.
pub fn learn(
    spec: Option<&ScorecardSpec>,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
) -> Result<Scorecard, HealthError> {
    learn_and_lint(spec, schema, x, training_rows, None).map(|(scorecard, _)| scorecard)
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
    learn_and_lint(spec, schema, x, training_rows, None).map(|(_, warnings)| warnings)
}

/// [`learn`] with what happened, of which only `training_rows` are read, and the warnings of [`lint`].
///
/// # Errors
/// As [`learn`], and [`HealthError::History`] if weights are to be learnt of which history says too little.
///
/// # Panics
/// As [`learn`], and if `history` has not one entry a row of `x`.
pub fn learn_on_history(
    spec: Option<&ScorecardSpec>,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
    history: &History<'_>,
) -> Result<(Scorecard, Vec<String>), HealthError> {
    learn_and_lint(spec, schema, x, training_rows, Some(history))
}

fn learn_and_lint(
    spec: Option<&ScorecardSpec>,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
    history: Option<&History<'_>>,
) -> Result<(Scorecard, Vec<String>), HealthError> {
    if x.n_cols() != schema.len() {
        return Err(HealthError::Columns { found: x.n_cols(), expected: schema.len() });
    }
    let spec = spec.map(|spec| preset::filled_in(spec, schema)).transpose()?.unwrap_or_default();
    if history.is_none() {
        first_of(((), check_without_history(&spec)))?;
    }
    let mut warnings = Vec::new();
    let bands = spec.bands.as_ref().map_or_else(|| Ok(Bands::default()), crate::BandsSpec::edges)?;
    let fitted = fit(&Declared::of(&spec), schema, x, training_rows, &mut warnings)?;
    let mut scorecard = if rules::are_needed(&spec) {
        rules::assemble(&spec, fitted, bands, schema, x, training_rows, &mut warnings)?
    } else {
        assemble(&fitted, bands, schema.len())
    };
    scorecard.validate()?;
    if let Some(weights) = weights(spec.weights.unwrap_or_default(), &scorecard, x, training_rows, history)? {
        scorecard = scorecard.with_weights(&weights)?;
    }
    if let Some(declared) = &spec.thresholds {
        let account = history.expect("thresholds were refused where there is none").account;
        scorecard = thresholds::with_thresholds(scorecard, declared, schema, x, training_rows, account)?;
    }
    Ok((scorecard, warnings))
}

/// What `spec`, in which its preset is filled in, wants of churn.
pub(crate) fn check_without_history(spec: &ScorecardSpec) -> Vec<HealthError> {
    let reads_churn = match spec.weights.unwrap_or_default() {
        WeightsFrom::Declared | WeightsFrom::Equal => false,
        WeightsFrom::Doubled | WeightsFrom::Correlation | WeightsFrom::Logistic => true,
    };
    let asked = [(reads_churn, "weights by history"), (spec.thresholds.is_some(), "thresholds by cohort")];
    asked.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, what)| HealthError::NeedsHistory(what)).collect()
}

/// The weights that the spec asks for in place of those that are declared.
fn weights(
    from: WeightsFrom,
    scorecard: &Scorecard,
    x: &FeatureMatrix,
    training_rows: &[usize],
    history: Option<&History<'_>>,
) -> Result<Option<Vec<f64>>, HealthError> {
    let evidence = match from {
        WeightsFrom::Declared => return Ok(None),
        WeightsFrom::Equal => history::equal(scorecard),
        WeightsFrom::Doubled | WeightsFrom::Correlation | WeightsFrom::Logistic => {
            let history = history.expect("weights by history were refused where there is none");
            weights_evidence(from, scorecard, x, training_rows, history)?
        }
    };
    Ok(Some(evidence.iter().map(|of| of.after).collect()))
}

/// What history says of each indicator of `scorecard`, and the weight that a way gives it; only `training_rows` are read.
///
/// # Errors
/// [`HealthError::History`] where there is too little of it, or a regression is wanted and `history` has none.
///
/// # Panics
/// If `history` has not one entry a row of `x`, or a row is outside.
pub fn weights_evidence(
    from: WeightsFrom,
    scorecard: &Scorecard,
    x: &FeatureMatrix,
    training_rows: &[usize],
    history: &History<'_>,
) -> Result<Vec<IndicatorEvidence>, HealthError> {
    match from {
        WeightsFrom::Declared => Ok(history::declared(scorecard)),
        WeightsFrom::Equal => Ok(history::equal(scorecard)),
        WeightsFrom::Doubled => history::doubled(scorecard, x, training_rows, history),
        WeightsFrom::Correlation => history::by_correlation(scorecard, x, training_rows, history),
        WeightsFrom::Logistic => history::by_regression(scorecard, x, training_rows, history),
    }
}

/// An indicator that is whole.
pub(crate) type Fitted = (Plan, Scale);

/// The indicators of a card, with what was left open learnt from `training_rows`; those that do not vary are dropped.
/// Weights of a card without categories total 100.
pub(crate) fn fit(
    declared: &Declared<'_>,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
    warnings: &mut Vec<String>,
) -> Result<Vec<Fitted>, HealthError> {
    let mut varying = if declared.indicators.is_empty() {
        let plans = plan::from_directions(schema, declared.missing)?;
        keep_first(with_ends(plans, x, training_rows, &mut Vec::new())?, warnings)
    } else {
        let plans = declared.plans(schema)?;
        warn_if_many(plans.len(), warnings);
        with_ends(plans, x, training_rows, warnings)?
    };
    if varying.is_empty() {
        return Err(HealthError::NoneVaries { n_rows: training_rows.len() });
    }
    // Declared weights total 100 unless one was dropped; scaling them would only blur their last digits.
    if declared.categories.is_empty() && varying.len() != declared.indicators.len() {
        share_out(&mut varying);
    }
    Ok(varying)
}

fn with_ends(
    plans: Vec<Plan>,
    x: &FeatureMatrix,
    training_rows: &[usize],
    warnings: &mut Vec<String>,
) -> Result<Vec<Fitted>, HealthError> {
    let mut varying = Vec::with_capacity(plans.len());
    for plan in plans {
        let known = sorted_known(x.column(plan.feature), training_rows);
        match scale(&plan, &known)? {
            Some(scale) => varying.push((plan, scale)),
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

/// The scale, or `None` where the known values leave both ends of a line equal.
fn scale(plan: &Plan, known: &[f32]) -> Result<Option<Scale>, HealthError> {
    let (given_zero, given_full, quantiles) = match &plan.shape {
        Shape::Steps(scale) => return Ok(Some(scale.clone())),
        Shape::Line { at_zero: Some(at_zero), at_full: Some(at_full), .. } => {
            return Ok(Some(Scale::Linear { at_zero: *at_zero, at_full: *at_full }));
        }
        Shape::Line { at_zero, at_full, quantiles } => (*at_zero, *at_full, *quantiles),
    };
    for (low, high) in [quantiles, (0.0, 1.0)] {
        let Some((low, high)) = quantile(known, low).zip(quantile(known, high)) else { return Ok(None) };
        let (low, high) = (low as f32, high as f32);
        let (unhealthy, healthy) = match plan.good {
            Direction::Up => (low, high),
            Direction::Down => (high, low),
        };
        let (at_zero, at_full) = (given_zero.unwrap_or(unhealthy), given_full.unwrap_or(healthy));
        if at_zero == at_full {
            continue;
        }
        if in_order(plan.good, at_zero, at_full) {
            return Ok(Some(Scale::Linear { at_zero, at_full }));
        }
        let (at_zero, at_full) = (at_zero.into(), at_full.into());
        return Err(HealthError::Ends { name: plan.name.clone(), at_zero, at_full, good: plan.good });
    }
    Ok(None)
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

fn keep_first(mut plans: Vec<Fitted>, warnings: &mut Vec<String>) -> Vec<Fitted> {
    let n_usable = plans.len();
    if n_usable > MANY_INDICATORS {
        let left_out: Vec<String> =
            plans.drain(MANY_INDICATORS..).map(|(plan, _)| format!("`{}`", plan.name)).collect();
        warnings.push(format!(
            "no indicators are declared: the scorecard takes the first {MANY_INDICATORS} of {n_usable} features with a \
             direction, equally weighted, and leaves out {}",
            left_out.join(", ")
        ));
    }
    plans
}

/// Scales the weights so that they total 100.
fn share_out(plans: &mut [Fitted]) {
    let total: f64 = plans.iter().map(|(plan, _)| plan.weight).sum();
    for (plan, _) in plans {
        plan.weight *= TOTAL_WEIGHT / total;
    }
}

/// A scorecard of straight lines; of steps, the line that stands for them.
pub(crate) fn assemble(fitted: &[Fitted], bands: Bands, n_features: usize) -> Scorecard {
    let indicator = |(plan, scale): &Fitted| {
        let (at_zero, at_full) = scale.straight_line();
        let feature = u32::try_from(plan.feature).expect("a schema has fewer than 2^32 features");
        Indicator { feature, weight: plan.weight as f32, at_zero, at_full }
    };
    let indicators = fitted.iter().map(indicator).collect();
    let model = ScorecardModel { n_features, indicators, slope: CHURN_SLOPE, intercept: CHURN_INTERCEPT };
    let (names, categories) = fitted.iter().map(|(plan, _)| (plan.name.clone(), plan.category.clone())).unzip();
    Scorecard { model, bands, names, categories, rules: None }
}
