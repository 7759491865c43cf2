//! What the guides ask of a score, what was seen, and the verdict.

use bellwether_core::Band;
use bellwether_evaluate::guide::{
    BandOutcome, Denominator, Finding, Goal, GuideId, InterventionFindings, LeadTime, LeadTimeFindings, Reading,
    SnapshotFindings, Unit, Verdict, Warning,
};
use bellwether_evaluate::{GuideFindings, Measured};

use crate::number::{NO_EVIDENCE, NOTHING, Number, short};
use crate::table::{Align, Cell, Table};

/// What stands where the book says too little for a metric.
pub(crate) const NOT_MEASURABLE: &str = "not measurable";

/// The warning whose lead times are held against the guides' goal: it stood until the account churned.
pub(crate) const WARNING: Warning = Warning::StandingNotGreen;

/// One metric of the guides.
pub(crate) struct Line<'a> {
    id: GuideId,
    /// At most 33 characters.
    what: &'static str,
    of: Measured<&'a Finding>,
}

/// The metrics in the order of their ids.
pub(crate) fn lines(guide: &GuideFindings) -> Vec<Line<'_>> {
    let mut lines = of_snapshots(guide);
    lines.extend(of_lead_times(guide));
    lines.extend(of_interventions(guide));
    lines.extend(of_renewals(guide));
    let uses = ["interactions that looked at score", "interactions led by the score", "days of response to red"];
    lines.extend(uses.into_iter().enumerate().map(|(at, what)| Line {
        id: GuideId::V10,
        what,
        of: measured(&guide.score_use, |found| &found[at]),
    }));
    lines.sort_by_key(|line| line.id);
    lines
}

fn measured<'a, T>(of: &'a Measured<T>, pick: impl FnOnce(&'a T) -> &'a Finding) -> Measured<&'a Finding> {
    match of {
        Measured::Found(found) => Measured::Found(pick(found)),
        Measured::Missing(what) => Measured::Missing(what.clone()),
    }
}

/// A metric, what it is in words, and where its finding stands.
type Pick<T> = (GuideId, &'static str, fn(&T) -> &Finding);

fn picked<T, const N: usize>(of: &Measured<T>, picks: [Pick<T>; N]) -> Vec<Line<'_>> {
    picks.into_iter().map(|(id, what, pick)| Line { id, what, of: measured(of, pick) }).collect()
}

fn of_snapshots(guide: &GuideFindings) -> Vec<Line<'_>> {
    let picks: [Pick<SnapshotFindings>; 6] = [
        (GuideId::V01, "accuracy: red left, rest stayed", |of| &of.accuracy),
        (GuideId::V01, "gain over 'nobody churns'", |of| &of.accuracy_gain),
        (GuideId::V02, "untreated red that churned", |of| &of.red_precision),
        (GuideId::V07, "red that churned, treated or not", |of| &of.red_churned),
        (GuideId::V11, "churned though green (missed)", |of| &of.churned_green),
        (GuideId::V11, "red and stayed (false alarm)", |of| &of.red_stayed),
    ];
    let mut lines = picked(&guide.snapshots, picks);
    if let Some(red) = guide.bands.iter().find(|of| of.outcome == "churn") {
        let line = |what, finding| Line { id: GuideId::V01, what, of: Measured::Found(finding) };
        lines.push(line("precision of red for churn", &red.precision));
        lines.push(line("recall of red for churn", &red.recall));
    }
    lines
}

fn of_lead_times(guide: &GuideFindings) -> Vec<Line<'_>> {
    let picks: [Pick<LeadTimeFindings>; 6] = [
        (GuideId::V03, "median days, not green to churn", |of| &standing(of).median),
        (GuideId::V03, "churned, warned 14 days before", |of| &standing(of).at_least_14),
        (GuideId::V03, "churned, warned 30 days before", |of| &standing(of).at_least_30),
        (GuideId::V03, "churned, green 48 hours before", |of| green_before(of, 2)),
        (GuideId::V07, "churned, green 90 days before", |of| green_before(of, 90)),
        (GuideId::V07, "churned, green 30 days before", |of| green_before(of, 30)),
    ];
    picked(&guide.lead_times, picks)
}

/// The lead times of the warning that stood.
pub(crate) fn standing(found: &LeadTimeFindings) -> &LeadTime {
    found.by_warning.iter().find(|of| of.warning == WARNING).expect("every warning is measured")
}

fn green_before(found: &LeadTimeFindings, days: i32) -> &Finding {
    let before = found.before.iter().find(|of| of.days == days).expect("these days are measured");
    before.shares.last().expect("each band is measured, green last")
}

