//! Raw features to the standardised columns that a linear fit needs, and its coefficients back to raw features.

use bellwether_core::{Linear, LinearTerm};
use rayon::prelude::*;

use crate::rows::Table;

/// Values beyond these quantiles of the known values are clamped, so that no outlier steers a weight.
const WINSOR_QUANTILES: (f64, f64) = (0.005, 0.995);

/// A missing value gets its own coefficient where at least this many rows lack the value and as many have it.
const LEAST_ROWS_FOR_MISSING: usize = 20;

/// How each feature enters a linear fit.
#[derive(Debug)]
pub(crate) struct Standardiser {
    features: Vec<Prepared>,
}

#[derive(Debug, Clone, Copy)]
struct Prepared {
    lower: f32,
    upper: f32,
    center: f32,
    /// The lower median of the known values: what a missing value counts as where it has no coefficient of its own.
    fill: f32,
    /// Population standard deviation after clamping; `None` where all known values are equal.
    deviation: Option<f64>,
    missing: Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    AsFill,
    OwnCoefficient,
}

/// What of a feature a standardised column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Its clamped value less its center.
    Value,
    /// 1 where it is missing, else 0.
    Missing,
}

/// Columns that a linear fit reads. All fields have one entry a column.
#[derive(Debug)]
pub(crate) struct Standardised {
    /// Known everywhere; f32, because that is what a model computes when it scores.
    pub(crate) columns: Vec<Vec<f32>>,
    /// What values are multiplied by to have a deviation of 1.
    pub(crate) scales: Vec<f64>,
    /// The feature, from 0, and what of it.
    pub(crate) parts: Vec<(usize, Part)>,
}

impl Standardiser {
    /// Learns bounds, centers and deviations of the columns of `table`.
    pub(crate) fn of(table: &Table) -> Self {
        Self { features: table.columns.par_iter().map(|column| Prepared::of(column)).collect() }
    }

    /// The standardised columns: for each feature its value where it varies, then whether it is missing where that counts.
    pub(crate) fn columns(&self, table: &Table) -> Standardised {
        let features: Vec<(usize, &Prepared)> = self.features.iter().enumerate().collect();
        let values =
            features.iter().filter_map(|&(place, feature)| Some((place, Part::Value, 1.0 / feature.deviation?)));
        let missing = features.iter().filter(|(_, feature)| feature.has_own());
        let mut parts: Vec<(usize, Part, f64)> =
            values.chain(missing.map(|&(place, _)| (place, Part::Missing, 1.0))).collect();
        parts.sort_by_key(|&(place, part, _)| (place, part));
        let column = |&(place, part, _): &(usize, Part, f64)| self.features[place].column(part, &table.columns[place]);
        Standardised {
            columns: parts.par_iter().map(column).collect(),
            scales: parts.iter().map(|&(_, _, scale)| scale).collect(),
            parts: parts.iter().map(|&(place, part, _)| (place, part)).collect(),
        }
    }

    /// The same prediction from raw features; `coefficients` has one entry a standardised column.
    pub(crate) fn linear(&self, intercept: f64, coefficients: &[f64]) -> Linear {
        let mut left = coefficients.iter().copied();
        let mut next = || left.next().expect("one coefficient a standardised column");
        let term = |feature: &Prepared| {
            let weight = feature.deviation.map_or(0.0, |deviation| next() / deviation);
            let weight = Some(weight as f32).filter(|weight| weight.is_finite()).unwrap_or(0.0);
            let missing_weight =
                if feature.has_own() { next() as f32 } else { weight * (feature.fill - feature.center) };
            let Prepared { lower, upper, center, .. } = *feature;
            LinearTerm { lower, upper, center, weight, missing_weight }
        };
        Linear { terms: self.features.iter().map(term).collect(), intercept: intercept as f32 }
    }
}

impl Prepared {
    fn of(column: &[f32]) -> Self {
        let mut known: Vec<f32> = column.iter().copied().filter(|x| !x.is_nan()).collect();
        let n_missing = column.len() - known.len();
        let missing = if n_missing.min(known.len()) >= LEAST_ROWS_FOR_MISSING {
            Missing::OwnCoefficient
        } else {
            Missing::AsFill
        };
        let Some(quantiles) = quantiles(&mut known) else {
            return Self { lower: 0.0, upper: 0.0, center: 0.0, fill: 0.0, deviation: None, missing };
        };
        let Quantiles { least, lower, fill, upper, most } = quantiles;
        // Clamping would make a rare level constant.
        let (lower, upper) = if lower == upper { (least, most) } else { (lower, upper) };
        let clamped = column.iter().filter(|x| !x.is_nan()).map(|x| f64::from(x.clamp(lower, upper)));
        let center = (clamped.clone().sum::<f64>() / known.len() as f64) as f32;
        let squares: f64 = clamped.map(|x| (x - f64::from(center)).powi(2)).sum();
        let deviation = Some((squares / known.len() as f64).sqrt()).filter(|_| lower < upper);
        Self { lower, upper, center, fill, deviation, missing }
    }

