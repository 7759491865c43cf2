//! What is declared, what is learnt, and what is refused.

use bellwether_core::{Band, Direction, Feature, FeatureMatrix, FeatureSchema, Indicator};
use bellwether_health::{HealthError, Scorecard, ScorecardSpec, learn, lint};
use proptest::prelude::*;

const NAN: f32 = f32::NAN;

/// Features `a ^`, `b v`, `c -`: the mark after a name is its declared direction.
fn schema(features: &[&str]) -> FeatureSchema {
    let feature = |text: &&str| {
        let (name, mark) = text.split_once(' ').expect("a name and a mark");
        let good = match mark {
            "^" => Some(Direction::Up),
            "v" => Some(Direction::Down),
            _ => None,
        };
        Feature { name: name.to_owned(), category: Some("usage".to_owned()), good }
    };
    FeatureSchema::new(features.iter().map(feature).collect()).expect("names differ")
}

fn matrix(columns: &[&[f32]]) -> FeatureMatrix {
    FeatureMatrix::from_columns(&columns.iter().map(|column| column.to_vec()).collect::<Vec<_>>()).expect("finite")
}

fn spec(text: &str) -> ScorecardSpec {
    toml::from_str(text).expect("a spec of the test")
}

/// Learns from all rows.
fn learn_all(spec_toml: Option<&str>, features: &[&str], columns: &[&[f32]]) -> Result<Scorecard, HealthError> {
    let (x, spec) = (matrix(columns), spec_toml.map(spec));
    let rows: Vec<usize> = (0..x.n_rows()).collect();
    learn(spec.as_ref(), &schema(features), &x, &rows)
}

fn warnings(spec_toml: Option<&str>, features: &[&str], columns: &[&[f32]]) -> Vec<String> {
    let (x, spec) = (matrix(columns), spec_toml.map(spec));
    let rows: Vec<usize> = (0..x.n_rows()).collect();
    lint(spec.as_ref(), &schema(features), &x, &rows).expect("lints")
}

/// `numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], [0.05, 0.95])` = `[1, 7.5]`, numpy 2.
const DIGITS: [f32; 11] = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0];

#[test]
fn ends_are_the_outer_quantiles_in_the_good_direction() {
    let card = learn_all(None, &["up ^", "down v"], &[&DIGITS, &DIGITS]).expect("learns");
    let indicator = |feature, at_zero, at_full| Indicator { feature, weight: 50.0, at_zero, at_full };
    assert_eq!(card.model.indicators, [indicator(0, 1.0, 7.5), indicator(1, 7.5, 1.0)]);
    assert_eq!((card.model.slope, card.model.intercept), (-0.1, 5.0));
    assert_eq!(card.names, ["up", "down"]);
    assert_eq!(card.categories, [Some("usage".to_owned()), Some("usage".to_owned())]);
}

#[test]
fn ends_come_from_known_values_of_training_rows_alone() {
    let column = [NAN, 2.0, 4.0, -1000.0, 1000.0];
    let card = learn(None, &schema(&["up ^"]), &matrix(&[&column]), &[2, 0, 1]).expect("learns");
    assert_eq!((card.model.indicators[0].at_zero, card.model.indicators[0].at_full), (2.1, 3.9));
}

#[test]
fn coinciding_quantiles_fall_back_to_the_extremes() {
    let mut column = vec![0.0; 100];
    column[17] = 8.0;
    let card = learn_all(None, &["up ^"], &[&column]).expect("learns");
    assert_eq!((card.model.indicators[0].at_zero, card.model.indicators[0].at_full), (0.0, 8.0));
}

#[test]
fn a_constant_indicator_gives_its_weight_to_the_others_and_says_so() {
    let text =
        "indicators = [{ feature = 'a', weight = 60 }, { feature = 'b', weight = 10 }, { feature = 'c', weight = 30 }]";
    let (features, columns) = (["a ^", "b ^", "c v"], [&DIGITS[..], &[2.0; 11], &DIGITS[..]]);
    let card = learn_all(Some(text), &features, &columns).expect("learns");
    let weights: Vec<f32> = card.model.indicators.iter().map(|indicator| indicator.weight).collect();
    assert_eq!(
        (card.names, weights),
        (vec!["a".to_owned(), "c".to_owned()], vec![(6000.0 / 90.0) as f32, (3000.0 / 90.0) as f32])
    );
    assert_eq!(
        warnings(Some(text), &features, &columns),
        ["indicator `b` is dropped: it is 2 in all 11 training rows where it is known; \
          its weight 10 goes to the other indicators"]
    );
}

