//! Weights from history (requirements.md I-01, 1.10), on data made by hand.

use crate::common::{NAN, close, matrix, schema, spec};
use bellwether_core::FeatureMatrix;
use bellwether_health::{
    Finding, History, IndicatorEvidence, LookBack, Scorecard, by_correlation, by_regression, doubled, learn,
    learn_on_history, look_back, points_matrix,
};

const FEATURES: [&str; 3] = ["active_users ^", "logins ^", "tickets v"];
const CARD: &str = "indicators = [
    { feature = 'active_users', weight = 20.0, at_zero = 0.0, at_full = 4.0 },
    { feature = 'logins', weight = 50.0, at_zero = 0.0, at_full = 100.0 },
    { feature = 'tickets', weight = 30.0, at_zero = 10.0, at_full = 0.0 },
]";

/// Stands for a fit: tells nothing of the first column, and of the others how much higher those who stayed are on average.
fn regression(points: &FeatureMatrix, stayed: &[bool]) -> Result<Vec<f64>, String> {
    let mean = |column: usize, of: bool| {
        let values = points.column(column).iter().zip(stayed).filter(|(_, stayed)| **stayed == of);
        let (sum, n) = values.fold((0.0, 0.0), |(sum, n), (value, _)| (sum + f64::from(*value), n + 1.0));
        sum / n
    };
    if stayed.iter().all(|stayed| *stayed) {
        return Err("nobody left".to_owned());
    }
    let above = |column: usize| (mean(column, true) - mean(column, false)).max(0.0);
    Ok((0..points.n_cols()).map(|column| if column == 0 { 0.0 } else { above(column) }).collect())
}

/// Rows with the account, day and label of each.
#[derive(Default)]
struct Told {
    rows: Vec<[f32; 3]>,
    account: Vec<u32>,
    day: Vec<i32>,
    churned: Vec<Option<bool>>,
}

impl Told {
    fn row(&mut self, account: u32, day: i32, churned: Option<bool>, row: [f32; 3]) {
        self.rows.push(row);
        self.account.push(account);
        self.day.push(day);
        self.churned.push(churned);
    }

    fn history(&self) -> History<'_> {
        History { account: &self.account, day: &self.day, churned: &self.churned, regression: Some(regression) }
    }

    fn x(&self) -> FeatureMatrix {
        matrix(&self.rows.iter().map(<[f32; 3]>::as_slice).collect::<Vec<_>>())
    }

    fn all(&self) -> Vec<usize> {
        (0..self.rows.len()).collect()
    }

    fn card(&self) -> Scorecard {
        learn(Some(&spec(CARD)), &schema(&FEATURES), &self.x(), &self.all()).expect("learns")
    }

    fn doubled(&self) -> Vec<IndicatorEvidence> {
        doubled(&self.card(), &self.x(), &self.all(), &self.history()).expect("history tells")
    }
}

/// K-05: of 20 churned accounts 17 (85 %) had fewer than 2 active users 90 days before, of 100 others 20. Logins were
/// weak for all alike; tickets for none. Rows nearer to the churn, and a year ago, would say something else.
fn worked_example() -> Told {
    let mut told = Told::default();
    for account in 0..20 {
        let users = if account < 17 { 1.0 } else { 3.0 };
        told.row(account, 30, Some(false), [4.0, 90.0, 9.0]);
        told.row(account, 600, Some(false), [4.0, 20.0, 0.0]);
        told.row(account, 630, Some(true), [users, 20.0, 0.0]);
        told.row(account, 660, Some(true), [4.0, 90.0, 9.0]);
    }
    for account in 20..120 {
        told.row(account, 630, Some(false), [4.0, 90.0, 9.0]);
        told.row(account, 660, Some(false), [if account < 40 { 1.0 } else { 3.0 }, 20.0, 0.0]);
        told.row(account, 690, None, [0.0, 90.0, 9.0]);
    }
    // An account that churned more than 365 days before the last labelled row is not looked at.
    told.row(200, 660 - 365, Some(true), [0.0, 0.0, 10.0]);
    told
}

