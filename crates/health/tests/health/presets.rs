//! Every number of requirements.md 1.6, and its readings in 1.16.

use crate::common::{assess, close, learn_rows, matrix, schema, spec};
use bellwether_core::{Bands, Direction, Feature, FeatureSchema};
use bellwether_health::{
    LintFinding, PRESETS, Scorecard, Severity, WeightsFrom, describe_presets, lint_spec, preset_features, resolve,
};

/// The catalogue's feature for each role of every preset, all with values 0 to 1.
const FEATURES: [&str; 24] = [
    "mau_share ^ usage",
    "feature_breadth ^ adoption",
    "minutes_per_seat ^ usage",
    "new_features_90d ^ adoption",
    "seats_added_90d ^ engagement",
    "resolution_hours v support",
    "ticket_trend v support",
    "contract_value - business",
    "contract_growth_365d ^ business",
    "active_users ^ usage",
    "login_frequency ^ usage",
    "days_since_login v usage",
    "tickets_per_seat v support",
    "days_to_renewal - business",
    "trainings_180d ^ engagement",
    "webinars_180d ^ engagement",
    "mean_payment_delay v business",
    "goal_attainment ^ business",
    "ticket_sentiment ^ sentiment",
    "core_actions_per_seat ^ usage",
    "nps ^ sentiment",
    "csat ^ sentiment",
    "champion ^ relationship",
    "weekly_consistency ^ usage",
];

fn learnt(text: &str) -> Scorecard {
    learn_rows(text, &FEATURES, &[&[0.0; 24], &[1.0; 24]]).expect("learns")
}

/// A row that is worst everywhere, but for the features of `best`, which are best.
fn row(best: &[&str]) -> Vec<f32> {
    let value = |feature: &&str| {
        let mut words = feature.split(' ');
        let is_best = best.contains(&words.next().expect("a name"));
        let is_down = words.next() == Some("v");
        if is_best == is_down { 0.0 } else { 1.0 }
    };
    FEATURES.iter().map(value).collect()
}

#[track_caller]
fn check(card: &Scorecard, best: &[&str], score: f64) {
    close(assess(card, &row(best)).score, score);
}

/// The share of the score of each category of the last card.
fn categories(card: &Scorecard) -> Vec<(String, f64)> {
    let rules = card.rules.as_ref().expect("categories are rules");
    let last = rules.cards.last().expect("a base card");
    last.categories.iter().map(|of| (of.name.clone().expect("a name"), of.weight)).collect()
}

#[track_caller]
fn check_categories(preset: &str, expected: &[(&str, f64)]) {
    let found = categories(&learnt(&format!("preset = '{preset}'")));
    let expected: Vec<(String, f64)> = expected.iter().map(|&(name, weight)| (name.to_owned(), weight)).collect();
    assert_eq!(found, expected);
    assert_eq!(found.iter().map(|(_, weight)| weight).sum::<f64>(), 100.0);
}

#[test]
fn categories_have_the_weights_of_the_guides() {
    check_categories("w-a", &[("business", 20.0), ("engagement", 30.0), ("support", 10.0), ("usage", 40.0)]);
    check_categories("w-b", &[("business", 20.0), ("engagement", 25.0), ("support", 15.0), ("usage", 40.0)]);
    check_categories("w-c", &[("adoption", 40.0), ("financial", 20.0), ("sentiment", 20.0), ("support", 20.0)]);
}

/// `score = usage x 0.40 + engagement x 0.25 + support x 0.15 + business x 0.20`, each category of its own maximum.
#[test]
fn w_b_divides_each_category_by_its_maximum() {
    let card = learnt("preset = 'w-b'");
    let usage = ["mau_share", "feature_breadth", "minutes_per_seat"];
    let engagement = ["new_features_90d", "seats_added_90d"];
    let support = ["resolution_hours", "ticket_trend"];
    let business = ["contract_value", "contract_growth_365d"];
    for (features, score) in [
        (&usage[..], 40.0),
        (&engagement, 25.0),
        (&support, 15.0),
        (&business, 20.0),
        (&usage[..1], 40.0 * 30.0 / 45.0),
        (&usage[1..2], 40.0 * 10.0 / 45.0),
        (&usage[2..], 40.0 * 5.0 / 45.0),
        (&engagement[..1], 15.0),
        (&engagement[1..], 10.0),
        (&support[..1], 10.0),
        (&support[1..], 5.0),
        (&business[..1], 10.0),
        (&business[1..], 10.0),
        (&[], 0.0),
    ] {
        check(&card, features, score);
    }
    check(&card, &[&usage[..], &engagement, &support, &business].concat(), 100.0);
    assert_eq!(card.bands, Bands::T_B);
}

