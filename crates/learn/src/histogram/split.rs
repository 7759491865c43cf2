//! The best split of a leaf.

use super::bins::MISSING;
use super::sums::{FeatureSums, Sum};

/// How the logit may move with a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Monotone {
    /// Either way.
    Free,
    /// It never falls where the feature rises.
    Rising,
    /// It never rises where the feature rises.
    Falling,
}

/// What a split must keep to; all in steps of the tree's numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// L2 penalty.
    pub(crate) l2: f64,
    /// Rows of a leaf, at least, as far as hessians tell.
    pub(crate) least_rows: f64,
    /// The hessian of a leaf, at least; above 0.
    pub(crate) least_hessian: f64,
}

/// Least and largest output of a leaf, from splits above it on features that have a direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// A leaf that may be split.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) sum: Sum,
    pub(crate) n_rows: usize,
    pub(crate) bounds: Bounds,
}

/// A split of a leaf in two: bins up to `bin` go left, missing values where `missing_left` says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    /// Fall of the loss.
    pub(crate) gain: f64,
    pub(crate) feature: usize,
    pub(crate) bin: u8,
    pub(crate) missing_left: bool,
    /// What goes left.
    pub(crate) left: Sum,
}

impl Bounds {
    pub(crate) const NONE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// The bounds of the children of a split on a feature with direction `monotone`, by their outputs. Source:
    /// `LightGBM`, `monotone_constraints_method = basic`.
    pub(crate) fn of_children(self, monotone: Monotone, [left, right]: [f64; 2]) -> [Self; 2] {
        let middle = f64::midpoint(left, right);
        let (below, above) = (Self { upper: middle, ..self }, Self { lower: middle, ..self });
        match monotone {
            Monotone::Free => [self, self],
            Monotone::Rising => [below, above],
            Monotone::Falling => [above, below],
        }
    }
}

impl Rules {
    /// The output with the least loss within `bounds`. Source: Chen and Guestrin (2016), `XGBoost`, equation 5.
    pub(crate) fn output(&self, sum: Sum, bounds: Bounds) -> f64 {
        (-sum.gradient / (sum.hessian + self.l2)).clamp(bounds.lower, bounds.upper)
    }

    /// Twice the fall of the loss that `output` brings.
    fn fall(&self, sum: Sum, output: f64) -> f64 {
        -(2.0 * sum.gradient * output + (sum.hessian + self.l2) * output * output)
    }

    /// Twice the fall of the loss of the best output without bounds.
    fn free_fall(&self, sum: Sum) -> f64 {
        sum.gradient * sum.gradient / (sum.hessian + self.l2)
    }

    /// The hessian of a child, at least.
    fn least_hessian_of(&self, leaf: &Candidate) -> f64 {
        (self.least_rows * leaf.sum.hessian / leaf.n_rows as f64).max(self.least_hessian)
    }

    /// Whether `leaf` is large enough for two.
    pub(crate) fn allow_a_split(&self, leaf: &Candidate) -> bool {
        leaf.sum.hessian >= 2.0 * self.least_hessian_of(leaf)
    }

    /// The split of `leaf` on one feature with the largest gain above 0; the lowest bin wins a tie.
    pub(crate) fn best_split(
        &self,
        leaf: &Candidate,
        feature: usize,
        sums: &FeatureSums,
        n_bins: usize,
        monotone: Monotone,
    ) -> Option<Split> {
        let least = self.least_hessian_of(leaf);
        let free = monotone == Monotone::Free && leaf.bounds == Bounds::NONE;
        let falls = |left: Sum, right: Sum| {
            if free {
                return Some(self.free_fall(left) + self.free_fall(right));
            }
            let outputs = [self.output(left, leaf.bounds), self.output(right, leaf.bounds)];
            let allowed = match monotone {
                Monotone::Free => true,
                Monotone::Rising => outputs[0] <= outputs[1],
                Monotone::Falling => outputs[0] >= outputs[1],
            };
            allowed.then(|| self.fall(left, outputs[0]) + self.fall(right, outputs[1]))
        };
        let missing = sums[usize::from(MISSING)];
        let some_missing = missing != Sum::default();
        let mut best: Option<Split> = None;
        // What must be gained beyond the leaf as it is.
        let mut most = self.fall(leaf.sum, self.output(leaf.sum, leaf.bounds)).max(0.0) * (1.0 + 1e-9);
        let as_it_is = most;
        let mut scan = |missing_left: bool, n_bins: usize| {
            let mut left = if missing_left { missing } else { Sum::default() };
            for (bin, &sum) in sums[..n_bins].iter().enumerate() {
                left += sum;
                let right = leaf.sum - left;
                if left.hessian < least {
                    continue;
                }
                if right.hessian < least {
                    break;
                }
                if let Some(fall) = falls(left, right).filter(|&fall| fall > most) {
                    most = fall;
                    // A value that was never missing here goes with most rows.
                    let missing_left = if some_missing { missing_left } else { left.hessian >= right.hessian };
                    best = Some(Split { gain: 0.5 * (fall - as_it_is), feature, bin: bin as u8, missing_left, left });
                }
            }
        };
        if some_missing {
            scan(true, n_bins - 1);
            scan(false, n_bins);
        } else {
            scan(false, n_bins - 1);
        }
        best
    }
}

