//! Rows outside of an account's life, of nobody, or known too late.

use bellwether_core::Date;

use crate::Book;
use crate::config::{Source, SourceKind, TargetRule};

use super::finding::{Finding, Severity, percent, share};
use super::rows::{AFTER_DATA_DAYS, AFTER_END_DAYS, LATE_DAYS, Read, SourceRead, VERY_LATE_DAYS};

/// Share of a source's rows from which the source is not what it is declared as.
const WRONG_SHARE: f64 = 0.25;
const WORSE_SHARE: f64 = 0.01;
/// Share of accounts, and how many of them.
const ACCOUNTS_SHARE: f64 = 0.05;
const ACCOUNTS: usize = 5;
const BULK_SHARE: f64 = 0.05;
const VERY_LATE_SHARE: f64 = 0.2;

pub(super) fn findings(book: &Book, read: &Read) -> Vec<Finding> {
    let config = &book.file().config;
    let churn = config.targets.churn.as_ref().map(toml::Spanned::get_ref);
    let mut findings = Vec::new();
    for (name, of_source) in &read.sources {
        let source = &config.sources[name.as_str()];
        let is_outcome = matches!(churn, Some(TargetRule::Event { source, .. }) if source == name);
        findings.extend(orphans(name, source, of_source));
        findings.extend(before_start(name, of_source));
        findings.extend(before_via(name, source, of_source));
        if matches!(source.kind, SourceKind::Event | SourceKind::Snapshot) {
            findings.extend(after_end(name, of_source).filter(|_| !is_outcome));
            findings.extend(after_data(book, name, of_source));
        }
        findings.extend(late(name, source, of_source));
    }
    findings
}

fn by_share(share: f64) -> Severity {
    match share {
        WRONG_SHARE.. => Severity::Error,
        WORSE_SHARE.. => Severity::Warning,
        _ => Severity::Note,
    }
}

fn orphans(name: &str, source: &Source, read: &SourceRead) -> Option<Finding> {
    let (n, of) = (read.n_orphans, read.n_rows + read.n_orphans);
    let severity = match share(n, of) {
        _ if source.drop_missing_account => Severity::Note,
        WRONG_SHARE.. => Severity::Error,
        _ => Severity::Warning,
    };
    let summary = format!(
        "{} of {of} rows ({n}) are of no account, or of one that is not listed; they were left out",
        percent(n, of)
    );
    (n > 0).then(|| Finding::new("orphan-rows", name, severity, summary).with("rows left out", n).with("rows", of))
}

fn before_start(name: &str, read: &SourceRead) -> Option<Finding> {
    let outside = read.before_start;
    let many = share(outside.accounts, read.n_accounts) >= ACCOUNTS_SHARE && outside.accounts >= ACCOUNTS;
    let severity =
        by_share(share(outside.rows, read.n_rows)).min(if many { Severity::Warning } else { Severity::Note });
    let summary = format!(
        "{} of the rows ({} of {}) are dated before their account's first day",
        percent(outside.rows, read.n_rows),
        outside.rows,
        read.n_rows
    );
    let found = Finding::new("rows-before-start", name, severity, summary)
        .with("rows before", outside.rows)
        .with("rows", read.n_rows)
        .with("accounts with such rows", outside.accounts)
        .with("accounts with rows", read.n_accounts);
    (outside.rows > 0).then_some(found)
}

fn before_via(name: &str, source: &Source, read: &SourceRead) -> Option<Finding> {
    let via = source.account_via.as_ref()?.source.get_ref();
    let (n, of) = (read.n_before_via, read.n_rows);
    let summary = format!(
        "{} of the rows ({n} of {of}) are dated before the row of `{via}` that says whose they are",
        percent(n, of)
    );
    let found = Finding::new("rows-before-via", name, by_share(share(n, of)), summary);
    (n > 0).then(|| found.with("rows before", n).with("rows", of))
}

fn after_end(name: &str, read: &SourceRead) -> Option<Finding> {
    let outside = read.after_end;
    let many = share(outside.accounts, read.n_left) >= ACCOUNTS_SHARE && outside.accounts >= ACCOUNTS;
    let severity = if many { Severity::Warning } else { Severity::Note };
    let summary = format!(
        "{} accounts of {} that left have rows more than {AFTER_END_DAYS} days later ({} rows)",
        outside.accounts, read.n_left, outside.rows
    );
    let found = Finding::new("rows-after-end", name, severity, summary)
        .with("rows after", outside.rows)
        .with("accounts with such rows", outside.accounts)
        .with("accounts that left and have rows", read.n_left);
    (outside.rows > 0).then_some(found)
}

fn after_data(book: &Book, name: &str, read: &SourceRead) -> Option<Finding> {
    let (n, far) = (read.n_after_data, read.n_long_after_data);
    let severity = if far > 0 { Severity::Warning } else { Severity::Note };
    let end = book.data_end();
    let summary =
        format!("{n} rows are dated after the data's end, {end}; {far} of them more than {AFTER_DATA_DAYS} days after");
    (n > 0).then(|| {
        Finding::new("rows-after-data-end", name, severity, summary).with("rows after", n).with("rows", read.n_rows)
    })
}

fn late(name: &str, source: &Source, read: &SourceRead) -> Option<Finding> {
    let n = read.delays.iter().sum::<usize>();
    if source.known_at.is_none() || n == 0 || source.account_via.is_some() {
        return None;
    }
    let bulk = read.late_on.iter().max_by_key(|&(day, n)| (*n, std::cmp::Reverse(*day)));
    let very_late = share(read.delays[4], n);
    let with_delays = |found: Finding| {
        let classes = ["on its day", "up to 7 days", "up to 30 days", "up to 90 days", "more than 90 days"];
        classes.iter().zip(read.delays).fold(found, |found, (class, of)| found.with(class, percent(of, n)))
    };
    if let Some((&day, &on_day)) = bulk.filter(|&(_, &on_day)| share(on_day, n) >= BULK_SHARE) {
        let day = Date::from_days(day);
        let summary = format!(
            "{} of the rows ({on_day}) became known more than {LATE_DAYS} days late, all on {day}",
            percent(on_day, n)
        );
        return Some(with_delays(Finding::new("backfilled", name, Severity::Warning, summary)));
    }
    if very_late >= VERY_LATE_SHARE {
        let summary = format!(
            "{} of the rows ({}) became known more than {VERY_LATE_DAYS} days late",
            percent(read.delays[4], n),
            read.delays[4]
        );
        return Some(with_delays(Finding::new("backfilled", name, Severity::Warning, summary)));
    }
    let later = n - read.delays[0];
    let summary = format!("{} of the rows are known later than on their day", percent(later, n));
    (later > 0).then(|| with_delays(Finding::new("late-rows", name, Severity::Note, summary)))
}
