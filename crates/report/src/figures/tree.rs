//! One tree: a line a node, a bar for its rows' rate, a dot for a leaf's probability.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::canvas::{Area, BLUE, DrawError, GREY, GRID, INK, Letters, Mark, VERMILLION, draw, header, letters};
use crate::drawn::DrawnTree;
use crate::number::{Number, count};
use crate::tree_lines::{Line, lines};

const WIDTH: i32 = 860;
const LINE_HEIGHT: i32 = 28;
const INDENT: i32 = 20;
const LEFT: i32 = 18;
/// Where bars begin and end; conditions are left of them, numbers right.
const BARS: Range<i32> = 470..650;
const TOP: i32 = 126;
const BELOW: i32 = 20;

/// The width of a character, about.
const LETTER: i32 = 9;

/// Draws `tree` under `title`.
pub(super) fn tree(tree: &DrawnTree, title: &str, description: &str) -> Result<String, DrawError> {
    let lines = lines(tree);
    let shares = lines.iter().flat_map(|line| [line.node.rate(), line.node.probability()]).flatten();
    let full = super::axes::rounded_up(shares.fold(0.01, f64::max)).min(1.0);
    let legend = [
        (Mark::Line(BLUE), format!("share of training rows with the outcome, {} wide", Number::Percent.of(full))),
        (Mark::Dot(VERMILLION), "probability of a leaf".to_owned()),
    ];
    let bottom = TOP + LINE_HEIGHT * lines.len() as i32;
    draw((WIDTH as u32, (bottom + BELOW) as u32), description, |area| {
        header(area, title, &legend)?;
        let right = letters(Letters::Text, INK, HPos::Right);
        area.draw_text("rate", &right, (BARS.end + 76, TOP - 14))?;
        area.draw_text("rows", &right, (WIDTH - 16, TOP - 14))?;
        branches(area, &lines)?;
        let mut places = (0_i32..).map(middle).zip(&lines);
        places.try_for_each(|(y, line)| draw_line(area, line, y, full))
    })
}

fn middle(place: i32) -> i32 {
    TOP + LINE_HEIGHT * place + LINE_HEIGHT / 2
}

fn indent(depth: usize) -> i32 {
    LEFT + INDENT * depth as i32
}

/// Lines from each parent down to its children.
fn branches(area: &Area<'_>, lines: &[Line<'_>]) -> Result<(), DrawError> {
    let mut last_at: Vec<i32> = Vec::new();
    for (place, line) in (0_i32..).zip(lines) {
        let y = middle(place);
        if let Some(&from) = line.depth.checked_sub(1).and_then(|above| last_at.get(above)) {
            let x = indent(line.depth) - INDENT + 6;
            let path = vec![(x, from + 11), (x, y), (indent(line.depth) - 3, y)];
            area.draw(&PathElement::new(path, GREY.stroke_width(1)))?;
        }
        last_at.truncate(line.depth);
        last_at.push(y);
    }
    Ok(())
}

fn draw_line(area: &Area<'_>, line: &Line<'_>, y: i32, full: f64) -> Result<(), DrawError> {
    let x = indent(line.depth);
    let most = ((BARS.start - 8 - x) / LETTER).max(0) as usize;
    let words = line.condition.map_or_else(|| "all rows".to_owned(), |condition| condition.text(most));
    area.draw_text(&words, &letters(Letters::Text, INK, HPos::Left), (x, y))?;
    let place = |share: f64| BARS.start + (share / full * f64::from(BARS.end - BARS.start)).round() as i32;
    let bar =
        |to: i32, colour: RGBColor| area.draw(&Rectangle::new([(BARS.start, y - 7), (to, y + 7)], colour.filled()));
    bar(BARS.end, GRID)?;
    if let Some(rate) = line.node.rate() {
        bar(place(rate), if line.node.probability().is_some() { BLUE } else { GREY })?;
    }
    if let Some(probability) = line.node.probability() {
        area.draw(&Circle::new((place(probability), y), 6, VERMILLION.filled()))?;
    }
    let right = letters(Letters::Text, INK, HPos::Right);
    area.draw_text(&Number::Percent.or_undefined(line.node.rate()), &right, (BARS.end + 76, y))?;
    area.draw_text(&count(line.node.n_rows), &right, (WIDTH - 16, y))
}
