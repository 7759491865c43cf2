//! Scales, missing values, categories, variants, vetoes and thresholds.

use crate::common::{NAN, assess, close, learn_rows, learn_warned, matrix, schema, spec};
use bellwether_core::{Bands, FeatureMatrix, MissingPolicy, Scale};
use bellwether_health::{History, Scorecard, learn_on_history, lint_spec};
use proptest::prelude::*;

/// Values 0 to 10 in each of `n` features.
fn decade(n: usize) -> Vec<Vec<f32>> {
    (0..=10_u8).map(|value| vec![f32::from(value); n]).collect()
}

fn learnt(text: &str, features: &[&str]) -> Scorecard {
    let rows = decade(features.len());
    learn_rows(text, features, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>()).expect("learns")
}

pub(crate) fn refused(text: &str, features: &[&str]) -> String {
    let rows = decade(features.len());
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    learn_rows(text, features, &rows).expect_err(text).to_string()
}

/// The rules that the linter finds broken, each with its message.
pub(crate) fn linted(text: &str, features: &[&str]) -> Vec<(&'static str, String)> {
    let found = lint_spec(&spec(text), &schema(features));
    found.into_iter().map(|of| (of.rule.id, of.message)).collect()
}

/// As a bundle of an earlier release has it.
const STORED: &str = r#"{
  "bands": { "green_from": 80.0, "yellow_from": 50.0 },
  "categories": ["usage", null],
  "model": {
    "indicators": [
      { "at_full": 20.0, "at_zero": 0.0, "feature": 0, "weight": 75.0 },
      { "at_full": 0.0, "at_zero": 4.0, "feature": 2, "weight": 25.0 }
    ],
    "intercept": 5.0,
    "n_features": 3,
    "slope": -0.1
  },
  "names": ["logins", "tickets"]
}"#;

#[test]
fn scorecards_of_earlier_bundles_read_and_score_the_same() {
    let card: Scorecard = serde_json::from_str(STORED).expect("reads");
    assert!(card.rules.is_none());
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(value(&serde_json::to_string(&card).expect("writes")), value(STORED));
    for (row, score, coverage) in [
        ([10.0, 9.0, 1.0], 56.25, 1.0),
        ([NAN, 9.0, 1.0], 75.0, 0.25),
        ([5.0, 9.0, NAN], 25.0, 0.75),
        ([NAN, 9.0, NAN], 50.0, 0.0),
    ] {
        let found = assess(&card, &row);
        assert_eq!((found.score, found.score, found.coverage), (score, card.model.health(&row), coverage));
        assert_eq!((found.bands, found.is_refused, found.veto), (Bands::T_B, false, None));
    }
    assert_eq!(card.health_model().features(), [0, 2]);
}

#[test]
fn declarations_of_earlier_releases_need_no_rules() {
    for text in [
        "indicators = [{ feature = 'a', weight = 100.0 }]",
        "bands = { yellow_from = 40.0, green_from = 75.0 }",
        "bands = { yellow_from = 50.0, green_from = 80.0 }\nindicators = [{ feature = 'a', weight = 60.0, at_zero = 0.0, \
         at_full = 10.0 }, { feature = 'b', weight = 40.0, good = 'down', category = 'x' }]",
        "indicators = [{ feature = 'a', weight = 100.0, scale = 'linear', missing = 'redistribute' }]",
    ] {
        let card = learnt(text, &["a ^", "b ^"]);
        assert!(card.rules.is_none(), "{text}");
        assert!(!serde_json::to_string(&card).expect("writes").contains("rules"));
    }
}

