//! Rows by month as bars, features by day as shades.

use bellwether_core::Date;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::canvas::{Area, BLUE, DrawError, GREY, GRID, INK, Letters, Mark, VERMILLION, WIDTH, draw, header, letters};
use crate::audit::{DaysRow, MonthsRow};
use crate::markdown::clean;
use crate::number::count;
use crate::table::shortened;

const BARS_HEIGHT: u32 = 220;
const BESIDE: i32 = 110;
const BELOW: i32 = 34;
const TOP: i32 = 60;

const SHADES_WIDTH: i32 = 720;
const NAMES: i32 = 250;
const CELLS: std::ops::Range<i32> = NAMES + 10..SHADES_WIDTH - 16;
const LINE_HEIGHT: i32 = 24;
const LONGEST_NAME: usize = 25;
/// A figure shows at most so many features, those with the largest values.
const MOST_FEATURES: usize = 60;

/// Bars of a source's rows by month.
pub(super) fn rows(source: &MonthsRow, description: &str) -> Result<String, DrawError> {
    let most = source.months.iter().map(|month| month.1).max().unwrap_or(0).max(1);
    let (width, height) = (WIDTH as i32, BARS_HEIGHT as i32);
    let (right, bottom) = (width - 24, height - BELOW);
    let n = source.months.len() as i32;
    let x = |month: i32| BESIDE + (right - BESIDE) * month / n;
    draw((WIDTH, BARS_HEIGHT), description, |area| {
        header(area, &format!("{}, rows by month", shortened(&source.name, LONGEST_NAME)), &[])?;
        for (share, y) in [(1.0, TOP), (0.5, i32::midpoint(TOP, bottom)), (0.0, bottom)] {
            area.draw(&PathElement::new(vec![(BESIDE, y), (right, y)], GRID.stroke_width(1)))?;
            let text = count((share * most as f64).round() as usize);
            area.draw_text(&text, &letters(Letters::Text, INK, HPos::Right), (BESIDE - 8, y))?;
        }
        for (place, (_, n_rows)) in (0_i32..).zip(&source.months) {
            let y = bottom - (f64::from(bottom - TOP) * *n_rows as f64 / most as f64).round() as i32;
            let gap = i32::from(x(place + 1) - x(place) > 3);
            area.draw(&Rectangle::new([(x(place), y), (x(place + 1) - gap, bottom)], BLUE.filled()))?;
        }
        let days: Vec<Date> = source.months.iter().map(|month| month.0).collect();
        ends(area, &days, (BESIDE, right), bottom + 18)
    })
}

/// One line a feature, one cell a day, the fuller the larger; `None` without a feature that `of` defines.
pub(super) fn shades(
    title: &str,
    description: &str,
    features: &[DaysRow],
    colour: RGBColor,
    full: (f64, &str),
    of: impl Fn(&crate::audit::DayCell) -> Option<f64>,
) -> Result<Option<String>, DrawError> {
    let shown = largest(features, &of);
    let Some(days) = shown.first().map(|feature| feature.days.iter().map(|cell| cell.day).collect::<Vec<_>>()) else {
        return Ok(None);
    };
    let top = 84;
    let bottom = top + LINE_HEIGHT * shown.len() as i32;
    let n = days.len() as i32;
    let x = |day: i32| CELLS.start + (CELLS.end - CELLS.start) * day / n;
    let drawn = draw((SHADES_WIDTH as u32, (bottom + BELOW) as u32), description, |area| {
        header(area, title, &[(Mark::Line(colour), full.1.to_owned())])?;
        for (line, feature) in (0_i32..).zip(&shown) {
            let y = top + LINE_HEIGHT * line;
            let name = shortened(&clean(&feature.name), LONGEST_NAME);
            area.draw_text(&name, &letters(Letters::Text, INK, HPos::Right), (NAMES, y + LINE_HEIGHT / 2))?;
            for (day, cell) in (0_i32..).zip(&feature.days) {
                let (from, to) = ((x(day), y + 1), (x(day + 1) - 1, y + LINE_HEIGHT - 1));
                if let Some(value) = of(cell) {
                    let share = (value / full.0).clamp(0.0, 1.0);
                    area.draw(&Rectangle::new([from, to], colour.mix(share).filled()))?;
                    area.draw(&Rectangle::new([from, to], GRID.stroke_width(1)))?;
                } else {
                    let middle = y + LINE_HEIGHT / 2;
                    area.draw(&PathElement::new(vec![(from.0, middle), (to.0, middle)], GREY.stroke_width(1)))?;
                }
            }
        }
        ends(area, &days, (CELLS.start, CELLS.end), bottom + 18)
    })?;
    Ok(Some(drawn))
}

/// Those with the largest values, in their order; none where all are 0 or undefined.
fn largest<'a>(features: &'a [DaysRow], of: &impl Fn(&crate::audit::DayCell) -> Option<f64>) -> Vec<&'a DaysRow> {
    let most = |feature: &DaysRow| feature.days.iter().filter_map(of).fold(0.0, f64::max);
    let mut places: Vec<usize> = (0..features.len()).filter(|&place| most(&features[place]) > 0.0).collect();
    places.sort_by(|&a, &b| most(&features[b]).total_cmp(&most(&features[a])).then(a.cmp(&b)));
    places.truncate(MOST_FEATURES);
    places.sort_unstable();
    places.into_iter().map(|place| &features[place]).collect()
}

/// The first, the middle and the last day below an axis.
fn ends(area: &Area<'_>, days: &[Date], (left, right): (i32, i32), y: i32) -> Result<(), DrawError> {
    let Some((first, last)) = days.first().zip(days.last()) else { return Ok(()) };
    let month = |day: &Date| day.to_string()[..7].to_owned();
    area.draw_text(&month(first), &letters(Letters::Text, INK, HPos::Left), (left, y))?;
    if days.len() > 2 {
        let middle = month(&days[days.len() / 2]);
        area.draw_text(&middle, &letters(Letters::Text, INK, HPos::Center), (i32::midpoint(left, right), y))?;
    }
    if days.len() > 1 {
        area.draw_text(&month(last), &letters(Letters::Text, INK, HPos::Right), (right, y))?;
    }
    Ok(())
}

/// How much is missing.
pub(super) fn missing(features: &[DaysRow], description: &str) -> Result<Option<String>, DrawError> {
    let of = |cell: &crate::audit::DayCell| Some(cell.missing_share);
    shades("Missing values", description, features, BLUE, (1.0, "all are missing"), of)
}

/// How far from training.
pub(super) fn drift(features: &[DaysRow], description: &str) -> Result<Option<String>, DrawError> {
    shades("Drift", description, features, VERMILLION, (2.0, "PSI of 2 and more"), |cell| cell.psi)
}
