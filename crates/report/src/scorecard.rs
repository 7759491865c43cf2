//! The health score: cards, bands, vetoes, thresholds by cohort.

use bellwether_core::{
    Band, Bands, CohortBands, CohortEdges, Dimension, FeatureCondition, FeatureRange, HealthCard, HealthCategory,
    HealthIndicator, MissingPolicy, Scale,
};
use bellwether_health::{RENEWAL_EXPECTATIONS, Scorecard, ThresholdsSpec, band_action};

use crate::markdown::{bullets, code};
use crate::number::{Number, short};
use crate::sections::category;
use crate::table::{Align, Cell, Table};
use crate::weights::{self, WeightsReport};
use crate::words::many;

/// The health score, and what history says of its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorecardReport {
    /// The scorecard of the bundle.
    pub scorecard: Scorecard,
    /// The name of each feature, by its place in the schema.
    pub features: Vec<String>,
    /// How thresholds by cohort were asked for; `None` where they were not.
    pub thresholds: Option<ThresholdsSpec>,
    /// What other weights do; `None` where nothing is known of churn.
    pub weights: Option<WeightsReport>,
}

/// All sections of the health score.
pub(crate) fn section(report: &ScorecardReport) -> String {
    let mut parts = vec![opening(report)];
    match &report.scorecard.rules {
        None => parts.push(indicators(&of_lines(&report.scorecard), &report.scorecard.categories)),
        Some(rules) => parts.extend(rules.cards.iter().map(|card| card_section(report, card))),
    }
    parts.push(bands(&report.scorecard.bands));
    if let Some(rules) = &report.scorecard.rules {
        if !rules.vetoes.is_empty() {
            let veto = |of: &bellwether_core::Veto| {
                let when = conditions(&of.when, &report.features);
                format!("{}: at most {} where {when}", code(&of.name), short(of.at_most))
            };
            parts.push(format!("### Vetoes\n\n{}", bullets(rules.vetoes.iter().map(veto))));
        }
        parts.extend(rules.thresholds.as_ref().map(|bands| thresholds(report, bands)));
    }
    parts.extend(report.weights.as_ref().map(weights::section));
    parts.join("\n")
}

fn opening(report: &ScorecardReport) -> String {
    let cards = match &report.scorecard.rules {
        Some(rules) if rules.cards.len() > 1 => {
            format!(
                " It has {}: the first whose condition holds scores a row, and `base` all others.",
                many(rules.cards.len(), "card")
            )
        }
        _ => String::new(),
    };
    format!(
        "## Health score\n\n\
         Each indicator earns 0 to 100 points by its value; a score is their weighted mean, within categories and then \
         over them.{cards} The score's coverage, the share of the weight that is known, stands beside it in every score \
         file.\n"
    )
}

/// A scorecard of straight lines as a card.
fn of_lines(scorecard: &Scorecard) -> HealthCard {
    let indicator = |(of, name): (&bellwether_core::Indicator, &String)| HealthIndicator {
        feature: of.feature,
        name: name.clone(),
        weight: f64::from(of.weight),
        scale: Scale::Linear { at_zero: of.at_zero, at_full: of.at_full },
        missing: MissingPolicy::Redistribute,
    };
    let indicators = scorecard.model.indicators.iter().zip(&scorecard.names).map(indicator).collect();
    let categories = vec![HealthCategory { name: None, weight: 100.0, indicators }];
    HealthCard { name: String::new(), when: Vec::new(), bands: scorecard.bands, categories }
}

fn card_section(report: &ScorecardReport, card: &HealthCard) -> String {
    let who = if card.when.is_empty() {
        "Scores every row that no other card does.".to_owned()
    } else {
        format!("Scores rows where {}.", conditions(&card.when, &report.features))
    };
    let of_categories: Vec<Option<String>> = if card.when.is_empty() {
        report.scorecard.categories.clone()
    } else {
        card.categories.iter().flat_map(|of| of.indicators.iter().map(|_| of.name.clone())).collect()
    };
    let mut parts = vec![format!("### Card {}\n\n{who}\n", code(&card.name))];
    if card.categories.iter().any(|of| of.name.is_some()) {
        parts.push(categories(card));
    }
    parts.push(indicators(card, &of_categories));
    // A variant's own bands; the base card's stand in their own section.
    if card.bands != report.scorecard.bands {
        parts.push(bands_table(&card.bands));
    }
    parts.join("\n")
}