#[test]
fn a_scale_is_a_line_a_bounded_line_steps_or_a_percentile() {
    let features = ["a ^", "a_percentile ^", "b v", "b_percentile v"];
    let line = |at_zero, at_full| Scale::Linear { at_zero, at_full };
    for (indicator, name, scale) in [
        ("feature = 'a'", "a", line(0.5, 9.5)),
        ("feature = 'a', scale = 'bounded'", "a", line(0.5, 9.5)),
        ("feature = 'a', scale = 'bounded', at_zero = 2.0, at_full = 5.0", "a", line(2.0, 5.0)),
        ("feature = 'a', scale = 'linear'", "a", line(0.0, 10.0)),
        ("feature = 'b', scale = 'linear', at_full = 3.0", "b", line(10.0, 3.0)),
        ("feature = 'a', scale = 'percentile'", "a_percentile", line(0.0, 1.0)),
        ("feature = 'b', scale = 'percentile'", "b_percentile", line(1.0, 0.0)),
        (
            "feature = 'a', steps = [{ to = 2.0, points = 0.0 }, { to = 5.0, points = 40.0 }, { points = 100.0 }]",
            "a",
            Scale::Banded { edges: vec![2.0, 5.0], points: vec![0.0, 40.0, 100.0] },
        ),
        (
            "feature = 'b', scale = 'banded', steps = [{ to = 3.0, points = 100.0 }, { from = 3.0, points = 20.0 }]",
            "b",
            Scale::Banded { edges: vec![3.0], points: vec![100.0, 20.0] },
        ),
    ] {
        // A veto that never holds makes rules of every scale.
        let text = format!(
            "indicators = [{{ weight = 100.0, {indicator} }}]\n\
             vetoes = [{{ name = 'v', when = [{{ feature = 'a', below = -99.0 }}], at_most = 0.0 }}]"
        );
        let card = learnt(&text, &features);
        let found = card.rules.as_ref().expect("rules").cards[0].indicators().next().expect("one").clone();
        assert_eq!((found.name.as_str(), found.scale), (name, scale), "{indicator}");
    }
}

/// E-06 and U-13 as steps: half-open, the edge belongs to the upper step.
#[test]
fn steps_are_half_open() {
    let text = "indicators = [{ feature = 'a', weight = 100.0, steps = [{ to = 2.0, points = 0.0 }, \
                { from = 2.0, to = 5.0, points = 40.0 }, { from = 5.0, points = 100.0 }] }]";
    let card = learnt(text, &["a -"]);
    let just_below = |edge: f32| edge.next_down();
    for (x, score) in [
        (-9.0, 0.0),
        (1.0, 0.0),
        (just_below(2.0), 0.0),
        (2.0, 40.0),
        (just_below(5.0), 40.0),
        (5.0, 100.0),
        (1e9, 100.0),
    ] {
        assert_eq!(assess(&card, &[x]).score, score, "{x}");
    }
    // The graph's line goes through (2, 0) and (5, 100).
    assert_eq!((card.model.indicators[0].at_zero, card.model.indicators[0].at_full), (2.0, 5.0));
    // A single step has its width before its edge.
    let text =
        "indicators = [{ feature = 'a', weight = 100.0, steps = [{ to = 1.0, points = 0.0 }, { points = 100.0 }] }]";
    let line = learnt(text, &["a -"]).model.indicators[0];
    assert_eq!((line.at_zero, line.at_full), (1.0 - 1.0 / 1024.0, 1.0));
}

