//! A frozen distribution: which share of the training values lies below a value.

use serde::{Deserialize, Serialize};

use crate::PercentileError;
use crate::numbers::{joined, parted};

/// How training values are spread, at rising knots: how many values equal each knot and how many lie between two.
///
/// Where there are at most [`QuantileTable::MAX_KNOTS`] distinct values each is a knot, so that nothing lies between.
/// Otherwise the knots are the order statistics of rank `floor(j (n - 1) / (MAX_KNOTS - 1))`, from 0, without repeats:
/// the smallest and the largest value are knots, and so is every value that a hundredth of the rows share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct QuantileTable {
    /// The knots; finite and rising, at least one.
    knots: Vec<f32>,
    /// How many values lie below each knot.
    below: Vec<u64>,
    /// How many values do not lie above it; more than below.
    through: Vec<u64>,
}

impl QuantileTable {
    /// Knots that a table has at most.
    pub const MAX_KNOTS: usize = 101;

    /// The table of finite `values` in any order; `None` where there is none.
    pub(crate) fn of(mut values: Vec<f32>) -> Option<Self> {
        // Both zeros are one value; adding 0 makes them one bit pattern.
        for value in &mut values {
            *value += 0.0;
        }
        values.sort_unstable_by(f32::total_cmp);
        let mut knots = values.clone();
        knots.dedup();
        if knots.len() > Self::MAX_KNOTS {
            let last = values.len() - 1;
            knots = (0..Self::MAX_KNOTS).map(|knot| values[knot * last / (Self::MAX_KNOTS - 1)]).collect();
            knots.dedup();
        }
        let count = |is_before: &dyn Fn(f32) -> bool| values.partition_point(|&value| is_before(value)) as u64;
        let below = knots.iter().map(|&knot| count(&|value| value < knot)).collect();
        let through = knots.iter().map(|&knot| count(&|value| value <= knot)).collect();
        (!values.is_empty()).then_some(Self { knots, below, through })
    }

    /// The values at which its slope changes; finite and rising, at least one.
    pub fn knots(&self) -> &[f32] {
        &self.knots
    }

    /// How many values it is of; at least 1.
    pub fn n_values(&self) -> u64 {
        self.through[self.through.len() - 1]
    }

    /// The mid-rank share of `x`, `0.0..=1.0`: the share of values below it and half the share equal to it; NaN for NaN.
    /// At a knot it is exact. Between two knots the values there count as evenly spread, so that it is off by less
    /// than `1 / (MAX_KNOTS - 1)`, and by nothing where every value is a knot. Outside it is 0 or 1. It never falls
    /// as `x` rises. Source: the percentile rank with ties halved, `percentileofscore(kind="mean")` of `SciPy`.
    pub fn share(&self, x: f32) -> f64 {
        if x.is_nan() {
            return f64::NAN;
        }
        let at = self.knots.partition_point(|&knot| knot < x);
        let count = match (at.checked_sub(1), self.knots.get(at)) {
            (_, Some(&knot)) if knot == x => (self.below[at] + self.through[at]) as f64 / 2.0,
            (None, _) => 0.0,
            (Some(_), None) => self.n_values() as f64,
            (Some(low), Some(&high)) => {
                let (from, to) = (self.through[low] as f64, self.below[at] as f64);
                let (low, high) = (f64::from(self.knots[low]), f64::from(high));
                from + (to - from) * ((f64::from(x) - low) / (high - low))
            }
        };
        count / self.n_values() as f64
    }
}

/// The table as it is written: lists of numbers are texts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    knots: String,
    /// How many values equal each knot.
    equal: String,
    /// How many values lie between each knot and the next.
    between: String,
}

impl From<QuantileTable> for Stored {
    fn from(table: QuantileTable) -> Self {
        let QuantileTable { knots, below, through } = table;
        Self {
            knots: joined(knots),
            equal: joined(through.iter().zip(&below).map(|(through, below)| through - below)),
            between: joined(below.iter().skip(1).zip(&through).map(|(below, through)| below - through)),
        }
    }
}

impl TryFrom<Stored> for QuantileTable {
    type Error = PercentileError;

