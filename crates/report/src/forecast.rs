//! Forecasts of revenue, ahead and of past days, for a terminal and as a page.

use std::fmt::Write as _;

use bellwether_core::Date;
use bellwether_evaluate::forecast::{
    BacktestSummary, ForecastCase, GroupForecast, Outlook, Quantity, RevenueForecast, StepForecast,
};

use crate::figures;
use crate::markdown::escape;
use crate::number::{NOTHING, Number, amount, count};
use crate::table::{Align, Cell, Table};
use crate::{Rendered, ReportError, page};

/// A forecast and what is to be said with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastReport {
    /// The heading.
    pub title: String,
    /// The last day that the forecast knows.
    pub as_of: Date,
    /// Customers of unknown revenue, or of none.
    pub n_without_revenue: usize,
    /// The forecast.
    pub forecast: RevenueForecast,
}

/// Forecasts of past days beside what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastBacktestReport {
    /// The heading.
    pub title: String,
    /// By day, horizon and quantity.
    pub cases: Vec<ForecastCase>,
    /// By quantity and horizon.
    pub summaries: Vec<BacktestSummary>,
}

const NOT_IN_IT: &str = "Customers who may sign up are not in it.";
const NET: &str = "Gains and losses are those of an account between two days, not of each of its events.";
const OVERLAP: &str =
    "Windows of neighbouring days overlap: their hits and misses come together, so few days say little.";

/// The forecast for a terminal.
pub fn forecast_text(report: &ForecastReport) -> String {
    let tables = tables(report).into_iter().map(|(heading, table)| format!("{heading}\n{}", table.text()));
    let parts = [format!("{}\n{}", report.title, opening(report))].into_iter().chain(tables);
    parts.chain([format!("{NOT_IN_IT}\n{NET}")]).collect::<Vec<_>>().join("\n\n")
}

/// The forecast as Markdown and as one page, with a fan.
///
/// # Errors
/// [`ReportError::Figure`] if the figure can't be drawn.
pub fn render_forecast(report: &ForecastReport) -> Result<Rendered, ReportError> {
    let figures = figures::draw_forecast(report)?;
    let mut markdown = format!(
        "# {}\n\n{}\n\n![Recurring revenue]({})\n",
        escape(&report.title),
        escape(&opening(report)),
        figures::FAN
    );
    for (heading, table) in tables(report) {
        let _ = write!(markdown, "\n## {}\n\n{}", escape(&heading), table.markdown());
    }
    let _ = write!(markdown, "\n## What it is\n\n{NOT_IN_IT} {NET}\n");
    let html = page::page(&report.title, &markdown, &figures);
    Ok(Rendered { markdown, figures, html })
}

/// The comparison for a terminal.
pub fn forecast_backtest_text(report: &ForecastBacktestReport) -> String {
    let (summary, cases) = (summary_table(&report.summaries).text(), case_table(&report.cases).text());
    format!("{}\n\n{summary}\n\n{cases}\n\n{OVERLAP}", report.title)
}

/// The comparison as Markdown and as one page.
///
/// # Errors
/// [`ReportError::Figure`] if the figure can't be drawn.
pub fn render_forecast_backtest(report: &ForecastBacktestReport) -> Result<Rendered, ReportError> {
    let figures = figures::draw_forecast_backtest(report)?;
    let markdown = format!(
        "# {}\n\n![Forecasts of past days]({})\n\n## In all\n\n{}\n{}\n\n## Day by day\n\n{}",
        escape(&report.title),
        figures::BACKTEST,
        summary_table(&report.summaries).markdown(),
        escape(OVERLAP),
        case_table(&report.cases).markdown(),
    );
    let html = page::page(&report.title, &markdown, &figures);
    Ok(Rendered { markdown, figures, html })
}

fn opening(report: &ForecastReport) -> String {
    let all = &report.forecast.all;
    let without = match report.n_without_revenue {
        0 => String::new(),
        n => format!("; {} customers without known revenue are left out", count(n)),
    };
    format!("{} customers with {} a year{without}", count(all.n_accounts), amount(all.start))
}

fn tables(report: &ForecastReport) -> Vec<(String, Table)> {
    let all = &report.forecast.all;
    let mut tables = vec![
        ("Expected in each step".to_owned(), steps_table(report.as_of, all)),
        (format!("Since {}", report.as_of), since_table(report.as_of, all)),
    ];
    if let Some(last) = all.steps.last().filter(|_| !report.forecast.groups.is_empty()) {
        let until = report.as_of.plus_days(last.horizon_days as i32);
        tables.push((format!("By segment, until {until}"), groups_table(&report.forecast.groups)));
    }
    tables
}

const fn right(name: &'static str) -> (&'static str, Align) {
    (name, Align::Right)
}

