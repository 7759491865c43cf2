//! How forecasts of past days did.

use bellwether_core::Date;
use serde::{Deserialize, Serialize};

use super::draws::Outlook;

/// What was forecast, from the day to the end of the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Revenue of accounts that churned.
    Churned,
    /// What accounts that stayed gained.
    Expanded,
    /// What accounts that stayed lost.
    Contracted,
    /// Revenue at the end.
    End,
}

impl Quantity {
    /// Every quantity, in order.
    pub const ALL: [Self; 4] = [Self::Churned, Self::Expanded, Self::Contracted, Self::End];

    /// `churned`, `expanded`, `contracted` or `end`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Churned => "churned",
            Self::Expanded => "expanded",
            Self::Contracted => "contracted",
            Self::End => "end",
        }
    }
}

/// One forecast beside what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ForecastCase {
    /// The day of the forecast.
    pub as_of: Date,
    /// Days from there to the end.
    pub horizon_days: u32,
    /// What was forecast.
    pub quantity: Quantity,
    /// The forecast.
    pub outlook: Outlook,
    /// What happened.
    pub actual: f64,
    /// The rates of the last window of the same length, carried forward; `None` where nothing is known of it.
    pub last_rates: Option<f64>,
    /// As if nothing changed.
    pub no_change: f64,
}

/// Forecasts of one quantity and horizon over several days. Days whose windows overlap are not independent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BacktestSummary {
    /// What was forecast.
    pub quantity: Quantity,
    /// Days from the day of the forecast to the end.
    pub horizon_days: u32,
    /// Days.
    pub n: usize,
    /// Days on which the 80 % interval held what happened.
    pub inside_80: usize,
    /// The same of the 95 % interval.
    pub inside_95: usize,
    /// Sum of the forecasts over the sum of what happened, less 1; `None` where nothing happened.
    pub bias: Option<f64>,
    /// Mean absolute error.
    pub error: f64,
    /// The same of last window's rates; `None` unless known on every day.
    pub error_of_last_rates: Option<f64>,
    /// The same of no change.
    pub error_of_no_change: f64,
}

impl ForecastCase {
    /// Whether the 80 % interval holds what happened.
    pub fn is_inside_80(&self) -> bool {
        inside(self.outlook.within_80, self.actual)
    }

    /// Whether the 95 % interval holds what happened.
    pub fn is_inside_95(&self) -> bool {
        inside(self.outlook.within_95, self.actual)
    }
}

fn inside((low, high): (f64, f64), x: f64) -> bool {
    low <= x && x <= high
}

/// One summary for each quantity and horizon among `cases`, by quantity, then horizon.
pub fn summarise(cases: &[ForecastCase]) -> Vec<BacktestSummary> {
    let mut kinds: Vec<(Quantity, u32)> = cases.iter().map(|case| (case.quantity, case.horizon_days)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of_kind = |kind: (Quantity, u32)| {
        let of: Vec<&ForecastCase> = cases.iter().filter(|case| (case.quantity, case.horizon_days) == kind).collect();
        summary(kind, &of)
    };
    kinds.into_iter().map(of_kind).collect()
}

fn summary((quantity, horizon_days): (Quantity, u32), cases: &[&ForecastCase]) -> BacktestSummary {
    let n = cases.len() as f64;
    let error = |forecast: &dyn Fn(&ForecastCase) -> Option<f64>| -> Option<f64> {
        let errors: Option<Vec<f64>> =
            cases.iter().map(|case| forecast(case).map(|forecast| (forecast - case.actual).abs())).collect();
        errors.map(|errors| errors.iter().sum::<f64>() / n)
    };
    let sum = |of: fn(&ForecastCase) -> f64| -> f64 { cases.iter().map(|case| of(case)).sum() };
    let (forecast, actual) = (sum(|case| case.outlook.expected), sum(|case| case.actual));
    BacktestSummary {
        quantity,
        horizon_days,
        n: cases.len(),
        inside_80: cases.iter().filter(|case| case.is_inside_80()).count(),
        inside_95: cases.iter().filter(|case| case.is_inside_95()).count(),
        bias: (actual != 0.0).then(|| forecast / actual - 1.0),
        error: error(&|case| Some(case.outlook.expected)).unwrap_or(0.0),
        error_of_last_rates: error(&|case| case.last_rates),
        error_of_no_change: error(&|case| Some(case.no_change)).unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(expected: f64, actual: f64, last_rates: Option<f64>) -> ForecastCase {
        let outlook = Outlook {
            expected,
            within_80: (expected - 1.0, expected + 1.0),
            within_95: (expected - 2.0, expected + 2.0),
        };
        let (as_of, quantity) = (Date::from_days(0), Quantity::Churned);
        ForecastCase { as_of, horizon_days: 90, quantity, outlook, actual, last_rates, no_change: 0.0 }
    }

    #[test]
    fn hits_bias_and_errors_by_hand() {
        let cases = [case(10.0, 8.0, Some(9.0)), case(10.0, 10.5, Some(12.5)), case(7.0, 1.5, Some(1.5))];
        let found = summarise(&cases);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].n, found[0].inside_80, found[0].inside_95), (3, 1, 2));
        assert!((found[0].bias.expect("something happened") - 0.35).abs() < 1e-12);
        assert_eq!((found[0].error, found[0].error_of_last_rates), (8.0 / 3.0, Some(1.0)));
        assert_eq!(found[0].error_of_no_change, 20.0 / 3.0);
        assert_eq!(summarise(&[case(1.0, 1.0, Some(1.0)), case(1.0, 0.0, None)])[0].error_of_last_rates, None);
    }
}
