//! Intervals below each other: one line a cohort or learner.

use std::ops::{Range, RangeInclusive};

use bellwether_evaluate::{BiasGap, BiasMeasure, BiasVerdict, CohortMetrics, Estimate, Metrics, TargetBias};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axes::{Axis, Ticks};
use super::canvas::{Area, BLUE, DrawError, GREY, GRID, INK, Letters, Mark, VERMILLION, draw, header, letters};
use crate::markdown::clean;
use crate::number::{NO_EVIDENCE, count};
use crate::practice::measure;
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
    Interval { name: String, found: Option<Estimate>, counts: String, colour: RGBColor },
}

/// What the lines' values are.
struct Frame {
    label: &'static str,
    /// The tenth that means nothing was found.
    nothing: i32,
    /// What the axis shows at least and at most.
    least: (f64, f64),
    most: (f64, f64),
}

const AUC: Frame =
    Frame { label: "ROC AUC with 95 % interval (0.5 is chance)", nothing: 5, least: (0.5, 0.6), most: (0.0, 1.0) };

const GAP: Frame = Frame {
    label: "less that of the rest, with 95 % interval (0 is no gap)",
    nothing: 0,
    least: (-0.1, 0.1),
    most: (-1.0, 1.0),
};

pub(super) fn learners(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let of_learner = |row: &crate::LearnerRow| {
        let colour = if row.learner == report.chosen { VERMILLION } else { BLUE };
        interval(&row.learner, &row.test, colour)
    };
    let lines: Vec<Line> = report.learners.iter().map(of_learner).collect();
    let legend = [(Mark::Dot(VERMILLION), "the chosen learner".to_owned()), (Mark::Dot(BLUE), "others".to_owned())];
    let title = format!("ROC AUC by learner, {}", report.target);
    forest(&title, description, &legend, (&AUC, &lines), report.evaluation.overall.roc_auc.value)
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
    let legend = [(Mark::Dashes(VERMILLION), "all rows".to_owned()), (Mark::Dot(BLUE), "segment".to_owned())];
    let title = format!("ROC AUC by segment, {}", report.target);
    forest(&title, description, &legend, (&AUC, &lines), all.roc_auc.value)
}

/// Gaps that were tested, measure by measure.
pub(super) fn gaps(of: &TargetBias, description: &str) -> Result<String, DrawError> {
    let mut lines = Vec::new();
    for gaps in tested(of) {
        lines.push(Line::Heading(measure(gaps[0].measure).to_owned()));
        lines.extend(gaps.into_iter().map(|gap| Line::Interval {
            name: format!("{}: {}", gap.dimension, gap.level),
            found: Some(gap.difference),
            counts: format!("{} / {}", count(gap.n_events), count(gap.n)),
            colour: if gap.verdict == BiasVerdict::Alarm { VERMILLION } else { BLUE },
        }));
    }
    let legend = [
        (Mark::Dot(VERMILLION), "an alarm, after correction for all".to_owned()),
        (Mark::Dot(BLUE), "no gap shown".to_owned()),
    ];
    forest(&format!("Gaps by segment, {}", of.target), description, &legend, (&GAP, &lines), None)
}

/// By measure, the gaps that were tested and have an interval: at most [`MOST_COHORTS`], those with the most rows.
pub(super) fn tested(of: &TargetBias) -> Vec<Vec<&BiasGap>> {
    let of_measure = |measure: BiasMeasure| -> Vec<&BiasGap> {
        let is_drawn = |gap: &&BiasGap| gap.measure == measure && gap.p_value.is_some();
        let mut gaps: Vec<(usize, &BiasGap)> = of.gaps.iter().filter(is_drawn).enumerate().collect();
        gaps.sort_by_key(|&(place, gap)| (std::cmp::Reverse(gap.n), place));
        gaps.truncate(MOST_COHORTS);
        gaps.sort_by_key(|&(place, _)| place);
        gaps.into_iter().map(|(_, gap)| gap).collect()
    };
    let measures =
        [BiasMeasure::RocAuc, BiasMeasure::Calibration, BiasMeasure::FalsePositiveRate, BiasMeasure::FalseNegativeRate];
    measures.into_iter().map(of_measure).filter(|gaps| !gaps.is_empty()).collect()
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
        found: Some(metrics.roc_auc).filter(|auc| metrics.enough_evidence && auc.value.is_some()),
        counts: format!("{} / {}", count(metrics.n_events), count(metrics.n)),
        colour,
    }
}

