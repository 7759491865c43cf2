//! What the numbers mean, in plain words.

use bellwether_evaluate::{AtK, CohortMetrics, Estimate, Metrics};

use crate::markdown::{bullets, code};
use crate::number::{Number, count, p_value};
use crate::tables::{AUC, SLOPE, share};
use crate::training::TargetReport;
use crate::words::{did, list, many, the_top};

/// The learner that every other one must beat (requirements.md V-14).
const BASELINE: &str = "scorecard";
/// How much of the book people look at first.
const FIRST_SHARE: f64 = 0.1;
/// Cohorts named in a sentence; the table has all.
const MOST_NAMED: usize = 6;

/// A list of Markdown, one line a statement.
pub(crate) fn of_target(report: &TargetReport) -> String {
    let all = &report.evaluation.overall;
    let mut statements = vec![("Ranking", ranking(report, all))];
    if all.enough_evidence {
        statements.extend(first(&all.at_k).map(|at| ("Reach", reach(report, at))));
        statements.push(("Probabilities", probabilities(all)));
    }
    statements.push(("Against the baseline", baseline(report)));
    statements.extend(cohorts(report).map(|text| ("Segments", text)));
    bullets(statements.iter().map(|(about, text)| format!("**{about}.** {text}")))
}

fn ranking(report: &TargetReport, all: &Metrics) -> String {
    let did = did(report.target);
    let rows = format!(
        "{} of {}; in {} ({}) the account {did}",
        many(all.n, "row"),
        many(all.n_accounts, "account"),
        many(all.n_events, "row"),
        Number::Percent.estimate(&all.base_rate),
    );
    if !all.enough_evidence {
        return format!("There is not enough evidence to judge the model: the test part has {rows}.");
    }
    let verdict = match (all.roc_auc.low, all.roc_auc.high) {
        (Some(low), _) if low > 0.5 => "better than chance",
        (_, Some(high)) if high < 0.5 => "worse than chance: do not use this model",
        (Some(_), Some(_)) => "not shown to be better than chance",
        _ => "without an interval",
    };
    let auc = AUC.estimate(&all.roc_auc);
    format!("ROC AUC is {auc}, {verdict} (0.5 is chance, 1 is perfect). The test part has {rows}.")
}

/// The cut nearest to the share that people look at first.
fn first(at_k: &[AtK]) -> Option<&AtK> {
    let distance = |at: &AtK| (at.share - FIRST_SHARE).abs();
    at_k.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

fn reach(report: &TargetReport, at: &AtK) -> String {
    let (top, did) = (the_top(report.target), did(report.target));
    let (recall, lift) = (Number::Percent.estimate(&at.recall), Number::Times.estimate(&at.lift));
    let precision = Number::Percent.estimate(&at.precision);
    let (share, rows) = (share(at.share), many(at.k, "row"));
    format!(
        "The {top} {share} ({rows}) hold {recall} of all rows that {did}, {lift} as many as a random pick. \
         Of these {rows}, {precision} {did}."
    )
}

fn probabilities(all: &Metrics) -> String {
    let (slope, intercept) = (&all.calibration_slope, &all.calibration_intercept);
    let found: Vec<String> = [
        (side(slope, 1.0), ["too extreme", "too timid"]),
        (side(intercept, 0.0), ["too high on average", "too low on average"]),
    ]
    .into_iter()
    .filter_map(|(side, [below, above])| match side {
        Side::Below => Some(below.to_owned()),
        Side::Above => Some(above.to_owned()),
        Side::Around | Side::Unknown => None,
    })
    .collect();
    let is_unknown = [side(slope, 1.0), side(intercept, 0.0)].contains(&Side::Unknown);
    let verdict = match (found.is_empty(), is_unknown) {
        (false, _) => format!("They are {}", list(&found)),
        (true, true) => "How well they are calibrated cannot be said in full".to_owned(),
        (true, false) => "They agree with what happened, as far as these rows can show".to_owned(),
    };
    format!(
        "{verdict}: calibration slope {} (1 is ideal), intercept {} (0 is ideal), mean gap {}.",
        SLOPE.estimate(slope),
        SLOPE.estimate(intercept),
        Number::Percent.estimate(&all.ece),
    )
}

/// Where an interval lies against a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Around,
    Above,
    Unknown,
}

