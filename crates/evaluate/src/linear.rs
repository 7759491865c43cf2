//! Values that are sums over accounts to first order, and the intervals that follow.
//!
//! The part of an account is what the value would move by if the account counted a little more; parts sum to 0. Their squares
//! give the variance, by account. Source: Binder (1983), Int. Stat. Rev. 51 (linearisation); Liang and Zeger (1986).

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::results::{Estimate, PairedDifference};
use crate::scale::Scale;

/// A value with each account's part in it.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) value: f64,
    /// By account place; 0 for an account that has no say.
    pub(crate) parts: Vec<f64>,
    /// Accounts that have a say.
    pub(crate) n_accounts: usize,
}

impl Linear {
    /// `numerator / denominator`, each summed over accounts; `None` where the denominator is 0.
    pub(crate) fn ratio(numerator: &[f64], denominator: &[f64]) -> Option<Self> {
        let (over, under) = (numerator.iter().sum::<f64>(), denominator.iter().sum::<f64>());
        let value = over / under;
        let parts = numerator.iter().zip(denominator).map(|(n, d)| (n - value * d) / under).collect();
        let n_accounts = numerator.iter().zip(denominator).filter(|&(&n, &d)| n != 0.0 || d != 0.0).count();
        (under != 0.0).then_some(Self { value, parts, n_accounts })
    }

    /// This less the other, over the same accounts.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let parts = self.parts.iter().zip(&other.parts).map(|(a, b)| a - b).collect();
        Self { value: self.value - other.value, parts, n_accounts: self.n_accounts.min(other.n_accounts) }
    }

    /// Whether no account moves the value at all.
    fn is_certain(&self) -> bool {
        self.value == 0.0 && self.parts.iter().all(|&part| part == 0.0)
    }

    /// `None` with fewer than two accounts, or where no account differs.
    pub(crate) fn deviation(&self) -> Option<f64> {
        let squares: f64 = self.parts.iter().map(|part| part * part).sum();
        let unbiased = self.n_accounts as f64 / (self.n_accounts as f64 - 1.0);
        (self.n_accounts > 1 && squares > 0.0).then(|| (unbiased * squares).sqrt())
    }

    /// Degrees of freedom of the deviation: fewer where few accounts make up most of it, by the kurtosis of the parts.
    /// Source: Satterthwaite (1946), with the variance of a variance of Cramer (1946), 27.4.
    pub(crate) fn freedom(&self) -> f64 {
        let n = self.n_accounts as f64;
        let squares: f64 = self.parts.iter().map(|part| part * part).sum();
        let fourths: f64 = self.parts.iter().map(|part| part.powi(4)).sum();
        let beyond = fourths - squares * squares / n;
        if beyond > 0.0 { (2.0 * squares * squares / beyond).min(n - 1.0) } else { n - 1.0 }
    }

    /// Student's interval, taken on `scale`.
    pub(crate) fn estimate(&self, scale: Scale, confidence: f64) -> Estimate {
        let interval = self
            .deviation()
            .and_then(|deviation| scale.interval(self.value, deviation, student_quantile(self.freedom(), confidence)));
        Estimate::new(Some(self.value), interval)
    }

    /// Of a difference: Student's interval and the p-value; 0 for certain where no account moves it, as where two models
    /// agree on every row.
    pub(crate) fn difference(&self, confidence: f64) -> PairedDifference {
        if self.is_certain() {
            let zero = Estimate::new(Some(self.value), Some((self.value, self.value)));
            return PairedDifference { difference: zero, p_value: Some(1.0) };
        }
        PairedDifference { difference: self.estimate(Scale::Plain, confidence), p_value: self.p_value() }
    }

    /// Two-sided, of "it is 0".
    pub(crate) fn p_value(&self) -> Option<f64> {
        self.deviation().map(|deviation| two_sided(self.value / deviation, self.freedom()))
    }
}

/// The two-sided quantile of Student's distribution, 12.7 for 0.95 and one degree of freedom.
pub(crate) fn student_quantile(freedom: f64, confidence: f64) -> f64 {
    student(freedom).inverse_cdf(f64::midpoint(1.0, confidence))
}

/// The chance of a value at least as far from 0.
pub(crate) fn two_sided(value: f64, freedom: f64) -> f64 {
    (2.0 * student(freedom).cdf(-value.abs())).min(1.0)
}

fn student(freedom: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom.max(1.0)).expect("at least one degree of freedom")
}
