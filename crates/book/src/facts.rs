//! Dated facts of accounts that evidence is drawn from beside labels: churns, interventions, renewals, interactions.

use std::collections::BTreeMap;

use bellwether_core::{Date, Digest, Progress, TextColumn};

use crate::book::{Book, MAX_CELLS, SourceSummary};
use crate::config::{Condition, InterventionsConfig, RenewalsConfig, ScoreUseConfig};
use crate::features::mask;
use crate::labels::Labeller;
use crate::parts::{Part, Parts};
use crate::source::{SourceDigest, SourceRows};
use crate::{BookError, needs};

/// What the sources say of accounts day by day. An account is its place in the book, as in
/// [`crate::FeatureTable::account`]; lists are in order of accounts, then of days.
#[derive(Debug, Clone)]
pub struct Facts {
    /// By account, the days on which it churned, rising; `None` where the book has no churn rule that tells days. A churn
    /// label says whether one lies within the horizon.
    pub churns: Option<Vec<Vec<Date>>>,
    /// The last day of which a churn could be known.
    pub known_until: Date,
    /// What was done; `None` where the book declares no interventions.
    pub interventions: Option<Vec<Intervention>>,
    /// `None` where the book declares no renewals.
    pub renewals: Option<Vec<Renewal>>,
    /// `None` where the book declares no use of the score.
    pub interactions: Option<Vec<Interaction>>,
    /// The sources that were read.
    pub sources: Vec<(SourceSummary, Digest)>,
}

/// An account for which something was done, or that was chosen to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervention {
    /// The account.
    pub account: u32,
    /// Its day.
    pub day: Date,
    /// Which it was, where the book names a column.
    pub kind: Option<String>,
    /// Whether it was done.
    pub treated: bool,
}

/// A contract that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The account.
    pub account: u32,
    /// The day from which the date of renewal was known, where the book tells it.
    pub known: Option<Date>,
    /// The day of renewal.
    pub due: Date,
    /// Whether the account renewed.
    pub renewed: bool,
}

/// An interaction with a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interaction {
    /// The account.
    pub account: u32,
    /// Its day.
    pub day: Date,
    /// Whether the score was looked at.
    pub referenced: bool,
    /// Whether an alert or the worklist led to it.
    pub score_driven: bool,
}

impl Book {
    /// Reads what `[evaluation]` and the churn rule name. Only these sources are read, from their files.
    ///
    /// # Errors
    /// [`BookError`] as for [`Book::open`].
    pub fn facts(&self, progress: &dyn Progress) -> Result<Facts, BookError> {
        let config = &self.file().config.evaluation;
        let data_end = self.data_end().days();
        let mut facts = Facts {
            churns: self.file().has_churn_days().then(Vec::new),
            known_until: self.data_end(),
            interventions: config.interventions.as_ref().map(|_| Vec::new()),
            renewals: config.renewals.as_ref().map(|_| Vec::new()),
            interactions: config.score_use.as_ref().map(|_| Vec::new()),
            sources: Vec::new(),
        };
        if facts.is_nothing() {
            return Ok(facts);
        }
        let parts = Parts::open(self.file(), needs::of_evaluation(self.file()), MAX_CELLS, progress)?;
        let mut digests: BTreeMap<String, SourceDigest> = BTreeMap::new();
        parts.each(self.file(), |part| {
            for (name, rows) in &part.sources {
                digests.entry(name.clone()).or_default().take(rows, &self.accounts()[part.accounts.clone()]);
            }
            facts.read(self, part, data_end);
            Ok::<_, BookError>(())
        })?;
        facts.sources = parts.summaries().into_iter().zip(digests.into_values().map(SourceDigest::finish)).collect();
        Ok(facts)
    }
}

impl Facts {
    fn is_nothing(&self) -> bool {
        let is_asked = self.churns.is_some() || self.interventions.is_some();
        !is_asked && self.renewals.is_none() && self.interactions.is_none()
    }

    /// The first churn of an account after `day`.
    pub fn churn_after(&self, account: u32, day: Date) -> Option<Date> {
        let days = &self.churns.as_ref()?[account as usize];
        days.get(days.partition_point(|&churn| churn <= day)).copied()
    }

