//! Accounts whose rows are another account's: one customer under two ids.

use std::collections::BTreeSet;

use crate::{Book, FeatureTable, Split, SplitPlan};

use super::finding::{Finding, Severity, percent, share};
use super::rows::Read;

/// Days with rows from which equal rows are no chance.
const LEAST_DAYS: u32 = 10;
const MANY_SHARE: f64 = 0.01;

pub(super) fn findings(book: &Book, table: &FeatureTable, split: Option<&Split>, read: &Read) -> Vec<Finding> {
    let part_of = parts(book, table, split);
    let one = |(name, source): (&String, &super::rows::SourceRead)| {
        let long = source.signatures.iter().enumerate().filter(|(_, (_, n_days))| *n_days >= LEAST_DAYS);
        let mut by_hash: Vec<(u64, u32, usize)> =
            long.map(|(account, &(hash, n_days))| (hash, n_days, account)).collect();
        by_hash.sort_unstable();
        let twins: Vec<&[(u64, u32, usize)]> =
            by_hash.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter(|run| run.len() > 1).collect();
        let accounts: usize = twins.iter().map(|run| run.len()).sum();
        let first = twins.first()?;
        let apart = |run: &&&[(u64, u32, usize)]| {
            run.iter().filter_map(|twin| part_of.as_ref()?[twin.2]).collect::<BTreeSet<u8>>().len() > 1
        };
        let n_apart = twins.iter().filter(apart).count();
        let is_many = share(accounts, book.n_accounts()) >= MANY_SHARE;
        let severity = match (is_many, n_apart > 0) {
            (true, true) => Severity::Error,
            (true, false) => Severity::Warning,
            (false, _) => Severity::Note,
        };
        let ids = [0, 1].map(|at| book.accounts()[first[at].2].to_string());
        let summary = format!(
            "{} of the accounts ({accounts}) have rows that are another's, such as `{}` and `{}`; {n_apart} groups of them stand in two parts of the split",
            percent(accounts, book.n_accounts()),
            ids[0],
            ids[1]
        );
        let found = Finding::new("shared-rows", name, severity, summary).with("accounts", accounts);
        Some(found.with("groups", twins.len()).with("groups in two parts", n_apart))
    };
    read.sources.iter().filter_map(one).collect()
}

/// The part of each account in a split that keeps accounts apart.
fn parts(book: &Book, table: &FeatureTable, split: Option<&Split>) -> Option<Vec<Option<u8>>> {
    let split = split.filter(|split| matches!(split.plan, SplitPlan::Hashed { .. }))?;
    let mut part_of = vec![None; book.n_accounts()];
    for (part, rows) in (0..).zip([&split.training, &split.calibration, &split.test]) {
        for &row in rows {
            part_of[table.account[row] as usize] = Some(part);
        }
    }
    Some(part_of)
}
