//! The sections about a score in use: the guides' metrics, value and bias.

use bellwether_evaluate::{
    BiasGap, BiasMeasure, BiasVerdict, Measured, Practice, TargetBias, ValueFindings,
    guide::LeadTimeFindings,
    value::{CapacityValue, Ranking, ValueOptions},
};

use crate::figures::{COSTS, LEAD_TIMES, bias_file, bias_is_drawn};
use crate::guide;
use crate::markdown::{clean, code, escape};
use crate::number::{NO_EVIDENCE, NOTHING, Number, count, p_value, short};
use crate::table::{Align, Cell, Table, shortened};
use crate::words::many;

/// Gaps that stand in a terminal.
const MOST_GAPS: usize = 12;

/// All sections, as Markdown.
pub(crate) fn section(practice: &Practice) -> String {
    let mut parts = vec![asked(practice), lead_times(practice), bands(practice)];
    parts.extend(kinds(practice));
    parts.push(value(&practice.value));
    parts.push(bias(&practice.bias));
    parts.join("\n")
}

/// What the guides ask, as a table for a terminal of 100 columns.
pub(crate) fn guide_text(practice: &Practice) -> String {
    format!("what the guides ask, on test rows\n{}", guide::text(&practice.guide))
}

/// The guides' metrics, value and bias, as tables for a terminal of 100 columns.
pub(crate) fn text(practice: &Practice) -> String {
    let mut parts = vec![guide_text(practice)];
    if !practice.guide.bands.is_empty() {
        parts.push(format!("V-06, each band as a prediction\n{}", guide::bands(&practice.guide.bands).text()));
    }
    parts.push(match &practice.value {
        Measured::Found(found) => {
            format!("contacting {}\n{}\n{}", whom(found), assumed(found), in_short(found).text())
        }
        Measured::Missing(missing) => {
            format!("contacting accounts: {}: {}", guide::NOT_MEASURABLE, clean(missing))
        }
    });
    parts.extend(practice.bias.iter().map(bias_text));
    parts.join("\n\n")
}

fn asked(practice: &Practice) -> String {
    let guide = &practice.guide;
    let caveat = guide.snapshots.found().map_or_else(String::new, |found| {
        format!(
            " Saying that nobody churns is right for {} of the rows: accuracy alone says little where churn is rare, so \
             precision and recall stand beside it.",
            Number::Percent.of(found.accuracy_of_nobody_churns)
        )
    });
    let untreated = match guide.snapshots.found() {
        Some(found) if found.treatment_known => {
            " A row is untreated where no intervention ran within the horizon; who leaves soon has less time to be \
             treated, so untreated rows churn the more."
        }
        Some(_) => " Treatment is not known, so red rows are taken as untreated.",
        None => "",
    };
    format!(
        "## What the guides ask\n\n\
         Each metric of the guides on the test part, with its 95 % interval; the interval decides whether the goal is met, \
         and too few cases decide nothing. A row is an account on a snapshot day, red, yellow or green by the health \
         score.{caveat}{untreated} What the guides call the score's false positives, accounts that churned though green, are missed \
         churns to who predicts churn; its false alarms are red accounts that stayed. Both stand under V-11.\n\n{}",
        guide::table(guide).markdown()
    )
}

fn lead_times(practice: &Practice) -> String {
    let guide = &practice.guide;
    let body = match &guide.lead_times {
        Measured::Missing(missing) => format!("{}: {}.\n", guide::NOT_MEASURABLE, escape(missing)),
        Measured::Found(found) => {
            let days = guide.days_between_scores.map_or_else(String::new, |days| {
                format!(" Scores are up to {days} days apart, so a lead time is known no better than that.")
            });
            let figure = if lead_times_are_drawn(found) {
                format!("![Days from warning to churn]({LEAD_TIMES})\n\n")
            } else {
                String::new()
            };
            format!(
                "Days from a warning to churn, accounts without warning at 0.{days} Where an account's scores begin with \
                 the warning, its lead time is at least what is counted. A warning that many staying accounts have had \
                 too costs attention.\n\n{figure}{}",
                guide::lead_times(found).markdown()
            )
        }
    };
    format!("### Lead time\n\n{body}")
}

/// Whether any account churned.
pub(crate) fn lead_times_are_drawn(found: &LeadTimeFindings) -> bool {
    guide::standing(found).warned.n > 0
}

fn bands(practice: &Practice) -> String {
    let guide = &practice.guide;
    if guide.bands.is_empty() {
        return "### Bands and outcomes\n\nNo outcome is known.\n".to_owned();
    }
    let quarters = if guide.by_quarter.is_empty() {
        String::new()
    } else {
        format!(
            "\nRed for churn and green for expansion by quarter of the row. Weights are to be reviewed where precision or recall declines.\n\n{}",
            guide::quarters(&guide.by_quarter).markdown()
        )
    };
    format!(
        "### Bands and outcomes\n\n\
         Each band taken as the prediction that the outcome comes (V-06): precision is the share of the band with the \
         outcome, recall the share of the outcome in the band.\n\n{}{quarters}",
        guide::bands(&guide.bands).markdown()
    )
}

