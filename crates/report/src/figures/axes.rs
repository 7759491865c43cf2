//! Two axes with labels, units and a grid.

use std::ops::Range;

use bellwether_core::Date;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::canvas::{Area, DrawError, GREY, GRID, INK, Letters, Mark, letters};
use crate::number::count;

/// A chart that takes points.
pub(super) type Chart<'c, 'a> = ChartContext<'c, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// One axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) range: Range<f64>,
    pub(super) ticks: Ticks,
}

/// How ticks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ticks {
    /// A share as per cent.
    Percent,
    /// A multiple.
    Times,
    /// With one decimal, or two where the axis is short.
    Plain,
    /// The month of a day that is given in days.
    Month,
    /// A whole number.
    Count,
}

/// Space below the axis for its numbers and label, and at the left.
const BELOW: u32 = 64;
const BESIDE: u32 = 92;

impl Axis {
    pub(super) fn new(label: impl Into<String>, range: Range<f64>, ticks: Ticks) -> Self {
        Self { label: label.into(), range, ticks }
    }

    pub(super) fn tick(&self, x: f64) -> String {
        let length = self.range.end - self.range.start;
        match self.ticks {
            Ticks::Percent if length < 0.05 => format!("{:.1} %", 100.0 * x),
            Ticks::Percent => format!("{:.0} %", 100.0 * x),
            Ticks::Times if length < 4.0 => format!("{x:.1}x"),
            Ticks::Times => format!("{x:.0}x"),
            Ticks::Month => {
                let (year, month, _) = Date::from_days(x.round() as i32).ymd();
                format!("{year}-{month:02}")
            }
            Ticks::Count => count(x.round().max(0.0) as usize),
            Ticks::Plain if length < 0.05 => format!("{x:.3}"),
            Ticks::Plain if length < 0.5 => format!("{x:.2}"),
            Ticks::Plain => format!("{x:.1}"),
        }
    }
}

/// Draws axes and grid.
pub(super) fn chart<'c, 'a>(area: &'c Area<'a>, x: &Axis, y: &Axis) -> Result<Chart<'c, 'a>, DrawError> {
    let mut chart = ChartBuilder::on(area)
        .margin_right(36)
        .margin_top(12)
        .margin_left(12)
        .margin_bottom(12)
        .x_label_area_size(BELOW)
        .y_label_area_size(BESIDE)
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    let text = || letters(Letters::Text, INK, HPos::Center);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GREY)
        .label_style(text())
        .axis_desc_style(text())
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|&at| x.tick(at))
        .y_label_formatter(&|&at| y.tick(at))
        .x_desc(x.label.as_str())
        .y_desc(y.label.as_str())
        .draw()?;
    Ok(chart)
}

/// Draws a line, whole or in dashes.
pub(super) fn line(
    chart: &mut Chart<'_, '_>,
    points: impl IntoIterator<Item = (f64, f64)>,
    mark: Mark,
) -> Result<(), DrawError> {
    let points: Vec<(f64, f64)> = points.into_iter().collect();
    match mark {
        Mark::Line(colour) | Mark::Dot(colour) => {
            chart.draw_series(LineSeries::new(points, colour.stroke_width(3)))?;
        }
        Mark::Dashes(colour) => {
            chart.draw_series(DashedLineSeries::new(points, 8, 5, colour.stroke_width(2)))?;
        }
    }
    Ok(())
}

/// Fills what lies between two lines, so thinly that others show through.
pub(super) fn band(
    chart: &mut Chart<'_, '_>,
    points: impl IntoIterator<Item = (f64, (f64, f64))>,
    colour: RGBColor,
) -> Result<(), DrawError> {
    let points: Vec<(f64, (f64, f64))> = points.into_iter().collect();
    let above = points.iter().map(|&(x, (_, high))| (x, high));
    let below = points.iter().rev().map(|&(x, (low, _))| (x, low));
    chart.draw_series([Polygon::new(above.chain(below).collect::<Vec<_>>(), colour.mix(0.1).filled())])?;
    Ok(())
}

/// Draws a dot and, where it has an interval, a bar from its low to its high end along y.
pub(super) fn dot(
    chart: &mut Chart<'_, '_>,
    (x, y): (f64, f64),
    interval: Option<(f64, f64)>,
    colour: RGBColor,
) -> Result<(), DrawError> {
    if let Some((low, high)) = interval {
        chart.draw_series([PathElement::new(vec![(x, low), (x, high)], colour.stroke_width(2))])?;
        let cap = |y: f64| EmptyElement::at((x, y)) + PathElement::new(vec![(-6, 0), (6, 0)], colour.stroke_width(2));
        chart.draw_series([cap(low), cap(high)])?;
    }
    chart.draw_series([Circle::new((x, y), 6, colour.filled())])?;
    Ok(())
}

/// The next of 1, 1.5, 2, 3, 5, 8 times a power of ten at or above `x`, which is above 0.
pub(super) fn rounded_up(x: f64) -> f64 {
    let power = 10.0_f64.powi(x.log10().floor() as i32);
    let steps = [1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|&step| step >= x).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (x, end) in [(0.013, 0.015), (0.2, 0.2), (0.31, 0.5), (1.0, 1.0), (7.2, 8.0), (83.0, 100.0)] {
            assert!((rounded_up(x) - end).abs() < 1e-12, "{x}: {}", rounded_up(x));
        }
    }
}
