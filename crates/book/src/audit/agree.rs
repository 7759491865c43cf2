//! Outcomes that repeat, that a state column contradicts, or that features read.

use std::collections::BTreeMap;

use bellwether_core::Outcome;

use crate::Book;
use crate::config::{DeclaredFeature, Paths, SourceKind, TargetRule};
use crate::features::mask;
use crate::parts::Part;
use crate::source::SourceRows;

use super::finding::{Finding, Severity, percent, share};
use super::rows::Read;

const WRONG_SHARE: f64 = 0.05;
const WORSE_SHARE: f64 = 0.01;
const REPEATS_SHARE: f64 = 0.05;
const REPEATS: usize = 5;

/// What the rows say of outcomes.
pub(super) struct Outcomes {
    /// By `[[check.agree]]`, in order: accounts by state positive and outcome come.
    tables: Vec<[[usize; 2]; 2]>,
    /// Accounts with a churn event, and with several.
    n_churned: usize,
    n_repeated: usize,
    /// Rows of a target's outcome that a feature can read, by feature and target.
    read_by: BTreeMap<(String, Outcome), usize>,
}

impl Outcomes {
    pub(super) fn new(book: &Book) -> Self {
        let tables = vec![[[0; 2]; 2]; book.file().config.check.agree.len()];
        Self { tables, n_churned: 0, n_repeated: 0, read_by: BTreeMap::new() }
    }

    /// Adds what a part's rows say.
    pub(super) fn read(&mut self, book: &Book, part: &Part) {
        let config = &book.file().config;
        let data_end = book.data_end().days();
        for (table, agree) in self.tables.iter_mut().zip(&config.check.agree) {
            let outcome = *agree.with.get_ref();
            let rule = book.file().main_targets().into_iter().find(|(target, _)| target.outcome == outcome);
            let Some((_, rule)) = rule else { continue };
            let rows = &part.sources[agree.source.get_ref().as_str()];
            let texts = &rows.texts[agree.column.get_ref().as_str()];
            let positive: Vec<bool> = texts.levels.iter().map(|level| agree.positive.contains(level)).collect();
            let events = events(rule, part);
            for account in 0..part.accounts.len() {
                let last = rows.rows_of(account).rev().find_map(|row| positive.get(texts.codes[row] as usize));
                if let Some(&state) = last {
                    table[usize::from(state)][usize::from(events.had(account, data_end))] += 1;
                }
            }
        }
        for (target, rule) in book.file().main_targets() {
            let TargetRule::Event { source, filter } = rule else { continue };
            let rows = &part.sources[source.as_str()];
            let of_outcome = mask(rows, filter);
            let is_outcome = |row: usize| of_outcome.get(row).copied().unwrap_or(true);
            if target.outcome == Outcome::Churn {
                for account in 0..part.accounts.len() {
                    let n = rows.rows_of(account).filter(|&row| is_outcome(row)).count();
                    self.n_churned += usize::from(n > 0);
                    self.n_repeated += usize::from(n > 1);
                }
            }
            for feature in book.file().declared().iter().filter(|of| &of.from == source && !of.helper) {
                let seen = mask(rows, &feature.filter);
                let is_read = |row: usize| seen.get(row).copied().unwrap_or(true) && is_outcome(row);
                let n = (0..rows.n_rows()).filter(|&row| is_read(row)).count();
                *self.read_by.entry((feature.name.clone(), target.outcome)).or_default() += n;
            }
        }
    }
}

/// What tells whether an account has had an outcome.
enum Events<'a> {
    Rows(&'a SourceRows, Vec<bool>),
    End(&'a SourceRows),
    Unknown,
}

fn events<'a>(rule: &TargetRule, part: &'a Part) -> Events<'a> {
    match rule {
        TargetRule::Event { source, filter } => {
            let rows = &part.sources[source.as_str()];
            Events::Rows(rows, mask(rows, filter))
        }
        TargetRule::NoSubscription { source, .. } => Events::End(&part.sources[source.as_str()]),
        _ => Events::Unknown,
    }
}

impl Events<'_> {
    /// Whether the outcome came by `data_end`.
    fn had(&self, account: usize, data_end: i32) -> bool {
        match self {
            Self::Rows(rows, meets) => {
                let mut of_account = rows.rows_of(account);
                of_account.any(|row| rows.day[row] <= data_end && meets.get(row).copied().unwrap_or(true))
            }
            Self::End(rows) => rows.rows_of(account).map(|row| rows.end[row]).max().is_some_and(|end| end <= data_end),
            Self::Unknown => false,
        }
    }
}

pub(super) fn findings(book: &Book, read: &Read) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(disagreements(book, &read.outcomes));
    findings.extend(repeats(book, &read.outcomes));
    findings.extend(from_outcomes(book, &read.outcomes));
    findings
}

