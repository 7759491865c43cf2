//! The sections of the health score and of a logistic model, whole.

use crate::common::{Accounts, CHURN, nothing, plain_scorecard, report};
use bellwether_core::{
    Bands, CohortBands, CohortEdges, Dimension, FeatureCondition, FeatureRange, HealthCard, HealthCategory,
    HealthIndicator, HealthRules, MissingPolicy, Scale, Veto,
};
use bellwether_evaluate::Estimate;
use bellwether_health::{DimensionSpec, Finding, IndicatorEvidence, ThresholdsSpec, WeightsFrom};
use bellwether_report::{
    Coefficient, CoefficientReport, LookBackRow, ScorecardReport, TrainingReport, WeightsReport, WeightsTest,
    WeightsWay, render,
};
use expect_test::{expect, expect_file};

const FEATURES: [&str; 5] = ["logins_30d", "tickets_90d", "segment=smb", "segment=enterprise", "tenure_days"];

fn indicator(feature: u32, scale: Scale, missing: MissingPolicy) -> HealthIndicator {
    HealthIndicator { feature, name: FEATURES[feature as usize].to_owned(), weight: 1.0, scale, missing }
}

fn range(feature: u32, at_least: Option<f64>, below: Option<f64>) -> FeatureRange {
    FeatureRange { feature, at_least, below }
}

/// A variant with steps, a base card in categories, a veto and bands by cohort.
fn rules() -> HealthRules {
    let steps = Scale::Banded { edges: vec![2.0, 5.0], points: vec![0.0, 60.0, 100.0] };
    let line = |at_zero, at_full| Scale::Linear { at_zero, at_full };
    let category =
        |name: &str, weight, of| HealthCategory { name: Some(name.to_owned()), weight, indicators: vec![of] };
    let smb = FeatureCondition { any: vec![range(2, Some(0.5), None)] };
    let young = FeatureCondition { any: vec![range(4, None, Some(90.0))] };
    let variant = HealthCard {
        name: "small and new".to_owned(),
        when: vec![smb, young],
        bands: Bands::T_B,
        categories: vec![HealthCategory {
            name: None,
            weight: 100.0,
            indicators: vec![indicator(0, steps, MissingPolicy::Neutral)],
        }],
    };
    let base = HealthCard {
        name: "base".to_owned(),
        when: Vec::new(),
        bands: Bands::T_A,
        categories: vec![
            category("support", 40.0, indicator(1, line(12.0, 0.0), MissingPolicy::Refuse)),
            category("usage", 60.0, indicator(0, line(0.0, 25.5), MissingPolicy::Redistribute)),
        ],
    };
    let enterprise = FeatureCondition { any: vec![range(3, Some(0.5), None), range(1, Some(2.0), Some(4.0))] };
    let edges = |levels: &[u32], n_accounts, yellow, green| CohortEdges {
        levels: levels.to_vec(),
        n_accounts,
        bands: Bands::new(yellow, green).expect("in order"),
    };
    HealthRules {
        cards: vec![variant, base],
        vetoes: vec![Veto { name: "no champion".to_owned(), when: vec![enterprise], at_most: 49.0 }],
        thresholds: Some(CohortBands {
            by: vec![
                Dimension::Ranges { name: "tenure_days".to_owned(), feature: 4, edges: vec![90.0, 365.0] },
                Dimension::Levels { name: "segment".to_owned(), columns: vec![2, 3] },
            ],
            cohorts: vec![
                edges(&[], 400, 50.0, 75.0),
                edges(&[0], 60, 44.125, 70.5),
                edges(&[1], 120, 51.0, 76.0),
                edges(&[1, 1], 40, 53.5, 77.25),
                edges(&[2], 220, 52.0, 78.0),
            ],
        }),
    }
}

fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value: Some(value), low: Some(low), high: Some(high) }
}