fn forest(
    title: &str,
    description: &str,
    legend: &[(Mark, String)],
    (frame, lines): (&Frame, &[Line]),
    of_all: Option<f64>,
) -> Result<String, DrawError> {
    let top = 126;
    let bottom = top + LINE_HEIGHT * lines.len() as i32;
    let axis = Axis::new(frame.label, range(frame, lines), Ticks::Plain);
    draw((WIDTH as u32, (bottom + BELOW) as u32), description, |area| {
        header(area, title, legend)?;
        let right = letters(Letters::Text, INK, HPos::Right);
        area.draw_text("events / rows", &right, (WIDTH - 16, top - 14))?;
        scale(area, &axis, frame.nothing, bottom)?;
        for (place, line) in (0_i32..).zip(lines) {
            let y = top + LINE_HEIGHT * place;
            // Words stand where nothing is known, and nothing behind them.
            if !matches!(line, Line::Interval { found: None, .. }) {
                grid(area, (&axis, frame.nothing), y..y + LINE_HEIGHT, of_all)?;
            }
            draw_line(area, &axis, line, y + LINE_HEIGHT / 2)?;
        }
        Ok(())
    })
}

/// Tenths that hold what means nothing, and every interval.
fn range(frame: &Frame, lines: &[Line]) -> Range<f64> {
    let ends = lines.iter().filter_map(|line| match line {
        Line::Interval { found: Some(of), .. } => Some([of.low.or(of.value)?, of.high.or(of.value)?]),
        _ => None,
    });
    let (low, high) = ends.flatten().fold(frame.least, |(low, high), end| (low.min(end), high.max(end)));
    // A hair, so that an end on a tenth stays there.
    let (first, last) = frame.most;
    ((10.0 * low + 1e-9).floor() - 0.5).max(10.0 * first) / 10.0
        ..((10.0 * high - 1e-9).ceil() + 0.5).min(10.0 * last) / 10.0
}

fn place(axis: &Axis, x: f64) -> i32 {
    let share = (x - axis.range.start) / (axis.range.end - axis.range.start);
    SCALE.start + (share * f64::from(SCALE.end - SCALE.start)).round() as i32
}

/// The tenths on the axis.
fn tenths(axis: &Axis) -> RangeInclusive<i32> {
    (10.0 * axis.range.start).ceil() as i32..=(10.0 * axis.range.end).floor() as i32
}

fn scale(area: &Area<'_>, axis: &Axis, nothing: i32, y: i32) -> Result<(), DrawError> {
    let centred = letters(Letters::Text, INK, HPos::Center);
    // Where there are many, every other one has its number, the one that means nothing among them.
    let is_crowded = tenths(axis).count() > 7;
    for tenth in tenths(axis).filter(|tenth| !is_crowded || (tenth - nothing) % 2 == 0) {
        let at = f64::from(tenth) / 10.0;
        area.draw_text(&format!("{:.1}", at + 0.0), &centred, (place(axis, at), y + 16))?;
    }
    area.draw(&PathElement::new(vec![(SCALE.start, y), (SCALE.end, y)], GREY.stroke_width(1)))?;
    area.draw_text(&axis.label, &centred, (i32::midpoint(SCALE.start, SCALE.end), y + 46))
}

/// The grid behind a line, and the dashes of all rows.
fn grid(area: &Area<'_>, (axis, nothing): (&Axis, i32), y: Range<i32>, of_all: Option<f64>) -> Result<(), DrawError> {
    let vertical =
        |x: i32, from: i32, to: i32, style: ShapeStyle| area.draw(&PathElement::new(vec![(x, from), (x, to)], style));
    for tenth in tenths(axis) {
        let style = if tenth == nothing { GREY.stroke_width(2) } else { GRID.stroke_width(1) };
        vertical(place(axis, f64::from(tenth) / 10.0), y.start, y.end, style)?;
    }
    let x = of_all.map(|of_all| place(axis, of_all));
    x.map_or(Ok(()), |x| y.step_by(10).try_for_each(|from| vertical(x, from, from + 5, VERMILLION.stroke_width(1))))
}

fn draw_line(area: &Area<'_>, axis: &Axis, line: &Line, y: i32) -> Result<(), DrawError> {
    let left = |colour| letters(Letters::Text, colour, HPos::Left);
    let (name, found, counts, colour) = match line {
        Line::Heading(name) => return area.draw_text(&shortened(&clean(name), LONGEST_NAME), &left(GREY), (16, y)),
        Line::Interval { name, found, counts, colour } => (name, found, counts, *colour),
    };
    area.draw_text(&shortened(&clean(name), LONGEST_NAME), &left(INK), (30, y))?;
    area.draw_text(counts, &letters(Letters::Text, INK, HPos::Right), (WIDTH - 16, y))?;
    let Some(Estimate { value: Some(value), low, high }) = *found else {
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
