//! Thresholds in f32 that keep every training row on its side, and where a value goes that was never missing.

/// The largest f32 that is not above `x`: for every f32 value, `value <= x` and `value <= floor_f32(x)` are the same.
pub(crate) fn floor_f32(x: f64) -> f32 {
    let nearest = x.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
    if f64::from(nearest) > x { nearest.next_down().max(f32::MIN) } else { nearest }
}

/// What is known of the values of each column.
pub(crate) struct KnownValues {
    of_column: Vec<Column>,
}

struct Column {
    /// The lower median of the known values, where none is missing.
    median_if_complete: Option<f32>,
}

impl KnownValues {
    pub(crate) fn of(columns: &[Vec<f32>]) -> Self {
        Self { of_column: columns.iter().map(|column| Column::of(column)).collect() }
    }

    /// Whether a missing value goes left, if `column` was never missing in training: where its median goes.
    pub(crate) fn default_left(&self, column: usize, threshold: f32) -> Option<bool> {
        self.of_column[column].median_if_complete.map(|median| median <= threshold)
    }
}

/// A number `t` with `below <= t < above`, near the middle.
pub(crate) fn halfway(below: f32, above: f32) -> f32 {
    floor_f32(f64::midpoint(f64::from(below), f64::from(above))).min(above.next_down())
}

impl Column {
    fn of(values: &[f32]) -> Self {
        let mut known: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        known.sort_unstable_by(f32::total_cmp);
        let complete = known.len() == values.len();
        let median_if_complete = complete.then(|| known.get(known.len().saturating_sub(1) / 2).copied()).flatten();
        Self { median_if_complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ordinary() -> impl Strategy<Value = f32> {
        any::<f32>().prop_filter("finite", |x| x.is_finite() && x.abs() < f32::MAX)
    }

    proptest! {
        #[test]
        fn no_f32_value_changes_sides(x in ordinary(), t in prop::num::f64::NORMAL) {
            prop_assert_eq!(f64::from(x) <= t, x <= floor_f32(t));
        }

        #[test]
        fn halfway_parts_any_two_values(a in ordinary(), b in ordinary()) {
            prop_assume!(a != b);
            let (below, above) = (a.min(b), a.max(b));
            let t = halfway(below, above);
            prop_assert!(below <= t && t < above, "{below} {t} {above}");
        }
    }

    #[test]
    fn a_never_missing_column_sends_missing_with_its_median() {
        let known = KnownValues::of(&[vec![1.0, 2.0, 9.0], vec![1.0, f32::NAN, 9.0]]);
        assert_eq!((known.default_left(0, 2.0), known.default_left(0, 1.5)), (Some(true), Some(false)));
        assert_eq!(known.default_left(1, 2.0), None);
    }
}
