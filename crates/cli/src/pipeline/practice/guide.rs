//! The metrics of requirements 1.11.

use std::collections::BTreeMap;

use bellwether_book::{Facts, Renewal};
use bellwether_core::{Band, Date, Outcome, Target};
use bellwether_evaluate::guide::{
    BandOutcome, BandedSnapshots, Finding, GuideOptions, LeadTimeFindings, RenewalFindings, Renewals, ScoreHistory,
    ScoreUse, SnapshotFindings, band_outcomes, lead_time_findings, renewal_findings, score_use_findings,
    snapshot_findings,
};
use bellwether_evaluate::{GuideFindings, Measured};

use super::course::{Course, Health};
use super::interventions::{self, Treatments};
use super::{Unseen, missing};
use crate::failure::{Failure, Unexpected as _};
use crate::pipeline::evidence::bands;
use crate::pipeline::prepare::LabelledRows;

const OPTIONS: GuideOptions = GuideOptions { confidence: 0.95, min_cases: 20 };

const NO_CHURN: &str = "the book declares no churn, [targets.churn]";
const NO_DATES: &str = "the rows have no dates";

pub(super) fn findings(unseen: &Unseen<'_>, course: &Course) -> Result<GuideFindings, Failure> {
    let treatments = Treatments::of(unseen);
    let has_time = unseen.book.has_time();
    let followed = interventions::findings(unseen, course, treatments.as_ref(), &OPTIONS)?;
    Ok(GuideFindings {
        snapshots: snapshots(unseen, treatments.as_ref())?,
        bands: outcomes_by_band(unseen, |_| true)?,
        by_quarter: by_quarter(unseen)?,
        lead_times: lead_times(unseen, course)?,
        days_between_scores: has_time.then_some(course.days_between),
        renewals: renewals(unseen, course)?,
        interventions: followed.all,
        intervention_return: followed.returned,
        compared_with: followed.compared_with,
        by_kind: followed.by_kind,
        score_use: score_use(unseen, course)?,
    })
}

/// Labelled rows that have a health score.
struct Banded {
    rows: Vec<usize>,
    band: Vec<Band>,
    y: Vec<bool>,
}

impl Banded {
    /// Those of a target for which `holds`.
    fn of(unseen: &Unseen<'_>, target: Target, holds: impl Fn(usize) -> bool) -> Self {
        let LabelledRows { rows, y } = unseen.labelled(target);
        let shown = bands(unseen.x, unseen.scorecard, &rows);
        let mut kept = Self { rows: Vec::new(), band: Vec::new(), y: Vec::new() };
        for ((row, y), band) in rows.into_iter().zip(y).zip(shown) {
            if let Some(band) = band.filter(|_| holds(row)) {
                kept.rows.push(row);
                kept.band.push(band);
                kept.y.push(y);
            }
        }
        kept
    }
}

/// V-01, V-02, V-07 and V-11.
fn snapshots(unseen: &Unseen<'_>, treatments: Option<&Treatments<'_>>) -> Result<Measured<SnapshotFindings>, Failure> {
    let Some(target) = unseen.main_target(Outcome::Churn) else { return Ok(missing(NO_CHURN)) };
    let Banded { rows, band, y: churned } = Banded::of(unseen, target, |_| true);
    if rows.is_empty() {
        return Ok(missing("no test row has a health score and a known churn label"));
    }
    let treated: Option<Vec<bool>> = treatments.map(|treatments| {
        let key = |&row: &usize| (unseen.table.account[row], unseen.table.keys[row].as_of);
        rows.iter().map(key).map(|(account, day)| treatments.runs_within(account, day, target.horizon_days)).collect()
    });
    let account = unseen.accounts(&rows);
    let snapshots = BandedSnapshots { band: &band, churned: &churned, account: &account, treated: treated.as_deref() };
    Ok(Measured::Found(snapshot_findings(&snapshots, &OPTIONS).unexpected("measuring bands")?))
}

/// V-06 on the test rows for which `holds`: churn, retention and the other outcomes.
fn outcomes_by_band(unseen: &Unseen<'_>, holds: impl Fn(usize) -> bool) -> Result<Vec<BandOutcome>, Failure> {
    let mut found = Vec::new();
    for target in Outcome::ALL.into_iter().filter_map(|outcome| unseen.main_target(outcome)) {
        let Banded { rows, band, y: came } = Banded::of(unseen, target, &holds);
        if rows.is_empty() {
            continue;
        }
        let stayed: Vec<bool> = came.iter().map(|came| !came).collect();
        let mut outcomes: Vec<(&str, &[bool])> = vec![(target.outcome.name(), &came)];
        if target.outcome == Outcome::Churn {
            outcomes.push(("retention", &stayed));
        }
        let account = unseen.accounts(&rows);
        found.extend(band_outcomes(&band, &outcomes, &account, &OPTIONS).unexpected("measuring bands")?);
    }
    Ok(found)
}

