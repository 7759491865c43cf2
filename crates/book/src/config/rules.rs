//! The small languages inside `book.toml`: windows, conditions, dates.

use bellwether_core::Date;
use serde::{Deserialize, Deserializer, de::Error as _};

/// A byte range of `book.toml`.
pub type Span = std::ops::Range<usize>;

/// A length of time that ends with the snapshot day: `30d`, `4w` or `3mo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Window(Length);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Length {
    Days(u32),
    Months(u32),
}

impl Window {
    /// `n` calendar months.
    pub const fn months(n: u32) -> Self {
        Self(Length::Months(n))
    }

    /// The last day before the window that ends with `t`: the window is `(start, t]`.
    pub fn start(self, t: Date) -> Date {
        match self.0 {
            Length::Days(n) => t.plus_days(-(n as i32)),
            // From a month's end to a month's end, whatever their lengths.
            Length::Months(n) if t == t.month_end() => t.plus_months(-(n as i32)).month_end(),
            Length::Months(n) => t.plus_months(-(n as i32)),
        }
    }

    /// The last day of the window that begins with `first`.
    pub fn end(self, first: Date) -> Date {
        match self.0 {
            Length::Days(n) => first.plus_days(n as i32 - 1),
            Length::Months(n) => first.plus_months(n as i32).plus_days(-1),
        }
    }

    /// Whether it is counted in months.
    pub const fn is_months(self) -> bool {
        matches!(self.0, Length::Months(_))
    }
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parse = || {
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let n: u32 = digits.parse().ok().filter(|n| (1..=36_500).contains(n))?;
            match &text[digits.len()..] {
                "d" => Some(Self(Length::Days(n))),
                "w" => Some(Self(Length::Days(7 * n))),
                "mo" => Some(Self(Length::Months(n))),
                _ => None,
            }
        };
        parse().ok_or_else(|| format!("`{text}` is not a window; windows look like `30d`, `4w` or `3mo`"))
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Length::Days(n) => write!(f, "{n}d"),
            Length::Months(n) => write!(f, "{n}mo"),
        }
    }
}

/// A condition on one column; a null never meets it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// The text is one of these.
    #[serde(default)]
    pub r#in: Vec<String>,
    /// The text is none of these.
    #[serde(default)]
    pub not_in: Vec<String>,
    /// The number is at least this.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// The number is at most this.
    #[serde(default)]
    pub at_most: Option<f64>,
}

impl Condition {
    /// Whether it compares numbers; it compares texts otherwise.
    pub const fn is_numeric(&self) -> bool {
        self.at_least.is_some() || self.at_most.is_some()
    }

    /// Whether a number meets it.
    pub fn holds_for_number(&self, x: f64) -> bool {
        !x.is_nan() && self.at_least.is_none_or(|least| x >= least) && self.at_most.is_none_or(|most| x <= most)
    }

    /// Whether a text meets it.
    pub fn holds_for_text(&self, text: &str) -> bool {
        let is = |listed: &String| listed == text;
        (self.r#in.is_empty() || self.r#in.iter().any(is)) && !self.not_in.iter().any(is)
    }
}

/// A date, written as TOML's own or as a text.
pub(super) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Toml(toml::value::Datetime),
    }
    let text = match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Toml(datetime) => datetime.to_string(),
    };
    text.parse().map(Some).map_err(D::Error::custom)
}
