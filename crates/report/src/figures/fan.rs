//! Revenue to come as a fan, and past forecasts beside what happened.

use bellwether_evaluate::forecast::{ForecastCase, Quantity, StepForecast};
use plotters::prelude::*;

use super::axes::{Axis, Chart, Ticks, chart, dot, line};
use super::canvas::{BLUE, DrawError, GREY, Mark, VERMILLION, WIDTH, draw, header};
use crate::forecast::{ForecastBacktestReport, ForecastReport};

const SIZE: (u32, u32) = (WIDTH, 480);
/// Shades of the wide and the narrow interval.
const WIDE: f64 = 0.15;
const NARROW: f64 = 0.3;

/// The fan of all accounts.
pub(super) fn fan(report: &ForecastReport, description: &str) -> Result<String, DrawError> {
    let all = &report.forecast.all;
    let ends = all.steps.iter().flat_map(|step| [step.end.within_95.0, step.end.within_95.1]);
    let y = Axis::new("revenue a year", around(ends.chain([all.start])), Ticks::Count);
    let last_day = all.steps.last().map_or(1, |step| step.horizon_days);
    let x = Axis::new(format!("days after {}", report.as_of), 0.0..f64::from(last_day), Ticks::Count);
    let legend = [
        (Mark::Line(BLUE), "expected, with 80 % and 95 % interval".to_owned()),
        (Mark::Dashes(GREY), "today's revenue".to_owned()),
    ];
    draw(SIZE, description, |area| {
        let area = header(area, "Recurring revenue", &legend)?;
        let mut chart = chart(&area, &x, &y)?;
        band(&mut chart, all.start, &all.steps, WIDE, |step| step.end.within_95)?;
        band(&mut chart, all.start, &all.steps, NARROW, |step| step.end.within_80)?;
        line(&mut chart, [(0.0, all.start), (f64::from(last_day), all.start)], legend[1].0)?;
        let expected = all.steps.iter().map(|step| (f64::from(step.horizon_days), step.end.expected));
        line(&mut chart, [(0.0, all.start)].into_iter().chain(expected), legend[0].0)
    })
}

/// An interval from the start on, as a shade.
fn band(
    chart: &mut Chart<'_, '_>,
    start: f64,
    steps: &[StepForecast],
    shade: f64,
    of: impl Fn(&StepForecast) -> (f64, f64),
) -> Result<(), DrawError> {
    let upper = steps.iter().map(|step| (f64::from(step.horizon_days), of(step).1));
    let lower = steps.iter().rev().map(|step| (f64::from(step.horizon_days), of(step).0));
    let edge: Vec<(f64, f64)> = [(0.0, start)].into_iter().chain(upper).chain(lower).collect();
    chart.draw_series([Polygon::new(edge, BLUE.mix(shade).filled())])?;
    Ok(())
}

/// The revenue at the end of the longest horizon, by day of the forecast.
pub(super) fn past(report: &ForecastBacktestReport, description: &str) -> Result<String, DrawError> {
    let longest = report.cases.iter().map(|case| case.horizon_days).max().unwrap_or(0);
    let is_shown = |case: &&ForecastCase| case.quantity == Quantity::End && case.horizon_days == longest;
    let shown: Vec<&ForecastCase> = report.cases.iter().filter(is_shown).collect();
    let first = shown.iter().map(|case| case.as_of.days()).min().unwrap_or(0);
    let day = |case: &ForecastCase| f64::from(case.as_of.days() - first);
    let last = shown.iter().map(|case| day(case)).fold(0.0, f64::max);
    let values = shown.iter().flat_map(|case| [case.outlook.within_95.0, case.outlook.within_95.1, case.actual]);
    let y = Axis::new(format!("revenue a year, {longest} days on"), around(values), Ticks::Count);
    let label = format!("day of the forecast, days after {}", bellwether_core::Date::from_days(first));
    let x = Axis::new(label, -5.0..last + 5.0, Ticks::Count);
    let legend = [
        (Mark::Dot(VERMILLION), "forecast with 95 % interval".to_owned()),
        (Mark::Line(BLUE), "what happened".to_owned()),
    ];
    draw(SIZE, description, |area| {
        let area = header(area, "Forecasts of past days", &legend)?;
        let mut chart = chart(&area, &x, &y)?;
        line(&mut chart, shown.iter().map(|case| (day(case), case.actual)), legend[1].0)?;
        shown.iter().try_for_each(|case| {
            dot(&mut chart, (day(case), case.outlook.expected), Some(case.outlook.within_95), VERMILLION)
        })
    })
}

/// A range that holds the values with a margin.
fn around(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if !(low.is_finite() && high.is_finite()) {
        return 0.0..1.0;
    }
    let margin = (0.1 * (high - low)).max(0.001 * high.abs()).max(1.0);
    low - margin..high + margin
}