/// `score = usage x 0.40 + engagement x 0.25 + support x 0.15 + business x 0.20` of any category scores.
#[test]
fn w_b_is_the_formula_of_the_guide() {
    let card = learnt("preset = 'w-b'");
    let names: Vec<&str> = FEATURES.iter().map(|feature| feature.split(' ').next().expect("a name")).collect();
    for (usage, engagement, support, business) in
        [(80.0, 60.0, 40.0, 20.0), (100.0, 0.0, 50.0, 25.0), (12.5, 75.0, 100.0, 0.0)]
    {
        let mut row = row(&[]);
        for (features, score) in [
            (&["mau_share", "feature_breadth", "minutes_per_seat"][..], usage),
            (&["new_features_90d", "seats_added_90d"], engagement),
            (&["resolution_hours", "ticket_trend"], support),
            (&["contract_value", "contract_growth_365d"], business),
        ] {
            for feature in features {
                let at = names.iter().position(|name| name == feature).expect("a feature of the test");
                let is_down = FEATURES[at].contains(" v ");
                // The ends of the two rows are their 5 % and 95 % quantiles.
                let share = 0.05 + 0.9 * score / 100.0;
                row[at] = (if is_down { 1.0 - share } else { share }) as f32;
            }
        }
        let expected = usage * 0.40 + engagement * 0.25 + support * 0.15 + business * 0.20;
        assert!((assess(&card, &row).score - expected).abs() < 1e-5, "{expected}");
    }
}

/// W-B's points as the guide has them: 30 + 10 + 5 = 45, 15 + 10 = 25, 10 + 5 = 15, 10 + 10 = 20; 105 in all.
#[test]
fn w_b_has_the_points_of_the_guide() {
    let resolved = resolve(&spec("preset = 'w-b'"), &schema(&FEATURES)).expect("resolves");
    for (category, weight, maximum, points) in [
        ("usage", 40.0, 45.0, &[30.0, 10.0, 5.0][..]),
        ("engagement", 25.0, 25.0, &[15.0, 10.0]),
        ("support", 15.0, 15.0, &[10.0, 5.0]),
        ("business", 20.0, 20.0, &[10.0, 10.0]),
    ] {
        let of_category = resolved.indicators.iter().filter(|of| of.category.as_deref() == Some(category));
        assert_eq!(of_category.map(|of| of.weight).collect::<Vec<_>>(), points, "{category}");
        let declared = &resolved.categories[category];
        assert_eq!((declared.weight, declared.maximum), (weight, maximum), "{category}");
        assert_eq!(points.iter().sum::<f64>(), maximum, "{category}");
    }
    assert_eq!(resolved.indicators.iter().map(|of| of.weight).sum::<f64>(), 105.0);
    assert_eq!(resolved.categories.values().map(|of| of.weight).sum::<f64>(), 100.0);
}

const LITERAL: &str = "
    categories = { usage = { weight = 40.0 }, engagement = { weight = 25.0 }, support = { weight = 15.0 }, \
                   business = { weight = 20.0 } }
    indicators = [
        { category = 'usage', feature = 'mau_share', weight = 30.0 },
        { category = 'usage', feature = 'feature_breadth', weight = 10.0 },
        { category = 'usage', feature = 'minutes_per_seat', weight = 5.0 },
        { category = 'engagement', feature = 'new_features_90d', weight = 15.0 },
        { category = 'engagement', feature = 'seats_added_90d', weight = 10.0 },
        { category = 'support', feature = 'resolution_hours', weight = 10.0 },
        { category = 'support', feature = 'ticket_trend', weight = 5.0 },
        { category = 'business', feature = 'contract_value', weight = 10.0, good = 'up' },
        { category = 'business', feature = 'contract_growth_365d', weight = 10.0 },
    ]";

