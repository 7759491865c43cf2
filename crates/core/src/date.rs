//! A civil date without time zone.

use jiff::civil;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A day, counted from 1970-01-01. Text form: `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(i32);

/// Why a date was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DateError {
    /// The text is not a date of the given form.
    #[error("`{text}` is not a date of the form `{format}`")]
    Parse {
        /// What was read.
        text: String,
        /// The form that was expected, in strptime's letters.
        format: String,
    },
}

const ISO: &str = "%Y-%m-%d";

impl Date {
    /// The date `n_days` after 1970-01-01.
    pub const fn from_days(n_days: i32) -> Self {
        Self(n_days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The date of a year, month (1-12) and day (1-31), `None` where there is no such day.
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        civil::Date::new(year, month, day).ok().map(Self::from_civil)
    }

    /// Parses `text` by a strptime `format`; a time of day after it, where `format` has one, is dropped.
    ///
    /// # Errors
    /// [`DateError::Parse`] if `text` has another form or names no existing day.
    pub fn parse(text: &str, format: &str) -> Result<Self, DateError> {
        civil::Date::strptime(format, text)
            .map(Self::from_civil)
            .map_err(|_| DateError::Parse { text: text.to_owned(), format: format.to_owned() })
    }

    /// The date `n_days` later (earlier where negative).
    #[must_use]
    pub const fn plus_days(self, n_days: i32) -> Self {
        Self(self.0 + n_days)
    }

    /// The same day of the month `n_months` later, or that month's last day where it is shorter.
    ///
    /// # Panics
    /// Never for years -9999 to 9999.
    #[must_use]
    pub fn plus_months(self, n_months: i32) -> Self {
        let (year, month, day) = self.ymd();
        let months = i32::from(year) * 12 + i32::from(month) - 1 + n_months;
        let (year, month) = (months.div_euclid(12) as i16, months.rem_euclid(12) as i8 + 1);
        let first = civil::Date::new(year, month, 1).expect("the first of a month exists");
        Self::from_civil(first).plus_days(i32::from(day.min(first.days_in_month())) - 1)
    }

    /// The last day of this date's month.
    #[must_use]
    pub fn month_end(self) -> Self {
        Self::from_civil(self.civil().last_of_month())
    }

    /// Year, month (1-12) and day (1-31).
    pub fn ymd(self) -> (i16, i8, i8) {
        let date = self.civil();
        (date.year(), date.month(), date.day())
    }

    /// Day of the week, Monday = 0.
    pub const fn weekday(self) -> u8 {
        (self.0 + 3).rem_euclid(7) as u8
    }

    fn civil(self) -> civil::Date {
        // Howard Hinnant's days-to-civil, by way of jiff's checked arithmetic.
        civil::Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(self.0))
    }

    fn from_civil(date: civil::Date) -> Self {
        let since = date.since(civil::Date::constant(1970, 1, 1)).expect("two civil dates have a difference in days");
        Self(since.get_days())
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl std::str::FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, ISO)
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a date of the test")
    }

    #[test]
    fn a_month_later_is_clamped_to_the_months_end() {
        for (from, months, to) in [
            ("2024-01-31", 1, "2024-02-29"),
            ("2023-01-31", 1, "2023-02-28"),
            ("2024-03-31", -1, "2024-02-29"),
            ("2023-12-15", 1, "2024-01-15"),
            ("2024-02-29", 12, "2025-02-28"),
        ] {
            assert_eq!(date(from).plus_months(months), date(to), "{from} + {months}");
        }
    }

    #[test]
    fn days_and_text_agree() {
        for (text, days) in [("1970-01-01", 0), ("2000-03-01", 11_017), ("1969-12-31", -1)] {
            assert_eq!(date(text).days(), days);
            assert_eq!(Date::from_days(days).to_string(), text);
        }
    }

    #[test]
    fn other_forms_and_days_that_do_not_exist() {
        assert_eq!(Date::parse("19970112", "%Y%m%d").expect("parses"), date("1997-01-12"));
        assert_eq!(Date::parse("27-10-2024", "%d-%m-%Y").expect("parses"), date("2024-10-27"));
        assert!("2023-02-29".parse::<Date>().is_err());
        assert!("2023-2-30x".parse::<Date>().is_err());
        assert_eq!(date("2024-02-11").month_end(), date("2024-02-29"));
        assert_eq!(date("2026-11-21").weekday(), 5);
    }
}
