//! Columns that are computed from others.

use bellwether_core::Quiet;

use crate::common::{date, numbers, open};

fn toml(derived: &str, feature: &str) -> String {
    format!(
        r#"
        name = "derived"
        [sources.rows]
        kind = "event"
        path = "rows.csv"
        account = "account"
        date = "day"
        derived = [{derived}]
        [accounts]
        from = "rows"
        [[features]]
        name = "x"
        from = "rows"
        column = "{feature}"
        "#
    )
}

const ROWS: &str = "account,day,a,b,from,to,text\n\
    full,2024-02-01,6,4,2024-02-01,2024-03-01,I love it\n\
    zero,2024-02-01,6,0,2024-03-01,2024-02-01,How are you?\n\
    none,2024-02-01,,4,,2024-03-01,\n";

/// The value of column `x` for the accounts `full`, `none` and `zero`.
#[track_caller]
fn check(derived: &str, expected: [f32; 3]) {
    let (_folder, book) = open(&toml(derived, "x"), &[("rows.csv", ROWS)]).expect("opens");
    let found = numbers(&book.history(&[date("2024-02-29")], &Quiet).expect("it is built").table, "x");
    let same =
        |(found, expected): (&f32, &f32)| (found.is_nan() && expected.is_nan()) || (found - expected).abs() < 5e-5;
    assert!(found.iter().zip(&expected).all(same), "{derived}: {found:?} for {expected:?}");
}

#[test]
fn each_rule_is_what_it_says() {
    const MISSING: f32 = f32::NAN;
    check(r#"{ name = "x", multiply = ["a", "b"] }"#, [24.0, MISSING, 0.0]);
    check(r#"{ name = "x", divide = ["a", "b"] }"#, [1.5, MISSING, MISSING]);
    check(r#"{ name = "x", subtract = ["a", "b"] }"#, [2.0, MISSING, 6.0]);
    check(r#"{ name = "x", days_between = ["from", "to"] }"#, [29.0, MISSING, -29.0]);
    // By vaderSentiment 3.3.2.
    check(r#"{ name = "x", sentiment_of = "text" }"#, [0.6369, MISSING, 0.0]);
}

#[test]
fn one_may_build_on_an_earlier_one() {
    check(r#"{ name = "y", subtract = ["a", "b"] }, { name = "x", divide = ["y", "a"] }"#, [2.0 / 6.0, f32::NAN, 1.0]);
}

#[track_caller]
fn check_refused(derived: &str, rows: &str, message: &str) {
    let refused = open(&toml(derived, "x"), &[("rows.csv", rows)]).expect_err("it is refused").to_string();
    assert!(refused.contains(message), "{refused}");
}

#[test]
fn a_rule_is_one_and_its_columns_can_serve() {
    let several = "derived column `x` has no rule, or several";
    check_refused(r#"{ name = "x" }"#, ROWS, several);
    check_refused(r#"{ name = "x", multiply = [] }"#, ROWS, several);
    check_refused(r#"{ name = "x", multiply = ["a"], sentiment_of = "text" }"#, ROWS, several);
    check_refused(r#"{ name = "x", divide = ["a", "c"] }"#, ROWS, "there is no column `c`");
    check_refused(r#"{ name = "x", divide = ["a", "x"] }"#, ROWS, "there is no column `x`");
    let bad = ROWS.replace(",6,4,", ",six,4,");
    check_refused(
        r#"{ name = "x", divide = ["a", "b"] }"#,
        &bad,
        "column `a`, row 1 is `six`; a finite number is needed",
    );
    let bad = ROWS.replace("2024-03-01,2024-02-01", "2024-03-01,soon");
    check_refused(r#"{ name = "x", days_between = ["from", "to"] }"#, &bad, "column `to`, row 2 is `soon`; a date");
}
