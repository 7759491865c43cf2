//! Whether the parts of a split are apart, and large enough.

use std::collections::BTreeSet;

use bellwether_core::Date;

use crate::{Book, FeatureTable, Split, SplitPlan};

use super::finding::{Finding, Severity};

const LEAST_ACCOUNTS: usize = 50;
const EVENTS_A_FEATURE: usize = 10;

pub(super) fn findings(book: &Book, table: &FeatureTable, split: Option<&Split>) -> Vec<Finding> {
    let Some(split) = split else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(sizes(table, split));
    match &split.plan {
        SplitPlan::Time { .. } => findings.extend(short_purge(book, table, split)),
        SplitPlan::Hashed { by, .. } => {
            findings.extend(overlap(table, split, by));
            let summary = format!("parts are drawn by a hash of the {by}, whatever the day");
            let found = Finding::new("split-ignores-time", "split", Severity::Note, summary);
            findings.extend(book.has_time().then_some(found));
        }
    }
    findings
}

fn parts(split: &Split) -> [(&'static str, &[usize]); 3] {
    [("training", &split.training), ("calibration", &split.calibration), ("test", &split.test)]
}

fn sizes(table: &FeatureTable, split: &Split) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (&target, labels) in &table.labels {
        let accounts = |rows: &[usize], wanted: bool| {
            let has = |&&row: &&usize| labels[row] == Some(wanted);
            rows.iter().filter(has).map(|&row| table.account[row]).collect::<BTreeSet<u32>>().len()
        };
        for (part, rows) in parts(split) {
            let (with, without) = (accounts(rows, true), accounts(rows, false));
            let summary = format!("the {part} part has {with} accounts with the outcome and {without} without");
            let found = Finding::new("few-events", &format!("{part}/{target}"), Severity::Warning, summary);
            let found = found.with("accounts with", with).with("accounts without", without);
            findings.extend((with.min(without) < LEAST_ACCOUNTS).then_some(found));
        }
        let (events, n_features) = (accounts(&split.training, true), table.raw.columns.len());
        let summary = format!("{n_features} features are learnt from {events} accounts with the outcome");
        let found = Finding::new("few-events", &format!("features/{target}"), Severity::Note, summary);
        let found = found.with("accounts with the outcome", events).with("features", n_features);
        findings.extend((events < EVENTS_A_FEATURE * n_features).then_some(found));
    }
    findings
}

/// Whether an outcome of a training or calibration row can fall into the days of a later part's rows.
fn short_purge(book: &Book, table: &FeatureTable, split: &Split) -> Option<Finding> {
    let horizon = book.file().horizon_days() as i32;
    let day = |row: &usize| table.keys[*row].as_of;
    let last = |rows: &[usize]| rows.iter().map(day).max();
    let first: Date = split.test.iter().map(day).min()?;
    let before = last(&split.training).max(last(&split.calibration))?;
    let between = first.days() - before.days();
    let summary = format!(
        "{between} days lie between {before}, the last before the test part, and {first}, its first; outcomes are looked for over {horizon}"
    );
    (between < horizon).then(|| Finding::new("short-purge", "test", Severity::Error, summary).with("days", between))
}

fn overlap(table: &FeatureTable, split: &Split, by: &str) -> Option<Finding> {
    let accounts = |rows: &[usize]| rows.iter().map(|&row| table.account[row]).collect::<BTreeSet<u32>>();
    let [training, calibration, test] = parts(split).map(|(_, rows)| accounts(rows));
    let n = test.iter().filter(|account| training.contains(account) || calibration.contains(account)).count()
        + training.intersection(&calibration).count();
    let summary = format!("{n} accounts have rows in two parts, which are drawn by {by}");
    (n > 0).then(|| Finding::new("account-overlap", "split", Severity::Error, summary).with("accounts", n))
}