fn disagreements(book: &Book, outcomes: &Outcomes) -> Vec<Finding> {
    let agree = book.file().config.check.agree.iter().zip(&outcomes.tables);
    let one = |(agree, table): (&crate::config::Agreement, &[[usize; 2]; 2])| {
        let [[neither, outcome_alone], [state_alone, both]] = *table;
        let (n, of) = (outcome_alone + state_alone, neither + outcome_alone + state_alone + both);
        let severity = match share(n, of) {
            WRONG_SHARE.. => Severity::Error,
            WORSE_SHARE.. => Severity::Warning,
            _ => Severity::Note,
        };
        let (column, outcome) = (agree.column.get_ref(), agree.with.get_ref().name());
        let unread = if state_alone + both == 0 { "; no account has a text of `positive`" } else { "" };
        let summary = format!(
            "`{column}` disagrees with the {outcome} outcomes for {} of the accounts ({n} of {of}): {outcome_alone} \
            with the outcome and not the state, {state_alone} with the state and not the outcome{unread}",
            percent(n, of)
        );
        let place = format!("{}.{column}", agree.source.get_ref());
        let found = Finding::new("outcome-disagrees", &place, severity, summary)
            .with("state and outcome", both)
            .with("state alone", state_alone)
            .with("outcome alone", outcome_alone)
            .with("neither", neither);
        (n > 0).then_some(found)
    };
    agree.filter_map(one).collect()
}

fn repeats(book: &Book, outcomes: &Outcomes) -> Option<Finding> {
    let (n, of) = (outcomes.n_repeated, outcomes.n_churned);
    let churn = book.file().main_targets().into_iter().find(|(target, _)| target.outcome == Outcome::Churn)?.0;
    let many = share(n, of) >= REPEATS_SHARE && n >= REPEATS;
    let severity = if many { Severity::Warning } else { Severity::Note };
    let summary = format!("{} of the accounts with a churn event ({n} of {of}) have more than one", percent(n, of));
    let found = Finding::new("outcome-repeats", &churn.to_string(), severity, summary);
    (n > 0).then(|| found.with("accounts with several", n).with("accounts with any", of))
}

/// Features that read a target's rows, or its file by another date.
fn from_outcomes(book: &Book, outcomes: &Outcomes) -> Vec<Finding> {
    let file = book.file();
    let mut findings = Vec::new();
    for (target, rule) in file.main_targets() {
        let (TargetRule::Event { source, .. } | TargetRule::Column { source, .. }) = rule else { continue };
        for feature in file.declared().iter().filter(|feature| !feature.helper) {
            let place = format!("{}/{target}", feature.name);
            if feature.from != *source {
                findings.extend(other_date(book, feature, source, &place));
                continue;
            }
            if let TargetRule::Column { column, .. } = rule {
                let is_it = feature.column.as_ref().is_some_and(|of| of.get_ref() == column);
                let summary = format!("the feature is `{column}`, the target itself");
                findings.extend(is_it.then(|| Finding::new("from-outcomes", &place, Severity::Error, summary)));
                continue;
            }
            let n = outcomes.read_by.get(&(feature.name.clone(), target.outcome)).copied().unwrap_or(0);
            let is_churn = target.outcome == Outcome::Churn;
            let severity = if is_churn { Severity::Warning } else { Severity::Note };
            let summary = format!("the feature reads the rows of `{source}` that {target} is read off ({n} rows)");
            let found = Finding::new("from-outcomes", &place, severity, summary);
            findings.extend((n > 0).then(|| found.with("rows of outcomes that it reads", n)));
        }
    }
    findings
}

/// The outcomes' file read as another source, by another date or none: it may say what is to come.
fn other_date(book: &Book, feature: &DeclaredFeature, outcomes: &str, place: &str) -> Option<Finding> {
    let sources = &book.file().config.sources;
    let (own, outcomes_source) = (&sources[feature.from.as_str()], &sources[outcomes]);
    let same_file = paths(own.path.get_ref()).iter().any(|path| paths(outcomes_source.path.get_ref()).contains(path));
    let same_date =
        own.date.as_ref().map(toml::Spanned::get_ref) == outcomes_source.date.as_ref().map(toml::Spanned::get_ref);
    let is_leak = same_file && !same_date && outcomes_source.kind != SourceKind::Labelled;
    let summary = format!(
        "the feature reads the file of `{outcomes}`, where outcomes stand, {}",
        own.date
            .as_ref()
            .map_or_else(|| "without a date".to_owned(), |date| format!("by its date `{}`", date.get_ref()))
    );
    is_leak.then(|| Finding::new("from-outcomes", place, Severity::Error, summary))
}

fn paths(paths: &Paths) -> &[String] {
    match paths {
        Paths::One(path) => std::slice::from_ref(path),
        Paths::Many(paths) => paths,
    }
}
