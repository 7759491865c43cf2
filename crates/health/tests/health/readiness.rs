//! Expansion readiness (requirements.md 1.12): the same scorecard over indicators of growth.

use bellwether_health::lint_readiness;

use crate::common::{assess, close, learn_rows, matrix, schema, spec};

/// The catalogue's features for and U-13.
const FEATURES: [&str; 7] = [
    "entitlement_use ^ usage",
    "advanced_use_share ^ adoption",
    "invites_90d ^ engagement",
    "departments_using ^ adoption",
    "upgrade_interest ^ engagement",
    "user_trend ^ usage",
    "active_users ^ usage",
];

/// What docs/SCORECARD.md shows, as `[readiness]` of a book.
const READINESS: &str = "indicators = [
    { feature = 'entitlement_use', weight = 20, at_zero = 0.5, at_full = 1.0 },
    { feature = 'advanced_use_share', weight = 10, at_zero = 0.0, at_full = 0.5 },
    { feature = 'invites_90d', weight = 10, at_zero = 0, at_full = 5 },
    { feature = 'departments_using', weight = 10, at_zero = 1, at_full = 4 },
    { feature = 'upgrade_interest', weight = 15, at_zero = 0, at_full = 3 },
    { feature = 'user_trend', weight = 20, at_zero = 1, at_full = 3 },
    { feature = 'active_users', weight = 15, steps = [
        { to = 2, points = 0 }, { from = 2, to = 5, points = 50 }, { from = 5, points = 100 },
    ] },
]";

/// No sign of growth, one user.
const NOTHING: [f32; 7] = [0.2, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];

#[track_caller]
fn check(changed: &[(&str, f32)], score: f64) {
    let card = learn_rows(READINESS, &FEATURES, &[&NOTHING, &[1.0, 0.5, 5.0, 4.0, 3.0, 3.0, 9.0]]).expect("learns");
    let mut row = NOTHING;
    for (name, value) in changed {
        let place = FEATURES.iter().position(|feature| feature.split(' ').next() == Some(name));
        row[place.expect("a feature of the card")] = *value;
    }
    close(assess(&card, &row).score, score);
}

#[test]
fn from_5_to_15_users_is_very_positive() {
    check(&[], 0.0);
    check(&[("user_trend", 15.0 / 5.0)], 20.0);
    check(&[("user_trend", 10.0 / 5.0)], 10.0);
    // Fewer users than before are no sign of growth, and no debt.
    check(&[("user_trend", 5.0 / 15.0)], 0.0);
}

#[test]
fn accounts_with_5_active_users_and_more_tend_to_expand() {
    for (users, points) in [(1.0, 0.0), (2.0, 7.5), (4.0, 7.5), (5.0, 15.0), (50.0, 15.0)] {
        check(&[("active_users", users)], points);
    }
}

#[test]
fn every_sign_of_readiness_counts() {
    check(&[("entitlement_use", 1.0)], 20.0);
    check(&[("advanced_use_share", 0.5)], 10.0);
    check(&[("invites_90d", 5.0)], 10.0);
    check(&[("departments_using", 4.0)], 10.0);
    check(&[("upgrade_interest", 3.0)], 15.0);
    let all = [("entitlement_use", 1.2), ("advanced_use_share", 0.9), ("invites_90d", 8.0), ("departments_using", 6.0)];
    check(&[&all[..], &[("upgrade_interest", 4.0), ("user_trend", 3.0), ("active_users", 15.0)]].concat(), 100.0);
}

/// It is learnt without what happened.
#[test]
fn what_reads_churn_is_no_readiness() {
    let x = matrix(&[&NOTHING, &[1.0, 0.5, 5.0, 4.0, 3.0, 3.0, 9.0]]);
    let learn = |text: &str| bellwether_health::learn(Some(&spec(text)), &schema(&FEATURES), &x, &[0, 1]);
    for (more, what) in [
        ("weights = 'doubled'", "weights by history"),
        ("weights = 'correlation'", "weights by history"),
        ("weights = 'logistic'", "weights by history"),
        ("thresholds = { by = [{ feature = 'active_users', edges = [5.0] }] }", "thresholds by cohort"),
    ] {
        let told = format!(
            "{what} read churn, so an expansion readiness can't have them; the health score of [scorecard] can"
        );
        let text = format!("{more}\n{READINESS}");
        assert_eq!(learn(&text).expect_err(more).to_string(), told);
        check_lint(&text, &[("history", &told)]);
    }
    for more in ["weights = 'declared'", "weights = 'equal'"] {
        let text = format!("{more}\n{READINESS}");
        assert!(learn(&text).is_ok(), "{more}");
        check_lint(&text, &[]);
    }
}

#[track_caller]
fn check_lint(text: &str, expected: &[(&str, &str)]) {
    let found = lint_readiness(&spec(text), &schema(&FEATURES));
    let found: Vec<(&str, &str)> = found.iter().map(|of| (of.rule.id, of.message.as_str())).collect();
    let expected: Vec<(&str, String)> =
        expected.iter().map(|(id, message)| (*id, format!("[readiness] {message}"))).collect();
    assert_eq!(found, expected.iter().map(|(id, message)| (*id, message.as_str())).collect::<Vec<_>>());
}

#[test]
fn the_linter_says_what_a_readiness_breaks() {
    for (text, expected) in [
        (
            "indicators = [{ feature = 'invites_90d', weight = 90 }, { feature = 'user_trend', weight = 100 }]",
            &[("weights-total", "the weights of the scorecard's indicators total 190; they must total 100")][..],
        ),
        (
            "preset = 'w-f'",
            &[("preset", "there is no preset `w-f`; there are w-a, w-b, w-c, w-d (the same as mvp) and w-e")],
        ),
        (
            "indicators = [{ feature = 'invites', weight = 100 }]\n\
             variants = [{ name = 'small', when = [], indicators = [{ feature = 'user_trend', weight = 1 }] }]\n\
             vetoes = [{ name = 'x', when = [{ feature = 'user_trend', below = 1.0 }], at_most = 149 }]",
            &[
                ("feature", "indicator `invites` is no feature of this book; near matches: `invites_90d`"),
                ("rules", "variant `small`: it has no condition; `when` says whose card it is"),
                (
                    "weights-total",
                    "variant `small`: the weights of the scorecard's indicators total 1; they must total 100",
                ),
                ("rules", "veto `x`: at_most is 149; it must be at least 0 and below 100"),
            ],
        ),
    ] {
        check_lint(text, expected);
    }
}
