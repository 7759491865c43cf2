//! Intervals below each other: one line a cohort or learner.

use std::ops::Range;

use bellwether_evaluate::{CohortMetrics, Estimate, Metrics};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axes::{Axis, Ticks};
use super::canvas::{Area, BLUE, DrawError, GREY, GRID, INK, Letters, VERMILLION, draw, header, letters};
use crate::markdown::clean;
use crate::number::{NO_EVIDENCE, count};
use crate::table::shortened;
use crate::training::TargetReport;

/// The figure shows at most so many cohorts, those with the most rows; the table has all.
pub(crate) const MOST_COHORTS: usize = 40;

const WIDTH: i32 = 720;
/// Where the scale begins and ends; names are left of it, counts right.
const SCALE: Range<i32> = 250..585;
const LINE_HEIGHT: i32 = 30;
const BELOW: i32 = 70;
const LONGEST_NAME: usize = 25;

/// One line of the figure.
#[derive(Debug)]
enum Line {
    /// What the lines below have in common.
    Heading(String),
    /// A name and what is known of it.
    Interval { name: String, auc: Option<Estimate>, counts: String, colour: RGBColor },
}

pub(super) fn learners(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let of_learner = |row: &crate::LearnerRow| {
        let colour = if row.learner == report.chosen { VERMILLION } else { BLUE };
        interval(&row.learner, &row.test, colour)
    };
    let lines: Vec<Line> = report.learners.iter().map(of_learner).collect();
    let title = format!("ROC AUC by learner, {} (chosen: {})", report.target, report.chosen);
    forest(&title, description, &lines, report.evaluation.overall.roc_auc.value)
}

pub(super) fn cohorts(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let all = &report.evaluation.overall;
    let mut lines = vec![interval("all rows", all, VERMILLION)];
    let mut dimension: Option<&str> = None;
    for cohort in largest(&report.evaluation.cohorts) {
        if dimension != Some(cohort.dimension.as_str()) {
            dimension = Some(&cohort.dimension);
            lines.push(Line::Heading(cohort.dimension.clone()));
        }
        lines.push(interval(&cohort.level, &cohort.metrics, BLUE));
    }
    forest(&format!("ROC AUC by cohort, {}", report.target), description, &lines, all.roc_auc.value)
}

/// Those with the most rows, in their order.
fn largest(cohorts: &[CohortMetrics]) -> impl Iterator<Item = &CohortMetrics> {
    let mut by_size: Vec<usize> = (0..cohorts.len()).collect();
    by_size.sort_by_key(|&place| (std::cmp::Reverse(cohorts[place].metrics.n), place));
    by_size.truncate(MOST_COHORTS);
    by_size.sort_unstable();
    by_size.into_iter().map(|place| &cohorts[place])
}

fn interval(name: &str, metrics: &Metrics, colour: RGBColor) -> Line {
    Line::Interval {
        name: name.to_owned(),
        auc: Some(metrics.roc_auc).filter(|auc| metrics.enough_evidence && auc.value.is_some()),
        counts: format!("{} / {}", count(metrics.n_events), count(metrics.n)),
        colour,
    }
}

fn forest(title: &str, description: &str, lines: &[Line], of_all: Option<f64>) -> Result<String, DrawError> {
    let top = 84;
    let bottom = top + LINE_HEIGHT * lines.len() as i32 + 10;
    let axis = Axis::new("ROC AUC with 95 % interval (0.5 is chance)", range(lines), Ticks::Plain);
    draw((WIDTH as u32, (bottom + BELOW) as u32), description, |area| {
        header(area, title, &[])?;
        let right = letters(Letters::Text, INK, HPos::Right);
        area.draw_text("events / rows", &right, (WIDTH - 16, top - 14))?;
        scale(area, &axis, top..bottom, of_all)?;
        for (place, line) in (0_i32..).zip(lines) {
            draw_line(area, &axis, line, top + 8 + LINE_HEIGHT * place + LINE_HEIGHT / 2)?;
        }
        Ok(())
    })
}

