//! Numbers as text: fixed digits, no locale, undefined in words.

use bellwether_evaluate::Estimate;

/// What stands for a number that does not exist.
pub(crate) const UNDEFINED: &str = "undefined";
/// What stands in a place that has nothing to say.
pub(crate) const NOTHING: &str = "-";
/// What stands for a number that too few events carry.
pub(crate) const NO_EVIDENCE: &str = "not enough evidence";

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// With so many decimals.
    Fixed(usize),
    /// The same, with its sign.
    Signed(usize),
    /// A share as per cent with one decimal.
    Percent,
    /// A multiple with two decimals.
    Times,
}

impl Number {
    /// `x` in words or digits; `undefined` where it is not finite.
    pub(crate) fn of(self, x: f64) -> String {
        format!("{}{}", self.digits(x), if x.is_finite() { self.unit() } else { "" })
    }

    /// As [`Number::of`], `undefined` for `None`.
    pub(crate) fn or_undefined(self, x: Option<f64>) -> String {
        x.map_or_else(|| UNDEFINED.to_owned(), |x| self.of(x))
    }

    /// A value with its interval in brackets, `[-]` where it has none; the unit stands once.
    pub(crate) fn estimate(self, estimate: &Estimate) -> String {
        match (estimate.value, estimate.low.zip(estimate.high)) {
            (None, _) => UNDEFINED.to_owned(),
            (Some(value), None) => format!("{} [{NOTHING}]", self.of(value)),
            (Some(value), Some((low, high))) => {
                format!("{} [{}, {}]", self.of(value), self.digits(low), self.digits(high))
            }
        }
    }

    /// As [`Number::estimate`], and [`NO_EVIDENCE`] where that is said or nothing is defined.
    pub(crate) fn evidence(self, enough_evidence: bool, estimate: &Estimate) -> String {
        if enough_evidence && estimate.value.is_some() { self.estimate(estimate) } else { NO_EVIDENCE.to_owned() }
    }

    fn digits(self, x: f64) -> String {
        if !x.is_finite() {
            return UNDEFINED.to_owned();
        }
        let (x, decimals) = match self {
            Self::Fixed(decimals) | Self::Signed(decimals) => (x, decimals),
            Self::Percent => (100.0 * x, 1),
            Self::Times => (x, 2),
        };
        let text = format!("{x:.decimals$}");
        // A negative number that rounds to nothing is nothing.
        let text = text.strip_prefix('-').filter(|rest| !rest.contains(|c| ('1'..='9').contains(&c))).unwrap_or(&text);
        let is_above = self.is_signed() && text.contains(|c| ('1'..='9').contains(&c)) && !text.starts_with('-');
        format!("{}{text}", if is_above { "+" } else { "" })
    }

    const fn is_signed(self) -> bool {
        matches!(self, Self::Signed(_))
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Fixed(_) | Self::Signed(_) => "",
            Self::Percent => " %",
            Self::Times => "x",
        }
    }
}

/// An amount without decimals, thousands apart.
pub(crate) fn amount(x: f64) -> String {
    let rounded = x.abs().round();
    let sign = if x < 0.0 && rounded > 0.0 { "-" } else { "" };
    format!("{sign}{}", count(rounded as usize))
}

/// A number of things, thousands apart.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits are ASCII")).collect();
    groups.join(",")
}

/// `0.034`, `< 0.001`, or `undefined`.
pub(crate) fn p_value(p: Option<f64>) -> String {
    if p.is_some_and(|p| p < 0.001) { "< 0.001".to_owned() } else { Number::Fixed(3).or_undefined(p) }
}

/// At most six significant digits, no trailing zeros, as people write thresholds.
pub(crate) fn short(x: f64) -> String {
    if !x.is_finite() {
        return UNDEFINED.to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let magnitude = x.abs().log10().floor() as i32;
    if !(-5..=8).contains(&magnitude) {
        return format!("{x:.3e}");
    }
    let decimals = (5 - magnitude).max(0) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_fixed_digits_and_no_negative_nothing() {
        for (number, x, text) in [
            (Number::Fixed(3), 0.8415, "0.842"),
            (Number::Fixed(3), -0.000_4, "0.000"),
            (Number::Signed(3), -0.000_4, "0.000"),
            (Number::Signed(3), 0.0123, "+0.012"),
            (Number::Signed(3), -0.0123, "-0.012"),
            (Number::Percent, 0.4567, "45.7 %"),
            (Number::Times, 4.5, "4.50x"),
            (Number::Percent, f64::NAN, "undefined"),
            (Number::Fixed(1), f64::INFINITY, "undefined"),
        ] {
            assert_eq!(number.of(x), text);
        }
    }

    #[test]
    fn an_estimate_says_what_it_lacks() {
        let estimate = |value, low, high| Estimate { value, low, high };
        for (of, text) in [
            (estimate(Some(0.5), Some(0.25), Some(0.75)), "50.0 % [25.0, 75.0]"),
            (estimate(Some(0.5), None, None), "50.0 % [-]"),
            (estimate(None, None, None), "undefined"),
        ] {
            assert_eq!(Number::Percent.estimate(&of), text);
        }
        assert_eq!(Number::Percent.evidence(true, &Estimate::default()), NO_EVIDENCE);
        assert_eq!(Number::Percent.evidence(false, &estimate(Some(0.5), None, None)), NO_EVIDENCE);
    }

    #[test]
    fn counts_have_thousands() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn thresholds_are_short() {
        for (x, text) in [
            (0.0, "0"),
            (10.0, "10"),
            (-2.5, "-2.5"),
            (1_234_567.8, "1234568"),
            (0.123_456_789, "0.123457"),
            (1e-9, "1.000e-9"),
            (f64::NAN, "undefined"),
        ] {
            assert_eq!(short(x), text);
        }
    }
}