/// V-06 by quarter of the row; nothing where all rows are of one.
fn by_quarter(unseen: &Unseen<'_>) -> Result<Vec<(String, Vec<BandOutcome>)>, Failure> {
    let quarter = |row: usize| {
        let (year, month, _) = unseen.table.keys[row].as_of.ymd();
        (year, (month - 1) / 3 + 1)
    };
    let mut quarters: Vec<(i16, i8)> = unseen.test.iter().map(|&row| quarter(row)).collect();
    quarters.sort_unstable();
    quarters.dedup();
    if !unseen.book.has_time() || quarters.len() < 2 {
        return Ok(Vec::new());
    }
    let of = |wanted: (i16, i8)| {
        let found = outcomes_by_band(unseen, |row| quarter(row) == wanted)?;
        Ok((format!("{} Q{}", wanted.0, wanted.1), found))
    };
    quarters.into_iter().map(of).collect()
}

/// V-03 and V-07.
fn lead_times(unseen: &Unseen<'_>, course: &Course) -> Result<Measured<LeadTimeFindings>, Failure> {
    if !unseen.book.has_time() {
        return Ok(missing(NO_DATES));
    }
    if unseen.facts.churns.is_none() {
        return Ok(missing("the book has no churn rule that tells the day of a churn"));
    }
    let histories: Vec<ScoreHistory> = course.by_account().map(|rows| history(unseen.facts, rows)).collect();
    if histories.is_empty() {
        return Ok(missing("no account has a score in the test part"));
    }
    Ok(Measured::Found(lead_time_findings(&histories, &OPTIONS).unexpected("measuring lead times")?))
}

fn history(facts: &Facts, rows: &[Health]) -> ScoreHistory {
    ScoreHistory {
        bands: rows.iter().map(|row| (row.day, row.band)).collect(),
        churned: facts.churn_after(rows[0].account, rows[0].day),
    }
}

/// V-05 and V-08.
fn renewals(unseen: &Unseen<'_>, course: &Course) -> Result<Measured<RenewalFindings>, Failure> {
    let declared = unseen.book.file().config.evaluation.renewals.as_ref();
    let Some((renewals, declared)) = unseen.facts.renewals.as_ref().zip(declared) else {
        return Ok(missing("which contracts were renewed, [evaluation.renewals] in book.toml"));
    };
    let lead_days = declared.get_ref().lead_days as i32;
    let case = |renewal: &Renewal| {
        let day = renewal.due.plus_days(-lead_days);
        let is_known = renewal.known.is_none_or(|known| known <= day);
        let health = course.standing(renewal.account, day).filter(|_| is_known)?;
        Some((health, renewal.renewed))
    };
    let cases: Vec<(&Health, bool)> = renewals.iter().filter_map(case).collect();
    if cases.is_empty() {
        return Ok(missing(&format!("no contract was to be renewed {lead_days} days or more after a test row")));
    }
    let score: Vec<f64> = cases.iter().map(|case| case.0.score).collect();
    let band: Vec<Band> = cases.iter().map(|case| case.0.band).collect();
    let renewed: Vec<bool> = cases.iter().map(|case| case.1).collect();
    let account: Vec<u32> = cases.iter().map(|case| case.0.account).collect();
    let columns = Renewals { score: &score, band: &band, renewed: &renewed, account: &account };
    Ok(Measured::Found(renewal_findings(&columns, &OPTIONS).unexpected("measuring renewals")?))
}

/// V-10, of the interactions from the first score on.
fn score_use(unseen: &Unseen<'_>, course: &Course) -> Result<Measured<[Finding; 3]>, Failure> {
    let Some(interactions) = &unseen.facts.interactions else {
        return Ok(missing("a log of interactions, [evaluation.score_use] in book.toml"));
    };
    let first = course.rows.iter().map(|row| row.day).min();
    let counted: Vec<_> = interactions.iter().filter(|of| first.is_some_and(|first| of.day >= first)).collect();
    if counted.is_empty() {
        return Ok(missing("no interaction lies in the test part"));
    }
    // Only the first interaction after an account turned red answers it.
    let mut answered: BTreeMap<(u32, Date), usize> = BTreeMap::new();
    let mut response_days = vec![f64::NAN; counted.len()];
    for (place, of) in counted.iter().enumerate() {
        if let Some(turned) = turned_red(course, of.account, of.day)
            && *answered.entry((of.account, turned)).or_insert(place) == place
        {
            response_days[place] = f64::from(of.day.days() - turned.days());
        }
    }
    let referenced: Vec<bool> = counted.iter().map(|of| of.referenced).collect();
    let score_driven: Vec<bool> = counted.iter().map(|of| of.score_driven).collect();
    let account: Vec<u32> = counted.iter().map(|of| of.account).collect();
    let log = ScoreUse {
        referenced: &referenced,
        score_driven: &score_driven,
        response_days: &response_days,
        account: &account,
    };
    Ok(Measured::Found(score_use_findings(&log, &OPTIONS).unexpected("measuring the score's use")?))
}

/// The day from which an account has been red without a break, where it stands red on `day` and was not so from its first
/// score on: when it turned is not known then.
fn turned_red(course: &Course, account: u32, day: Date) -> Option<Date> {
    let mut turned = course.standing(account, day).filter(|health| health.band == Band::Red)?.day;
    loop {
        let before = course.last(account, turned.plus_days(-1))?;
        if before.band != Band::Red {
            return Some(turned);
        }
        turned = before.day;
    }
}