/// Tenths that hold chance and every interval.
fn range(lines: &[Line]) -> Range<f64> {
    let ends = lines.iter().filter_map(|line| match line {
        Line::Interval { auc: Some(auc), .. } => Some([auc.low.or(auc.value)?, auc.high.or(auc.value)?]),
        _ => None,
    });
    let (low, high) = ends.flatten().fold((0.5_f64, 0.6_f64), |(low, high), end| (low.min(end), high.max(end)));
    // A hair, so that an end on a tenth stays there.
    ((10.0 * low + 1e-9).floor() - 0.5).max(0.0) / 10.0..((10.0 * high - 1e-9).ceil() + 0.5).min(10.0) / 10.0
}

fn place(axis: &Axis, x: f64) -> i32 {
    let share = (x - axis.range.start) / (axis.range.end - axis.range.start);
    SCALE.start + (share * f64::from(SCALE.end - SCALE.start)).round() as i32
}

fn scale(area: &Area<'_>, axis: &Axis, y: Range<i32>, of_all: Option<f64>) -> Result<(), DrawError> {
    let vertical = |x: i32, style: ShapeStyle| area.draw(&PathElement::new(vec![(x, y.start), (x, y.end)], style));
    let centred = letters(Letters::Text, INK, HPos::Center);
    let tenths = (10.0 * axis.range.start).ceil() as i32..=(10.0 * axis.range.end).floor() as i32;
    for tenth in tenths {
        let (x, is_chance) = (place(axis, f64::from(tenth) / 10.0), tenth == 5);
        vertical(x, if is_chance { GREY.stroke_width(2) } else { GRID.stroke_width(1) })?;
        area.draw_text(&format!("{:.1}", f64::from(tenth) / 10.0), &centred, (x, y.end + 16))?;
    }
    area.draw(&PathElement::new(vec![(SCALE.start, y.end), (SCALE.end, y.end)], GREY.stroke_width(1)))?;
    let middle = i32::midpoint(SCALE.start, SCALE.end);
    area.draw_text(&axis.label, &centred, (middle, y.end + 46))?;
    let Some(of_all) = of_all else { return Ok(()) };
    let x = place(axis, of_all);
    (y.start..y.end).step_by(10).try_for_each(|from| {
        area.draw(&PathElement::new(vec![(x, from), (x, (from + 5).min(y.end))], VERMILLION.stroke_width(1)))
    })
}

fn draw_line(area: &Area<'_>, axis: &Axis, line: &Line, y: i32) -> Result<(), DrawError> {
    let left = |colour| letters(Letters::Text, colour, HPos::Left);
    let (name, auc, counts, colour) = match line {
        Line::Heading(name) => return area.draw_text(&shortened(&clean(name), LONGEST_NAME), &left(GREY), (16, y)),
        Line::Interval { name, auc, counts, colour } => (name, auc, counts, *colour),
    };
    area.draw_text(&shortened(&clean(name), LONGEST_NAME), &left(INK), (30, y))?;
    area.draw_text(counts, &letters(Letters::Text, INK, HPos::Right), (WIDTH - 16, y))?;
    let Some(Estimate { value: Some(value), low, high }) = *auc else {
        let middle = i32::midpoint(SCALE.start, SCALE.end);
        return area.draw_text(NO_EVIDENCE, &letters(Letters::Text, GREY, HPos::Center), (middle, y));
    };
    if let Some((low, high)) = low.zip(high) {
        let (from, to) = (place(axis, low), place(axis, high));
        for path in [[(from, y), (to, y)], [(from, y - 6), (from, y + 6)], [(to, y - 6), (to, y + 6)]] {
            area.draw(&PathElement::new(path.to_vec(), colour.stroke_width(2)))?;
        }
    }
    area.draw(&Circle::new((place(axis, value), y), 6, colour.filled()))
}
