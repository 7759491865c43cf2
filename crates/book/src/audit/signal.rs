//! What single features tell of the outcome: more than they honestly could?

use std::collections::BTreeMap;

use bellwether_core::{RawColumn, RawValues, Target};
use bellwether_evaluate::{paired_auc_difference, roc_auc};
use rayon::prelude::*;

use crate::{Book, FeatureTable, Split};

use super::finding::{Finding, Severity};
use super::rows::Read;
use super::sample::{bin_edges, bits, drawn, is_missing, is_undated, labelled, sorted};

const CONFIDENCE: f64 = 0.99;
/// Accounts with the outcome, and without, that an alarm needs.
const LEAST_ACCOUNTS: usize = 20;
const KNOWS: f64 = 0.95;
const KNOWS_OF_ACCOUNT: f64 = 0.9;
const MISSING_KNOWS: f64 = 0.9;
const MISSING_TELLS: f64 = 0.8;
const GOOD: f64 = 0.8;
const BETTER_BY: f64 = 0.05;
/// From here on nobody believes it unseen.
const TOO_GOOD: f64 = 0.85;
const FAR_BETTER_BY: f64 = 0.1;
/// Features without which there are no others to be better than.
const LEAST_FEATURES: usize = 5;
const N_BINS: usize = 10;

pub(super) fn findings(
    book: &Book,
    table: &FeatureTable,
    split: Option<&Split>,
    read: &Read,
    seed: u64,
) -> Vec<Finding> {
    let declared = book.file().declared();
    let undated: Vec<bool> = table
        .raw
        .columns
        .iter()
        .map(|column| declared.iter().any(|of| of.name == column.name && is_undated(book, read, of)))
        .collect();
    let of_target = |&target: &Target| {
        let (rows, y) = labelled(table, split, target, seed);
        let by_row = Cases::new(table, rows, y);
        let by_account = ever(table, target);
        let columns = table.raw.columns.par_iter().zip(&undated);
        let mut findings: Vec<Finding> = columns
            .flat_map_iter(|(column, &is_undated)| {
                let of_account = by_account.as_ref().filter(|_| is_undated);
                of_feature(column, target, by_row.as_ref(), of_account)
            })
            .collect();
        findings.extend(by_row.iter().flat_map(|cases| too_good(table, target, cases)));
        findings
    };
    table.labels.keys().collect::<Vec<_>>().into_iter().flat_map(of_target).collect()
}

/// Rows with their outcome.
struct Cases {
    rows: Vec<usize>,
    y: Vec<bool>,
    account: Vec<u32>,
    /// Half of the accounts.
    fold: Vec<bool>,
    /// Accounts of the rarer class.
    n_accounts: usize,
}

impl Cases {
    /// `None` where there are too few accounts with either outcome.
    fn new(table: &FeatureTable, rows: Vec<usize>, y: Vec<bool>) -> Option<Self> {
        let account: Vec<u32> = rows.iter().map(|&row| table.account[row]).collect();
        let accounts_with = |wanted: bool| {
            let mut accounts: Vec<u32> =
                account.iter().zip(&y).filter(|&(_, &y)| y == wanted).map(|(&account, _)| account).collect();
            accounts.dedup();
            accounts.len()
        };
        let n_accounts = accounts_with(true).min(accounts_with(false));
        let fold = rows.iter().map(|&row| drawn(1, table.group[row]) < 0.5).collect();
        (n_accounts >= LEAST_ACCOUNTS).then_some(Self { rows, y, account, fold, n_accounts })
    }