fn steps_table(as_of: Date, all: &GroupForecast) -> Table {
    let columns = ["start", "churned", "expanded", "contracted", "end"].map(right);
    let mut table = Table::new(&[&[("until", Align::Left)], &columns[..]].concat());
    let mut start = all.start;
    for step in &all.steps {
        let amounts = [
            start,
            step.churned_in_step.expected,
            step.expanded_in_step.expected,
            step.contracted_in_step.expected,
            step.end.expected,
        ];
        table.row([until(as_of, step)].into_iter().chain(amounts.map(|x| Cell::from(amount(x)))));
        start = step.end.expected;
    }
    table
}

fn since_table(as_of: Date, all: &GroupForecast) -> Table {
    let columns = ["expected", "80 % interval", "95 % interval"].map(right);
    let mut table = Table::new(&[&[("until", Align::Left), ("what", Align::Left)], &columns[..]].concat());
    for step in &all.steps {
        let money = [
            ("churned", step.churned),
            ("expanded", step.expanded),
            ("contracted", step.contracted),
            ("end", step.end),
        ];
        for (what, of) in money {
            table.row([until(as_of, step), Cell::from(what)].into_iter().chain(cells(&of, amount)));
        }
        for (what, of) in [("NRR", step.nrr), ("GRR", step.grr)] {
            if let Some(of) = of {
                let percent = |x: f64| Number::Percent.of(x);
                table.row([until(as_of, step), Cell::from(what)].into_iter().chain(cells(&of, percent)));
            }
        }
    }
    table
}

fn until(as_of: Date, step: &StepForecast) -> Cell {
    Cell::from(as_of.plus_days(step.horizon_days as i32).to_string())
}

fn cells(of: &Outlook, text: impl Fn(f64) -> String) -> [Cell; 3] {
    let interval = |(low, high): (f64, f64)| format!("{} to {}", text(low), text(high));
    [text(of.expected), interval(of.within_80), interval(of.within_95)].map(Cell::from)
}

fn groups_table(groups: &[GroupForecast]) -> Table {
    let columns = ["accounts", "start", "churned", "expanded", "end", "80 % interval", "NRR"].map(right);
    let mut table = Table::new(&[&[("segment", Align::Left), ("level", Align::Left)], &columns[..]].concat());
    for group in groups {
        let Some(last) = group.steps.last() else { continue };
        let amounts = [group.start, last.churned.expected, last.expanded.expected, last.end.expected].map(amount);
        let interval = format!("{} to {}", amount(last.end.within_80.0), amount(last.end.within_80.1));
        let nrr = Number::Percent.or_undefined(last.nrr.map(|nrr| nrr.expected));
        let name = |text: &Option<String>| Cell::name(text.as_deref().unwrap_or("(all)"));
        let cells = [name(&group.dimension), name(&group.level), Cell::count(group.n_accounts)];
        table.row(cells.into_iter().chain(amounts.map(Cell::from)).chain([interval, nrr].map(Cell::from)));
    }
    table
}

fn summary_table(summaries: &[BacktestSummary]) -> Table {
    let columns = ["days", "n", "in 80 %", "in 95 %", "bias", "error", "last rates", "no change"].map(right);
    let mut table = Table::new(&[&[("quantity", Align::Left)], &columns[..]].concat());
    for of in summaries {
        let share = |hits: usize| format!("{hits} of {}", of.n);
        let bias = of.bias.map_or_else(|| NOTHING.to_owned(), |bias| format!("{:+.1} %", 100.0 * bias));
        table.row([
            Cell::from(of.quantity.name()),
            Cell::from(of.horizon_days.to_string()),
            Cell::count(of.n),
            Cell::from(share(of.inside_80)),
            Cell::from(share(of.inside_95)),
            Cell::from(bias),
            Cell::from(amount(of.error)),
            Cell::from(of.error_of_last_rates.map_or_else(|| NOTHING.to_owned(), amount)),
            Cell::from(amount(of.error_of_no_change)),
        ]);
    }
    table
}

fn case_table(cases: &[ForecastCase]) -> Table {
    let columns = ["days", "actual", "forecast", "80 % interval", "95 % interval"].map(right);
    let head = [("as of", Align::Left), ("quantity", Align::Left)];
    let mut table = Table::new(&[&head, &columns[..], &[("found", Align::Left)]].concat());
    let mut sorted: Vec<&ForecastCase> = cases.iter().collect();
    sorted.sort_by_key(|case| (case.quantity, case.horizon_days, case.as_of));
    for case in sorted.into_iter().filter(|case| is_shown(case)) {
        let found = match (case.is_inside_80(), case.is_inside_95()) {
            (true, _) => "in 80 %",
            (_, true) => "in 95 %",
            _ => "missed",
        };
        let head = [
            Cell::from(case.as_of.to_string()),
            Cell::from(case.quantity.name()),
            Cell::from(case.horizon_days.to_string()),
            Cell::from(amount(case.actual)),
        ];
        table.row(head.into_iter().chain(cells(&case.outlook, amount)).chain([Cell::from(found)]));
    }
    table
}

/// What nobody forecast and what did not happen is not worth a line.
fn is_shown(case: &ForecastCase) -> bool {
    case.quantity == Quantity::End || case.actual != 0.0 || case.outlook.expected != 0.0
}