#[test]
fn steps_that_break_a_rule_are_refused() {
    for (steps, told) in [
        (
            "{ to = 2.0, points = 0.0 }, { from = 3.0, points = 100.0 }",
            "indicator `a` has a gap between its steps: one ends at 2, the next begins at 3",
        ),
        (
            "{ to = 4.0, points = 0.0 }, { from = 3.0, points = 100.0 }",
            "indicator `a` has steps that overlap: one ends at 4, the next begins at 3",
        ),
        (
            "{ from = 0.0, to = 2.0, points = 0.0 }, { points = 100.0 }",
            "indicator `a`: the first step has no `from` and the last no `to`, so that every value has points",
        ),
        (
            "{ points = 0.0 }, { points = 100.0 }",
            "indicator `a`: one of two steps says where they meet, by `to` or by `from`",
        ),
        ("{ points = 0.0 }", "indicator `a`: a banded scale has two steps or more"),
        (
            "{ to = 2.0, points = 0.0 }, { to = 3.0, points = 90.0 }, { points = 50.0 }",
            "indicator `a`: the points of its steps must rise or fall with the value",
        ),
        (
            "{ to = 2.0, points = 100.0 }, { points = 0.0 }",
            "indicator `a`: the points of its steps go against its `good`",
        ),
        ("{ to = 2.0, points = 0.0 }, { points = 101.0 }", "indicator `a`: the points of a step lie in 0 to 100"),
        (
            "{ to = 3.0, points = 0.0 }, { to = 2.0, points = 50.0 }, { points = 100.0 }",
            "indicator `a`: steps stand in rising order and differ as 32-bit numbers",
        ),
    ] {
        assert_eq!(
            refused(&format!("indicators = [{{ feature = 'a', weight = 100.0, steps = [{steps}] }}]"), &["a ^"]),
            told
        );
    }
    assert_eq!(
        refused("indicators = [{ feature = 'a', weight = 100.0, scale = 'percentile' }]", &["a ^"]),
        "indicator `a_percentile`: there is no such percentile; name the feature in [cohort] features"
    );
}

const CATEGORIES: &str = "
    missing = 'POLICY'
    categories = { usage = { weight = 60.0 }, support = { weight = 40.0, maximum = 10.0 } }
    indicators = [
        { feature = 'a', weight = 75.0, category = 'usage', at_zero = 0.0, at_full = 10.0 },
        { feature = 'b', weight = 25.0, category = 'usage', at_zero = 0.0, at_full = 10.0 },
        { feature = 'c', weight = 10.0, category = 'support', at_zero = 0.0, at_full = 10.0 },
    ]";

/// Z-01, Z-02: a category is 0-100 from its indicators, the score is 0-100 from the categories.
#[test]
fn each_policy_for_what_is_missing_shows_its_coverage() {
    let features = ["a ^", "b ^", "c ^"];
    for (policy, row, score, coverage, is_refused) in [
        ("redistribute", [10.0, 0.0, 5.0], 0.6 * 75.0 + 0.4 * 50.0, 1.0, false),
        // Within the category first: usage is 0, not drawn to support.
        ("redistribute", [NAN, 0.0, 5.0], 0.4 * 50.0, 0.55, false),
        ("redistribute", [NAN, NAN, 5.0], 50.0, 0.4, false),
        ("redistribute", [10.0, 0.0, NAN], 75.0, 0.6, false),
        ("redistribute", [NAN, NAN, NAN], 50.0, 0.0, false),
        ("neutral", [10.0, 0.0, 5.0], 65.0, 1.0, false),
        ("neutral", [NAN, 0.0, 5.0], 0.6 * 37.5 + 20.0, 0.55, false),
        ("neutral", [10.0, 10.0, NAN], 80.0, 0.6, false),
        ("neutral", [NAN, NAN, NAN], 50.0, 0.0, false),
        ("refuse", [10.0, 0.0, 5.0], 65.0, 1.0, false),
        ("refuse", [10.0, 0.0, NAN], 75.0, 0.6, true),
    ] {
        let found = assess(&learnt(&CATEGORIES.replace("POLICY", policy), &features), &row);
        close(found.score, score);
        close(found.coverage, coverage);
        assert_eq!(found.is_refused, is_refused, "{policy} {row:?}");
    }
    // One indicator's own policy.
    let text = CATEGORIES.replace("POLICY", "redistribute").replacen(
        "category = 'usage',",
        "category = 'usage', missing = 'refuse',",
        1,
    );
    let card = learnt(&text, &features);
    assert!(assess(&card, &[NAN, 1.0, 1.0]).is_refused && !assess(&card, &[1.0, NAN, NAN]).is_refused);
    let policies: Vec<MissingPolicy> = card.rules.expect("rules").cards[0].indicators().map(|of| of.missing).collect();
    assert_eq!(policies, [MissingPolicy::Redistribute, MissingPolicy::Refuse, MissingPolicy::Redistribute]);
}

