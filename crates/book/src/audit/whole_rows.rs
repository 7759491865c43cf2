//! Events that stand twice.

use crate::config::SourceKind;
use crate::source::whole_rows;
use crate::split::hash;
use crate::{Book, BookError};

use super::finding::{Finding, Severity, percent, share};
use super::rows::Read;
use super::sample::drawn;

const MANY_SHARE: f64 = 0.01;
const SOME_SHARE: f64 = 0.001;
const N_ACCOUNTS: usize = 200;

/// Rows that are equal in what was read may differ in what was not: where there are such, some accounts' rows are read
/// again with every column.
pub(super) fn findings(book: &Book, read: &Read, seed: u64) -> Result<Vec<Finding>, BookError> {
    let mut findings = Vec::new();
    for (name, source) in &read.sources {
        let declared = &book.file().config.sources[name.as_str()];
        let is_event = declared.kind == SourceKind::Event && declared.account_via.is_none();
        if !is_event || share(source.n_repeats, source.n_rows) < SOME_SHARE {
            continue;
        }
        let with_rows = |&account: &usize| source.signatures[account].1 > 0;
        let mut accounts: Vec<usize> = (0..book.n_accounts()).filter(with_rows).collect();
        accounts.sort_by(|&a, &b| {
            let draw = |account: usize| drawn(seed, hash(&book.accounts()[account].0));
            draw(a).total_cmp(&draw(b)).then(a.cmp(&b))
        });
        accounts.truncate(N_ACCOUNTS);
        let ids: Vec<&str> = accounts.iter().map(|&account| book.accounts()[account].0.as_str()).collect();
        let (n_repeats, n_rows) = whole_rows(book.file(), name, &ids)?;
        let severity = match share(n_repeats, n_rows) {
            MANY_SHARE.. => Severity::Warning,
            SOME_SHARE.. => Severity::Note,
            _ => continue,
        };
        let summary = format!(
            "{} of the rows of {} drawn accounts ({n_repeats} of {n_rows}) equal another in every column",
            percent(n_repeats, n_rows),
            ids.len()
        );
        let found = Finding::new("duplicate-rows", name, severity, summary).with("copies", n_repeats);
        let found =
            found.with("rows", n_rows).with("equal in the columns that features read, of all rows", source.n_repeats);
        findings.push(found);
    }
    Ok(findings)
}
