//! Why a score moved: parts that total the change.

use super::top::slope;

/// A row of numbers from one model version: what was said at one time, taken apart.
///
/// A sum is a logit (of a forest a mean probability), see [`crate::Contributions`].
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRow {
    /// The mean sum of what rows are held against.
    pub expected: f64,
    /// What each indicator adds to the sum.
    pub by_indicator: Vec<f64>,
}

/// One model version on the two rows of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedMove {
    /// As of the first day.
    pub before: ExplainedRow,
    /// As of the second day, had the account stayed in the cohort that it was in: percentiles are read off the first day's
    /// tables. The same as `after` where the model reads no percentile.
    pub in_old_cohort: ExplainedRow,
    /// As of the second day.
    pub after: ExplainedRow,
}

/// The change of a score: `after - before = sum of indicators + cohort + model`, to rounding of f64.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// On the first day, by the first model version.
    pub before: f64,
    /// On the second day, by the second model version.
    pub after: f64,
    /// Because the account's own values changed, by indicator.
    pub by_indicator: Vec<f64>,
    /// Because it is held against other accounts than before.
    pub cohort: f64,
    /// Because another model version scores it: its model, calibration and frozen tables.
    pub model: f64,
}

impl ExplainedRow {
    /// The model's sum.
    pub fn sum(&self) -> f64 {
        self.expected + self.by_indicator.iter().sum::<f64>()
    }
}

impl Moved {
    /// Of one account: what the version that scored it on the first day, and the one that scored it on the second, say of
    /// both days, in the same indicators. For one version give the same twice.
    ///
    /// `scores` makes the score of a version's sum, such as a probability in points; the parts of a version's change are in
    /// proportion to those of its sum. With two versions, the account's part is the mean of what both say of its move, and the
    /// model's part the mean of what the versions differ by on both days: the Shapley values of the two changes, which do not
    /// depend on which came first.
    ///
    /// # Panics
    /// If the lists of indicators differ in length.
    pub fn of(first: &ExplainedMove, second: &ExplainedMove, scores: [&dyn Fn(f64) -> f64; 2]) -> Self {
        let n = first.before.by_indicator.len();
        let mut by_indicator = vec![0.0; n];
        let (mut cohort, mut model) = (0.0, 0.0);
        for (ExplainedMove { before, in_old_cohort, after }, score) in [first, second].into_iter().zip(scores) {
            assert!(
                [before, in_old_cohort, after].iter().all(|row| row.by_indicator.len() == n),
                "the same indicators"
            );
            let half = 0.5 * slope(before.sum(), after.sum(), score);
            let values = in_old_cohort.by_indicator.iter().zip(&before.by_indicator);
            for (sum, (new, old)) in by_indicator.iter_mut().zip(values) {
                *sum += half * (new - old);
            }
            cohort += half * (after.sum() - in_old_cohort.sum());
        }
        for of_day in [|of: &ExplainedMove| of.before.sum(), |of: &ExplainedMove| of.after.sum()] {
            model += 0.5 * (scores[1](of_day(second)) - scores[0](of_day(first)));
        }
        Self {
            before: scores[0](first.before.sum()),
            after: scores[1](second.after.sum()),
            by_indicator,
            cohort,
            model,
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::sigmoid;
    use proptest::prelude::*;

    use super::*;

    fn row(of: (f64, Vec<f64>)) -> ExplainedRow {
        ExplainedRow { expected: of.0, by_indicator: of.1 }
    }

    fn explained() -> impl Strategy<Value = ExplainedRow> {
        (-3.0..3.0, prop::collection::vec(-2.0..2.0, 4)).prop_map(row)
    }

    prop_compose! {
        /// What a version says of the three rows; what it expects is its own.
        fn version()(before in explained(), middle in explained(), after in explained()) -> ExplainedMove {
            let expected = before.expected;
            let [in_old_cohort, after] = [middle, after].map(|of| ExplainedRow { expected, ..of });
            ExplainedMove { before, in_old_cohort, after }
        }
    }

    fn points(sum: f64) -> f64 {
        100.0 * sigmoid(sum)
    }

    fn other_points(sum: f64) -> f64 {
        100.0 * sigmoid(0.7 * sum - 0.4)
    }

    proptest! {
        #[test]
        fn parts_total_the_change(first in version(), second in version()) {
            let moved = Moved::of(&first, &second, [&points, &other_points]);
            let parts = moved.by_indicator.iter().sum::<f64>() + moved.cohort + moved.model;
            prop_assert!((parts - (moved.after - moved.before)).abs() < 1e-9, "{moved:?}");
        }

        #[test]
        fn one_version_has_no_part_of_its_own(version in version()) {
            prop_assert_eq!(Moved::of(&version, &version, [&points, &points]).model, 0.0);
        }
    }

    #[test]
    fn two_changes_are_told_apart() {
        let at = |sum: f64| row((0.0, vec![sum]));
        let version =
            |before: f64, after: f64| ExplainedMove { before: at(before), in_old_cohort: at(after), after: at(after) };
        // The first version says that the account moved by 1, the second by 3; they differ by 2, then by 4.
        let moved = Moved::of(&version(0.0, 1.0), &version(2.0, 5.0), [&|sum| sum, &|sum| sum]);
        let expected = Moved { before: 0.0, after: 5.0, by_indicator: vec![2.0], cohort: 0.0, model: 3.0 };
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(moved.model, 3.0) && close(moved.by_indicator[0], 2.0), "{moved:?}, not {expected:?}");
    }
}