#[test]
fn a_graph_holds_the_shares_of_the_score() {
    let card = learnt(&CATEGORIES.replace("POLICY", "neutral"), &["a ^", "b ^", "c ^"]);
    assert_eq!(card.names, ["c", "a", "b"]);
    let weights: Vec<f32> = card.model.indicators.iter().map(|of| of.weight).collect();
    assert_eq!(weights, [40.0, 45.0, 15.0]);
    for row in decade(3) {
        close(card.model.health(&row), assess(&card, &row).score);
    }
}

#[test]
fn categories_that_break_a_rule_are_refused() {
    let base = CATEGORIES.replace("POLICY", "redistribute");
    for (from, to, told) in [
        ("weight = 60.0", "weight = 59.0", "the weights of the scorecard's categories total 99; they must total 100"),
        (
            "category = 'support'",
            "category = 'sales'",
            "indicator `c` is of category `sales`; the scorecard's categories are `support`, `usage`",
        ),
        (
            "maximum = 10.0",
            "maximum = 0.0",
            "category `support` has weight 40 and maximum 0; both must be finite and above 0",
        ),
        (
            "weight = 40.0, maximum = 10.0 }",
            "weight = 30.0, maximum = 10.0 }, empty = { weight = 10.0 }",
            "category `empty` has a weight and no indicator",
        ),
    ] {
        let altered = base.replacen(from, to, 1);
        assert!(altered != base);
        assert_eq!(refused(&altered, &["a ^", "b ^", "c ^"]), told);
    }
}

/// 1.16.2: W-B gives the guide's own fifth category no weight.
#[test]
fn a_category_of_the_book_without_weight_is_told() {
    let (features, rows) = (["a ^", "b ^", "c ^", "d v relationship"], decade(4));
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let (_, warnings) = learn_warned(&CATEGORIES.replace("POLICY", "neutral"), &features, &rows).expect("learns");
    assert_eq!(
        warnings,
        [
            "the scorecard gives no weight to the categories `relationship` of this book's features",
            "the learner `scorecard` and its graph hold the straight-line reading of the base card; the health score itself \
         is computed by all rules"
        ]
    );
}

const VARIANTS: &str = "
    indicators = [{ feature = 'a', weight = 100.0, at_zero = 0.0, at_full = 10.0 }]
    [[variants]]
    name = 'new and small'
    when = [{ feature = 'tenure_days', at_least = 0.0, below = 90.0 }, { feature = 'segment', in = ['smb', 'mid'] }]
    indicators = [{ feature = 'b', weight = 100.0, at_zero = 0.0, at_full = 10.0 }]
    bands = 't-a'
    [[variants]]
    name = 'small'
    when = [{ feature = 'segment', in = ['smb', 'mid'] }]
    indicators = [{ feature = 'a', weight = 100.0, at_zero = 0.0, at_full = 5.0 }]
    ";

/// G-01 to G-05: the first card whose conditions hold; never by what is missing.
#[test]
fn a_variant_scores_the_rows_of_its_segment_and_stage() {
    let features = ["a ^", "b ^", "tenure_days -", "segment=large -", "segment=mid -", "segment=smb -"];
    let card = learnt(VARIANTS, &features);
    for (row, place, score) in [
        ([5.0, 1.0, 30.0, 0.0, 0.0, 1.0], 0, 10.0),
        ([5.0, 1.0, 89.99, 0.0, 1.0, 0.0], 0, 10.0),
        ([5.0, 1.0, 90.0, 0.0, 0.0, 1.0], 1, 100.0),
        ([5.0, 1.0, NAN, 0.0, 0.0, 1.0], 1, 100.0),
        ([5.0, 1.0, 30.0, 1.0, 0.0, 0.0], 2, 50.0),
        ([5.0, 1.0, 30.0, NAN, NAN, NAN], 2, 50.0),
    ] {
        let found = assess(&card, &row);
        assert_eq!((found.card, found.score), (place, score), "{row:?}");
        assert_eq!(found.bands, if place == 0 { Bands::T_A } else { Bands::T_B });
    }
    assert_eq!(card.names, ["a"]);
    assert_eq!(card.health_model().features(), [0, 1, 2, 4, 5]);
    let text = serde_json::to_string(&card).expect("writes");
    assert_eq!(serde_json::from_str::<Scorecard>(&text).expect("reads"), card);
    assert!(card.check_schema(&schema(&features)).is_ok());
    assert!(card.check_schema(&schema(&["a ^", "c ^", "t -", "l -", "m -", "s -"])).is_err());
}