fn side(estimate: &Estimate, of: f64) -> Side {
    match estimate.low.zip(estimate.high) {
        None => Side::Unknown,
        Some((_, high)) if high < of => Side::Below,
        Some((low, _)) if low > of => Side::Above,
        Some(_) => Side::Around,
    }
}

fn baseline(report: &TargetReport) -> String {
    let chosen = code(&report.chosen);
    if report.chosen == BASELINE {
        return format!("The chosen learner is the baseline, {chosen}: no other was better on the calibration part.");
    }
    let row = report.learners.iter().find(|row| row.learner == BASELINE);
    let Some(of) = row.and_then(|row| row.difference) else {
        return format!("The baseline, `{BASELINE}`, was not tried: whether {chosen} is better cannot be said.");
    };
    let minus = |x: Option<f64>| x.map(|x| -x);
    let difference = &of.difference;
    let gain = Estimate { value: minus(difference.value), low: minus(difference.high), high: minus(difference.low) };
    let verdict = match side(&gain, 0.0) {
        Side::Above => "better than",
        Side::Around => "no better than",
        Side::Below => "worse than",
        Side::Unknown => {
            return format!("Whether {chosen} is better than `{BASELINE}` cannot be said: not enough evidence.");
        }
    };
    format!(
        "{chosen} is {verdict} `{BASELINE}`: AUC {} on the same test rows (p {}).",
        Number::Signed(3).estimate(&gain),
        p_value(of.p_value),
    )
}

/// `None` where there are no cohorts.
fn cohorts(report: &TargetReport) -> Option<String> {
    let cohorts = &report.evaluation.cohorts;
    let is_silent = |of: &&CohortMetrics| !of.metrics.enough_evidence || of.metrics.roc_auc.value.is_none();
    let silent: Vec<&CohortMetrics> = cohorts.iter().filter(is_silent).collect();
    let n = cohorts.len();
    let evidence = match silent.len() {
        _ if n == 0 => return None,
        0 if n == 1 => "The only segment has enough evidence.".to_owned(),
        0 => format!("All {} have enough evidence.", many(n, "segment")),
        n_silent => {
            let named =
                named(&silent, |of| format!("{} of {}", many(of.metrics.n_events, "event"), many(of.metrics.n, "row")));
            format!("Not enough evidence for {} of {}: {named}.", count(n_silent), many(n, "segment"))
        }
    };
    let overall = report.evaluation.overall.roc_auc.value;
    let is_weak = |of: &&CohortMetrics| of.metrics.roc_auc.high.zip(overall).is_some_and(|(high, all)| high < all);
    let weak: Vec<&CohortMetrics> = cohorts.iter().filter(|of| !is_silent(of)).filter(is_weak).collect();
    if weak.is_empty() {
        return Some(evidence);
    }
    let named = named(&weak, |of| format!("AUC {}", AUC.estimate(&of.metrics.roc_auc)));
    Some(format!(
        "{evidence} Ranked less well than all rows together (interval below {}): {named}.",
        AUC.or_undefined(overall)
    ))
}

fn named(cohorts: &[&CohortMetrics], about: impl Fn(&CohortMetrics) -> String) -> String {
    let name = |of: &&CohortMetrics| format!("{} = {} ({})", code(&of.dimension), code(&of.level), about(of));
    let mut names: Vec<String> = cohorts.iter().take(MOST_NAMED).map(name).collect();
    if cohorts.len() > MOST_NAMED {
        names.push(format!("{} more", count(cohorts.len() - MOST_NAMED)));
    }
    list(&names)
}