fn of_interventions(guide: &GuideFindings) -> Vec<Line<'_>> {
    let picks: [Pick<InterventionFindings>; 5] = [
        (GuideId::V04, "treated red that stayed", |of| &of.success),
        (GuideId::V09, "treated red that turned green", |of| &of.red_to_green),
        (GuideId::V09, "score change of treated red", |of| &of.score_change),
        (GuideId::V09, "score change over untreated red", |of| &of.score_change_over_untreated),
        (GuideId::V09, "staying over untreated red", |of| &of.stayed_over_untreated),
    ];
    let mut lines = picked(&guide.interventions, picks);
    let of = measured(&guide.intervention_return, |found| found);
    lines.push(Line { id: GuideId::V09, what: "revenue kept for each unit spent", of });
    lines
}

fn of_renewals(guide: &GuideFindings) -> Vec<Line<'_>> {
    let of_band = |(at, what): (usize, &'static str)| Line {
        id: GuideId::V05,
        what,
        of: measured(&guide.renewals, |found| &found.by_band[at]),
    };
    let mut lines: Vec<Line<'_>> =
        [(0, "red that renewed"), (1, "yellow that renewed"), (2, "green that renewed")].map(of_band).into();
    lines.push(Line {
        id: GuideId::V08,
        what: "rank correlation with renewal",
        of: measured(&guide.renewals, |found| &found.spearman),
    });
    lines.push(Line {
        id: GuideId::V08,
        what: "correlation with renewal",
        of: measured(&guide.renewals, |found| &found.point_biserial),
    });
    lines
}

const COLUMNS: [(&str, Align); 6] = [
    ("id", Align::Left),
    ("what the guides ask", Align::Left),
    ("seen [95 %]", Align::Right),
    ("of", Align::Right),
    ("goal", Align::Right),
    ("verdict", Align::Left),
];

/// A row a metric, with what is missing for those that cannot be measured.
pub(crate) fn table(guide: &GuideFindings) -> Table {
    let mut table = Table::new(&COLUMNS);
    for Line { id, of, what } in lines(guide) {
        match of {
            Measured::Found(finding) => table.row([
                Cell::from(id.name()),
                Cell::words(&finding.what),
                seen(finding).into(),
                format!("{} {}", crate::number::count(finding.n), cases(finding.denominator)).into(),
                goal(finding).into(),
                verdict_and_reading(finding).into(),
            ]),
            Measured::Missing(missing) => table.row([
                Cell::from(id.name()),
                Cell::from(what),
                NOTHING.into(),
                NOTHING.into(),
                NOTHING.into(),
                Cell::words(&format!("{NOT_MEASURABLE}: {missing}")),
            ]),
        }
    }
    table
}

/// The same, as much of it as a terminal holds; what is missing stands below, once.
pub(crate) fn text(guide: &GuideFindings) -> String {
    let mut table = Table::new(&COLUMNS);
    let mut missing: Vec<(String, Vec<&'static str>)> = Vec::new();
    for Line { id, of, what } in lines(guide) {
        match of {
            Measured::Found(finding) => table.row([
                Cell::from(id.name()),
                Cell::from(what),
                seen(finding).into(),
                Cell::count(finding.n),
                goal(finding).into(),
                verdict(finding.verdict).into(),
            ]),
            Measured::Missing(why) => match missing.iter_mut().find(|(known, _)| *known == why) {
                Some((_, ids)) if ids.contains(&id.name()) => {}
                Some((_, ids)) => ids.push(id.name()),
                None => missing.push((why, vec![id.name()])),
            },
        }
    }
    let line = |(why, ids): &(String, Vec<&str>)| {
        format!("{}: {NOT_MEASURABLE}: {}", ids.join(", "), crate::markdown::clean(why))
    };
    [table.text()].into_iter().chain(missing.iter().map(line)).collect::<Vec<_>>().join("\n")
}

/// V-06.
pub(crate) fn bands(bands: &[BandOutcome]) -> Table {
    let mut table = Table::new(&[
        ("outcome", Align::Left),
        ("band", Align::Left),
        ("rows", Align::Right),
        ("events", Align::Right),
        ("precision [95 %]", Align::Right),
        ("recall [95 %]", Align::Right),
    ]);
    for of in bands {
        table.row([
            Cell::words(&of.outcome),
            Cell::from(of.band.name()),
            Cell::count(of.n),
            Cell::count(of.n_events),
            seen(&of.precision).into(),
            seen(&of.recall).into(),
        ]);
    }
    table
}

/// V-06 over quarters: red for churn and green for expansion.
pub(crate) fn quarters(by_quarter: &[(String, Vec<BandOutcome>)]) -> Table {
    let mut table = Table::new(&[
        ("quarter", Align::Left),
        ("outcome", Align::Left),
        ("band", Align::Left),
        ("rows", Align::Right),
        ("precision [95 %]", Align::Right),
        ("recall [95 %]", Align::Right),
    ]);
    for (quarter, bands) in by_quarter {
        let is_said = |of: &&BandOutcome| {
            [("churn", Band::Red), ("expansion", Band::Green)].contains(&(of.outcome.as_str(), of.band))
        };
        for of in bands.iter().filter(is_said) {
            table.row([
                Cell::words(quarter),
                Cell::words(&of.outcome),
                Cell::from(of.band.name()),
                Cell::count(of.n),
                seen(&of.precision).into(),
                seen(&of.recall).into(),
            ]);
        }
    }
    table
}

/// V-03 in full, a row a warning.
pub(crate) fn lead_times(found: &LeadTimeFindings) -> Table {
    let mut table = Table::new(&[
        ("warning", Align::Left),
        ("churned with it [95 %]", Align::Right),
        ("days: 10 %", Align::Right),
        ("median [95 %]", Align::Right),
        ("90 %", Align::Right),
        ("14 days or more [95 %]", Align::Right),
        ("30 days or more [95 %]", Align::Right),
        ("longer than is known", Align::Right),
        ("stayed with it [95 %]", Align::Right),
    ]);
    for of in &found.by_warning {
        let quantile = |share: f64| of.quantiles.iter().find(|(at, _)| *at == share).map(|(_, days)| *days);
        table.row([
            Cell::from(warning(of.warning)),
            seen(&of.warned).into(),
            Cell::number(Number::Fixed(0), quantile(0.1)),
            seen(&of.median).into(),
            Cell::number(Number::Fixed(0), quantile(0.9)),
            seen(&of.at_least_14).into(),
            seen(&of.at_least_30).into(),
            Cell::count(of.n_censored),
            seen(&of.stayed_and_warned).into(),
        ]);
    }
    table
}

/// V-09 by kind of intervention.
pub(crate) fn kinds(by_kind: &[(String, InterventionFindings)]) -> Table {
    let mut table = Table::new(&[
        ("intervention", Align::Left),
        ("treated red", Align::Right),
        ("stayed [95 %]", Align::Right),
        ("turned green [95 %]", Align::Right),
        ("score change [95 %]", Align::Right),
        ("staying over untreated [95 %]", Align::Right),
    ]);
    for (kind, of) in by_kind {
        table.row([
            Cell::name(kind),
            Cell::count(of.success.n),
            seen(&of.success).into(),
            seen(&of.red_to_green).into(),
            seen(&of.score_change).into(),
            seen(&of.stayed_over_untreated).into(),
        ]);
    }
    table
}

const fn warning(warning: Warning) -> &'static str {
    match warning {
        Warning::FirstNotGreen => "first day not green",
        Warning::FirstRed => "first red day",
        Warning::StandingNotGreen => "not green until it churned",
        Warning::StandingRed => "red until it churned",
    }
}