/// Z-04: compared with its like: the ends of a variant come from its own rows.
#[test]
fn a_variant_learns_its_ends_on_its_own_rows() {
    let text = "indicators = [{ feature = 'a', weight = 100.0, scale = 'linear' }]\n\
                variants = [{ name = 'old', when = [{ feature = 'tenure_days', at_least = 365.0 }] }]";
    let rows: Vec<Vec<f32>> = (0..400_u16)
        .map(|row| if row < 200 { vec![f32::from(row), 500.0] } else { vec![f32::from(row - 200) / 10.0, 30.0] })
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let scales = |rows: &[&[f32]]| -> Vec<Scale> {
        let cards = learn_rows(text, &["a ^", "tenure_days -"], rows).expect("learns").rules.expect("rules").cards;
        cards.iter().flat_map(|card| card.indicators().map(|of| of.scale.clone())).collect()
    };
    let line = |at_zero, at_full| Scale::Linear { at_zero, at_full };
    assert_eq!(scales(&rows), [line(0.0, 199.0), line(0.0, 199.0)]);
    let young: Vec<&[f32]> = rows.iter().rev().copied().collect();
    assert_eq!(scales(&young), scales(&rows));
    // Fewer than 200 rows are too few.
    assert_eq!(scales(&rows[1..]), [line(0.0, 199.0), line(0.0, 199.0)]);
    assert_eq!(scales(&rows[100..]), [line(0.0, 199.0), line(0.0, 199.0)]);
    let text = text.replace("at_least = 365.0", "below = 365.0");
    let cards = learn_rows(&text, &["a ^", "tenure_days -"], &rows).expect("learns").rules.expect("rules").cards;
    assert_eq!(cards[0].indicators().next().expect("one").scale, line(0.0, 19.9));
}

#[test]
fn a_veto_caps_the_score_where_it_holds() {
    let text = "
        indicators = [{ feature = 'a', weight = 100.0, at_zero = 0.0, at_full = 10.0 }]
        [[vetoes]]
        name = 'no champion'
        when = [{ feature = 'champion', below = 1.0 }]
        at_most = 49.0
        [[vetoes]]
        name = 'pays late'
        when = [{ feature = 'days_late', at_least = 60.0 }]
        at_most = 30.0
    ";
    let card = learnt(text, &["a ^", "champion ^", "days_late v"]);
    for (row, score, veto) in [
        ([9.0, 1.0, 0.0], 90.0, None),
        ([9.0, 0.0, 0.0], 49.0, Some(0)),
        ([9.0, 0.0, 60.0], 30.0, Some(1)),
        ([9.0, 1.0, 60.0], 30.0, Some(1)),
        ([2.0, 0.0, 60.0], 20.0, None),
        ([9.0, NAN, NAN], 90.0, None),
        ([NAN, 0.0, 0.0], 49.0, Some(0)),
    ] {
        let found = assess(&card, &row);
        assert_eq!((found.score, found.veto), (score, veto), "{row:?}");
    }
}