    /// What `part` says of each value of `column`, without the scale.
    fn column(&self, part: Part, column: &[f32]) -> Vec<f32> {
        let fill = if self.has_own() { 0.0 } else { self.fill - self.center };
        let value = |x: f32| if x.is_nan() { fill } else { x.clamp(self.lower, self.upper) - self.center };
        match part {
            Part::Value => column.iter().map(|&x| value(x)).collect(),
            Part::Missing => column.iter().map(|x| f32::from(u8::from(x.is_nan()))).collect(),
        }
    }

    fn has_own(&self) -> bool {
        self.missing == Missing::OwnCoefficient
    }
}

struct Quantiles {
    least: f32,
    lower: f32,
    /// The lower median.
    fill: f32,
    upper: f32,
    most: f32,
}

/// Values at ranks, rounded down; `values` is put into another order. `None` where there is none.
fn quantiles(values: &mut [f32]) -> Option<Quantiles> {
    let last = values.len().checked_sub(1)?;
    let rank = |q: f64| (q * last as f64).floor() as usize;
    let (low, middle, high) = (rank(WINSOR_QUANTILES.0), rank(0.5), rank(WINSOR_QUANTILES.1));
    let (below, &mut upper, above) = values.select_nth_unstable_by(high, f32::total_cmp);
    let most = above.iter().copied().max_by(f32::total_cmp).unwrap_or(upper);
    // A rank that is also the higher one's is where that one stands.
    let (below, fill) = if middle < high { split_at_rank(below, middle) } else { (below, upper) };
    let (below, lower) = if low < middle { split_at_rank(below, low) } else { (below, fill) };
    let least = below.iter().copied().min_by(f32::total_cmp).unwrap_or(lower);
    Some(Quantiles { least, lower, fill, upper, most })
}

/// The values below the one at `rank`, and that one.
fn split_at_rank(values: &mut [f32], rank: usize) -> (&mut [f32], f32) {
    let (below, &mut value, _) = values.select_nth_unstable_by(rank, f32::total_cmp);
    (below, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::Model;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranks_are_those_of_the_sorted_values(mut values in prop::collection::vec(-40_i8..40, 1..500)) {
            let mut mixed: Vec<f32> = values.iter().map(|&value| f32::from(value)).collect();
            let found = quantiles(&mut mixed).expect("there is a value");
            values.sort_unstable();
            let last = values.len() - 1;
            let rank = |q: f64| f32::from(values[(q * last as f64).floor() as usize]);
            prop_assert_eq!((found.least, found.most), (f32::from(values[0]), f32::from(values[last])));
            prop_assert_eq!((found.lower, found.fill, found.upper), (rank(0.005), rank(0.5), rank(0.995)));
        }
    }

    fn table(columns: Vec<Vec<f32>>) -> Table {
        let n = columns[0].len();
        Table { columns, y: vec![true; n], weights: None, day: vec![0; n], group: vec![0; n] }
    }

    #[test]
    fn coefficients_mean_the_same_on_raw_features() {
        let often_missing = |row: usize| if row.is_multiple_of(3) { f32::NAN } else { row as f32 };
        let once_missing = |row: usize| if row == 7 { f32::NAN } else { (row % 13) as f32 * 1e-3 };
        let table = table(vec![
            (0..90).map(often_missing).collect(),
            (0..90).map(once_missing).collect(),
            vec![4.0; 90],
            vec![f32::NAN; 90],
            (0..90).map(|row| f32::from(u8::from(row == 89))).collect(),
        ]);
        let standardiser = Standardiser::of(&table);
        let Standardised { columns, scales, parts } = standardiser.columns(&table);
        let coefficients = [0.7, -0.4, 1.3, 0.2];
        assert_eq!(parts, [(0, Part::Value), (0, Part::Missing), (1, Part::Value), (4, Part::Value)]);
        let model = Model::Linear(standardiser.linear(-0.5, &coefficients));
        assert!(model.validate().is_ok());
        for row in 0..90 {
            let scaled = columns.iter().zip(&scales).map(|(column, scale)| f64::from(column[row]) * scale);
            let expected = scaled.zip(coefficients).map(|(x, b)| b * x).sum::<f64>() - 0.5;
            let found = model.logit(&table.row(row));
            assert!((found - expected).abs() < 1e-5, "row {row}: {found}, not {expected}");
        }
    }
}