fn weights() -> WeightsReport {
    let of = |name: &str, before, after, finding| IndicatorEvidence { name: name.to_owned(), before, after, finding };
    let two = |after: [f64; 2], finding: [Finding; 2]| {
        vec![of(FEATURES[1], 40.0, after[0], finding[0]), of(FEATURES[0], 60.0, after[1], finding[1])]
    };
    let weak = |weak_churned, difference, is_weak| Finding::Weakness {
        n_churned: 20,
        weak_churned,
        n_others: 100,
        weak_others: 20,
        difference: Some(difference),
        is_weak,
    };
    let test = |evidence, minus_declared, n_red, red_precision| WeightsTest {
        evidence,
        auc: estimate(0.71, 0.66, 0.76),
        minus_declared,
        n_red,
        red_precision,
        red_recall: estimate(0.4, 0.3, 0.5),
        enough_evidence: n_red > 1,
    };
    let none = estimate(0.0, 0.0, 0.0);
    WeightsReport {
        used: WeightsFrom::Doubled,
        horizon_days: 90,
        look_back: vec![
            LookBackRow { who: "churned", n_accounts: 20, mean_score: Some(41.25), by_band: [12, 6, 2] },
            LookBackRow { who: "others", n_accounts: 0, mean_score: None, by_band: [0, 0, 0] },
        ],
        ways: vec![
            WeightsWay {
                way: WeightsFrom::Declared,
                found: Ok(test(two([40.0, 60.0], [Finding::None; 2]), none, 120, estimate(0.12, 0.08, 0.17))),
            },
            WeightsWay {
                way: WeightsFrom::Doubled,
                found: Ok(test(
                    two([57.1, 42.9], [weak(17, (0.45, 0.77), true), weak(6, (-0.1, 0.3), false)]),
                    estimate(0.0123, 0.0021, 0.0225),
                    140,
                    estimate(0.65, 0.55, 0.75),
                )),
            },
            WeightsWay {
                way: WeightsFrom::Correlation,
                found: Ok(test(
                    two([0.0, 100.0], [Finding::Correlation(None), Finding::Correlation(Some(0.31))]),
                    estimate(-0.02, -0.03, -0.01),
                    90,
                    estimate(0.8, 0.72, 0.88),
                )),
            },
            WeightsWay {
                way: WeightsFrom::Equal,
                found: Ok(test(
                    two([50.0, 50.0], [Finding::None; 2]),
                    estimate(0.01, 0.001, 0.02),
                    1,
                    Estimate { value: Some(0.0), ..Estimate::default() },
                )),
            },
            WeightsWay { way: WeightsFrom::Logistic, found: Err("no indicator goes with staying".to_owned()) },
        ],
    }
}

fn with_rules() -> ScorecardReport {
    let mut report = plain_scorecard();
    let by = |feature: &str, edges: &[f64]| DimensionSpec { feature: feature.to_owned(), edges: edges.to_vec() };
    report.scorecard.rules = Some(rules());
    report.scorecard.bands = Bands::T_A;
    report.scorecard.categories = vec![Some("support".to_owned()), Some("usage".to_owned())];
    report.features = FEATURES.map(str::to_owned).to_vec();
    let by = vec![by("tenure_days", &[90.0, 365.0]), by("segment", &[])];
    report.thresholds = Some(ThresholdsSpec { by, shrinkage: 100.0, min_accounts: 30 });
    report.weights = Some(weights());
    report
}

fn whole(scorecard: ScorecardReport, coefficients: Option<CoefficientReport>) -> String {
    let mut target = Accounts::new(400, ["a", "b", "c"]).without_events().target(CHURN, ["scorecard", "boosted"]);
    target.coefficients = coefficients;
    let report = TrainingReport { scorecard, ..report(vec![target], nothing("a reason")) };
    render(&report).expect("it can be drawn").markdown
}

/// What stands from `heading` to before the next one of `end`.
fn part<'a>(markdown: &'a str, heading: &str, end: &str) -> &'a str {
    let at = markdown.find(heading).expect("the heading is there");
    let rest = &markdown[at..];
    &rest[..rest[heading.len()..].find(end).map_or(rest.len(), |to| heading.len() + to)]
}