    fn read(&mut self, book: &Book, part: &Part, data_end: i32) {
        let config = &book.file().config;
        if let (Some(churns), Some(rule)) = (&mut self.churns, &config.targets.churn) {
            let labeller = Labeller::new(book.file(), rule.get_ref(), &part.sources);
            let until = labeller.told_until(data_end);
            self.known_until = Date::from_days(until);
            let days = |account: u32| labeller.days(account, until).into_iter().map(Date::from_days).collect();
            churns.extend((0..part.accounts.len() as u32).map(days));
        }
        let rows_of = |source: &String| &part.sources[source];
        if let (Some(interventions), Some(of)) = (&mut self.interventions, config.evaluation.interventions.as_ref()) {
            read_interventions(of.get_ref(), rows_of(&of.get_ref().source), part, interventions);
        }
        if let (Some(renewals), Some(of)) = (&mut self.renewals, config.evaluation.renewals.as_ref()) {
            let of = of.get_ref();
            let contracts = Contracts { of, rows: rows_of(&of.source), part };
            match &of.due {
                Some(due) => contracts.due(due, self.churns.as_deref().unwrap_or_default(), self.known_until, renewals),
                None => contracts.decided(renewals),
            }
        }
        if let (Some(interactions), Some(of)) = (&mut self.interactions, config.evaluation.score_use.as_ref()) {
            read_interactions(of.get_ref(), rows_of(&of.get_ref().source), part, interactions);
        }
    }
}

/// Which rows meet every condition.
struct Meets(Vec<bool>);

impl Meets {
    fn of(rows: &SourceRows, conditions: &[Condition]) -> Self {
        Self(mask(rows, conditions))
    }

    /// All do where there is no condition.
    fn holds(&self, row: usize) -> bool {
        self.0.get(row).copied().unwrap_or(true)
    }
}

/// Each account of a part, as its place in the book, with each of its rows.
fn each_row<'a>(part: &'a Part, rows: &'a SourceRows) -> impl Iterator<Item = (u32, usize)> + 'a {
    let first = part.accounts.start as u32;
    let of_account = move |account: usize| rows.rows_of(account).map(move |row| (first + account as u32, row));
    (0..part.accounts.len()).flat_map(of_account)
}

fn read_interventions(of: &InterventionsConfig, rows: &SourceRows, part: &Part, into: &mut Vec<Intervention>) {
    let (done, control) = (Meets::of(rows, &of.filter), Meets::of(rows, &of.control));
    let kinds: Option<&TextColumn> = of.kind.as_ref().map(|kind| &rows.texts[kind]);
    for (account, row) in each_row(part, rows) {
        let treated = done.holds(row);
        if treated || (!of.control.is_empty() && control.holds(row)) {
            let kind = kinds.and_then(|kinds| kinds.get(row)).map(str::to_owned);
            into.push(Intervention { account, day: Date::from_days(rows.day[row]), kind, treated });
        }
    }
}

fn read_interactions(of: &ScoreUseConfig, rows: &SourceRows, part: &Part, into: &mut Vec<Interaction>) {
    let counts = Meets::of(rows, &of.filter);
    let (referenced, driven) = (Meets::of(rows, &of.referenced), Meets::of(rows, &of.score_driven));
    let interaction = |(account, row): (u32, usize)| Interaction {
        account,
        day: Date::from_days(rows.day[row]),
        referenced: referenced.holds(row),
        score_driven: driven.holds(row),
    };
    into.extend(each_row(part, rows).filter(|&(_, row)| counts.holds(row)).map(interaction));
}

/// The rows that tell renewals.
struct Contracts<'a> {
    of: &'a RenewalsConfig,
    rows: &'a SourceRows,
    part: &'a Part,
}

impl Contracts<'_> {
    /// One for each account and day of renewal of which it is known what came of it: several rows may name the same day.
    fn due(&self, column: &str, churns: &[Vec<Date>], known_until: Date, into: &mut Vec<Renewal>) {
        let counts = Meets::of(self.rows, &self.of.filter);
        let due = &self.rows.numbers[column];
        let mut known: BTreeMap<(u32, i32), i32> = BTreeMap::new();
        for (account, row) in each_row(self.part, self.rows).filter(|&(_, row)| counts.holds(row)) {
            if due[row].is_finite() {
                let first = known.entry((account, due[row] as i32)).or_insert(self.rows.day[row]);
                *first = self.rows.day[row].min(*first);
            }
        }
        for ((account, due), known) in known {
            let (known, due) = (Date::from_days(known), Date::from_days(due));
            let decided = due.plus_days(self.of.grace_days as i32);
            if known < due && decided <= known_until {
                let days = &churns[account as usize];
                let next = days.get(days.partition_point(|&churn| churn <= known));
                into.push(Renewal {
                    account,
                    known: Some(known),
                    due,
                    renewed: next.is_none_or(|&churn| churn > decided),
                });
            }
        }
    }

    /// One for each row.
    fn decided(&self, into: &mut Vec<Renewal>) {
        let (counts, renewed) = (Meets::of(self.rows, &self.of.filter), Meets::of(self.rows, &self.of.renewed));
        let of_row = |(account, row): (u32, usize)| Renewal {
            account,
            known: None,
            due: Date::from_days(self.rows.day[row]),
            renewed: renewed.holds(row),
        };
        into.extend(each_row(self.part, self.rows).filter(|&(_, row)| counts.holds(row)).map(of_row));
    }
}
