//! Raw features to the standardised columns that a linear fit needs, and its coefficients back to raw features.

use bellwether_core::{Linear, LinearTerm};

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

impl Standardiser {
    /// Learns bounds, centers and deviations of the columns of `table`.
    pub(crate) fn of(table: &Table) -> Self {
        Self { features: table.columns.iter().map(|column| Prepared::of(column)).collect() }
    }

    /// The standardised columns: for each feature its value where it varies, then whether it is missing where that counts.
    pub(crate) fn columns(&self, table: &Table) -> Vec<Vec<f64>> {
        let of_feature = |(feature, column): (&Prepared, &Vec<f32>)| {
            let value = feature.deviation.map(|deviation| {
                let fill = if feature.has_own() { 0.0 } else { f64::from(feature.fill - feature.center) / deviation };
                let scaled = |x: f32| f64::from(x.clamp(feature.lower, feature.upper) - feature.center) / deviation;
                column.iter().map(|&x| if x.is_nan() { fill } else { scaled(x) }).collect()
            });
            let own = feature.has_own();
            let missing = own.then(|| column.iter().map(|x| f64::from(u8::from(x.is_nan()))).collect());
            [value, missing].into_iter().flatten()
        };
        self.features.iter().zip(&table.columns).flat_map(of_feature).collect()
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
        known.sort_unstable_by(f32::total_cmp);
        let n_missing = column.len() - known.len();
        let missing = if n_missing.min(known.len()) >= LEAST_ROWS_FOR_MISSING {
            Missing::OwnCoefficient
        } else {
            Missing::AsFill
        };
        let (Some(&least), Some(&most)) = (known.first(), known.last()) else {
            return Self { lower: 0.0, upper: 0.0, center: 0.0, fill: 0.0, deviation: None, missing };
        };
        let (lower, upper) = (quantile(&known, WINSOR_QUANTILES.0), quantile(&known, WINSOR_QUANTILES.1));
        // Clamping would make a rare level constant.
        let (lower, upper) = if lower == upper { (least, most) } else { (lower, upper) };
        let clamped = known.iter().map(|x| f64::from(x.clamp(lower, upper)));
        let center = (clamped.clone().sum::<f64>() / known.len() as f64) as f32;
        let squares: f64 = clamped.map(|x| (x - f64::from(center)).powi(2)).sum();
        let deviation = Some((squares / known.len() as f64).sqrt()).filter(|_| lower < upper);
        Self { lower, upper, center, fill: quantile(&known, 0.5), deviation, missing }
    }

    fn has_own(&self) -> bool {
        self.missing == Missing::OwnCoefficient
    }
}

/// The value at rank `q` of the sorted values, rounded down.
fn quantile(sorted: &[f32], q: f64) -> f32 {
    sorted[(q * (sorted.len() - 1) as f64).floor() as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::Model;

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
        let columns = standardiser.columns(&table);
        let coefficients = [0.7, -0.4, 1.3, 0.2];
        assert_eq!(columns.len(), coefficients.len());
        let model = Model::Linear(standardiser.linear(-0.5, &coefficients));
        assert!(model.validate().is_ok());
        for row in 0..90 {
            let expected = columns.iter().zip(coefficients).map(|(column, b)| b * column[row]).sum::<f64>() - 0.5;
            let found = model.logit(&table.row(row));
            assert!((found - expected).abs() < 1e-5, "row {row}: {found}, not {expected}");
        }
    }
}
