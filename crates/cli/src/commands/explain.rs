//! `bellwether explain`

use std::fmt::Write as _;

use bellwether_core::{Band, Date, FeatureMatrix, RawTable, RowStatus, Target};
use bellwether_score::IndicatorValue;
use serde::Serialize;

use crate::args::Explain;
use crate::failure::Failure;
use crate::output::{print_json, print_text};
use crate::pipeline::actions::{AccountActions, Action};
use crate::pipeline::explained::{Explained, named};
use crate::pipeline::opened::{Opened, encode};
use crate::progress::{Bars, say};

/// Cells of the longest bar.
const BAR: f64 = 24.0;

/// One account, for scripts.
#[derive(Serialize)]
struct Explanation {
    account_id: String,
    as_of: Date,
    model: String,
    digest: String,
    status: &'static str,
    coverage: f64,
    health: Option<Health>,
    /// Nothing for an account that is green or has no health score, or where nothing can be done about any indicator.
    actions: Option<Actions>,
    targets: Vec<OfTarget>,
}

/// What brings the account to green.
#[derive(Serialize)]
struct Actions {
    /// At most two; none where no two are enough.
    indicators: Vec<ActionOf>,
    /// The health score with them.
    score: Option<f64>,
    text: String,
}

#[derive(Serialize)]
struct ActionOf {
    indicator: String,
    from: serde_json::Value,
    to: serde_json::Value,
}

#[derive(Serialize)]
struct Health {
    score: f64,
    band: &'static str,
    indicators: Vec<HealthPart>,
    veto: Option<Veto>,
}

#[derive(Serialize)]
struct HealthPart {
    indicator: String,
    value: serde_json::Value,
    gives: f64,
    costs: f64,
    text: String,
}

#[derive(Serialize)]
struct Veto {
    name: String,
    costs: f64,
}

#[derive(Serialize)]
struct OfTarget {
    target: Target,
    probability: f64,
    /// Of the expected sum, which points are counted from.
    base: f64,
    reasons: Vec<OfReason>,
    /// What all other indicators add, in points.
    others: f64,
}

#[derive(Serialize)]
struct OfReason {
    indicator: String,
    value: serde_json::Value,
    contribution: f64,
    points: f64,
    direction: &'static str,
    text: String,
}

pub(crate) fn run(arguments: &Explain) -> Result<(), Failure> {
    let bars = Bars::default();
    let opened = Opened::open(&arguments.book, &arguments.model, &bars)?;
    let explained = Explained::of(&opened, arguments.interventional)?;
    say(&format!("reading {} as of {}", arguments.book.display(), arguments.as_of));
    let table = opened.book.as_of(arguments.as_of, &bars)?;
    let row = row_of(&table.keys, &arguments.account, arguments.as_of)?;
    let raw = table.raw.select(&[row]);
    let explanation = explain(&opened, &explained, &raw, table.status[row], arguments)?;
    if arguments.json { print_json(&explanation) } else { print_text(&explanation.text()) }
}

/// The row of an account, or a refusal that says so.
pub(crate) fn row_of(keys: &[bellwether_core::RowKey], account: &str, as_of: Date) -> Result<usize, Failure> {
    keys.iter().position(|key| key.account.0 == account).ok_or_else(|| {
        let message = format!("there is no account `{account}` in the book as of {as_of}");
        Failure::refused(message, "see the account_id column of what `score` writes, and the day")
    })
}

fn explain(
    opened: &Opened,
    explained: &Explained,
    raw: &RawTable,
    of_book: RowStatus,
    arguments: &Explain,
) -> Result<Explanation, Failure> {
    let x = &encode(&opened.bundle, raw)?;
    let scores = opened.scorer.score(x)?;
    let status = if of_book == RowStatus::Scored { scores.status[0] } else { of_book };
    let has_health = status == RowStatus::Scored;
    let health = scores.health_score[0].zip(scores.band[0]).filter(|_| has_health);
    let mut targets = Vec::new();
    for of in explained.targets.iter().filter(|_| status.has_probabilities()) {
        let contributions = of.contributions(x)?;
        if contributions.sum(0).is_nan() {
            continue;
        }
        let all = of.reasons(x, &scores.logit[&of.target], &explained.indicators, explained.indicators.len())?;
        let (shown, others) = all.row(0).split_at(all.row(0).len().min(arguments.top));
        let reason = |reason: &bellwether_score::Reason| {
            let value = explained.value(reason.indicator, x, 0);
            OfReason {
                indicator: explained.indicators.name(reason.indicator).to_owned(),
                value: json(value),
                contribution: reason.contribution,
                points: reason.points,
                direction: if reason.contribution > 0.0 { "raises" } else { "lowers" },
                text: explained.wordings[reason.indicator].reason(reason, value, of.target.outcome),
            }
        };
        targets.push(OfTarget {
            target: of.target,
            probability: of.probability(contributions.sum(0)),
            base: all.base,
            reasons: shown.iter().map(reason).collect(),
            others: others.iter().map(|of| of.points).sum(),
        });
    }
    Ok(Explanation {
        account_id: arguments.account.clone(),
        as_of: arguments.as_of,
        model: opened.bundle.name().to_owned(),
        digest: opened.bundle.digest().to_string(),
        status: status.name(),
        coverage: scores.coverage[0],
        actions: match health {
            Some((score, band)) if band != Band::Green => actions(opened, explained, raw, x, score)?,
            _ => None,
        },
        health: health.map(|(score, band)| self::health(explained, x, score, band)),
        targets,
    })
}