fn seen(finding: &Finding) -> String {
    number(finding.unit).estimate(&finding.estimate)
}

const fn number(unit: Unit) -> Number {
    match unit {
        Unit::Share | Unit::ShareDifference => Number::Percent,
        Unit::Days => Number::Fixed(0),
        Unit::Correlation => Number::Fixed(2),
        Unit::Points => Number::Signed(1),
        Unit::AucDifference => Number::Signed(3),
        Unit::Times => Number::Times,
    }
}

fn goal(finding: &Finding) -> String {
    let (unit, scale) = match finding.unit {
        Unit::Share | Unit::ShareDifference => (" %", 100.0),
        Unit::Times => ("x", 1.0),
        _ => ("", 1.0),
    };
    let value = |x: f64| short(scale * x);
    match finding.goal {
        None => NOTHING.to_owned(),
        Some(Goal::AtLeast(x)) => format!(">= {}{unit}", value(x)),
        Some(Goal::AtMost(x)) => format!("<= {}{unit}", value(x)),
        Some(Goal::Above(x)) => format!("> {}{unit}", value(x)),
        Some(Goal::Below(x)) => format!("< {}{unit}", value(x)),
        Some(Goal::Within(from, to)) => format!("{}-{}{unit}", value(from), value(to)),
    }
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::NotMet => "not met",
        Verdict::NotEnoughEvidence => NO_EVIDENCE,
        Verdict::NoGoal => NOTHING,
    }
}

fn verdict_and_reading(finding: &Finding) -> String {
    match finding.reading.map(Reading::text) {
        None => verdict(finding.verdict).to_owned(),
        Some(reading) if finding.verdict == Verdict::NoGoal => reading.to_owned(),
        Some(reading) => format!("{}: {reading}", verdict(finding.verdict)),
    }
}

const fn cases(denominator: Denominator) -> &'static str {
    match denominator {
        Denominator::Snapshots => "rows",
        Denominator::RedSnapshots => "red rows",
        Denominator::UntreatedRedSnapshots => "untreated red rows",
        Denominator::BandSnapshots => "rows of the band",
        Denominator::OutcomeSnapshots => "rows with the outcome",
        Denominator::Renewals | Denominator::BandRenewals => "renewals",
        Denominator::ChurnedAccounts => "churned accounts",
        Denominator::StayingAccounts => "staying accounts",
        Denominator::Interventions => "interventions",
        Denominator::Interactions => "interactions",
    }
}
