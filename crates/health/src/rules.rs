//! Cards, variants and vetoes: what goes beyond a weighted sum of straight lines.

use std::collections::BTreeMap;

use bellwether_core::{
    Bands, FeatureCondition, FeatureMatrix, FeatureRange, FeatureSchema, HealthCard, HealthCategory, HealthIndicator,
    HealthRules, MissingPolicy, Veto,
};

use crate::error::first_of;
use crate::learn::{Fitted, assemble as assemble_lines, fit};
use crate::plan::{CategoriesFrom, Declared, near_matches};
use crate::{CategorySpec, ConditionSpec, HealthError, IndicatorSpec, Scorecard, ScorecardSpec, VariantSpec, VetoSpec};

/// The name of the card for the rows that no variant takes.
pub const BASE_CARD: &str = "base";

/// A variant with fewer training rows takes the ends of all training rows.
pub const MIN_VARIANT_ROWS: usize = 200;

impl<'a> Declared<'a> {
    /// The base card of `spec`, in which its preset is [`filled_in`](crate::preset::filled_in).
    pub(crate) fn of(spec: &'a ScorecardSpec) -> Self {
        let ScorecardSpec { preset, indicators, categories, missing, ablation, .. } = spec;
        let categories_from = if preset.is_some() { CategoriesFrom::Preset } else { CategoriesFrom::Book };
        Self { indicators, categories, categories_from, missing: *missing, has_ablation: ablation.is_some() }
    }

    /// The card of a variant of `spec`.
    pub(crate) fn of_variant(spec: &'a ScorecardSpec, variant: &'a VariantSpec) -> Self {
        let mut declared = Self::of(spec);
        if !variant.indicators.is_empty() {
            declared.indicators = &variant.indicators;
        }
        if !variant.categories.is_empty() {
            declared.categories = &variant.categories;
            declared.categories_from = CategoriesFrom::Book;
        }
        declared
    }
}

/// Whether a weighted sum of straight lines can't say what `spec` does.
pub(crate) fn are_needed(spec: &ScorecardSpec) -> bool {
    let goes_beyond = |indicator: &IndicatorSpec| {
        !indicator.steps.is_empty() || indicator.missing.is_some_and(|missing| missing != MissingPolicy::Redistribute)
    };
    spec.missing != MissingPolicy::Redistribute
        || !spec.categories.is_empty()
        || !spec.variants.is_empty()
        || !spec.vetoes.is_empty()
        || spec.thresholds.is_some()
        || spec.indicators.iter().any(goes_beyond)
}

/// A scorecard with rules; `base` are the indicators of its base card.
pub(crate) fn assemble(
    spec: &ScorecardSpec,
    base: Vec<Fitted>,
    bands: Bands,
    schema: &FeatureSchema,
    x: &FeatureMatrix,
    training_rows: &[usize],
    warnings: &mut Vec<String>,
) -> Result<Scorecard, HealthError> {
    let mut cards = Vec::with_capacity(spec.variants.len() + 1);
    for variant in &spec.variants {
        let own = VariantRows { spec, variant, bands, schema, x, training_rows };
        cards.push(own.card(warnings)?);
    }
    warn_of_features_without_weight(spec, schema, warnings);
    let base = in_categories(base, &spec.categories);
    let mut fitted: Vec<Fitted> = base.iter().flat_map(|(_, _, within)| within.clone()).collect();
    cards.push(card(BASE_CARD.to_owned(), Vec::new(), bands, base));
    let shares = cards[cards.len() - 1].shares();
    for ((plan, _), share) in fitted.iter_mut().zip(shares) {
        plan.weight = share;
    }
    let vetoes = spec.vetoes.iter().map(|veto| first_of(check_veto(veto, schema))).collect::<Result<_, _>>()?;
    let rules = HealthRules { cards, vetoes, thresholds: None };
    let scorecard = Scorecard { rules: Some(rules), ..assemble_lines(&fitted, bands, schema.len()) };
    warnings.push(
        "the learner `scorecard` and its graph hold the straight-line reading of the base card; the health score itself \
         is computed by all rules"
            .to_owned(),
    );
    Ok(scorecard)
}

