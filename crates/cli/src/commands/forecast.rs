//! `bellwether forecast`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bellwether_book::{Column, FeatureTable, Table, check_output, write_table, write_text};
use bellwether_core::{Date, Digest, FeatureMatrix, Outcome, Progress, RevenueChanges};
use bellwether_evaluate::forecast::{
    BacktestSummary, ForecastCase, GroupForecast, Movement, Outlook, Quantity, RevenueForecast, StepForecast, summarise,
};
use bellwether_report::{ForecastBacktestReport, ForecastReport, Rendered, ReportError};
use serde::Serialize;

use crate::args::Forecast;
use crate::failure::{Failure, Unexpected as _};
use crate::output::{print_json, print_text};
use crate::pipeline::opened::Opened;
use crate::pipeline::revenue::{self, Past};
use crate::progress::{Bars, say};

/// The forecast as of one day, for scripts.
#[derive(Serialize)]
struct Forecasted<'a> {
    model: &'a str,
    digest: &'a Digest,
    as_of: Date,
    customers_without_revenue: usize,
    #[serde(flatten)]
    forecast: &'a RevenueForecast,
}

/// Forecasts of past days, for scripts.
#[derive(Serialize)]
struct Backtested<'a> {
    model: &'a str,
    digest: &'a Digest,
    summaries: &'a [BacktestSummary],
    cases: &'a [ForecastCase],
}

pub(crate) fn run(arguments: &Forecast) -> Result<(), Failure> {
    let bars = Bars::default();
    if let Some(out) = &arguments.out {
        check_output(out)?;
    }
    let opened = Opened::open(&arguments.book, &arguments.model, &bars)?;
    let changes = changes(&opened, &arguments.book)?;
    match arguments.as_of {
        Some(as_of) => ahead(arguments, &opened, changes, as_of, &bars),
        None => back(arguments, &opened, changes, &bars),
    }
}

/// The forecast as of one day.
fn ahead(
    arguments: &Forecast,
    opened: &Opened,
    changes: &RevenueChanges,
    as_of: Date,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    say(&format!("forecasting {} as of {as_of}", arguments.book.display()));
    let table = opened.book.as_of(as_of, progress)?;
    let (rows, n_unknown) = revenue::customers(&table, 0..table.n_rows());
    if rows.is_empty() {
        let message = format!("no account is a customer with revenue as of {as_of}");
        return Err(Failure::refused(message, "name a day on which there are customers, or see [value] in book.toml"));
    }
    let x = opened.encode(&table)?;
    let seed = opened.bundle.provenance().seed;
    let forecast = revenue::forecast(&opened.scorer, changes, (&table, &x), &rows, seed, progress)?;
    let report = ForecastReport {
        title: format!("{}: recurring revenue from {as_of}", opened.bundle.name()),
        as_of,
        n_without_revenue: n_unknown,
        forecast,
    };
    write_page(arguments, || bellwether_report::render_forecast(&report))?;
    if let Some(out) = &arguments.out {
        write_table(&forecast_table(&report), out)?;
    }
    if !arguments.json {
        return print_text(&bellwether_report::forecast_text(&report));
    }
    print_json(&Forecasted {
        model: opened.bundle.name(),
        digest: opened.bundle.digest(),
        as_of,
        customers_without_revenue: n_unknown,
        forecast: &report.forecast,
    })
}

/// Forecasts of past days beside what happened.
fn back(
    arguments: &Forecast,
    opened: &Opened,
    changes: &RevenueChanges,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let days = test_days(opened, changes)?;
    say(&format!("forecasting {} as of {} past days", arguments.book.display(), days.len()));
    let cases = cases(opened, changes, &days, progress)?;
    let report = ForecastBacktestReport {
        title: format!("{}: forecasts of past days", opened.bundle.name()),
        summaries: summarise(&cases),
        cases,
    };
    write_page(arguments, || bellwether_report::render_forecast_backtest(&report))?;
    if let Some(out) = &arguments.out {
        write_table(&cases_table(&report.cases), out)?;
    }
    if !arguments.json {
        return print_text(&bellwether_report::forecast_backtest_text(&report));
    }
    let (model, digest) = (opened.bundle.name(), opened.bundle.digest());
    print_json(&Backtested { model, digest, summaries: &report.summaries, cases: &report.cases })
}

