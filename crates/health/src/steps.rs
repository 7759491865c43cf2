//! Steps of a banded indicator, as edges and points.

use bellwether_core::{Direction, Scale};

use crate::plan::narrow;
use crate::{HealthError, IndicatorSpec, StepSpec};

/// The scale of an indicator's steps, and which way is healthy: `good`, or what the points say.
///
/// # Errors
/// [`HealthError::StepGap`], [`HealthError::StepOverlap`] or [`HealthError::Scale`].
pub(crate) fn scale_of_steps(
    spec: &IndicatorSpec,
    name: &str,
    good: Option<Direction>,
) -> Result<(Direction, Scale), HealthError> {
    let refuse = |rule| Err(HealthError::Scale { name: name.to_owned(), rule });
    let steps = &spec.steps;
    if spec.at_zero.or(spec.at_full).is_some() || matches!(spec.scale, Some(of) if of != crate::ScaleName::Banded) {
        return refuse("it has steps and another scale; keep one");
    }
    if steps.len() < 2 {
        return refuse("a banded scale has two steps or more");
    }
    if steps[0].from.is_some() || steps[steps.len() - 1].to.is_some() {
        return refuse("the first step has no `from` and the last no `to`, so that every value has points");
    }
    let edges: Vec<f32> = steps.windows(2).map(|pair| edge(name, &pair[0], &pair[1])).collect::<Result<_, _>>()?;
    let points: Vec<f64> = steps.iter().map(|step| step.points).collect();
    if !edges.is_sorted_by(|a, b| a < b) {
        return refuse("steps stand in rising order and differ as 32-bit numbers");
    }
    if points.iter().any(|points| !(0.0..=100.0).contains(points)) {
        return refuse("the points of a step lie in 0 to 100");
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let told = if first < last { Direction::Up } else { Direction::Down };
    let one_way = if told == Direction::Up { points.is_sorted() } else { points.iter().rev().is_sorted() };
    if first == last || !one_way {
        return refuse("the points of its steps must rise or fall with the value");
    }
    if good.is_some_and(|good| good != told) {
        return refuse("the points of its steps go against its `good`");
    }
    Ok((told, Scale::Banded { edges, points }))
}

/// Where one step ends and the next begins.
fn edge(name: &str, lower: &StepSpec, upper: &StepSpec) -> Result<f32, HealthError> {
    let name = || name.to_owned();
    match (lower.to, upper.from) {
        (Some(to), Some(from)) if to < from => Err(HealthError::StepGap { name: name(), to, from }),
        (Some(to), Some(from)) if to > from => Err(HealthError::StepOverlap { name: name(), to, from }),
        (Some(edge), _) | (None, Some(edge)) => narrow(&name(), edge),
        (None, None) => Err(HealthError::Scale {
            name: name(),
            rule: "one of two steps says where they meet, by `to` or by `from`",
        }),
    }
}
