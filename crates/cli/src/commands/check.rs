//! `bellwether check`

use std::fmt::Write as _;

use bellwether_book::{Audit, Book, BookFile, Finding, RULES, Severity, write_text};
use bellwether_core::Date;
use serde::Serialize;

use crate::args::Check;
use crate::failure::Failure;
use crate::output::{grouped, print_json, print_text};
use crate::pipeline::audit;
use crate::pipeline::prepare::{Built, Part, Prepared};
use crate::progress::Bars;

/// What a book holds.
#[derive(Serialize)]
struct Checked {
    name: String,
    accounts: usize,
    rows: usize,
    features: usize,
    data_end: Option<Date>,
    sources: Vec<SourceCheck>,
    targets: Vec<TargetCheck>,
    missing: Vec<MissingShare>,
    warnings: Vec<String>,
    findings: Vec<Finding>,
    replay: ReplayCheck,
}

/// What became of features when what came later was erased.
#[derive(Serialize)]
struct ReplayCheck {
    rows: usize,
    erased: usize,
    values: usize,
    different: usize,
}

#[derive(Serialize)]
struct SourceCheck {
    name: String,
    rows: usize,
    rows_of_unlisted_accounts: usize,
    first_day: Option<Date>,
    last_day: Option<Date>,
}

#[derive(Serialize)]
struct TargetCheck {
    target: String,
    parts: Vec<PartCheck>,
}

#[derive(Serialize)]
struct PartCheck {
    part: &'static str,
    rows: usize,
    events: usize,
}

#[derive(Serialize)]
struct MissingShare {
    feature: String,
    share: f64,
}

pub(crate) fn run(arguments: &Check) -> Result<(), Failure> {
    let Some(book) = &arguments.book else {
        return if arguments.json { print_json(&RULES) } else { print_text(&rules()) };
    };
    let bars = Bars::default();
    let book = Book::open(BookFile::read(book)?, &bars)?;
    let built = Built::of(book, &bars)?;
    let audit = audit::of(&built, arguments.seed, &bars)?;
    if let Some(path) = &arguments.html {
        write_text(&audit::page(&built, &audit)?, path)?;
    }
    let mut checked = checked(&built, &audit);
    // A book that can't be learnt from is audited all the same, and then refused.
    let learnt = Prepared::of(&built, arguments.seed).and_then(|prepared| checked.add_parts(&prepared));
    if arguments.json {
        print_json(&checked)?;
    } else {
        print_text(&text(&checked))?;
    }
    audit::require(&audit)?;
    learnt
}

impl Checked {
    /// What a book shows once it is split and encoded.
    fn add_parts(&mut self, prepared: &Prepared) -> Result<(), Failure> {
        self.features = prepared.schema.len();
        self.warnings.clone_from(&prepared.warnings);
        let missing = (0..prepared.schema.len()).filter_map(|column| {
            let values = prepared.x.column(column);
            let n_missing = values.iter().filter(|value| value.is_nan()).count();
            let share = n_missing as f64 / values.len() as f64;
            (n_missing > 0).then(|| MissingShare { feature: prepared.schema.features()[column].name.clone(), share })
        });
        self.missing = missing.collect();
        for target in prepared.targets() {
            let mut parts = Vec::new();
            for part in [Part::Training, Part::Calibration, Part::Test] {
                let rows = prepared.rows(target, part)?;
                let events = rows.y.iter().filter(|&&y| y).count();
                parts.push(PartCheck { part: part.name(), rows: rows.rows.len(), events });
            }
            self.targets.push(TargetCheck { target: target.to_string(), parts });
        }
        Ok(())
    }
}