#[test]
fn what_was_weak_90_days_before_doubles() {
    let found = worked_example().doubled();
    let Finding::Weakness { n_churned, weak_churned, n_others, weak_others, difference, is_weak } = found[0].finding
    else {
        panic!("{found:?}");
    };
    assert_eq!((n_churned, weak_churned, n_others, weak_others, is_weak), (20, 17, 100, 20, true));
    // Agresti and Caffo: 18/22 - 21/102 -+ 1.96 sqrt(18/22 4/22 / 22 + 21/102 81/102 / 102).
    let (low, high) = difference.expect("both have accounts");
    let margin = 1.959_963_984_540_054 * (18.0_f64 * 4.0 / 22.0_f64.powi(3) + 21.0 * 81.0 / 102.0_f64.powi(3)).sqrt();
    close(low, 18.0 / 22.0 - 21.0 / 102.0 - margin);
    close(high, 18.0 / 22.0 - 21.0 / 102.0 + margin);
    // K-04: 20, 50, 30 become 40, 50, 30 of 120. Logins were weak for all, so for the others too; tickets for none.
    for (of, (before, after)) in found.iter().zip([(20.0, 40.0 / 1.2), (50.0, 50.0 / 1.2), (30.0, 30.0 / 1.2)]) {
        close(of.before, before);
        close(of.after, after);
    }
    let weak: Vec<bool> =
        found.iter().map(|of| matches!(of.finding, Finding::Weakness { is_weak: true, .. })).collect();
    assert_eq!(weak, [true, false, false]);
}

/// 1.16.10: rows that are not of the training fold change nothing.
#[test]
fn only_training_rows_are_read() {
    let mut told = worked_example();
    let (training, expected) = (told.all(), told.doubled());
    let by = |told: &Told| by_correlation(&told.card(), &told.x(), &training, &told.history()).expect("tells");
    let correlated = by(&told);
    for account in 300..400 {
        told.row(account, 900, Some(account % 2 == 0), [NAN, 1.0, 7.0]);
    }
    assert_eq!(doubled(&told.card(), &told.x(), &training, &told.history()).expect("tells"), expected);
    assert_eq!(by(&told), correlated);
    let mut backwards = training.clone();
    backwards.reverse();
    assert_eq!(doubled(&told.card(), &told.x(), &backwards, &told.history()).expect("tells"), expected);
}

#[test]
fn a_difference_that_may_be_chance_doubles_nothing() {
    let mut told = Told::default();
    for account in 0..10 {
        told.row(account, 0, Some(true), [if account < 6 { 1.0 } else { 3.0 }, 50.0, 5.0]);
        told.row(account + 10, 0, Some(false), [if account < 3 { 1.0 } else { 3.0 }, 50.0, 5.0]);
    }
    assert!(told.doubled().iter().all(|of| (of.before - of.after).abs() < 1e-9));
}

#[test]
fn too_little_history_is_refused() {
    let mut told = Told::default();
    for account in 0..9 {
        told.row(account, 0, Some(true), [1.0, 50.0, 5.0]);
        told.row(account + 10, 0, Some(false), [2.0, 60.0, 6.0]);
    }
    let refused = doubled(&told.card(), &told.x(), &told.all(), &told.history()).expect_err("9 of 10");
    assert_eq!(
        refused.to_string(),
        "weights can't be learnt from history: 9 accounts churned in the last 365 days of training and 9 stayed; 10 and \
         1 are needed"
    );
}

/// Users go with staying (r = 1), logins against it, tickets do not vary.
#[test]
fn weights_follow_correlation_with_staying() {
    let mut told = Told::default();
    for account in 0..10 {
        let stays = account % 2 == 0;
        let (users, logins) = if stays { (4.0, 10.0) } else { (0.0, 60.0) };
        told.row(account, 0, Some(!stays), [users, logins, 5.0]);
    }
    let found = by_correlation(&told.card(), &told.x(), &told.all(), &told.history()).expect("tells");
    let correlations: Vec<Option<f64>> = found
        .iter()
        .map(|of| match of.finding {
            Finding::Correlation(r) => r.map(|r| (r * 1e9).round() / 1e9),
            Finding::Weakness { .. } | Finding::None | Finding::Regression(_) => panic!("{of:?}"),
        })
        .collect();
    assert_eq!(correlations, [Some(1.0), Some(-1.0), None]);
    let weights: Vec<f64> = found.iter().map(|of| of.after).collect();
    assert_eq!(weights, [100.0, 0.0, 0.0]);
    let card = told.card().with_weights(&weights).expect("one is left");
    assert_eq!((card.names, card.model.indicators.len()), (vec!["active_users".to_owned()], 1));
}

