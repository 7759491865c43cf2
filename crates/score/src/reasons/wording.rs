//! Reasons as plain sentences.

use std::fmt::Write as _;
use std::sync::Arc;

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
    label: String,
    /// The label with a blank.
    lead: String,
    measure: Measure,
    usual: Option<UsualRange>,
    /// What stands behind a usual number, and behind another, with what is usual.
    units: [String; 2],
    levels: Vec<String>,
}

/// What an indicator is, as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Missing,
    /// A place among the levels.
    Level(u32),
    OtherLevel,
    Percentile(Rounded),
    Number {
        x: Rounded,
        is_usual: bool,
    },
    Fell(Rounded),
    Rose(Rounded),
    Unchanged,
}

/// What a reason does to a probability, as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Effect {
    /// Tenths of a percentage point, twice, and one more where they are added.
    packed: u32,
}

/// A reason as it is said, in few bits: of one model and outcome, equal ones read the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReasonKey([u32; 3]);

/// Makes the sentences of reasons of one outcome from their keys.
#[derive(Debug, Clone)]
pub struct ReasonWords {
    wordings: Arc<[Wording]>,
    outcome: Outcome,
    /// Of the usual effects, by their numbers.
    effects: Vec<String>,
}

/// A number as it is said: three digits that say something, or all of a whole number, without zeros behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounded {
    /// So many tenths, hundredths and so on, as `behind` says.
    Parts { parts: i64, behind: u8 },
    /// The bits of a whole number beyond.
    Huge(u64),
}

impl Wording {
    /// `label` is what the indicator is called, such as `logins a seat`; `usual` the middle four fifths of the training rows,
    /// where they are known; and `levels`, of a text, what its levels are called.
    pub fn new(label: String, measure: Measure, usual: Option<UsualRange>, levels: Vec<String>) -> Self {
        let unit = match &measure {
            Measure::Number(Some(unit)) => format!(" {unit}"),
            Measure::Share => " %".to_owned(),
            Measure::Number(None) | Measure::Ratio | Measure::Difference => String::new(),
        };
        let usual_said = usual.map_or_else(String::new, |usual| usual_said(usual, &measure));
        let units = [unit.clone(), unit + &usual_said];
        Self { lead: format!("{label} "), label, measure, usual, units, levels }
    }

    /// Such as `logins a seat fell 62 %: raises the risk of churn by 4.1 points`.
    pub fn reason(&self, reason: &Reason, value: IndicatorValue<'_>, outcome: Outcome) -> String {
        let mut said = self.says(value);
        Effect::of(reason).write(outcome, &mut said);
        said
    }

    /// What [`Wording::reason`] says, as a key.
    ///
    /// # Panics
    /// If there are more than 16 million indicators.
    pub fn key(&self, reason: &Reason, value: IndicatorValue<'_>) -> ReasonKey {
        let (payload, kind) = self.state_of(value).packed(value);
        let indicator = u32::try_from(reason.indicator).ok().filter(|&of| of < 1 << ReasonKey::INDICATOR_BITS);
        let indicator = indicator.expect("a model has fewer than 16 million indicators");
        ReasonKey([payload, Effect::of(reason).packed, indicator << 8 | u32::from(kind)])
    }

    /// Such as `logins a seat is 3.2 (usually 10 to 45): gives 1.9 of 10 points of health`.
    pub fn health(&self, share: &HealthShare, value: IndicatorValue<'_>) -> String {
        let of = Rounded::of(((share.gives + share.costs) * 10.0).round() / 10.0);
        let gives = Rounded::of(share.gives);
        format!("{}: gives {} of {}{} of health", self.says(value), gives.said(), of.said(), of.unit())
    }

    /// What the indicator is, without what it does: `logins a seat fell 62 %`.
    pub fn says(&self, value: IndicatorValue<'_>) -> String {
        let mut said = String::new();
        self.write_state(&self.state_of(value), &mut said);
        said
    }

    /// By reference, as it is just put together from its parts: a copy would have to wait for them.
    #[inline]
    fn write_state(&self, state: &Said, said: &mut String) {
        said.push_str(&self.lead);
        self.say(state, said);
    }

    /// The same without its label: `fell 62 %`.
    pub fn state(&self, value: IndicatorValue<'_>) -> String {
        let mut said = String::new();
        self.say(&self.state_of(value), &mut said);
        said
    }

    /// Such as `logins a seat from 3.2 to 12`, of two known numbers.
    pub fn action(&self, from: IndicatorValue<'_>, to: IndicatorValue<'_>) -> String {
        let unit = match &self.measure {
            _ if matches!(to, IndicatorValue::Percentile(_)) => " of its cohort".to_owned(),
            Measure::Number(Some(unit)) => format!(" {unit}"),
            Measure::Number(None) | Measure::Share | Measure::Ratio | Measure::Difference => String::new(),
        };
        format!("{} from {} to {}{unit}", self.label, self.amount(from), self.amount(to))
    }