fn checked(built: &Built, audit: &Audit) -> Checked {
    let book = &built.book;
    let sources = book.summaries().into_iter().map(|source| SourceCheck {
        name: source.name,
        rows: source.n_rows,
        rows_of_unlisted_accounts: source.n_orphans,
        first_day: source.days.map(|days| days.0),
        last_day: source.days.map(|days| days.1),
    });
    Checked {
        name: book.file().config.name.get_ref().clone(),
        accounts: book.n_accounts(),
        rows: built.table.n_rows(),
        features: built.table.raw.columns.len(),
        data_end: book.has_time().then(|| book.data_end()),
        sources: sources.collect(),
        targets: Vec::new(),
        missing: Vec::new(),
        warnings: Vec::new(),
        findings: audit.findings.clone(),
        replay: ReplayCheck {
            rows: audit.replay.n_rows,
            erased: audit.replay.n_erased,
            values: audit.replay.n_values,
            different: audit.replay.n_different,
        },
    }
}

fn text(checked: &Checked) -> String {
    let mut text = format!(
        "{}: {} accounts, {} rows, {} features",
        checked.name,
        grouped(checked.accounts),
        grouped(checked.rows),
        checked.features
    );
    if let Some(day) = checked.data_end {
        let _ = write!(text, ", data until {day}");
    }
    let _ = write!(text, "\n\n{:<24} {:>12}  first day   last day", "source", "rows");
    for source in &checked.sources {
        let day = |day: Option<Date>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        let (first, last) = (day(source.first_day), day(source.last_day));
        let _ = write!(text, "\n{:<24} {:>12}  {first:<10}  {last}", source.name, grouped(source.rows));
    }
    if !checked.targets.is_empty() {
        let _ = write!(text, "\n\n{:<24} {:<12} {:>10} {:>10} {:>8}", "target", "part", "rows", "events", "rate");
    }
    for target in &checked.targets {
        for part in &target.parts {
            let rate = 100.0 * part.events as f64 / part.rows as f64;
            let (rows, events) = (grouped(part.rows), grouped(part.events));
            let _ = write!(text, "\n{:<24} {:<12} {rows:>10} {events:>10} {rate:>7.2}%", target.target, part.part);
        }
    }
    if !checked.missing.is_empty() {
        let _ = write!(text, "\n\n{:<44} {:>8}", "feature", "missing");
        for missing in &checked.missing {
            let _ = write!(text, "\n{:<44} {:>7.2}%", missing.feature, 100.0 * missing.share);
        }
    }
    for warning in &checked.warnings {
        let _ = write!(text, "\n\nwarning: {warning}");
    }
    let replay = &checked.replay;
    if replay.values > 0 {
        let (rows, values, erased) = (grouped(replay.rows), grouped(replay.values), grouped(replay.erased));
        let different = grouped(replay.different);
        let _ = write!(
            text,
            "\n\nfuture erased: {rows} rows built again without what came later ({erased} erasures); of {values} \
            values {different} differ"
        );
    }
    for found in &checked.findings {
        text.push_str("\n\n");
        text.push_str(&finding(found));
    }
    let count = |severity: Severity| checked.findings.iter().filter(|found| found.severity == severity).count();
    let waived = checked.findings.iter().filter(|found| found.waived.is_some()).count();
    let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Note].map(count);
    let _ = write!(text, "\n\n{errors} errors, {warnings} warnings, {notes} notes; {waived} waived");
    text
}

/// One finding: what, how much, what to do, and why it is accepted where it is.
fn finding(found: &Finding) -> String {
    let mut text = format!("{}: {}\n  {}", found.severity.name(), found.id, found.summary);
    if found.severity != Severity::Note {
        let _ = write!(text, "\n  to do: {}", found.advice);
    }
    if let Some(reason) = &found.waived {
        let _ = write!(text, "\n  waived: {reason}");
    }
    text
}

/// The catalogue of rules.
fn rules() -> String {
    let one = |rule: &bellwether_book::Rule| {
        format!(
            "{} ({})\n  finds: {}\n  limits: {}\n  reason: {}\n  to do: {}",
            rule.id, rule.family, rule.finds, rule.limits, rule.reason, rule.advice
        )
    };
    RULES.iter().map(one).collect::<Vec<_>>().join("\n\n")
}
