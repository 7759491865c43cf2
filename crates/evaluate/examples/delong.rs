//! ROC AUCs of scores on the same rows, their variances, covariances and paired differences, as JSON.
//!
//! `cargo run -p bellwether-evaluate --example delong -- FILE`; the CSV has a header, in its first column the outcome, 0 or 1,
//! and in each other one a score. Every row is an account of its own, so that all of it is `DeLong`'s (1988).
//! `benches/peers/asah.py` holds what this prints against the values that pROC publishes.

use bellwether_evaluate::{auc_variance, paired_auc_difference, roc_auc};

const CONFIDENCE: f64 = 0.95;
/// The normal quantile of [`CONFIDENCE`], two-sided.
const Z: f64 = 1.959_963_984_540_054;

struct Score<'a> {
    name: &'a str,
    values: Vec<f64>,
    variance: f64,
}

fn main() {
    let path = std::env::args().nth(1).expect("name a CSV file");
    let text = std::fs::read_to_string(path).expect("a readable file");
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let rows: Vec<Vec<f64>> =
        lines.map(|cells| cells.iter().map(|cell| cell.parse().expect("a number")).collect()).collect();
    let outcome: Vec<bool> = rows.iter().map(|row| row[0] != 0.0).collect();
    let account: Vec<u32> = (0..outcome.len() as u32).collect();

    let score = |(at, &name)| {
        let values: Vec<f64> = rows.iter().map(|row| row[at]).collect();
        let variance = auc_variance(&values, &outcome, &account).expect("sound rows").expect("two rows a class");
        Score { name, values, variance }
    };
    let scores: Vec<Score<'_>> = header.iter().enumerate().skip(1).map(score).collect();
    let singles: Vec<String> = scores.iter().map(|score| single(score, &outcome)).collect();
    let pairs = scores.iter().enumerate().flat_map(|(at, a)| scores[at + 1..].iter().map(move |b| (a, b)));
    let pairs: Vec<String> = pairs.map(|(a, b)| pair(a, b, &outcome, &account)).collect();
    println!("{{\"n\": {}, \"scores\": [{}], \"pairs\": [{}]}}", outcome.len(), singles.join(", "), pairs.join(", "));
}

fn single(score: &Score<'_>, outcome: &[bool]) -> String {
    let auc = roc_auc(&score.values, outcome).expect("both classes");
    format!(r#"{{"name": "{}", "auc": {auc:?}, "variance": {:?}}}"#, score.name, score.variance)
}

/// The covariance by `var(a - b) = var a + var b - 2 cov(a, b)`.
fn pair(a: &Score<'_>, b: &Score<'_>, outcome: &[bool], account: &[u32]) -> String {
    let of = paired_auc_difference(&a.values, &b.values, outcome, account, CONFIDENCE).expect("sound rows");
    let (low, high) = of.difference.low.zip(of.difference.high).expect("scores that differ");
    let deviation = (high - low) / (2.0 * Z);
    let covariance = 0.5 * (a.variance + b.variance - deviation * deviation);
    let (value, p) = of.difference.value.zip(of.p_value).expect("scores that differ");
    format!(
        r#"{{"a": "{}", "b": "{}", "difference": {value:?}, "low": {low:?}, "high": {high:?}, "p": {p:?}, "covariance": {covariance:?}}}"#,
        a.name, b.name
    )
}