/// 1.16.1: 45 + 25 + 15 + 20 = 105 points, and 18 + 6.25 + 2.25 + 4 = 30.5.
#[test]
fn w_b_taken_literally_is_refused_with_its_arithmetic() {
    let found = lint_spec(&spec(LITERAL), &schema(&FEATURES));
    let points: Vec<&LintFinding> = found.iter().filter(|of| of.rule.id == "category-points").collect();
    assert_eq!(points.len(), 4);
    let usage = &points[3].message;
    assert_eq!(
        usage,
        "the points of category `usage` total 45 where its maximum is 100; all points total 105, and taken as they stand \
         no account could have more than 30.5 of 100: declare maximum = 45"
    );
    assert!(learn_rows(LITERAL, &FEATURES, &[&[0.0; 24], &[1.0; 24]]).is_err());
    let mut rescaled = LITERAL.to_owned();
    for (weight, maximum) in [("40.0", "45"), ("25.0", "25"), ("15.0 }", "15 }"), ("20.0", "20")] {
        let weight = weight.trim_end_matches(" }");
        let maximum = maximum.trim_end_matches(" }");
        rescaled = rescaled.replacen(
            &format!("weight = {weight} }}"),
            &format!("weight = {weight}, maximum = {maximum}.0 }}"),
            1,
        );
    }
    let errors = lint_spec(&spec(&rescaled), &schema(&FEATURES));
    assert!(errors.iter().all(|of| of.rule.severity == Severity::Warning), "{errors:?}");
    assert_eq!(learnt(&rescaled).rules.expect("rules").cards, learnt("preset = 'w-b'").rules.expect("rules").cards);
}

/// W-D, Z-03: `(M1 + M2 + M3 + M4 + M5) / 5`; the first presets' roles have other features in the other order.
#[test]
fn the_mvp_is_the_mean_of_five() {
    let metrics = ["active_users", "login_frequency", "days_since_login", "tickets_per_seat", "days_to_renewal"];
    for preset in ["w-d", "mvp"] {
        let card = learnt(&format!("preset = '{preset}'"));
        assert_eq!(card.names, metrics);
        assert!(card.rules.is_none(), "a mean of straight lines needs no rules");
        for n in 0..=5 {
            check(&card, &metrics[..n], 20.0 * n as f64);
        }
    }
}

#[test]
fn roles_without_points_are_the_first_that_the_book_has() {
    let card = learnt("preset = 'w-a'");
    assert_eq!(
        card.names,
        [
            "mean_payment_delay",
            "contract_growth_365d",
            "new_features_90d",
            "trainings_180d",
            "ticket_sentiment",
            "mau_share",
            "feature_breadth"
        ]
    );
    check(&card, &["mau_share", "feature_breadth"], 40.0);
    check(&card, &["mau_share"], 20.0);
    check(&card, &["new_features_90d", "trainings_180d"], 30.0);
    check(&card, &["mean_payment_delay", "contract_growth_365d"], 20.0);
    check(&card, &["ticket_sentiment"], 10.0);
    let card = learnt("preset = 'w-c'");
    check(&card, &["feature_breadth", "core_actions_per_seat"], 40.0);
    check(&card, &["nps", "csat"], 20.0);
    check(&card, &["resolution_hours"], 20.0);
    check(&card, &["mean_payment_delay", "contract_value"], 20.0);
}

/// W-E has no numbers: they are the correlation with history.
#[test]
fn w_e_asks_for_history() {
    let training = [0, 1];
    let (x, schema) = (matrix(&[&[0.0; 24], &[1.0; 24]]), schema(&FEATURES));
    let refused = bellwether_health::learn(Some(&spec("preset = 'w-e'")), &schema, &x, &training);
    assert_eq!(
        refused.expect_err("no history").to_string(),
        "weights by history read churn, so an expansion readiness can't have them; the health score of [scorecard] can"
    );
    let equal = learnt("preset = 'w-e'\nweights = 'equal'");
    assert_eq!((equal.names.len(), equal.bands), (7, Bands::T_A));
    let resolved = resolve(&spec("preset = 'w-e'"), &schema).expect("resolves");
    assert_eq!(resolved.categories.keys().collect::<Vec<_>>(), ["business", "engagement", "relationship", "usage"]);
    assert_eq!(resolved.weights, Some(WeightsFrom::Correlation));
}