    fn amount(&self, value: IndicatorValue<'_>) -> String {
        let percent = |share: f32| format!("{} %", Rounded::percent(share).said());
        let number = |x: f32| Rounded::of(f64::from(x)).said();
        match (value, &self.measure) {
            (IndicatorValue::Percentile(share), _) => format!("above {}", percent(share)),
            (IndicatorValue::Number(x), Measure::Share | Measure::Ratio) => percent(x),
            (IndicatorValue::Number(x), Measure::Difference) if x > 0.0 => format!("+{}", number(x)),
            (IndicatorValue::Number(x), Measure::Number(_) | Measure::Difference) => number(x),
            (IndicatorValue::Missing | IndicatorValue::Level { .. } | IndicatorValue::OtherLevel, _) => {
                self.state(value)
            }
        }
    }

    /// What is said of a value of the indicator.
    #[inline]
    fn state_of(&self, value: IndicatorValue<'_>) -> Said {
        let x = match value {
            IndicatorValue::Missing => return Said::Missing,
            IndicatorValue::Level { place, .. } => return Said::Level(place as u32),
            IndicatorValue::OtherLevel => return Said::OtherLevel,
            IndicatorValue::Percentile(share) => return Said::Percentile(Rounded::percent(share)),
            IndicatorValue::Number(x) => f64::from(x),
        };
        let is_usual = self.usual.is_none_or(|UsualRange { p10, p90 }| (f64::from(p10)..=f64::from(p90)).contains(&x));
        match &self.measure {
            Measure::Number(_) => Said::Number { x: Rounded::of(x), is_usual },
            Measure::Share => Said::Number { x: Rounded::percent(x as f32), is_usual },
            Measure::Ratio if x < 1.0 => Said::Fell(Rounded::percent(1.0 - x as f32)),
            Measure::Ratio if x > 1.0 => Said::Rose(Rounded::percent(x as f32 - 1.0)),
            Measure::Difference if x < 0.0 => Said::Fell(Rounded::of(-x)),
            Measure::Difference if x > 0.0 => Said::Rose(Rounded::of(x)),
            Measure::Ratio | Measure::Difference => Said::Unchanged,
        }
    }

    /// The other way round than [`Said::packed`].
    #[inline]
    fn unpacked(&self, payload: u32, kind: u8) -> Said {
        let (tag, behind) = (kind & Said::TAG, kind >> 4);
        if behind == Said::RAW {
            let raw = f32::from_bits(payload);
            let is_percentile = tag == Said::PERCENTILE;
            let value = if is_percentile { IndicatorValue::Percentile(raw) } else { IndicatorValue::Number(raw) };
            return self.state_of(value);
        }
        let x = Rounded::Parts { parts: i64::from(payload as i32), behind };
        match tag {
            Said::MISSING => Said::Missing,
            Said::LEVEL => Said::Level(payload),
            Said::OTHER_LEVEL => Said::OtherLevel,
            Said::PERCENTILE => Said::Percentile(x),
            Said::NUMBER => Said::Number { x, is_usual: kind & Said::IS_USUAL != 0 },
            Said::FELL => Said::Fell(x),
            Said::ROSE => Said::Rose(x),
            _ => Said::Unchanged,
        }
    }

    #[inline]
    fn say(&self, state: &Said, said: &mut String) {
        let is_ratio = self.measure == Measure::Ratio;
        let mut one = |before: &str, x: &Rounded, after: &str| {
            said.push_str(before);
            x.say(said);
            said.push_str(after);
        };
        match state {
            Said::Missing => said.push_str("is not known"),
            Said::Level(place) => {
                said.push_str("is ");
                said.push_str(self.levels.get(*place as usize).map_or("", String::as_str));
            }
            Said::OtherLevel => said.push_str("is a rare one"),
            Said::Percentile(share) => one("is above ", share, " % of its cohort"),
            Said::Number { x, is_usual } => one("is ", x, &self.units[usize::from(!*is_usual)]),
            Said::Fell(x) if is_ratio => one("fell ", x, " %"),
            Said::Rose(x) if is_ratio => one("rose ", x, " %"),
            Said::Fell(x) => one("fell by ", x, ""),
            Said::Rose(x) => one("rose by ", x, ""),
            Said::Unchanged => said.push_str("did not change"),
        }
    }
}

/// Such as ` (usually 10 to 45)`.
fn usual_said(UsualRange { p10, p90 }: UsualRange, measure: &Measure) -> String {
    let shown = |x: f32| match measure {
        Measure::Share => format!("{} %", Rounded::percent(x).said()),
        Measure::Number(_) | Measure::Ratio | Measure::Difference => Rounded::of(f64::from(x)).said(),
    };
    format!(" (usually {} to {})", shown(p10), shown(p90))
}

