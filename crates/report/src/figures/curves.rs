//! ROC, precision and recall, lift and gain.

use bellwether_evaluate::{AtK, Estimate};

use super::axes::{Axis, Chart, Ticks, chart, dot, line, rounded_up};
use super::canvas::{BLUE, DrawError, GREY, Mark, VERMILLION, WIDTH, draw, header};
use crate::number::{Number, count};
use crate::training::TargetReport;
use crate::words::did;

const SIZE: (u32, u32) = (WIDTH, 520);
/// Lift on fewer of the rows, and precision at a lower recall, is noise that would set the axis.
const LEAST_SHARE: f64 = 0.01;

pub(super) fn roc(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let (all, curves) = (&report.evaluation.overall, &report.evaluation.curves);
    let legend = [
        (Mark::Line(BLUE), format!("{}, AUC {}", report.chosen, Number::Fixed(3).estimate(&all.roc_auc))),
        (Mark::Dashes(GREY), "by chance, AUC 0.5".to_owned()),
    ];
    let found = did(report.target);
    let x = Axis::new(format!("false alarms, % of {} others", count(all.n - all.n_events)), 0.0..1.0, Ticks::Percent);
    let y = Axis::new(format!("found, % of {} that {found}", count(all.n_events)), 0.0..1.0, Ticks::Percent);
    plot(&format!("ROC, {}", report.target), description, &legend, (&x, &y), |chart| {
        line(chart, [(0.0, 0.0), (1.0, 1.0)], legend[1].0)?;
        line(chart, curves.roc.iter().copied(), legend[0].0)
    })
}

pub(super) fn precision_recall(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let (all, curves) = (&report.evaluation.overall, &report.evaluation.curves);
    let base_rate = all.base_rate.value.unwrap_or(0.0);
    let points: Vec<(f64, f64)> = curves.pr.iter().copied().filter(|&(recall, _)| recall >= LEAST_SHARE).collect();
    let top = rounded_up(points.iter().map(|point| point.1).fold(1.5 * base_rate, f64::max)).min(1.0);
    let legend = [
        (Mark::Line(BLUE), format!("{}, average {}", report.chosen, Number::Fixed(3).estimate(&all.pr_auc))),
        (Mark::Dashes(GREY), format!("base rate {}", Number::Percent.estimate(&all.base_rate))),
    ];
    let found = did(report.target);
    let x = Axis::new(format!("recall, % of {} that {found}", count(all.n_events)), 0.0..1.0, Ticks::Percent);
    let y = Axis::new(format!("precision, % that {found}"), 0.0..top, Ticks::Percent);
    plot(&format!("Precision and recall, {}", report.target), description, &legend, (&x, &y), |chart| {
        line(chart, [(0.0, base_rate), (1.0, base_rate)], legend[1].0)?;
        line(chart, points, legend[0].0)
    })
}

pub(super) fn lift(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let (all, curves) = (&report.evaluation.overall, &report.evaluation.curves);
    let is_drawn = |share: f64| share >= LEAST_SHARE;
    let points: Vec<(f64, f64)> = curves.lift.iter().copied().filter(|point| is_drawn(point.0)).collect();
    let dots = || all.at_k.iter().filter(|at| is_drawn(at.share));
    let highs = points.iter().map(|point| point.1).chain(dots().filter_map(|at| at.lift.high.or(at.lift.value)));
    let top = rounded_up(highs.fold(1.5, f64::max));
    let legend = [
        (Mark::Line(BLUE), report.chosen.clone()),
        (Mark::Dot(VERMILLION), "with 95 % interval".to_owned()),
        (Mark::Dashes(GREY), "picked at random".to_owned()),
    ];
    let x = Axis::new(format!("taken, % of {} rows", count(all.n)), 0.0..1.0, Ticks::Percent);
    let y = Axis::new("lift, times the base rate", 0.0..top, Ticks::Times);
    plot(&format!("Lift, {}", report.target), description, &legend, (&x, &y), |chart| {
        line(chart, [(0.0, 1.0), (1.0, 1.0)], legend[2].0)?;
        line(chart, points, legend[0].0)?;
        tops(chart, dots(), |at| at.lift)
    })
}

pub(super) fn gain(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let (all, curves) = (&report.evaluation.overall, &report.evaluation.curves);
    let legend = [
        (Mark::Line(BLUE), report.chosen.clone()),
        (Mark::Dot(VERMILLION), "with 95 % interval".to_owned()),
        (Mark::Dashes(GREY), "picked at random".to_owned()),
    ];
    let found = did(report.target);
    let x = Axis::new(format!("taken, % of {} rows", count(all.n)), 0.0..1.0, Ticks::Percent);
    let y = Axis::new(format!("found, % of {} that {found}", count(all.n_events)), 0.0..1.0, Ticks::Percent);
    plot(&format!("Gain, {}", report.target), description, &legend, (&x, &y), |chart| {
        line(chart, [(0.0, 0.0), (1.0, 1.0)], legend[2].0)?;
        // Of the events, those among the rows taken: their rate over the base rate, times the share of rows.
        let points = curves.lift.iter().map(|&(share, lift)| (share, (share * lift).min(1.0)));
        line(chart, [(0.0, 0.0)].into_iter().chain(points), legend[0].0)?;
        tops(chart, all.at_k.iter(), |at| at.recall)
    })
}

/// Draws a metric of the top rows with its interval.
fn tops<'k>(
    chart: &mut Chart<'_, '_>,
    at_k: impl Iterator<Item = &'k AtK>,
    of: impl Fn(&AtK) -> Estimate,
) -> Result<(), DrawError> {
    for at in at_k {
        let Estimate { value, low, high } = of(at);
        if let Some(value) = value {
            dot(chart, (at.share, value), low.zip(high), VERMILLION)?;
        }
    }
    Ok(())
}

fn plot(
    title: &str,
    description: &str,
    legend: &[(Mark, String)],
    (x, y): (&Axis, &Axis),
    series: impl FnOnce(&mut Chart<'_, '_>) -> Result<(), DrawError>,
) -> Result<String, DrawError> {
    draw(SIZE, description, |area| {
        let body = header(area, title, legend)?;
        series(&mut chart(&body, x, y)?)
    })
}