    fn try_from(stored: Stored) -> Result<Self, PercentileError> {
        let number = PercentileError::Number;
        let knots: Vec<f32> = parted(&stored.knots).map_err(number)?;
        let equal: Vec<u64> = parted(&stored.equal).map_err(number)?;
        let between: Vec<u64> = parted(&stored.between).map_err(number)?;
        if knots.is_empty() || equal.len() != knots.len() || between.len() + 1 != knots.len() {
            let (n_knots, n_equal, n_between) = (knots.len(), equal.len(), between.len());
            return Err(PercentileError::Counts { n_knots, n_equal, n_between });
        }
        let is_next = |place: usize| place == 0 || knots[place - 1] < knots[place];
        if let Some(place) = (0..knots.len()).find(|&place| !knots[place].is_finite() || !is_next(place)) {
            return Err(PercentileError::Knot(knots[place]));
        }
        let (mut below, mut through, mut n) = (Vec::new(), Vec::new(), 0_u64);
        for (place, equal) in equal.into_iter().enumerate() {
            let gap = if place == 0 { 0 } else { between[place - 1] };
            let first = n.checked_add(gap);
            let sum = first.zip(first.and_then(|first| first.checked_add(equal)));
            let (first, last) = sum.filter(|(first, last)| first < last).ok_or(PercentileError::Knot(knots[place]))?;
            below.push(first);
            through.push(last);
            n = last;
        }
        Ok(Self { knots, below, through })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(values: &[f32]) -> QuantileTable {
        QuantileTable::of(values.to_vec()).expect("there are values")
    }

    /// The mid-rank share by counting.
    fn naive(values: &[f32], x: f32) -> f64 {
        let n_below = values.iter().filter(|&&value| value < x).count();
        let n_equal = values.iter().filter(|&&value| value == x).count();
        (n_below as f64 + n_equal as f64 / 2.0) / values.len() as f64
    }

    fn stored(knots: &str, equal: &str, between: &str) -> Result<QuantileTable, PercentileError> {
        Stored { knots: knots.into(), equal: equal.into(), between: between.into() }.try_into()
    }

    #[test]
    fn shares_are_those_of_scipy() {
        // scipy.stats.percentileofscore(kind="mean"), the examples of its documentation.
        for (values, x, expected) in [
            ([1.0, 2.0, 3.0, 4.0, 5.0].as_slice(), 3.0, 0.5),
            (&[1.0, 2.0, 3.0, 3.0, 4.0], 3.0, 0.6),
            (&[1.0, 2.0, 3.0, 3.0, 4.0], 2.5, 0.4),
            (&[1.0, 2.0, 3.0, 3.0, 4.0], 0.5, 0.0),
            (&[1.0, 2.0, 3.0, 3.0, 4.0], 9.0, 1.0),
            (&[7.0], 7.0, 0.5),
            (&[-0.0, 0.0, 0.0, -0.0], 0.0, 0.5),
        ] {
            assert_eq!(table(values).share(x), expected, "{x} in {values:?}");
        }
        assert!(table(&[1.0]).share(f32::NAN).is_nan());
        assert_eq!(QuantileTable::of(Vec::new()), None);
    }

    #[test]
    fn a_value_of_many_rows_is_a_knot() {
        // 0 to 999 once each, and 500 another 200 times.
        let values: Vec<f32> = (0..1000_u16).map(f32::from).chain([500.0; 200]).collect();
        let table = table(&values);
        assert!(table.knots.len() <= QuantileTable::MAX_KNOTS);
        assert_eq!(table.n_values(), 1200);
        assert_eq!(table.share(500.0), (500.0 + 201.0 / 2.0) / 1200.0);
        assert!((table.share(499.5) - 500.0 / 1200.0).abs() < 0.01);
        assert_eq!(table.share(999.0), 1199.5 / 1200.0);
    }

    #[test]
    fn a_table_is_written_in_three_lists() {
        let table = table(&[0.0, 0.0, 0.1, 2.5e-7]);
        let written = Stored::from(table.clone());
        assert_eq!((&*written.knots, &*written.equal, &*written.between), ("0 0.00000025 0.1", "2 1 1", "0 0"));
        assert_eq!(QuantileTable::try_from(written).expect("was a table"), table);
    }

    #[test]
    fn a_table_that_lies_is_refused() {
        assert!(stored("1 2", "1 1", "3").is_ok());
        for (knots, equal, between) in [
            ("", "", ""),
            ("1 2", "1 1", ""),
            ("1 2", "1", "0"),
            ("1 1", "1 1", "0"),
            ("2 1", "1 1", "0"),
            ("-0 0", "1 1", "0"),
            ("1 NaN", "1 1", "0"),
            ("1 inf", "1 1", "0"),
            ("1 2", "1 0", "0"),
            ("1 2", "1 -1", "0"),
            ("1 2", "1 1", "18446744073709551615"),
            ("1 two", "1 1", "0"),
        ] {
            assert!(stored(knots, equal, between).is_err(), "{knots} | {equal} | {between}");
        }
    }

    proptest! {
        #[test]
        fn shares_are_the_counted_ones(
            // From all distinct to many ties; from fewer values than knots to many more.
            values in prop_oneof![
                prop::collection::vec(-1e6_f32..1e6, 1..1500),
                prop::collection::vec((-40_i8..40).prop_map(f32::from), 1..400),
                prop::collection::vec((0_u8..255).prop_map(|x| (f32::from(x) / 40.0).exp()), 1..1500),
            ],
            asked in prop::collection::vec(-1.1e6_f32..1.1e6, 1..50),
        ) {
            let table = table(&values);
            let mut distinct = values.clone();
            distinct.sort_unstable_by(f32::total_cmp);
            distinct.dedup();
            let bound = if distinct.len() <= QuantileTable::MAX_KNOTS { 1e-12 } else { 0.01 };
            let mut asked: Vec<f32> = asked.into_iter().chain(values.iter().copied()).collect();
            asked.sort_unstable_by(f32::total_cmp);
            let mut last = 0.0;
            for x in asked {
                let share = table.share(x);
                prop_assert!((share - naive(&values, x)).abs() < bound, "{x}: {share}");
                prop_assert!((last..=1.0).contains(&share), "{x}: {share} after {last}");
                last = share;
            }
            prop_assert_eq!(QuantileTable::try_from(Stored::from(table.clone())).expect("was a table"), table);
        }

        #[test]
        fn the_order_of_values_changes_nothing(values in prop::collection::vec(-50_f32..50.0, 1..400)) {
            let backwards = values.iter().rev().copied().collect();
            prop_assert_eq!(QuantileTable::of(backwards), QuantileTable::of(values));
        }
    }
}