fn categories(card: &HealthCard) -> String {
    let mut table = Table::new(&[("category", Align::Left), ("weight", Align::Right), ("indicators", Align::Right)]);
    let total: f64 = card.categories.iter().map(|of| of.weight).sum();
    for of in &card.categories {
        let weight = Cell::number(Number::Fixed(1), Some(100.0 * of.weight / total));
        table.row([category(of.name.as_ref()), weight, Cell::count(of.indicators.len())]);
    }
    table.markdown()
}

fn indicators(card: &HealthCard, categories: &[Option<String>]) -> String {
    let mut table = Table::new(&[
        ("indicator", Align::Left),
        ("category", Align::Left),
        ("weight", Align::Right),
        ("points", Align::Left),
        ("where it is missing", Align::Left),
    ]);
    for ((of, share), category_of) in card.indicators().zip(card.shares()).zip(categories) {
        table.row([
            Cell::name(&of.name),
            category(category_of.as_ref()),
            Cell::number(Number::Fixed(1), Some(share)),
            points(&of.scale).into(),
            missing(of.missing).into(),
        ]);
    }
    table.markdown()
}

fn points(scale: &Scale) -> String {
    match scale {
        Scale::Linear { at_zero, at_full } => {
            format!("0 at {}, 100 at {}", short(f64::from(*at_zero)), short(f64::from(*at_full)))
        }
        Scale::Banded { edges, points } => {
            let first = format!("{} below {}", short(points[0]), short(f64::from(edges[0])));
            let others = edges.iter().zip(&points[1..]);
            let others = others.map(|(edge, points)| format!("{} from {}", short(*points), short(f64::from(*edge))));
            [first].into_iter().chain(others).collect::<Vec<_>>().join("; ")
        }
    }
}

const fn missing(policy: MissingPolicy) -> &'static str {
    match policy {
        MissingPolicy::Redistribute => "its weight goes to others",
        MissingPolicy::Neutral => "50 points",
        MissingPolicy::Refuse => "no score",
    }
}

/// All of these hold.
fn conditions(when: &[FeatureCondition], features: &[String]) -> String {
    let condition = |of: &FeatureCondition| {
        let ranges: Vec<String> = of.any.iter().map(|range| self::range(range, features)).collect();
        ranges.join(" or ")
    };
    when.iter().map(condition).collect::<Vec<_>>().join(" and ")
}

fn range(range: &FeatureRange, features: &[String]) -> String {
    let name = features.get(range.feature as usize).map_or("(unknown)", String::as_str);
    // A level of a text is its 0/1 column.
    if name.contains('=') && range.at_least == Some(0.5) && range.below.is_none() {
        return code(name);
    }
    let from = range.at_least.map(|least| format!("from {}", short(least)));
    let below = range.below.map(|below| format!("below {}", short(below)));
    let limits: Vec<String> = [from, below].into_iter().flatten().collect();
    format!("{} is {}", code(name), limits.join(" and "))
}

fn bands(bands: &Bands) -> String {
    format!(
        "### Bands\n\n\
         Of the score as it is, not rounded. The renewal rate is what the guides expect of a band; what became of the \
         test rows of each stands with each target.\n\n{}",
        bands_table(bands)
    )
}

