//! What a logistic model weighs, and how sure that is.

use serde::Serialize;

use crate::number::{NOTHING, Number, short};
use crate::table::{Align, Cell, Table};
use crate::tables::LOSS;

/// A logistic model on standardised columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoefficientReport {
    /// 1 / the penalty's strength.
    pub c: f64,
    /// The L1 share of the penalty, in `0.0..=1.0`.
    pub l1_ratio: f64,
    /// `c` that were compared, with the mean log loss on later training rows; empty where it was given, or there were too
    /// few rows to choose by.
    pub tried: Vec<(f64, f64)>,
    /// Whether it was given.
    pub is_given: bool,
    /// Days after which a row counts half; `None` where all count alike.
    pub recency_half_life_days: Option<f64>,
    /// Whether the least loss was reached.
    pub converged: bool,
    /// The log odds of a row whose features are all average.
    pub intercept: f64,
    /// One a feature that varies, and one where some of its values are missing; in the schema's order.
    pub coefficients: Vec<Coefficient>,
}

/// What one feature adds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coefficient {
    /// The feature.
    pub feature: String,
    /// Whether it is of the value's being missing, not of the value.
    pub is_missing: bool,
    /// Standard deviation of the known values, in the feature's unit; 1 of what is missing.
    pub deviation: f64,
    /// What one standard deviation more adds to the log odds.
    pub coefficient: f64,
    /// In the same unit, rows of an account as one observation; `None` where it is not defined.
    pub standard_error: Option<f64>,
    /// What one standard deviation more multiplies the odds with.
    pub odds_ratio: f64,
    /// The 95 % interval of `coefficient`; `None` where it has no standard error.
    pub interval: Option<(f64, f64)>,
}

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

impl Coefficient {
    /// Of `feature`, with its interval and odds ratio.
    pub fn new(
        feature: String,
        is_missing: bool,
        deviation: f64,
        coefficient: f64,
        standard_error: Option<f64>,
    ) -> Self {
        let interval = standard_error.map(|error| (coefficient - Z * error, coefficient + Z * error));
        let odds_ratio = coefficient.exp();
        Self { feature, is_missing, deviation, coefficient, standard_error, odds_ratio, interval }
    }
}

/// The section of one target.
pub(crate) fn section(report: &CoefficientReport) -> String {
    let mut sorted: Vec<&Coefficient> = report.coefficients.iter().collect();
    sorted.sort_by(|a, b| b.coefficient.abs().total_cmp(&a.coefficient.abs()));
    let mut table = Table::new(&[
        ("feature", Align::Left),
        ("of", Align::Left),
        ("standard deviation", Align::Right),
        ("coefficient", Align::Right),
        ("standard error", Align::Right),
        ("95 % interval", Align::Right),
        ("odds ratio [95 %]", Align::Right),
    ]);
    let three = Number::Fixed(3);
    for of in sorted {
        let between = |scale: fn(f64) -> f64| {
            of.interval.map(|(low, high)| format!("{}, {}", three.of(scale(low)), three.of(scale(high))))
        };
        let odds = between(f64::exp).unwrap_or_else(|| NOTHING.to_owned());
        let deviation = if of.is_missing { NOTHING.to_owned() } else { short(of.deviation) };
        table.row([
            Cell::name(&of.feature),
            if of.is_missing { "being missing" } else { "value" }.into(),
            deviation.into(),
            Cell::number(Number::Signed(3), Some(of.coefficient)),
            of.standard_error.map_or_else(|| NOTHING.to_owned(), |error| three.of(error)).into(),
            between(|x| x).unwrap_or_else(|| NOTHING.to_owned()).into(),
            format!("{} [{odds}]", three.of(of.odds_ratio)).into(),
        ]);
    }
    format!(
        "### Coefficients of `logistic`\n\n\
         Whether or not it was chosen. A coefficient is what one standard deviation more of the feature adds to the log \
         odds while the others stay, its odds ratio what that multiplies the odds with; of a feature that is missing, \
         against one at its average. {} {}\n\n{}\n{}",
        penalty(report),
        certainty(report),
        table.markdown(),
        tried(report),
    )
}

fn penalty(report: &CoefficientReport) -> String {
    let CoefficientReport { c, l1_ratio, .. } = *report;
    let kind = match l1_ratio {
        0.0 => "an L2 penalty".to_owned(),
        1.0 => "an L1 penalty".to_owned(),
        ratio => format!("an elastic-net penalty with an L1 share of {}", short(ratio)),
    };
    let how = match (report.is_given, report.tried.is_empty()) {
        (true, _) => "given in book.toml",
        (false, false) => "chosen by the log loss on later training rows",
        (false, true) => "the usual one, as there are too few rows to choose by",
    };
    let recency = report.recency_half_life_days.map_or_else(String::new, |days| {
        format!(" A training row {} days before the last one counts half.", short(days))
    });
    format!("They are held down by {kind}, C = {} ({how}), and so drawn towards 0.{recency}", short(c))
}

fn certainty(report: &CoefficientReport) -> &'static str {
    if !report.converged {
        return "**The fit did not reach its least loss: rows may be separable, and no coefficient is to be read.**";
    }
    if report.l1_ratio > 0.0 {
        return "With an L1 penalty there are no standard errors: a coefficient that is 0 was held there.";
    }
    "Standard errors take the rows of an account as one observation. They and the intervals say how far the penalised \
     estimate would move on other accounts: not where one without penalty lies, nor do they allow for the choice of the \
     penalty, or for looking at many features at once. Features that say the same share their weight, so a coefficient \
     near 0 is no proof that a feature does not matter, and none of them says what is the cause."
}

fn tried(report: &CoefficientReport) -> String {
    if report.tried.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[("C", Align::Right), ("log loss on later training rows", Align::Right)]);
    for &(c, loss) in &report.tried {
        let mark = if c == report.c { " (chosen)" } else { "" };
        table.row([format!("{}{mark}", short(c)).into(), Cell::number(LOSS, Some(loss))]);
    }
    table.markdown()
}