/// What is described is what is resolved; a feature plays one role of a preset, so that roles can be filled in any order.
#[test]
fn presets_are_described_as_they_are() {
    let described = describe_presets();
    assert_eq!(described.iter().map(|of| of.name).collect::<Vec<_>>(), ["w-a", "w-b", "w-c", "w-d", "w-e", "mvp"]);
    for of in &described {
        let resolved = resolve(&spec(&format!("preset = '{}'", of.name)), &schema(&FEATURES)).expect("resolves");
        assert_eq!(resolved.bands.as_ref(), Some(&of.bands));
        assert_eq!(resolved.weights.unwrap_or_default(), of.weights);
        assert_eq!(of.categories.iter().map(|category| category.weight).sum::<f64>(), 100.0, "{}", of.name);
        for category in &of.categories {
            let points: f64 = category.roles.iter().filter_map(|role| role.points).sum();
            assert!(points == category.maximum || category.take.is_some(), "{} {:?}", of.name, category.name);
        }
        let roles = of.categories.iter().flat_map(|category| &category.roles);
        let mut features: Vec<&String> = roles.flat_map(|role| &role.features).collect();
        let n_features = features.len();
        features.sort_unstable();
        features.dedup();
        assert_eq!(features.len(), n_features, "{}", of.name);
    }
}

/// A preset takes what the book lacks from what can be built, and prefers what is there.
#[test]
fn a_preset_names_what_it_wants_to_be_built() {
    let wanted = |text: &str, there: &[&str], can: &[&str]| {
        let category_of = |name: &str| (name == "logins").then(|| "usage".to_owned());
        preset_features(&spec(text), category_of, |name| there.contains(&name), |name| can.contains(&name))
    };
    let mvp = "preset = 'mvp'";
    let there = ["active_users", "login_frequency", "days_since_activity", "tickets_per_seat"];
    let can = ["days_since_login", "days_to_renewal", "mau_share"];
    assert_eq!(wanted(mvp, &there, &can).expect("all are played"), ["days_to_renewal"]);
    let refused = wanted(mvp, &there, &[]).expect_err("no renewal").to_string();
    assert!(
        refused.starts_with("preset `mvp` finds no feature for days until renewal: days_to_renewal or"),
        "{refused}"
    );
    assert_eq!(wanted("", &[], &can).expect("no preset"), [""; 0]);
    let usage = "preset = 'w-a'\nindicators = [{ feature = 'logins', weight = 100.0 }]";
    let can =
        ["mau_share", "new_features_90d", "trainings_180d", "webinars_180d", "goal_attainment", "resolution_hours"];
    let expected = ["goal_attainment", "new_features_90d", "trainings_180d", "resolution_hours"];
    assert_eq!(wanted(usage, &["logins"], &can).expect("all are played"), expected);
}

#[test]
fn every_preset_resolves_without_an_error_of_the_linter() {
    for (name, _) in PRESETS {
        let spec = spec(&format!("preset = '{name}'"));
        let found = lint_spec(&spec, &schema(&FEATURES));
        assert!(found.iter().all(|of| of.rule.severity == Severity::Warning), "{name}: {found:?}");
        let resolved = resolve(&spec, &schema(&FEATURES)).expect("resolves");
        assert!(resolved.preset.is_none() && resolved.indicators.iter().all(|of| of.good.is_some()), "{name}");
        // I-03: 3 to 7 but for W-B, whose nine metrics are the guide's own.
        let n = resolved.indicators.len();
        assert!((3..=7).contains(&n) || (name == "w-b" && n == 9), "{name}: {n}");
    }
}