impl Said {
    const MISSING: u8 = 0;
    const LEVEL: u8 = 1;
    const OTHER_LEVEL: u8 = 2;
    const PERCENTILE: u8 = 3;
    const NUMBER: u8 = 4;
    const FELL: u8 = 5;
    const ROSE: u8 = 6;
    const UNCHANGED: u8 = 7;
    const TAG: u8 = 0b111;
    const IS_USUAL: u8 = 0b1000;
    /// In the place of digits behind the point: the payload is the value itself, which is beyond whole numbers of 32 bits.
    const RAW: u8 = 7;

    /// What is said of `value`, as 32 bits, and 8 that tell what they are: the tag, whether it is usual, and from the fifth
    /// on the digits behind the point.
    #[inline]
    fn packed(self, value: IndicatorValue<'_>) -> (u32, u8) {
        let number = |x: Rounded, kind: u8| match x {
            Rounded::Parts { parts, behind } if i32::try_from(parts).is_ok() => {
                (parts as i32 as u32, behind << 4 | kind)
            }
            _ => (value.number().map_or(0, f32::to_bits), Self::RAW << 4 | kind),
        };
        match self {
            Self::Missing => (0, Self::MISSING),
            Self::Level(place) => (place, Self::LEVEL),
            Self::OtherLevel => (0, Self::OTHER_LEVEL),
            Self::Percentile(x) => number(x, Self::PERCENTILE),
            Self::Number { x, is_usual } => number(x, Self::NUMBER | if is_usual { Self::IS_USUAL } else { 0 }),
            Self::Fell(x) => number(x, Self::FELL),
            Self::Rose(x) => number(x, Self::ROSE),
            Self::Unchanged => (0, Self::UNCHANGED),
        }
    }
}

impl ReasonKey {
    const INDICATOR_BITS: u32 = 24;

    /// The place of the reason's indicator.
    pub const fn indicator(self) -> usize {
        (self.0[2] >> 8) as usize
    }

    /// As three numbers; no key has all bits of the last.
    pub const fn bits(self) -> [u32; 3] {
        self.0
    }

    /// The key of [`ReasonKey::bits`].
    pub const fn from_bits(bits: [u32; 3]) -> Self {
        Self(bits)
    }
}

impl ReasonWords {
    /// `wordings` has one an indicator.
    pub fn new(wordings: Arc<[Wording]>, outcome: Outcome) -> Self {
        let effect = |packed: u32| {
            let mut said = String::new();
            Effect { packed }.write(outcome, &mut said);
            said
        };
        Self { wordings, outcome, effects: (0..Effect::USUAL).map(effect).collect() }
    }

    /// Writes what [`Wording::reason`] says at the end of `said`, from its key.
    ///
    /// # Panics
    /// If the key is of an indicator that has no wording.
    pub fn write(&self, key: ReasonKey, said: &mut String) {
        let [payload, effect, of] = key.0;
        let wording = &self.wordings[key.indicator()];
        wording.write_state(&wording.unpacked(payload, of as u8), said);
        match self.effects.get(effect as usize) {
            Some(effect) => said.push_str(effect),
            None => Effect { packed: effect }.write(self.outcome, said),
        }
    }
}

impl Effect {
    /// Up to 50 points.
    const USUAL: u32 = 1001;

    /// What a reason does.
    fn of(reason: &Reason) -> Self {
        let tenths = ((reason.points.abs() * 10.0).round() as u32).min(u32::MAX / 2 - 1);
        Self { packed: 2 * tenths + u32::from(reason.contribution > 0.0) }
    }

    /// Writes it at the end of what is said of the indicator: `: raises the risk of churn by 4.1 points`.
    fn write(self, outcome: Outcome, said: &mut String) {
        said.push_str(if self.packed % 2 == 1 { ": raises the " } else { ": lowers the " });
        said.push_str(if outcome.is_good() { "chance of " } else { "risk of " });
        said.push_str(outcome.name());
        said.push_str(" by ");
        let points = Rounded::of(f64::from(self.packed / 2) / 10.0);
        points.say(said);
        said.push_str(points.unit());
    }
}

impl Rounded {
    fn of(x: f64) -> Self {
        /// Below each of these one more digit stands behind the point.
        const BELOW: [f64; 6] = [100.0, 10.0, 1.0, 0.1, 0.01, 0.001];
        const SCALE: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
        /// All whole numbers up to here are numbers of f64.
        const HUGE: f64 = 9e15;
        if x.abs() >= HUGE {
            return Self::Huge(x.to_bits());
        }
        // Counted without a branch: how large a number is can't be foreseen.
        let mut behind: u8 = BELOW.iter().map(|&below| u8::from(x.abs() < below)).sum();
        let mut parts = (x * SCALE[usize::from(behind)]).round_ties_even() as i64;
        if parts == 0 {
            return Self::Parts { parts, behind: 0 };
        }
        while behind > 0 && parts % 10 == 0 {
            parts /= 10;
            behind -= 1;
        }
        Self::Parts { parts, behind }
    }