#[test]
fn variants_and_vetoes_that_break_a_rule_are_refused() {
    let (features, base) = (["a ^", "b ^", "plan=pro -"], "indicators = [{ feature = 'a', weight = 100.0 }]\n");
    for (text, told) in [
        ("variants = [{ name = 'x', when = [] }]", "variant `x`: it has no condition; `when` says whose card it is"),
        (
            "variants = [{ name = 'base', when = [{ feature = 'a', below = 1.0 }] }]",
            "variant `base`: its name is another card's",
        ),
        (
            "variants = [{ name = 'x', when = [{ feature = 'plan', in = ['pr'] }] }]",
            "variant `x`: `plan=pr` is no feature of this book; near matches: `plan=pro`",
        ),
        (
            "variants = [{ name = 'x', when = [{ feature = 'a' }] }]",
            "variant `x`: the condition on `a` has either `in`, or at_least or below",
        ),
        (
            "vetoes = [{ name = 'x', when = [{ feature = 'a', at_least = 2.0, below = 2.0 }], at_most = 1.0 }]",
            "veto `x`: `a` can't be at least 2 and below 2",
        ),
        (
            "vetoes = [{ name = 'x', when = [{ feature = 'a', below = 2.0 }], at_most = 100.0 }]",
            "veto `x`: at_most is 100; it must be at least 0 and below 100",
        ),
        (
            "vetoes = [{ name = 'x', when = [], at_most = 10.0 }]",
            "veto `x`: it has no condition; `when` says when it holds",
        ),
        (
            "vetoes = [{ name = 'x', when = [{ feature = 'c', below = 2.0 }], at_most = 49.0 }]",
            "veto `x`: `c` is no feature of this book; none of its 3 features has a name like it",
        ),
        (
            "bands = 't-b'\nvariants = [{ name = 'x', when = [{ feature = 'a', below = 1.0 }], bands = 't-a' }]\n\
             thresholds = { by = [{ feature = 'plan' }] }",
            "variant `x`: it has bands, and so has each cohort of [scorecard.thresholds]; keep one",
        ),
        (
            "thresholds = { by = [{ feature = 'tenure_dayz', edges = [90.0] }] }",
            "the thresholds: `tenure_dayz` is no feature of this book; none of its 3 features has a name like it",
        ),
        ("thresholds = { by = [] }", "the thresholds: `by` names no dimension"),
        (
            "thresholds = { by = [{ feature = 'b' }] }",
            "the thresholds: `b` is no text of this book; a number needs `edges` to be cut at",
        ),
        (
            "thresholds = { by = [{ feature = 'b', edges = [2.0, 1.0] }] }",
            "the thresholds: the edges of `b` are [2.0, 1.0]; they must be finite and rise",
        ),
        (
            "thresholds = { by = [{ feature = 'plan' }], shrinkage = 0.0 }",
            "the thresholds: shrinkage is 0; it must be finite and above 0",
        ),
    ] {
        let text = format!("{base}{text}");
        assert_eq!(refused(&text, &features), told);
        assert_eq!(linted(&text, &features), [("rules", told.to_owned())]);
    }
}