#[test]
fn indicators_replace_those_of_their_category() {
    let text = "preset = 'w-b'\nindicators = [{ feature = 'login_frequency', weight = 45.0 }]";
    let card = learnt(text);
    check(&card, &["login_frequency"], 40.0);
    check(&card, &["mau_share"], 0.0);
    assert_eq!(card.names.len(), 7);
    let refused = learn_rows(&text.replace("45.0", "44.0"), &FEATURES, &[&[0.0; 24], &[1.0; 24]]);
    // 40 * 44 / 45 + 25 + 15 + 20 = 99.111111; the preset's maximum can't be declared anew.
    assert_eq!(
        refused.expect_err("44 of 45").to_string(),
        "the points of category `usage` total 44 where its maximum is 45; all points total 104, and taken as they stand \
         no account could have more than 99.111111 of 100: make its points total 45, as the preset's do"
    );
}

#[test]
fn what_a_preset_misses_is_told() {
    for (text, features, told) in [
        (
            "preset = 'w-f'",
            &["a ^"][..],
            "there is no preset `w-f`; there are w-a, w-b, w-c, w-d (the same as mvp) and w-e",
        ),
        (
            "preset = 'mvp'",
            &["active_users ^", "days_since_login v", "login_frequency ^", "nps ^"],
            "preset `mvp` finds no feature for count of support tickets: tickets_per_seat or tickets_per_seat_90d or \
             tickets_90d; days until renewal: days_to_renewal or days_until_renewal; declare features of these names, \
             or give the category's indicators in [scorecard]",
        ),
        (
            "preset = 'mvp'\nindicators = [{ feature = 'nps', weight = 100.0 }]",
            &["nps ^"],
            "preset `mvp` and more: categories can't stand beside a preset, and indicators only replace those of a category",
        ),
    ] {
        let error = resolve(&spec(text), &schema(features)).expect_err(told);
        assert_eq!(error.to_string(), told);
        assert_eq!(error.rule_id(), "preset");
    }
}

/// The features of the sample book, and one that its tables give the catalogue.
fn sample() -> FeatureSchema {
    let book: toml::Table = include_str!("../../../../datasets/sample/book.toml").parse().expect("reads");
    let text = |feature: &toml::Value, key: &str| feature.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let feature = |feature: &toml::Value| {
        let good = match text(feature, "good").as_deref() {
            Some("up") => Some(Direction::Up),
            Some("down") => Some(Direction::Down),
            _ => None,
        };
        let is_helper = feature.get("helper").is_some();
        let name = text(feature, "name").filter(|_| !is_helper)?;
        Some(Feature { name, good, category: text(feature, "category") })
    };
    let mut features: Vec<Feature> = book["features"].as_array().expect("a list").iter().filter_map(feature).collect();
    let name = "contract_growth_365d".to_owned();
    features.push(Feature { name, good: Some(Direction::Up), category: Some("business".to_owned()) });
    FeatureSchema::new(features).expect("names differ")
}

/// Where a guide names a metric that the sample's tables do not have, what is nearest stands in its category.
#[test]
fn presets_resolve_on_the_sample_book() {
    let seats_and_features = |first: f64, second: f64| {
        format!(
            "indicators = [{{ category = 'engagement', feature = 'features_change_28d', weight = {first} }}, \
             {{ category = 'engagement', feature = 'seats_against_signup', weight = {second} }}"
        )
    };
    let tickets = "{ category = 'support', feature = 'resolution_hours_90d', weight = 10 }, \
                   { category = 'support', feature = 'tickets_per_seat_90d', weight = 5 }";
    for (preset, replaced, n_indicators) in [
        ("w-a", format!("{}]", seats_and_features(50.0, 50.0)), 7),
        ("w-b", format!("{}, {tickets}]", seats_and_features(15.0, 10.0)), 9),
        ("w-c", String::new(), 7),
        ("w-d", String::new(), 5),
        ("w-e", String::new(), 6),
    ] {
        let spec = spec(&format!("preset = '{preset}'\n{replaced}"));
        let found = lint_spec(&spec, &sample());
        assert!(found.iter().all(|of| of.rule.severity == Severity::Warning), "{preset}: {found:?}");
        assert_eq!(resolve(&spec, &sample()).expect("resolves").indicators.len(), n_indicators, "{preset}");
    }
    let refused = resolve(&spec("preset = 'w-a'"), &sample()).expect_err("no engagement");
    assert!(refused.to_string().contains("features taken up (category engagement): new_features_90d;"), "{refused}");
}