/// What the bundle knows of revenue.
fn changes<'a>(opened: &'a Opened, book: &Path) -> Result<&'a RevenueChanges, Failure> {
    let book = book.display();
    if opened.book.file().config.value.is_none() {
        let message = format!("{book} declares no value, so there is no revenue to forecast");
        return Err(Failure::refused(
            message,
            "name the feature with the recurring revenue in [value], and train again",
        ));
    }
    if opened.scorer.targets().all(|target| target.outcome != Outcome::Churn) {
        let message = format!("the bundle {} has no model of churn", opened.bundle.name());
        return Err(Failure::refused(message, "declare [targets.churn] in book.toml, and train again"));
    }
    opened.bundle.revenue().ok_or_else(|| {
        let message = format!("the bundle {} holds nothing about revenue (revenue.json)", opened.bundle.name());
        Failure::refused(message, "train again: bundles of earlier releases and of books without dates have none")
    })
}

/// The snapshot days of the bundle's test part whose longest horizon is known.
fn test_days(opened: &Opened, changes: &RevenueChanges) -> Result<Vec<Date>, Failure> {
    let longest = changes.horizons.last().map_or(0, |of| of.horizon_days) as i32;
    let test = opened.bundle.provenance().split.get("test").and_then(|test| test.get(0)).and_then(|day| day.as_str());
    let first: Date = test
        .ok_or_else(|| Failure::refused("the bundle was not tested on later days".to_owned(), "split by time"))?
        .parse()
        .unexpected("reading the bundle's split")?;
    let known = |day: &Date| *day >= first && day.plus_days(longest) <= opened.book.data_end();
    let days: Vec<Date> = opened.book.snapshot_days().into_iter().filter(known).collect();
    if days.is_empty() {
        let message = format!("no test day from {first} on has {longest} days of data after it");
        return Err(Failure::refused(message, "deliver data until at least the longest horizon after a test day"));
    }
    Ok(days)
}

fn cases(
    opened: &Opened,
    changes: &RevenueChanges,
    days: &[Date],
    progress: &dyn Progress,
) -> Result<Vec<ForecastCase>, Failure> {
    let horizons: Vec<u32> = changes.horizons.iter().map(|of| of.horizon_days).collect();
    // The windows before, whose rates are carried forward.
    let before = days.iter().flat_map(|day| horizons.iter().map(|&days| day.plus_days(-(days as i32))));
    let all: Vec<Date> = days.iter().copied().chain(before).collect::<BTreeSet<_>>().into_iter().collect();
    let table = opened.book.history(&all, progress)?.table;
    let x = opened.encode(&table)?;
    let rows: Vec<usize> = (0..table.n_rows()).collect();
    let mut past = BTreeMap::new();
    for &horizon_days in &horizons {
        past.insert(horizon_days, Past::of(&opened.book, &table, &rows, horizon_days, progress)?);
    }
    let moved = |day: Date, horizon_days: u32| past[&horizon_days].as_ref().and_then(|past| past.movement(day));
    let mut cases = Vec::new();
    for &as_of in days {
        for step in &of_day(opened, changes, (&table, &x), as_of, progress)?.steps {
            let horizon_days = step.horizon_days;
            let Some(actual) = moved(as_of, horizon_days) else { continue };
            let last = moved(as_of.plus_days(-(horizon_days as i32)), horizon_days);
            let last = last.map(|last| last.carried_to(actual.start));
            let none = Movement { start: actual.start, ..Movement::default() };
            cases.extend(Quantity::ALL.map(|quantity| ForecastCase {
                as_of,
                horizon_days,
                quantity,
                outlook: outlook(step, quantity),
                actual: amount(&actual, quantity),
                last_rates: last.as_ref().map(|last| amount(last, quantity)),
                no_change: amount(&none, quantity),
            }));
        }
    }
    Ok(cases)
}

fn of_day(
    opened: &Opened,
    changes: &RevenueChanges,
    (table, x): (&FeatureTable, &FeatureMatrix),
    as_of: Date,
    progress: &dyn Progress,
) -> Result<GroupForecast, Failure> {
    let of_day = (0..table.n_rows()).filter(|&row| table.keys[row].as_of == as_of);
    let (rows, _) = revenue::customers(table, of_day);
    let seed = opened.bundle.provenance().seed;
    Ok(revenue::forecast(&opened.scorer, changes, (table, x), &rows, seed, progress)?.all)
}