    fn percent(share: f32) -> Self {
        Self::of((f64::from(share) * 100.0).round())
    }

    fn say(&self, said: &mut String) {
        match *self {
            Self::Parts { parts, behind } => {
                if parts < 0 {
                    said.push('-');
                }
                push_digits(parts.unsigned_abs(), usize::from(behind), said);
            }
            Self::Huge(bits) => {
                // Writing to a string can't fail.
                let _ = write!(said, "{:.0}", f64::from_bits(bits));
            }
        }
    }

    fn said(self) -> String {
        let mut said = String::new();
        self.say(&mut said);
        said
    }

    /// Of what these are so many.
    fn unit(self) -> &'static str {
        if self == Self::of(1.0) { " point" } else { " points" }
    }
}

/// Writes a whole number with a point before its last `behind` digits; many times faster than a format.
fn push_digits(mut number: u64, behind: usize, said: &mut String) {
    let mut digits = [b'0'; 21];
    let mut first = digits.len();
    let mut put = |digit: u8| {
        first -= 1;
        digits[first] = digit;
    };
    for _ in 0..behind {
        put(b'0' + (number % 10) as u8);
        number /= 10;
    }
    if behind > 0 {
        put(b'.');
    }
    loop {
        put(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    said.push_str(std::str::from_utf8(&digits[first..]).expect("digits and a point"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wording(measure: Measure) -> Wording {
        let usual = Some(UsualRange { p10: 10.0, p90: 45.0 });
        Wording::new("logins".to_owned(), measure, usual, vec!["basic".into(), "pro".into()])
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
        check(unit(), IndicatorValue::Level { place: 1, name: "pro" }, "logins is pro");
        check(unit(), IndicatorValue::Percentile(0.07), "logins is above 7 % of its cohort");
    }

    #[test]
    fn a_key_says_what_the_reason_says() {
        let unit = || Measure::Number(Some("a week".to_owned()));
        let numbers = [0.0, -0.0, 0.38, 1.0, 1.5, -3.25, 12.0, 99.96, 2.5e9, -4e9, 3e16, f32::MAX, 1e-7, -1e-9];
        let values = numbers.into_iter().flat_map(|x| [IndicatorValue::Number(x), IndicatorValue::Percentile(x)]);
        let texts = [(0, "basic"), (1, "pro")].map(|(place, name)| IndicatorValue::Level { place, name });
        let others = [IndicatorValue::Missing, IndicatorValue::OtherLevel].into_iter().chain(texts);
        let values: Vec<IndicatorValue<'_>> = values.chain(others).collect();
        for measure in [unit(), Measure::Share, Measure::Ratio, Measure::Difference] {
            let wording = wording(measure);
            let words = ReasonWords::new(vec![wording.clone(); 301].into(), Outcome::Churn);
            let mut text_of: std::collections::BTreeMap<[u32; 3], String> = std::collections::BTreeMap::new();
            for &value in &values {
                for (contribution, points) in [(0.5, 4.13), (-0.5, -4.13), (0.1, 0.02), (3.0, 123.4)] {
                    let reason = Reason { indicator: 300, contribution, points };
                    let said = wording.reason(&reason, value, Outcome::Churn);
                    let key = wording.key(&reason, value);
                    let mut from_key = String::new();
                    words.write(key, &mut from_key);
                    assert_eq!((from_key.as_str(), key.indicator()), (said.as_str(), 300), "{value:?}");
                    assert_eq!(*text_of.entry(key.bits()).or_insert_with(|| said.clone()), said);
                }
            }
        }
    }

    #[test]
    fn actions_say_from_where_to_where() {
        let check = |measure: Measure, from: IndicatorValue<'_>, to: IndicatorValue<'_>, said: &str| {
            assert_eq!(wording(measure).action(from, to), said);
        };
        let numbers = |from, to| (IndicatorValue::Number(from), IndicatorValue::Number(to));
        let unit = Measure::Number(Some("a week".to_owned()));
        let (from, to) = numbers(3.25, 12.0);
        check(unit, from, to, "logins from 3.25 to 12 a week");
        let (from, to) = numbers(0.38, 1.2);
        check(Measure::Ratio, from, to, "logins from 38 % to 120 %");
        check(Measure::Difference, from, to, "logins from +0.38 to +1.2");
        let (from, to) = (IndicatorValue::Percentile(0.05), IndicatorValue::Percentile(0.9));
        check(Measure::Share, from, to, "logins from above 5 % to above 90 % of its cohort");
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