fn kinds(practice: &Practice) -> Option<String> {
    let guide = &practice.guide;
    guide.interventions.found()?;
    let by_kind = if guide.by_kind.is_empty() {
        "The book names no kinds.\n".to_owned()
    } else {
        guide::kinds(&guide.by_kind).markdown()
    };
    Some(format!(
        "### Interventions\n\n\
         Treated red accounts are compared with {}. Unless who is treated is drawn at random, a difference is no \
         effect: a low score rises by itself, and who is treated was chosen.\n\n{by_kind}",
        escape(&guide.compared_with)
    ))
}

fn value(of: &Measured<ValueFindings>) -> String {
    let body = match of {
        Measured::Missing(missing) => format!("{}: {}.\n", guide::NOT_MEASURABLE, escape(missing)),
        Measured::Found(found) => value_found(found),
    };
    format!("## Value of contacting accounts\n\n{body}")
}

fn value_found(found: &ValueFindings) -> String {
    let costs = &found.costs;
    let figure = if costs.points.is_empty() {
        String::new()
    } else {
        format!("![Cost by share of accounts contacted]({COSTS})\n\n")
    };
    let even = costs.break_even_probability.map_or_else(
        || "Nothing is saved by what is assumed.".to_owned(),
        |p| format!("At the mean revenue a contact pays from a probability of {} on.", Number::Percent.of(p)),
    );
    format!(
        "What would have been kept of {}. It is assumed that {}. These are inputs, not findings: nothing here shows that \
         contacting an account keeps it. Net is what is saved less what contacts cost.\n\n{}\n{figure}\
         The lowest cost an account on these rows is {} where accounts from a probability of {} on are contacted; contacting \
         nobody costs {}, everybody {}. The threshold was chosen on these rows, so its cost is too low. {even}\n",
        whom(found),
        assumed(found),
        capacities(found).markdown(),
        money_estimate(&costs.best_cost),
        Number::Percent.estimate(&costs.best_threshold),
        money(costs.cost_of_none),
        money(costs.cost_of_all),
    )
}

/// The accounts, and their order.
fn whom(found: &ValueFindings) -> String {
    let day = found.day.map_or_else(String::new, |day| format!(" of {day}"));
    let without = if found.n_without_arr > 0 {
        format!(", {} of unknown revenue left out", count(found.n_without_arr))
    } else {
        String::new()
    };
    let by = match found.assumed.ranking {
        Ranking::Probability => "probability",
        Ranking::ArrAtRisk => "revenue at risk",
    };
    format!("{}{day} ranked by {by}{without}", many(found.report.n, "account"))
}

fn assumed(found: &ValueFindings) -> String {
    let ValueOptions { contact_cost, success_rate, years_lost, .. } = found.assumed;
    let lost = if years_lost == 1.0 { "a year".to_owned() } else { format!("{} years", short(years_lost)) };
    format!(
        "a contact costs {} and keeps {} of churners; with an account {lost} of its revenue is lost",
        short(contact_cost),
        Number::Percent.of(success_rate),
    )
}

fn capacities(found: &ValueFindings) -> Table {
    let mut table = Table::new(&[
        ("contacted", Align::Right),
        ("churned", Align::Right),
        ("of lost revenue [95 %]", Align::Right),
        ("saved [95 %]", Align::Right),
        ("net [95 %]", Align::Right),
        ("at random", Align::Right),
    ]);
    for CapacityValue { n_contacted, n_churned, arr_recall, saved, net, net_at_random, .. } in &found.report.at_capacity
    {
        table.row([
            Cell::count(*n_contacted),
            Cell::count(*n_churned),
            Number::Percent.estimate(arr_recall).into(),
            money_estimate(saved).into(),
            money_estimate(net).into(),
            money(*net_at_random).into(),
        ]);
    }
    table
}

/// As much of it as a terminal holds.
fn in_short(found: &ValueFindings) -> Table {
    let mut table = Table::new(&[
        ("contacted", Align::Right),
        ("churned", Align::Right),
        ("of lost revenue [95 %]", Align::Right),
        ("net [95 %]", Align::Right),
        ("at random", Align::Right),
    ]);
    for CapacityValue { n_contacted, n_churned, arr_recall, net, net_at_random, .. } in &found.report.at_capacity {
        table.row([
            Cell::count(*n_contacted),
            Cell::count(*n_churned),
            Number::Percent.estimate(arr_recall).into(),
            money_estimate(net).into(),
            money(*net_at_random).into(),
        ]);
    }
    table
}

/// Whole units with thousands apart.
pub(crate) fn money(x: f64) -> String {
    if !x.is_finite() {
        return crate::number::UNDEFINED.to_owned();
    }
    let digits = count(x.abs().round() as usize);
    if x <= -0.5 { format!("-{digits}") } else { digits }
}

fn money_estimate(estimate: &bellwether_evaluate::Estimate) -> String {
    match (estimate.value, estimate.low.zip(estimate.high)) {
        (None, _) => crate::number::UNDEFINED.to_owned(),
        (Some(value), None) => format!("{} [{NOTHING}]", money(value)),
        (Some(value), Some((low, high))) => format!("{} [{}, {}]", money(value), money(low), money(high)),
    }
}