fn bands_table(bands: &Bands) -> String {
    let mut table = Table::new(&[
        ("band", Align::Left),
        ("score", Align::Left),
        ("means", Align::Left),
        ("to do", Align::Left),
        ("renewals expected", Align::Left),
    ]);
    let ((from_yellow, to_yellow), (from_green, to_green)) = (edge(bands.yellow_from()), edge(bands.green_from()));
    for (band, score) in [
        (Band::Red, format!("from 0, {to_yellow}")),
        (Band::Yellow, format!("{from_yellow}, {to_green}")),
        (Band::Green, format!("{from_green}, to 100")),
    ] {
        let (means, to_do) = band_action(band);
        table.row([band.name().into(), score.into(), means.into(), to_do.into(), renewals(band).into()]);
    }
    table.markdown()
}

/// How the band above an edge begins, and how the one below ends. An edge just above a shorter number is that number,
/// which then belongs to the band below.
fn edge(edge: f64) -> (String, String) {
    let below = edge.next_down();
    if below.to_string().len() < edge.to_string().len() {
        (format!("above {below}"), format!("to {below}"))
    } else {
        (format!("from {edge}"), format!("below {edge}"))
    }
}

fn renewals(band: Band) -> String {
    let expected = RENEWAL_EXPECTATIONS.iter().find(|of| of.band == band);
    expected.map_or_else(String::new, |of| {
        let percent = |share: f64| format!("{} %", short(100.0 * share));
        match (of.at_least > 0.0, of.at_most < 1.0) {
            (true, false) => format!("{} and more", percent(of.at_least)),
            (false, _) => format!("below {}", percent(of.at_most)),
            (true, true) => format!("{} to {}", short(100.0 * of.at_least), percent(of.at_most)),
        }
    })
}

fn thresholds(report: &ScorecardReport, cohorts: &CohortBands) -> String {
    let mut table = Table::new(&[
        ("cohort", Align::Left),
        ("training accounts", Align::Right),
        ("yellow from", Align::Right),
        ("green from", Align::Right),
    ]);
    let two = Number::Fixed(2);
    for cohort in &cohorts.cohorts {
        table.row([
            Cell::words(&name(cohort, &cohorts.by, &report.features)),
            Cell::count(cohort.n_accounts as usize),
            Cell::number(two, Some(cohort.bands.yellow_from())),
            Cell::number(two, Some(cohort.bands.green_from())),
        ]);
    }
    let dimensions: Vec<String> = cohorts.by.iter().map(|of| code(dimension_name(of))).collect();
    let how = report.thresholds.as_ref().map_or_else(String::new, |spec| {
        format!(
            " An edge is `(n * own + k * coarser) / (n + k)` with n accounts and k = {}; a cohort of fewer than {} has those of \
             the coarser one.",
            short(spec.shrinkage),
            many(spec.min_accounts, "account"),
        )
    });
    format!(
        "### Bands by cohort\n\n\
         In place of the bands above, by {}: in each cohort as large a share of the training rows is red, and red or \
         yellow, as of all.{how}\n\n{}",
        dimensions.join(", then "),
        table.markdown()
    )
}

fn dimension_name(dimension: &Dimension) -> &str {
    match dimension {
        Dimension::Ranges { name, .. } | Dimension::Levels { name, .. } => name,
    }
}

fn name(cohort: &CohortEdges, by: &[Dimension], features: &[String]) -> String {
    if cohort.levels.is_empty() {
        return "everybody".to_owned();
    }
    let level = |(dimension, &level): (&Dimension, &u32)| match dimension {
        Dimension::Ranges { name, edges, .. } => {
            let at = level as usize;
            let from = at.checked_sub(1).and_then(|at| edges.get(at)).map(|edge| format!("from {}", short(*edge)));
            let below = edges.get(at).map(|edge| format!("below {}", short(*edge)));
            format!("{name} {}", [from, below].into_iter().flatten().collect::<Vec<_>>().join(" and "))
        }
        Dimension::Levels { columns, .. } => {
            let column = columns.get(level as usize).and_then(|&column| features.get(column as usize));
            column.cloned().unwrap_or_else(|| "(unknown)".to_owned())
        }
    };
    by.iter().zip(&cohort.levels).map(level).collect::<Vec<_>>().join(", ")
}