    /// The area under the curve of `scores`, turned to lie above 0.5, with its low end; `None` where that is below
    /// `limit` or undefined.
    fn auc(&self, scores: &[f64], kept: &[usize], limit: f64) -> Option<Auc> {
        let scores: Vec<f64> = kept.iter().map(|&at| scores[at]).collect();
        let y: Vec<bool> = kept.iter().map(|&at| self.y[at]).collect();
        let account: Vec<u32> = kept.iter().map(|&at| self.account[at]).collect();
        // The low end is below the value, which is told in a fraction of the time.
        let value = roc_auc(&scores, &y)?;
        if value.max(1.0 - value) < limit {
            return None;
        }
        let chance = vec![0.0; scores.len()];
        let above = paired_auc_difference(&scores, &chance, &y, &account, CONFIDENCE).ok()?.difference;
        let value = 0.5 + above.value?.abs();
        let low = match above.value?.total_cmp(&0.0) {
            std::cmp::Ordering::Less => above.high.map(|high| 0.5 - high),
            _ => above.low.map(|low| 0.5 + low),
        };
        // Without an error among n accounts the rate of errors is below 3 / n: the rule of three, Hanley (1983).
        let auc = Auc { value, low: low.unwrap_or(value - 3.0 / self.n_accounts as f64) };
        (auc.low >= limit).then_some(auc)
    }
}

#[derive(Debug, Clone, Copy)]
struct Auc {
    value: f64,
    low: f64,
}

/// One case an account: its last labelled row, and whether any of its rows has the outcome.
fn ever(table: &FeatureTable, target: Target) -> Option<Cases> {
    let mut of_account: BTreeMap<u32, (usize, bool)> = BTreeMap::new();
    for (row, label) in table.labels[&target].iter().enumerate() {
        if let Some(label) = label {
            let known = of_account.entry(table.account[row]).or_insert((row, false));
            *known = (row, known.1 | label);
        }
    }
    let (rows, y) = of_account.into_values().unzip();
    Cases::new(table, rows, y)
}

fn of_feature(column: &RawColumn, target: Target, by_row: Option<&Cases>, by_account: Option<&Cases>) -> Vec<Finding> {
    let place = format!("{}/{target}", column.name);
    let alarm = |rule: &'static str, what: &str, severity: Severity, auc: Auc, cases: &Cases| {
        let summary =
            format!("{what} has an AUC of {:.3} for {target}, at least {:.3} with 99 % confidence", auc.value, auc.low);
        let n_events = cases.y.iter().filter(|&&y| y).count();
        Finding::new(rule, &place, severity, summary).with("cases", cases.y.len()).with("events", n_events)
    };
    let mut findings = Vec::new();
    let value_of =
        [(by_account, KNOWS_OF_ACCOUNT, "its undated value, by account,"), (by_row, KNOWS, "its value alone")];
    for (cases, limit, what) in value_of {
        let Some(cases) = cases else { continue };
        let known: Vec<usize> =
            (0..cases.rows.len()).filter(|&at| !is_missing(&column.values, cases.rows[at])).collect();
        let auc = cases.auc(&scores(column, cases), &known, limit);
        if let Some(auc) = auc {
            findings.push(alarm("knows-outcome", what, Severity::Error, auc, cases));
            break;
        }
    }
    for (cases, what) in [(by_account, "being missing, by account,"), (by_row, "being missing")] {
        let Some(cases) = cases else { continue };
        if !cases.rows.iter().any(|&row| is_missing(&column.values, row)) {
            continue;
        }
        let all: Vec<usize> = (0..cases.rows.len()).collect();
        let missing: Vec<f64> =
            cases.rows.iter().map(|&row| f64::from(u8::from(is_missing(&column.values, row)))).collect();
        let auc = cases.auc(&missing, &all, MISSING_TELLS);
        if let Some(auc) = auc {
            let severity = if auc.low >= MISSING_KNOWS { Severity::Error } else { Severity::Warning };
            findings.push(alarm("missing-knows-outcome", what, severity, auc, cases));
            break;
        }
    }
    findings
}