/// Of an account that has a health score and is not green.
fn actions(
    opened: &Opened,
    explained: &Explained,
    raw: &RawTable,
    x: &FeatureMatrix,
    score: f64,
) -> Result<Option<Actions>, Failure> {
    let actions = match AccountActions::of(&opened.bundle, opened.book.file()) {
        Ok(actions) => actions,
        Err(failure) => return failure.of_input().map(|_| None),
    };
    let Some(to_green) = actions.to_green(raw, x, &[RowStatus::Scored])?.pop().flatten() else {
        let text = "no two indicators that somebody can do something about bring it to green".to_owned();
        return Ok(Some(Actions { indicators: Vec::new(), score: None, text }));
    };
    let says = |of: &Action| {
        let [from, to] = actions.values(&to_green, of, x, 0);
        explained.wordings[of.indicator].action(from, to)
    };
    let says: Vec<String> = to_green.actions.iter().map(says).collect();
    let text = format!(
        "bring {} (what the best tenth of its cohort has): health {score:.1} -> {:.1}; an effect on the score, not a promise",
        says.join(" and "),
        to_green.score
    );
    let indicator =
        |of: &Action| ActionOf { indicator: actions.name(of).to_owned(), from: of.from.into(), to: of.to.into() };
    let indicators = to_green.actions.iter().map(indicator).collect();
    Ok(Some(Actions { indicators, score: Some(to_green.score), text }))
}

fn health(explained: &Explained, x: &FeatureMatrix, score: f64, band: Band) -> Health {
    let found = explained.health(x, 0);
    let mut shares = found.shares;
    shares.sort_by(|a, b| b.costs.total_cmp(&a.costs).then(a.feature.cmp(&b.feature)));
    let part = |share: &bellwether_score::HealthShare| {
        let indicator = explained.indicators.of_columns()[share.feature];
        let value = explained.value(indicator, x, 0);
        HealthPart {
            indicator: explained.indicators.name(indicator).to_owned(),
            value: json(value),
            gives: share.gives,
            costs: share.costs,
            text: explained.wordings[indicator].health(share, value),
        }
    };
    let veto = |(veto, costs): (usize, f64)| Veto { name: explained.veto_name(veto).to_owned(), costs };
    Health { score, band: band.name(), indicators: shares.iter().map(part).collect(), veto: found.veto.map(veto) }
}

pub(crate) fn json(value: IndicatorValue<'_>) -> serde_json::Value {
    match value {
        IndicatorValue::Missing => serde_json::Value::Null,
        IndicatorValue::Number(x) | IndicatorValue::Percentile(x) => x.into(),
        IndicatorValue::Level { name, .. } => name.into(),
        IndicatorValue::OtherLevel => "(other)".into(),
    }
}

impl Explanation {
    fn text(&self) -> String {
        let Self { account_id, as_of, model, status, coverage, .. } = self;
        let mut text = format!("{account_id} as of {as_of}, by {model}: {status}, {:.0} % known\n", 100.0 * coverage);
        if let Some(health) = &self.health {
            let _ = writeln!(text, "\nhealth {:.1} ({}); points that each indicator costs", health.score, health.band);
            let largest = health.indicators.iter().map(|of| of.costs).fold(0.0, f64::max);
            for of in &health.indicators {
                text.push_str(&line(-of.costs, largest, &of.text));
            }
            if let Some(veto) = &health.veto {
                text.push_str(&line(-veto.costs, largest, &format!("veto: {}", veto.name)));
            }
        }
        if let Some(actions) = &self.actions {
            let _ = writeln!(text, "\nto green: {}", actions.text);
        }
        for of in &self.targets {
            let (p, base) = (100.0 * of.probability, 100.0 * of.base);
            let _ = writeln!(
                text,
                "\n{}: {p:.1} %, where {base:.1} % is expected; points of each reason",
                named(of.target)
            );
            let largest = of.reasons.iter().map(|of| of.points.abs()).fold(0.0, f64::max);
            for of in &of.reasons {
                text.push_str(&line(of.points, largest, &of.text));
            }
            text.push_str(&line(of.others, largest, "all others together"));
        }
        text.push_str("\nReasons say what the score is made of, not what would change the account.");
        text
    }
}

/// A number, its bar, and what it is.
pub(crate) fn line(points: f64, largest: f64, text: &str) -> String {
    let share = if largest > 0.0 { (points.abs() / largest).min(1.0) } else { 0.0 };
    // Adding 0 leaves no -0.0.
    let points = points + 0.0;
    let bar = "█".repeat((share * BAR).round() as usize);
    format!("  {points:+7.1}  {bar:<width$}  {text}\n", width = BAR as usize)
}
