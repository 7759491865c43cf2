//! A canvas in the house's colours and letters.
//!
//! Lengths are units of a canvas about as wide as a page's column; at 480 pixels a text is 12 pixels high or more.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::markdown::clean;

pub(super) type DrawError = DrawingAreaErrorKind<std::io::Error>;
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

// Okabe and Ito's palette, which colour-blind readers tell apart; the page's style sheet names these values for dark screens.
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub(super) const VERMILLION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub(super) const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
pub(super) const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
pub(super) const PURPLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub(super) const GREY: RGBColor = RGBColor(0x6e, 0x6e, 0x6e);
pub(super) const GRID: RGBColor = RGBColor(0xe2, 0xe2, 0xe2);

/// The canvas of a curve.
pub(super) const WIDTH: u32 = 640;
const TITLE_HEIGHT: i32 = 44;
const ENTRY_HEIGHT: i32 = 26;
/// Where titles and legends begin.
const LEFT: i32 = 18;

/// How large letters are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Letters {
    Title,
    Text,
}

/// How a series is drawn, as its legend shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Line(RGBColor),
    Dashes(RGBColor),
    Dot(RGBColor),
}

/// Draws on a white canvas of this size and tells people who cannot see it what it shows.
pub(super) fn draw(
    size: (u32, u32),
    description: &str,
    paint: impl FnOnce(&Area<'_>) -> Result<(), DrawError>,
) -> Result<String, DrawError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        paint(&area)?;
        area.present()?;
    }
    Ok(described(&svg, description))
}

fn described(svg: &str, description: &str) -> String {
    let title = maud::html! { title { (clean(description)) } }.into_string();
    let (tag, rest) = svg.split_once(">\n").expect("a drawing begins with its tag");
    let tag = tag.replacen("<svg ", "<svg role=\"img\" ", 1);
    format!("{tag}>\n{title}\n{rest}")
}

/// Letters of a colour, their anchor at the left, middle or right of the text, half its height up.
pub(super) fn letters(letters: Letters, colour: RGBColor, at: HPos) -> TextStyle<'static> {
    // The library writes 1 / 1.24 of this as the font's size.
    let (size, style) = match letters {
        Letters::Title => (22.0 * 1.24, FontStyle::Bold),
        Letters::Text => (18.0 * 1.24, FontStyle::Normal),
    };
    TextStyle {
        font: FontDesc::new(FontFamily::SansSerif, size, style),
        color: colour.to_backend_color(),
        pos: Pos::new(at, VPos::Center),
    }
}

/// Writes the title and, below it, one line for each series; what is left is for the chart.
pub(super) fn header<'a>(area: &Area<'a>, title: &str, legend: &[(Mark, String)]) -> Result<Area<'a>, DrawError> {
    let height = TITLE_HEIGHT + ENTRY_HEIGHT * legend.len() as i32;
    let (header, body) = area.split_vertically(height);
    header.draw_text(&clean(title), &letters(Letters::Title, INK, HPos::Left), (LEFT, 24))?;
    for (entry, (mark, text)) in (0_i32..).zip(legend) {
        let y = TITLE_HEIGHT + ENTRY_HEIGHT * entry + 10;
        swatch(&header, *mark, y)?;
        header.draw_text(&clean(text), &letters(Letters::Text, INK, HPos::Left), (LEFT + 44, y))?;
    }
    Ok(body)
}

fn swatch(header: &Area<'_>, mark: Mark, y: i32) -> Result<(), DrawError> {
    let line = |from: i32, to: i32, style: ShapeStyle| {
        header.draw(&PathElement::new(vec![(LEFT + from, y), (LEFT + to, y)], style))
    };
    match mark {
        Mark::Line(colour) => line(0, 34, colour.stroke_width(3)),
        Mark::Dashes(colour) => {
            [(0, 8), (13, 21), (26, 34)].into_iter().try_for_each(|(from, to)| line(from, to, colour.stroke_width(2)))
        }
        Mark::Dot(colour) => {
            line(4, 30, colour.stroke_width(2))?;
            header.draw(&Circle::new((LEFT + 17, y), 6, colour.filled()))
        }
    }
}