/// A number is its own score; a text scores its level's rate of events among the other half of the accounts.
fn scores(column: &RawColumn, cases: &Cases) -> Vec<f64> {
    match &column.values {
        RawValues::Number(values) => cases.rows.iter().map(|&row| f64::from(values[row])).collect(),
        RawValues::Text(texts) => evidence(cases, texts.levels.len(), |at| texts.codes[cases.rows[at]] as usize),
    }
}

/// The logarithm of how much likelier each case's bin is among events than among others, told from the other half of
/// the accounts, half a case added to each count; 0 for a bin from `n_bins` on.
fn evidence(cases: &Cases, n_bins: usize, bin: impl Fn(usize) -> usize) -> Vec<f64> {
    let mut counts = vec![[[0.5_f64; 2]; 2]; n_bins];
    for (at, (&y, &fold)) in cases.y.iter().zip(&cases.fold).enumerate() {
        if let Some(count) = counts.get_mut(bin(at)) {
            count[usize::from(fold)][usize::from(y)] += 1.0;
        }
    }
    let total = |fold: usize, y: usize| -> f64 { counts.iter().map(|count| count[fold][y]).sum() };
    let totals = [[total(0, 0), total(0, 1)], [total(1, 0), total(1, 1)]];
    let score = |(at, &fold): (usize, &bool)| {
        let other = usize::from(!fold);
        let count = counts.get(bin(at)).map(|count| count[other])?;
        Some((count[1] / totals[other][1]).ln() - (count[0] / totals[other][0]).ln())
    };
    cases.fold.iter().enumerate().map(|case| score(case).unwrap_or(0.0)).collect()
}

/// Features that rank better than all others together.
fn too_good(table: &FeatureTable, target: Target, cases: &Cases) -> Vec<Finding> {
    let columns = &table.raw.columns;
    if columns.len() < LEAST_FEATURES {
        return Vec::new();
    }
    let of_columns: Vec<Vec<f64>> = columns.par_iter().map(|column| binned(column, cases)).collect();
    let total: Vec<f64> = (0..cases.rows.len()).map(|at| of_columns.iter().map(|scores| scores[at]).sum()).collect();
    let all: Vec<usize> = (0..cases.rows.len()).collect();
    let one = |(column, own): (&RawColumn, &Vec<f64>)| {
        let auc = cases.auc(own, &all, GOOD)?;
        let others: Vec<f64> = total.iter().zip(own).map(|(total, own)| total - own).collect();
        let better = paired_auc_difference(own, &others, &cases.y, &cases.account, CONFIDENCE).ok()?.difference;
        let (better_by, least) = (better.value?, better.low?);
        let summary = format!(
            "alone it has an AUC of {:.3} for {target}; all other features together have {:.3}",
            auc.value,
            auc.value - better_by
        );
        let is_far = auc.low >= TOO_GOOD && least >= FAR_BETTER_BY;
        let severity = if is_far { Severity::Error } else { Severity::Warning };
        let found = Finding::new("too-good", &format!("{}/{target}", column.name), severity, summary);
        let found = found.with("AUC, low end", format!("{:.3}", auc.low));
        (least >= BETTER_BY).then(|| found.with("better by at least", format!("{least:.3}")))
    };
    columns.par_iter().zip(&of_columns).filter_map(one).collect()
}

/// The evidence of a feature's bins: deciles, or levels, and one for missing.
fn binned(column: &RawColumn, cases: &Cases) -> Vec<f64> {
    match &column.values {
        RawValues::Number(values) => {
            let edges = bin_edges(&sorted(values, &cases.rows), N_BINS);
            let bin = |at: usize| {
                let value = values[cases.rows[at]];
                if value.is_nan() { 0 } else { 1 + edges.partition_point(|&edge| edge <= value) }
            };
            evidence(cases, edges.len() + 2, bin)
        }
        RawValues::Text(texts) => {
            let n_levels = texts.levels.len();
            evidence(cases, n_levels + 1, |at| (bits(&column.values, cases.rows[at]) as usize).min(n_levels))
        }
    }
}