const fn outlook(step: &StepForecast, quantity: Quantity) -> Outlook {
    match quantity {
        Quantity::Churned => step.churned,
        Quantity::Expanded => step.expanded,
        Quantity::Contracted => step.contracted,
        Quantity::End => step.end,
    }
}

const fn amount(of: &Movement, quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Churned => of.churned,
        Quantity::Expanded => of.expanded,
        Quantity::Contracted => of.contracted,
        Quantity::End => of.end(),
    }
}

fn write_page(arguments: &Forecast, render: impl FnOnce() -> Result<Rendered, ReportError>) -> Result<(), Failure> {
    if let Some(path) = &arguments.html {
        write_text(&render().unexpected("drawing the forecast")?.html, path)?;
    }
    Ok(())
}

/// One row a group, horizon and quantity; money and shares since the day of the forecast.
fn forecast_table(report: &ForecastReport) -> Table {
    let mut rows = Vec::new();
    for group in std::iter::once(&report.forecast.all).chain(&report.forecast.groups) {
        for step in &group.steps {
            let quantities = [
                ("churned", Some(step.churned)),
                ("expanded", Some(step.expanded)),
                ("contracted", Some(step.contracted)),
                ("end", Some(step.end)),
                ("nrr", step.nrr),
                ("grr", step.grr),
                ("churned_in_step", Some(step.churned_in_step)),
                ("expanded_in_step", Some(step.expanded_in_step)),
                ("contracted_in_step", Some(step.contracted_in_step)),
            ];
            rows.extend(quantities.into_iter().filter_map(|(name, of)| Some((group, step, name, of?))));
        }
    }
    let text = |value: &dyn Fn(&(&GroupForecast, &StepForecast, &str, Outlook)) -> Option<String>| {
        Column::Text(rows.iter().map(value).collect())
    };
    let number = |value: &dyn Fn(&(&GroupForecast, &StepForecast, &str, Outlook)) -> f64| {
        Column::Float(rows.iter().map(|row| Some(value(row))).collect())
    };
    let until = |step: &StepForecast| report.as_of.plus_days(step.horizon_days as i32);
    Table::default()
        .with("as_of", Column::Date(rows.iter().map(|_| Some(report.as_of)).collect()))
        .with("until", Column::Date(rows.iter().map(|row| Some(until(row.1))).collect()))
        .with("horizon_days", Column::Int(rows.iter().map(|row| Some(row.1.horizon_days.into())).collect()))
        .with("dimension", text(&|row| row.0.dimension.clone()))
        .with("level", text(&|row| row.0.level.clone()))
        .with("n_accounts", Column::Int(rows.iter().map(|row| Some(row.0.n_accounts as i64)).collect()))
        .with("start", number(&|row| row.0.start))
        .with("quantity", text(&|row| Some(row.2.to_owned())))
        .with("expected", number(&|row| row.3.expected))
        .with("low_80", number(&|row| row.3.within_80.0))
        .with("high_80", number(&|row| row.3.within_80.1))
        .with("low_95", number(&|row| row.3.within_95.0))
        .with("high_95", number(&|row| row.3.within_95.1))
}

/// One row a past day, horizon and quantity.
fn cases_table(cases: &[ForecastCase]) -> Table {
    let number = |value: &dyn Fn(&ForecastCase) -> Option<f64>| Column::Float(cases.iter().map(value).collect());
    Table::default()
        .with("as_of", Column::Date(cases.iter().map(|case| Some(case.as_of)).collect()))
        .with("horizon_days", Column::Int(cases.iter().map(|case| Some(case.horizon_days.into())).collect()))
        .with("quantity", Column::Text(cases.iter().map(|case| Some(case.quantity.name().to_owned())).collect()))
        .with("actual", number(&|case| Some(case.actual)))
        .with("expected", number(&|case| Some(case.outlook.expected)))
        .with("low_80", number(&|case| Some(case.outlook.within_80.0)))
        .with("high_80", number(&|case| Some(case.outlook.within_80.1)))
        .with("low_95", number(&|case| Some(case.outlook.within_95.0)))
        .with("high_95", number(&|case| Some(case.outlook.within_95.1)))
        .with("last_rates", number(&|case| case.last_rates))
        .with("no_change", number(&|case| Some(case.no_change)))
}