fn bias(of_targets: &[TargetBias]) -> String {
    let parts: Vec<String> = of_targets.iter().map(bias_of).collect();
    let body =
        if parts.iter().all(String::is_empty) { "No segments are declared.\n".to_owned() } else { parts.join("\n") };
    format!("## Bias by segment\n\n{body}")
}

fn bias_of(of: &TargetBias) -> String {
    if of.gaps.is_empty() {
        return String::new();
    }
    let figure = if bias_is_drawn(of) {
        format!("![Gaps between segments and the rest, {}]({})\n\n", of.target, bias_file(of))
    } else {
        String::new()
    };
    format!(
        "### {}\n\n\
         Each level of a segment against all other rows; {} count as flagged. {} A gap is an alarm only where it is \
         still there after Holm's correction for all gaps tested; intervals are each for itself.\n\n{figure}{}",
        code(&of.target.to_string()),
        escape(&of.flagged),
        counted(&of.gaps),
        gaps(&of.gaps, gaps_in_full).markdown(),
    )
}

fn bias_text(of: &TargetBias) -> String {
    let mut alarms: Vec<BiasGap> = of.gaps.iter().filter(|gap| gap.verdict == BiasVerdict::Alarm).cloned().collect();
    let head = format!("bias by segment, {}: {}", of.target, counted(&of.gaps));
    if alarms.is_empty() {
        return head;
    }
    alarms.truncate(MOST_GAPS);
    format!("{head}\n{}", gaps(&alarms, gaps_in_short).text())
}

/// How many gaps were tested and what came of them.
fn counted(gaps: &[BiasGap]) -> String {
    let n = |verdict: BiasVerdict| gaps.iter().filter(|gap| gap.verdict == verdict).count();
    let untested = n(BiasVerdict::NotEnoughEvidence);
    let tested = gaps.len() - untested;
    format!(
        "{} of {} tested; {NO_EVIDENCE} for {} more.",
        many(n(BiasVerdict::Alarm), "alarm"),
        many(tested, "gap"),
        count(untested)
    )
}

type Columns = (&'static [(&'static str, Align)], fn(&BiasGap) -> Vec<Cell>);

fn gaps(gaps: &[BiasGap], columns: fn() -> Columns) -> Table {
    let (names, cells) = columns();
    let mut table = Table::new(names);
    for gap in gaps {
        table.row(cells(gap));
    }
    table
}

fn gaps_in_full() -> Columns {
    const NAMES: &[(&str, Align)] = &[
        ("segment", Align::Left),
        ("level", Align::Left),
        ("measure", Align::Left),
        ("rows", Align::Right),
        ("level's", Align::Right),
        ("rest's", Align::Right),
        ("difference [95 %]", Align::Right),
        ("p, corrected", Align::Right),
        ("verdict", Align::Left),
    ];
    (NAMES, |gap| {
        let number = number(gap.measure);
        vec![
            Cell::name(&gap.dimension),
            Cell::name(&gap.level),
            Cell::from(measure(gap.measure)),
            Cell::count(gap.n),
            Cell::number(number, gap.of_level),
            Cell::number(number, gap.of_rest),
            number.evidence(gap.p_value.is_some(), &gap.difference).into(),
            gap.p_holm.map_or_else(|| NOTHING.to_owned(), |p| p_value(Some(p))).into(),
            verdict(gap.verdict).into(),
        ]
    })
}

fn gaps_in_short() -> Columns {
    const NAMES: &[(&str, Align)] = &[
        ("segment", Align::Left),
        ("level", Align::Left),
        ("measure", Align::Left),
        ("rows", Align::Right),
        ("difference [95 %]", Align::Right),
        ("p, corrected", Align::Right),
    ];
    (NAMES, |gap| {
        vec![
            Cell::Own(shortened(&clean(&gap.dimension), 12)),
            Cell::Own(shortened(&clean(&gap.level), 16)),
            Cell::from(measure(gap.measure)),
            Cell::count(gap.n),
            number(gap.measure).estimate(&gap.difference).into(),
            p_value(gap.p_holm).into(),
        ]
    })
}

pub(crate) const fn measure(measure: BiasMeasure) -> &'static str {
    match measure {
        BiasMeasure::RocAuc => "ROC AUC",
        BiasMeasure::Calibration => "observed - predicted",
        BiasMeasure::FalsePositiveRate => "false alarms",
        BiasMeasure::FalseNegativeRate => "missed",
    }
}

const fn number(measure: BiasMeasure) -> Number {
    match measure {
        BiasMeasure::RocAuc => Number::Fixed(3),
        _ => Number::Percent,
    }
}

const fn verdict(verdict: BiasVerdict) -> &'static str {
    match verdict {
        BiasVerdict::Alarm => "alarm",
        BiasVerdict::NoAlarm => "no gap shown",
        BiasVerdict::NotEnoughEvidence => NO_EVIDENCE,
    }
}
