//! AUC over time, what each category of features adds, and the learning curve.

use std::ops::Range;

use bellwether_core::Target;
use bellwether_evaluate::Estimate;
use bellwether_evaluate::backtest::{Backtest, LearningCurve, OriginResult, TargetBacktest, Window};
use bellwether_evaluate::guide::{AblationFinding, AblationVerdict};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::Figures;
use super::axes::{Axis, Chart, Ticks, band, chart, dot, line};
use super::canvas::{
    BLUE, DrawError, GREEN, GREY, GRID, INK, Letters, Mark, ORANGE, PURPLE, VERMILLION, WIDTH, draw, header, letters,
};
use crate::ReportError;
use crate::markdown::clean;
use crate::table::shortened;

/// Learners have these in their order, the scorecard the first.
const COLOURS: [RGBColor; 6] = [VERMILLION, BLUE, GREEN, ORANGE, PURPLE, INK];
const HEIGHT: u32 = 560;

/// A figure of a target's backtest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BacktestFigure {
    OverTime,
    Ablation,
    CurveAuc,
    CurveLogLoss,
}

impl BacktestFigure {
    const ALL: [Self; 4] = [Self::OverTime, Self::Ablation, Self::CurveAuc, Self::CurveLogLoss];

    /// Its file in the report's folder.
    pub(crate) fn file(self, target: Target) -> String {
        let name = match self {
            Self::OverTime => "over_time",
            Self::Ablation => "ablation",
            Self::CurveAuc => "curve_auc",
            Self::CurveLogLoss => "curve_log_loss",
        };
        format!("figures/{target}_{name}.svg")
    }

    /// What it shows, for who cannot see it.
    pub(crate) fn description(self, target: Target) -> String {
        let what = match self {
            Self::OverTime => "ROC AUC of each learner at each origin with 95 % intervals",
            Self::Ablation => "AUC gained by each category of features with its 95 % interval",
            Self::CurveAuc => "ROC AUC by number of training accounts with 95 % intervals",
            Self::CurveLogLoss => "Log loss by number of training accounts with 95 % intervals",
        };
        format!("{what}, {target}")
    }

    /// Whether there is something to draw.
    pub(crate) fn is_defined(self, of: &TargetBacktest) -> bool {
        let has = |value: fn(&bellwether_evaluate::backtest::CurvePoint) -> Option<f64>| {
            of.learning_curve.as_ref().is_some_and(|curve| curve.points.iter().any(|point| value(point).is_some()))
        };
        match self {
            Self::OverTime => {
                of.origins.iter().flat_map(|origin| &origin.learners).any(|of| of.test.roc_auc.value.is_some())
            }
            Self::Ablation => of.ablation.iter().any(|of| of.auc_gain.difference.value.is_some()),
            Self::CurveAuc => has(|point| point.auc.value),
            Self::CurveLogLoss => has(|point| point.log_loss.value),
        }
    }

    fn draw(self, of: &TargetBacktest) -> Result<String, DrawError> {
        let description = self.description(of.target);
        let curve = || of.learning_curve.as_ref().expect("it is defined");
        match self {
            Self::OverTime => over_time(of, &description),
            Self::Ablation => ablation(of.target, &of.ablation, &description),
            Self::CurveAuc => learning_curve(of.target, curve(), ("ROC AUC", |point| point.auc), &description),
            Self::CurveLogLoss => {
                learning_curve(of.target, curve(), ("log loss", |point| point.log_loss), &description)
            }
        }
    }
}

/// Every figure of a backtest that is defined.
///
/// # Errors
/// [`ReportError::Figure`] if the drawing library refuses.
pub(crate) fn draw_backtest(backtest: &Backtest) -> Result<Figures, ReportError> {
    let mut figures = Figures::new();
    for of in &backtest.targets {
        for figure in BacktestFigure::ALL.into_iter().filter(|figure| figure.is_defined(of)) {
            let file = figure.file(of.target);
            let svg = figure.draw(of);
            let svg = svg.map_err(|source| ReportError::Figure { figure: file.clone(), source: Box::new(source) })?;
            figures.insert(file, svg);
        }
    }
    Ok(figures)
}