#[test]
fn a_spec_takes_its_weights_from_history() {
    let told = worked_example();
    let learn = |text: &str| {
        learn_on_history(Some(&spec(text)), &schema(&FEATURES), &told.x(), &told.all(), &told.history())
            .expect("learns")
            .0
    };
    let weights = |card: &Scorecard| card.model.indicators.iter().map(|of| of.weight).collect::<Vec<f32>>();
    for (from, expected) in [
        ("declared", vec![20.0, 50.0, 30.0]),
        ("equal", vec![(100.0_f64 / 3.0) as f32; 3]),
        ("doubled", vec![(40.0 / 1.2) as f32, (50.0 / 1.2) as f32, (30.0 / 1.2) as f32]),
    ] {
        assert_eq!(weights(&learn(&format!("weights = '{from}'\n{CARD}"))), expected, "{from}");
    }
    // With rules, the base card and the graph's line have the same shares.
    let card = learn(&format!("missing = 'neutral'\nweights = 'doubled'\n{CARD}"));
    let shares = card.rules.as_ref().expect("rules").cards[0].shares();
    for (share, weight) in shares.iter().zip(weights(&card)) {
        assert!((share - f64::from(weight)).abs() < 1e-5);
    }
}

#[test]
fn weights_are_scaled_and_those_of_nothing_left_out() {
    let card = worked_example().card();
    let of = |weights: &[f64]| card.with_weights(weights);
    let found = of(&[1.0, 0.0, 3.0]).expect("two are left");
    assert_eq!(found.names, ["active_users", "tickets"]);
    assert_eq!(found.model.indicators.iter().map(|of| of.weight).collect::<Vec<_>>(), [25.0, 75.0]);
    for weights in
        [&[1.0, 1.0][..], &[0.0, 0.0, 0.0], &[1.0, -1.0, 3.0], &[f64::NAN, 1.0, 1.0], &[f64::INFINITY, 1.0, 1.0]]
    {
        assert!(of(weights).is_err(), "{weights:?}");
    }
}

#[test]
fn points_are_what_a_regression_reads() {
    let mut told = Told::default();
    told.row(0, 0, None, [1.0, 50.0, NAN]);
    told.row(1, 0, None, [NAN, 100.0, NAN]);
    told.row(2, 0, None, [3.0, -5.0, NAN]);
    told.row(3, 0, None, [4.0, 0.0, 7.0]);
    let points = points_matrix(&told.card(), &told.x(), &[0, 1, 2]);
    assert_eq!(points, matrix(&[&[25.0, 50.0, 50.0], &[50.0, 100.0, 50.0], &[75.0, 0.0, 50.0]]));
}

/// K-01, K-02: each churned account of the last 365 days 90 days before, each other one at its last labelled row.
#[test]
fn churned_accounts_are_looked_at_90_days_before() {
    let told = worked_example();
    let LookBack { churned, others } = look_back(&told.all(), &told.history());
    assert_eq!((churned.len(), others.len()), (20, 100));
    assert!(churned.iter().all(|&row| told.day[row] == 630 && told.churned[row] == Some(true)));
    assert!(others.iter().all(|&row| told.day[row] == 660));
    assert_eq!(look_back(&[], &told.history()), LookBack::default());
}

#[test]
fn weights_follow_a_regression_that_others_fit() {
    let mut told = Told::default();
    for account in 0..40 {
        let stays = account % 4 != 0;
        let logins = if stays { 80.0 } else { 20.0 };
        told.row(account, 0, Some(!stays), [account as f32 % 5.0, logins, if stays { 2.0 } else { 6.0 }]);
        told.row(account, 30, None, [0.0, 0.0, 0.0]);
    }
    let found = by_regression(&told.card(), &told.x(), &told.all(), &told.history()).expect("history tells");
    // 80 - 20 points of logins, 80 - 40 of tickets.
    let after: Vec<f64> = found.iter().map(|of| of.after).collect();
    assert_eq!(found[0].finding, Finding::Regression(0.0));
    after.iter().zip([0.0, 60.0, 40.0]).for_each(|(&after, expected)| close(after, expected));
    let card = learn_on_history(
        Some(&spec(&format!("weights = 'logistic'\n{CARD}"))),
        &schema(&FEATURES),
        &told.x(),
        &told.all(),
        &told.history(),
    );
    assert_eq!(card.expect("learns").0.names, ["logins", "tickets"]);
    let nobody: Vec<usize> = (0..told.rows.len()).filter(|&row| told.churned[row] == Some(false)).collect();
    let refused = by_regression(&told.card(), &told.x(), &nobody, &told.history()).expect_err("nobody left");
    assert_eq!(refused.to_string(), "weights can't be learnt from history: nobody left");
    let without = History { regression: None, ..told.history() };
    let refused = by_regression(&told.card(), &told.x(), &told.all(), &without).expect_err("no regression");
    assert_eq!(refused.rule_id(), "history");
}
