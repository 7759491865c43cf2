//! The linter: every rule of a declaration in one table, and every place where one breaks them.

use bellwether_core::FeatureSchema;

use crate::plan::Declared;
use crate::{BandsSpec, HealthError, MANY_INDICATORS, ScorecardSpec, preset};

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
    error("history", "what is learnt from outcomes has enough of them"),
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
pub fn lint_spec(spec: &ScorecardSpec, schema: &FeatureSchema) -> Vec<LintFinding> {
    let spec = match preset::filled_in(spec, schema) {
        Ok(spec) => spec,
        Err(error) => return vec![of_error("", &error)],
    };
    let mut found = Vec::new();
    let edges = |place: &str, bands: &Option<BandsSpec>| {
        bands.as_ref().and_then(|bands| bands.edges().err()).map(|error| of_error(place, &error))
    };
    found.extend(edges("", &spec.bands));
    check_card("", &Declared::of(&spec), schema, &mut found);
    for variant in &spec.variants {
        let place = format!("variant `{}`: ", variant.name);
        found.extend(edges(&place, &variant.bands));
        if !variant.indicators.is_empty() || !variant.categories.is_empty() {
            check_card(&place, &Declared::of_variant(&spec, variant), schema, &mut found);
        }
    }
    found
}

fn check_card(place: &str, declared: &Declared<'_>, schema: &FeatureSchema, found: &mut Vec<LintFinding>) {
    if declared.indicators.is_empty() {
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