/// Where an origin stands along x: its first test day, or its number.
fn place(number: usize, origin: &OriginResult) -> f64 {
    match &origin.window {
        Window::Time { test, .. } => f64::from(test.0.days()),
        Window::Fold { .. } => number as f64 + 1.0,
    }
}

fn over_time(of: &TargetBacktest, description: &str) -> Result<String, DrawError> {
    let places: Vec<f64> = of.origins.iter().enumerate().map(|(number, origin)| place(number, origin)).collect();
    let is_time = of.origins.iter().any(|origin| matches!(origin.window, Window::Time { .. }));
    let names: Vec<&String> = of.stability.learners.iter().map(|learner| &learner.learner).collect();
    let colour = |learner: usize| COLOURS[learner % COLOURS.len()];
    let legend: Vec<(Mark, String)> =
        names.iter().enumerate().map(|(learner, name)| (Mark::Line(colour(learner)), (*name).clone())).collect();
    let estimates = |learner: usize| -> Vec<(f64, Estimate)> {
        let at = |(x, origin): (&f64, &OriginResult)| Some((*x, origin.learners.get(learner)?.test.roc_auc));
        places.iter().zip(&of.origins).filter_map(at).filter(|(_, auc)| auc.value.is_some()).collect()
    };
    let all: Vec<Estimate> = (0..names.len()).flat_map(estimates).map(|(_, auc)| auc).collect();
    let (first, last) = (places.first().copied().unwrap_or(0.0), places.last().copied().unwrap_or(1.0));
    let room = ((last - first) * 0.05).max(0.5);
    let (label, ticks) = if is_time { ("first test day", Ticks::Month) } else { ("fold", Ticks::Count) };
    let x = Axis::new(label, first - room..last + room, ticks);
    let y = Axis::new("ROC AUC with 95 % interval", holding(&all, 0.05), Ticks::Plain);
    draw((WIDTH, HEIGHT), description, |area| {
        let body = header(area, &format!("ROC AUC over time, {}", of.target), &legend)?;
        let mut chart = chart(&body, &x, &y)?;
        for learner in 0..names.len() {
            let bars = estimates(learner).into_iter().filter_map(|(x, auc)| Some((x, auc.low.zip(auc.high)?)));
            band(&mut chart, bars, colour(learner))?;
        }
        for learner in 0..names.len() {
            values(&mut chart, &estimates(learner), colour(learner))?;
        }
        Ok(())
    })
}

fn values(chart: &mut Chart<'_, '_>, estimates: &[(f64, Estimate)], colour: RGBColor) -> Result<(), DrawError> {
    let points: Vec<(f64, f64)> = estimates.iter().filter_map(|&(x, of)| Some((x, of.value?))).collect();
    line(chart, points.iter().copied(), Mark::Line(colour))?;
    points.into_iter().try_for_each(|point| dot(chart, point, None, colour))
}

/// A range with room, in steps, that holds all values and intervals.
fn holding(estimates: &[Estimate], step: f64) -> Range<f64> {
    let ends = estimates.iter().flat_map(|of| [of.low.or(of.value), of.high.or(of.value)]).flatten();
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    (low / step - 0.2).floor() * step..(high / step + 0.2).ceil() * step
}

const FOREST_WIDTH: i32 = 720;
/// Where the scale begins and ends; names are left of it, verdicts right.
const SCALE: Range<i32> = 190..510;
const LINE_HEIGHT: i32 = 30;
const TOP: i32 = 110;
const BELOW: i32 = 70;
const LONGEST_NAME: usize = 18;