/// D-01: 100 accounts of each segment; the large ones score 50 to 99, the small ones 0 to 49.
#[test]
fn thresholds_are_drawn_to_the_parents() {
    let text = "
        indicators = [{ feature = 'a', weight = 100.0, at_zero = 0.0, at_full = 100.0 }]
        thresholds = { by = [{ feature = 'segment' }, { feature = 'tenure', edges = [10.0] }], shrinkage = 300.0, min_accounts = 60 }
    ";
    let row = |score: u16, large: bool| {
        let is = |yes: bool| f32::from(u8::from(yes));
        vec![f32::from(score), is(large), is(!large), if score < 15 { 1.0 } else { 20.0 }]
    };
    let rows: Vec<Vec<f32>> = (0..200_u16).map(|at| row(at / 2, at >= 100)).collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let features = ["a ^", "segment=large -", "segment=small -", "tenure -"];
    let card = learn_rows(text, &features, &rows).expect("learns");
    let thresholds = card.rules.as_ref().and_then(|rules| rules.thresholds.as_ref()).expect("thresholds");
    let levels: Vec<(Vec<u32>, u64)> = thresholds.cohorts.iter().map(|of| (of.levels.clone(), of.n_accounts)).collect();
    // The 30 young accounts, all small, are too few for edges of their own.
    assert_eq!(levels, [(vec![], 200), (vec![0], 100), (vec![0, 1], 100), (vec![1], 100), (vec![1, 1], 70)]);
    // Half of all are below 50 and 80 % below 80: numpy.quantile(numpy.arange(100) // 2, [0.5, 0.8]) = 24.5, 39.2 for
    // the small ones, whose 100 accounts weigh 1 to 3 against 50 and 80.
    let edges = |row: &[f32]| {
        let bands = assess(&card, row).bands;
        (bands.yellow_from(), bands.green_from())
    };
    let small = (0.25 * 24.5 + 0.75 * 50.0, 0.25 * 39.2 + 0.75 * 80.0);
    let found = edges(&[0.0, 0.0, 1.0, 1.0]);
    close(found.0, small.0);
    close(found.1, small.1);
    assert_eq!(edges(&[0.0, 0.0, 1.0, NAN]), found);
    // 70 old and small ones score 15 to 49: numpy.quantile(15 + numpy.arange(70) // 2, [0.5, 0.8]) = 32, 42.2.
    let old = edges(&[0.0, 0.0, 1.0, 20.0]);
    close(old.0, (70.0 * 32.0 + 300.0 * small.0) / 370.0);
    close(old.1, (70.0 * 42.2 + 300.0 * small.1) / 370.0);
    // Of a missing segment nothing is known: everybody's edges, which are the declared ones.
    assert_eq!(edges(&[0.0, NAN, NAN, 20.0]), (50.0, 80.0));
    let text = serde_json::to_string(&card).expect("writes");
    assert_eq!(serde_json::from_str::<Scorecard>(&text).expect("reads"), card);
}

#[test]
fn rules_that_lie_are_refused_when_read() {
    let card = learnt(VARIANTS, &["a ^", "b ^", "tenure_days -", "segment=large -", "segment=mid -", "segment=smb -"]);
    let text = serde_json::to_string(&card).expect("writes");
    for (from, to) in [
        ("\"at_full\":5.0", "\"at_full\":0.0"),
        ("\"below\":90.0", "\"below\":-1.0"),
        ("\"feature\":2,\"at_least\"", "\"feature\":20,\"at_least\""),
        ("\"name\":\"base\",", "\"name\":\"base\",\"when\":[{\"any\":[{\"feature\":0,\"below\":1.0}]}],"),
        ("\"missing\":\"redistribute\"", "\"missing\":\"guess\""),
        ("\"categories\":[{\"weight\":100.0", "\"categories\":[{\"weight\":-100.0"),
        ("\"rules\":{", "\"rules\":{\"more\":1,"),
    ] {
        let altered = text.replacen(from, to, 1);
        assert!(altered != text, "{from}");
        assert!(serde_json::from_str::<Scorecard>(&altered).is_err(), "{from} -> {to}");
    }
}

#[derive(serde::Deserialize)]
struct Page {
    scorecard: bellwether_health::ScorecardSpec,
}

/// The examples of docs/SCORECARD.md are what they say.
#[test]
fn the_examples_of_the_page_are_valid() {
    let page = include_str!("../../../../docs/SCORECARD.md");
    let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<&str> = examples.filter(|text| text.contains("[scorecard]")).collect();
    let features = [
        "active_users ^ usage",
        "tickets_90d - support",
        "champion ^ relationship",
        "segment=smb -",
        "tenure_days -",
        "industry=it -",
    ];
    let specs: Vec<Page> = examples.iter().map(|text| toml::from_str(text).expect("reads")).collect();
    assert_eq!(specs.len(), 2);
    assert_eq!(lint_spec(&specs[1].scorecard, &schema(&features)), []);
    let rows = decade(features.len());
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let account: Vec<u32> = (0..rows.len() as u32).collect();
    let (day, churned) = (vec![0; rows.len()], vec![None; rows.len()]);
    let history = History { account: &account, day: &day, churned: &churned, regression: None };
    let training: Vec<usize> = (0..rows.len()).collect();
    let learnt = learn_on_history(Some(&specs[1].scorecard), &schema(&features), &matrix(&rows), &training, &history);
    assert_eq!(learnt.expect("learns").0.rules.expect("rules").cards.len(), 2);
}