/// What a variant's card is made from.
struct VariantRows<'a> {
    spec: &'a ScorecardSpec,
    variant: &'a VariantSpec,
    bands: Bands,
    schema: &'a FeatureSchema,
    x: &'a FeatureMatrix,
    training_rows: &'a [usize],
}

impl VariantRows<'_> {
    fn card(&self, warnings: &mut Vec<String>) -> Result<HealthCard, HealthError> {
        let Self { spec, variant, schema, x, training_rows, .. } = *self;
        let place = place_of(variant);
        let when = first_of(check_variant(spec, variant, schema))?;
        let holds = |row: usize| when.iter().all(|condition| condition.holds(|feature| x.value(row, feature)));
        let own: Vec<usize> = training_rows.iter().copied().filter(|&row| holds(row)).collect();
        let rows = if own.len() < MIN_VARIANT_ROWS {
            warnings.push(format!(
                "{place} has {} training rows, fewer than {MIN_VARIANT_ROWS}: its ends are learnt on all rows",
                own.len()
            ));
            training_rows
        } else {
            &own
        };
        let declared = Declared::of_variant(spec, variant);
        let mut own_warnings = Vec::new();
        let fitted = fit(&declared, schema, x, rows, &mut own_warnings)?;
        warnings.extend(own_warnings.iter().map(|warning| format!("{place}: {warning}")));
        let bands = variant.bands.as_ref().map_or(Ok(self.bands), crate::BandsSpec::edges)?;
        let fitted = in_categories(fitted, declared.categories);
        Ok(card(variant.name.clone(), when, bands, fitted))
    }
}

fn place_of(variant: &VariantSpec) -> String {
    format!("variant `{}`", variant.name)
}

/// Whose card a variant of `spec` is, and every rule that it breaks as a variant; those of its card are
/// [`Declared::check`]'s.
pub(crate) fn check_variant(
    spec: &ScorecardSpec,
    variant: &VariantSpec,
    schema: &FeatureSchema,
) -> (Vec<FeatureCondition>, Vec<HealthError>) {
    let place = place_of(variant);
    let (when, of_conditions) = check_conditions(&variant.when, &place, schema);
    let is_namesake =
        variant.name == BASE_CARD || spec.variants.iter().filter(|of| of.name == variant.name).count() > 1;
    let rules = [
        (variant.when.is_empty(), "it has no condition; `when` says whose card it is"),
        (is_namesake, "its name is another card's"),
        (
            variant.bands.is_some() && spec.thresholds.is_some(),
            "it has bands, and so has each cohort of [scorecard.thresholds]; keep one",
        ),
    ];
    let broken = rules.into_iter().filter(|(is_broken, _)| *is_broken);
    let mut errors: Vec<HealthError> =
        broken.map(|(_, rule)| HealthError::Rule { place: place.clone(), rule: rule.to_owned() }).collect();
    errors.extend(of_conditions);
    (when, errors)
}

/// A category's name and weight, and its indicators.
type Category = (Option<String>, f64, Vec<Fitted>);

/// The indicators by category, in the order of the categories' names; one category where none is declared. A category
/// whose indicators were all dropped is none.
fn in_categories(fitted: Vec<Fitted>, categories: &BTreeMap<String, CategorySpec>) -> Vec<Category> {
    if categories.is_empty() {
        return vec![(None, crate::TOTAL_WEIGHT, fitted)];
    }
    let category = |(name, of): (&String, &CategorySpec)| {
        let within = fitted.iter().filter(|(plan, _)| plan.category.as_ref() == Some(name)).cloned().collect();
        (Some(name.clone()), of.weight, within)
    };
    categories.iter().map(category).filter(|(.., within): &Category| !within.is_empty()).collect()
}

