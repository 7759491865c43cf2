//! Cost of contacting the accounts of the highest probability.

use bellwether_evaluate::ValueFindings;

use super::axes::{Axis, Ticks, chart, dot, line, rounded_up};
use super::canvas::{BLUE, DrawError, GREY, Mark, VERMILLION, WIDTH, draw, header};
use crate::number::count;

pub(super) fn costs(found: &ValueFindings, description: &str) -> Result<String, DrawError> {
    let (costs, n) = (&found.costs, found.report.n.max(1) as f64);
    let none = (0.0, costs.cost_of_none);
    let points: Vec<(f64, f64)> =
        [none].into_iter().chain(costs.points.iter().map(|at| (at.n_contacted as f64 / n, at.cost))).collect();
    let highest = points.iter().map(|point| point.1).fold(1e-9, f64::max);
    let best = points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(none);
    let legend = [
        (Mark::Line(BLUE), "contacted by probability, the highest first".to_owned()),
        (Mark::Dashes(GREY), "nobody is contacted".to_owned()),
        (Mark::Dot(VERMILLION), "lowest, chosen on these rows; 95 % interval".to_owned()),
    ];
    let x = Axis::new(format!("contacted, % of {} accounts", count(found.report.n)), 0.0..1.0, Ticks::Percent);
    let y = Axis::new("mean cost an account", 0.0..rounded_up(highest), Ticks::Count);
    draw((WIDTH, 520), description, |area| {
        let body = header(area, "Cost by share of accounts contacted", &legend)?;
        let mut chart = chart(&body, &x, &y)?;
        line(&mut chart, [none, (1.0, costs.cost_of_none)], legend[1].0)?;
        line(&mut chart, points, legend[0].0)?;
        let interval = costs.best_cost.low.zip(costs.best_cost.high);
        let within = |(low, high): (f64, f64)| (low.max(0.0), high.min(y.range.end));
        dot(&mut chart, best, interval.map(within), VERMILLION)
    })
}