/// The larger gain; the first wins a tie.
pub(crate) fn better(first: Option<Split>, second: Option<Split>) -> Option<Split> {
    match (first, second) {
        (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules { l2: 1.5, least_rows: 2.0, least_hessian: 1.0 };

    /// The best gain over every way to part `bins`, tried one by one; each with its sums added up anew.
    fn naive(rows: &[(u8, i32, u32)], n_bins: usize, least: f64) -> f64 {
        let sum_of = |keep: &dyn Fn(u8) -> bool| {
            rows.iter()
                .filter(|row| keep(row.0))
                .fold((0.0, 0.0), |(g, h), row| (g + f64::from(row.1), h + f64::from(row.2)))
        };
        let fall = |(g, h): (f64, f64)| g * g / (h + RULES.l2);
        let mut best = 0.0_f64;
        for bin in 0..n_bins {
            for missing_left in [false, true] {
                let goes_left = |of_row: u8| if of_row == MISSING { missing_left } else { usize::from(of_row) <= bin };
                let (left, right) = (sum_of(&goes_left), sum_of(&|of_row| !goes_left(of_row)));
                if left.1 >= least && right.1 >= least {
                    best = best.max(0.5 * (fall(left) + fall(right) - fall(sum_of(&|_| true))));
                }
            }
        }
        best
    }

    fn bin() -> impl Strategy<Value = u8> {
        prop_oneof![4 => 0..12_u8, 1 => Just(MISSING)]
    }

    proptest! {
        #[test]
        fn the_best_split_is_the_best_of_all(
            rows in prop::collection::vec((bin(), -100..100_i32, 1..50_u32), 4..60),
        ) {
            let mut sums: FeatureSums = [Sum::default(); 256];
            let mut all = Sum::default();
            for &(bin, gradient, hessian) in &rows {
                let sum = Sum { gradient: f64::from(gradient), hessian: f64::from(hessian) };
                sums[usize::from(bin)] += sum;
                all += sum;
            }
            let leaf = Candidate { sum: all, n_rows: rows.len(), bounds: Bounds::NONE };
            let found = RULES.best_split(&leaf, 3, &sums, 12, Monotone::Free);
            let best = naive(&rows, 12, RULES.least_hessian_of(&leaf));
            let gain = found.map_or(0.0, |split| split.gain);
            prop_assert!((gain - best).abs() <= 1e-6 * best.max(1.0), "{} {}", gain, best);
            for monotone in [Monotone::Rising, Monotone::Falling] {
                if let Some(split) = RULES.best_split(&leaf, 3, &sums, 12, monotone) {
                    let outputs = [split.left, all - split.left].map(|sum| RULES.output(sum, Bounds::NONE));
                    let [low, high] = if monotone == Monotone::Rising { outputs } else { [outputs[1], outputs[0]] };
                    prop_assert!(low <= high);
                    prop_assert!(split.gain <= gain * (1.0 + 1e-9) + 1e-9);
                }
            }
        }
    }

    #[test]
    fn bounds_hold_an_output_back() {
        let sum = Sum { gradient: -10.0, hessian: 8.5 };
        assert_eq!(RULES.output(sum, Bounds::NONE), 1.0);
        let [below, above] = Bounds::NONE.of_children(Monotone::Rising, [0.0, 0.5]);
        assert_eq!((RULES.output(sum, below), RULES.output(sum, above)), (0.25, 1.0));
        let [above, below] = Bounds::NONE.of_children(Monotone::Falling, [0.5, 0.0]);
        assert_eq!((RULES.output(sum, below), RULES.output(sum, above)), (0.25, 1.0));
    }
}
