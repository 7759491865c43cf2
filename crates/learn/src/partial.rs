//! Labels that are known up to a day within the horizon only.

use bellwether_core::sigmoid;

use crate::drift::ScoredRows;

/// What a model says of rows whose horizon has not ended yet.
#[derive(Debug, Clone, Copy)]
pub struct PartialRows<'a> {
    /// `y` says whether the outcome came so far.
    pub rows: ScoredRows<'a>,
    /// One a row: of outcomes within the horizon, the share that comes in so many of its days, in `(0, 1]`; 1 where the
    /// label is whole.
    pub share: &'a [f64],
}

/// How the probability of the whole horizon becomes that of a part of it: `1 - (1 - p)^exponent`, hazards in proportion
/// (the complementary log-log model of grouped survival times, Prentice and Gloeckler 1978).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exponent(f64);

impl Exponent {
    /// The one by which `share` of the outcomes that rows of these `logits` expect come within the part; `None` where that
    /// is all of them.
    pub(crate) fn of(logits: &[f64], share: f64) -> Option<Self> {
        const MOST_STEPS: usize = 50;
        if share >= 1.0 {
            return None;
        }
        let wanted: f64 = share * logits.iter().copied().map(sigmoid).sum::<f64>();
        // What is expected of the part grows with the exponent, ever more slowly: Newton's steps never pass the solution.
        let mut exponent = 0.0;
        for _ in 0..MOST_STEPS {
            let (mut found, mut slope) = (0.0, 0.0);
            for &logit in logits {
                let hazard = cumulated_hazard(logit);
                found -= (-exponent * hazard).exp_m1();
                slope += hazard * (-exponent * hazard).exp();
            }
            let step = (wanted - found) / slope;
            exponent += step;
            if step.abs() < 1e-12 {
                break;
            }
        }
        Some(Self(exponent))
    }

    /// The probability of the part where that of the whole has this logit, and its slope in the logit.
    pub(crate) fn probability(self, logit: f64) -> (f64, f64) {
        let exponent = -self.0 * cumulated_hazard(logit);
        (-exponent.exp_m1(), self.0 * sigmoid(logit) * exponent.exp())
    }
}

/// `-ln(1 - p)` where `p` has this logit.
fn cumulated_hazard(logit: f64) -> f64 {
    logit.max(0.0) + (-logit.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdout::mixed;

    /// Hazards of accounts that are constant over 90 days: of 30 days it is a third, whatever the account.
    #[test]
    fn the_exponent_of_constant_hazards_is_the_share_of_days() {
        let unit = |k: u64| mixed(k) as f64 / u64::MAX as f64;
        for level in [-4.0, -1.0, 1.0] {
            let logits: Vec<f64> = (0..40_000).map(|k| level + 3.0 * unit(k)).collect();
            let (mut n_part, mut n_whole) = (0.0, 0.0);
            for (k, &logit) in logits.iter().enumerate() {
                let day = 90.0 * -unit(1_000_000 + k as u64).ln() / cumulated_hazard(logit);
                n_part += f64::from(u8::from(day <= 30.0));
                n_whole += f64::from(u8::from(day <= 90.0));
            }
            let Exponent(found) = Exponent::of(&logits, n_part / n_whole).expect("a part");
            assert!((found - 1.0 / 3.0).abs() < 0.02, "{level}: {found}");
        }
    }

    #[test]
    fn a_part_expects_its_share_and_rises_with_the_logit() {
        let logits = [-6.0, -2.0, 0.5, 4.0];
        for share in [0.05, 0.5, 0.99] {
            let exponent = Exponent::of(&logits, share).expect("a part");
            let of_part: f64 = logits.iter().map(|&logit| exponent.probability(logit).0).sum();
            let of_whole: f64 = logits.iter().map(|&logit| sigmoid(logit)).sum();
            assert!((of_part - share * of_whole).abs() < 1e-9, "{share}");
            for logit in logits {
                let at = |logit: f64| exponent.probability(logit).0;
                let slope = (at(logit + 1e-5) - at(logit - 1e-5)) / 2e-5;
                assert!((exponent.probability(logit).1 - slope).abs() < 1e-8 && slope > 0.0, "{share}, {logit}");
            }
        }
        assert_eq!(Exponent::of(&logits, 1.0), None);
    }
}