#[test]
fn declared_ends_categories_directions_and_bands_are_kept() {
    let text = "
        bands = { yellow_from = 40.0, green_from = 75.0 }
        [[indicators]]
        feature = 'a'
        weight = 70
        good = 'down'
        category = 'support'
        [[indicators]]
        feature = 'plain'
        weight = 30
        at_zero = 20
        at_full = 10
    ";
    let card = learn_all(Some(text), &["a ^", "plain -"], &[&DIGITS, &[1.0; 11]]).expect("learns");
    assert_eq!(card.model.indicators[0], Indicator { feature: 0, weight: 70.0, at_zero: 7.5, at_full: 1.0 });
    assert_eq!(card.model.indicators[1], Indicator { feature: 1, weight: 30.0, at_zero: 20.0, at_full: 10.0 });
    assert_eq!(card.categories, [Some("support".to_owned()), Some("usage".to_owned())]);
    assert_eq!((card.bands.band(39.9), card.bands.band(75.0)), (Band::Red, Band::Green));
}

/// requirements.md W-D, I-03, Z-03.
#[test]
fn without_indicators_the_first_seven_that_vary_are_equal() {
    let features = ["f0 ^", "f1 -", "f2 v", "f3 ^", "f4 ^", "f5 ^", "f6 ^", "f7 ^", "f8 ^", "f9 ^"];
    let columns: Vec<&[f32]> = (0..10).map(|at| if at == 3 { &[1.0; 11][..] } else { &DIGITS[..] }).collect();
    for text in [None, Some("bands = { yellow_from = 40.0, green_from = 75.0 }")] {
        let card = learn_all(text, &features, &columns).expect("learns");
        assert_eq!(card.names, ["f0", "f2", "f4", "f5", "f6", "f7", "f8"]);
        assert!(card.model.indicators.iter().all(|indicator| indicator.weight == (100.0_f64 / 7.0) as f32));
        assert_eq!(
            warnings(text, &features, &columns),
            ["no indicators are declared: the scorecard takes the first 7 of 8 features with a direction, \
              equally weighted, and leaves out `f9`"]
        );
    }
}

fn equal_weights(n: usize) -> (String, Vec<String>) {
    let names: Vec<String> = (0..n).map(|at| format!("f{at} ^")).collect();
    let entry = |at: usize| format!("{{ feature = 'f{at}', weight = {} }}", 100.0 / n as f64);
    (format!("indicators = [{}]", (0..n).map(entry).collect::<Vec<_>>().join(", ")), names)
}

