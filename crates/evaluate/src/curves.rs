//! Points to draw.

use std::ops::Range;

use crate::proportion::{Part, share};
use crate::results::{CalibrationBin, Curves};
use crate::sample::{Counts, Sample};

const MOST_POINTS: usize = 200;

pub(crate) fn curves(sample: &Sample, counts: &Counts, bins: &[Range<usize>], confidence: f64) -> Curves {
    let calibration = bins.iter().rev().map(|bin| calibration_bin(sample, counts, bin, confidence)).collect();
    let (n, n_events, n_non_events) = (counts.n as f64, counts.n_events as f64, counts.n_non_events() as f64);
    let mut curves = Curves { calibration, ..Curves::default() };
    if counts.n_events == 0 {
        return curves;
    }
    let (mut rows_above, mut events_above) = (0.0, 0.0);
    curves.roc.push((0.0, 0.0));
    for (rows, events) in counts.groups() {
        rows_above += f64::from(rows);
        events_above += f64::from(events);
        let precision = events_above / rows_above;
        curves.roc.push(((rows_above - events_above) / n_non_events, events_above / n_events));
        curves.pr.push((events_above / n_events, precision));
        curves.lift.push((rows_above / n, precision / (n_events / n)));
    }
    if n_non_events == 0.0 {
        curves.roc.clear();
    }
    for curve in [&mut curves.roc, &mut curves.pr, &mut curves.lift] {
        *curve = thinned(curve);
    }
    curves
}

fn calibration_bin(sample: &Sample, counts: &Counts, bin: &Range<usize>, confidence: f64) -> CalibrationBin {
    let (n, sum, _) = crate::bins::totals(sample, bin, counts);
    let mut rows: Vec<(usize, bool)> = sample.rows(bin.clone()).collect();
    rows.sort_unstable();
    let part = |rows: &[(usize, bool)]| Part {
        hits: rows.iter().filter(|(_, event)| *event).count() as u32,
        size: rows.len() as u32,
    };
    let parts: Vec<Part> = rows.chunk_by(|a, b| a.0 == b.0).map(part).collect();
    CalibrationBin { n: n as usize, mean_probability: sum / n as f64, event_rate: share(&parts, confidence) }
}

/// At most [`MOST_POINTS`] of the points, first and last included, at equal steps along the curve, each axis by its range.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let (width, height) = (range(points.iter().map(|point| point.0)), range(points.iter().map(|point| point.1)));
    let lengths = points.windows(2).map(|pair| {
        let part = |from: f64, to: f64, range: f64| if range > 0.0 { (to - from).abs() / range } else { 0.0 };
        part(pair[0].0, pair[1].0, width) + part(pair[0].1, pair[1].1, height)
    });
    let step = lengths.clone().sum::<f64>() / (MOST_POINTS - 2) as f64;
    let (mut walked, mut kept) = (0.0, vec![points[0]]);
    for (point, length) in points[1..points.len() - 1].iter().zip(lengths) {
        walked += length;
        if walked >= step && kept.len() < MOST_POINTS - 1 {
            kept.push(*point);
            walked = 0.0;
        }
    }
    kept.push(points[points.len() - 1]);
    kept
}

fn range(values: impl Iterator<Item = f64>) -> f64 {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    high - low
}
