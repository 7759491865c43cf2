//! Reasons as plain sentences.

use bellwether_core::{Outcome, UsualRange};

use super::{HealthShare, IndicatorValue, Reason};

/// What a number of an indicator says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// A number of these; none where nobody said of what.
    Number(Option<String>),
    /// A share, `0..=1`.
    Share,
    /// Against the time before: 1 is no change.
    Ratio,
    /// Against the time before: 0 is no change.
    Difference,
}

/// How people speak of an indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Wording {
    /// What it is called, such as `logins a seat`.
    pub label: String,
    /// What its numbers say.
    pub measure: Measure,
    /// The middle four fifths of the training rows, where they are known.
    pub usual: Option<UsualRange>,
}

impl Wording {
    /// Such as `logins a seat fell 62 %: raises the risk of churn by 4.1 points`.
    pub fn reason(&self, reason: &Reason, value: IndicatorValue<'_>, outcome: Outcome) -> String {
        let verb = if reason.contribution > 0.0 { "raises" } else { "lowers" };
        let chance = if outcome.is_good() { "chance" } else { "risk" };
        let points = points(reason.points.abs());
        format!("{}: {verb} the {chance} of {} by {points}", self.says(value), outcome.name())
    }

    /// Such as `logins a seat is 3.2 (usually 10 to 45): gives 1.9 of 10 points of health`.
    pub fn health(&self, share: &HealthShare, value: IndicatorValue<'_>) -> String {
        let (gives, of) = (number(share.gives), points(share.gives + share.costs));
        format!("{}: gives {gives} of {of} of health", self.says(value))
    }

    /// What the indicator is, without what it does: `logins a seat fell 62 %`.
    pub fn says(&self, value: IndicatorValue<'_>) -> String {
        format!("{} {}", self.label, self.state(value))
    }

    /// The same without its label: `fell 62 %`.
    pub fn state(&self, value: IndicatorValue<'_>) -> String {
        match value {
            IndicatorValue::Missing => "is not known".to_owned(),
            IndicatorValue::Level(level) => format!("is {level}"),
            IndicatorValue::OtherLevel => "is a rare one".to_owned(),
            IndicatorValue::Percentile(share) => format!("is above {} of its cohort", percent(share)),
            IndicatorValue::Number(x) => self.state_of_number(f64::from(x)),
        }
    }

    fn state_of_number(&self, x: f64) -> String {
        let usual = |shown: &dyn Fn(f64) -> String| match self.usual {
            Some(UsualRange { p10, p90 }) if !(f64::from(p10)..=f64::from(p90)).contains(&x) => {
                format!(" (usually {} to {})", shown(f64::from(p10)), shown(f64::from(p90)))
            }
            _ => String::new(),
        };
        match &self.measure {
            Measure::Number(unit) => {
                let unit = unit.as_ref().map_or_else(String::new, |unit| format!(" {unit}"));
                format!("is {}{unit}{}", number(x), usual(&number))
            }
            Measure::Share => format!("is {}{}", percent(x as f32), usual(&|x| percent(x as f32))),
            Measure::Ratio if x < 1.0 => format!("fell {}", percent(1.0 - x as f32)),
            Measure::Ratio if x > 1.0 => format!("rose {}", percent(x as f32 - 1.0)),
            Measure::Difference if x < 0.0 => format!("fell by {}", number(-x)),
            Measure::Difference if x > 0.0 => format!("rose by {}", number(x)),
            Measure::Ratio | Measure::Difference => "did not change".to_owned(),
        }
    }
}

fn points(points: f64) -> String {
    let shown = number((points * 10.0).round() / 10.0);
    format!("{shown} {}", if shown == "1" { "point" } else { "points" })
}

fn percent(share: f32) -> String {
    format!("{} %", number((f64::from(share) * 100.0).round()))
}

/// Three digits that say something, or all of a whole number below a million; without zeros behind the point.
fn number(x: f64) -> String {
    let digits = if x == 0.0 { 0 } else { x.abs().log10().floor() as i32 };
    let behind = (2 - digits).clamp(0, 6) as usize;
    let shown = format!("{x:.behind$}");
    let shown = if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.') } else { &shown };
    if shown == "-0" { "0".to_owned() } else { shown.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wording(measure: Measure) -> Wording {
        Wording { label: "logins".to_owned(), measure, usual: Some(UsualRange { p10: 10.0, p90: 45.0 }) }
    }

    #[test]
    fn values_are_said_in_words() {
        let check = |measure: Measure, value: IndicatorValue<'_>, said: &str| {
            assert_eq!(wording(measure).says(value), said);
        };
        let unit = || Measure::Number(Some("a week".to_owned()));
        check(unit(), IndicatorValue::Number(3.2), "logins is 3.2 a week (usually 10 to 45)");
        check(Measure::Number(None), IndicatorValue::Number(12.0), "logins is 12");
        check(Measure::Number(None), IndicatorValue::Number(123_456.0), "logins is 123456 (usually 10 to 45)");
        check(Measure::Number(None), IndicatorValue::Number(-0.001_234), "logins is -0.00123 (usually 10 to 45)");
        check(Measure::Ratio, IndicatorValue::Number(0.38), "logins fell 62 %");
        check(Measure::Ratio, IndicatorValue::Number(1.5), "logins rose 50 %");
        check(Measure::Ratio, IndicatorValue::Number(1.0), "logins did not change");
        check(Measure::Difference, IndicatorValue::Number(-4.0), "logins fell by 4");
        check(Measure::Share, IndicatorValue::Number(0.125), "logins is 13 % (usually 1000 % to 4500 %)");
        check(unit(), IndicatorValue::Missing, "logins is not known");
        check(unit(), IndicatorValue::Level("pro"), "logins is pro");
        check(unit(), IndicatorValue::Percentile(0.07), "logins is above 7 % of its cohort");
    }

    #[test]
    fn reasons_say_what_they_do() {
        let reason = |contribution: f64, points: f64| Reason { indicator: 0, contribution, points };
        let check = |reason: Reason, outcome: Outcome, said: &str| {
            assert_eq!(wording(Measure::Ratio).reason(&reason, IndicatorValue::Number(0.38), outcome), said);
        };
        check(reason(0.5, 4.13), Outcome::Churn, "logins fell 62 %: raises the risk of churn by 4.1 points");
        check(reason(-0.5, -1.0), Outcome::Expansion, "logins fell 62 %: lowers the chance of expansion by 1 point");
        let share = HealthShare { feature: 0, is_known: true, gives: 1.9, costs: 8.1 };
        let said = wording(Measure::Number(None)).health(&share, IndicatorValue::Number(3.2));
        assert_eq!(said, "logins is 3.2 (usually 10 to 45): gives 1.9 of 10 points of health");
    }
}