fn card(name: String, when: Vec<FeatureCondition>, bands: Bands, categories: Vec<Category>) -> HealthCard {
    let indicator = |(plan, scale): Fitted| HealthIndicator {
        feature: u32::try_from(plan.feature).expect("a schema has fewer than 2^32 features"),
        name: plan.name,
        weight: plan.weight,
        scale,
        missing: plan.missing,
    };
    let category = |(name, weight, within): Category| HealthCategory {
        name,
        weight,
        indicators: within.into_iter().map(indicator).collect(),
    };
    HealthCard { name, when, bands, categories: categories.into_iter().map(category).collect() }
}

/// A veto, and every rule that it breaks.
pub(crate) fn check_veto(spec: &VetoSpec, schema: &FeatureSchema) -> (Veto, Vec<HealthError>) {
    let place = format!("veto `{}`", spec.name);
    let (when, of_conditions) = check_conditions(&spec.when, &place, schema);
    let mut errors = Vec::new();
    let mut refuse = |rule: String| errors.push(HealthError::Rule { place: place.clone(), rule });
    if spec.when.is_empty() {
        refuse("it has no condition; `when` says when it holds".to_owned());
    }
    if !(0.0..100.0).contains(&spec.at_most) {
        refuse(format!("at_most is {}; it must be at least 0 and below 100", spec.at_most));
    }
    errors.extend(of_conditions);
    (Veto { name: spec.name.clone(), when, at_most: spec.at_most }, errors)
}

/// The conditions that can be, in terms of the features of `schema`, and an error for each other one.
fn check_conditions(
    specs: &[ConditionSpec],
    place: &str,
    schema: &FeatureSchema,
) -> (Vec<FeatureCondition>, Vec<HealthError>) {
    let (mut conditions, mut errors) = (Vec::new(), Vec::new());
    for spec in specs {
        match condition(spec, place, schema) {
            Ok(condition) => conditions.push(condition),
            Err(error) => errors.push(error),
        }
    }
    (conditions, errors)
}

fn condition(spec: &ConditionSpec, place: &str, schema: &FeatureSchema) -> Result<FeatureCondition, HealthError> {
    let refuse = |rule: String| HealthError::Rule { place: place.to_owned(), rule };
    let feature = |name: &str| {
        let found = schema.index_of(name).and_then(|at| u32::try_from(at).ok());
        found.ok_or_else(|| refuse(format!("`{name}` is no feature of this book; {}", near_matches(name, schema))))
    };
    let limits = [spec.at_least, spec.below];
    let is_range = limits.iter().any(Option::is_some);
    if is_range != spec.is_in.is_empty() || limits.iter().flatten().any(|limit| !limit.is_finite()) {
        return Err(refuse(format!("the condition on `{}` has either `in`, or at_least or below", spec.feature)));
    }
    if let [Some(at_least), Some(below)] = limits
        && at_least >= below
    {
        return Err(refuse(format!("`{}` can't be at least {at_least} and below {below}", spec.feature)));
    }
    if is_range {
        let range = FeatureRange { feature: feature(&spec.feature)?, at_least: spec.at_least, below: spec.below };
        return Ok(FeatureCondition { any: vec![range] });
    }
    let level = |level: &String| {
        let feature = feature(&format!("{}={level}", spec.feature))?;
        Ok(FeatureRange { feature, at_least: Some(0.5), below: None })
    };
    Ok(FeatureCondition { any: spec.is_in.iter().map(level).collect::<Result<_, HealthError>>()? })
}

/// Where categories are declared: categories of the book's directed features that no card weighs (as Relationship in
/// W-B, requirements.md 1.16.2).
fn warn_of_features_without_weight(spec: &ScorecardSpec, schema: &FeatureSchema, warnings: &mut Vec<String>) {
    if spec.categories.is_empty() {
        return;
    }
    let directed = schema.features().iter().filter(|feature| feature.good.is_some());
    let mut without: Vec<&str> = directed.filter_map(|feature| feature.category.as_deref()).collect();
    without.sort_unstable();
    without.dedup();
    without.retain(|name| !spec.categories.contains_key(*name));
    if !without.is_empty() {
        let names = without.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        warnings.push(format!("the scorecard gives no weight to the categories {names} of this book's features"));
    }
}