fn ablation(target: Target, findings: &[AblationFinding], description: &str) -> Result<String, DrawError> {
    let bottom = TOP + LINE_HEIGHT * findings.len() as i32;
    let gains: Vec<Estimate> = findings.iter().map(|of| of.auc_gain.difference).collect();
    let widest =
        gains.iter().flat_map(|of| [of.value, of.low, of.high]).flatten().fold(0.005, |most, x: f64| x.abs().max(most));
    let end = super::axes::rounded_up(widest);
    let at = |x: f64| {
        let share = (x + end) / (2.0 * end);
        SCALE.start + (share * f64::from(SCALE.end - SCALE.start)).round() as i32
    };
    let legend = [
        (Mark::Dot(VERMILLION), "adds or harms, beyond chance".to_owned()),
        (Mark::Dot(BLUE), "neither is shown".to_owned()),
    ];
    draw((FOREST_WIDTH as u32, (bottom + BELOW) as u32), description, |area| {
        header(area, &format!("What each category adds, {target}"), &legend)?;
        for x in [-end, -end / 2.0, 0.0, end / 2.0, end] {
            let style = if x == 0.0 { GREY.stroke_width(2) } else { GRID.stroke_width(1) };
            area.draw(&PathElement::new(vec![(at(x), TOP), (at(x), bottom)], style))?;
            let text = crate::number::Number::Signed(if end < 0.02 { 4 } else { 3 }).of(x);
            area.draw_text(&text, &letters(Letters::Text, INK, HPos::Center), (at(x), bottom + 16))?;
        }
        let middle = i32::midpoint(SCALE.start, SCALE.end);
        let label = "AUC gained by the category, 95 % interval";
        area.draw_text(label, &letters(Letters::Text, INK, HPos::Center), (middle, bottom + 46))?;
        for (place, of) in (0_i32..).zip(findings) {
            let y = TOP + LINE_HEIGHT * place + LINE_HEIGHT / 2;
            let is_clear = matches!(of.verdict, AblationVerdict::Adds | AblationVerdict::Harms);
            let colour = if is_clear { VERMILLION } else { BLUE };
            let left = letters(Letters::Text, INK, HPos::Left);
            area.draw_text(&shortened(&clean(&of.group), LONGEST_NAME), &left, (16, y))?;
            let verdict = if of.reason.is_some() { "can't be left out" } else { of.verdict.text() };
            area.draw_text(verdict, &letters(Letters::Text, INK, HPos::Right), (FOREST_WIDTH - 8, y))?;
            let gain = &of.auc_gain.difference;
            if let Some((low, high)) = gain.low.zip(gain.high) {
                area.draw(&PathElement::new(vec![(at(low), y), (at(high), y)], colour.stroke_width(2)))?;
            }
            if let Some(value) = gain.value {
                area.draw(&Circle::new((at(value), y), 6, colour.filled()))?;
            }
        }
        Ok(())
    })
}

fn learning_curve(
    target: Target,
    curve: &LearningCurve,
    (what, of): (&str, fn(&bellwether_evaluate::backtest::CurvePoint) -> Estimate),
    description: &str,
) -> Result<String, DrawError> {
    let points: Vec<(f64, Estimate)> = curve
        .points
        .iter()
        .map(|point| (point.n_accounts as f64, of(point)))
        .filter(|(_, estimate)| estimate.value.is_some())
        .collect();
    let most = points.iter().map(|point| point.0).fold(1.0, f64::max);
    let all: Vec<Estimate> = points.iter().map(|point| point.1).collect();
    let x = Axis::new("training accounts, summed over origins", 0.0..1.05 * most, Ticks::Count);
    let step = if what == "log loss" { 0.01 } else { 0.05 };
    let y = Axis::new(format!("{what} with 95 % interval"), holding(&all, step), Ticks::Plain);
    let legend = [(Mark::Dot(BLUE), "the learner chosen at each origin".to_owned())];
    draw((WIDTH, HEIGHT), description, |area| {
        let body = header(area, &format!("Learning curve: {what}, {target}"), &legend)?;
        let mut chart = chart(&body, &x, &y)?;
        line(&mut chart, points.iter().filter_map(|&(x, of)| Some((x, of.value?))), Mark::Line(BLUE))?;
        for (x, of) in &points {
            let value = of.value.expect("points have values");
            dot(&mut chart, (*x, value), of.low.zip(of.high), BLUE)?;
        }
        Ok(())
    })
}
