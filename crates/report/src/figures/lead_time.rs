//! Churned accounts by days from warning to churn.

use bellwether_evaluate::guide::{LeadTime, LeadTimeBin, LeadTimeFindings, Warning};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::canvas::{Area, BLUE, DrawError, GREY, GRID, INK, Letters, Mark, VERMILLION, WIDTH, draw, header, letters};
use crate::guide::standing;
use crate::number::{Number, count};

const HEIGHT: u32 = 420;
const LEFT: i32 = 70;
const TOP: i32 = 120;
const BELOW: i32 = 76;

/// Bars of the warning that stood, each beside that of the first warning.
pub(super) fn lead_times(found: &LeadTimeFindings, description: &str) -> Result<String, DrawError> {
    let of_standing = standing(found);
    let first = found.by_warning.iter().find(|of| of.warning == Warning::FirstNotGreen).unwrap_or(of_standing);
    let most = |of: &LeadTime| of.histogram.iter().map(|bin| bin.n).max().unwrap_or(0);
    let most = most(of_standing).max(most(first)).max(1);
    let (right, bottom) = (WIDTH as i32 - 24, HEIGHT as i32 - BELOW);
    let n_bins = of_standing.histogram.len() as i32;
    let x = |bin: i32| LEFT + (right - LEFT) * bin / n_bins;
    let y = |n: usize| bottom - (f64::from(bottom - TOP) * n as f64 / most as f64).round() as i32;
    let at_least = Number::Percent.estimate(&of_standing.at_least_14.estimate);
    let legend = [
        (Mark::Line(VERMILLION), format!("not green until it churned; 14 days or more: {at_least}")),
        (Mark::Line(BLUE), "since the first day not green".to_owned()),
    ];
    draw((WIDTH, HEIGHT), description, |area| {
        header(area, "Days from warning to churn", &legend)?;
        for n in [0, most.div_ceil(2), most] {
            area.draw(&PathElement::new(vec![(LEFT, y(n)), (right, y(n))], GRID.stroke_width(1)))?;
            area.draw_text(&count(n), &letters(Letters::Text, INK, HPos::Right), (LEFT - 8, y(n)))?;
        }
        let bins = of_standing.histogram.iter().zip(&first.histogram);
        for (place, (standing, first)) in (0_i32..).zip(bins) {
            let (from, to) = (x(place) + 4, x(place + 1) - 4);
            let middle = i32::midpoint(from, to);
            area.draw(&Rectangle::new([(from, y(standing.n)), (middle, bottom)], VERMILLION.filled()))?;
            area.draw(&Rectangle::new([(middle, y(first.n)), (to, bottom)], BLUE.filled()))?;
        }
        area.draw(&PathElement::new(vec![(LEFT, bottom), (right, bottom)], GREY.stroke_width(1)))?;
        labels(area, &of_standing.histogram, &x, bottom)
    })
}

/// Where bins begin, at their left edges; the first is that of no warning, and the second follows it.
fn labels(area: &Area<'_>, bins: &[LeadTimeBin], x: &dyn Fn(i32) -> i32, bottom: i32) -> Result<(), DrawError> {
    let centred = letters(Letters::Text, INK, HPos::Center);
    for (place, bin) in (0_i32..).zip(bins) {
        if bin.from == 0 {
            let middle = i32::midpoint(x(place), x(place + 1));
            area.draw_text("none", &centred, (middle, bottom + 20))?;
        } else if place > 1 {
            area.draw_text(&bin.from.to_string(), &centred, (x(place), bottom + 20))?;
        }
    }
    let middle = i32::midpoint(x(0), x(bins.len() as i32));
    area.draw_text("days from warning to churn, by churned account", &centred, (middle, bottom + 52))
}
