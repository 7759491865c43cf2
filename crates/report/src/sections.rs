//! The sections that all targets share.

use bellwether_core::Direction;

use crate::markdown::{bullets, escape, escape_block};
use crate::number::{NOTHING, Number};
use crate::summary;
use crate::table::{Align, Cell, Table};
use crate::training::{TargetReport, TrainingReport};
use crate::words::title;

/// Title, facts, summary and warnings.
pub(crate) fn opening(report: &TrainingReport) -> String {
    let fact = |(name, value): &(String, String)| format!("**{}:** {}", escape(name), escape(value));
    let facts = bullets(report.facts.iter().map(fact));
    let in_short = |of: &TargetReport| format!("### {}, in short\n\n{}\n", title(of.target), summary::of_target(of));
    let of_targets = report.targets.iter().map(in_short).collect::<Vec<_>>().concat();
    let notes = if report.notes.is_empty() {
        "There are none.\n".to_owned()
    } else {
        bullets(report.notes.iter().map(|note| escape_block(note)))
    };
    let title = escape(&report.title);
    format!("# {title}\n\n{facts}\n## Summary\n\n{of_targets}### Warnings and waivers\n\n{notes}")
}

/// Features with how often they are missing.
pub(crate) fn features(report: &TrainingReport) -> String {
    let mut table = Table::new(&[
        ("feature", Align::Left),
        ("category", Align::Left),
        ("healthier", Align::Left),
        ("missing in training rows", Align::Right),
    ]);
    for row in &report.features {
        let good = match row.good {
            None => NOTHING,
            Some(Direction::Up) => "higher",
            Some(Direction::Down) => "lower",
        };
        table.row([
            Cell::name(&row.name),
            category(row.category.as_ref()),
            good.into(),
            Cell::number(Number::Percent, Some(row.missing_share)),
        ]);
    }
    format!("## Features\n\n{}", table.markdown())
}

/// What was read.
pub(crate) fn sources(report: &TrainingReport) -> String {
    let mut table = Table::new(&[
        ("source", Align::Left),
        ("rows", Align::Right),
        ("of unknown accounts", Align::Right),
        ("first day", Align::Left),
        ("last day", Align::Left),
    ]);
    for row in &report.sources {
        let day = |day: Option<bellwether_core::Date>| day.map_or_else(|| NOTHING.to_owned(), |day| day.to_string());
        table.row([
            Cell::name(&row.name),
            Cell::count(row.n_rows),
            Cell::count(row.n_orphans),
            day(row.days.map(|days| days.0)).into(),
            day(row.days.map(|days| days.1)).into(),
        ]);
    }
    format!("## Sources\n\n{}", table.markdown())
}

/// A section of names and values.
pub(crate) fn pairs(heading: &str, columns: [&'static str; 2], pairs: &[(String, String)]) -> String {
    let mut table = Table::new(&columns.map(|column| (column, Align::Left)));
    for (name, value) in pairs {
        table.row([Cell::words(name), Cell::words(value)]);
    }
    format!("## {heading}\n\n{}", table.markdown())
}

/// A category, or a dash.
pub(crate) fn category(category: Option<&String>) -> Cell {
    category.map_or_else(|| NOTHING.into(), |category| Cell::words(category))
}
