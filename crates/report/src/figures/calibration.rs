//! Whether probabilities mean what they say.

use bellwether_evaluate::CalibrationBin;

use super::axes::{Axis, Ticks, chart, dot, line, rounded_up};
use super::canvas::{BLUE, DrawError, GREY, Mark, WIDTH, draw, header};
use crate::number::Number;
use crate::training::TargetReport;
use crate::words::did;

pub(super) fn calibration(report: &TargetReport, description: &str) -> Result<String, DrawError> {
    let (all, bins) = (&report.evaluation.overall, &report.evaluation.curves.calibration);
    let highest = |bin: &CalibrationBin| {
        let observed = bin.event_rate.high.or(bin.event_rate.value).unwrap_or(0.0);
        bin.mean_probability.max(observed)
    };
    let end = rounded_up(bins.iter().map(highest).fold(0.01, f64::max)).min(1.0);
    let slope = Number::Fixed(2).estimate(&all.calibration_slope);
    let legend = [
        (Mark::Dot(BLUE), format!("bins with 95 % interval, slope {slope}")),
        (Mark::Dashes(GREY), "probabilities that mean what they say".to_owned()),
    ];
    let x = Axis::new("predicted, mean of the bin", 0.0..end, Ticks::Percent);
    let y = Axis::new(format!("observed, % that {}", did(report.target)), 0.0..end, Ticks::Percent);
    draw((WIDTH, 560), description, |area| {
        let body = header(area, &format!("Calibration, {}", report.target), &legend)?;
        let mut chart = chart(&body, &x, &y)?;
        line(&mut chart, [(0.0, 0.0), (end, end)], legend[1].0)?;
        for bin in bins {
            let observed = &bin.event_rate;
            if let Some(value) = observed.value {
                dot(&mut chart, (bin.mean_probability, value), observed.low.zip(observed.high), BLUE)?;
            }
        }
        Ok(())
    })
}
