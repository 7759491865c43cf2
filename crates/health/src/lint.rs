//! The linter: every rule of a declaration in one table, and every place where one breaks them.

use bellwether_core::FeatureSchema;

use crate::learn::check_without_history;
use crate::plan::{Declared, from_directions};
use crate::rules::{check_variant, check_veto};
use crate::{BandsSpec, HealthError, MANY_INDICATORS, ScorecardSpec, preset, thresholds};

/// Whether a scorecard is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can be trained with.
    Warning,
    /// It can't.
    Error,
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LintRule {
    /// Its name, which no release changes.
    pub id: &'static str,
    /// Whether breaking it refuses the scorecard.
    pub severity: Severity,
    /// What it asks for.
    pub says: &'static str,
}

const fn error(id: &'static str, says: &'static str) -> LintRule {
    LintRule { id, severity: Severity::Error, says }
}

/// The rules. What [`HealthError::rule_id`] names is in it.
pub const LINT_RULES: [LintRule; 19] = [
    error("preset", "a preset exists, and features of the book play its roles"),
    error("bands-order", "bands are red, yellow and green from 0 to 100, by edges, intervals or a known name"),
    error("bands-gap", "no score lies between two bands"),
    error("bands-overlap", "no score lies in two bands"),
    error("indicator-count", "20 or more indicators need an ablation (I-03)"),
    LintRule { id: "many-indicators", severity: Severity::Warning, says: "7 indicators or fewer (I-03)" },
    error("duplicate", "a feature is one indicator of a card"),
    error("feature", "an indicator reads a feature of the book"),
    error("weight", "a weight is finite and above 0"),
    error("weights-total", "weights total 100, and so do those of categories"),
    error("category", "each category has indicators, and each indicator one of the categories"),
    error("category-points", "the points of a category's indicators total its maximum (1.16.1)"),
    error("direction", "each indicator says which way is healthy, and its ends agree"),
    error("steps-gap", "no value lies between two steps"),
    error("steps-overlap", "no value lies in two steps"),
    error("scale", "a scale is one that can be, with ends that are finite and differ"),
    error("rules", "a variant, veto or threshold has its conditions, limits and names"),
    error("history", "what is learnt from churn is the health score's, and has enough of it"),
    error("training", "the rows that are learnt from have what the scorecard reads"),
];

/// A rule that a declaration breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintFinding {
    /// The rule.
    pub rule: LintRule,
    /// Where, the value and the rule, as a sentence.
    pub message: String,
}

/// Every rule that `spec` breaks and that can be told without data, in the order in which training would refuse it; each
/// card by itself.
///
/// `schema` has a column of each text of the book; which levels the data has is not told without them.
pub fn lint_spec(spec: &ScorecardSpec, schema: &FeatureSchema) -> Vec<LintFinding> {
    match preset::filled_in(spec, schema) {
        Ok(spec) => check_spec("", &spec, schema),
        Err(error) => vec![of_error("", &error)],
    }
}

/// As [`lint_spec`] for an expansion readiness, which is learnt without churn; every message begins with `[readiness] `.
pub fn lint_readiness(spec: &ScorecardSpec, schema: &FeatureSchema) -> Vec<LintFinding> {
    const PLACE: &str = "[readiness] ";
    match preset::filled_in(spec, schema) {
        Ok(spec) => {
            let of_churn = check_without_history(&spec);
            let mut found: Vec<LintFinding> = of_churn.iter().map(|error| of_error(PLACE, error)).collect();
            found.extend(check_spec(PLACE, &spec, schema));
            found
        }
        Err(error) => vec![of_error(PLACE, &error)],
    }
}

/// What a scorecard breaks in which the preset is filled in; `place` begins every message.
fn check_spec(place: &str, spec: &ScorecardSpec, schema: &FeatureSchema) -> Vec<LintFinding> {
    let mut found = Vec::new();
    let edges = |place: &str, bands: &Option<BandsSpec>| {
        bands.as_ref().and_then(|bands| bands.edges().err()).map(|error| of_error(place, &error))
    };
    found.extend(edges(place, &spec.bands));
    check_card(place, &Declared::of(spec), schema, &mut found);
    for variant in &spec.variants {
        // These name the variant themselves.
        found.extend(check_variant(spec, variant, schema).1.iter().map(|error| of_error(place, error)));
        let place = format!("{place}variant `{}`: ", variant.name);
        if !variant.indicators.is_empty() || !variant.categories.is_empty() {
            check_card(&place, &Declared::of_variant(spec, variant), schema, &mut found);
        }
        found.extend(edges(&place, &variant.bands));
    }
    let of_vetoes = spec.vetoes.iter().flat_map(|veto| check_veto(veto, schema).1);
    let of_thresholds = spec.thresholds.iter().flat_map(|of| thresholds::check(of, schema).1);
    found.extend(of_vetoes.chain(of_thresholds).map(|error| of_error(place, &error)));
    found
}

fn check_card(place: &str, declared: &Declared<'_>, schema: &FeatureSchema, found: &mut Vec<LintFinding>) {
    if declared.indicators.is_empty() {
        found.extend(from_directions(schema, declared.missing).err().map(|error| of_error(place, &error)));
        return;
    }
    found.extend(declared.check(schema).1.iter().map(|error| of_error(place, error)));
    let n_indicators = declared.indicators.len();
    if n_indicators > MANY_INDICATORS {
        let message = format!("{place}there are {n_indicators} indicators; {MANY_INDICATORS} or fewer are the aim");
        found.push(LintFinding { rule: rule("many-indicators"), message });
    }
}

fn of_error(place: &str, error: &HealthError) -> LintFinding {
    LintFinding { rule: rule(error.rule_id()), message: format!("{place}{error}") }
}

fn rule(id: &str) -> LintRule {
    *LINT_RULES.iter().find(|rule| rule.id == id).expect("every id is in the table")
}

impl HealthError {
    /// The id of the rule of [`LINT_RULES`] that is broken.
    pub const fn rule_id(&self) -> &'static str {
        match self {
            Self::UnknownPreset(_) | Self::PresetMissing { .. } | Self::PresetOverride(_) => "preset",
            Self::BandOrder | Self::UnknownBands(_) => "bands-order",
            Self::BandGap { .. } => "bands-gap",
            Self::BandOverlap { .. } => "bands-overlap",
            Self::TooMany { .. } => "indicator-count",
            Self::Duplicate(_) => "duplicate",
            Self::UnknownFeature { .. } => "feature",
            Self::Weight { .. } | Self::Category { .. } => "weight",
            Self::WeightsTotal { .. } | Self::CategoriesTotal { .. } => "weights-total",
            Self::EmptyCategory(_) | Self::UnknownCategory { .. } => "category",
            Self::CategoryPoints { .. } => "category-points",
            Self::NoDirection(_) | Self::NothingDeclared | Self::Ends { .. } => "direction",
            Self::StepGap { .. } => "steps-gap",
            Self::StepOverlap { .. } => "steps-overlap",
            Self::Scale { .. } | Self::End { .. } => "scale",
            Self::Rule { .. } => "rules",
            Self::NeedsHistory(_) | Self::History(_) => "history",
            Self::NoneVaries { .. }
            | Self::Columns { .. }
            | Self::Schema { .. }
            | Self::Lengths { .. }
            | Self::Model(_) => "training",
        }
    }
}
