//! The interval of the expected calibration error, a sum of sizes of gaps.
//!
//! Noise only adds to a size, so the value lies above the truth, and percentiles of replicates, with the noise twice, still
//! higher. The interval asks instead which true gaps would give the value that was found: gaps of the shape that was found, all
//! shrunk or grown alike, each with the noise of its bin (a folded normal: Leone, Nelson and Nottingham 1961).

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use crate::bootstrap::moments;
use crate::proportion::normal_quantile;

/// Gaps are differences of rates, weighted by their bins' shares.
const MOST: f64 = 1.0;
/// More times the gaps that were found is not looked for.
const MOST_TIMES: f64 = 64.0;
const N_STEPS: usize = 60;

/// The interval of `sum |gap|`, given the deviation that each gap has where probabilities are true and rows independent; `None` without replicates or gaps. It starts at 0 where the truth may well be 0.
pub(crate) fn error_interval<'a, I: Iterator<Item = &'a [f64]>>(
    gaps: &[f64],
    calibrated_noise: &[f64],
    replicates: impl Fn() -> I,
    confidence: f64,
) -> Option<(f64, f64)> {
    let noise =
        |bin: usize| Some(moments(&replicates().filter_map(|gaps| gaps.get(bin).copied()).collect::<Vec<_>>())?.1);
    // Of a bin whose few events happened not to come, replicates show no noise at all.
    let noise = |bin: usize| Some(noise(bin)?.max(calibrated_noise[bin]));
    let noise: Vec<f64> = (0..gaps.len()).map(noise).collect::<Option<_>>()?;
    let value: f64 = size(gaps);
    let (_, bootstrap) = moments(&replicates().map(size).collect::<Vec<_>>())?;
    let model = Model { gaps, noise: &noise };
    // Bins of one account are not independent, as the model has them; the replicates know.
    let (_, independent) = model.at(1.0);
    let widening = if independent > 0.0 { bootstrap / independent } else { 1.0 };
    let z = normal_quantile(confidence) * widening;
    let end = |z: f64| {
        let quantile = |times: f64| {
            let (mean, deviation) = model.at(times);
            mean + z * deviation
        };
        value * rising_to(value, quantile)
    };
    // A value that came out small by chance has little noise in the model as well; its upper end is the plain one.
    let plain = value + normal_quantile(confidence) * bootstrap;
    (value > 0.0).then(|| (end(z), end(-z).max(plain).min(MOST)))
}

fn size(gaps: &[f64]) -> f64 {
    gaps.iter().map(|gap| gap.abs()).sum()
}

/// Gaps with their noise.
struct Model<'a> {
    gaps: &'a [f64],
    noise: &'a [f64],
}

impl Model<'_> {
    /// Mean and deviation of the value where the true gaps are `times` those found.
    fn at(&self, times: f64) -> (f64, f64) {
        let standard = Normal::standard();
        let (mut mean, mut variance) = (0.0, 0.0);
        for (gap, &noise) in self.gaps.iter().zip(self.noise) {
            let gap = gap.abs() * times;
            let folded = if noise > 0.0 {
                let ratio = gap / noise;
                2.0 * noise * standard.pdf(ratio) + gap * (1.0 - 2.0 * standard.cdf(-ratio))
            } else {
                gap
            };
            mean += folded;
            variance += gap * gap + noise * noise - folded * folded;
        }
        (mean, variance.max(0.0).sqrt())
    }
}

/// Where `quantile` comes to `value`, by halving; 0 where it starts above.
fn rising_to(value: f64, quantile: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, MOST_TIMES);
    for _ in 0..N_STEPS {
        let middle = f64::midpoint(low, high);
        if quantile(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    if low == 0.0 { 0.0 } else { f64::midpoint(low, high) }
}