#[test]
fn the_health_score_with_rules_and_weights() {
    let markdown = whole(with_rules(), None);
    expect_file!["scorecard.md"].assert_eq(part(&markdown, "## Health score", "\n## "));
}

fn coefficients() -> CoefficientReport {
    let of = |feature: &str, is_missing, deviation, coefficient, error| {
        Coefficient::new(feature.to_owned(), is_missing, deviation, coefficient, error)
    };
    CoefficientReport {
        c: 0.1,
        l1_ratio: 0.0,
        tried: vec![(0.01, 0.2345), (0.1, 0.2301)],
        is_given: false,
        recency_half_life_days: Some(365.0),
        converged: true,
        intercept: -2.0,
        coefficients: vec![
            of("tickets_90d", false, 2.5, 0.2, Some(0.05)),
            of("logins_30d", false, 12.0, -0.5, Some(0.1)),
            of("logins_30d", true, 1.0, 0.1, None),
        ],
    }
}

#[test]
fn what_a_logistic_model_weighs() {
    let shown = |report: CoefficientReport| {
        part(&whole(plain_scorecard(), Some(report)), "### Coefficients", "\n### ").to_owned()
    };
    expect![[r#"
        ### Coefficients of `logistic`

        Whether or not it was chosen. A coefficient is what one standard deviation more of the feature adds to the log odds while the others stay, its odds ratio what that multiplies the odds with; of a feature that is missing, against one at its average. They are held down by an L2 penalty, C = 0.1 (chosen by the log loss on later training rows), and so drawn towards 0. A training row 365 days before the last one counts half. Standard errors take the rows of an account as one observation. They and the intervals say how far the penalised estimate would move on other accounts: not where one without penalty lies, nor do they allow for the choice of the penalty, or for looking at many features at once. Features that say the same share their weight, so a coefficient near 0 is no proof that a feature does not matter, and none of them says what is the cause.

        | feature | of | standard deviation | coefficient | standard error | 95 % interval | odds ratio [95 %] |
        | --- | --- | ---: | ---: | ---: | ---: | ---: |
        | `logins_30d` | value | 12 | -0.500 | 0.100 | -0.696, -0.304 | 0.607 [0.499, 0.738] |
        | `tickets_90d` | value | 2.5 | +0.200 | 0.050 | 0.102, 0.298 | 1.221 [1.107, 1.347] |
        | `logins_30d` | being missing | - | +0.100 | - | - | 1.105 [-] |

        | C | log loss on later training rows |
        | ---: | ---: |
        | 0.01 | 0.2345 |
        | 0.1 (chosen) | 0.2301 |
    "#]].assert_eq(&shown(coefficients()));
    let given = CoefficientReport { is_given: true, tried: Vec::new(), l1_ratio: 1.0, ..coefficients() };
    assert!(shown(given.clone()).contains("an L1 penalty, C = 0.1 (given in book.toml)"));
    assert!(shown(given.clone()).contains("With an L1 penalty there are no standard errors"));
    let mixed = CoefficientReport { l1_ratio: 0.25, is_given: false, converged: false, ..given };
    assert!(shown(mixed.clone()).contains("an elastic-net penalty with an L1 share of 0.25, C = 0.1 (the usual one"));
    assert!(shown(mixed).contains("did not reach its least loss"));
}

#[test]
fn an_odds_ratio_and_its_interval_follow_from_the_coefficient() {
    let found = Coefficient::new("a".to_owned(), false, 2.0, 0.5, Some(0.1));
    let (low, high) = found.interval.expect("it has a standard error");
    assert_eq!(found.odds_ratio, 0.5_f64.exp());
    // 1.959964 standard errors on each side.
    assert!((low - 0.304_003_6).abs() < 1e-7 && (high - 0.695_996_4).abs() < 1e-7, "{low} {high}");
}