const EVERYTHING: &str = "
    missing = 'neutral'
    categories = { usage = { weight = 70.0, maximum = 3.0 }, support = { weight = 30.0 } }
    indicators = [
        { feature = 'a', weight = 1.0, category = 'usage' },
        { feature = 'b', weight = 2.0, category = 'usage', missing = 'redistribute',
          steps = [{ to = -5.0, points = 100.0 }, { to = 5.0, points = 35.5 }, { points = 0.0 }] },
        { feature = 'c', weight = 100.0, category = 'support', scale = 'linear' },
    ]
    vetoes = [{ name = 'v', when = [{ feature = 'a', below = -50.0 }], at_most = 20.0 }]
    variants = [{ name = 'x', when = [{ feature = 'd', at_least = 1.0 }],
                  categories = { usage = { weight = 10.0, maximum = 3.0 }, support = { weight = 90.0 } } }]
    thresholds = { by = [{ feature = 'd', edges = [0.0] }], min_accounts = 1 }
";

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![1 => Just(NAN), 4 => -100.0_f32..100.0, 1 => any::<f32>().prop_filter("finite", |x| x.is_finite())]
}

proptest! {
    /// Any row has a score in 0-100 and a coverage in 0-1, a healthier value never lowers it, and rows do not touch.
    #[test]
    fn health_is_bounded_and_follows_each_direction(
        training in prop::collection::vec([value(), value(), value(), value()], 2..30),
        row in [value(), value(), value(), value()],
        step in 0.0_f32..50.0,
    ) {
        let training: Vec<&[f32]> = training.iter().map(<[f32; 4]>::as_slice).collect();
        let Ok(card) = learn_rows(EVERYTHING, &["a ^", "b v", "c v", "d -"], &training) else { return Ok(()) };
        let before = assess(&card, &row);
        prop_assert!((0.0..=100.0).contains(&before.score) && (0.0..=1.0).contains(&before.coverage));
        for (feature, sign) in [(0, 1.0), (1, -1.0), (2, -1.0)] {
            let mut better = row;
            better[feature] += sign * step;
            if better[feature].is_finite() {
                prop_assert!(assess(&card, &better).score >= before.score - 1e-9, "{feature}");
            }
        }
        let x: FeatureMatrix = matrix(&[&[0.0; 4], &row, &[1.0; 4]]);
        prop_assert_eq!(card.assess(&x, &[2, 1])[1], before);
        let text = serde_json::to_string(&card).expect("writes");
        prop_assert_eq!(serde_json::from_str::<Scorecard>(&text).expect("reads"), card);
    }

    #[test]
    fn the_order_of_training_rows_changes_no_rule(
        training in prop::collection::vec([value(), value(), value(), value()], 2..20),
        seed in any::<u64>(),
    ) {
        let rows: Vec<&[f32]> = training.iter().map(<[f32; 4]>::as_slice).collect();
        let (x, schema, spec) = (matrix(&rows), schema(&["a ^", "b v", "c v", "d -"]), spec(EVERYTHING));
        let account: Vec<u32> = (0..rows.len() as u32).map(|row| row / 2).collect();
        let (day, churned) = (vec![0; rows.len()], vec![None; rows.len()]);
let history = History { account: &account, day: &day, churned: &churned, regression: None };
        let order: Vec<usize> = (0..rows.len()).collect();
        let mut shuffled = order.clone();
        shuffled.sort_by_key(|&row| (row as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let learn = |rows: &[usize]| learn_on_history(Some(&spec), &schema, &x, rows, &history).ok();
        prop_assert_eq!(learn(&order), learn(&shuffled));
    }
}