/// requirements.md I-03.
#[test]
fn more_than_seven_indicators_warn_and_twenty_are_refused() {
    for (n, n_warnings) in [(7, Some(0)), (8, Some(1)), (19, Some(1)), (20, None)] {
        let (text, names) = equal_weights(n);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let x = matrix(&vec![&DIGITS[..]; n]);
        let linted = lint(Some(&spec(&text)), &schema(&names), &x, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(linted.ok().map(|warnings| warnings.len()), n_warnings, "{n}");
    }
}

#[test]
fn declarations_that_break_a_rule_are_refused_with_value_and_rule() {
    let features = ["logins_30d ^", "tickets_30d v", "plan=pro -", "flat ^"];
    let columns = [&DIGITS[..], &DIGITS[..], &DIGITS[..], &[3.0; 11][..]];
    for (indicators, message) in [
        (
            "{ feature = 'logins_3d', weight = 100 }",
            "indicator `logins_3d` is no feature of this book; near matches: `logins_30d`",
        ),
        (
            "{ feature = 'nps', weight = 100 }",
            "indicator `nps` is no feature of this book; none of its 4 features has a name like it",
        ),
        (
            "{ feature = 'logins_30d', weight = 40 }, { feature = 'tickets_30d', weight = 50 }",
            "the weights of the scorecard's indicators total 90; they must total 100",
        ),
        (
            "{ feature = 'logins_30d', weight = 100.000001 }",
            "the weights of the scorecard's indicators total 100.000001; they must total 100",
        ),
        (
            "{ feature = 'logins_30d', weight = 120 }, { feature = 'tickets_30d', weight = -20 }",
            "indicator `tickets_30d` has weight -20; a weight must be above 0",
        ),
        (
            "{ feature = 'logins_30d', weight = 50 }, { feature = 'logins_30d', weight = 50 }",
            "indicator `logins_30d` stands twice; a feature can be one indicator only",
        ),
        (
            "{ feature = 'plan=pro', weight = 100, at_zero = 0 }",
            "indicator `plan=pro` has no direction; declare `good = \"up\"` or `good = \"down\"`, or both at_zero and at_full",
        ),
        (
            "{ feature = 'logins_30d', weight = 100, at_zero = 9, at_full = 1 }",
            "indicator `logins_30d` earns nothing at 9 and everything at 1; good = \"up\" needs it the other way round",
        ),
        (
            "{ feature = 'logins_30d', weight = 100, at_full = 0.5 }",
            "indicator `logins_30d` earns nothing at 1 and everything at 0.5; good = \"up\" needs it the other way round",
        ),
        (
            "{ feature = 'logins_30d', weight = 100, at_zero = 1, at_full = 1.00000001 }",
            "indicator `logins_30d` has at_zero or at_full 1.0; they must be finite and differ as 32-bit numbers",
        ),
        (
            "{ feature = 'logins_30d', weight = 100, at_zero = 1e300 }",
            "indicator `logins_30d` has at_zero or at_full 1e300; they must be finite and differ as 32-bit numbers",
        ),
        (
            "{ feature = 'flat', weight = 100 }",
            "every indicator of the scorecard is constant or missing in the 11 training rows",
        ),
    ] {
        let refused = learn_all(Some(&format!("indicators = [{indicators}]")), &features, &columns);
        assert_eq!(refused.expect_err(indicators).to_string(), message);
    }
}

#[test]
fn without_any_direction_there_is_nothing_to_start_from() {
    let refused = learn_all(None, &["a -"], &[&DIGITS]).expect_err("no direction");
    assert_eq!(
        refused.to_string(),
        "no feature says which way is good; declare `good = \"up\"` or `good = \"down\"` on features, or a [scorecard]"
    );
}

#[test]
fn weights_of_tenths_total_100() {
    let text = "indicators = [{ feature = 'a', weight = 33.3 }, { feature = 'b', weight = 33.3 }, { feature = 'c', weight = 33.4 }]";
    let card = learn_all(Some(text), &["a ^", "b ^", "c ^"], &[&DIGITS, &DIGITS, &DIGITS]).expect("learns");
    assert_eq!(card.model.indicators[2].weight, 33.4);
}

#[test]
fn unknown_keys_of_the_declaration_are_refused() {
    for text in ["indicator = []", "indicators = [{ feature = 'a', weight = 100, sign = 'up' }]"] {
        assert!(toml::from_str::<ScorecardSpec>(text).is_err(), "{text}");
    }
}

#[test]
fn a_stored_scorecard_is_checked_when_read() {
    let card = learn_all(None, &["a ^", "b v"], &[&DIGITS, &DIGITS]).expect("learns");
    let text = serde_json::to_string(&card).expect("writes");
    assert_eq!(serde_json::from_str::<Scorecard>(&text).expect("reads"), card);
    for (from, to) in [
        ("\"names\":[\"a\",\"b\"]", "\"names\":[\"a\"]"),
        ("\"names\":[\"a\",\"b\"]", "\"names\":[\"a\",\"a\"]"),
        ("\"weight\":50.0", "\"weight\":-50.0"),
        ("\"weight\":50.0", "\"weight\":1e99"),
        ("\"feature\":1", "\"feature\":7"),
        ("\"green_from\":80.0", "\"green_from\":8.0"),
        ("\"names\"", "\"extra\":1,\"names\""),
    ] {
        let altered = text.replace(from, to);
        assert!(altered != text && serde_json::from_str::<Scorecard>(&altered).is_err(), "{from} -> {to}");
    }
    assert!(card.check_schema(&schema(&["a ^", "b v"])).is_ok());
    assert!(card.check_schema(&schema(&["b v", "a ^"])).is_err());
    assert!(card.check_schema(&schema(&["a ^", "b v", "c v"])).is_err());
}

proptest! {
    #[test]
    fn the_order_of_training_rows_changes_nothing(
        column in prop::collection::vec(prop_oneof![4 => -100.0_f32..100.0, 1 => Just(NAN)], 2..60),
        seed in any::<u64>(),
    ) {
        let (x, schema) = (matrix(&[&column]), schema(&["a v"]));
        let rows: Vec<usize> = (0..column.len()).collect();
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|&row| (row as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (a, b) = (learn(None, &schema, &x, &rows), learn(None, &schema, &x, &shuffled));
        prop_assert_eq!(a.ok(), b.ok());
    }

    /// Every learnt score lies in 0-100, and a healthier value never lowers it.
    #[test]
    fn health_is_bounded_and_follows_the_direction(
        column in prop::collection::vec(-1e6_f32..1e6, 2..60),
        x in -2e6_f32..2e6,
        step in 0.0_f32..1e6,
    ) {
        for (features, sign) in [(["a ^"], 1.0), (["a v"], -1.0)] {
            let Ok(card) = learn_all(None, &features, &[&column]) else { continue };
            let (before, after) = (card.model.health(&[x]), card.model.health(&[x + sign * step]));
            prop_assert!((0.0..=100.0).contains(&before) && after >= before);
        }
    }
}
